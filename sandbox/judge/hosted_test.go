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
			if text := must[string](t)(look(tab, page)); !strings.Contains(text, "has had its answer") {
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

// TestSavedBank: a set-up by iDEAL saves the customer's bank account, which is then debited without the customer.
func TestSavedBank(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	customer := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Email: str("ada@example.com")}))
	intent := must[*stripe.SetupIntent](t)(w.V1SetupIntents.Create(ctx, &stripe.SetupIntentCreateParams{
		Customer: &customer.ID, Confirm: stripe.Bool(true), ReturnURL: str("https://shop.example/"), PaymentMethodTypes: strs("ideal"),
		PaymentMethodData: &stripe.SetupIntentCreatePaymentMethodDataParams{Type: str("ideal"), BillingDetails: &stripe.SetupIntentCreatePaymentMethodDataBillingDetailsParams{Name: str("Ada"), Email: str("ada@example.com")}},
	}))
	w.authenticate(t, intent.NextAction.RedirectToURL.URL, "complete")
	intent = must[*stripe.SetupIntent](t)(w.V1SetupIntents.Retrieve(ctx, intent.ID, &stripe.SetupIntentRetrieveParams{Expand: strs("latest_attempt")}))
	saved := intent.LatestAttempt.PaymentMethodDetails.IDEAL.GeneratedSEPADebit
	if intent.Status != stripe.SetupIntentStatusSucceeded || saved == nil {
		t.Fatalf("the intent is %+v", intent)
	}
	later := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(20_00), Currency: str("eur"), Customer: &customer.ID, PaymentMethod: &saved.ID, OffSession: stripe.Bool(true), Confirm: stripe.Bool(true), PaymentMethodTypes: strs("sepa_debit"),
	}))
	if later.Status != stripe.PaymentIntentStatusProcessing {
		t.Errorf("the later payment is %s", later.Status)
	}
	w.holdEvents(t, "setup_intent.requires_action", "setup_intent.succeeded", "payment_method.attached", "charge.pending")
}

// TestEachHostedKind has every reply about each kind judged: one payment that waits, and the pages that lead on.
func TestEachHostedKind(t *testing.T) {
	t.Parallel()
	for kind, currency := range map[string]string{
		"affirm": "usd", "afterpay_clearpay": "usd", "alipay": "cny", "alma": "eur", "amazon_pay": "usd", "bancontact": "eur", "billie": "eur", "blik": "pln", "boleto": "brl",
		"cashapp": "usd", "eps": "eur", "fpx": "myr", "giropay": "eur", "grabpay": "sgd", "ideal": "eur", "kakao_pay": "krw", "klarna": "eur", "konbini": "jpy", "kr_card": "krw",
		"mobilepay": "dkk", "multibanco": "eur", "naver_pay": "krw", "oxxo": "mxn", "p24": "pln", "pay_by_bank": "gbp", "payco": "krw", "paynow": "sgd", "paypal": "eur",
		"pix": "brl", "promptpay": "thb", "revolut_pay": "gbp", "samsung_pay": "krw", "satispay": "eur", "scalapay": "eur", "sofort": "eur", "sunbit": "usd", "swish": "sek",
		"twint": "chf", "wechat_pay": "cny", "zip": "aud",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			form := "amount=20000&confirm=true&return_url=https://shop.example/&currency=" + currency + "&payment_method_types[]=" + kind + "&payment_method_data[type]=" + kind +
				"&payment_method_data[billing_details][name]=Ada&payment_method_data[billing_details][email]=succeed_immediately@example.com" + map[string]string{
				"blik": "&payment_method_options[blik][code]=777123", "boleto": "&payment_method_data[boleto][tax_id]=00000000000", "fpx": "&payment_method_data[fpx][bank]=maybank2u",
				"sofort": "&payment_method_data[sofort][country]=DE", "wechat_pay": "&payment_method_options[wechat_pay][client]=web",
			}[kind]
			id := w.made(t, "POST /v1/payment_intents", form)
			intent := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(t.Context(), id, nil))
			if at := intent.NextAction.RedirectToURL; at != nil {
				w.authenticate(t, at.URL, "complete")
			}
			w.steer(t, "clock/advance", `{"seconds":200}`)
			intent = must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(t.Context(), id, &stripe.PaymentIntentRetrieveParams{Expand: strs("latest_charge.balance_transaction", "payment_method")}))
			if led := intent.LatestCharge != nil; led && intent.LatestCharge.PaymentMethodDetails.Type != stripe.ChargePaymentMethodDetailsType(kind) {
				t.Errorf("the charge is %+v", intent.LatestCharge)
			}
			w.holdEvents(t, "payment_intent.created", "payment_intent.requires_action")
		})
	}
}
