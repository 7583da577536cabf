package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSecure is what each card of 3D Secure does: on session, off session, and off session after it has been set up.
func TestSecure(t *testing.T) {
	t.Parallel()
	const action, paid = "requires_action", "succeeded"
	for _, c := range []struct{ card, onSession, offSession, setUp, asked string }{
		{"visa", paid, paid, paid, "attempt_acknowledged"},
		{"amex", paid, paid, paid, "not_supported"},
		{"authenticationRequiredOnSetup", action, "authentication_required", paid, action},
		{"authenticationRequired", action, "authentication_required", "authentication_required", action},
		{"authenticationRequiredSetupForOffSession", action, paid, paid, action},
		{"authenticationRequiredChargeDeclinedInsufficientFunds", action, "authentication_required", "card_declined", action},
		{"threeDSecure2Required", action, "authentication_required", "authentication_required", action},
		{"threeDSecureRequiredChargeDeclined", action, "authentication_required", "authentication_required", action},
		{"threeDSecureRequiredProcessingError", "card_declined", "card_declined", "card_declined", "card_declined"},
		{"threeDSecureOptional", paid, paid, paid, action},
		{"threeDSecureOptionalProcessingError", paid, paid, paid, "card_declined"},
	} {
		t.Run(c.card, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			outcome := func(got answer) string {
				if got.status != http.StatusOK {
					return got.text("error.code")
				}
				return got.text("status")
			}
			form := pay + "&payment_method=pm_card_" + c.card
			if got := outcome(a.post("/v1/payment_intents", form)); got != c.onSession {
				t.Errorf("on session: %s, want %s", got, c.onSession)
			}
			if got := outcome(a.post("/v1/payment_intents", form+"&off_session=true")); got != c.offSession {
				t.Errorf("off session: %s, want %s", got, c.offSession)
			}
			asked := a.post("/v1/payment_intents", form+"&payment_method_options[card][request_three_d_secure]=any&expand[]=latest_charge")
			got := outcome(asked)
			if got == paid {
				got = asked.text("latest_charge.payment_method_details.card.three_d_secure.result")
			}
			if got != c.asked {
				t.Errorf("asked: %s, want %s", got, c.asked)
			}
			customer := a.must("/v1/customers", "").text("id")
			setUp := a.post("/v1/setup_intents", "customer="+customer+"&confirm=true&payment_method_types[]=card&payment_method=pm_card_"+c.card)
			if setUp.status != http.StatusOK {
				if c.setUp != "card_declined" {
					t.Errorf("set-up: %s", setUp.raw)
				}
				return
			}
			if setUp.text("status") == action {
				a.authenticate(setUp, "complete")
				setUp = a.get("/v1/setup_intents/"+setUp.text("id"), "")
			}
			setUp.wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
			again := pay + "&off_session=true&customer=" + customer + "&payment_method=" + setUp.text("payment_method")
			for range 2 { // a card that is kept can pay again and again
				if got := outcome(a.post("/v1/payment_intents", again)); got != c.setUp {
					t.Errorf("off session after set-up: %s, want %s", got, c.setUp)
				}
			}
		})
	}
}

var formToken = regexp.MustCompile(`name="token" value="([0-9A-Za-z]{32})"`)

// page is the address of the hosted page of an intent.
func (a *api) page(intent answer) string {
	a.t.Helper()
	if at := intent.text("next_action.redirect_to_url.url"); at != "" {
		return at
	}
	at := intent.text("next_action.use_stripe_sdk.stripe_js")
	if at == "" {
		a.t.Fatalf("no hosted page in %s", intent.raw)
	}
	return at
}

// authenticate opens the hosted page and presses a button; it gives the answer without following it.
func (a *api) authenticate(intent answer, outcome string) *http.Response {
	a.t.Helper()
	at := a.page(intent)
	shown := a.browse(http.MethodGet, at, nil)
	html, err := io.ReadAll(shown.Body)
	if err != nil || shown.StatusCode != http.StatusOK {
		a.t.Fatalf("hosted page: %d %v", shown.StatusCode, err)
	}
	token := formToken.FindSubmatch(html)
	if token == nil {
		a.t.Fatalf("no token in %s", html)
	}
	return a.browse(http.MethodPost, at, url.Values{"token": {string(token[1])}, "outcome": {outcome}})
}

