package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// TestOneWorldInThreeVersions: a customer of 2015, charged by its card and by an intent, as 2015, 2020 and today see it.
func TestOneWorldInThreeVersions(t *testing.T) {
	t.Parallel()
	a := bare(t)
	old := []string{"Stripe-Version", "2015-01-26"}
	made := a.do(http.MethodPost, "/v1/customers", "card=tok_visa&account_balance=-500", old...)
	made.wants(t, http.StatusOK, map[string]any{"account_balance": "-500", "cards.data.0.brand": "Visa", "sources.total_count": "1", "subscriptions.object": "list"})
	customer, card := made.text("id"), made.text("default_card")
	charged := a.do(http.MethodPost, "/v1/charges", "amount=1000&currency=usd&customer="+customer+"&statement_descriptor=TEA", old...)
	charged.wants(t, http.StatusOK, map[string]any{"status": "paid", "card.id": card, "source.id": card, "source.last4": "4242", "source.customer": customer, "refunds.total_count": "0", "invoice": nil})
	a.do(http.MethodPost, "/v1/refunds", "amount=300&charge="+charged.text("id"), old...).wants(t, http.StatusOK, nil)
	intent := a.do(http.MethodPost, "/v1/payment_intents", "amount=700&currency=usd&customer="+customer+"&payment_method="+card+"&confirm=true", "Stripe-Version", "2020-08-27")
	intent.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "capture_method": "automatic", "charges.data.0.source.id": card, "charges.total_count": "1"})
	waits := a.do(http.MethodPost, "/v1/payment_intents", "amount=900&currency=usd&allowed_source_types[]=card", "Stripe-Version", "2018-11-08")
	waits.wants(t, http.StatusOK, map[string]any{"status": "requires_source", "allowed_source_types.0": "card", "next_source_action": nil})

	a.do(http.MethodGet, "/v1/customers/"+customer, "", "Stripe-Version", "2015-02-18").wants(t, http.StatusOK, map[string]any{"sources.data.0.id": card, "cards": nil, "account_balance": "-500"})
	a.do(http.MethodGet, "/v1/customers/"+customer, "", "Stripe-Version", "2020-08-27").wants(t, http.StatusOK, map[string]any{"sources": nil, "balance": "-500"})
	a.do(http.MethodGet, "/v1/charges/"+charged.text("id"), "expand[]=customer", "Stripe-Version", "2020-08-27").wants(t, http.StatusOK, map[string]any{"status": "succeeded", "refunds.data.0.amount": "300", "customer.id": customer, "card": nil, "source.id": card})
	now := a.get("/v1/charges/"+charged.text("id"), "")
	now.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "refunds": nil, "source": nil, "statement_descriptor": "TEA"})
	for txn, version := range map[string]string{"charge": "2015-08-07", "refund": "2015-08-19"} {
		list := a.do(http.MethodGet, "/v1/balance_transactions", "type=refund", "Stripe-Version", version)
		want := charged.text("id")
		if txn == "refund" {
			want = a.get("/v1/refunds", "").text("data.0.id")
		}
		list.wants(t, http.StatusOK, map[string]any{"data.0.source": want, "data.0.sourced_transfers.object": "list"})
	}
}

// TestOlderExpansion: what older versions have may be expanded by the name that it has there.
func TestOlderExpansion(t *testing.T) {
	t.Parallel()
	a := bare(t)
	old := []string{"Stripe-Version", "2015-01-26"}
	customer := a.do(http.MethodPost, "/v1/customers", "card=tok_visa&expand[]=default_card", old...)
	customer.wants(t, http.StatusOK, map[string]any{"default_card.object": "card", "default_source.last4": "4242"})
	charged := a.do(http.MethodPost, "/v1/charges", "amount=1000&currency=usd&card=tok_createDispute", old...).text("id")
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":3}`).wants(t, http.StatusOK, nil)
	a.do(http.MethodGet, "/v1/charges/"+charged, "expand[]=dispute&expand[]=card&expand[]=invoice", old...).wants(t, http.StatusOK, map[string]any{"dispute.object": "dispute", "dispute.charge": charged, "card.last4": "0259", "invoice": nil})
	a.do(http.MethodGet, "/v1/charges", "expand[]=data.dispute", old...).wants(t, http.StatusOK, map[string]any{"data.0.dispute.object": "dispute"})
	a.do(http.MethodGet, "/v1/charges/"+charged, "expand[]=nothing", old...).wants(t, http.StatusBadRequest, nil)
	a.get("/v1/charges/"+charged, "expand[]=dispute").wants(t, http.StatusBadRequest, nil)
}

