//go:build !race

package judge_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// refusal is the error of a reply.
type refusal struct {
	Type, Code, Param, Message string
	DeclineCode                string `json:"decline_code"`
	PaymentIntent              struct {
		ID               string
		LastPaymentError struct{ Code string } `json:"last_payment_error"`
	} `json:"payment_intent"`
}

// send makes a request by hand; pairs are of headers.
func (w *world) send(t *testing.T, request, form string, pairs ...string) (*http.Response, refusal, map[string]any) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), method, w.base+path, nil))
	r.Header.Set("Authorization", "Bearer "+w.key)
	if method == http.MethodGet {
		r.URL.RawQuery = strings.NewReplacer(" ", "%20", `"`, "%22", "<", "%3C", ">", "%3E").Replace(form)
	} else {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body = io.NopCloser(strings.NewReader(form))
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	reply := must[*http.Response](t)(w.plain.Do(r))
	defer reply.Body.Close()
	body := must[[]byte](t)(io.ReadAll(reply.Body))
	var in struct{ Error refusal }
	var object map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		t.Fatalf("%s: %s: %v", request, body, err)
	}
	if err := json.Unmarshal(body, &object); err != nil {
		t.Fatal(err)
	}
	return reply, in.Error, object
}

// made is the id of an object made for a test.
func (w *world) made(t *testing.T, request, form string) string {
	t.Helper()
	reply, why, object := w.send(t, request, form)
	if reply.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s: %+v", request, form, reply.Status, why)
	}
	return object["id"].(string)
}

const paid = "amount=1000&currency=usd&confirm=true&payment_method_types[]=card&payment_method="

