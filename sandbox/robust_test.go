package sandbox_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/till-pay/till/sandbox/spec"
)

// hostile are parameters that no operation takes, whatever it is.
var hostile = map[string]string{
	"deep nesting":                   "metadata" + strings.Repeat("[a]", 10_000) + "=1",
	"deep nesting without a value":   strings.Repeat("[", 50_000),
	"many brackets":                  strings.Repeat("a[]", 10_000) + "=1",
	"deep arrays":                    "expand" + strings.Repeat("[0]", 200) + "=a",
	"a large index":                  "expand[99999999999999999999]=a",
	"a negative index":               "expand[-1]=a",
	"many parameters":                strings.Repeat("a=1&", 30_000),
	"many expansions":                strings.Repeat("expand[]=customer&", 1000),
	"a deep expansion":               "expand[]=a.b.c.d.e",
	"an endless expansion":           "expand[]=" + strings.Repeat("customer.", 2000) + "customer",
	"an expansion of nothing":        "expand[]=",
	"dots":                           "expand[]=....",
	"an expansion and its own field": "expand[]=x&expand[0][y]=z",
	"an expansion as text and list":  "expand=x&expand[]=y",
	"an expansion as an object":      "expand[customer]=x",
	"metadata as text and object":    "metadata=x&metadata[a]=b",
	"an object and its field":        "metadata[a]=b&metadata[a][b]=c",
	"metadata as a list":             "metadata[]=x",
	"bad UTF-8 in a value":           "metadata[a]=%ff%fe",
	"bad UTF-8 in a name":            "metadata[%c3%28]=a",
	"bad UTF-8 unescaped":            "metadata[a]=\xff\xfe",
	"surrogates":                     "metadata[a]=%ed%a0%80",
	"half an escape":                 "metadata[a]=%f",
	"no escape":                      "metadata[a]=%zz",
	"zero bytes in a name":           "%00=1",
	"an unknown name":                "constructor[__proto__]=1",
	"JSON":                           `{"amount":1000}`,
	"a name without an end":          "metadata[a=1",
	"only separators":                "&&==&&=&[]=&[",
}

// TestHostileParameters: whatever operation gets them, the answer is Stripe's own refusal, and nothing is made.
func TestHostileParameters(t *testing.T) {
	t.Parallel()
	a := bare(t)
	made := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa&metadata[order]=7")
	names := strings.NewReplacer("{intent}", made.text("id"), "{charge}", made.text("latest_charge"), "{payment_method}", made.text("payment_method"))
	built := map[spec.Op]string{}
	for _, op := range spec.Ops() {
		path := aPart.ReplaceAllString(names.Replace(op.Path()), "x_1")
		if op.Method() != http.MethodDelete && a.direct(op.Method(), path, "").Code != http.StatusNotImplemented {
			built[op] = path
		}
	}
	before := a.control(http.MethodGet, "/_sandbox/state", "").at("objects")
	asked := 0
	for op, path := range built {
		for name, form := range hostile {
			got := a.direct(op.Method(), path, form)
			var body struct {
				Error struct{ Type, Message string }
			}
			err := json.Unmarshal(got.Body.Bytes(), &body)
			if asked++; got.Code < 400 || got.Code >= 500 || err != nil || body.Error.Type != "invalid_request_error" || body.Error.Message == "" {
				t.Errorf("%s with %s: %d %.300s", op, name, got.Code, got.Body)
			}
		}
	}
	after := a.control(http.MethodGet, "/_sandbox/state", "").at("objects")
	if one, two := before.(map[string]any), after.(map[string]any); !maps.Equal(one, two) {
		t.Errorf("there were %v, and now %v", one, two)
	}
	if asked < 500 {
		t.Errorf("only %d requests", asked)
	}
	a.get("/v1/payment_intents/"+made.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "succeeded", "metadata.order": "7"})
}

// direct sends a request without a network.
func (a *api) direct(method, path, form string) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequestWithContext(a.t.Context(), method, a.server.URL+path, strings.NewReader(form))
	if method == http.MethodGet {
		r = httptest.NewRequestWithContext(a.t.Context(), method, a.server.URL+path, nil)
		r.URL.RawQuery = form
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	a.server.Config.Handler.ServeHTTP(w, r)
	return w
}

