package payment_test

import (
	"testing"

	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/tilltest"
)

const visa = `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`

func TestFirstPayment(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		paid := till.Post("/v1/payments", visa).Want(201)
		if paid.String("data", "status") != "completed" || paid.String("data", "amount") != "50.00" || paid.String("data", "fee") != "1.75" {
			t.Errorf("the first payment: %s", paid.Raw)
		}
		told := till.Shop.Hears.Await("payment.completed", paid.ID())
		if told.Data["provider_ref"] != paid.String("data", "provider_ref") {
			t.Errorf("the merchant heard of %v", told)
		}
		if err := ledger.Check(t.Context(), till.DB, till.Shop.Scope); err != nil {
			t.Error(err)
		}
	})
}
