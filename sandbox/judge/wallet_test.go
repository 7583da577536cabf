//go:build !race

package judge_test

import (
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// TestWallets: a card in a wallet says so wherever it is shown, and a wallet on a device leaves nothing to authenticate.
func TestWallets(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	method := must[*stripe.PaymentMethod](t)(w.V1PaymentMethods.Create(ctx, &stripe.PaymentMethodCreateParams{
		Type: str("card"), Card: &stripe.PaymentMethodCreateCardParams{Token: str("tok_visa_apple_pay")},
	}))
	if in := method.Card.Wallet; in == nil || in.Type != stripe.PaymentMethodCardWalletTypeApplePay || in.DynamicLast4 == "" {
		t.Errorf("the card is in %+v", in)
	}
	for name, challenged := range map[string]bool{
		"pm_card_threeDSecure2Required_google_pay": false, "pm_card_threeDSecure2Required_samsung_pay": false,
		"pm_card_threeDSecure2Required_link": true, "pm_card_threeDSecure2Required_visa_checkout": true,
	} {
		intent := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
			Amount: stripe.Int64(20_00), Currency: str("eur"), PaymentMethod: &name, Confirm: stripe.Bool(true), PaymentMethodTypes: strs("card"), Expand: strs("latest_charge"),
		}))
		if (intent.Status == stripe.PaymentIntentStatusRequiresAction) != challenged {
			t.Errorf("%s is %s", name, intent.Status)
		}
		if !challenged && intent.LatestCharge.PaymentMethodDetails.Card.Wallet == nil {
			t.Errorf("the charge of %s is of %+v", name, intent.LatestCharge.PaymentMethodDetails.Card)
		}
	}
}
