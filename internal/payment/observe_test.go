package payment_test

import (
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/internal/tilltest"
)

// Every word of an intent's at once, each several times: one completion, booked once.
func TestWordsAtOnce(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for range 5 {
			waiting, _ := challenged(t, till)
			kept, err := till.Payments.Get(t.Context(), till.Shop.Scope, waiting.ID())
			if err != nil {
				t.Fatal(err)
			}
			intent := stripe.PaymentIntent{ID: kept.ProviderRef, Amount: 5000, Currency: "usd"}
			failed, paid := intent, intent
			failed.Status, failed.LastPaymentError = stripe.RequiresPaymentMethod, &stripe.PaymentError{Code: "card_declined"}
			paid.Status, paid.AmountReceived, paid.LatestCharge.ID = stripe.Succeeded, 5000, "ch_1"
			paid.LatestCharge.Object = &stripe.Charge{}
			paid.LatestCharge.Object.BalanceTransaction.Object = &stripe.BalanceTransaction{Fee: 175, Currency: "usd"}
			var wg sync.WaitGroup
			for range 4 {
				for _, word := range []stripe.PaymentIntent{failed, paid} {
					wg.Go(func() {
						if err := till.Payments.Heard(t.Context(), till.Shop.Scope, kept.Generation(), word); err != nil {
							t.Error(err)
						}
					})
				}
			}
			wg.Wait()
			fields(t, till.Get("/v1/payments/"+waiting.ID()), "status", "completed", "captured", "50.00", "fee", "1.75", "failure", "<nil>")
			told(t, till, "payment.completed", waiting.ID())
			balanced(t, till, waiting.ID(), 5000)
		}
	})
}

// A payment that Stripe has not answered for is known by the id that till gave it. An intent that merely carries a copy of it is another one.
func TestIntentsWithACopiedID(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		l := till.Line(30 * time.Second)
		l.Down()
		waiting := meanwhile(t, till, order("pm_card_visa"), passing(till)).Want(201)
		fields(t, waiting, "status", "pending", "provider_ref", "")
		kept, err := till.Payments.Get(t.Context(), till.Shop.Scope, waiting.ID())
		if err != nil {
			t.Fatal(err)
		}
		word := func(id string, amount int64, currency, tag string) stripe.PaymentIntent {
			pi := stripe.PaymentIntent{ID: id, Amount: amount, AmountReceived: amount, Currency: currency, Status: stripe.Succeeded, Metadata: map[string]string{"till_id": tag}}
			pi.LatestCharge.Object = &stripe.Charge{}
			pi.LatestCharge.Object.BalanceTransaction.Object = &stripe.BalanceTransaction{Fee: 175, Currency: "usd"}
			return pi
		}
		hear := func(generation int64, pi stripe.PaymentIntent) tilltest.Answer {
			if err := till.Payments.Heard(t.Context(), till.Shop.Scope, generation, pi); err != nil {
				t.Error(err)
			}
			return till.Get("/v1/payments/" + waiting.ID()).Want(200)
		}
		g := kept.Generation()
		for name, pi := range map[string]stripe.PaymentIntent{
			"another amount": word("pi_a", 1, "usd", waiting.ID()), "another currency": word("pi_a", 5000, "jpy", waiting.ID()), "no id": word("", 5000, "usd", ""),
			"no id, our tag": word("", 5000, "usd", waiting.ID()), "another tag": word("pi_a", 5000, "usd", till.Shop.Merchant), "no tag": word("pi_a", 5000, "usd", ""),
		} {
			if now := hear(g, pi); now.String("data", "status") != "pending" || now.String("data", "provider_ref") != "" {
				t.Errorf("%s moved it: %s", name, now.Raw)
			}
		}
		fields(t, hear(g+1, word("pi_a", 5000, "usd", waiting.ID())), "status", "pending") // of another account of the merchant's
		fields(t, hear(g, word("pi_b", 5000, "usd", waiting.ID())), "status", "completed", "provider_ref", "pi_b")
		fields(t, hear(g, word("pi_c", 5000, "usd", waiting.ID())), "provider_ref", "pi_b", "captured", "50.00")
		once(t, till, "payment.completed", waiting.ID())
		balanced(t, till, waiting.ID(), 5000)
	})
}
