//go:build !race

package judge_test

import (
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// TestRedirectInABrowser pays by iDEAL as a person does: Chromium is led to the page, a button is pressed, and the shop is visited again.
func TestRedirectInABrowser(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	for name, c := range map[string]struct {
		button, redirect string
		status           stripe.PaymentIntentStatus
		charges          int
		code             stripe.ErrorCode
	}{
		"authorize": {complete, "succeeded", stripe.PaymentIntentStatusSucceeded, 1, ""},
		"fail":      {fail, "failed", stripe.PaymentIntentStatusRequiresPaymentMethod, 0, "payment_intent_authentication_failure"},
		"expire":    {"button[value=expire]", "failed", stripe.PaymentIntentStatusRequiresPaymentMethod, 0, "payment_intent_payment_attempt_expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, shop := setup(t), open(t)
			intent := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(t.Context(), &stripe.PaymentIntentCreateParams{
				Amount: stripe.Int64(1299_00), Currency: str("eur"), Confirm: stripe.Bool(true), ReturnURL: str(shop.URL + "/back?order=7"), PaymentMethodTypes: strs("ideal"),
				PaymentMethodData: &stripe.PaymentIntentCreatePaymentMethodDataParams{Type: str("ideal"), IDEAL: &stripe.PaymentMethodIDEALParams{Bank: str("ing")}},
			}))
			tab, page := newTab(t, browser), intent.NextAction.RedirectToURL.URL
			if text := must[string](t)(look(tab, page)); !strings.Contains(text, "€1,299.00") || !strings.Contains(strings.ToUpper(text), "IDEAL TEST PAGE") {
				t.Errorf("the page says %s", text)
			}
			if err := click(tab, c.button); err != nil {
				t.Fatal(err)
			}
			shop.holds(t, tab, intent, c.redirect)
			if text := must[string](t)(look(tab, page)); !strings.Contains(text, "over") {
				t.Errorf("afterwards the page says %s", text)
			}
			w.ended(t, intent.ID, c.status, c.charges)
			if is := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(t.Context(), intent.ID, nil)); (is.LastPaymentError == nil) != (c.code == "") || is.LastPaymentError != nil && is.LastPaymentError.Code != c.code {
				t.Errorf("the last error is %+v", is.LastPaymentError)
			}
			w.holdEvents(t, "payment_intent.created", "payment_intent.requires_action")
		})
	}
}
