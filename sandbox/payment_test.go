package sandbox_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSingleUse: a payment method that has paid without a customer, or was detached, is spent; one that is kept is not.
func TestSingleUse(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const spent = "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first."
	fresh := func() string { return a.must("/v1/payment_methods", "type=card&card[token]=tok_visa").text("id") }
	once := fresh()
	a.must("/v1/payment_intents", pay+"&payment_method="+once)
	a.post("/v1/payment_intents", pay+"&payment_method="+once).wants(t, http.StatusBadRequest, map[string]any{"error.message": spent, "error.code": nil})
	customer := a.must("/v1/customers", "").text("id")
	a.post("/v1/payment_methods/"+once+"/attach", "customer="+customer).wants(t, http.StatusBadRequest, map[string]any{"error.message": spent})
	kept := fresh()
	a.must("/v1/payment_methods/"+kept+"/attach", "customer="+customer)
	for range 2 {
		a.must("/v1/payment_intents", pay+"&customer="+customer+"&payment_method="+kept).wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	}
	later := fresh()
	a.must("/v1/payment_intents", pay+"&setup_future_usage=off_session&payment_method="+later)
	a.must("/v1/payment_methods/"+later+"/attach", "customer="+customer)
	a.must("/v1/payment_methods/"+kept+"/detach", "")
	a.post("/v1/payment_intents", pay+"&payment_method="+kept).wants(t, http.StatusBadRequest, map[string]any{"error.message": spent})
	waiting := fresh()
	intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&payment_method="+waiting).text("id")
	a.must("/v1/payment_intents", pay+"&payment_method="+waiting)
	a.post("/v1/payment_intents/"+intent+"/confirm", "").wants(t, http.StatusBadRequest, map[string]any{"error.message": spent})
}

// TestBelonging: a customer's payment method pays for that customer only.
func TestBelonging(t *testing.T) {
	t.Parallel()
	a := bare(t)
	mine, theirs := a.must("/v1/customers", "payment_method=pm_card_visa").text("id"), a.must("/v1/customers", "").text("id")
	method := ids(a.get("/v1/customers/"+mine+"/payment_methods", ""))[0]
	for _, form := range []string{"", "&customer=" + theirs} {
		got := a.post("/v1/payment_intents", pay+"&payment_method="+method+form)
		got.wants(t, http.StatusBadRequest, map[string]any{"error.type": "invalid_request_error"})
		a.post("/v1/setup_intents", "confirm=true&payment_method="+method+form).wants(t, http.StatusBadRequest, nil)
	}
	intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&customer="+mine+"&payment_method="+method).text("id")
	a.must("/v1/payment_intents/"+intent, "customer="+theirs)
	a.post("/v1/payment_intents/"+intent+"/confirm", "").wants(t, http.StatusBadRequest, nil)
	if n := len(ids(a.get("/v1/charges", ""))); n != 0 {
		t.Errorf("%d charges", n)
	}
	a.post("/v1/customers/"+theirs, "invoice_settings[default_payment_method]="+method).wants(t, http.StatusBadRequest, map[string]any{"error.code": "resource_missing"})
	a.must("/v1/customers/"+mine, "invoice_settings[default_payment_method]="+method)
}

// TestReconsider: changing what a challenged customer was asked about ends the challenge.
func TestReconsider(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_threeDSecure2Required")
	path, page := "/v1/payment_intents/"+intent.text("id"), a.page(intent)
	a.must(path, "description=Books").wants(t, http.StatusOK, map[string]any{"status": "requires_action"})
	a.post(path, "amount=7").wants(t, http.StatusBadRequest, nil)
	if got := a.browse(http.MethodGet, page, nil); got.StatusCode != http.StatusOK {
		t.Errorf("a refused change ended the challenge: %d", got.StatusCode)
	}
	a.must(path, "amount=2000").wants(t, http.StatusOK, map[string]any{"status": "requires_confirmation", "next_action": nil, "amount": "2000"})
	if got := a.browse(http.MethodGet, page, nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("the page shows an amount that has changed: %d", got.StatusCode)
	}
	again := a.must(path+"/confirm", "")
	a.authenticate(again, "complete")
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "succeeded", "amount_received": "2000"})
}

// TestRefusedUpdateLeavesNothing: an update is made as a whole or not at all.
func TestRefusedUpdateLeavesNothing(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&metadata[a]=1").text("id")
	before := a.get("/v1/payment_intents/"+intent, "").raw
	many := ""
	for i := range 49 {
		many += "&metadata[k" + strings.Repeat("x", i) + "]=1"
	}
	for _, form := range []string{"amount=2000&metadata[b]=2&customer=cus_none", "amount=2000&payment_method=pm_none", "description=x&amount=1", "metadata[b]=1&metadata[c]=2&amount=2000" + many} {
		if got := a.post("/v1/payment_intents/"+intent, form); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", form, got.status)
		}
	}
	if after := a.get("/v1/payment_intents/"+intent, "").raw; after != before {
		t.Errorf("was %s\nis  %s", before, after)
	}
}