// TestRefusals goes through the errors that Stripe's test mode was recorded with, those that this sandbox has come to.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w := setup(t)
	customer := w.made(t, "POST /v1/customers", "")
	intent := w.made(t, "POST /v1/payment_intents", paid+"pm_card_visa")
	spent := w.made(t, "POST /v1/payment_intents", paid+"pm_card_visa")
	w.made(t, "POST /v1/refunds", "payment_intent="+spent)
	_, _, object := w.send(t, "GET /v1/payment_intents/"+spent, "")
	charge := object["latest_charge"].(string)
	partly := w.made(t, "POST /v1/payment_intents", paid+"pm_card_visa")
	w.made(t, "POST /v1/refunds", "amount=500&payment_intent="+partly)
	card := w.made(t, "POST /v1/payment_methods", "type=card&card[token]=tok_visa")
	w.made(t, "POST /v1/payment_methods/"+card+"/attach", "customer="+customer)
	loose := w.made(t, "POST /v1/payment_methods", "type=card&card[token]=tok_visa")
	w.made(t, "POST /v1/payment_intents", paid+loose)
	setUp := w.made(t, "POST /v1/setup_intents", "confirm=true&payment_method_types[]=card&payment_method=pm_card_visa")
	canceled := w.made(t, "POST /v1/setup_intents", "")
	w.made(t, "POST /v1/setup_intents/"+canceled+"/cancel", "")

	const elsewhere = "; It's possible this PaymentMethod exists on one of your connected accounts, in which case you should retry this request on that connected account. Learn more at https://stripe.com/docs/connect/authentication"
	for name, c := range map[string]struct {
		request, form string
		status        int
		code, param   string // of the param, * where Stripe's is not known
		message       string // its beginning where it ends in …
	}{
		"no customer":          {"GET /v1/customers/cus_x", "", 404, "resource_missing", "id", "No such customer: 'cus_x'"},
		"no intent":            {"GET /v1/payment_intents/pi_x", "", 404, "resource_missing", "intent", "No such payment_intent: 'pi_x'"},
		"no setup intent":      {"POST /v1/setup_intents/seti_x/cancel", "", 404, "resource_missing", "intent", "No such setupintent: 'seti_x'"},
		"no charge":            {"GET /v1/charges/ch_x", "", 404, "resource_missing", "id", "No such charge: 'ch_x'"},
		"no payment method":    {"GET /v1/payment_methods/abcd", "", 404, "resource_missing", "payment_method", "No such PaymentMethod: 'abcd'" + elsewhere},
		"no customer in body":  {"POST /v1/payment_intents", "amount=1000&currency=usd&customer=cus_x", 400, "resource_missing", "customer", "No such customer: 'cus_x'"},
		"no method in body":    {"POST /v1/payment_intents", paid + "pm_x", 400, "resource_missing", "payment_method", "No such PaymentMethod: 'pm_x'" + elsewhere},
		"no charge in body":    {"POST /v1/refunds", "charge=ch_x", 400, "resource_missing", "charge", "No such charge: 'ch_x'"},
		"cursor":               {"GET /v1/customers", "starting_after=cus_x", 400, "resource_missing", "starting_after", "No such customer: 'cus_x'"},
		"both cursors":         {"GET /v1/customers", "starting_after=" + customer + "&ending_before=" + customer, 400, "", "*", "Received both starting_after and ending_before parameters. Please pass in only one."},
		"unknown parameter":    {"POST /v1/customers", "nam=x", 400, "parameter_unknown", "nam", "Received unknown parameter: nam…"},
		"missing parameter":    {"POST /v1/payment_intents", "currency=usd", 400, "parameter_missing", "amount", "Missing required param: amount."},
		"wrong type":           {"POST /v1/payment_intents", "amount=x&currency=usd", 400, "parameter_invalid_integer", "amount", "Invalid integer: x"},
		"empty":                {"POST /v1/payment_intents", "amount=1000&currency=usd&customer=", 400, "parameter_invalid_empty", "customer", "You passed an empty string for 'customer'.…"},
		"enumeration":          {"POST /v1/payment_intents", "amount=1000&currency=usd&capture_method=x", 400, "", "capture_method", "Invalid capture_method: must be one of automatic, automatic_async, or manual"},
		"currency":             {"POST /v1/payment_intents", "amount=1000&currency=xxx", 400, "", "currency", "Invalid currency: xxx. Stripe currently supports these currencies: usd, aed,…"},
		"too little":           {"POST /v1/payment_intents", "amount=49&currency=usd", 400, "parameter_invalid_integer", "amount", "The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency set (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).…"},
		"nothing":              {"POST /v1/payment_intents", "amount=0&currency=usd", 400, "parameter_invalid_integer", "amount", "This value must be greater than or equal to 1."},
		"refunded":             {"POST /v1/refunds", "payment_intent=" + spent, 400, "charge_already_refunded", "", "Charge " + charge + " has already been refunded."},
		"refund too big":       {"POST /v1/refunds", "amount=1100&payment_intent=" + intent, 400, "", "amount", "Refund amount ($11.00) is greater than charge amount ($10.00)"},
		"refund beyond rest":   {"POST /v1/refunds", "amount=600&payment_intent=" + partly, 400, "", "amount", "Refund amount ($6.00) is greater than unrefunded amount on charge ($5.00)"},
		"cancel what is paid":  {"POST /v1/payment_intents/" + intent + "/cancel", "", 400, "payment_intent_unexpected_state", "", "You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing."},
		"cancel what is saved": {"POST /v1/setup_intents/" + setUp + "/cancel", "", 400, "setup_intent_unexpected_state", "", "You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`."},
		"cancel twice":         {"POST /v1/setup_intents/" + canceled + "/cancel", "", 400, "setup_intent_unexpected_state", "", "You cannot cancel this SetupIntent because it it already canceled."},
		"capture twice":        {"POST /v1/payment_intents/" + intent + "/capture", "", 400, "payment_intent_unexpected_state", "", "This PaymentIntent could not be captured because…"},
		"confirm twice":        {"POST /v1/payment_intents/" + intent + "/confirm", "", 400, "payment_intent_unexpected_state", "", "You cannot confirm this PaymentIntent because…"},
		"used up":              {"POST /v1/payment_intents", paid + loose, 400, "", "*", "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first."},
		"attach twice":         {"POST /v1/payment_methods/" + card + "/attach", "customer=" + customer, 400, "", "", "The payment method you provided has already been attached to a customer."},
		"metadata":             {"POST /v1/customers", "metadata[" + strings.Repeat("k", 41) + "]=x", 400, "", "metadata", "Metadata keys can have up to 40 characters,…"},
		"expand nothing":       {"GET /v1/customers/" + customer, "expand[]=foo", 400, "", "expand", "This property cannot be expanded because it doesn't exist: foo."},
		"expand a number":      {"GET /v1/customers/" + customer, "expand[]=balance", 400, "", "expand", "This property cannot be expanded (balance)."},
		"expand without data":  {"GET /v1/payment_intents", "expand[]=customer", 400, "", "expand", "This property cannot be expanded (customer). You may want to try expanding 'data.customer' instead."},
		"search":               {"GET /v1/customers/search", "query=x", 400, "", "query", "We were unable to parse your search query.…"},
		"unknown URL":          {"GET /v1/x", "", 404, "", "", "Unrecognized request URL (GET: /v1/x). Please see https://stripe.com/docs or we can help at https://support.stripe.com/."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply, got, _ := w.send(t, c.request, c.form)
			begins, open := strings.CutSuffix(c.message, "…")
			if reply.StatusCode != c.status || got.Type != "invalid_request_error" || got.Code != c.code || c.param != "*" && got.Param != c.param ||
				got.Message != c.message && !(open && strings.HasPrefix(got.Message, begins)) {
				t.Errorf("%s %s: %s %+v\nwant %d %s %s %s", c.request, c.form, reply.Status, got, c.status, c.code, c.param, c.message)
			}
			if reply.Header.Get("Request-Id") == "" || reply.Header.Get("Stripe-Version") == "" {
				t.Errorf("the reply's header is %v", reply.Header)
			}
		})
	}
}

