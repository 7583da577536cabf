package sandbox_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/spec"
)

func TestAuthentication(t *testing.T) {
	t.Parallel()
	a := bare(t)
	secret := strings.TrimPrefix(a.key, "sk_test_")
	for name, c := range map[string]struct {
		header string
		status int
	}{
		"bearer":             {"Bearer " + a.key, 200},
		"lower-case bearer":  {"bearer " + a.key, 200},
		"basic":              {"Basic " + base64.StdEncoding.EncodeToString([]byte(a.key+":")), 200},
		"restricted":         {"Bearer rk_test_" + secret, 200},
		"none":               {"", 401},
		"empty bearer":       {"Bearer ", 401},
		"empty basic":        {"Basic " + base64.StdEncoding.EncodeToString([]byte(":")), 401},
		"live":               {"Bearer sk_live_" + secret, 401},
		"restricted live":    {"Bearer rk_live_" + secret, 401},
		"nonsense":           {"Bearer nonsense", 401},
		"no suffix":          {"Bearer sk_test_", 401},
		"odd suffix":         {"Bearer sk_test_a b", 401},
		"endless suffix":     {"Bearer sk_test_" + strings.Repeat("a", 241), 401},
		"another's browser":  {"Bearer pk_test_" + secret + "x", 401},
		"browser, no secret": {"Bearer pk_test_" + secret, 401},
	} {
		a.get("/v1/customers", "") // so that the world exists
		if got := a.do(http.MethodGet, "/v1/customers", "", "Authorization", c.header); got.status != c.status {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		} else if c.status == 401 && got.text("error.type") != "invalid_request_error" {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
	none := a.do(http.MethodGet, "/v1/customers", "", "Authorization", "")
	none.wants(t, http.StatusUnauthorized, map[string]any{"error.code": nil,
		"error.message": "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/."})
	if got := none.header.Get("WWW-Authenticate"); got != `Bearer realm="Stripe"` {
		t.Errorf("WWW-Authenticate: %s", got)
	}
	wrong := a.do(http.MethodGet, "/v1/customers", "", "Authorization", "Bearer sk_test_abc-defgh")
	wrong.wants(t, http.StatusUnauthorized, map[string]any{"error.message": "Invalid API Key provided: sk_test_*****efgh. This sandbox takes any key of sk_test_ and letters, digits and underscores, 240 at most."})
	if live := a.do(http.MethodGet, "/v1/customers", "", "Authorization", "Bearer sk_live_"+secret); strings.Contains(live.raw, secret) {
		t.Error("a live key is echoed")
	}
	a.do(http.MethodGet, "/v1/customers", "", "Stripe-Account", "acct_1").wants(t, http.StatusForbidden, map[string]any{"error.code": "account_invalid"})
	own := a.get("/v1/account", "").text("id")
	if got := a.do(http.MethodGet, "/v1/customers", "", "Stripe-Account", own); got.status != 200 || got.header.Get("Stripe-Account") != own {
		t.Errorf("own account: %d %v", got.status, got.header)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	a := bare(t)
	got := a.must("/v1/customers", "")
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-cache, no-store", "Stripe-Version": spec.Version, "Stripe-Should-Retry": "false",
		"X-Stripe-Routing-Context-Priority-Tier": "api-testmode", "Idempotency-Key": "", "Original-Request": "",
	} {
		if is := got.header.Get(name); is != want {
			t.Errorf("%s: %q, want %q", name, is, want)
		}
	}
	if id := got.header.Get("Request-Id"); !regexp.MustCompile(`^req_[0-9A-Za-z]{14}$`).MatchString(id) {
		t.Errorf("Request-Id %q", id)
	}
	refused := a.get("/v1/customers/cus_none", "")
	if !strings.HasSuffix(refused.text("error.request_log_url"), "object="+refused.header.Get("Request-Id")) {
		t.Errorf("request_log_url %s, Request-Id %s", refused.text("error.request_log_url"), refused.header.Get("Request-Id"))
	}
	for version, status := range map[string]int{
		"2020-08-27": 200, "2026-03-25.dahlia": 200, spec.Version: 200, "2024-06-20; custom_checkout_beta=v1": 200,
		"2026-13-01": 400, "latest": 400, "2026-3-5": 400, "2026-03-25.": 400,
	} {
		got := a.do(http.MethodGet, "/v1/customers", "", "Stripe-Version", version)
		if got.status != status || status == 200 && got.header.Get("Stripe-Version") != version {
			t.Errorf("Stripe-Version %q: %d %q", version, got.status, got.header.Get("Stripe-Version"))
		}
	}
	old := a.post("/v1/payment_intents", "amount=1000&currency=usd", "Stripe-Version", "2022-11-15")
	old.wants(t, http.StatusOK, map[string]any{"capture_method": "automatic", "automatic_payment_methods": nil})
	a.must("/v1/payment_intents", "amount=1000&currency=usd").wants(t, http.StatusOK, map[string]any{"capture_method": "automatic_async", "automatic_payment_methods.enabled": true})
}

func TestUnknownAndUnbuilt(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for _, path := range []string{"/v1/x", "/", "/v1/customers/", "/v1/customers/a/b/c/d/e", "/v3/customers"} {
		a.get(path, "").wants(t, http.StatusNotFound, map[string]any{"error.code": nil, "error.type": "invalid_request_error",
			"error.message": "Unrecognized request URL (GET: " + path + "). Please see https://stripe.com/docs or we can help at https://support.stripe.com/."})
	}
	a.do(http.MethodPut, "/v1/customers", "").wants(t, http.StatusNotFound, nil)
	a.get("/v2/core/accounts", "").wants(t, http.StatusNotImplemented, map[string]any{"error.code": "sandbox_not_implemented",
		"error.message": "This sandbox does not implement Stripe's API v2, and so not GET /v2/core/accounts: what it has is below /v1/."})
	built, unbuilt, nearest := 0, 0, map[string]int{}
	for _, op := range spec.Ops() {
		path := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(op.Path(), "x_1")
		got := a.do(op.Method(), path, "")
		switch got.status {
		case http.StatusNotImplemented:
			unbuilt++
			said := notBuilt.FindStringSubmatch(got.text("error.message"))
			if said == nil || said[1] != op.String() || got.text("error.type") != "api_error" || got.text("error.code") != "sandbox_not_implemented" || got.header.Get("Stripe-Should-Retry") != "false" {
				t.Errorf("%s: %s", op, got.raw)
				continue
			}
			nearest[said[2]]++
		case http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusForbidden:
			built++
		default:
			t.Errorf("%s: %d %s", op, got.status, got.raw)
		}
	}
	if built < 200 || unbuilt < 250 {
		t.Errorf("%d operations are built and %d are not", built, unbuilt)
	}
	for near := range nearest {
		method, path, _ := strings.Cut(near, " ")
		if got := a.do(method, aPart.ReplaceAllString(path, "x_1"), ""); got.status == http.StatusNotImplemented {
			t.Errorf("%s is called the nearest, and is not there: %s", near, got.raw)
		}
	}
}

var (
	aPart    = regexp.MustCompile(`\{[^}]+\}`)
	notBuilt = regexp.MustCompile(`^This sandbox does not implement (\S+ \S+)\. The nearest that it has is (\S+ [^ ,]+)(?:, of another family)?\. The command till sandbox coverage lists all that it has\.$`)
)

// TestNearest holds what a 501 calls the nearest, in each of the ways of finding it.
func TestNearest(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for of, want := range map[string]string{
		"POST /v1/payment_intents/x_1/increment_authorization": "POST /v1/payment_intents/{intent}/apply_customer_balance.",
		"GET /v1/customers/x_1/tax_ids":                        "GET /v1/customers/{customer}/bank_accounts.",
		"POST /v1/treasury/outbound_payments/x_1/cancel":       "POST /v1/payment_intents/{intent}/cancel, of another family.",
		"GET /v1/climate/products":                             "POST /v1/payment_intents, of another family.",
	} {
		method, path, _ := strings.Cut(of, " ")
		if said := a.do(method, path, "").text("error.message"); !strings.Contains(said, "The nearest that it has is "+want) {
			t.Errorf("%s: %s", of, said)
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for name, c := range map[string]struct {
		form   string
		status int
	}{
		"large":           {"description=" + strings.Repeat("a", 2<<20), http.StatusRequestEntityTooLarge},
		"deep":            {"metadata" + strings.Repeat("[a]", 500) + "=1", http.StatusBadRequest},
		"many":            {strings.Repeat("metadata[a]=1&", 20_000) + "description=x", http.StatusBadRequest},
		"bad escape":      {"description=%zz", http.StatusBadRequest},
		"bad UTF-8":       {"description=%ff%fe", http.StatusBadRequest},
		"long value":      {"description=" + strings.Repeat("a", 6000), http.StatusBadRequest},
		"injection":       {"description=" + escaped(`"},{"id":"x`), http.StatusOK},
		"nothing at all":  {"", http.StatusOK},
		"metadata braces": {"metadata[a[b]]=1", http.StatusBadRequest},
	} {
		if got := a.post("/v1/customers", c.form); got.status != c.status || got.status != 200 && got.text("error.message") == "" {
			t.Errorf("%s: %d %.300s", name, got.status, got.raw)
		}
	}
	if n := len(ids(a.get("/v1/customers", ""))); n != 2 {
		t.Errorf("%d customers, want 2", n)
	}
	a.post("/v1/customers", `{"email":"a@example.com"}`, "Content-Type", "application/json").wants(t, http.StatusBadRequest, map[string]any{"error.type": "invalid_request_error"})
	a.get("/v1/customers/cus_x%00y%22", "").wants(t, http.StatusNotFound, map[string]any{"error.code": "resource_missing"})
}

// TestHugeForm: who sends ten megabytes hears that it is too much, with and without saying how much it will be.
func TestHugeForm(t *testing.T) {
	t.Parallel()
	a := bare(t)
	huge := "description=" + strings.Repeat("a", 10<<20)
	for name, body := range map[string]io.Reader{"of known length": strings.NewReader(huge), "in chunks": io.MultiReader(strings.NewReader(huge))} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.server.URL+"/v1/customers", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+a.key)
		conn, err := net.Dial("tcp", a.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Write(conn); err != nil { // all of it, before the answer is read
			t.Fatalf("%s: %v", name, err)
		}
		got, err := http.ReadResponse(bufio.NewReader(conn), r)
		if err != nil || got.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %v %v", name, got, err)
		}
		_ = conn.Close()
	}
	if n := len(ids(a.get("/v1/customers", ""))); n != 0 {
		t.Errorf("%d customers", n)
	}
}

// TestQueryAndBody: parameters of both are taken, and those of the body count.
func TestQueryAndBody(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/customers?email=a%40example.com&name=A", "name=B").wants(t, http.StatusOK, map[string]any{"email": "a@example.com", "name": "B"})
	a.must("/v1/customers?name=A", "").wants(t, http.StatusOK, map[string]any{"name": "A"})
	a.post("/v1/customers?nam=A", "name=B").wants(t, http.StatusBadRequest, map[string]any{"error.code": "parameter_unknown"})
}

// TestDisconnect: a caller who goes in the middle of the request has done nothing, and one who goes after it has.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	a := bare(t)
	head := "POST /v1/customers HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + a.key + "\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	for name, sent := range map[string]string{
		"in the header":    head + "Content-Le",
		"before the body":  head + "Content-Length: 40\r\n\r\n",
		"in the body":      head + "Content-Length: 40\r\n\r\nemail=a%40example.com",
		"between chunks":   head + "Transfer-Encoding: chunked\r\n\r\n6\r\nname=A\r\n",
		"in a broken size": head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nname=A\r\n0\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", a.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(conn) // the server closes the connection when it has given the request up
		if strings.HasPrefix(string(answer), "HTTP/1.1 200") {
			t.Errorf("%s: %s", name, answer)
		}
		_ = conn.Close()
	}
	if n := len(ids(a.get("/v1/customers", ""))); n != 0 {
		t.Errorf("half requests made %d customers", n)
	}
	conn, err := net.Dial("tcp", a.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(head + "Content-Length: 6\r\n\r\nname=A")); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	for deadline := time.Now().Add(10 * time.Second); len(ids(a.get("/v1/customers", ""))) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the whole request of a caller who had gone was not carried out")
		}
	}
}