// TestAuthorizationExpires: a held payment that nobody captures is given back after seven days, and not before.
func TestAuthorizationExpires(t *testing.T) {
	t.Parallel()
	a := bare(t)
	held := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&capture_method=manual&confirm=true&payment_method=pm_card_visa&expand[]=latest_charge")
	captured := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&capture_method=manual&confirm=true&payment_method=pm_card_visa").text("id")
	a.must("/v1/payment_intents/"+captured+"/capture", "")
	held.wants(t, http.StatusOK, map[string]any{"latest_charge.captured": false, "latest_charge.paid": true, "latest_charge.balance_transaction": nil,
		"latest_charge.payment_method_details.card.capture_before": "1768219200", "amount_capturable": "1000"})
	a.clock.Advance(7*24*time.Hour - time.Second)
	a.get("/v1/payment_intents/"+held.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "requires_capture"})
	a.clock.Advance(time.Second)
	a.get("/v1/payment_intents/"+held.text("id"), "expand[]=latest_charge").wants(t, http.StatusOK, map[string]any{"status": "canceled", "cancellation_reason": "expired", "latest_charge.refunded": false, "latest_charge.amount_refunded": "0",
		"latest_charge.amount_captured": "0", "latest_charge.payment_method_details.card.capture_before": nil, "amount_capturable": "0"})
	a.get("/v1/payment_intents/"+captured, "").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	a.post("/v1/payment_intents/"+held.text("id")+"/capture", "").wants(t, http.StatusBadRequest, map[string]any{"error.code": "payment_intent_unexpected_state"})
	a.post("/v1/refunds", "charge="+held.text("latest_charge.id")).wants(t, http.StatusBadRequest, map[string]any{"error.code": nil, "error.param": "charge"})
}

// TestOptionsOfCards: an option of cards overrides the intent's own.
func TestOptionsOfCards(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	got := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&confirm=true&payment_method=pm_card_visa&customer="+customer+
		"&payment_method_options[card][capture_method]=manual&payment_method_options[card][setup_future_usage]=off_session")
	got.wants(t, http.StatusOK, map[string]any{"status": "requires_capture"})
	if n := len(ids(a.get("/v1/customers/"+customer+"/payment_methods", ""))); n != 1 {
		t.Errorf("%d cards are kept", n)
	}
	a.post("/v1/payment_intents", pay+"&payment_method=pm_card_threeDSecure2Required&error_on_requires_action=true").wants(t, http.StatusPaymentRequired, map[string]any{"error.code": "authentication_required"})
}

// TestRedirects: an intent with the account's payment methods is confirmed with a way back, off session, or by Stripe.js.
func TestRedirects(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const form, card, refusal = "amount=1000&currency=usd&payment_method=pm_card_visa", "payment_method_types[]=card", "This PaymentIntent is configured to accept payment methods enabled in your Dashboard."
	for extra, status := range map[string]int{
		"": 400, "&automatic_payment_methods[enabled]=true": 400, "&confirmation_method=manual": 400, "&off_session=false": 400,
		"&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never": 200, "&" + card: 200, "&off_session=true": 200, "&use_stripe_sdk=true": 200,
		"&return_url=https%3A%2F%2Fshop.example.com": 200,
	} {
		got := a.post("/v1/payment_intents", form+"&confirm=true"+extra)
		if got.status != status || status == 400 && !strings.HasPrefix(got.text("error.message"), refusal) {
			t.Errorf("%q: %d %s", extra, got.status, got.raw)
		}
	}
	intent := a.must("/v1/payment_intents", form).text("id")
	got := a.post("/v1/payment_intents/"+intent+"/confirm", "payment_method=pm_card_mastercard")
	got.wants(t, http.StatusBadRequest, map[string]any{"error.code": nil, "error.payment_intent.id": intent, "error.payment_intent.status": "requires_confirmation"})
	a.must("/v1/payment_intents/"+intent+"/confirm", card)
	a.post("/v1/payment_intents", "amount=1000&currency=usd&confirm=true").wants(t, http.StatusBadRequest, map[string]any{"error.param": nil})
	setUp := a.post("/v1/setup_intents", "confirm=true&payment_method=pm_card_visa")
	setUp.wants(t, http.StatusBadRequest, map[string]any{"error.message": strings.Replace(setUp.text("error.message"), "PaymentIntent", "SetupIntent", 1)})
	if n := len(ids(a.get("/v1/setup_intents", ""))); n != 0 || len(ids(a.get("/v1/payment_intents", ""))) != 6 {
		t.Errorf("a refused creation left something: %d", n)
	}
}