// TestDeclines: a declined payment answers 402 and leaves an intent that can be paid otherwise.
func TestDeclines(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for number, want := range map[string]struct{ code, decline, param string }{
		"4000000000000002": {"card_declined", "generic_decline", ""},
		"4000000000009995": {"card_declined", "insufficient_funds", ""},
		"4000000000009987": {"card_declined", "lost_card", ""},
		"4000000000009979": {"card_declined", "stolen_card", ""},
		"4000000000000069": {"expired_card", "expired_card", "exp_month"},
		"4000000000000127": {"incorrect_cvc", "incorrect_cvc", "cvc"},
		"4000000000000119": {"processing_error", "processing_error", ""},
		"4000000000006975": {"card_declined", "card_velocity_exceeded", ""},
		"4100000000000019": {"card_declined", "fraudulent", ""},
	} {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			form := "amount=1000&currency=usd&confirm=true&payment_method_types[]=card&payment_method_data[type]=card&payment_method_data[card][number]=" + number +
				"&payment_method_data[card][exp_month]=1&payment_method_data[card][exp_year]=2040&payment_method_data[card][cvc]=123"
			reply, why, _ := w.send(t, "POST /v1/payment_intents", form)
			if reply.StatusCode != http.StatusPaymentRequired || why.Type != "card_error" || why.Code != want.code || why.DeclineCode != want.decline || why.Param != want.param {
				t.Fatalf("%s %+v", reply.Status, why)
			}
			if why.PaymentIntent.LastPaymentError.Code != want.code {
				t.Errorf("the intent's last error is %+v", why.PaymentIntent)
			}
			w.made(t, "POST /v1/payment_intents/"+why.PaymentIntent.ID+"/confirm", "payment_method=pm_card_visa")
		})
	}
	t.Run("stripe-go", func(t *testing.T) {
		t.Parallel()
		_, err := w.V1PaymentIntents.Create(t.Context(), &stripe.PaymentIntentCreateParams{
			Amount: stripe.Int64(1000), Currency: str("usd"), Confirm: stripe.Bool(true), PaymentMethod: str("pm_card_chargeDeclinedInsufficientFunds"), PaymentMethodTypes: strs("card"),
		})
		if why := refused(t, err); why.HTTPStatusCode != http.StatusPaymentRequired || why.DeclineCode != stripe.DeclineCodeInsufficientFunds || why.PaymentIntent.LastPaymentError == nil {
			t.Errorf("%+v", why)
		}
	})
}

