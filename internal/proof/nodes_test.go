package proof

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
)

// pair is a world with two tills on its database.
func pair(t *testing.T) (w *world, nodes []string) {
	t.Helper()
	w = newWorld(t, setting{url: dbtest.Postgres(t)})
	for range 2 {
		nodes = append(nodes, "http://"+w.till(binary(t, release)).api)
	}
	w.http.Transport.(*http.Transport).MaxIdleConnsPerHost = 2000
	return w, nodes
}

func purchase(capture string) map[string]string {
	return map[string]string{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa", "capture_method": capture}
}

// patient asks as a merchant's client does: again under the same key where it was told to come back.
func (w *world) patient(node, path, key string, body any) (a answer, err error) {
	for range 30 {
		a, err = w.ask(node, "POST", path, key, body)
		if err != nil || a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable {
			return a, err
		}
		select {
		case <-time.After(200*time.Millisecond + rand.N(300*time.Millisecond)):
		case <-w.t.Context().Done():
		}
	}
	return a, err
}

// Two tills on one PostgreSQL, and a thousand requests at the same moment: a tenth of them are keys that go to both. There is one charge,
// one payment and one payment.completed for each key, and both tills give the same answer to it. It is not parallel: a thousand requests at
// once want the machine for themselves.
func TestAThousandRequestsToTwoTills(t *testing.T) {
	const keys, shared = 900, 100
	w, nodes := pair(t)
	var mu sync.Mutex
	payments := map[string]string{} // by key
	var all sync.WaitGroup
	now := make(chan struct{})
	send := func(key, node string) {
		all.Go(func() {
			<-now
			a, err := w.patient(node, "/v1/payments", key, purchase("automatic"))
			if err != nil || a.status != 201 || text(a.data, "status") != "completed" && text(a.data, "status") != "pending" {
				t.Errorf("%s: %d %s, %v", key, a.status, a.body, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if first := payments[key]; first != "" && first != text(a.data, "id") {
				t.Errorf("%s is both %s and %s", key, first, text(a.data, "id"))
			}
			payments[key] = text(a.data, "id")
		})
	}
	for i := range keys {
		send(fmt.Sprint("order ", i), nodes[i%2])
		if i < shared {
			send(fmt.Sprint("order ", i), nodes[1-i%2])
		}
	}
	close(now)
	all.Wait()
	if len(payments) != keys {
		t.Fatalf("%d of %d keys were answered", len(payments), keys)
	}
	w.quiet()
	w.sameAnswers(nodes, payments, shared)
	w.oneChargeEach(payments)
}

// sameAnswers asks both nodes again for the keys that both had.
func (w *world) sameAnswers(nodes []string, payments map[string]string, shared int) {
	w.t.Helper()
	for i := range shared {
		key := fmt.Sprint("order ", i)
		var said [2]answer
		for n, node := range nodes {
			var err error
			if said[n], err = w.patient(node, "/v1/payments", key, purchase("automatic")); err != nil || !said[n].replayed || text(said[n].data, "id") != payments[key] {
				w.t.Fatalf("%s again: %s, replayed %v, %v", key, said[n].body, said[n].replayed, err)
			}
		}
		if string(said[0].body) != string(said[1].body) {
			w.t.Errorf("%s: one till says\n%s, the other\n%s", key, said[0].body, said[1].body)
		}
	}
}

// oneChargeEach checks that each key has its own payment, its own charge of the right amount at Stripe, and one event, which was heard.
func (w *world) oneChargeEach(payments map[string]string) {
	w.t.Helper()
	tagged := map[string]int{}
	for _, intent := range w.list("/v1/payment_intents") {
		metadata, _ := intent["metadata"].(map[string]any)
		tagged[text(metadata, "till_id")]++
		if intent["status"] != "succeeded" || intent["amount_received"] != 5000.0 {
			w.t.Errorf("an intent at Stripe: %v", intent)
		}
	}
	for key, payment := range payments {
		if tagged[payment] != 1 || w.hears.heard(payment, "payment.completed") < 1 {
			w.t.Errorf("%s: charged %d times, heard of %d times", key, tagged[payment], w.hears.heard(payment, "payment.completed"))
		}
	}
	if n := len(w.list("/v1/charges")); n != len(payments) || len(tagged) != len(payments) {
		w.t.Errorf("%d charges and %d intents for %d keys", n, len(tagged), len(payments))
	}
	for _, sql := range []string{`select count(*) from payments where status = 'completed' and captured = 5000`, `select count(*) from payments`, `select count(*) from calls`,
		`select count(*) from calls where state = 'done'`, `select count(*) from events where type <> 'webhook.checkpoint'`, `select count(*) from events where type = 'payment.completed'`,
		`select count(distinct object) from events where type <> 'webhook.checkpoint'`, `select count(*) from deliveries where status = 'succeeded' and type <> 'webhook.checkpoint'`, `select max(seq) - (select count(*) from deliveries where type = 'webhook.checkpoint') from deliveries`,
		`select sum(amount) / 5000 from ledger_entries where book = 'expected' and account = 'assets:stripe'`} {
		if n := w.count(`select cast((` + sql + `) as bigint)`); n != int64(len(payments)) {
			w.t.Errorf("%d, not %d: %s", n, len(payments), sql)
		}
	}
	if err := ledger.Check(w.t.Context(), w.db, w.scope); err != nil {
		w.t.Errorf("%v", err)
	}
}

// Refunds of one payment at once, to both tills: what goes back is never more than was captured, and what fits goes back.
func TestRefundsToTwoTills(t *testing.T) {
	t.Parallel()
	const rounds, refunds = 8, 8
	w, nodes := pair(t)
	for round := range rounds {
		minor := int64(1700 + 100*round) // of 50.00: two fit, and never three
		payment := text(w.want(201, "POST", "/v1/payments", id.New(), purchase("automatic")), "id")
		var all sync.WaitGroup
		for i := range refunds {
			all.Go(func() {
				a, err := w.patient(nodes[i%2], "/v1/refunds", id.New(), map[string]string{"payment_id": payment, "amount": amount(minor)})
				if err != nil || a.status != 201 && a.status != 422 {
					t.Errorf("a refund: %d %s, %v", a.status, a.body, err)
				}
			})
		}
		all.Wait()
		p := w.want(200, "GET", "/v1/payments/"+payment, "", nil)
		if text(p, "refunded") != amount(2*minor) || text(p, "refunding") != "0.00" {
			t.Errorf("refunds of %s: %v", amount(minor), p)
		}
	}
	sent := map[string]float64{}
	for _, r := range w.list("/v1/refunds") {
		sent[text(r, "charge")] += r["amount"].(float64)
	}
	for _, c := range w.list("/v1/charges") {
		if sum := sent[text(c, "id")]; sum != c["amount_refunded"] || sum > 5000 || sum < 3400 {
			t.Errorf("%v of 5000 went back: %v", sum, c)
		}
	}
	if len(sent) != rounds {
		t.Errorf("refunds of %d charges", len(sent))
	}
}
