package payment_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
)

// authorized is a payment of 50.00 USD whose money is held and not taken.
func authorized(t *testing.T, till *tilltest.Till) tilltest.Answer {
	t.Helper()
	held := till.Post("/v1/payments", order("pm_card_visa").with("capture_method", "manual")).Want(201)
	fields(t, held, "status", "authorized", "captured", "0.00", "fee", "<nil>", "capture_method", "manual")
	return held
}

// capture and cancel ask without an Idempotency-Key: the payment and the amount are the key.
func capture(till *tilltest.Till, payment string, body any) tilltest.Answer {
	till.T.Helper()
	return till.As(till.Shop).Do("POST", "/v1/payments/"+payment+"/capture", body)
}

func cancel(till *tilltest.Till, payment string) tilltest.Answer {
	till.T.Helper()
	return till.As(till.Shop).Do("POST", "/v1/payments/"+payment+"/cancel", nil)
}

func asked(till *tilltest.Till, request string) (n int) {
	till.T.Helper()
	for _, r := range till.Stripe(till.Shop).Requests() {
		if r == request {
			n++
		}
	}
	return n
}

func TestCapture(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		held := authorized(t, till)
		told(t, till, "payment.authorized", held.ID())
		balanced(t, till, held.ID(), 0)
		taken := capture(till, held.ID(), nil).Want(200)
		fields(t, taken, "status", "completed", "captured", "50.00", "fee", "1.75", "net", "48.25")
		told(t, till, "payment.completed", held.ID())
		balanced(t, till, held.ID(), 5000)

		// The same amount again is the same capture, however it is written; another amount is not.
		for _, body := range []any{nil, "{}", body{"amount": "50.00"}, `{"amount":50}`} {
			if again := capture(till, held.ID(), body).Want(200); again.Header.Get("Idempotent-Replayed") != "true" || again.String("data", "status") != "completed" {
				t.Errorf("captured again with %v: %s", body, again.Raw)
			}
		}
		capture(till, held.ID(), body{"amount": "20.00"}).Refused(422, "payment_status", "")
		if n := asked(till, "POST /v1/payment_intents/"+held.String("data", "provider_ref")+"/capture"); n != 1 {
			t.Errorf("Stripe was asked to capture %d times", n)
		}
		once(t, till, "payment.completed", held.ID())
		balanced(t, till, held.ID(), 5000)
	})
}

func TestPartialCapture(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		held := authorized(t, till)
		taken := capture(till, held.ID(), body{"amount": 20.5}).Want(200)
		fields(t, taken, "status", "completed", "amount", "50.00", "captured", "20.50", "fee", "0.89", "net", "19.61")
		balanced(t, till, held.ID(), 2050)
		if again := capture(till, held.ID(), body{"amount": "20.50"}).Want(200); again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("not the same capture: %s", again.Raw)
		}
		capture(till, held.ID(), nil).Refused(422, "payment_status", "") // all of it is another amount
	})
}

func TestCaptureRefused(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		held := authorized(t, till)
		for _, c := range []struct {
			body        any
			status      int
			code, param string
		}{
			{body{"amount": "50.01"}, 422, "capture_too_large", "amount"},
			{body{"amount": "0"}, 400, "amount_invalid", "amount"},
			{body{"amount": "-1"}, 400, "amount_invalid", "amount"},
			{body{"amount": "1.001"}, 400, "amount_too_precise", "amount"},
			{`{"amount":1e1}`, 400, "amount_invalid", "amount"},
			{body{"amount": true}, 400, "parameter_invalid", "amount"},
			{body{"sum": "1"}, 400, "parameter_unknown", "sum"},
			{`[]`, 400, "body_invalid", ""},
		} {
			capture(till, held.ID(), c.body).Refused(c.status, c.code, c.param)
		}
		for status, o := range map[string]body{
			"completed": order("pm_card_visa"), "failed": order("pm_card_chargeDeclined"), "pending": order("pm_card_threeDSecure2Required"),
		} {
			p := till.Post("/v1/payments", o).Want(201)
			fields(t, p, "status", status)
			if no := capture(till, p.ID(), nil).Refused(422, "payment_status", ""); !strings.Contains(no.String("error", "message"), status) {
				t.Errorf("of a %s payment: %s", status, no.Raw)
			}
		}
		cancel(till, held.ID()).Want(200)
		capture(till, held.ID(), nil).Refused(422, "payment_status", "")
		capture(till, "00000000-0000-4000-8000-000000000000", nil).Refused(404, "resource_missing", "id")
	})
}

// An authorization that Stripe has ended refuses to be captured, and till learns that it has ended.
func TestCaptureAfterStripeCancelled(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		held := authorized(t, till)
		stripe := till.Stripe(till.Shop)
		stripe.BreakWebhook("lost", "payment_intent.canceled", 0)
		stripe.Do("POST", "/v1/payment_intents/"+held.String("data", "provider_ref")+"/cancel", "").Want(200)
		no := capture(till, held.ID(), nil).Refused(422, "provider_refused", "")
		if !strings.Contains(no.String("error", "message"), "status of canceled") {
			t.Errorf("Stripe's words are not told: %s", no.Raw)
		}
		fields(t, till.Get("/v1/payments/"+held.ID()), "status", "cancelled", "captured", "0.00")
		told(t, till, "payment.cancelled", held.ID())
	})
}

// Nobody captured in time: Stripe gives the hold up by itself.
func TestAuthorizationExpires(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		held := authorized(t, till)
		till.Clock.Advance(8 * 24 * time.Hour)
		till.Stripe(till.Shop).Do("GET", "/v1/payment_intents/"+held.String("data", "provider_ref"), "").Want(200) // a look makes the sandbox catch up
		told(t, till, "payment.cancelled", held.ID())
		fields(t, till.Get("/v1/payments/"+held.ID()), "status", "cancelled")
		balanced(t, till, held.ID(), 0)
	})
}

// Many at once, with several amounts: one of them wins, and only money that Stripe took is booked.
func TestCapturesAtOnce(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		held := authorized(t, till)
		var wg sync.WaitGroup
		answers := make([]tilltest.Answer, 12)
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = till.As(till.Shop).Try("POST", "/v1/payments/"+held.ID()+"/capture", body{"amount": fmt.Sprint(10 * (1 + i%3))}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		now := till.Get("/v1/payments/" + held.ID()).Want(200)
		fields(t, now, "status", "completed")
		won := now.String("data", "captured")
		for i, a := range answers {
			mine := fmt.Sprintf("%d.00", 10*(1+i%3)) == won
			if mine != (a.Status == 200) || !mine && a.Status != 422 && a.Status != 409 {
				t.Errorf("%s was captured, and a capture of %d.00 answered %d: %s", won, 10*(1+i%3), a.Status, a.Raw)
			}
		}
		once(t, till, "payment.completed", held.ID())
		if n := asked(till, "POST /v1/payment_intents/"+held.String("data", "provider_ref")+"/capture"); n != 1 {
			t.Errorf("Stripe was asked to capture %d times", n)
		}
		var minor int64
		fmt.Sscanf(won, "%d.00", &minor)
		balanced(t, till, held.ID(), minor*100)
	})
}
