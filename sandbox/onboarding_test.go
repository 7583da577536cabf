package sandbox_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/clock"
)

// visitor is somebody with a browser that follows no redirects by itself.
type visitor struct {
	t *testing.T
	*http.Client
}

func newVisitor(t *testing.T) *visitor {
	return &visitor{t, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// get opens an address; to is where it leads.
func (v *visitor) get(page string) (status int, body, to string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, page, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.send(r)
}

// fill sends a form; a value "@name" is a file of that name, a PDF.
func (v *visitor) fill(page string, fields map[string]string) (status int, body, to string) {
	v.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for name, value := range fields {
		if file, is := strings.CutPrefix(value, "@"); is {
			part, err := form.CreateFormFile(name, file)
			if err != nil {
				v.t.Fatal(err)
			}
			_, _ = io.WriteString(part, "%PDF-1.7\n"+file)
			continue
		}
		if err := form.WriteField(name, value); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		v.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, page, &b)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	return v.send(r)
}

func (v *visitor) send(r *http.Request) (status int, body, to string) {
	v.t.Helper()
	got, err := v.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	to = got.Header.Get("Location")
	if at, err := r.URL.Parse(to); err == nil && to != "" {
		to = at.String()
	}
	return got.StatusCode, string(raw), to
}

// link makes an account link and opens it; form is where it leads.
func (v *visitor) link(a *api, account, kind string) (link, form string) {
	v.t.Helper()
	link = a.must("/v1/account_links", "account="+account+"&type="+kind+"&refresh_url="+url.QueryEscape("https://shop.example/again")+"&return_url="+url.QueryEscape("https://shop.example/back")).text("url")
	status, _, form := v.get(link)
	if status != http.StatusSeeOther || !strings.HasPrefix(form, link+"/") {
		v.t.Fatalf("the link leads to %d %s", status, form)
	}
	return link, form
}

// TestOnboarding: the form asks for exactly what is due, keeps what is right, says what is wrong, and ends at the return_url.
func TestOnboarding(t *testing.T) {
	t.Parallel()
	a, v := bare(t), newVisitor(t)
	id := a.must("/v1/accounts", "type=express&country=DE").text("id")
	link, form := v.link(a, id, "account_onboarding")
	if status, _, to := v.get(link); status != http.StatusSeeOther || to != "https://shop.example/again" {
		t.Errorf("a link that was used leads to %d %s", status, to)
	}
	_, page, _ := v.get(form)
	for _, field := range []string{"business_type", "business_profile.mcc", "business_profile.url", "external_account", "representative.first_name", "representative.dob.day", "tos_acceptance.date"} {
		if !strings.Contains(page, `name="`+field+`"`) {
			t.Errorf("the form does not ask for %s", field)
		}
	}
	if strings.Contains(page, "company.name") {
		t.Error("the form asks for a company before there is one")
	}
	status, _, to := v.fill(form, map[string]string{"business_type": "individual", "business_profile.mcc": "1520"})
	if status != http.StatusSeeOther || to != form {
		t.Fatalf("a part of the form leads to %d %s", status, to)
	}
	_, page, _ = v.get(form)
	if strings.Contains(page, "business_profile.mcc") || !strings.Contains(page, `name="individual.first_name"`) {
		t.Errorf("the form asks again for what was said, or not for what follows from it:\n%s", page)
	}
	all := map[string]string{"business_profile.url": "https://kowalska.example", "individual.first_name": "Anna", "individual.last_name": "Kowalska", "individual.dob.day": "1", "individual.dob.month": "1",
		"individual.dob.year": "1980", "individual.email": "anna@kowalska.example", "individual.phone": "030 1234567", "individual.address.line1": "Hauptstr. 1", "individual.address.city": "Berlin",
		"individual.address.postal_code": "1011", "external_account": "DE00", "tos_acceptance.date": "true"}
	status, page, _ = v.fill(form, all)
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, "Invalid DE postal code") || !strings.Contains(page, "You must use a test bank account number") || !strings.Contains(page, `role="alert"`) {
		t.Fatalf("what is wrong: %d\n%s", status, page)
	}
	all["individual.address.postal_code"], all["external_account"] = "10115", "DE89370400440532013000"
	if status, page, to = v.fill(form, all); status != http.StatusSeeOther || to != "https://shop.example/back" {
		t.Fatalf("at the end: %d %s\n%s", status, to, page)
	}
	a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "payouts_enabled": true, "details_submitted": true, "capabilities.card_payments": "active"})

	// Nobody was born that day: a document is asked for.
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":10}`)
	a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": false, "payouts_enabled": false, "requirements.past_due.0": "individual.verification.document",
		"requirements.errors.0.code": "verification_failed_keyed_identity"})
	_, form = v.link(a, id, "account_onboarding")
	if _, page, _ = v.get(form); strings.Count(page, "<input ") != 1 || !strings.Contains(page, "Provided identity information could not be verified") {
		t.Errorf("the form asks for more than the document, or does not say why:\n%s", page)
	}
	if status, _, to = v.fill(form, map[string]string{"individual.verification.document": "@passport.pdf"}); status != http.StatusSeeOther || to != "https://shop.example/back" {
		t.Fatalf("the document: %d %s", status, to)
	}
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":10}`)
	a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "payouts_enabled": true, "requirements.disabled_reason": nil})
	kinds := a.as(id).types()
	for _, want := range []string{"account.updated", "capability.updated", "person.created", "person.updated", "account.external_account.created"} {
		if !slices.Contains(kinds, want) {
			t.Errorf("no %s was announced: %v", want, kinds)
		}
	}
}

