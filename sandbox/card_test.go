package sandbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// pay is the form of a payment that is confirmed at once and captured synchronously.
const pay = "amount=1000&currency=usd&capture_method=automatic&confirm=true&payment_method_types[]=card"

// byNumber is the form of a payment with a card's data.
func byNumber(number string) string {
	return pay + "&payment_method_data[type]=card&payment_method_data[card][number]=" + number +
		"&payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=2030&payment_method_data[card][cvc]=123"
}

// TestDeclines holds every declining card, by number and by each of its names, against what was recorded at Stripe.
func TestDeclines(t *testing.T) {
	t.Parallel()
	generic := "The bank did not return any further details with this decline."
	for _, d := range []struct {
		number, names, code, decline, advice, networkAdvice, networkDecline, param, message, seller string
	}{
		{"4000000000000002", "visa_chargeDeclined chargeDeclined declined", "card_declined", "generic_decline", "try_again_later", "", "01", "", "Your card was declined.", generic},
		{"4000000000009995", "visa_chargeDeclinedInsufficientFunds chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", "try_again_later", "02", "51", "", "Your card has insufficient funds.", ""},
		{"4000000000009987", "visa_chargeDeclinedLostCard chargeDeclinedLostCard", "card_declined", "lost_card", "do_not_try_again", "01", "41", "", "Your card was declined.", ""},
		{"4000000000009979", "visa_chargeDeclinedStolenCard chargeDeclinedStolenCard", "card_declined", "stolen_card", "do_not_try_again", "01", "43", "", "Your card was declined.", ""},
		{"4000000000000069", "chargeDeclinedExpiredCard visa_chargeDeclinedExpiredCard", "expired_card", "expired_card", "confirm_card_data", "03", "54", "exp_month", "Your card has expired.", ""},
		{"4000000000000127", "chargeDeclinedIncorrectCvc visa_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", "confirm_card_data", "03", "N7", "cvc", "Your card's security code is incorrect.", ""},
		{"4000000000000119", "chargeDeclinedProcessingError visa_chargeDeclinedProcessingError", "processing_error", "processing_error", "try_again_later", "", "06", "", "An error occurred while processing your card. Try again in a little bit.", ""},
		{"4000000000006975", "visa_chargeDeclinedVelocityLimitExceeded chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded", "try_again_later", "02", "61", "", "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.", ""},
		{"4000000000000341", "chargeCustomerFail visa_chargeCustomerFail", "card_declined", "generic_decline", "", "", "", "", "Your card was declined.", generic},
	} {
		forms := []string{byNumber(d.number)}
		for _, name := range strings.Fields(d.names) {
			forms = append(forms, pay+"&payment_method=pm_card_"+name)
		}
		t.Run(d.number, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			orNil := func(s string) any {
				if s == "" {
					return nil
				}
				return s
			}
			for _, form := range forms {
				got := a.post("/v1/payment_intents", form)
				fields := map[string]any{"type": "card_error", "code": d.code, "decline_code": d.decline, "advice_code": orNil(d.advice),
					"network_advice_code": orNil(d.networkAdvice), "network_decline_code": orNil(d.networkDecline), "param": orNil(d.param), "message": d.message}
				wants := map[string]any{
					"error.payment_intent.status": "requires_payment_method", "error.payment_intent.payment_method": nil,
					"error.payment_method.card.last4": d.number[12:], "error.payment_intent.amount_received": "0",
					"error.doc_url": "https://stripe.com/docs/error-codes/" + strings.ReplaceAll(d.code, "_", "-"),
				}
				for field, want := range fields {
					wants["error."+field] = want
					wants["error.payment_intent.last_payment_error."+field] = want
				}
				got.wants(t, http.StatusPaymentRequired, wants)
				seller := d.seller
				if seller == "" {
					seller = "The bank returned the decline code `" + d.decline + "`."
				}
				charge := a.get("/v1/charges/"+got.text("error.charge"), "")
				charge.wants(t, http.StatusOK, map[string]any{
					"status": "failed", "paid": false, "captured": false, "failure_code": d.code, "failure_message": d.message, "balance_transaction": nil,
					"outcome.type": "issuer_declined", "outcome.network_status": "declined_by_network", "outcome.reason": d.decline, "outcome.seller_message": seller,
					"outcome.advice_code": orNil(d.advice), "outcome.network_decline_code": orNil(d.networkDecline), "outcome.risk_level": "normal",
					"payment_intent": got.at("error.payment_intent.id"),
				})
				if got.text("error.payment_intent.latest_charge") != got.text("error.charge") {
					t.Error("the intent's latest charge is not the failed one")
				}
			}
			types := a.types()
			if want := []string{"payment_intent.created", "charge.failed", "payment_intent.payment_failed"}; !slices.Equal(types[:3], want) {
				t.Errorf("events %v, want %v", types[:3], want)
			}
		})
	}
}

// TestDecliningCardsDoNotAttach: but for the one that is made to decline later, and those that decline after 3D Secure only.
func TestDecliningCardsDoNotAttach(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	for _, c := range sandbox.AllCards() {
		if !c.Declines || c.Number[:4] == "4100" || c.Number == "4000000000004954" || c.Number == "4000008400001017" {
			continue // what Radar blocks attaches: nothing is charged
		}
		for _, name := range c.Names {
			got := a.post("/v1/payment_methods/pm_card_"+name+"/attach", "customer="+customer)
			if c.Attachable {
				got.wants(t, http.StatusOK, map[string]any{"customer": customer})
				continue
			}
			got.wants(t, http.StatusPaymentRequired, map[string]any{"error.type": "card_error", "error.param": "", "error.charge": nil})
		}
	}
}

