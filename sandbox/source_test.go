package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// redirectSource makes a source whose owner is to be led away, and is its page's address and its id.
func (a *api) redirectSource(kind, currency, more string) (id, page string) {
	a.t.Helper()
	made := a.must("/v1/sources", "type="+kind+"&amount=1500&currency="+currency+"&redirect[return_url]="+url.QueryEscape("https://shop.example/back?order=7")+more)
	return made.text("id"), made.text("redirect.url")
}

// visit asks for a page of the sandbox's and does not follow where it leads.
func (a *api) visit(method, page, form string) (status int, body, location string) {
	a.t.Helper()
	at := a.server.URL + page[strings.Index(page, "/redirect/"):]
	r, err := http.NewRequestWithContext(a.t.Context(), method, at, strings.NewReader(form))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := *a.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	got, err := client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return got.StatusCode, string(raw), got.Header.Get("Location")
}

// refused posts what is to be refused.
func (a *api) refused(status int, path, form string) {
	a.t.Helper()
	if got := a.post(path, form); got.status != status {
		a.t.Errorf("POST %s %s: %d %s", path, form, got.status, got.raw)
	}
}

var sourceToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// authorize answers a source's page.
func (a *api) authorize(page, outcome string) (location string) {
	a.t.Helper()
	_, body, _ := a.visit(http.MethodGet, page, "")
	token := sourceToken.FindStringSubmatch(body)
	if token == nil {
		a.t.Fatalf("the page has no form: %s", body)
	}
	status, body, location := a.visit(http.MethodPost, page, "outcome="+outcome+"&token="+token[1])
	if status != http.StatusSeeOther {
		a.t.Fatalf("the answer was %d %s", status, body)
	}
	return location
}

// TestSourcePage: an owner authorizes on the page, comes back with the source, and the source pays once.
func TestSourcePage(t *testing.T) {
	t.Parallel()
	a := bare(t)
	id, page := a.redirectSource("ideal", "eur", "&ideal[bank]=ing")
	back := a.authorize(page, "authorize")
	if !strings.HasPrefix(back, "https://shop.example/back?") || !strings.Contains(back, "source="+id) || !strings.Contains(back, "order=7") || !strings.Contains(back, "client_secret=src_client_secret_") {
		t.Errorf("the owner is sent to %s", back)
	}
	if is := a.get("/v1/sources/"+id, ""); is.text("status") != "chargeable" || is.text("redirect.status") != "succeeded" {
		t.Errorf("the source is %s", is.raw)
	}
	charge := a.must("/v1/charges", "amount=1500&currency=eur&source="+id)
	if charge.text("status") != "succeeded" || charge.text("payment_method_details.ideal.bank") != "ing" || !strings.HasPrefix(charge.text("id"), "py_") {
		t.Errorf("the charge is %s", charge.raw)
	}
	if is := a.get("/v1/sources/"+id, ""); is.text("status") != "consumed" {
		t.Errorf("the source is %s", is.raw)
	}
	a.refused(http.StatusBadRequest, "/v1/charges", "amount=1500&currency=eur&source="+id)
	if status, _, _ := a.visit(http.MethodGet, page, ""); status != http.StatusGone {
		t.Errorf("the page says %d afterwards", status)
	}
	if refund := a.post("/v1/refunds", "charge="+charge.text("id")); refund.text("status") == "failed" {
		t.Errorf("the refund is %s", refund.raw)
	}
}