// TestRefusalsShowTheIntent: also where the parameters are at fault; but not to a browser that does not know the client secret.
func TestRefusalsShowTheIntent(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&metadata[cost]=7").text("id")
	path := "/v1/payment_intents/" + intent
	for _, form := range []string{"amount=x", "amuont=1", "amount=1", "payment_method=pm_none", "customer=cus_none"} {
		a.post(path, form).wants(t, http.StatusBadRequest, map[string]any{"error.payment_intent.id": intent, "error.payment_intent.metadata.cost": "7"})
	}
	a.post(path+"/cancel", "amount=1&currency=usd").wants(t, http.StatusBadRequest, map[string]any{"error.payment_intent.id": intent, "error.message": "Received unknown parameters: amount, currency"})
	for _, form := range []string{"", "client_secret=x", "client_secret=x&amuont=1"} {
		got := a.post(path+"/confirm", form, "Authorization", "Bearer pk"+strings.TrimPrefix(a.key, "sk"))
		got.wants(t, http.StatusBadRequest, map[string]any{"error.payment_intent": nil})
	}
	a.post("/v1/payment_intents/pi_none", "amount=1").wants(t, http.StatusNotFound, map[string]any{"error.payment_intent": nil})
}

// TestContradictions: parameters that exclude each other, and a refund in another currency.
func TestContradictions(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const data = "&payment_method_data[type]=card&payment_method_data[card][token]=tok_visa"
	for form, other := range map[string]string{
		"&payment_method=pm_card_visa" + data:                                                                "payment_method, payment_method_data",
		"&automatic_payment_methods[enabled]=true&payment_method_types[]=card":                               "automatic_payment_methods, payment_method_types",
		"&automatic_payment_methods[enabled]=true&confirmation_method=automatic&payment_method=pm_card_amex": "automatic_payment_methods, confirmation_method",
	} {
		a.post("/v1/payment_intents", "amount=1000&currency=usd"+form).wants(t, http.StatusBadRequest, map[string]any{
			"error.code": "parameters_exclusive", "error.message": "You may only specify one of these parameters: " + other + "."})
	}
	const away = "You cannot confirm with `off_session=true` when `setup_future_usage` is also set on the PaymentIntent."
	later := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&payment_method=pm_card_visa&setup_future_usage=off_session").text("id")
	for path, form := range map[string]string{"/v1/payment_intents": pay + "&payment_method=pm_card_visa&setup_future_usage=on_session&off_session=true", "/v1/payment_intents/" + later + "/confirm": "off_session=true"} {
		if got := a.post(path, form); got.status != http.StatusBadRequest || !strings.HasPrefix(got.text("error.message"), away) {
			t.Errorf("%s: %d %s", path, got.status, got.raw)
		}
	}
	paid := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").text("id")
	a.post("/v1/refunds", "currency=eur&payment_intent="+paid).wants(t, http.StatusBadRequest, map[string]any{"error.param": "currency"})
	a.must("/v1/refunds", "currency=usd&payment_intent="+paid)
}

// TestLetGo: what was held and is let go, by hand or in part, is no refund.
func TestLetGo(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const held = "amount=1000&currency=usd&payment_method_types[]=card&capture_method=manual&confirm=true&payment_method=pm_card_visa"
	intent := a.must("/v1/payment_intents", held)
	a.must("/v1/payment_intents/"+intent.text("id")+"/cancel", "cancellation_reason=abandoned").wants(t, http.StatusOK, map[string]any{"status": "canceled", "cancellation_reason": "abandoned"})
	a.get("/v1/charges/"+intent.text("latest_charge"), "").wants(t, http.StatusOK, map[string]any{"amount": "1000", "amount_captured": "0", "amount_refunded": "0", "captured": false, "refunded": false})
	intent = a.must("/v1/payment_intents", held)
	a.must("/v1/payment_intents/"+intent.text("id")+"/capture", "amount_to_capture=400").wants(t, http.StatusOK, map[string]any{"amount_received": "400", "amount_capturable": "0"})
	a.get("/v1/charges/"+intent.text("latest_charge"), "expand[]=refunds&expand[]=balance_transaction").wants(t, http.StatusOK, map[string]any{
		"amount_captured": "400", "amount_refunded": "0", "refunded": false, "balance_transaction.amount": "400", "refunds.data.0": nil})
	if slices.ContainsFunc(a.types(), func(kind string) bool { return strings.Contains(kind, "refund") }) {
		t.Errorf("events %v", a.types())
	}
	if n := len(ids(a.get("/v1/refunds", ""))); n != 0 {
		t.Errorf("%d refunds", n)
	}
}

