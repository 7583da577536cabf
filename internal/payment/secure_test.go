package payment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/tilltest"
)

// challenged is a payment that waits for its payer at the bank's page.
func challenged(t *testing.T, till *tilltest.Till, more ...any) (waiting tilltest.Answer, page string) {
	t.Helper()
	o := order("pm_card_threeDSecure2Required").with("return_url", "https://shop.example/back?order=7#top").with(more...)
	waiting = till.Post("/v1/payments", o).Want(201)
	fields(t, waiting, "status", "pending", "captured", "0.00", "next_action.type", "redirect_to_url", "failure", "<nil>")
	page = waiting.String("data", "next_action", "url")
	if !strings.HasPrefix(page, till.StripeURL) || waiting.String("data", "next_action", "client_secret") == "" {
		t.Fatalf("no way to the bank's page: %s", waiting.Raw)
	}
	return waiting, page
}

func TestChallengePassed(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		waiting, page := challenged(t, till)
		told(t, till, "payment.requires_action", waiting.ID())
		back := till.Stripe(till.Shop).Authenticate(page, "complete")
		if q := back.Query(); back.Host != "shop.example" || q.Get("payment") != waiting.ID() || q.Get("order") != "7" || q.Get("redirect_status") != "succeeded" || back.Fragment != "top" {
			t.Errorf("the payer comes back to %s", back)
		}
		said := told(t, till, "payment.completed", waiting.ID())
		if said.Data["status"] != "completed" || said.Data["next_action"] != nil {
			t.Errorf("the merchant heard %v", said)
		}
		balanced(t, till, waiting.ID(), 5000)
		tilltest.Until(t, "the fee, which no webhook carries", func() bool {
			return till.Get("/v1/payments/"+waiting.ID()).Want(200).String("data", "fee") == "2.50"
		})
		fields(t, till.Get("/v1/payments/"+waiting.ID()), "status", "completed", "captured", "50.00", "net", "47.50", "next_action", "<nil>")
		if got := types(till, waiting.ID()); fmt.Sprint(got) != "[payment.requires_action payment.completed]" {
			t.Errorf("events %v", got)
		}
	})
}

func TestChallengeFailed(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		waiting, page := challenged(t, till)
		if back := till.Stripe(till.Shop).Authenticate(page, "fail"); back.Query().Get("redirect_status") != "failed" {
			t.Errorf("the payer comes back to %s", back)
		}
		told(t, till, "payment.failed", waiting.ID())
		fields(t, till.Get("/v1/payments/"+waiting.ID()), "status", "failed", "next_action", "<nil>", "failure.code", "payment_intent_authentication_failure")
		balanced(t, till, waiting.ID(), 0)
	})
}

// Without a return_url the challenge is Stripe.js's: it needs the client secret only.
func TestChallengeWithoutReturnURL(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		waiting := till.Post("/v1/payments", order("pm_card_authenticationRequired")).Want(201)
		fields(t, waiting, "status", "pending", "next_action.type", "use_stripe_sdk", "next_action.url", "")
		if secret := waiting.String("data", "next_action", "client_secret"); !strings.HasPrefix(secret, waiting.String("data", "provider_ref")+"_secret_") {
			t.Errorf("no client secret: %s", waiting.Raw)
		}
		stripe := till.Stripe(till.Shop)
		page := stripe.Do("GET", "/v1/payment_intents/"+waiting.String("data", "provider_ref"), "").Want(200).String("next_action", "use_stripe_sdk", "stripe_js")
		stripe.Authenticate(page, "complete")
		told(t, till, "payment.completed", waiting.ID())
		balanced(t, till, waiting.ID(), 5000)
	})
}

// The bank's customer authenticates, and then the bank declines.
func TestChallengePassedAndDeclined(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		waiting, page := challenged(t, till, "payment_method", "pm_card_threeDSecureRequiredChargeDeclined")
		till.Stripe(till.Shop).Authenticate(page, "complete")
		told(t, till, "payment.failed", waiting.ID())
		fields(t, till.Get("/v1/payments/"+waiting.ID()), "status", "failed", "failure.code", "card_declined", "failure.decline_code", "generic_decline")
	})
}

func TestChallengeOfAManualCapture(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		waiting, page := challenged(t, till, "capture_method", "manual")
		till.Stripe(till.Shop).Authenticate(page, "complete")
		told(t, till, "payment.authorized", waiting.ID())
		fields(t, till.As(till.Shop).Want(200, "POST", "/v1/payments/"+waiting.ID()+"/capture", nil), "status", "completed", "captured", "50.00")
		told(t, till, "payment.completed", waiting.ID())
		balanced(t, till, waiting.ID(), 5000)
	})
}

// A declined intent stays payable: the payer tries another card in the browser, and the payment that had failed is completed.
func TestFailedThenPaidInTheBrowser(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		failed := till.Post("/v1/payments", order("pm_card_chargeDeclined")).Want(201)
		till.Stripe(till.Shop).Do("POST", "/v1/payment_intents/"+failed.String("data", "provider_ref")+"/confirm", "payment_method=pm_card_visa").Want(200)
		told(t, till, "payment.completed", failed.ID())
		fields(t, till.Get("/v1/payments/"+failed.ID()), "status", "completed", "failure", "<nil>", "captured", "50.00")
		balanced(t, till, failed.ID(), 5000)
		if got := types(till, failed.ID()); fmt.Sprint(got) != "[payment.failed payment.completed]" {
			t.Errorf("events %v", got)
		}
	})
}

// Webhooks lost: ?refresh=true asks Stripe now.
func TestRefresh(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		waiting, page := challenged(t, till)
		stripe := till.Stripe(till.Shop)
		stripe.BreakWebhook("lost", "payment_intent.succeeded", 0)
		stripe.Authenticate(page, "complete")
		fields(t, till.Get("/v1/payments/"+waiting.ID()), "status", "pending")
		fields(t, till.Get("/v1/payments/"+waiting.ID()+"?refresh=true").Want(200), "status", "completed", "captured", "50.00", "fee", "2.50", "next_action", "<nil>")
		told(t, till, "payment.completed", waiting.ID())
		fields(t, till.Get("/v1/payments/"+waiting.ID()+"?refresh=true").Want(200), "status", "completed")
		once(t, till, "payment.completed", waiting.ID())
		balanced(t, till, waiting.ID(), 5000)
		till.Get("/v1/payments/"+waiting.ID()+"?refresh=perhaps").Refused(400, "parameter_invalid", "refresh")
	})
}