// TestCardsPay makes a payment with every card that only names a brand or a country, by number and by name.
func TestCardsPay(t *testing.T) {
	t.Parallel()
	a := bare(t)
	paid := 0
	for _, c := range sandbox.AllCards() {
		if !sandbox.Luhn(c.Number) {
			t.Errorf("%s has a wrong check digit", c.Number)
		}
		if c.Declines {
			continue
		}
		forms := map[string]string{"number": byNumber(c.Number)}
		if c.Brand == "amex" {
			forms["number"] = strings.Replace(forms["number"], "cvc]=123", "cvc]=1234", 1)
		}
		for _, name := range c.Names {
			forms[name] = pay + "&payment_method=pm_card_" + name
		}
		for how, form := range forms {
			got := a.post("/v1/payment_intents", form+"&expand[]=latest_charge")
			if got.status != http.StatusOK {
				if got.text("error.decline_code") == "processing_error" { // the card whose 3D Secure fails
					continue
				}
				t.Errorf("%s by %s: %s", c.Number, how, got.raw)
				continue
			}
			if got.text("status") == "requires_action" {
				continue
			}
			paid++
			got.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "latest_charge.payment_method_details.card.brand": c.Brand, "latest_charge.payment_method_details.card.last4": c.Number[len(c.Number)-4:],
				"latest_charge.payment_method_details.card.country": c.Country, "latest_charge.payment_method_details.card.funding": c.Funding})
		}
	}
	if paid < 100 {
		t.Errorf("only %d payments", paid)
	}
}

func TestRadarCards(t *testing.T) {
	t.Parallel()
	a := bare(t)
	blocked := a.post("/v1/payment_intents", pay+"&payment_method=pm_card_radarBlock")
	blocked.wants(t, http.StatusPaymentRequired, map[string]any{"error.code": "card_declined", "error.decline_code": "fraudulent", "error.message": "Your card was declined."})
	charge := a.get("/v1/charges/"+blocked.text("error.charge"), "")
	charge.wants(t, http.StatusOK, map[string]any{
		"outcome.type": "blocked", "outcome.network_status": "not_sent_to_network", "outcome.reason": "highest_risk_level", "outcome.risk_level": "highest",
		"outcome.seller_message": "Stripe blocked this payment as too risky.", "fraud_details.stripe_report": "fraudulent",
	})
	elevated := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_riskLevelElevated&expand[]=latest_charge")
	elevated.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "latest_charge.outcome.risk_level": "elevated"})
	var score int
	if _, err := fmt.Sscan(elevated.text("latest_charge.outcome.risk_score"), &score); err != nil || score < 65 || score > 74 {
		t.Errorf("elevated score %d %v", score, err)
	}
}

// TestChecks: a check runs only on what was given, and a failed one does not stop the payment.
func TestChecks(t *testing.T) {
	t.Parallel()
	const given = "&payment_method_data[billing_details][address][line1]=1+Main+St&payment_method_data[billing_details][address][postal_code]=94107"
	for _, c := range []struct {
		number         string
		cvc, zip, line any
	}{
		{"4242424242424242", "pass", "pass", "pass"},
		{"4000000000000101", "fail", "pass", "pass"},
		{"4000000000000036", "pass", "fail", "pass"},
		{"4000000000000028", "pass", "pass", "fail"},
		{"4000000000000010", "pass", "fail", "fail"},
		{"4000000000000044", "pass", "unchecked", "unchecked"},
	} {
		t.Run(c.number, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			got := a.must("/v1/payment_intents", byNumber(c.number)+given+"&expand[]=latest_charge")
			checks := "latest_charge.payment_method_details.card.checks."
			got.wants(t, http.StatusOK, map[string]any{"status": "succeeded", checks + "cvc_check": c.cvc, checks + "address_postal_code_check": c.zip, checks + "address_line1_check": c.line})
			bareForm := strings.Replace(byNumber(c.number), "&payment_method_data[card][cvc]=123", "", 1)
			got = a.must("/v1/payment_intents", bareForm+"&expand[]=latest_charge")
			got.wants(t, http.StatusOK, map[string]any{checks + "cvc_check": nil, checks + "address_postal_code_check": nil, checks + "address_line1_check": nil})
		})
	}
}

// TestNumbers: data that are no test card's are refused with status 402, and nothing is left behind.
func TestNumbers(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for form, code := range map[string]string{
		"card[number]=4242424242424241&card[exp_month]=12&card[exp_year]=2030":                "incorrect_number",
		"card[number]=42424242&card[exp_month]=12&card[exp_year]=2030":                        "invalid_number",
		"card[number]=4242abcd42424242&card[exp_month]=12&card[exp_year]=2030":                "invalid_number",
		"card[number]=4242+4242+4242+4242&card[exp_month]=13&card[exp_year]=2030":             "invalid_expiry_month",
		"card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2025":                "invalid_expiry_year",
		"card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2099":                "invalid_expiry_year",
		"card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2030&card[cvc]=9a":   "invalid_cvc",
		"card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2030&card[cvc]=1234": "invalid_cvc",
		"card[number]=5454545454545454&card[exp_month]=12&card[exp_year]=2030":                "card_declined",
	} {
		got := a.post("/v1/payment_methods", "type=card&"+form)
		got.wants(t, http.StatusPaymentRequired, map[string]any{"error.type": "card_error", "error.code": code})
	}
	if n := len(a.get("/v1/payment_methods", "").list("data")); n != 0 {
		t.Errorf("%d payment methods are left behind", n)
	}
	if got := a.post("/v1/payment_methods", "type=card&card[token]=tok_none"); got.status != http.StatusBadRequest || got.text("error.code") != "resource_missing" {
		t.Errorf("an unknown token: %s", got.raw)
	}
}
