package refund_test

import (
	"testing"
	"time"

	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/tilltest"
)

// step is how much time passes between two looks. It is short, so that a call under way does not lose its lease of ten seconds by it.
const step = 300 * time.Millisecond

// becomes moves the clock until a refund has a status.
func becomes(t *testing.T, till *tilltest.Till, refund, status string) tilltest.Answer {
	t.Helper()
	var now tilltest.Answer
	tilltest.Until(t, refund+" to be "+status, func() bool {
		till.Clock.Advance(step)
		now = till.Get("/v1/refunds/" + refund).Want(200)
		return now.String("data", "status") == status
	})
	return now
}

// slowly asks for a refund while the clock moves.
func slowly(t *testing.T, till *tilltest.Till, payment, amount string) tilltest.Answer {
	t.Helper()
	return tilltest.During(t, till.As(till.Shop).With("Idempotency-Key", id.New()), "POST", "/v1/refunds", body{"payment_id": payment, "amount": amount},
		func() { till.Clock.Advance(step) }).Want(201)
}

// While Stripe is away a refund is pending, and its money is set aside: no other can spend it. When Stripe is back it is made, once.
func TestStripeDown(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		line := till.Line(time.Minute)
		p := paid(till).ID()
		line.Down()
		r := slowly(t, till, p, "40.00")
		shows(t, r, "status", "pending", "provider_ref", "", "failure", "<nil>")
		stands(t, till, p, "completed", "40.00", "0.00", 5000)
		ask(till, p, "10.01").Refused(422, "refund_too_large", "amount")
		line.Up()
		becomes(t, till, r.ID(), "completed")
		till.Shop.Hears.Await("refund.completed", r.ID())
		stands(t, till, p, "completed", "0.00", "40.00", 1000)
		if n := till.Stripe(till.Shop).Do("GET", "/v1/refunds", "").Want(200).Len(); n != 1 {
			t.Errorf("Stripe has %d refunds", n)
		}

		line.Down()
		given := slowly(t, till, p, "10.00")
		till.Clock.Advance(15 * time.Minute)
		becomes(t, till, given.ID(), "failed") // too late to begin; nothing went back
		stands(t, till, p, "completed", "0.00", "40.00", 1000)
	})
}

// One fault during a refund: whatever became of the first send, the money goes back once, or not at all.
func TestOneFault(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		till.Line(time.Second)
		stripe := till.Stripe(till.Shop)
		made := 0
		for kind, end := range map[string]string{"timeout_before_effect": "completed", "timeout_after_effect": "completed", "cut": "completed",
			"truncated": "completed", "error_429": "completed", "error_500": "failed"} {
			p := paid(till).ID()
			stripe.Break(kind, "POST", "/v1/refunds")
			r := slowly(t, till, p, "20.00")
			becomes(t, till, r.ID(), end)
			if end == "completed" {
				made++
				stands(t, till, p, "completed", "0.00", "20.00", 3000)
			} else {
				stands(t, till, p, "completed", "0.00", "0.00", 5000)
			}
			if n := stripe.Do("GET", "/v1/refunds", "limit=100").Want(200).Len(); n != made {
				t.Errorf("after %s Stripe has %d refunds, want %d", kind, n, made)
			}
			till.Shop.Hears.Await("refund."+end, r.ID())
		}
	})
}

// The webhook of a refund may be faster than the reply.
func TestWebhookBeforeTheReply(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till).ID()
		stripe := till.Stripe(till.Shop)
		stripe.Break("hold", "POST", "/v1/refunds")
		heard := false
		r := tilltest.During(t, till.As(till.Shop).With("Idempotency-Key", id.New()), "POST", "/v1/refunds", body{"payment_id": p}, func() {
			if !heard && stripe.Held() > 0 {
				till.Shop.Hears.Await("payment.refunded", p)
				stands(t, till, p, "refunded", "0.00", "50.00", 0)
				heard = true
				stripe.Release()
			}
		}).Want(201)
		shows(t, r, "status", "completed", "amount", "50.00", "origin", "till")
		if got := types(till, r.ID()); !heard || len(got) != 2 || got[1] != "refund.completed" {
			t.Errorf("events %v", got)
		}
		stands(t, till, p, "refunded", "0.00", "50.00", 0)
		if n := till.Get("/v1/refunds").Want(200).Len(); n != 1 {
			t.Errorf("%d refunds", n)
		}
	})
}

// Stripe keeps a refund pending for days, and its webhook is lost: the sweep asks.
func TestSweepAsks(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till)
		stripe := till.Stripe(till.Shop)
		endpoint := stripe.Do("GET", "/v1/webhook_endpoints", "").Want(200).String("data", 0, "id")
		stripe.Do("POST", "/v1/webhook_endpoints/"+endpoint, "disabled=true").Want(200)
		made := stripe.Do("POST", "/v1/refunds", "amount=700&payment_intent="+p.String("data", "provider_ref")).Want(200)
		object := body{"id": made.String("id"), "object": "refund", "amount": 700, "currency": "usd", "status": "pending", "payment_intent": p.String("data", "provider_ref")}
		stripe.Tell(tilltest.Event("refund.created", object)).Want(200)
		var list tilltest.Answer
		tilltest.Until(t, "the refund to be known", func() bool {
			list = till.Get("/v1/refunds").Want(200)
			return list.Len() == 1
		})
		stands(t, till, p.ID(), "completed", "7.00", "0.00", 5000)
		till.Clock.Advance(10 * time.Minute)
		becomes(t, till, list.String("data", 0, "id"), "completed")
		stands(t, till, p.ID(), "completed", "0.00", "7.00", 4300)
	})
}
