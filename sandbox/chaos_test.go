package sandbox_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// attempt posts a payment with a key and gives what reached the caller: nothing but an error when the reply was lost.
func (a *api) attempt(ctx context.Context, key string) (status int, body string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.server.URL+"/v1/payment_intents", strings.NewReader(pay+"&payment_method=pm_card_visa"))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Idempotency-Key", key)
	transport := a.server.Client().Transport.(*http.Transport).Clone() // no connection is shared, so no request is sent twice unseen
	defer transport.CloseIdleConnections()
	got, err := transport.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	return got.StatusCode, string(raw), err
}

func (a *api) script(fault string) {
	a.t.Helper()
	if got := a.control(http.MethodPost, "/_sandbox/faults", fault); got.status != http.StatusOK {
		a.t.Fatalf("%s: %d %v", fault, got.status, got.body)
	}
}

// TestFaults: what each fault lets the caller see, whether the payment was made, and what the same key gives afterwards.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault         string
		status        int  // that the caller sees; 0 when no whole answer comes
		made          bool // the payment, by the first request
		again         int  // status of the repeat under the same key
		replayed      bool
		chargesAtLast int
	}{
		{`{"kind":"timeout_before_effect"}`, 0, false, 200, false, 1},
		{`{"kind":"timeout_after_effect"}`, 0, true, 200, true, 1},
		{`{"kind":"cut"}`, 0, true, 200, true, 1},
		{`{"kind":"truncated"}`, 0, true, 200, true, 1},
		{`{"kind":"error_429"}`, 429, false, 200, false, 1},
		{`{"kind":"error_500"}`, 500, false, 500, true, 0},
		{`{"kind":"error_502"}`, 502, false, 200, false, 1},
		{`{"kind":"error_502","after_effect":true}`, 502, true, 200, true, 1},
		{`{"kind":"error_500","after_effect":true}`, 500, true, 500, true, 1},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			a.script(c.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // of the caller's patience
			defer cancel()
			status, body, err := a.attempt(ctx, "key")
			if c.status != 0 && (err != nil || status != c.status) || c.status == 0 && err == nil {
				t.Errorf("the caller saw %d %v %s", status, err, body)
			}
			if made := len(ids(a.get("/v1/charges", ""))) == 1; made != c.made {
				t.Errorf("the payment was made: %v", made)
			}
			again := a.post("/v1/payment_intents", pay+"&payment_method=pm_card_visa", "Idempotency-Key", "key")
			if again.status != c.again || again.header.Get("Idempotent-Replayed") == "true" != c.replayed {
				t.Errorf("again: %d %v %s", again.status, again.header, again.raw)
			}
			if n := len(ids(a.get("/v1/charges", ""))); n != c.chargesAtLast {
				t.Errorf("%d charges at last, want %d", n, c.chargesAtLast)
			}
			if c.status == 500 && again.text("error.type") != "api_error" || c.status == 429 && !strings.Contains(body, `"rate_limit"`) {
				t.Errorf("error %s %s", again.raw, body)
			}
		})
	}
}

// TestHold: the payment is made and the answer kept back; meanwhile its key is in use, until the reply is released.
func TestHold(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.script(`{"method":"POST","path":"/v1/payment_intents","kind":"hold"}`)
	type outcome struct {
		status int
		err    error
	}
	came := make(chan outcome, 1)
	go func() {
		status, _, err := a.attempt(t.Context(), "key")
		came <- outcome{status, err}
	}()
	a.until("the reply is held", func(s answer) bool { return s.text("replies_held") == "1" })
	a.get("/v1/payment_intents", "").wants(t, http.StatusOK, map[string]any{"data.0.status": "succeeded"})
	busy := a.post("/v1/payment_intents", pay+"&payment_method=pm_card_visa", "Idempotency-Key", "key")
	busy.wants(t, http.StatusConflict, map[string]any{"error.code": "idempotency_key_in_use",
		"error.message": "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): key. Please try again later."})
	if len(came) != 0 {
		t.Fatal("the reply came early")
	}
	if got := a.control(http.MethodPost, "/_sandbox/faults/release", ""); got.text("released") != "1" {
		t.Errorf("released %v", got.body)
	}
	if got := <-came; got.err != nil || got.status != http.StatusOK {
		t.Errorf("released reply: %+v", got)
	}
	again := a.post("/v1/payment_intents", pay+"&payment_method=pm_card_visa", "Idempotency-Key", "key")
	if again.status != http.StatusOK || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("after the release: %d %v", again.status, again.header)
	}
}