// TestOlderVersionsInBrowsers: what a page may not see of an intent, it does not see in an older version either.
func TestOlderVersionsInBrowsers(t *testing.T) {
	t.Parallel()
	a := bare(t)
	paid := a.must("/v1/payment_intents", "amount=700&currency=usd&payment_method=pm_card_visa&confirm=true&payment_method_types[]=card")
	a.key = "pk" + strings.TrimPrefix(a.key, "sk")
	shown := a.do(http.MethodGet, "/v1/payment_intents/"+paid.text("id"), "client_secret="+paid.text("client_secret"), "Stripe-Version", "2018-11-08")
	shown.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "allowed_source_types.0": "card"})
	if shown.body["charges"] != nil {
		t.Errorf("a page sees the charges: %s", shown.raw)
	}
	if notice := shown.header.Get("Stripe-Notice"); !strings.Contains(notice, "outdated API version (2018-11-08)") {
		t.Errorf("the notice is %q", notice)
	}
}

// TestRefusalsInOlderVersions: an intent in a refusal is one of the request's version.
func TestRefusalsInOlderVersions(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.do(http.MethodPost, "/v1/payment_intents", "amount=700&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true", "Stripe-Version", "2018-11-08").
		wants(t, http.StatusPaymentRequired, map[string]any{"error.payment_intent.status": "requires_source", "error.payment_intent.charges.data.0.status": "failed", "error.payment_intent.last_payment_error.code": "card_declined"})
}

// TestEventsInVersions: an event keeps the version that the account had, and each endpoint gets it in its own.
func TestEventsInVersions(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.control(http.MethodPost, "/_sandbox/account", `{"api_version":"2015-01-26"}`).wants(t, http.StatusOK, map[string]any{"api_version": "2015-01-26"})
	got := map[string]chan map[string]any{}
	for _, version := range []string{"", "2020-08-27", "2026-08-26.dahlia"} {
		received := make(chan map[string]any, 10)
		got[version] = received
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var event map[string]any
			numbers := json.NewDecoder(r.Body)
			numbers.UseNumber()
			_ = numbers.Decode(&event)
			received <- event
		}))
		t.Cleanup(hook.Close)
		form := "enabled_events[]=charge.refunded&url=" + hook.URL
		if version != "" {
			form += "&api_version=" + version
		}
		a.post("/v1/webhook_endpoints", form).wants(t, http.StatusOK, nil)
	}
	charged := a.post("/v1/charges", "amount=1000&currency=usd&card=tok_visa")
	charged.wants(t, http.StatusOK, map[string]any{"status": "paid"})
	refunded := a.do(http.MethodPost, "/v1/refunds", "charge="+charged.text("id"), "Stripe-Version", "2026-08-26.dahlia").header.Get("Request-Id")

	kept := a.do(http.MethodGet, "/v1/events", "type=charge.refunded", "Stripe-Version", "2026-08-26.dahlia")
	kept.wants(t, http.StatusOK, map[string]any{"data.0.api_version": "2015-01-26", "data.0.request.id": refunded, "data.0.data.object.status": "paid", "data.0.data.object.refunds.total_count": "1", "data.0.data.previous_attributes.refunded": false})
	a.get("/v1/events", "type=charge.refunded").wants(t, http.StatusOK, map[string]any{"data.0.request": refunded, "data.0.data.object.card.brand": "Visa"})
	for version, want := range map[string]map[string]any{
		"":                  {"api_version": "2015-01-26", "request": refunded, "data.object.status": "paid", "data.object.card.brand": "Visa"},
		"2020-08-27":        {"api_version": "2020-08-27", "request.id": refunded, "data.object.status": "succeeded", "data.object.card": nil, "data.object.refunds.data.0.amount": "1000", "data.previous_attributes.refunds.total_count": "0"},
		"2026-08-26.dahlia": {"api_version": "2026-08-26.dahlia", "request.id": refunded, "data.object.status": "succeeded", "data.object.source": nil, "data.object.refunds": nil},
	} {
		answer{status: http.StatusOK, body: <-got[version]}.wants(t, http.StatusOK, want)
	}
}

// TestAccountsInOlderVersions: the world's own account as platforms of 2018 and of 2015 know accounts.
func TestAccountsInOlderVersions(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.do(http.MethodGet, "/v1/account", "", "Stripe-Version", "2018-11-08").wants(t, http.StatusOK, map[string]any{"payout_schedule.interval": "daily", "statement_descriptor": "TILL SANDBOX",
		"business_name": "Sandbox", "timezone": "Etc/UTC", "settings": nil, "business_profile": nil, "requirements": nil, "verification.disabled_reason": nil, "legal_entity.type": "company",
		"capabilities.platform_payments": "active", "type": "standard", "payouts_enabled": true})
	a.do(http.MethodGet, "/v1/account", "", "Stripe-Version", "2015-09-08").wants(t, http.StatusOK, map[string]any{"transfer_schedule.interval": "daily", "transfers_enabled": true, "managed": false, "type": nil})
	a.get("/v1/account", "").wants(t, http.StatusOK, map[string]any{"settings.payouts.schedule.interval": "daily", "legal_entity": nil, "capabilities.transfers": "active"})
}

