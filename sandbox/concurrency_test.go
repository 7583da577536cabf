package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/till-pay/till/sandbox"
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

// TestParallelConfirms: however many confirm one intent at once, it is charged once, and everybody gets an answer.
func TestParallelConfirms(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&capture_method=automatic&payment_method=pm_card_visa").text("id")
	var paid atomic.Int64
	together(1000, func(int) {
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

// TestKeyRacesAcrossEndpoints: of many requests that share a key one kind is carried out, once; its like are replayed, all others refused.
func TestKeyRacesAcrossEndpoints(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&payment_method=pm_card_visa").text("id")
	requests := [][2]string{
		{"/v1/customers", "name=A"}, {"/v1/customers", "name=B"}, {"/v1/payment_intents", pay + "&payment_method=pm_card_visa"}, {"/v1/payment_intents", pay + "&payment_method=pm_card_chargeDeclined"},
		{"/v1/payment_intents/" + intent + "/confirm", ""}, {"/v1/payment_intents/" + intent + "/cancel", ""}, {"/v1/payment_intents", "amount=x&currency=usd"}, {"/v1/nothing", ""},
	}
	for round := range 5 {
		var kinds, replayed, fresh sync.Map
		var won, lost atomic.Int64
		together(160, func(i int) {
			one := requests[i%len(requests)]
			got := a.post(one[0], one[1], "Idempotency-Key", "shared-"+strconv.Itoa(round))
			switch {
			case got.text("error.type") == "idempotency_error":
				lost.Add(1)
			case i%len(requests) >= 6: // these never begin
				if got.status != http.StatusBadRequest && got.status != http.StatusNotFound {
					t.Errorf("%s: %d %s", one, got.status, got.raw)
				}
			default:
				won.Add(1)
				kinds.Store(i%len(requests), true)
				if got.header.Get("Idempotent-Replayed") == "true" {
					replayed.Store(got.raw, true)
				} else if _, twice := fresh.LoadOrStore("first", got.raw); twice {
					t.Errorf("%s was carried out twice under one key", one)
				}
			}
		})
		n := 0
		kinds.Range(func(any, any) bool { n++; return true })
		first, _ := fresh.Load("first")
		replayed.Range(func(raw, _ any) bool {
			if raw != first {
				t.Errorf("replayed is %s\nnot %s", raw, first)
			}
			return true
		})
		if n != 1 || won.Load() != 20 || lost.Load() < 100 {
			t.Errorf("round %d: %d kinds of requests had the key, %d were answered, %d refused", round, n, won.Load(), lost.Load())
		}
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
		intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&capture_method=manual&confirm=true&payment_method=pm_card_visa").text("id")
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

// TestCaptureRacesCancelAndRefund: whatever comes first, what goes back is no more than was taken, and the balance says so.
func TestCaptureRacesCancelAndRefund(t *testing.T) {
	t.Parallel()
	a := bare(t)
	var taken int64
	for range 10 {
		intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&capture_method=manual&confirm=true&payment_method=pm_card_visa")
		var captured, canceled, refunded atomic.Int64
		together(60, func(i int) {
			amount := int64(100 + 50*(i%7))
			text := strconv.FormatInt(amount, 10)
			switch id := intent.text("id"); i % 3 {
			case 0:
				if a.post("/v1/payment_intents/"+id+"/capture", "amount_to_capture="+text).status == http.StatusOK {
					captured.Add(amount)
				}
			case 1:
				if i < 30 && a.post("/v1/payment_intents/"+id+"/cancel", "").status == http.StatusOK {
					canceled.Add(1)
				}
			case 2:
				if a.post("/v1/refunds", "payment_intent="+id+"&amount="+text).status == http.StatusOK {
					refunded.Add(amount)
				}
			}
		})
		charge := a.get("/v1/charges/"+intent.text("latest_charge"), "")
		if (captured.Load() > 0) == (canceled.Load() > 0) || canceled.Load() > 1 || refunded.Load() > captured.Load() ||
			charge.text("amount_captured") != strconv.FormatInt(captured.Load(), 10) || charge.text("amount_refunded") != strconv.FormatInt(refunded.Load(), 10) {
			t.Errorf("captured %d, canceled %d times, refunded %d: %s", captured.Load(), canceled.Load(), refunded.Load(), charge.raw)
		}
		taken += captured.Load() - refunded.Load()
		if captured.Load() > 0 {
			taken -= sandbox.Fee(captured.Load())
		}
	}
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": strconv.FormatInt(taken, 10)})
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
