package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// ask sends a form to OAuth with the platform's key.
func (a *api) ask(path, form string) answer {
	a.t.Helper()
	return a.do(http.MethodPost, path, form)
}

// client is what OAuth calls the platform.
func (a *api) client() string {
	a.t.Helper()
	return a.control(http.MethodGet, "/_sandbox/connect", "").text("client_id")
}

// TestOAuth: an account is connected on the page, its code is exchanged once, its key acts for it, and both end with the connection.
func TestOAuth(t *testing.T) {
	t.Parallel()
	a, v := bare(t), newVisitor(t)
	receiver := newReceiver(t)
	a.must("/v1/webhook_endpoints", "url="+escaped(receiver.URL)+"&connect=true&enabled_events[]=account.application.authorized&enabled_events[]=account.application.deauthorized")
	q := url.Values{"response_type": {"code"}, "client_id": {a.client()}, "scope": {"read_write"}, "state": {"s1"}, "redirect_uri": {"https://shop.example/connect?from=stripe"},
		"stripe_user[email]": {"owner@seller.example"}, "stripe_user[country]": {"PL"}}
	page := a.server.URL + "/oauth/authorize?" + q.Encode()
	if status, body, _ := v.get(page); status != http.StatusOK || !strings.Contains(body, "owner@seller.example") {
		t.Fatalf("the page: %d\n%s", status, body)
	}
	post := func(answer string) url.Values {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page, strings.NewReader("answer="+answer))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		status, body, to := v.send(r)
		if status != http.StatusSeeOther || !strings.HasPrefix(to, "https://shop.example/connect?") {
			t.Fatalf("%s leads to %d %s\n%s", answer, status, to, body)
		}
		u, _ := url.Parse(to)
		return u.Query()
	}
	if back := post("deny"); back.Get("error") != "access_denied" || back.Get("state") != "s1" || back.Get("from") != "stripe" {
		t.Errorf("denied: %v", back)
	}
	back := post("connect")
	code := back.Get("code")
	if code == "" || back.Get("scope") != "read_write" || back.Get("state") != "s1" {
		t.Fatalf("connected: %v", back)
	}
	a.ask("/oauth/token", "grant_type=authorization_code&code=ac_nobody").wants(t, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "Authorization code does not exist: ac_nobody"})
	a.ask("/oauth/token", "code="+code).wants(t, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
	a.ask("/oauth/token", "grant_type=password&code="+code).wants(t, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
	keys := a.ask("/oauth/token", "grant_type=authorization_code&code="+code)
	keys.wants(t, http.StatusOK, map[string]any{"token_type": "bearer", "scope": "read_write", "livemode": false})
	a.ask("/oauth/token", "grant_type=authorization_code&code="+code).wants(t, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
	a.idle() // the clock runs, so that events may overtake one another
	account := keys.text("stripe_user_id")
	a.get("/v1/accounts/"+account, "").wants(t, http.StatusOK, map[string]any{"type": "standard", "country": "PL", "email": "owner@seller.example", "charges_enabled": true, "payouts_enabled": true, "default_currency": "pln"})
	own := *a
	own.key = keys.text("access_token")
	own.get("/v1/account", "").wants(t, http.StatusOK, map[string]any{"id": account})
	customer := own.must("/v1/customers", "name=Ann").text("id")
	a.as(account).get("/v1/customers/"+customer, "").wants(t, http.StatusOK, map[string]any{"name": "Ann"})
	a.ask("/oauth/token", "grant_type=refresh_token&refresh_token="+keys.text("refresh_token")).wants(t, http.StatusOK, map[string]any{"access_token": own.key})
	a.ask("/oauth/deauthorize", "client_id=ca_nobody&stripe_user_id="+account).wants(t, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	a.ask("/oauth/deauthorize", "client_id="+a.client()+"&stripe_user_id="+account).wants(t, http.StatusOK, map[string]any{"stripe_user_id": account})
	a.ask("/oauth/deauthorize", "client_id="+a.client()+"&stripe_user_id="+account).wants(t, http.StatusUnauthorized, map[string]any{"error": "invalid_client",
		"error_description": "This application is not connected to stripe account " + account + ", or that account does not exist."})
	for name, got := range map[string]answer{"its key": own.get("/v1/customers", ""), "the platform": a.as(account).get("/v1/customers", ""), "the account": a.get("/v1/accounts/"+account, "")} {
		if got.status != http.StatusForbidden || got.text("error.code") != "account_invalid" {
			t.Errorf("after that %s: %d %s", name, got.status, got.raw)
		}
	}
	a.idle()
	for _, want := range []string{"account.application.authorized", "account.application.deauthorized"} {
		var event struct {
			Type, Account string
			Data          struct{ Object struct{ ID, Object string } }
		}
		if err := json.Unmarshal(receiver.next(t).body, &event); err != nil || event.Type != want || event.Account != account || event.Data.Object.ID != a.client() || event.Data.Object.Object != "application" {
			t.Errorf("%v, want %s of %s: %v", event, want, account, err)
		}
	}
}

// TestOAuthRefusals: the page says what is wrong with its address, and a grant to read is no grant to write.
func TestOAuthRefusals(t *testing.T) {
	t.Parallel()
	a, v := bare(t), newVisitor(t)
	right := url.Values{"response_type": {"code"}, "client_id": {a.client()}, "redirect_uri": {"https://shop.example/"}}
	for field, value := range map[string]string{"response_type": "token", "client_id": "ca_nobody", "redirect_uri": "shop", "scope": "all"} {
		q := url.Values{}
		for name, values := range right {
			q[name] = values
		}
		q.Set(field, value)
		if status, _, to := v.get(a.server.URL + "/oauth/authorize?" + q.Encode()); status < 400 || to != "" {
			t.Errorf("%s=%s: %d %s", field, value, status, to)
		}
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, a.server.URL+"/express/oauth/authorize?"+right.Encode(), strings.NewReader("answer=connect"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, _, to := v.send(r)
	u, _ := url.Parse(to)
	keys := a.ask("/oauth/token", "grant_type=authorization_code&code="+u.Query().Get("code"))
	keys.wants(t, http.StatusOK, map[string]any{"scope": "read_only"})
	seller := a.as(keys.text("stripe_user_id"))
	if got := seller.get("/v1/customers", ""); got.status != http.StatusOK {
		t.Errorf("reading: %d %s", got.status, got.raw)
	}
	if got := seller.post("/v1/customers", "name=Ann"); got.status != http.StatusForbidden {
		t.Errorf("writing: %d %s", got.status, got.raw)
	}
	stranger := *a
	stranger.key = "sk_" + "test_nobody"
	stranger.ask("/oauth/token", "grant_type=authorization_code&code=ac_1").wants(t, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
}

// TestOAuthDuringRestores: the page finds its platform while that world is put back again and again.
func TestOAuthDuringRestores(t *testing.T) {
	t.Parallel()
	a := bare(t)
	query := "response_type=code&redirect_uri=" + url.QueryEscape("https://shop.example") + "&client_id=" + a.client()
	a.steer(http.MethodPost, "/_sandbox/snapshots", `{"name":"s"}`)
	together(40, func(i int) {
		if i%2 == 0 {
			a.control(http.MethodPost, "/_sandbox/restore", `{"snapshot":"s"}`)
		} else if got := a.direct(http.MethodGet, "/oauth/authorize", query); got.Code != http.StatusOK {
			t.Errorf("%d %.200s", got.Code, got.Body)
		}
	})
}
