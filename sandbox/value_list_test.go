package sandbox_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// TestDefaultLists: each account has two lists for each sort of value, and what is on one is allowed, or blocked.
func TestDefaultLists(t *testing.T) {
	t.Parallel()
	a := bare(t)
	all := a.get("/v1/radar/value_lists", "limit=100").list("data")
	if len(all) != 22 {
		t.Fatalf("there are %d default lists", len(all))
	}
	list := func(alias string) string {
		t.Helper()
		return a.get("/v1/radar/value_lists", "alias="+alias).text("data.0.id")
	}
	a.must("/v1/radar/value_list_items", "value_list="+list("card_country_blocklist")+"&value=DE")
	paid, charge := a.pays("de", "")
	paid.wants(t, http.StatusPaymentRequired, map[string]any{"error.decline_code": "merchant_blacklist"})
	charge.wants(t, http.StatusOK, map[string]any{"outcome.type": "blocked", "outcome.reason": "rule", "outcome.rule.id": "block_if_in_blocklist"})
	item := a.must("/v1/radar/value_list_items", "value_list="+list("email_allowlist")+"&value=ada@example.com").text("id")
	paid, charge = a.pays("de", "&receipt_email=ADA@example.com")
	paid.wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	charge.wants(t, http.StatusOK, map[string]any{"outcome.rule.id": "allow_if_in_allowlist"})
	if got := a.do(http.MethodDelete, "/v1/radar/value_list_items/"+item, ""); got.status != http.StatusOK {
		t.Fatal(got.raw)
	}
	if paid, _ = a.pays("de", "&receipt_email=ADA@example.com"); paid.status != http.StatusPaymentRequired {
		t.Errorf("an item that is gone still counts: %s", paid.raw)
	}
}

// TestMarks: a refund for fraud puts the card and the address on the block lists, once; a charge that is reported as safe does not.
func TestMarks(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for _, card := range []string{"visa", "visa"} {
		paid, charge := a.pays(card, "&receipt_email=mallory@example.com")
		if paid.status != http.StatusOK {
			paid.wants(t, http.StatusPaymentRequired, map[string]any{"error.decline_code": "merchant_blacklist"})
			break
		}
		a.must("/v1/charges/"+charge.text("id"), "fraud_details[user_report]=safe")
		if got := a.get("/v1/radar/value_lists", "contains=mallory@example.com").list("data"); len(got) != 0 {
			t.Error("a safe charge is on a block list")
		}
		a.must("/v1/refunds", "reason=fraudulent&amount=100&charge="+charge.text("id"))
		a.must("/v1/refunds", "reason=fraudulent&amount=100&charge="+charge.text("id"))
	}
	for alias, want := range map[string]string{"email_blocklist": "mallory@example.com", "card_fingerprint_blocklist": ""} {
		items := a.get("/v1/radar/value_lists", "alias="+alias).list("data.0.list_items.data")
		if len(items) != 1 || want != "" && items[0].(map[string]any)["value"] != want {
			t.Errorf("%s holds %v", alias, items)
		}
	}
	if paid, _ := a.pays("mastercard", "&receipt_email=Mallory@example.com"); paid.status != http.StatusPaymentRequired {
		t.Errorf("the address pays with another card: %s", paid.raw)
	}
}

// TestFirstMark: the lists need not have been asked for before.
func TestFirstMark(t *testing.T) {
	t.Parallel()
	a := bare(t)
	_, charge := a.pays("visa", "")
	a.must("/v1/charges/"+charge.text("id"), "fraud_details[user_report]=fraudulent")
	if paid, _ := a.pays("visa", ""); paid.status != http.StatusPaymentRequired {
		t.Errorf("the card pays: %s", paid.raw)
	}
}

// TestListItems: values fit the type of their list, and differ by case where fingerprints and case-sensitive text do.
func TestListItems(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for kind, values := range map[string][2][]string{
		"account":                     {{"acct_1a"}, {"cus_1", "acct"}},
		"card_bin":                    {{"424242", "42424242"}, {"4242", "42424a", "424242424242"}},
		"card_fingerprint":            {{"abC", "abc"}, {"a b"}},
		"case_sensitive_string":       {{"A", "a"}, {}},
		"country":                     {{"DE", "us"}, {"DEU", "1"}},
		"crypto_fingerprint":          {{"x1"}, {"-"}},
		"customer_id":                 {{"cus_1"}, {"acct_1"}},
		"email":                       {{"a@b.example"}, {"a", "a@", "@b", "a b@c"}},
		"ip_address":                  {{"192.0.2.1", "2001:db8::1"}, {"192.0.2", "192.0.2.0/24", "x"}},
		"sepa_debit_fingerprint":      {{"x"}, {"x y"}},
		"string":                      {{"Anything at all"}, {"anything AT all"}},
		"us_bank_account_fingerprint": {{"x"}, {"ä"}},
	} {
		list := a.must("/v1/radar/value_lists", "alias=of_"+kind+"&name=x&item_type="+kind).text("id")
		for _, value := range values[0] {
			a.must("/v1/radar/value_list_items", "value_list="+list+"&value="+url.QueryEscape(value))
		}
		for _, value := range values[1] {
			a.post("/v1/radar/value_list_items", "value_list="+list+"&value="+url.QueryEscape(value)).wants(t, http.StatusBadRequest, map[string]any{"error.param": "value"})
		}
	}
	if got := a.must("/v1/radar/value_lists", "alias=plain&name=x"); got.text("item_type") != "string" {
		t.Errorf("a list of no type is %s", got.raw)
	}
}

// TestListsAreBounded: a list holds 50,000 values, and goes with all of them.
func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	a := bare(t)
	list := a.must("/v1/radar/value_lists", "alias=long&name=Long&item_type=string").text("id")
	sandbox.FillList(a.sandbox(), a.key, list, 49_999)
	a.must("/v1/radar/value_list_items", "value_list="+list+"&value=the+last")
	a.post("/v1/radar/value_list_items", "value_list="+list+"&value=one+more").wants(t, http.StatusBadRequest, map[string]any{"error.param": "value_list"})
	a.get("/v1/radar/value_lists", "contains=THE+last").wants(t, http.StatusOK, map[string]any{"data.0.id": list, "data.0.list_items.has_more": true})
	block := a.rule("Block if :charge_description: IN @long")
	if paid, _ := a.pays("visa", "&description=Value+777"); paid.status != http.StatusPaymentRequired {
		t.Errorf("a payment on the list is answered %s", paid.raw)
	}
	a.steer(http.MethodDelete, "/_sandbox/radar/"+block, "")
	if gone := a.do(http.MethodDelete, "/v1/radar/value_lists/"+list, ""); gone.status != http.StatusOK {
		t.Fatal(gone.raw)
	}
	if left, all := a.steer(http.MethodGet, "/_sandbox/state", "").at("objects").(map[string]any); !all || left["radar.value_list_item"] != nil || left["radar.value_list"] == nil {
		t.Errorf("what is left: %v", left)
	}
}
