package refund_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/tilltest"
)

type body map[string]any

// paid is a completed payment of 50.00 USD.
func paid(till *tilltest.Till) tilltest.Answer {
	till.T.Helper()
	return till.Post("/v1/payments", body{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa"}).Want(201)
}

// ask asks for a refund; amount "" is all that is left.
func ask(till *tilltest.Till, payment, amount string) tilltest.Answer {
	till.T.Helper()
	b := body{"payment_id": payment}
	if amount != "" {
		b["amount"] = amount
	}
	return till.Post("/v1/refunds", b)
}

// shows checks strings of data, given in pairs of name and value.
func shows(t *testing.T, a tilltest.Answer, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := fmt.Sprint(a.At("data", pairs[i])); got != pairs[i+1] {
			t.Errorf("%s is %s, want %s: %s", pairs[i], got, pairs[i+1], a.Raw)
		}
	}
}

// stands checks what a payment says of its refunds, and that the book holds what is left of it.
func stands(t *testing.T, till *tilltest.Till, payment, status, refunding, refunded string, left int64) {
	t.Helper()
	shows(t, till.Get("/v1/payments/"+payment).Want(200), "status", status, "refunding", refunding, "refunded", refunded)
	if err := ledger.Check(t.Context(), till.DB, till.Shop.Scope); err != nil {
		t.Error(err)
	}
	all, err := ledger.Balances(t.Context(), till.DB, till.Shop.Scope, payment)
	if err != nil {
		t.Fatal(err)
	}
	var got int64
	for _, b := range all {
		if b.Account == ledger.StripeBalance {
			got += b.Minor
		}
	}
	if got != left {
		t.Errorf("the book holds %d, want %d", got, left)
	}
}

// types are the types of all events about an object, oldest first.
func types(till *tilltest.Till, object string) (all []string) {
	till.T.Helper()
	list := till.Get("/v1/events?limit=100&object_id=" + object).Want(200)
	for i := range list.Len() {
		all = append(all, list.String("data", i, "type"))
	}
	slices.Reverse(all)
	return all
}

func TestFullRefund(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till)
		r := till.Post("/v1/refunds", body{"payment_id": p.ID(), "reason": "requested_by_customer"}).Want(201)
		shows(t, r, "payment_id", p.ID(), "status", "completed", "amount", "50.00", "currency", "USD", "reason", "requested_by_customer", "origin", "till",
			"failure", "<nil>", "attempts", "1", "livemode", "false")
		at := till.Stripe(till.Shop).Do("GET", "/v1/refunds/"+r.String("data", "provider_ref"), "").Want(200)
		if at.String("metadata", "till_id") != r.ID() || at.String("reason") != "requested_by_customer" || at.At("amount") != 5000.0 {
			t.Errorf("Stripe has %s", at.Raw)
		}
		stands(t, till, p.ID(), "refunded", "0.00", "50.00", 0)
		if said := till.Shop.Hears.Await("refund.completed", r.ID()); said.Data["payment_id"] != p.ID() {
			t.Errorf("the merchant heard %v", said)
		}
		if said := till.Shop.Hears.Await("payment.refunded", p.ID()); said.Data["status"] != "refunded" || said.Data["refunded"] != "50.00" {
			t.Errorf("the merchant heard %v", said)
		}
		if got := fmt.Sprint(types(till, r.ID()), types(till, p.ID())); got != "[refund.created refund.completed] [payment.completed payment.refunded]" {
			t.Errorf("events %s", got)
		}
		again := till.Get("/v1/refunds/" + r.ID()).Want(200)
		if fmt.Sprint(again.JSON) != fmt.Sprint(r.JSON) {
			t.Errorf("read again it is %s, was %s", again.Raw, r.Raw)
		}
		for _, amount := range []string{"", "0.01"} {
			ask(till, p.ID(), amount).Refused(422, "refund_too_large", "amount")
		}
	})
}

func TestPartialRefunds(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till)
		shows(t, ask(till, p.ID(), "20.5").Want(201), "amount", "20.50", "status", "completed")
		stands(t, till, p.ID(), "completed", "0.00", "20.50", 2950)
		ask(till, p.ID(), "29.51").Refused(422, "refund_too_large", "amount")
		shows(t, till.Post("/v1/refunds", `{"payment_id":"`+p.ID()+`","amount":9.50}`).Want(201), "amount", "9.50")
		stands(t, till, p.ID(), "completed", "0.00", "30.00", 2000)
		shows(t, ask(till, p.ID(), "").Want(201), "amount", "20.00")
		stands(t, till, p.ID(), "refunded", "0.00", "50.00", 0)
		if got := fmt.Sprint(types(till, p.ID())); got != "[payment.completed payment.refunded]" {
			t.Errorf("events %s", got)
		}
		if n := till.Get("/v1/refunds?payment_id=" + p.ID()).Want(200).Len(); n != 3 {
			t.Errorf("%d refunds", n)
		}
	})
}