// browse sends a request as a browser would, without a key.
func (a *api) browse(method, at string, form url.Values) *http.Response {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, at, strings.NewReader(form.Encode()))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	browser := *a.server.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	got, err := browser.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = got.Body.Close() })
	return got
}

func TestHostedPage(t *testing.T) {
	t.Parallel()
	const back = "https://shop.example.com/back?order=9"
	for _, c := range []struct{ name, card, outcome, redirect, status, code string }{
		{"completed", "threeDSecure2Required", "complete", "succeeded", "succeeded", ""},
		{"failed", "threeDSecure2Required", "fail", "failed", "requires_payment_method", "payment_intent_authentication_failure"},
		{"completed but declined", "threeDSecureRequiredChargeDeclined", "complete", "failed", "requires_payment_method", "card_declined"},
		{"completed but insufficient", "authenticationRequiredChargeDeclinedInsufficientFunds", "complete", "failed", "requires_payment_method", "card_declined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			intent := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_"+c.card+"&return_url="+escaped(back))
			intent.wants(t, http.StatusOK, map[string]any{"status": "requires_action", "next_action.type": "redirect_to_url", "next_action.redirect_to_url.return_url": back, "latest_charge": nil})
			got := a.authenticate(intent, c.outcome)
			if got.StatusCode != http.StatusSeeOther {
				t.Fatalf("status %d", got.StatusCode)
			}
			to, err := url.Parse(got.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			q := to.Query()
			if to.Host != "shop.example.com" || q.Get("order") != "9" || q.Get("payment_intent") != intent.text("id") ||
				q.Get("payment_intent_client_secret") != intent.text("client_secret") || q.Get("redirect_status") != c.redirect {
				t.Errorf("sent back to %s", to)
			}
			after := a.get("/v1/payment_intents/"+intent.text("id"), "expand[]=latest_charge")
			want := map[string]any{"status": c.status, "next_action": nil}
			if c.code != "" {
				want["last_payment_error.code"], want["payment_method"] = c.code, nil
			} else {
				want["latest_charge.payment_method_details.card.three_d_secure.result"] = "authenticated"
				want["latest_charge.payment_method_details.card.three_d_secure.authentication_flow"] = "challenge"
			}
			after.wants(t, http.StatusOK, want)
		})
	}
}

// TestHostedPageOnce: the form works once, only with its token, and not after the intent has moved on.
func TestHostedPageOnce(t *testing.T) {
	t.Parallel()
	a := bare(t)
	open := func() answer {
		return a.must("/v1/payment_intents", pay+"&payment_method=pm_card_threeDSecure2Required&return_url="+escaped("https://shop.example.com"))
	}
	intent := open()
	at := a.page(intent)
	if got := a.browse(http.MethodPost, at, url.Values{"token": {strings.Repeat("0", 32)}, "outcome": {"complete"}}); got.StatusCode != http.StatusForbidden {
		t.Errorf("a wrong token: %d", got.StatusCode)
	}
	if got := a.browse(http.MethodPost, at, url.Values{"outcome": {"complete"}}); got.StatusCode != http.StatusForbidden {
		t.Errorf("no token: %d", got.StatusCode)
	}
	if got := a.browse(http.MethodPost, at, url.Values{"outcome": {"maybe"}}); got.StatusCode != http.StatusBadRequest {
		t.Errorf("no outcome: %d", got.StatusCode)
	}
	if got := a.browse(http.MethodPut, at, nil); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", got.StatusCode)
	}
	html, err := io.ReadAll(a.browse(http.MethodGet, at, nil).Body)
	if err != nil {
		t.Fatal(err)
	}
	first := a.authenticate(intent, "complete").Header.Get("Location")
	if got := a.browse(http.MethodGet, at, nil); got.StatusCode != http.StatusGone {
		t.Errorf("the page is still open: %d", got.StatusCode)
	}
	for _, outcome := range []string{"complete", "fail"} { // a second click, or a browser's way back and another click
		again := a.browse(http.MethodPost, at, url.Values{"token": {string(formToken.FindSubmatch(html)[1])}, "outcome": {outcome}})
		if again.StatusCode != http.StatusSeeOther || again.Header.Get("Location") != first {
			t.Errorf("%s once more: %d %s, and first %s", outcome, again.StatusCode, again.Header.Get("Location"), first)
		}
	}
	a.get("/v1/payment_intents/"+intent.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	intent = open()
	at = a.page(intent)
	a.must("/v1/payment_intents/"+intent.text("id")+"/cancel", "")
	if got := a.browse(http.MethodGet, at, nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("the page of a canceled intent is open: %d", got.StatusCode)
	}
	intent = open()
	at = a.page(intent)
	a.must("/v1/payment_intents/"+intent.text("id")+"/confirm", "payment_method=pm_card_visa").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	if got := a.browse(http.MethodGet, at, nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("the page of an intent that another card has paid is open: %d", got.StatusCode)
	}
	if n := len(a.get("/v1/charges", "").list("data")); n != 2 {
		t.Errorf("%d charges, want 2", n)
	}
}