// TestSourcePageRefuses: who refuses has a failed source; a wrong token, a wrong secret, a wrong outcome and a wrong method change nothing.
func TestSourcePageRefuses(t *testing.T) {
	t.Parallel()
	a := bare(t)
	id, page := a.redirectSource("bancontact", "eur", "")
	wrong := []struct {
		name, method, page, form string
		status                   int
	}{
		{"token", http.MethodPost, page, "outcome=authorize&token=x", http.StatusForbidden},
		{"outcome", http.MethodPost, page, "outcome=perhaps&token=x", http.StatusBadRequest},
		{"method", http.MethodDelete, page, "", http.StatusMethodNotAllowed},
		{"secret", http.MethodGet, page + "x", "", http.StatusNotFound},
		{"secret", http.MethodPost, page + "x", "outcome=authorize&token=x", http.StatusConflict},
		{"world", http.MethodGet, "/redirect/authenticate/0000000000000000/" + id, "", http.StatusNotFound},
		{"form", http.MethodPost, page, strings.Repeat("a", 5000), http.StatusBadRequest},
	}
	for _, w := range wrong {
		if status, body, _ := a.visit(w.method, w.page, w.form); status != w.status {
			t.Errorf("a wrong %s is answered %d %s", w.name, status, body)
		}
	}
	if is := a.get("/v1/sources/"+id, ""); is.text("status") != "pending" {
		t.Errorf("after them the source is %s", is.raw)
	}
	back := a.authorize(page, "fail")
	if is := a.get("/v1/sources/"+id, ""); is.text("status") != "failed" || is.text("redirect.failure_reason") != "user_abort" {
		t.Errorf("the source is %s", is.raw)
	}
	if events := a.get("/v1/events?type=source.failed", ""); !strings.Contains(events.raw, id) {
		t.Errorf("the failure is not announced: %s", events.raw)
	}
	if back == "" {
		t.Error("the owner is sent nowhere")
	}
	a.refused(http.StatusBadRequest, "/v1/charges", "amount=1500&currency=eur&source="+id)
}

// TestNoSourcePage: a source whose owner is led nowhere has no page, and nobody makes it chargeable there.
func TestNoSourcePage(t *testing.T) {
	t.Parallel()
	a := bare(t)
	tag := strings.Split(second(a.redirectSource("bancontact", "eur", "")), "/")[5]
	for _, form := range []string{"type=ach_credit_transfer&currency=usd&owner[email]=ada%40example.com"} {
		made := a.must("/v1/sources", form)
		if made.text("status") != "pending" || made.text("flow") == "redirect" {
			t.Fatal(made.raw)
		}
		page := "/redirect/authenticate/" + tag + "/" + made.text("id") + "?client_secret=" + made.text("client_secret")
		if status, body, _ := a.visit(http.MethodGet, page, ""); status != http.StatusNotFound {
			t.Errorf("its page: %d %s", status, body)
		}
		if status, body, _ := a.visit(http.MethodPost, page, "outcome=authorize&token="); status == http.StatusOK || status == http.StatusSeeOther {
			t.Errorf("its answer: %d %s", status, body)
		}
		a.get("/v1/sources/"+made.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "pending"})
	}
}

func second(_, two string) string { return two }

// TestSecureSource: a card that wants 3D Secure is charged after its holder has authenticated, and not before.
func TestSecureSource(t *testing.T) {
	t.Parallel()
	a := bare(t)
	card := a.post("/v1/sources", "type=card&card[number]=4000002760003184&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123")
	if card.text("card.three_d_secure") != "required" {
		t.Errorf("the card is %s", card.raw)
	}
	a.refused(http.StatusPaymentRequired, "/v1/charges", "amount=1500&currency=usd&source="+card.text("id"))
	id, page := a.redirectSource("three_d_secure", "usd", "&three_d_secure[card]="+card.text("id"))
	a.authorize(page, "authorize")
	charge := a.post("/v1/charges", "amount=1500&currency=usd&source="+id)
	if charge.text("payment_method_details.card.three_d_secure.result") != "authenticated" {
		t.Errorf("the charge is %s", charge.raw)
	}
}