// TestForeignPages: no web page of another origin uses a secret key, be it by a link that carries one; a publishable key is for pages.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/customers", "")
	secret, publishable := "Bearer "+a.key, "Bearer pk"+strings.TrimPrefix(a.key, "sk")
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(a.key+":"))
	const path, form = "/v1/payment_methods", "type=card&card[token]=tok_visa"
	for _, c := range []struct {
		origin, key string
		status      int
	}{
		{"https://evil.example.com", secret, 403}, {"https://evil.example.com", basic, 403}, {"null", basic, 403}, {"http://localhost:1", secret, 403}, {"http://127.0.0.1:1", secret, 403},
		{a.server.URL, secret, 200}, {"https://shop.example.com", publishable, 200},
	} {
		if got := a.post(path, form, "Origin", c.origin, "Authorization", c.key); got.status != c.status {
			t.Errorf("%s with %.5s: %d %s", c.origin, c.key, got.status, got.raw)
		}
	}
}

// TestWorlds: when too many keys have been used, the next is refused and the others go on.
func TestWorlds(t *testing.T) {
	t.Parallel()
	a := bare(t)
	s := sandbox.NewServer()
	t.Cleanup(s.Close)
	use := func(i int) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/v1/balance", nil)
		r.Header.Set("Authorization", "Bearer "+a.key+strconv.Itoa(i))
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	for i := range 10_000 {
		if w := use(i); w.Code != http.StatusOK {
			t.Fatalf("key %d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := use(10_000); w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), "no more worlds") {
		t.Errorf("one key too many: %d %s", w.Code, w.Body)
	}
	if w := use(0); w.Code != http.StatusOK {
		t.Errorf("the first key afterwards: %d %s", w.Code, w.Body)
	}
}

// TestHost: only loopback names reach the sandbox, so that no web page can by a name of its own.
func TestHost(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for host, status := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:12111": 200, "localhost": 200, "LOCALHOST:80": 200, "[::1]:12111": 200, "127.9.9.9": 200,
		"evil.example.com": 403, "localhost.evil.example.com": 403, "127.0.0.1.nip.io": 403, "10.0.0.1": 403, "0.0.0.0": 403,
		"localhost.": 403, "127.1": 403, "2130706433": 403, "[::ffff:10.0.0.1]": 403, "localhost:80:80": 403, "[::ffff:127.0.0.1]:1": 200,
	} {
		for _, path := range []string{"/v1/customers", "/_sandbox/state", "/3d_secure_2/hosted/x"} {
			want := status
			if status == 200 && strings.HasPrefix(path, "/3d") {
				want = 404
			}
			if got := a.do(http.MethodGet, path, "", "Host", host); got.status != want {
				t.Errorf("Host %s %s: %d, want %d", host, path, got.status, want)
			}
		}
	}
}

// TestPanic: a failure of the sandbox itself is Stripe's kind of 500, and kept under the key as Stripe keeps one.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := sandbox.NewServer()
	t.Cleanup(s.Close)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	a := &api{t: t, server: server, key: newKey(t)}
	sandbox.Break(s, strings.TrimPrefix(a.key, "sk_test_"), "cus_broken")
	for range 2 {
		got := a.post("/v1/customers/cus_broken", "name=x", "Idempotency-Key", "k")
		got.wants(t, http.StatusInternalServerError, map[string]any{"error.type": "api_error"})
		if strings.Contains(got.raw, "nil pointer") {
			t.Errorf("the cause is shown: %s", got.raw)
		}
	}
	if got := a.post("/v1/customers/cus_broken", "name=x", "Idempotency-Key", "k"); got.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("not replayed: %v", got.header)
	}
	a.must("/v1/customers", "") // the world goes on
}

// TestServe: a listener is served until the context ends.
func TestServe(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sandbox.NewServer().Serve(ctx, l) }()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/v1/balance", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+newKey(t))
	got, err := http.DefaultClient.Do(r)
	if err != nil || got.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", got, err)
	}
	_ = got.Body.Close()
	end()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it did not end")
	}
	if _, err := http.DefaultClient.Do(r); err == nil {
		t.Error("it still answers")
	}
}
