package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/transcript"
)

// FuzzRequest: whatever is asked, the answer is JSON of Stripe's and no failure of the sandbox's own. The seeds are the requests of the
// transcripts.
func FuzzRequest(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, step := range transcript.Parse(string(text)) {
			if step.Method == http.MethodGet || step.Method == http.MethodPost {
				f.Add(step.Method == http.MethodGet, step.Path, step.Form)
			}
		}
	}
	f.Fuzz(func(t *testing.T, get bool, path, form string) {
		if !strings.HasPrefix(path, "/v1/") {
			return
		}
		s := sandbox.NewServer()
		defer s.Close()
		made := strings.NewReplacer(populate(t, s)...)
		path, form = made.Replace(path), made.Replace(form)
		method := http.MethodPost
		if get {
			method = http.MethodGet
		}
		w := ask(t, s, method, path, form)
		if w == nil {
			return // no client could send it
		}
		if w.Code == http.StatusInternalServerError || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s %s: %d %s", method, path, form, w.Code, w.Body)
		}
	})
}

// populate makes an object or two of each kind, and says what the transcripts call them.
func populate(t *testing.T, s *sandbox.Server) (names []string) {
	for _, step := range []struct{ path, form, names string }{
		{"/v1/customers", "email=ada%40example.com&payment_method=pm_card_visa", "cus_1=id"},
		{"/v1/payment_intents", pay + "&payment_method=pm_card_visa", "pi_1=id ch_1=latest_charge pm_1=payment_method"},
		{"/v1/payment_intents", "amount=1000&currency=eur&payment_method_types[]=card&confirm=true&capture_method=manual&payment_method=pm_card_visa", "pi_2=id"},
		{"/v1/payment_intents", "amount=1000&currency=eur&payment_method_types[]=card&payment_method=pm_card_visa", "pi_3=id"},
		{"/v1/payment_intents", pay + "&payment_method=pm_card_threeDSecure2Required", "pi_4=id"},
		{"/v1/setup_intents", "payment_method_types[]=card&payment_method=pm_card_visa", "seti_1=id"},
		{"/v1/setup_intents", "payment_method=pm_card_threeDSecure2Required&confirm=true&payment_method_types[]=card", "seti_2=id"},
		{"/v1/webhook_endpoints", "url=http%3A%2F%2F127.0.0.1%3A1&enabled_events[]=topup.created", "we_1=id"},
		{"/v1/payment_intents", atOnce, "pi_5=id"},
		{"/v1/topups", "amount=20000&currency=usd", "tu_1=id"},
		{"/v1/payouts", "amount=1000&currency=usd", "po_1=id ba_1=destination txn_1=balance_transaction"},
		{"/v1/account", "", "acct_1=id"},
	} {
		method := http.MethodPost
		if step.form == "" {
			method = http.MethodGet
		}
		w := ask(t, s, method, step.path, step.form)
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", step.path, w.Code, w.Body)
		}
		for _, one := range strings.Fields(step.names) {
			name, field, _ := strings.Cut(one, "=")
			value, _ := got[field].(string)
			names = append(names, "{"+name+"}", value)
		}
	}
	return names
}

// ask sends one request; nil when it is none.
func ask(t *testing.T, s *sandbox.Server, method, path, form string) *httptest.ResponseRecorder {
	target := &url.URL{Scheme: "http", Host: "127.0.0.1", Path: path}
	if method == http.MethodGet {
		target.RawQuery, form = form, ""
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target.String(), strings.NewReader(form))
	if err != nil {
		return nil
	}
	r.Header.Set("Authorization", "Bearer sk_"+"test_fuzz")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// FuzzFault: whatever a rule says, it is refused in a sentence, or taken; and requests go on to be answered by Stripe's JSON.
func FuzzFault(f *testing.F) {
	for _, rule := range []string{
		`{"kind":"error_500","path":"/v1/payment_intents/{id}/capture","nth":3}`, `{"kind":"error_429","every":1,"reason":"global-rate"}`,
		`{"kind":"slow","milliseconds":1,"probability":1e-9}`, `{"kind":"error_409","form":{"metadata[a]":"b"},"from":"2026-01-05T12:00:00Z"}`,
		`{"kind":"lost","event":"*"}`, `{"kind":"reordered","behind":100,"seconds":1}`, `{"kind":"lock_timeout","path":"*","until":"9999-01-01T00:00:00Z"}`,
	} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		var said struct {
			Kind         string
			Milliseconds int64
		}
		_ = json.Unmarshal([]byte(rule), &said)
		if said.Milliseconds > 10 || slices.Contains([]string{"timeout_before_effect", "timeout_after_effect", "hold", "cut", "refuse", "truncated"}, said.Kind) {
			return // no whole answer, or not soon
		}
		s := sandbox.NewServer()
		defer s.Close()
		if got := ask(t, s, http.MethodPost, "/_sandbox/faults", rule); got != nil && got.Code != http.StatusOK && (got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `"message"`)) {
			t.Errorf("%s: %d %s", rule, got.Code, got.Body)
		}
		if got := ask(t, s, http.MethodPost, "/v1/customers", "metadata[a]=b"); got != nil && !json.Valid(got.Body.Bytes()) {
			t.Errorf("%s: %d %s", rule, got.Code, got.Body)
		}
	})
}

// FuzzTree: JSON, read as a tree and written, is the same value; of anything else nothing bad comes.
func FuzzTree(f *testing.F) {
	for _, text := range []string{`{"id":"ch_1","a":[1,-2.5e3,{"b":null}],"c":"x\"\\ÿ"}`, `[[],{}]`, `"`, `{"a"`, `{"a":}`, `[1,,2]`, `}`, `{"\"":1}`, strings.Repeat("[", 300)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := sandbox.Reparsed([]byte(text))
		if !json.Valid([]byte(text)) || strings.Count(text, "[")+strings.Count(text, "{") > 150 {
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, []byte(text)); err != nil || want.String() != string(got) {
			t.Errorf("%s is read as %s", want.String(), got)
		}
	})
}
