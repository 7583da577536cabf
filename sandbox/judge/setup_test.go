//go:build !race

package judge_test

import (
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// TestSavingCards: cards are saved for later with and without 3D Secure, and then charged without the customer.
func TestSavingCards(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	customer := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Email: str("saver@example.com")}))
	save := func(card, back string) *stripe.SetupIntent {
		return must[*stripe.SetupIntent](t)(w.V1SetupIntents.Create(ctx, &stripe.SetupIntentCreateParams{
			Customer: &customer.ID, PaymentMethod: &card, Confirm: stripe.Bool(true), ReturnURL: str(back), Usage: str("off_session"), PaymentMethodTypes: strs("card"),
			Metadata: map[string]string{"order": "7"}, Expand: strs("latest_attempt", "payment_method"),
		}))
	}
	plain := save("pm_card_visa", "https://shop.example/")
	if plain.Status != stripe.SetupIntentStatusSucceeded || plain.LatestAttempt.Status != stripe.SetupAttemptStatusSucceeded || plain.PaymentMethod.Card.Last4 != "4242" {
		t.Errorf("the intent is %s after %+v", plain.Status, plain.LatestAttempt)
	}
	secured := save("pm_card_authenticationRequired", "https://shop.example/")
	if secured.Status != stripe.SetupIntentStatusRequiresAction {
		t.Fatalf("the intent is %s", secured.Status)
	}
	if back := w.authenticate(t, secured.NextAction.RedirectToURL.URL, "complete"); back.Query().Get("setup_intent") != secured.ID {
		t.Errorf("the customer is sent back to %s", back)
	}
	failed := save("pm_card_authenticationRequired", "https://shop.example/")
	w.authenticate(t, failed.NextAction.RedirectToURL.URL, "fail")
	failed = must[*stripe.SetupIntent](t)(w.V1SetupIntents.Retrieve(ctx, failed.ID, nil))
	if failed.Status != stripe.SetupIntentStatusRequiresPaymentMethod || failed.LastSetupError == nil {
		t.Errorf("the intent is %s with %+v", failed.Status, failed.LastSetupError)
	}
	must[*stripe.SetupIntent](t)(w.V1SetupIntents.Cancel(ctx, failed.ID, &stripe.SetupIntentCancelParams{CancellationReason: str("abandoned")}))
	open := must[*stripe.SetupIntent](t)(w.V1SetupIntents.Create(ctx, &stripe.SetupIntentCreateParams{AutomaticPaymentMethods: &stripe.SetupIntentCreateAutomaticPaymentMethodsParams{Enabled: stripe.Bool(true)}}))
	must[*stripe.SetupIntent](t)(w.V1SetupIntents.Update(ctx, open.ID, &stripe.SetupIntentUpdateParams{Customer: &customer.ID, Description: str("later")}))
	_, err := w.V1SetupIntents.Confirm(ctx, open.ID, &stripe.SetupIntentConfirmParams{PaymentMethod: str("pm_card_chargeDeclined"), ReturnURL: str("https://shop.example/")})
	if why := refused(t, err); why.Code != stripe.ErrorCodeCardDeclined || why.SetupIntent == nil {
		t.Errorf("%+v", why)
	}
	must[*stripe.SetupIntent](t)(w.V1SetupIntents.Confirm(ctx, open.ID, &stripe.SetupIntentConfirmParams{PaymentMethod: str("pm_card_mastercard"), ReturnURL: str("https://shop.example/")}))
	if n := len(all(t, w.V1SetupAttempts.List(ctx, &stripe.SetupAttemptListParams{SetupIntent: &open.ID}).All(ctx))); n != 2 {
		t.Errorf("there were %d attempts", n)
	}
	cards := all(t, w.V1PaymentMethods.List(ctx, &stripe.PaymentMethodListParams{Customer: &customer.ID, Type: str("card")}).All(ctx))
	if len(cards) != 3 {
		t.Fatalf("%d cards are saved", len(cards))
	}
	all(t, w.V1SetupIntents.List(ctx, &stripe.SetupIntentListParams{Customer: &customer.ID}).All(ctx))
	for _, id := range []string{plain.PaymentMethod.ID, cards[0].ID} {
		later := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
			Amount: stripe.Int64(5_00), Currency: str("gbp"), Customer: &customer.ID, PaymentMethod: &id, Confirm: stripe.Bool(true), OffSession: stripe.Bool(true),
		}))
		if later.Status != stripe.PaymentIntentStatusSucceeded {
			t.Errorf("the later payment is %s", later.Status)
		}
	}
	w.holdEvents(t, "setup_intent.created", "setup_intent.requires_action", "setup_intent.succeeded", "setup_intent.setup_failed", "setup_intent.canceled", "payment_method.attached")
}

