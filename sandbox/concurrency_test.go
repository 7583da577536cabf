package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// together runs f in n goroutines that start at once.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Add(1)
		go func() {
			defer done.Done()
			ready.Done()
			<-start
			f(i)
		}()
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// TestParallelConfirms: however many confirm one intent at once, it is charged once.
func TestParallelConfirms(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&capture_method=automatic&payment_method=pm_card_visa").text("id")
	var paid atomic.Int64
	together(50, func(int) {
		switch got := a.post("/v1/payment_intents/"+intent+"/confirm", ""); got.status {
		case http.StatusOK:
			paid.Add(1)
		case http.StatusBadRequest:
			if got.text("error.code") != "payment_intent_unexpected_state" {
				t.Errorf("%s", got.raw)
			}
		default:
			t.Errorf("%d %s", got.status, got.raw)
		}
	})
	if charges := len(ids(a.get("/v1/charges", "limit=100"))); charges != 1 || paid.Load() != 1 {
		t.Errorf("%d charges and %d successes, want one each", charges, paid.Load())
	}
}

// TestParallelKeys: one key used by many at once makes one payment, and everybody hears of it.
func TestParallelKeys(t *testing.T) {
	t.Parallel()
	a := bare(t)
	var seen sync.Map
	together(50, func(int) {
		got := a.post("/v1/payment_intents", pay+"&payment_method=pm_card_visa", "Idempotency-Key", "one")
		if got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.raw)
		}
		seen.Store(got.text("id"), true)
	})
	n := 0
	seen.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d payments", n)
	}
}

// TestParallelRefunds: whatever sizes race, no more goes back than was captured, and all of it when enough asked.
func TestParallelRefunds(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa&expand[]=latest_charge")
	var refunded atomic.Int64
	together(40, func(i int) {
		amount := int64(10 + 7*(i%9))
		if got := a.post("/v1/refunds", "payment_intent="+intent.text("id")+"&amount="+strconv.FormatInt(amount, 10)); got.status == http.StatusOK {
			refunded.Add(amount)
		}
	})
	charge := a.get("/v1/charges/"+intent.text("latest_charge.id"), "")
	if charge.text("amount_refunded") != strconv.FormatInt(refunded.Load(), 10) || refunded.Load() > 1000 {
		t.Errorf("charge says %s, the answers %d", charge.text("amount_refunded"), refunded.Load())
	}
	if rest := a.post("/v1/refunds", "payment_intent="+intent.text("id")); refunded.Load() < 1000 && rest.status != http.StatusOK {
		t.Errorf("the rest: %s", rest.raw)
	}
	a.get("/v1/charges/"+intent.text("latest_charge.id"), "").wants(t, http.StatusOK, map[string]any{"amount_refunded": "1000", "refunded": true})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": "-59"})
}

// TestCaptureRacesCancel: exactly one of them wins.
func TestCaptureRacesCancel(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for range 10 {
		intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&capture_method=manual&confirm=true&payment_method=pm_card_visa").text("id")
		var won atomic.Int64
		together(10, func(i int) {
			verb := []string{"capture", "cancel"}[i%2]
			if a.post("/v1/payment_intents/"+intent+"/"+verb, "").status == http.StatusOK {
				won.Add(1)
			}
		})
		got := a.get("/v1/payment_intents/"+intent, "")
		if status := got.text("status"); won.Load() != 1 || status != "succeeded" && status != "canceled" {
			t.Errorf("%d won, status %s", won.Load(), status)
		}
	}
}

// TestWorldsAreApart: one key sees nothing of another's.
func TestWorldsAreApart(t *testing.T) {
	t.Parallel()
	a := bare(t)
	mine := a.must("/v1/customers", "").text("id")
	account := a.get("/v1/account", "").text("id")
	other := *a
	other.key += "2"
	other.get("/v1/customers/"+mine, "").wants(t, http.StatusNotFound, nil)
	if n := len(ids(other.get("/v1/customers", ""))); n != 0 {
		t.Errorf("another world sees %d customers", n)
	}
	if theirs := other.get("/v1/account", "").text("id"); theirs == account || !strings.HasPrefix(theirs, "acct_") {
		t.Errorf("accounts %s and %s", account, theirs)
	}
	restricted := *a
	restricted.key = "rk" + strings.TrimPrefix(a.key, "sk")
	restricted.get("/v1/customers/"+mine, "").wants(t, http.StatusOK, nil)
}