// TestOnboardingCompany: the form of a company asks for its people, and makes persons of them.
func TestOnboardingCompany(t *testing.T) {
	t.Parallel()
	a, v := bare(t), newVisitor(t)
	id := a.must("/v1/accounts", "type=custom&country=PL&business_type=company&capabilities[card_payments][requested]=true&capabilities[transfers][requested]=true"+
		"&business_profile[mcc]=1520&business_profile[url]=https://nowak.example&company[name]=Nowak&company[tax_id]=1234567890&company[phone]=%2B48221234567"+
		"&company[address][line1]=Dluga+1&company[address][city]=Warszawa&company[address][postal_code]=00-001").text("id")
	_, form := v.link(a, id, "account_onboarding")
	person := func(role string) map[string]string {
		return map[string]string{role + ".first_name": "Jan", role + ".last_name": "Nowak", role + ".email": "jan@nowak.example", role + ".dob.day": "1", role + ".dob.month": "1", role + ".dob.year": "1902"}
	}
	all := map[string]string{"representative.phone": "221234567", "representative.address.line1": "Dluga 1", "representative.address.city": "Warszawa", "representative.address.postal_code": "00-001",
		"representative.relationship.title": "Owner", "external_account": "PL61109010140000071219812874", "tos_acceptance.date": "true",
		"company.owners_provided": "true", "company.executives_provided": "true", "company.directors_provided": "true"}
	for _, role := range []string{"representative", "directors"} {
		for name, value := range person(role) {
			all[name] = value
		}
	}
	status, page, to := v.fill(form, all)
	if status != http.StatusSeeOther || to != "https://shop.example/back" {
		t.Fatalf("%d %s\n%s", status, to, page)
	}
	if n := len(a.get("/v1/accounts/"+id+"/persons", "").list("data")); n != 2 {
		t.Errorf("there are %d persons, want 2", n)
	}
	a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "payouts_enabled": true})
}

// TestEntrances: links, sessions and forms end, and nothing of another account or world opens them.
func TestEntrances(t *testing.T) {
	t.Parallel()
	a, v := bare(t), newVisitor(t)
	id := a.must("/v1/accounts", "type=express&country=DE").text("id")
	late := a.must("/v1/account_links", "account="+id+"&type=account_onboarding&refresh_url=https://shop.example/again&return_url=https://shop.example/back").text("url")
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":300}`)
	if status, _, to := v.get(late); status != http.StatusSeeOther || to != "https://shop.example/again" {
		t.Errorf("a link after five minutes leads to %d %s", status, to)
	}
	link, form := v.link(a, id, "account_onboarding")
	other := a.must("/v1/accounts", "type=express&country=DE").text("id")
	for _, page := range []string{strings.Replace(form, id, other, 1), form + "x", link + "/", link[:len(link)-1], strings.Replace(form, "/setup/e/", "/setup/e/0", 1)} {
		if status, _, to := v.get(page); status != http.StatusNotFound {
			t.Errorf("%s leads to %d %s", page, status, to)
		}
	}
	if status, _, to := v.fill(form, map[string]string{"leave": "now", "business_profile.mcc": "1520"}); status != http.StatusSeeOther || to != "https://shop.example/back" {
		t.Errorf("who leaves is led to %d %s", status, to)
	}
	a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"business_profile.mcc": "1520", "details_submitted": false})
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, form, strings.NewReader("business_type=individual"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if status, _, _ := v.send(r); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of another kind: %d", status)
	}
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":90000}`)
	if status, _, to := v.get(form); status != http.StatusSeeOther || to != "https://shop.example/again" {
		t.Errorf("a form after a day leads to %d %s", status, to)
	}
}