// TestIntentsOnTheirWay: payments that are prepared, changed, left, given up, and confirmed by hand.
func TestIntentsOnTheirWay(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	create := func(p stripe.PaymentIntentCreateParams) *stripe.PaymentIntent {
		t.Helper()
		p.Amount, p.Currency = stripe.Int64(7_00), str("usd")
		return must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &p))
	}
	open := create(stripe.PaymentIntentCreateParams{AutomaticPaymentMethods: &stripe.PaymentIntentCreateAutomaticPaymentMethodsParams{Enabled: stripe.Bool(true), AllowRedirects: str("never")}})
	if open.Status != stripe.PaymentIntentStatusRequiresPaymentMethod {
		t.Errorf("the intent is %s", open.Status)
	}
	must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Update(ctx, open.ID, &stripe.PaymentIntentUpdateParams{Amount: stripe.Int64(8_00), Metadata: map[string]string{"a": "1"}, Description: str("x")}))
	ready := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Update(ctx, open.ID, &stripe.PaymentIntentUpdateParams{PaymentMethod: str("pm_card_amex")}))
	if ready.Status != stripe.PaymentIntentStatusRequiresConfirmation {
		t.Errorf("the intent is %s", ready.Status)
	}
	must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Confirm(ctx, open.ID, nil))
	left := create(stripe.PaymentIntentCreateParams{PaymentMethod: str("pm_card_visa"), CaptureMethod: str("manual"), Confirm: stripe.Bool(true), PaymentMethodTypes: strs("card")})
	left = must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Cancel(ctx, left.ID, &stripe.PaymentIntentCancelParams{CancellationReason: str("duplicate"), Expand: strs("latest_charge")}))
	if left.Status != stripe.PaymentIntentStatusCanceled || left.CancellationReason != "duplicate" || left.LatestCharge.Refunded || left.LatestCharge.AmountRefunded != 0 {
		t.Errorf("the intent is %s for %s, its charge is refunded: %t", left.Status, left.CancellationReason, left.LatestCharge.Refunded)
	}
	failed := create(stripe.PaymentIntentCreateParams{PaymentMethod: str("pm_card_threeDSecure2Required"), Confirm: stripe.Bool(true), ReturnURL: str("https://shop.example/"), PaymentMethodTypes: strs("card")})
	w.authenticate(t, failed.NextAction.RedirectToURL.URL, "fail")
	failed = must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(ctx, failed.ID, nil))
	if failed.Status != stripe.PaymentIntentStatusRequiresPaymentMethod || failed.LastPaymentError == nil || failed.LastPaymentError.Code != stripe.ErrorCodePaymentIntentAuthenticationFailure {
		t.Errorf("the intent is %s with %+v", failed.Status, failed.LastPaymentError)
	}
	sdk := create(stripe.PaymentIntentCreateParams{PaymentMethod: str("pm_card_threeDSecure2Required"), Confirm: stripe.Bool(true), UseStripeSDK: stripe.Bool(true), PaymentMethodTypes: strs("card")})
	if sdk.NextAction == nil || sdk.NextAction.Type != "use_stripe_sdk" {
		t.Errorf("to do next is %+v", sdk.NextAction)
	}
	_, err := w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(7_00), Currency: str("usd"), PaymentMethod: str("pm_card_authenticationRequired"), Confirm: stripe.Bool(true), OffSession: stripe.Bool(true), PaymentMethodTypes: strs("card"),
	})
	if why := refused(t, err); why.Code != stripe.ErrorCodeAuthenticationRequired || why.HTTPStatusCode != 402 {
		t.Errorf("%+v", why)
	}
	w.holdEvents(t, "payment_intent.canceled", "payment_intent.payment_failed", "charge.failed", "payment_intent.succeeded")
}