// TestHoldEndsWithTheCaller: a caller that dies while its reply is held leaves the result under its key.
func TestHoldEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.script(`{"kind":"hold"}`)
	ctx, die := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, _, err := a.attempt(ctx, "key")
		gone <- err
	}()
	a.until("the reply is held", func(s answer) bool { return s.text("replies_held") == "1" })
	die()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller ended with %v", err)
	}
	a.until("the hold has ended", func(s answer) bool { return s.text("replies_held") == "0" })
	again := a.post("/v1/payment_intents", pay+"&payment_method=pm_card_visa", "Idempotency-Key", "key")
	again.wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	if n := len(ids(a.get("/v1/charges", ""))); n != 1 {
		t.Errorf("%d charges", n)
	}
}

// TestHoldEndsWithTheSandbox: who stops a sandbox lets its held replies go, each to its caller, and does not wait for them.
func TestHoldEndsWithTheSandbox(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sandbox.NewServer().Serve(serving, l) }()
	client := httptest.NewServer(nil) // for its client alone
	t.Cleanup(client.Close)
	client.URL = "http://" + l.Addr().String()
	a := &api{t: t, server: client, key: newKey(t)}
	const held = 3
	statuses := make(chan int, held)
	for i := range held {
		a.script(`{"method":"POST","path":"/v1/payment_intents","kind":"hold"}`)
		go func() {
			status, _, err := a.attempt(t.Context(), "key-"+strconv.Itoa(i))
			if err != nil {
				t.Error(err)
			}
			statuses <- status
		}()
		a.until("the reply is held", func(s answer) bool { return s.text("replies_held") == strconv.Itoa(i+1) })
	}
	stop()
	for range held {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("a held reply ended as %d", status)
		}
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the sandbox waits on")
	}
}

// TestFaultsChoose: a fault meets the nth request that matches, once.
func TestFaultsChoose(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.script(`{"method":"POST","path":"/v1/payment_intents/{intent}/confirm","nth":2,"kind":"error_500"}`)
	a.must("/v1/customers", "")
	for i, want := range []int{200, 500, 200} {
		id := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&payment_method=pm_card_visa").text("id")
		if got := a.post("/v1/payment_intents/"+id+"/confirm", ""); got.status != want {
			t.Errorf("confirmation %d: %d, want %d", i+1, got.status, want)
		}
	}
	a.script(`{"path":"/v1/cust*","kind":"error_429"}`)
	a.must("/v1/payment_intents", "amount=1000&currency=usd")
	a.get("/v1/customers", "").wants(t, http.StatusTooManyRequests, map[string]any{"error.code": "rate_limit", "error.type": "invalid_request_error"})
	a.get("/v1/customers", "").wants(t, http.StatusOK, nil)
	a.script(`{"kind":"error_429"}`)
	a.control(http.MethodDelete, "/_sandbox/faults", "")
	a.get("/v1/customers", "").wants(t, http.StatusOK, nil)
}

// TestWebhookFaults: lost, doubled and delayed.
func TestWebhookFaults(t *testing.T) {
	t.Parallel()
	a := bare(t)
	r := newReceiver(t)
	a.subscribe(r, "customer.created", "customer.deleted")
	a.script(`{"kind":"lost","event":"customer.created"}`)
	first := a.must("/v1/customers", "").text("id")
	a.idle()
	if len(r.got) != 0 {
		t.Error("the lost webhook came")
	}
	a.script(`{"kind":"doubled","event":"customer.deleted","nth":1}`)
	a.do(http.MethodDelete, "/v1/customers/"+first, "")
	if one, two := r.next(t), r.next(t); string(one.body) != string(two.body) && !strings.Contains(string(two.body), `"type":"customer.deleted"`) {
		t.Errorf("doubled: %s and %s", one.body, two.body)
	}
	a.idle()
	a.script(`{"kind":"delayed","seconds":60}`)
	a.must("/v1/customers", "")
	a.later("1")
	if len(r.got) != 0 {
		t.Error("the delayed webhook came at once")
	}
	a.clock.Advance(time.Minute)
	r.next(t)
	a.idle()
}