func TestReturnURL(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const form = "&payment_method=pm_card_threeDSecure2Required&return_url="
	for _, wrong := range []string{"shop.example.com", "/back", "https://", "https:///back", "javascript:alert(1)", "JavaScript://%0aalert(1)", "data:text/html,x", "https://shop.example.com/\x00", "http://[::1", "%zz"} {
		a.post("/v1/payment_intents", pay+form+escaped(wrong)).wants(t, http.StatusBadRequest, map[string]any{"error.code": "url_invalid", "error.param": "return_url", "error.message": "Not a valid URL"})
		intent := a.must("/v1/payment_intents", "amount=1000&currency=usd").text("id")
		a.post("/v1/payment_intents/"+intent+"/confirm", form[1:]+escaped(wrong)).wants(t, http.StatusBadRequest, map[string]any{"error.code": "url_invalid"})
		a.get("/v1/payment_intents/"+intent, "").wants(t, http.StatusOK, map[string]any{"status": "requires_payment_method", "payment_method": nil})
		setUp := a.must("/v1/setup_intents", "").text("id")
		a.post("/v1/setup_intents/"+setUp+"/confirm", form[1:]+escaped(wrong)).wants(t, http.StatusBadRequest, map[string]any{"error.code": "url_invalid"})
	}
	if n := len(a.get("/v1/payment_intents", "limit=100").list("data")); n != 10 {
		t.Errorf("%d intents, want those without a return_url", n)
	}
	for _, right := range []string{"myapp://back", "myapp:back", "http://localhost:3000?x=1#y"} {
		got := a.authenticate(a.must("/v1/payment_intents", pay+form+escaped(right)), "complete")
		if to := got.Header.Get("Location"); !strings.HasPrefix(to, right[:8]) || !strings.Contains(to, "redirect_status=succeeded") {
			t.Errorf("%s leads to %s", right, to)
		}
	}
}