func TestRefundOfWhatIsNotPaid(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		order := func(method, capture string) string {
			return till.Post("/v1/payments", body{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": method, "capture_method": capture}).Want(201).ID()
		}
		cancelled := order("pm_card_visa", "manual")
		till.As(till.Shop).Want(200, "POST", "/v1/payments/"+cancelled+"/cancel", nil)
		for status, p := range map[string]string{
			"pending": order("pm_card_threeDSecure2Required", "automatic"), "failed": order("pm_card_chargeDeclined", "automatic"),
			"authorized": order("pm_card_visa", "manual"), "cancelled": cancelled,
		} {
			for _, amount := range []string{"", "10.00"} {
				ask(till, p, amount).Refused(422, "payment_status", "payment_id")
			}
			stands(t, till, p, status, "0.00", "0.00", 0)
		}
		ask(till, "00000000-0000-4000-8000-000000000000", "").Refused(404, "resource_missing", "payment_id")
		ask(till, "nonsense", "").Refused(404, "resource_missing", "payment_id")
		if n := till.Get("/v1/refunds").Want(200).Len(); n != 0 {
			t.Errorf("%d refunds", n)
		}
	})
}

func TestBadRefunds(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till).ID()
		for _, c := range []struct {
			body        any
			code, param string
		}{
			{`{}`, "parameter_missing", "payment_id"}, {body{"payment_id": ""}, "parameter_invalid", "payment_id"}, {body{"payment_id": 7}, "parameter_invalid", "payment_id"},
			{body{"payment_id": p, "amount": "0"}, "amount_invalid", "amount"}, {body{"payment_id": p, "amount": "-5"}, "amount_invalid", "amount"},
			{body{"payment_id": p, "amount": "1.001"}, "amount_too_precise", "amount"}, {body{"payment_id": p, "amount": true}, "parameter_invalid", "amount"},
			{body{"payment_id": p, "reason": "because"}, "parameter_invalid", "reason"}, {body{"payment_id": p, "currency": "USD"}, "parameter_unknown", "currency"},
			{`{"payment_id":"` + p + `","amount":1e309}`, "parameter_invalid", "amount"}, {`{"payment_id":"` + p + `"`, "body_invalid", ""}, {``, "body_invalid", ""},
		} {
			till.Post("/v1/refunds", c.body).Refused(400, c.code, c.param)
		}
		till.As(till.Shop).Do("POST", "/v1/refunds", body{"payment_id": p}).Refused(400, "idempotency_key_required", "Idempotency-Key")
		stands(t, till, p, "completed", "0.00", "0.00", 5000)
		for _, id := range []string{"00000000-0000-4000-8000-000000000000", "nonsense"} {
			till.Get("/v1/refunds/"+id).Refused(404, "resource_missing", "id")
		}
	})
}

func TestRefundKeys(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p, q := paid(till).ID(), paid(till).ID()
		c := till.As(till.Shop).With("Idempotency-Key", "k")
		first := c.Want(201, "POST", "/v1/refunds", body{"payment_id": p, "amount": "20"})
		for _, same := range []any{body{"payment_id": p, "amount": "20.00"}, `{"payment_id":"` + p + `","amount":20.0}`} {
			again := c.Want(201, "POST", "/v1/refunds", same)
			if again.ID() != first.ID() || again.Header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("another refund: %s", again.Raw)
			}
		}
		for _, other := range []body{
			{"payment_id": p, "amount": "20.01"}, {"payment_id": p}, {"payment_id": q, "amount": "20"}, {"payment_id": p, "amount": "20", "reason": "duplicate"},
			{"payment_id": p, "amount": "999999"},
		} {
			c.Do("POST", "/v1/refunds", other).Refused(422, "idempotency_key_reused", "Idempotency-Key")
		}
		// "All that is left" is one request, however much that is by then.
		rest := till.As(till.Shop).With("Idempotency-Key", "rest")
		shows(t, rest.Want(201, "POST", "/v1/refunds", body{"payment_id": p}), "amount", "30.00")
		shows(t, rest.Want(201, "POST", "/v1/refunds", body{"payment_id": p}), "amount", "30.00")
		stands(t, till, p, "refunded", "0.00", "50.00", 0)
		stands(t, till, q, "completed", "0.00", "0.00", 5000)
	})
}

// Refunds at once, together far above what was captured: never more than that goes back.
func TestRefundsAtOnce(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till).ID()
		var wg sync.WaitGroup
		answers := make([]tilltest.Answer, 16)
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = till.As(till.Shop).With("Idempotency-Key", id.New()).Try("POST", "/v1/refunds", body{"payment_id": p, "amount": "15.00"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		made := 0
		for _, a := range answers {
			switch a.Status {
			case 201:
				made++
				shows(t, a, "status", "completed")
			case 422:
				a.Refused(422, "refund_too_large", "amount")
			default:
				t.Errorf("%d %s", a.Status, a.Raw)
			}
		}
		if made != 3 {
			t.Errorf("%d refunds of 15.00 from 50.00", made)
		}
		stands(t, till, p, "completed", "0.00", "45.00", 500)
		if n := till.Stripe(till.Shop).Do("GET", "/v1/refunds", "limit=100").Want(200).Len(); n != 3 {
			t.Errorf("Stripe has %d refunds", n)
		}
	})
}