func TestControl(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/_sandbox/clock/advance", `{}`},
		{"POST", "/_sandbox/clock/advance", `{"seconds":1,"to":"2027-01-01T00:00:00Z"}`},
		{"POST", "/_sandbox/clock/advance", `{"seconds":-1}`},
		{"POST", "/_sandbox/clock/advance", `{"seconds":99999999999999}`},
		{"POST", "/_sandbox/clock/advance", `{"to":"2025-01-01T00:00:00Z"}`},
		{"POST", "/_sandbox/clock/advance", `{"days":1}`},
		{"POST", "/_sandbox/clock/advance", `{"seconds":1} {"seconds":2}`},
		{"POST", "/_sandbox/clock/advance", `seconds`},
		{"POST", "/_sandbox/faults", `{"kind":"explode"}`},
		{"POST", "/_sandbox/faults", `{"kind":"cut","nth":-1}`},
		{"POST", "/_sandbox/faults", `{"kind":"cut","event":"charge.succeeded"}`},
		{"POST", "/_sandbox/faults", `{"kind":"lost","path":"/v1/refunds"}`},
		{"POST", "/_sandbox/faults", `{"kind":"delayed"}`},
		{"POST", "/_sandbox/faults", `{"kind":"cut","path":"payment_intents"}`},
		{"POST", "/_sandbox/faults", `{"kind":"cut","path":"/v1/paymentintents"}`},
		{"POST", "/_sandbox/faults", `{"kind":"cut","path":"/v1/payment_intents/{id}/*"}`},
		{"POST", "/_sandbox/faults", `{"kind":"cut","path":"/v1/paymentintents*"}`},
		{"POST", "/_sandbox/faults", `{"kind":"cut","method":"GET","path":"/v1/payment_intents/{id}/capture"}`},
		{"POST", "/_sandbox/faults", `{"kind":"cut","method":"post"}`},
		{"POST", "/_sandbox/faults", `{"kind":"lost","event":"payment_intent.suceeded"}`},
	} {
		if got := a.control(c.method, c.path, c.body); got.status != http.StatusBadRequest || got.text("error.message") == "" {
			t.Errorf("%s %s: %d %v", c.path, c.body, got.status, got.body)
		}
	}
	if got := a.control("POST", "/_sandbox/nothing", ""); got.status != http.StatusNotFound {
		t.Errorf("an unknown path: %d", got.status)
	}
	if got := a.control("POST", "/_sandbox/clock/advance", `{"to":"2026-02-01T00:00:00Z"}`); got.text("now") != "2026-02-01T00:00:00Z" {
		t.Errorf("advanced to %v", got.body)
	}
	a.must("/v1/customers", "").wants(t, http.StatusOK, map[string]any{"created": "1769904000"})
	a.post("/v1/payment_intents", "amount=1", "Idempotency-Key", "order-7")
	got := a.control("GET", "/_sandbox/requests", "")
	all := got.list("requests")
	last, _ := all[len(all)-1].(map[string]any)
	if len(all) != 2 || last["method"] != "POST" || last["path"] != "/v1/payment_intents" || last["idempotency_key"] != "order-7" || last["request_id"] == "" {
		t.Errorf("requests %v", all)
	}
	if state := a.control("GET", "/_sandbox/state", ""); state.text("objects.customer") != "1" || state.text("objects.event") != "1" {
		t.Errorf("state %v", state.body)
	}
}

