package spec_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox/spec"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]struct {
		template string
		params   []spec.PathParam
	}{
		"GET /v1/payment_intents":                     {"/v1/payment_intents", nil},
		"GET /v1/payment_intents/search":              {"/v1/payment_intents/search", nil},
		"POST /v1/payment_intents/search":             {"/v1/payment_intents/{intent}", []spec.PathParam{{"intent", "search"}}},
		"GET /v1/payment_intents/pi_1":                {"/v1/payment_intents/{intent}", []spec.PathParam{{"intent", "pi_1"}}},
		"POST /v1/payment_intents/pi_1/confirm":       {"/v1/payment_intents/{intent}/confirm", []spec.PathParam{{"intent", "pi_1"}}},
		"GET /v1/customers/cus_1/sources/card_1":      {"/v1/customers/{customer}/sources/{id}", []spec.PathParam{{"customer", "cus_1"}, {"id", "card_1"}}},
		"DELETE /v1/coupons/50%25%20off":              {"/v1/coupons/{coupon}", []spec.PathParam{{"coupon", "50% off"}}},
		"GET /v1/coupons/50%":                         {"/v1/coupons/{coupon}", []spec.PathParam{{"coupon", "50%"}}},
		"GET /v1/coupons/a%2Fb":                       {"/v1/coupons/{coupon}", []spec.PathParam{{"coupon", "a/b"}}},
		"GET /v1/tax/transactions/tax_1":              {"/v1/tax/transactions/{transaction}", []spec.PathParam{{"transaction", "tax_1"}}},
		"POST /v1/test_helpers/test_clocks/c/advance": {"/v1/test_helpers/test_clocks/{test_clock}/advance", []spec.PathParam{{"test_clock", "c"}}},
	} {
		method, path, _ := strings.Cut(request, " ")
		op, params, ok := spec.Match(method, path)
		if !ok || op.Path() != want.template || op.Method() != method || !slices.Equal(params, want.params) {
			t.Errorf("%s is %v %v %v", request, op, params, ok)
		}
	}
}

func TestMatchOfNothing(t *testing.T) {
	t.Parallel()
	for _, request := range []string{
		"GET ", "GET /", "GET v1/charges", "GET /v1", "GET /v1/", "GET /v1/charges/", "GET //charges", "GET /v1/nothing", "PATCH /v1/charges", "DELETE /v1/charges",
		"GET /v1/charges/ch_1/refunds/re_1/x", "GET /v1/charges//refunds", "get /v1/charges", "GET /v1/{charge}",
	} {
		method, path, _ := strings.Cut(request, " ")
		if op, _, ok := spec.Match(method, path); ok {
			t.Errorf("%q is %v", request, op)
		}
	}
}

func TestEveryOperationIsFoundByItsTemplate(t *testing.T) {
	t.Parallel()
	if n := len(spec.Ops()); n < 500 {
		t.Fatalf("there are %d operations", n)
	}
	for i, op := range spec.Ops() {
		got, params, ok := spec.Match(op.Method(), op.Path())
		if !ok || got != op || op.ID() != i {
			t.Errorf("%v is found as %v %v", op, got, ok)
		}
		for _, p := range params {
			if p.Value != "{"+p.Name+"}" {
				t.Errorf("%v gives %v", op, params)
			}
		}
	}
}

func TestResults(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]struct {
		result, listed, found string
		all                   []string
	}{
		"POST /v1/payment_intents":                  {result: "payment_intent", all: []string{"payment_intent"}},
		"GET /v1/payment_intents":                   {listed: "payment_intent", all: []string{"payment_intent"}},
		"GET /v1/payment_intents/search":            {found: "payment_intent", all: []string{"payment_intent"}},
		"GET /v1/customers/cus_1":                   {result: "customer", all: []string{"customer", "deleted_customer"}},
		"DELETE /v1/customers/cus_1":                {result: "deleted_customer", all: []string{"deleted_customer"}},
		"GET /v1/accounts/acct_1/external_accounts": {listed: "bank_account", all: []string{"bank_account", "card"}},
		"GET /v1/quotes/qt_1/pdf":                   {},
	} {
		method, path, _ := strings.Cut(request, " ")
		op := operation(t, method, path)
		item, listed := op.ResultList()
		hit, found := op.ResultSearch()
		if op.Result() != want.result || item != want.listed || listed != (want.listed != "") || hit != want.found || found != (want.found != "") || !slices.Equal(op.Results(), want.all) {
			t.Errorf("%s answers %q, list of %q, search of %q, %v", request, op.Result(), item, hit, op.Results())
		}
	}
}