// A refund that was made in Stripe's dashboard is in our books too.
func TestRefundsMadeElsewhere(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till)
		stripe := till.Stripe(till.Shop)
		made := stripe.Do("POST", "/v1/refunds", "payment_intent="+p.String("data", "provider_ref")+"&amount=1200&reason=duplicate").Want(200)
		var list tilltest.Answer
		tilltest.Until(t, "the refund to be known", func() bool {
			list = till.Get("/v1/refunds?payment_id=" + p.ID() + "&status=completed").Want(200)
			return list.Len() == 1
		})
		r := till.Get("/v1/refunds/" + list.String("data", 0, "id")).Want(200)
		shows(t, r, "origin", "outside", "amount", "12.00", "status", "completed", "provider_ref", made.String("id"), "idempotency_key", "", "reason", "duplicate", "attempts", "0")
		till.Shop.Hears.Await("refund.completed", r.ID())
		tilltest.Until(t, "every webhook to be taken in", func() bool { return stripe.Outstanding() == 0 || advance(till) })
		stands(t, till, p.ID(), "completed", "0.00", "12.00", 3800)
		ask(till, p.ID(), "38.01").Refused(422, "refund_too_large", "amount")

		stripe.Do("POST", "/v1/refunds", "payment_intent="+p.String("data", "provider_ref")).Want(200)
		till.Shop.Hears.Await("payment.refunded", p.ID())
		stands(t, till, p.ID(), "refunded", "0.00", "50.00", 0)
		if got := fmt.Sprint(types(till, r.ID()), types(till, p.ID())); got != "[refund.created refund.completed] [payment.completed payment.refunded]" {
			t.Errorf("events %s", got)
		}
	})
}

// advance lets a second pass, for what the sandbox sends later; it is false, so that it can stand in a condition.
func advance(till *tilltest.Till) bool { till.Clock.Advance(time.Second); return false }

// Stripe refuses a refund of what went back already without our knowledge: nothing stays set aside, and till learns what went back.
func TestRefundThatStripeRefuses(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till)
		stripe := till.Stripe(till.Shop)
		tilltest.Until(t, "the payment's webhooks", func() bool { return stripe.Outstanding() == 0 || advance(till) })
		endpoint := stripe.Do("GET", "/v1/webhook_endpoints", "").Want(200).String("data", 0, "id")
		stripe.Do("POST", "/v1/webhook_endpoints/"+endpoint, "disabled=true").Want(200)
		stripe.Do("POST", "/v1/refunds", "payment_intent="+p.String("data", "provider_ref")).Want(200)
		r := ask(till, p.ID(), "20.00").Want(201)
		shows(t, r, "status", "failed", "provider_ref", "")
		if r.String("data", "failure", "code") != "charge_already_refunded" || r.String("data", "failure", "message") == "" {
			t.Errorf("no reason: %s", r.Raw)
		}
		till.Shop.Hears.Await("refund.failed", r.ID())
		till.Shop.Hears.Await("payment.refunded", p.ID())
		stands(t, till, p.ID(), "refunded", "0.00", "50.00", 0)
	})
}

// A bank may return a refund days later: the money is the merchant's again, and can be refunded anew.
func TestRefundFailsLater(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till)
		r := ask(till, p.ID(), "").Want(201)
		stands(t, till, p.ID(), "refunded", "0.00", "50.00", 0)
		object := body{"id": r.String("data", "provider_ref"), "object": "refund", "amount": 5000, "currency": "usd", "status": "failed",
			"failure_reason": "expired_or_canceled_card", "payment_intent": p.String("data", "provider_ref"), "metadata": body{"till_id": r.ID()}}
		stripe := till.Stripe(till.Shop)
		for range 2 {
			stripe.Tell(tilltest.Event("refund.failed", object)).Want(200)
		}
		object["status"] = "succeeded" // old news
		said := till.Shop.Hears.Await("refund.failed", r.ID())
		stripe.Tell(tilltest.Event("refund.updated", object)).Want(200)
		if why, _ := said.Data["failure"].(map[string]any); why["code"] != "expired_or_canceled_card" || why["message"] == "" {
			t.Errorf("the merchant heard %v", said)
		}
		shows(t, till.Get("/v1/refunds/"+r.ID()), "status", "failed")
		stands(t, till, p.ID(), "completed", "0.00", "0.00", 5000)
		shows(t, ask(till, p.ID(), "50.00").Want(201), "status", "failed") // this sandbox knows nothing of the bank's return, and refuses
	})
}