// TestRulesThatCanStrike: the forms of path and event that some request or webhook has.
func TestRulesThatCanStrike(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for _, rule := range []string{
		`"kind":"cut","path":"*"`,
		`"kind":"cut","path":"/v1*"`,
		`"kind":"cut","path":"/v1/payment_intents*"`,
		`"kind":"cut","path":"/v1/payment_intents/*"`,
		`"kind":"cut","path":"/v1/customers/cus_1/*"`,
		`"kind":"cut","path":"/v1/payment_intents/pi_1/capture","method":"POST"`,
		`"kind":"cut","path":"/v1/payment_intents/{any}/capture"`,
		`"kind":"cut","path":"/v1/checkout/sessions"`,
		`"kind":"lost","event":"charge.*"`,
		`"kind":"lost","event":"charge.dispute.closed"`,
	} {
		if got := a.control("POST", "/_sandbox/faults", "{"+rule+"}"); got.status != http.StatusOK {
			t.Errorf("%s: %d %v", rule, got.status, got.body)
		}
	}
}

// TestControlSpeaksJSON: what is wrong with a body is said without a word of Go's.
func TestControlSpeaksJSON(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for body, want := range map[string]string{
		"":                    "The body is missing: this takes a JSON object, as GET /_sandbox/ shows.",
		`{"seconds":"7d"}`:    `"seconds" cannot be a JSON string here; GET /_sandbox/ shows what it is.`,
		`{"seconds":1.5}`:     `"seconds" cannot be a JSON number 1.5 here; GET /_sandbox/ shows what it is.`,
		`[]`:                  "The body cannot be a JSON array here; GET /_sandbox/ shows what it is.",
		`{"to":"tomorrow"}`:   `A time is written as 2026-01-02T03:04:05Z, not "tomorrow".`,
		`{"days":7}`:          `There is no "days" here; GET /_sandbox/ shows what there is.`,
		`seconds=5`:           "The body is not JSON: invalid character 's' looking for beginning of value.",
		`{"seconds":5} extra`: "The body is more than one JSON value.",
	} {
		if got := a.control("POST", "/_sandbox/clock/advance", body); got.status != http.StatusBadRequest || got.text("error.message") != want {
			t.Errorf("%s: %d %s", body, got.status, got.text("error.message"))
		}
	}
	if got := a.do(http.MethodGet, "/_sandbox", ""); got.status != http.StatusOK || len(got.list("controls")) == 0 {
		t.Errorf("without its slash: %d %s", got.status, got.raw)
	}
	if got := a.do(http.MethodGet, "/_sandbox", ""); !strings.Contains(got.raw, "&wait=SECONDS") {
		t.Errorf("an & is not one: %s", got.raw)
	}
	a.must("/v1/customers", "")
	if got := a.control("GET", "/_sandbox/events?type=customer.created", ""); got.text("event.type") != "customer.created" {
		t.Errorf("the first event: %d %v", got.status, got.body)
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(a.key+":"))
	if got := a.do(http.MethodGet, "/_sandbox/clock", "", "Authorization", basic); got.status != http.StatusOK {
		t.Errorf("the key as curl -u gives it: %d %s", got.status, got.raw)
	}
}

// TestControlIsGuarded: it takes the secret key of a test world, and no web page's word.
func TestControlIsGuarded(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for name, header := range map[string][]string{
		"no key":          {"Authorization", ""},
		"publishable key": {"Authorization", "Bearer pk" + strings.TrimPrefix(a.key, "sk")},
		"live key":        {"Authorization", "Bearer " + strings.Replace(a.key, "_test_", "_live_", 1)},
		"basic":           {"Authorization", "Basic abc"},
	} {
		if got := a.do(http.MethodPost, "/_sandbox/faults/release", "", header...); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	for _, origin := range []string{"https://evil.example.com", "null", "http://localhost:1"} {
		if got := a.do(http.MethodPost, "/_sandbox/faults/release", "", "Origin", origin); got.status != http.StatusForbidden {
			t.Errorf("origin %s: %d", origin, got.status)
		}
	}
	if got := a.do(http.MethodPost, "/_sandbox/faults/release", "", "Origin", a.server.URL); got.status != http.StatusOK {
		t.Errorf("own origin: %d", got.status)
	}
	if got := a.do(http.MethodPost, "/_sandbox/faults", strings.Repeat("x", 100_000)); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", got.status)
	}
}