// TestBrowser: a publishable key and a client secret see the intent without what is between the merchant and Stripe, in refusals too.
func TestBrowser(t *testing.T) {
	t.Parallel()
	w := setup(t)
	publishable := "Bearer " + strings.Replace(w.key, "sk", "pk", 1)
	const card = "&payment_method_data[type]=card&payment_method_data[card][exp_month]=1&payment_method_data[card][exp_year]=2040&payment_method_data[card][number]="
	for path, form := range map[string]string{"/v1/payment_intents": "amount=1000&currency=usd&metadata[cost]=1", "/v1/setup_intents": "metadata[cost]=1"} {
		_, _, intent := w.send(t, "POST "+path, form)
		path += "/" + intent["id"].(string)
		secret := "client_secret=" + intent["client_secret"].(string)
		reply, why, _ := w.send(t, "POST "+path+"/confirm", secret+card+"4000000000000002", "Authorization", publishable)
		if reply.StatusCode != http.StatusPaymentRequired || why.Code != "card_declined" {
			t.Errorf("%s is declined with %s %+v", path, reply.Status, why)
		}
		if reply, why, object := w.send(t, "POST "+path+"/confirm", secret+card+"4242424242424242", "Authorization", publishable); object["status"] != "succeeded" {
			t.Errorf("%s is confirmed with %s %+v", path, reply.Status, why)
		}
		if reply, why, object := w.send(t, "GET "+path, secret+"&expand[]=payment_method", "Authorization", publishable); object["status"] != "succeeded" {
			t.Errorf("%s is shown with %s %+v", path, reply.Status, why)
		}
		if reply, why, _ := w.send(t, "GET "+path, secret+"x", "Authorization", publishable); reply.StatusCode != http.StatusBadRequest {
			t.Errorf("%s is shown to a stranger: %s %+v", path, reply.Status, why)
		}
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.made(t, "POST /v1/customers", "") // A publishable key opens no world by itself.
	live, publishable := strings.Replace(w.key, "test", "live", 1), strings.Replace(w.key, "sk", "pk", 1)
	for name, c := range map[string]struct {
		headers []string
		status  int
		code    string
		message string
	}{
		"no key":        {[]string{"Authorization", ""}, 401, "", "You did not provide an API key."},
		"wrong key":     {[]string{"Authorization", "Bearer nonsense"}, 401, "", "Invalid API Key provided: "},
		"live key":      {[]string{"Authorization", "Bearer " + live}, 401, "", "Invalid API Key provided: "},
		"publishable":   {[]string{"Authorization", "Bearer " + publishable}, 401, "secret_key_required", "This API call cannot be made with a publishable API key."},
		"other account": {[]string{"Stripe-Account", "acct_1"}, 403, "account_invalid", "The provided key 'sk_test_"},
		"wrong version": {[]string{"Stripe-Version", "soon"}, 400, "", "Invalid Stripe API version: soon"},
	} {
		reply, why, _ := w.send(t, "GET /v1/balance", "", c.headers...)
		if reply.StatusCode != c.status || why.Type != "invalid_request_error" || why.Code != c.code || !strings.HasPrefix(why.Message, c.message) {
			t.Errorf("%s: %s %+v", name, reply.Status, why)
		}
	}
	r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), "GET", w.base+"/v1/balance", nil))
	r.SetBasicAuth(w.key, "")
	reply := must[*http.Response](t)(w.plain.Do(r))
	if reply.Body.Close(); reply.StatusCode != http.StatusOK {
		t.Errorf("with Basic the reply is %s", reply.Status)
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := setup(t)
	first, _, a := w.send(t, "POST /v1/payment_intents", "amount=1000&currency=usd&metadata[a]=1&metadata[b]=2", "Idempotency-Key", "k1")
	again, _, b := w.send(t, "POST /v1/payment_intents", "metadata%5Bb%5D=2&currency=usd&metadata[a]=1&amount=1000", "Idempotency-Key", "k1")
	if first.StatusCode != http.StatusOK || a["id"] != b["id"] || again.Header.Get("Idempotent-Replayed") != "true" || first.Header.Get("Idempotent-Replayed") != "" ||
		again.Header.Get("Original-Request") != first.Header.Get("Request-Id") {
		t.Errorf("%v then %v with %v", a["id"], b["id"], again.Header)
	}
	reply, why, _ := w.send(t, "POST /v1/payment_intents", "amount=2000&currency=usd", "Idempotency-Key", "k1")
	if reply.StatusCode != http.StatusBadRequest || why.Type != "idempotency_error" || why.Code != "" ||
		why.Message != "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than 'k1' if you meant to execute a different request." {
		t.Errorf("%s %+v", reply.Status, why)
	}
	if _, why, _ := w.send(t, "POST /v1/payment_intents", "amount=x&currency=usd", "Idempotency-Key", "k2"); why.Code != "parameter_invalid_integer" {
		t.Errorf("%+v", why)
	}
	if reply, why, _ := w.send(t, "POST /v1/payment_intents", "amount=1000&currency=usd", "Idempotency-Key", "k2"); reply.StatusCode != http.StatusOK {
		t.Errorf("a refusal of parameters was kept: %+v", why)
	}
	declined, was, _ := w.send(t, "POST /v1/payment_intents", paid+"pm_card_chargeDeclined", "Idempotency-Key", "k3")
	replayed, is, _ := w.send(t, "POST /v1/payment_intents", paid+"pm_card_chargeDeclined", "Idempotency-Key", "k3")
	if declined.StatusCode != http.StatusPaymentRequired || replayed.StatusCode != declined.StatusCode || was.PaymentIntent.ID != is.PaymentIntent.ID {
		t.Errorf("%s and %s: %+v %+v", declined.Status, replayed.Status, was, is)
	}
}

