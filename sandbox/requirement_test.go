package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// TestMagicValues is what each value of the test mode leads to: the code of the error, and what of charges and payouts is left.
func TestMagicValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		country, change, code, due string
		charges, payouts           bool
	}{
		{"DE", "business_profile[url]=https://accessible.stripe.com", "", "", true, true},
		{"DE", "business_profile[url]=https://disallowed.stripe.com", "invalid_url_denylisted", "business_profile.url", false, false},
		{"DE", "business_profile[url]=https://geoblocked.stripe.com", "invalid_url_website_inaccessible_geoblocked", "business_profile.url", false, false},
		{"DE", "business_profile[url]=https://problem.stripe.com", "invalid_url_website_other", "business_profile.url", false, false},
		{"DE", "business_profile[url]=https://missing.stripe.com", "invalid_url_website_incomplete", "business_profile.url", false, false},
		{"DE", "business_profile[url]=https://mismatch.stripe.com", "invalid_url_website_business_information_mismatch", "business_profile.url", false, false},
		{"DE", "business_profile[url]=https://passwordprotected.stripe.com", "invalid_url_website_inaccessible_password_protected", "business_profile.url", false, false},
		{"DE", "business_profile[url]=https://underconstruction.stripe.com", "invalid_url_website_incomplete_under_construction", "business_profile.url", false, false},
		{"DE", "business_profile[url]=https://inaccessible.stripe.com", "invalid_url_website_inaccessible", "business_profile.url", false, false},
		{"DE", "business_profile[product_description]=require_url", "invalid_url_web_presence_detected", "business_profile.url", false, false},
		{"DE", "business_profile[name]=disallowed_dba", "invalid_business_profile_name_denylisted", "business_profile.name", false, false},
		{"DE", "business_profile[name]=invalid_dba", "invalid_business_profile_name", "business_profile.name", false, false},
		{"DE", "settings[payments][statement_descriptor]=mismatch", "invalid_statement_descriptor_business_mismatch", "settings.payments.statement_descriptor", false, false},
		{"DE", "settings[payments][statement_descriptor]=disallowed", "invalid_statement_descriptor_denylisted", "settings.payments.statement_descriptor", false, false},
		{"DE", "settings[card_payments][statement_descriptor_prefix]=mismatch", "invalid_statement_descriptor_prefix_mismatch", "settings.card_payments.statement_descriptor_prefix", false, false},
		{"DE", "settings[card_payments][statement_descriptor_prefix]=disallowed", "invalid_statement_descriptor_prefix_denylisted", "settings.card_payments.statement_descriptor_prefix", false, false},
		{"DE", "individual[address][line1]=address_no_match", "verification_failed_address_match", "individual.verification.additional_document", true, false},
		{"DE", "individual[address][line1]=address_line1_no_match", "verification_failed_address_match", "individual.verification.additional_document", false, false},
		{"DE", "individual[dob][day]=2&individual[dob][month]=1&individual[dob][year]=1901", "verification_failed_keyed_identity", "individual.verification.document", false, false},
		{"DE", "individual[verification][document][front]=file_identity_document_failure", "verification_document_failed_other", "individual.verification.document", false, false},
		{"US", "individual[id_number]=111111111", "verification_failed_id_number_match", "individual.id_number", false, false},
		{"US", "individual[id_number]=222222222", "", "", true, true},
		{"DE", "external_account[object]=bank_account&external_account[country]=US&external_account[currency]=eur&external_account[routing_number]=110000000&external_account[account_number]=000999999992", "verification_failed_other", "documents.bank_account_ownership_verification.files", true, false},
		{"DE", "external_account[object]=bank_account&external_account[country]=US&external_account[currency]=eur&external_account[routing_number]=110000000&external_account[account_number]=000999999991", "", "", true, true},
	} {
		t.Run(c.change, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			form := "country=" + c.country + aSeller + "&business_profile[name]=Kowalska"
			if c.country == "US" {
				form = strings.NewReplacer("[postal_code]=10115", "[postal_code]=94107&individual[address][state]=CA&individual[id_number]=000000000", "%2B49301234567", "0000000000").Replace(form)
			}
			id := a.must("/v1/accounts", form).text("id")
			a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":3}`)
			a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "payouts_enabled": true, "individual.verification.status": "verified"})
			a.must("/v1/accounts/"+id, c.change)
			a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":3}`)
			var code, due any
			if c.code != "" {
				code, due = c.code, c.due
			}
			a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": c.charges, "payouts_enabled": c.payouts, "requirements.errors.0.code": code,
				"requirements.errors.0.requirement": due, "requirements.past_due.0": due})
		})
	}
}

// TestListed: who is on a list of sanctions is switched off, and a site without activity pauses payments.
func TestListed(t *testing.T) {
	t.Parallel()
	a := bare(t)
	id := a.must("/v1/accounts", "country=DE"+aSeller).text("id")
	a.must("/v1/accounts/"+id, "business_profile[url]=https://inactivity.stripe.com")
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":3}`)
	a.get("/v1/accounts/"+id+"/capabilities/card_payments", "").wants(t, http.StatusOK, map[string]any{"status": "inactive", "requirements.disabled_reason": "paused.inactivity"})
	a.get("/v1/accounts/"+id+"/capabilities/transfers", "").wants(t, http.StatusOK, map[string]any{"status": "active"})
	a.must("/v1/accounts/"+id, "business_profile[url]=https://seller.example&individual[dob][day]=1&individual[dob][month]=1&individual[dob][year]=1900")
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":3}`)
	a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": false, "payouts_enabled": false, "requirements.disabled_reason": "listed"})
}