// TestSpentMeanwhile: a card that was detached, deleted with its customer or spent while its holder was asked does not pay.
func TestSpentMeanwhile(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const asked = pay + "&payment_method="
	saved := func() (customer, card string) {
		customer = a.must("/v1/customers", "payment_method=pm_card_threeDSecure2Required").text("id")
		return customer, ids(a.get("/v1/customers/"+customer+"/payment_methods", ""))[0]
	}
	refused := func(what string, intent answer) {
		t.Helper()
		to := a.authenticate(intent, "complete").Header.Get("Location")
		a.get("/v1/payment_intents/"+intent.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "requires_payment_method", "payment_method": nil, "amount_received": "0",
			"last_payment_error.type": "invalid_request_error", "next_action": nil})
		if !strings.Contains(to, "redirect_status=failed") {
			t.Errorf("%s: the customer is sent to %s", what, to)
		}
	}
	const back = "&return_url=https%3A%2F%2Fshop.example.com"
	customer, card := saved()
	intent := a.must("/v1/payment_intents", asked+card+"&customer="+customer+back)
	a.must("/v1/payment_methods/"+card+"/detach", "")
	refused("detached", intent)
	customer, card = saved()
	intent = a.must("/v1/payment_intents", asked+card+"&customer="+customer+back)
	a.do(http.MethodDelete, "/v1/customers/"+customer, "")
	refused("deleted", intent)
	loose := a.must("/v1/payment_methods", "type=card&card[token]=tok_threeDSecure2Required").text("id")
	one, two := a.must("/v1/payment_intents", asked+loose+back), a.must("/v1/payment_intents", asked+loose+back)
	a.authenticate(one, "complete")
	refused("spent", two)
	if n := len(ids(a.get("/v1/charges", ""))); n != 1 {
		t.Errorf("%d charges", n)
	}
	customer, card = saved()
	setUp := a.must("/v1/setup_intents", "confirm=true&customer="+customer+"&payment_method_types[]=card&payment_method="+card+back)
	a.must("/v1/payment_methods/"+card+"/detach", "")
	a.authenticate(setUp, "complete")
	a.get("/v1/setup_intents/"+setUp.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "requires_payment_method", "last_setup_error.type": "invalid_request_error"})
}

// TestManualConfirmation: after the page, the server confirms again; then the money moves.
func TestManualConfirmation(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", pay+"&confirmation_method=manual&payment_method=pm_card_threeDSecure2Required")
	intent.wants(t, http.StatusOK, map[string]any{"status": "requires_action", "next_action.type": "use_stripe_sdk"})
	if got := a.authenticate(intent, "complete"); got.StatusCode != http.StatusOK {
		t.Errorf("without a return_url: %d", got.StatusCode)
	}
	id := intent.text("id")
	a.get("/v1/payment_intents/"+id, "").wants(t, http.StatusOK, map[string]any{"status": "requires_confirmation", "amount_received": "0"})
	browser := a.do(http.MethodPost, "/v1/payment_intents/"+id+"/confirm", "client_secret="+intent.text("client_secret"), "Authorization", "Bearer pk"+strings.TrimPrefix(a.key, "sk"))
	browser.wants(t, http.StatusBadRequest, nil)
	a.must("/v1/payment_intents/"+id+"/confirm", "").wants(t, http.StatusOK, map[string]any{"status": "succeeded", "amount_received": "1000"})
}

// TestBrowserConfirms: with the publishable key and the client secret, and sees less.
func TestBrowserConfirms(t *testing.T) {
	t.Parallel()
	a := bare(t)
	pk := "Bearer pk" + strings.TrimPrefix(a.key, "sk")
	customer := a.must("/v1/customers", "").text("id")
	intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&customer="+customer+"&setup_future_usage=off_session&metadata[secret]=1")
	path := "/v1/payment_intents/" + intent.text("id") + "/confirm"
	form := "payment_method_data[type]=card&payment_method_data[card][number]=4242424242424242&payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=2030"
	a.post(path, form, "Authorization", pk).wants(t, http.StatusBadRequest, map[string]any{"error.code": "parameter_missing"})
	a.post(path, form+"&client_secret=no", "Authorization", pk).wants(t, http.StatusBadRequest, nil)
	got := a.post(path, form+"&client_secret="+intent.text("client_secret"), "Authorization", pk)
	got.wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	for _, hidden := range []string{"metadata", "customer", "latest_charge"} {
		if _, seen := got.body[hidden]; seen {
			t.Errorf("a browser sees %s", hidden)
		}
	}
	saved := a.get("/v1/customers/"+customer+"/payment_methods", "").list("data")
	if len(saved) != 1 || !slices.Contains(a.types(), "payment_method.attached") {
		t.Errorf("the card was not kept: %v", saved)
	}
}