// TestLateSources: what becomes of a debit is known later: it succeeds, fails, stays pending, or is disputed.
func TestLateSources(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for number, want := range map[string]string{"000123456789": "succeeded", "000111111113": "failed", "000000000009": "pending", "000555555559": "succeeded"} {
		owner := a.must("/v1/customers", "email=ada@example.com").text("id")
		account := a.must("/v1/customers/"+owner+"/sources", "source[object]=bank_account&source[country]=US&source[currency]=usd&source[routing_number]=110000000&source[account_number]="+number).text("id")
		a.refused(http.StatusBadRequest, "/v1/charges", "amount=1500&currency=usd&customer="+owner)
		a.post("/v1/customers/"+owner+"/sources/"+account+"/verify", "amounts[]=32&amounts[]=45")
		charge := a.must("/v1/charges", "amount=1500&currency=usd&customer="+owner)
		if charge.text("status") != "pending" {
			t.Errorf("%s: the charge is %s", number, charge.raw)
		}
		a.clock.Advance(time.Hour)
		is := a.get("/v1/charges/"+charge.text("id"), "")
		if is.text("status") != want {
			t.Errorf("%s: after an hour the charge is %s", number, is.raw)
		}
		if disputed := strings.Contains(is.raw, `"disputed":true`); disputed != (number == "000555555559") {
			t.Errorf("%s: disputed is %v", number, disputed)
		}
	}
}

// TestSourceOfBrowser: a page may make a source and look at it with its secret, and at no other.
func TestSourceOfBrowser(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/customers", "") // so that there is a world
	public := "Bearer pk" + strings.TrimPrefix(a.key, "sk")
	made := a.do(http.MethodPost, "/v1/sources", "type=card&token=tok_visa", "Authorization", public)
	if made.status != http.StatusOK {
		t.Fatalf("made is %s", made.raw)
	}
	for secret, status := range map[string]int{made.text("client_secret"): http.StatusOK, "x": http.StatusBadRequest, "": http.StatusBadRequest} {
		if got := a.do(http.MethodGet, "/v1/sources/"+made.text("id"), "client_secret="+secret, "Authorization", public); got.status != status {
			t.Errorf("with the secret %q it is %d %s", secret, got.status, got.raw)
		}
	}
}

// TestAlipayAccount: a version of 2015 shows an Alipay account as it was then, pays from it, and has no card for it.
func TestAlipayAccount(t *testing.T) {
	t.Parallel()
	a := bare(t)
	owner := a.must("/v1/customers", "").text("id")
	then := []string{"Stripe-Version", "2014-12-22"}
	made := a.post("/v1/customers/"+owner+"/sources", "source=tok_alipay", then...)
	made.wants(t, http.StatusOK, map[string]any{"object": "alipay_account", "reusable": true, "username": "test@example.com", "status": nil})
	id := made.text("id")
	charge := a.post("/v1/charges", "amount=1000&currency=usd&customer="+owner+"&source="+id, then...)
	charge.wants(t, http.StatusOK, map[string]any{"source.id": id, "source.object": "alipay_account", "source.reusable": true, "card": nil, "amount": "1000"})
	a.get("/v1/customers/"+owner+"/sources/"+id, "").wants(t, http.StatusOK, map[string]any{"object": "source", "type": "alipay", "usage": "reusable"})
}

// TestBankSourcesAreReadAsMethods: the numbers of a bank account are written and refused as those of payment methods are.
func TestBankSourcesAreReadAsMethods(t *testing.T) {
	t.Parallel()
	a := bare(t)
	becs := "type=au_becs_debit&currency=aud&owner[name]=Ada&au_becs_debit[account_number]=000123456&au_becs_debit[bsb_number]="
	if got := a.must("/v1/sources", becs+"000-000"); got.text("au_becs_debit.bsb_number") != "000000" || got.text("au_becs_debit.last4") != "3456" {
		t.Errorf("the source is %s", got.raw)
	}
	a.post("/v1/sources", becs+"00000").wants(t, http.StatusBadRequest, map[string]any{"error.code": "invalid_number", "error.param": "au_becs_debit[bsb_number]"})
	ach := a.must("/v1/sources", "type=ach_debit&currency=usd&owner[name]=Ada&ach_debit[account_number]=0001+2345+6789&ach_debit[routing_number]=110-000-000")
	if ach.text("ach_debit.routing_number") != "110000000" || ach.text("ach_debit.last4") != "6789" {
		t.Errorf("the source is %s", ach.raw)
	}
}