// TestTriggerCards: a charge with a card of these changes what is asked of the account that it pays, made there or on its behalf.
func TestTriggerCards(t *testing.T) {
	t.Parallel()
	a := bare(t)
	made := func() *api {
		return a.as(a.must("/v1/accounts", "country=DE"+aSeller).text("id"))
	}
	pay := func(by *api, card, more string) {
		by.must("/v1/payment_intents", "amount=1000&currency=eur&payment_method_types[]=card&confirm=true&payment_method=pm_card_visa_"+card+more)
	}
	next, charges, payouts := made(), made(), made()
	pay(next, "triggerNextRequirements", "")
	a.get("/v1/accounts/"+next.account, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "requirements.currently_due.0": "individual.verification.document",
		"requirements.past_due.0": nil, "requirements.current_deadline": "1768824000"})
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":1209600}`)
	a.get("/v1/accounts/"+next.account, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": false, "requirements.past_due.0": "individual.verification.document"})
	pay(charges, "triggerChargeBlock", "")
	a.get("/v1/accounts/"+charges.account, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": false, "capabilities.transfers": "active"})
	pay(a, "triggerPayoutBlock", "&on_behalf_of="+payouts.account+"&transfer_data[destination]="+payouts.account)
	a.get("/v1/accounts/"+payouts.account, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "payouts_enabled": false})
	a.must("/v1/accounts/"+payouts.account, "individual[verification][document][front]=file_identity_document_success")
	a.get("/v1/accounts/"+payouts.account, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "payouts_enabled": true})
}

// TestRecordedAccounts: accounts abroad that only receive, and one in Japan, stand as recorded replies show them.
func TestRecordedAccounts(t *testing.T) {
	t.Parallel()
	a := bare(t)
	agreed := "&tos_acceptance[date]=1427846400&tos_acceptance[ip]=54.234.242.13"
	recipient := "type=custom&requested_capabilities[0]=transfers&tos_acceptance[service_agreement]=recipient" + agreed
	person := "&business_type=individual&individual[first_name]=Chuck&individual[last_name]=Bartowski&individual[email]=chuck@gum.com&individual[phone]=0000000000&individual[dob][day]=1&individual[dob][month]=1&individual[dob][year]=1901"
	for country, bank := range map[string]string{"PH": "currency=php&account_number=01567890123456789&routing_number=BCDEPHM1123", "GM": "currency=gmd&account_number=000123000456000789&routing_number=AAAAGMGMXYZ"} {
		form := recipient + person + "&country=" + country
		for _, pair := range strings.Split(bank, "&") {
			name, value, _ := strings.Cut(pair, "=")
			form += "&bank_account[" + name + "]=" + value
		}
		a.must("/v1/accounts", form+"&bank_account[country]="+country).wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "payouts_enabled": true, "details_submitted": true,
			"requirements.eventually_due.0": "individual.verification.document", "requirements.past_due.0": nil, "requirements.disabled_reason": nil, "capabilities.transfers": "active"})
	}
	a.must("/v1/accounts", recipient+"&country=MX&business_type=company&company[name]=Buy+More&company[phone]=0000000000&bank_account[country]=MX&bank_account[currency]=mxn&bank_account[account_number]=000000001234567897").
		wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "payouts_enabled": true, "requirements.eventually_due.0": nil, "company.phone": "0000000000", "external_accounts.data.0.routing_number": "110000000"})
	a.must("/v1/accounts", "type=custom&country=JP&capabilities[card_payments][requested]=true&capabilities[transfers][requested]=true"+person+agreed+"&business_profile[mcc]=5192&business_profile[url]=https://x.example"+
		"&individual[address_kana][postal_code]=1000000&individual[address_kana][line1]=1&individual[address_kanji][postal_code]=1000000&external_account[country]=JP&external_account[currency]=jpy&external_account[account_number]=0001234&external_account[routing_number]=1100000").
		wants(t, http.StatusOK, map[string]any{"capabilities.card_payments": "active", "charges_enabled": true, "payouts_enabled": false, "requirements.past_due.0": "individual.verification.document"})
	for _, refused := range []string{"type=express&country=PH", recipient + "&country=US"} {
		if got := a.post("/v1/accounts", refused); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", refused, got.status)
		}
	}
	us := a.must("/v1/accounts", "type=custom&country=US&capabilities[transfers][requested]=true").text("id")
	if got := a.post("/v1/accounts/"+us, "external_account[object]=bank_account&external_account[country]=US&external_account[currency]=usd&external_account[routing_number]=111000000&external_account[account_number]=000123456789"); got.status != http.StatusOK || got.header.Get("Stripe-Account") != us {
		t.Errorf("another routing number: %d %s", got.status, got.raw)
	}
}

// FuzzParticulars: whatever is said, what is made of it is of its form.
func FuzzParticulars(f *testing.F) {
	for _, text := range []string{"030 1234567", "+48 22 123 45 67", "0000000000", "https://x.example", "Buy More, LLC", "individual.dob.day", "documents.proof_of_address.files"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if phone := sandbox.PhoneOf(text, "DE"); phone != "" && (phone[0] != '+' || len(phone) > 20 || strings.Trim(phone[1:], "0123456789") != "") {
			t.Errorf("%q is the number %q", text, phone)
		}
		if name := sandbox.AsDescriptor(text); len(name) > 22 || strings.ContainsAny(name, "<>\\'\"*") || name != strings.TrimSpace(name) {
			t.Errorf("%q is the descriptor %q", text, name)
		}
		if sandbox.IsSite(text) && strings.ContainsAny(text, " <>\"") {
			t.Errorf("%q is a site", text)
		}
		if param := sandbox.Bracketed(text); !strings.Contains(text, ".") && param != text {
			t.Errorf("%q is the parameter %q", text, param)
		}
	})
}