// TestOlderParameters: what older versions call otherwise is taken by its newest name, wherever it was moved since.
func TestOlderParameters(t *testing.T) {
	t.Parallel()
	for _, one := range []struct{ version, request, form, path, want string }{
		{"2015-02-18", "POST /v1/accounts", "managed=true&country=US&legal_entity[type]=individual&legal_entity[first_name]=Ada&legal_entity[dob][day]=1&transfer_schedule[interval]=manual", "/v1/accounts",
			"type=custom&country=US&business_type=individual&individual[first_name]=Ada&individual[dob][day]=1&settings[payouts][schedule][interval]=manual"},
		{"2018-11-08", "POST /v1/accounts/acct_1", "legal_entity%5Btype%5D=company&legal_entity%5Baddress%5D%5Bcity%5D=Rome&legal_entity[business_name]=Tea&business_name=Tea&support_email=a@b.it", "/v1/accounts/acct_1",
			"business_type=company&company[address][city]=Rome&company[name]=Tea&business_profile[name]=Tea&business_profile[support_email]=a@b.it"},
		{"2018-11-08", "POST /v1/accounts", "settings[payouts][schedule][interval]=daily&metadata[legal_entity]=x", "/v1/accounts", "settings[payouts][schedule][interval]=daily&metadata[legal_entity]=x"},
		{"2015-02-18", "POST /v1/transfers", "amount=5&currency=usd&recipient=self&destination=default_for_currency", "/v1/payouts", "amount=5&currency=usd"},
		{"2015-02-18", "POST /v1/transfers", "amount=5&destination=acct_1", "/v1/transfers", "amount=5&destination=acct_1"},
		{"2017-04-06", "POST /v1/transfers", "amount=5", "/v1/transfers", "amount=5"},
		{"2015-02-18", "GET /v1/transfers/po_1", "", "/v1/payouts/po_1", ""},
		{"2014-11-20", "POST /v1/disputes/dp_1", "evidence=It+was+sent", "/v1/disputes/dp_1", "evidence[uncategorized_text]=It+was+sent"},
		{"2014-12-08", "POST /v1/disputes/dp_1", "evidence[receipt]=file_1", "/v1/disputes/dp_1", "evidence[receipt]=file_1"},
		{"2018-09-24", "POST /v1/payment_intents", "attempt_confirmation=true&source=card_1&source_type=x&allowed_source_types[0]=card&%zz=1", "/v1/payment_intents", "confirm=true&payment_method=card_1&source_type=x&payment_method_types[0]=card&%zz=1"},
		{"2019-10-16", "POST /v1/customers", "account_balance=5", "/v1/customers", "balance=5"},
		{"2019-10-17", "POST /v1/customers", "account_balance=5", "/v1/customers", "account_balance=5"},
	} {
		method, path, _ := strings.Cut(one.request, " ")
		path, form := sandbox.NewerRequest(one.version, method, path, one.form)
		got, _ := url.ParseQuery(form)
		want, _ := url.ParseQuery(one.want)
		if path != one.path || !reflect.DeepEqual(got, want) {
			t.Errorf("%s in %s with %s is %s with %s", one.request, one.version, one.form, path, form)
		}
	}
}

// TestVersionsAreKept: the account's version, and the lists of an event's object as they were then, are there after a restart.
func TestVersionsAreKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	a.steer(http.MethodPost, "/_sandbox/account", `{"api_version":"2020-08-27"}`)
	charged := a.must("/v1/charges", "amount=1000&currency=usd&source=tok_visa").text("id")
	a.must("/v1/refunds", "amount=300&charge="+charged)
	first := a.get("/v1/events", "type=charge.refunded").text("data.0.id")
	a.must("/v1/refunds", "amount=200&charge="+charged)
	before := a.get("/v1/events/"+first, "")
	before.wants(t, http.StatusOK, map[string]any{"api_version": "2020-08-27", "data.object.refunds.total_count": "1", "data.object.refunds.data.0.amount": "300"})
	a.sandbox().Close()
	again := kept(t, folder, key, held)
	if after := again.get("/v1/events/"+first, ""); after.raw != before.raw {
		t.Errorf("after a restart the event is\n%s\nand was\n%s", after.raw, before.raw)
	}
	again.get("/v1/charges/"+charged, "").wants(t, http.StatusOK, map[string]any{"refunds.total_count": "2"})
}