// TestRefundFates: refunds that are pending at first, and those that the customer's bank returns.
func TestRefundFates(t *testing.T) {
	t.Parallel()
	a := bare(t)
	charge := func(card string) string {
		return a.must("/v1/payment_intents", pay+"&payment_method=pm_card_"+card).text("latest_charge")
	}
	ch := charge("pendingRefund")
	refund := a.must("/v1/refunds", "charge="+ch)
	refund.wants(t, http.StatusOK, map[string]any{"status": "pending", "pending_reason": "processing"})
	a.get("/v1/charges/"+ch, "").wants(t, http.StatusOK, map[string]any{"refunded": true, "amount_refunded": "1000"})
	a.clock.Advance(10 * time.Second)
	a.get("/v1/refunds/"+refund.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "succeeded", "pending_reason": nil, "failure_reason": nil})
	ch = charge("refundFail")
	refund = a.must("/v1/refunds", "charge="+ch+"&amount=600")
	refund.wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": "282"}) // 941 - 1000 and 941 - 600
	a.clock.Advance(10 * time.Second)
	a.get("/v1/refunds/"+refund.text("id"), "expand[]=failure_balance_transaction").wants(t, http.StatusOK, map[string]any{"status": "failed", "failure_reason": "expired_or_canceled_card",
		"failure_balance_transaction.type": "refund_failure", "failure_balance_transaction.net": "600", "failure_balance_transaction.source": refund.text("id")})
	a.get("/v1/charges/"+ch, "").wants(t, http.StatusOK, map[string]any{"refunded": false, "amount_refunded": "0"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "0", "pending.0.amount": "882"}) // it settles as the refund would have
	a.get("/v1/events", "type=refund.failed").wants(t, http.StatusOK, map[string]any{"data.0.data.object.id": refund.text("id"), "data.0.data.object.status": "failed"})
	a.get("/v1/events", "type=charge.refund.updated&limit=1").wants(t, http.StatusOK, map[string]any{"data.0.data.previous_attributes.status": "succeeded"})
	a.must("/v1/refunds", "charge="+ch).wants(t, http.StatusOK, map[string]any{"amount": "1000"}) // it can be tried again
}

// TestEventsAge: events are kept for thirty days.
func TestEventsAge(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/customers", "")
	old := ids(a.get("/v1/events", ""))[0]
	a.clock.Advance(30 * 24 * time.Hour)
	a.must("/v1/customers", "")
	a.get("/v1/events/"+old, "").wants(t, http.StatusOK, nil)
	a.clock.Advance(time.Second)
	a.must("/v1/customers", "")
	a.get("/v1/events/"+old, "").wants(t, http.StatusNotFound, nil)
}

// TestRefusedCreationLeavesNothing: neither an object nor the payment method that it would have used, nor an event.
func TestRefusedCreationLeavesNothing(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	was := a.control(http.MethodGet, "/_sandbox/state", "").at("objects")
	for path, forms := range map[string][]string{
		"/v1/payment_intents": {
			"amount=1000&currency=usd&confirm=true", "amount=1000&currency=xyz&payment_method=pm_card_visa", "amount=1&currency=usd&payment_method=pm_card_visa&confirm=true",
			byNumber("4242424242424241"), pay + "&payment_method_data[type]=sepa_debit", pay + "&payment_method=pm_card_nothing", pay + "&payment_method=pm_card_visa&customer=cus_none",
			pay + "&payment_method=pm_card_visa&automatic_payment_methods[enabled]=true&payment_method_types[]=card", pay + "&payment_method=pm_card_visa&on_behalf_of=acct_1",
		},
		"/v1/setup_intents": {"confirm=true", "payment_method=pm_none", "customer=cus_none&payment_method=pm_card_visa", "usage=never"},
		"/v1/customers":     {"payment_method=pm_card_chargeDeclined", "payment_method=pm_none", "email=a%40b&invoice_settings[default_payment_method]=pm_none"},
		"/v1/payment_methods/pm_card_chargeDeclinedStolenCard/attach": {"customer=" + customer},
		"/v1/payment_methods/pm_card_visa/attach":                     {"", "customer=cus_none"},
		"/v1/payment_methods/pm_card_visa/detach":                     {""},
		"/v1/refunds": {"", "charge=ch_none", "payment_intent=pi_none", "charge=ch_none&amount=-1"},
	} {
		for _, form := range forms {
			if got := a.post(path, form); got.status < 400 || got.status > 501 || got.text("error.message") == "" {
				t.Errorf("%s %s: %d %s", path, form, got.status, got.raw)
			}
		}
	}
	if is := a.control(http.MethodGet, "/_sandbox/state", "").at("objects"); !reflect.DeepEqual(was, is) {
		t.Errorf("left behind: %v, before it was %v", is, was)
	}
}