// TestHostileHeaders: keys, versions and accounts of any bytes are refused, taken or echoed as text, and break nothing.
func TestHostileHeaders(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for _, value := range []string{"\xff\xfe", strings.Repeat("k", 10_000), "a\tb", "%00", `"><script>`, "é"} {
		for _, name := range []string{"Idempotency-Key", "Stripe-Version", "Stripe-Account", "Authorization", "Origin"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, a.server.URL+"/v1/customers", nil)
			r.Header.Set("Authorization", "Bearer "+a.key)
			r.Header.Set(name, value)
			w := httptest.NewRecorder()
			a.server.Config.Handler.ServeHTTP(w, r)
			if w.Code >= 500 || w.Code != http.StatusOK && !bytes.Contains(w.Body.Bytes(), []byte(`"message"`)) || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: %q: %d %.200s", name, value, w.Code, w.Body)
			}
		}
	}
}

// TestTenThousandConfirms: one intent, confirmed ten thousand times over 64 connections, is charged once; the balance shows one payment.
func TestTenThousandConfirms(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&capture_method=automatic&payment_method=pm_card_visa").text("id")
	lines := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(lines.CloseIdleConnections)
	var paid, refused, left atomic.Int64
	left.Store(10_000)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				status, body, err := confirmOver(lines, a, intent)
				switch {
				case err != nil:
					t.Error(err)
					return
				case status == http.StatusOK:
					paid.Add(1)
				case status == http.StatusBadRequest && strings.Contains(body, `"code":"payment_intent_unexpected_state"`):
					refused.Add(1)
				default:
					t.Errorf("%d %s", status, body)
				}
			}
		})
	}
	all.Wait()
	if paid.Load() != 1 || refused.Load() != 9_999 {
		t.Errorf("%d were paid and %d refused", paid.Load(), refused.Load())
	}
	if charges := ids(a.get("/v1/charges", "limit=100")); len(charges) != 1 {
		t.Errorf("%d charges", len(charges))
	}
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": "941"})
}

func confirmOver(lines *http.Transport, a *api, intent string) (status int, body string, err error) {
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.server.URL+"/v1/payment_intents/"+intent+"/confirm", nil)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	answer, err := lines.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(raw), err
}

// TestRacesKeepTheBooks: captures race cancels and refunds of twenty payments over many connections. Whatever comes first, the balance is
// the sum of what its transactions say, and each charge says what was answered.
func TestRacesKeepTheBooks(t *testing.T) {
	t.Parallel()
	a := bare(t)
	var intents []string
	for range 20 {
		intents = append(intents, a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&capture_method=manual&confirm=true&payment_method=pm_card_visa").text("id"))
	}
	together(300, func(i int) {
		id := intents[i%len(intents)]
		var got answer
		switch i / len(intents) % 3 {
		case 0:
			got = a.post("/v1/payment_intents/"+id+"/capture", "amount_to_capture="+strconv.Itoa(500+i%7))
		case 1:
			got = a.post("/v1/payment_intents/"+id+"/cancel", "")
		case 2:
			got = a.post("/v1/refunds", "payment_intent="+id+"&amount="+strconv.Itoa(100+i%5))
		}
		if got.status != http.StatusOK && (got.status != http.StatusBadRequest || got.text("error.type") != "invalid_request_error") {
			t.Errorf("%d %s", got.status, got.raw)
		}
	})
	sum := int64(0)
	for _, one := range a.get("/v1/balance_transactions", "limit=100").list("data") {
		net, _ := one.(map[string]any)["net"].(json.Number).Int64()
		sum += net
	}
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": strconv.FormatInt(sum, 10), "available.0.amount": "0"})
	for _, id := range intents {
		got := a.get("/v1/payment_intents/"+id, "expand[]=latest_charge")
		canceled, captured := got.text("status") == "canceled", got.text("latest_charge.amount_captured")
		if status := got.text("status"); !canceled && status != "succeeded" && status != "requires_capture" || canceled && captured != "0" {
			t.Errorf("%s", got.raw)
		}
	}
}
