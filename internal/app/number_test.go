package app_test

import (
	"strings"
	"testing"

	"github.com/till-pay/till/internal/tilltest"
)

// A card number has no way in: it is refused at the door, repeated to nobody and written nowhere (A11).
func TestCardNumberIsRefused(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		number := strings.Repeat("4242", 4)
		pay := till.Post("/v1/payments", map[string]string{"amount": "5.00", "currency": "USD", "provider": "stripe", "payment_method": number})
		save := till.Post("/v1/payments/cards", map[string]string{"payment_method_id": number, "customer_email": "jane@example.com"})
		pay.Refused(400, "parameter_invalid", "payment_method")
		save.Refused(400, "parameter_invalid", "payment_method_id")
		if strings.Contains(string(pay.Raw)+string(save.Raw)+till.Log.String(), number) {
			t.Error("a card number is repeated")
		}
		if n := till.Get("/v1/payments").Want(200).Len(); n != 0 {
			t.Errorf("%d payments were written", n)
		}
	})
}
