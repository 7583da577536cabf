package payment_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
)

// charges are the intents that Stripe has, and how many of them took money.
func charges(till *tilltest.Till) (intents, paid int) {
	till.T.Helper()
	list := till.Stripe(till.Shop).Do("GET", "/v1/payment_intents", "limit=100").Want(200)
	for i := range list.Len() {
		intents++
		if list.String("data", i, "status") == "succeeded" {
			paid++
		}
	}
	return intents, paid
}

// becomes moves the clock until a payment has a status.
func becomes(t *testing.T, till *tilltest.Till, payment, status string) tilltest.Answer {
	t.Helper()
	var now tilltest.Answer
	tilltest.Until(t, payment+" to be "+status, func() bool {
		till.Clock.Advance(step)
		now = till.Get("/v1/payments/" + payment).Want(200)
		return now.String("data", "status") == status
	})
	return now
}

// step is how much time passes between two looks. It is short, so that a call under way does not lose its lease of ten seconds by it.
const step = 300 * time.Millisecond

func passing(till *tilltest.Till) func() { return func() { till.Clock.Advance(step) } }

// Stripe cannot be reached: the caller hears "pending" after ten seconds, the payment is made when Stripe is back, and it is made once.
func TestStripeDown(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		l := till.Line(time.Minute)
		l.Down()
		c := till.As(till.Shop).With("Idempotency-Key", "during the outage")
		waiting := tilltest.During(t, c, "POST", "/v1/payments", order("pm_card_visa"), passing(till)).Want(201)
		fields(t, waiting, "status", "pending", "provider_ref", "", "captured", "0.00", "failure", "<nil>")
		again := tilltest.During(t, c, "POST", "/v1/payments", order("pm_card_visa"), passing(till)).Want(201)
		fields(t, again, "status", "pending", "id", waiting.ID())
		cancel(till, waiting.ID()).Refused(409, "state_conflict", "")
		fields(t, till.Get("/v1/payments/"+waiting.ID()+"?refresh=true").Want(200), "status", "pending")
		l.Up()
		becomes(t, till, waiting.ID(), "completed") // by a webhook, perhaps, before the call has ended
		tilltest.Until(t, "the payment to say that Stripe was asked more than once", func() bool {
			return till.Get("/v1/payments/"+waiting.ID()).At("data", "attempts").(float64) > 1
		})
		told(t, till, "payment.completed", waiting.ID())
		if intents, paid := charges(till); intents != 1 || paid != 1 {
			t.Errorf("Stripe has %d intents, %d of them paid", intents, paid)
		}
		balanced(t, till, waiting.ID(), 5000)
		l.Down()
		till.Get("/v1/payments/"+waiting.ID()+"?refresh=true").Refused(503, "provider_unavailable", "") // rather than what may be old
		fields(t, till.Get("/v1/payments/"+waiting.ID()).Want(200), "status", "completed")
	})
}

// Stripe stays away: a charge hours later would surprise everybody, so the payment is given up, and nothing is charged.
func TestStripeDownForLong(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		l := till.Line(time.Minute)
		l.Down()
		waiting := meanwhile(t, till, order("pm_card_visa"), passing(till)).Want(201)
		fields(t, waiting, "status", "pending")
		till.Clock.Advance(15 * time.Minute)
		failed := becomes(t, till, waiting.ID(), "failed")
		fields(t, failed, "failure.code", "provider_unavailable")
		told(t, till, "payment.failed", waiting.ID())
		l.Up()
		if intents, _ := charges(till); intents != 0 {
			t.Errorf("Stripe has %d intents", intents)
		}
		balanced(t, till, waiting.ID(), 0)
	})
}

// One fault of Stripe's, or of the way to it, during a payment: whatever became of the first send, there is one charge. It runs beside no other
// test: its clock runs while a call is under way, and on a machine that is too busy the call would lose its lease by it again and again.
func TestOneFault(t *testing.T) {
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		till.Line(time.Second)
		stripe := till.Stripe(till.Shop)
		done := 0
		for _, kind := range []string{"timeout_before_effect", "timeout_after_effect", "cut", "truncated", "error_429"} {
			stripe.Break(kind, "POST", "/v1/payment_intents")
			p := meanwhile(t, till, order("pm_card_visa"), passing(till)).Want(201)
			becomes(t, till, p.ID(), "completed")
			done++
			if intents, paid := charges(till); intents != done || paid != done {
				t.Errorf("after %s Stripe has %d intents, %d of them paid, want %d", kind, intents, paid, done)
			}
			told(t, till, "payment.completed", p.ID())
			balanced(t, till, p.ID(), 5000)
		}
		// Stripe's own failure is stored under the key: a second one alike means that only a look tells, and there is nothing.
		stripe.Break("error_500", "POST", "/v1/payment_intents")
		p := meanwhile(t, till, order("pm_card_visa"), passing(till)).Want(201)
		fields(t, becomes(t, till, p.ID(), "failed"), "failure.code", "provider_unavailable", "captured", "0.00")
		if intents, _ := charges(till); intents != done {
			t.Errorf("Stripe has %d intents, want %d", intents, done)
		}
		told(t, till, "payment.failed", p.ID())
	})
}

// The same faults while a held payment is captured and cancelled.
func TestFaultsOfCaptureAndCancel(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		till.Line(time.Second)
		for _, kind := range []string{"timeout_before_effect", "timeout_after_effect", "cut", "truncated", "error_429"} {
			for verb, end := range map[string]string{"capture": "completed", "cancel": "cancelled"} {
				held := authorized(t, till)
				till.Stripe(till.Shop).Break(kind, "POST", "/v1/payment_intents/"+held.String("data", "provider_ref")+"/"+verb)
				tilltest.During(t, till.As(till.Shop), "POST", "/v1/payments/"+held.ID()+"/"+verb, nil, passing(till)).Want(200)
				now := becomes(t, till, held.ID(), end)
				told(t, till, "payment."+end, held.ID())
				want := map[string]int64{"capture": 5000, "cancel": 0}[verb]
				if now.String("data", "captured") != fmt.Sprintf("%d.00", want/100) {
					t.Errorf("%s during %s: %s", kind, verb, now.Raw)
				}
				balanced(t, till, held.ID(), want)
			}
		}
	})
}

// A capture that cannot be sent waits for Stripe, and stands against any other meanwhile.
func TestCaptureWhileStripeIsDown(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		l := till.Line(time.Minute)
		held := authorized(t, till)
		l.Down()
		path := "/v1/payments/" + held.ID() + "/capture"
		fields(t, tilltest.During(t, till.As(till.Shop), "POST", path, body{"amount": "30.00"}, passing(till)).Want(200), "status", "authorized", "captured", "0.00")
		capture(till, held.ID(), nil).Refused(409, "state_conflict", "")
		cancel(till, held.ID()).Refused(409, "state_conflict", "")
		l.Up()
		fields(t, becomes(t, till, held.ID(), "completed"), "captured", "30.00")
		if n := asked(till, "POST /v1/payment_intents/"+held.String("data", "provider_ref")+"/capture"); n != 1 {
			t.Errorf("Stripe was asked to capture %d times", n)
		}
		balanced(t, till, held.ID(), 3000)
	})
}
