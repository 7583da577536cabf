package payment_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
)

func atStripe(till *tilltest.Till, p tilltest.Answer) string {
	till.T.Helper()
	return till.Stripe(till.Shop).Do("GET", "/v1/payment_intents/"+p.String("data", "provider_ref"), "").Want(200).String("status")
}

func TestCancel(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for name, o := range map[string]body{
			"at the bank's page": order("pm_card_threeDSecure2Required"),
			"authorized":         order("pm_card_visa").with("capture_method", "manual"),
		} {
			p := till.Post("/v1/payments", o).Want(201)
			fields(t, cancel(till, p.ID()).Want(200), "status", "cancelled", "next_action", "<nil>", "captured", "0.00")
			told(t, till, "payment.cancelled", p.ID())
			if got := atStripe(till, p); got != "canceled" {
				t.Errorf("%s: at Stripe it is %s", name, got)
			}
			if again := cancel(till, p.ID()).Want(200); again.Header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("%s: cancelled again: %s", name, again.Raw)
			}
			once(t, till, "payment.cancelled", p.ID())
			balanced(t, till, p.ID(), 0)
			if n := asked(till, "POST /v1/payment_intents/"+p.String("data", "provider_ref")+"/cancel"); n != 1 {
				t.Errorf("%s: Stripe was asked to cancel %d times", name, n)
			}
		}
	})
}

// A failed payment is still payable at Stripe: cancelling it ends that, and it stays failed.
func TestCancelOfAFailedPayment(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		failed := till.Post("/v1/payments", order("pm_card_chargeDeclined")).Want(201)
		for range 2 {
			fields(t, cancel(till, failed.ID()).Want(200), "status", "failed", "failure.code", "card_declined")
		}
		if got := atStripe(till, failed); got != "canceled" {
			t.Errorf("at Stripe it is %s", got)
		}
		if got := types(till, failed.ID()); fmt.Sprint(got) != "[payment.failed]" {
			t.Errorf("events %v", got)
		}
		never := till.Post("/v1/payments", order("pm_nothing")).Want(201) // Stripe never made an intent: nothing is open
		cancel(till, never.ID()).Refused(422, "payment_status", "")
	})
}

func TestCancelRefused(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		paid := till.Post("/v1/payments", order("pm_card_visa")).Want(201)
		cancel(till, paid.ID()).Refused(422, "payment_status", "")
		till.Post("/v1/refunds", body{"payment_id": paid.ID()}).Want(201)
		cancel(till, paid.ID()).Refused(422, "payment_status", "")
		cancel(till, "00000000-0000-4000-8000-000000000000").Refused(404, "resource_missing", "id")
		cancel(till, "nonsense").Refused(404, "resource_missing", "id")
	})
}

// The payer was faster than the merchant, and the webhook is on its way: Stripe refuses, and till learns that it is paid.
func TestCancelOfAPaymentThatWasJustPaid(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		waiting, page := challenged(t, till)
		stripe := till.Stripe(till.Shop)
		stripe.BreakWebhook("lost", "payment_intent.succeeded", 0)
		stripe.Authenticate(page, "complete")
		cancel(till, waiting.ID()).Refused(422, "provider_refused", "")
		fields(t, till.Get("/v1/payments/"+waiting.ID()), "status", "completed", "captured", "50.00")
		told(t, till, "payment.completed", waiting.ID())
		balanced(t, till, waiting.ID(), 5000)
	})
}

// What nobody finished is ended at Stripe after a day, so that nobody pays an order that the shop has given up.
func TestResolveBy(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		waiting, _ := challenged(t, till)
		failed := till.Post("/v1/payments", order("pm_card_chargeDeclined")).Want(201)
		paid := till.Post("/v1/payments", order("pm_card_visa")).Want(201)
		held := authorized(t, till)
		if by := waiting.String("data", "resolve_by"); by != tilltest.Start.Add(24*time.Hour).Format(time.RFC3339) {
			t.Errorf("resolve_by is %s", by)
		}
		till.Clock.Advance(24*time.Hour - time.Second)
		fields(t, till.Get("/v1/payments/"+waiting.ID()), "status", "pending")
		later(t, till, "the payment that nobody finished to be cancelled", func() bool {
			return till.Get("/v1/payments/"+waiting.ID()).String("data", "status") == "cancelled"
		})
		told(t, till, "payment.cancelled", waiting.ID())
		fields(t, till.Get("/v1/payments/"+waiting.ID()), "status", "cancelled", "next_action", "<nil>")
		later(t, till, "the failed payment's intent to be cancelled", func() bool { return atStripe(till, failed) == "canceled" })
		fields(t, till.Get("/v1/payments/"+failed.ID()), "status", "failed", "failure.code", "card_declined")
		if got := types(till, failed.ID()); fmt.Sprint(got) != "[payment.failed]" {
			t.Errorf("events %v", got)
		}
		fields(t, till.Get("/v1/payments/"+paid.ID()), "status", "completed")
		fields(t, till.Get("/v1/payments/"+held.ID()), "status", "authorized")
	})
}

// Past its time a payment is asked for before it is cancelled: the payer may have paid, and the webhook have been lost.
func TestResolveByFindsThePayment(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		waiting, page := challenged(t, till)
		stripe := till.Stripe(till.Shop)
		stripe.BreakWebhook("lost", "payment_intent.succeeded", 0)
		stripe.Authenticate(page, "complete")
		till.Clock.Advance(24 * time.Hour)
		later(t, till, "the sweep to find the payment", func() bool {
			return till.Get("/v1/payments/"+waiting.ID()).String("data", "status") != "pending"
		})
		told(t, till, "payment.completed", waiting.ID())
		balanced(t, till, waiting.ID(), 5000)
	})
}