// TestFaults: what the sandbox does wrong on purpose has Stripe's form.
func TestFaults(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for kind, status := range map[string]int{"error_500": 500, "error_429": 429} {
		script := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), "POST", w.base+"/_sandbox/faults", strings.NewReader(`{"method":"POST","path":"/v1/customers","kind":"`+kind+`"}`)))
		script.Header.Set("Authorization", "Bearer "+w.key)
		reply := must[*http.Response](t)(w.plain.Do(script))
		if reply.Body.Close(); reply.StatusCode != http.StatusOK {
			t.Fatalf("the fault cannot be scripted: %s", reply.Status)
		}
		if reply, why, _ := w.send(t, "POST /v1/customers", ""); reply.StatusCode != status || why.Message == "" {
			t.Errorf("%s: %s %+v", kind, reply.Status, why)
		}
	}
}

// TestUnbuilt: what this sandbox does not have, it refuses in so many words.
func TestUnbuilt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for request, form := range map[string]string{"POST /v1/tax/calculations": "currency=usd", "GET /v1/issuing/cards": "limit=1"} {
		reply, why, _ := w.send(t, request, form)
		if reply.StatusCode != http.StatusNotImplemented || why.Type != "api_error" || !strings.Contains(why.Message, request) {
			t.Errorf("%s: %s %+v", request, reply.Status, why)
		}
	}
}
