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
