package payment_test

import (
	"testing"

	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/tilltest"
)

// A merchant changes its Stripe account while a payer is at the bank's page, and may come back: what was left open under an account is
// finished with that account's word, and no other's.
func TestPaymentOutlivesItsAccount(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]bool{"left": false, "left and back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
				waiting, page := challenged(t, till)
				turn := func(key string) {
					till.As(till.Shop).Want(200, "PUT", "/v1/merchant/providers",
						map[string]any{"provider": "stripe", "register": true, "stripe": map[string]string{"secret_key": key}})
				}
				turn("sk_test_" + id.Hex(12))
				if back {
					turn(till.Shop.StripeKey)
				}
				till.Stripe(till.Shop).Authenticate(page, "complete")
				told(t, till, "payment.completed", waiting.ID())
				balanced(t, till, waiting.ID(), 5000)
				refund := till.Post("/v1/refunds", map[string]string{"payment_id": waiting.ID()}).Want(201)
				fields(t, refund, "status", "completed", "amount", "50.00")
			})
		})
	}
}

// Cards, holds and payments stay with the Stripe account that they were made in; what comes after a change goes to the new one.
func TestEachAccountKeepsItsOwn(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		card, held, paid := saved(till, "pm_card_visa", "jane@example.com"), authorized(t, till), till.Post("/v1/payments", order("pm_card_visa")).Want(201)
		jane := card.String("data", "customer", "id")
		first, moved := till.Stripe(till.Shop), till.Shop
		moved.StripeKey = "sk_test_" + id.Hex(12)
		till.As(till.Shop).Want(200, "PUT", "/v1/merchant/providers", body{"provider": "stripe", "register": true, "stripe": body{"secret_key": moved.StripeKey}})
		second := till.Stripe(moved)
		has := func(s *tilltest.Stripe, p tilltest.Answer) int {
			return s.Do("GET", "/v1/payment_intents/"+p.String("data", "provider_ref"), "").Status
		}

		charged := till.Post("/v1/payments", charge(card.ID())).Want(201)
		fields(t, charged, "status", "completed")
		if has(first, charged) != 200 || has(second, charged) != 404 {
			t.Error("a saved card was charged in another account than its own")
		}
		fields(t, capture(till, held.ID(), nil).Want(200), "status", "completed")
		fields(t, till.Post("/v1/refunds", body{"payment_id": paid.ID()}).Want(201), "status", "completed")

		fresh := till.Post("/v1/payments", order("pm_card_visa").with("customer", body{"id": jane})).Want(201) // the new account has never heard of her
		fields(t, fresh, "status", "completed", "customer.id", jane)
		if has(first, fresh) != 404 || has(second, fresh) != 200 {
			t.Error("a new payment went to the old account")
		}
		again := saved(till, "pm_card_visa", "jane@example.com")
		if again.ID() == card.ID() || again.String("data", "customer", "id") == jane {
			t.Errorf("a card of the old account stands for one of the new: %s", again.Raw)
		}
		fields(t, till.Post("/v1/payments", charge(again.ID())).Want(201), "status", "completed")
		till.Delete("/v1/payments/cards/" + card.ID()).Want(200)
		if owner := first.Do("GET", "/v1/payment_methods/"+card.String("data", "payment_method"), "").Want(200).At("customer"); owner != nil {
			t.Errorf("the old account still keeps the card, for %v", owner)
		}
		for _, p := range []tilltest.Answer{charged, fresh, held} {
			told(t, till, "payment.completed", p.ID())
		}
	})
}