// TestExpressDashboard: a login link opens the Dashboard, once.
func TestExpressDashboard(t *testing.T) {
	t.Parallel()
	a, v := bare(t), newVisitor(t)
	id := a.must("/v1/accounts", "type=express&country=DE&business_type=individual&business_profile[mcc]=1520&business_profile[url]=https://x.example&business_profile[name]=Kowalska").text("id")
	_, form := v.link(a, id, "account_onboarding")
	if status, page, _ := v.fill(form, map[string]string{"individual.first_name": "Anna", "individual.last_name": "Kowalska", "individual.dob.day": "1", "individual.dob.month": "1", "individual.dob.year": "1901",
		"individual.email": "anna@x.example", "individual.phone": "0301234567", "individual.address.line1": "address_full_match", "individual.address.city": "Berlin", "individual.address.postal_code": "10115",
		"external_account": "DE89370400440532013000", "tos_acceptance.date": "true"}); status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", status, page)
	}
	link := a.must("/v1/accounts/"+id+"/login_links", "").text("url")
	status, _, to := v.get(link)
	if status != http.StatusSeeOther {
		t.Fatalf("the link: %d", status)
	}
	if status, page, _ := v.get(to); status != http.StatusOK || !strings.Contains(page, "Kowalska") || !strings.Contains(page, "Payouts are on") {
		t.Errorf("the Dashboard: %d\n%s", status, page)
	}
	if status, _, _ := v.get(link); status != http.StatusNotFound {
		t.Errorf("the link again: %d", status)
	}
	if status, _, _ := v.get(to[:len(to)-1]); status != http.StatusNotFound {
		t.Errorf("another session: %d", status)
	}
}

// TestAccountsAreKept: a restart and a fork have the accounts with all that is known of them, what is being looked into, and the form that
// is open.
func TestAccountsAreKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a, v := kept(t, folder, key, held), newVisitor(t)
	id := a.must("/v1/accounts", "country=DE"+strings.Replace(aSeller, "[year]=1902", "[year]=1980", 1)+"&company[name]=Kowalska").text("id")
	bare := a.must("/v1/accounts", "type=express&country=PL").text("id")
	_, form := v.link(a, bare, "account_onboarding")
	before := a.get("/v1/accounts/"+id, "").raw + a.get("/v1/accounts/"+bare, "").raw + a.get("/v1/accounts/"+id+"/persons", "").raw
	a.sandbox().Close()

	again := kept(t, folder, key, held)
	fork := again.beside("fork")
	again.steer(http.MethodPost, "/_sandbox/fork", `{"to":"`+fork.key+`"}`)
	for name, one := range map[string]*api{"a restart": again, "a fork": fork} {
		if after := one.get("/v1/accounts/"+id, "").raw + one.get("/v1/accounts/"+bare, "").raw + one.get("/v1/accounts/"+id+"/persons", "").raw; after != before {
			t.Errorf("after %s:\n%s\nbefore:\n%s", name, after, before)
		}
		one.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":3}`)
		one.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": false, "requirements.errors.0.code": "verification_failed_keyed_identity", "company.name": "Kowalska"})
	}
	if status, page, _ := v.get(again.server.URL + form[strings.Index(form, "/setup/"):]); status != http.StatusOK || !strings.Contains(page, bare) {
		t.Errorf("the form after a restart: %d\n%s", status, page)
	}
}
