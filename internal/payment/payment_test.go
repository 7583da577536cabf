package payment_test

import (
	"fmt"
	"testing"

	"github.com/till-pay/till/internal/tilltest"
)

func TestFirstPayment(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		paid := till.Post("/v1/payments", order("pm_card_visa")).Want(201)
		fields(t, paid, "status", "completed", "amount", "50.00", "captured", "50.00", "refunded", "0.00", "refunding", "0.00", "fee", "1.75", "net", "48.25",
			"attempts", "1", "failure", "<nil>", "next_action", "<nil>", "livemode", "false", "capture_method", "automatic", "merchant_id", till.Shop.Merchant)
		said := told(t, till, "payment.completed", paid.ID())
		if said.Data["provider_ref"] != paid.String("data", "provider_ref") || said.Sequence != 1 {
			t.Errorf("the merchant heard %v", said)
		}
		balanced(t, till, paid.ID(), 5000)
		if got := types(till, paid.ID()); fmt.Sprint(got) != "[payment.completed]" {
			t.Errorf("events %v", got)
		}
		again := till.Get("/v1/payments/" + paid.ID()).Want(200)
		if db := fmt.Sprint(again.JSON); db != fmt.Sprint(paid.JSON) {
			t.Errorf("read again it is %s, was %s", again.Raw, paid.Raw)
		}
	})
}

// What is not completed is an answer too: every card that declines says why, in Stripe's words.
func TestDeclines(t *testing.T) {
	t.Parallel()
	const (
		declined = "Your card was declined."
		later    = "try_again_later"
		never    = "do_not_try_again"
		confirm  = "confirm_card_data"
	)
	cards := []struct{ method, code, decline, advice, message string }{
		{"pm_card_declined", "card_declined", "generic_decline", later, declined}, // as requirement B3 has it
		{"pm_card_chargeDeclined", "card_declined", "generic_decline", later, declined},
		{"pm_card_visa_chargeDeclined", "card_declined", "generic_decline", later, declined},
		{"pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", later, "Your card has insufficient funds."},
		{"pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card", never, declined},
		{"pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", never, declined},
		{"pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", confirm, "Your card has expired."},
		{"pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", confirm, "Your card's security code is incorrect."},
		{"pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error", later, "An error occurred while processing your card. Try again in a little bit."},
		{"pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded", later,
			"Your card was declined for making repeated attempts too frequently or exceeding its amount limit."},
		{"pm_card_chargeCustomerFail", "card_declined", "generic_decline", "", declined},
		{"pm_card_radarBlock", "card_declined", "fraudulent", "", declined},
		{"pm_card_riskLevelHighest", "card_declined", "fraudulent", "", declined},
		{"pm_card_threeDSecureRequiredProcessingError", "card_declined", "processing_error", "", "An error occurred while processing your card. Try again in a little bit."},
	}
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for _, c := range cards {
			failed := till.Post("/v1/payments", order(c.method)).Want(201)
			if failed.At("success") != true {
				t.Errorf("%s is no success: %s", c.method, failed.Raw)
			}
			fields(t, failed, "status", "failed", "captured", "0.00", "fee", "<nil>", "net", "<nil>", "next_action", "<nil>", "attempts", "1",
				"failure.code", c.code, "failure.decline_code", c.decline, "failure.advice", c.advice, "failure.message", c.message)
			said := told(t, till, "payment.failed", failed.ID())
			if why, _ := said.Data["failure"].(map[string]any); why["decline_code"] != c.decline {
				t.Errorf("the merchant heard %v", said)
			}
			balanced(t, till, failed.ID(), 0)
		}
	})
}

// Stripe refuses a request that it never tried: nothing was charged, and the payment says so.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for name, c := range map[string]struct {
			order body
			code  string
		}{
			"no such payment method": {order("pm_nothing"), "resource_missing"},
			"below the minimum":      {order("pm_card_visa").with("amount", "0.10"), "parameter_invalid_integer"},
		} {
			failed := till.Post("/v1/payments", c.order).Want(201)
			fields(t, failed, "status", "failed", "provider_ref", "", "failure.code", c.code, "captured", "0.00")
			if failed.String("data", "failure", "message") == "" {
				t.Errorf("%s: no message", name)
			}
			told(t, till, "payment.failed", failed.ID())
		}
	})
}

// A payment method without a customer pays once at Stripe.
func TestSpentPaymentMethod(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	made := till.Stripe(till.Shop).Do("POST", "/v1/payment_methods", "type=card&card[token]=tok_visa").Want(200).String("id")
	fields(t, till.Post("/v1/payments", order(made)).Want(201), "status", "completed", "payment_method", made)
	again := till.Post("/v1/payments", order(made)).Want(201)
	fields(t, again, "status", "failed", "failure.code", "provider_refused")
	told(t, till, "payment.failed", again.ID())
}
