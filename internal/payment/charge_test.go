package payment_test

import (
	"testing"

	"github.com/till-pay/till/internal/tilltest"
)

// What a payment's charge was is in the answer of one that went through, and a moment later in that of one that was declined: by its bank, by
// Radar, or for want of authentication. A payment without a charge shows nothing of one.
func TestCardAndOutcome(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		fields(t, till.Post("/v1/payments", order("pm_card_de")).Want(201), "card.brand", "visa", "card.country", "DE", "card.funding", "credit",
			"outcome.type", "authorized", "outcome.network_status", "approved_by_network", "outcome.risk_level", "normal")
		for method, want := range map[string][]string{
			"pm_card_visa_chargeDeclinedInsufficientFunds": {"outcome.type", "issuer_declined", "outcome.network_status", "declined_by_network", "outcome.reason", "insufficient_funds", "card.brand", "visa"},
			"pm_card_radarBlock":                           {"outcome.type", "blocked", "outcome.network_status", "not_sent_to_network", "outcome.reason", "highest_risk_level", "failure.decline_code", "fraudulent"},
		} {
			declined := till.Post("/v1/payments", order(method)).Want(201)
			fields(t, declined, "status", "failed")
			tilltest.Until(t, "the charge of "+method+" to be known", func() bool {
				return till.Get("/v1/payments/"+declined.ID()).Want(200).At("data", "outcome") != nil
			})
			fields(t, till.Get("/v1/payments/"+declined.ID()), want...)
		}
		waiting, _ := challenged(t, till)
		fields(t, waiting, "card", "<nil>", "outcome", "<nil>")
	})
}

// Where the merchant's account is goes with the payment, and stays as it was.
func TestAccountCountry(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		provider, err := till.Merchants.Provider(t.Context(), till.Shop.Scope)
		if err != nil || provider.Country == "" || provider.Currency == "" {
			t.Fatalf("the account is in %q and settles in %q: %v", provider.Country, provider.Currency, err)
		}
		paid, err := till.Payments.Get(t.Context(), till.Shop.Scope, till.Post("/v1/payments", order("pm_card_visa")).Want(201).ID())
		if err != nil || paid.AccountCountry() != provider.Country {
			t.Errorf("the payment's account is in %q, not in %q: %v", paid.AccountCountry(), provider.Country, err)
		}
	})
}
