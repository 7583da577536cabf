package webhook_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/till-pay/till/webhook"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func secret() string {
	key := make([]byte, 24)
	_, _ = rand.Read(key)
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

const text = `{"type":"payment.completed","timestamp":"2026-11-24T11:59:00.5Z","id":"m-1","sequence":7,"data":{"amount":"5.00"}}`

// signed are the headers of a body.
func signed(t *testing.T, secret, id string, at time.Time, body string) http.Header {
	t.Helper()
	h := http.Header{}
	if err := webhook.Sign(h, secret, id, at, []byte(body)); err != nil {
		t.Fatal(err)
	}
	return h
}

func verifier(t *testing.T, secrets ...string) *webhook.Verifier {
	t.Helper()
	v, err := webhook.New(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	v.Now = func() time.Time { return now }
	return v
}

func TestVerify(t *testing.T) {
	t.Parallel()
	ours, older, foreign := secret(), secret(), secret()
	v := verifier(t, ours, older)
	change := func(name, value string) http.Header {
		h := signed(t, ours, "m-1", now, text)
		h.Set(name, value)
		return h
	}
	both := func(a, b http.Header) http.Header {
		h := a.Clone()
		h.Set("Webhook-Signature", a.Get("Webhook-Signature")+" "+b.Get("Webhook-Signature"))
		return h
	}
	good := signed(t, ours, "m-1", now, text)
	for name, c := range map[string]struct {
		header http.Header
		body   string
		want   error
	}{
		"good":                  {good, text, nil},
		"the secret before":     {signed(t, older, "m-1", now, text), text, nil},
		"two signatures":        {both(signed(t, foreign, "m-1", now, text), good), text, nil},
		"a version unheard of":  {change("Webhook-Signature", "v2,AAAA v1a,"+"BBBB "+good.Get("Webhook-Signature")), text, nil},
		"five minutes old":      {signed(t, ours, "m-1", now.Add(-5*time.Minute), text), text, nil},
		"five minutes ahead":    {signed(t, ours, "m-1", now.Add(5*time.Minute), text), text, nil},
		"older":                 {signed(t, ours, "m-1", now.Add(-5*time.Minute-time.Second), text), text, webhook.ErrTime},
		"further ahead":         {signed(t, ours, "m-1", now.Add(5*time.Minute+time.Second), text), text, webhook.ErrTime},
		"no header":             {http.Header{}, text, webhook.ErrHeader},
		"no id":                 {change("Webhook-Id", ""), text, webhook.ErrHeader},
		"no time":               {change("Webhook-Timestamp", ""), text, webhook.ErrHeader},
		"a time that is none":   {change("Webhook-Timestamp", "now"), text, webhook.ErrHeader},
		"no signature":          {change("Webhook-Signature", ""), text, webhook.ErrHeader},
		"a foreign secret":      {signed(t, foreign, "m-1", now, text), text, webhook.ErrSignature},
		"another body":          {good, strings.Replace(text, "5.00", "5.01", 1), webhook.ErrSignature},
		"another id":            {change("Webhook-Id", "m-2"), text, webhook.ErrSignature},
		"another time":          {change("Webhook-Timestamp", fmt.Sprint(now.Unix()+1)), text, webhook.ErrSignature},
		"half a signature":      {change("Webhook-Signature", good.Get("Webhook-Signature")[:20]), text, webhook.ErrSignature},
		"no base64":             {change("Webhook-Signature", "v1,%%%%"), text, webhook.ErrSignature},
		"an empty one":          {change("Webhook-Signature", "v1,"), text, webhook.ErrSignature},
		"buried under many":     {change("Webhook-Signature", strings.Repeat("v1,AAAA ", 16)+good.Get("Webhook-Signature")), text, webhook.ErrSignature},
		"not JSON":              {signed(t, ours, "m-1", now, "{"), "{", webhook.ErrBody},
		"a list":                {signed(t, ours, "m-1", now, "[]"), "[]", webhook.ErrBody},
		"an id that is another": {signed(t, ours, "m-2", now, text), text, webhook.ErrBody},
		"no number":             {signed(t, ours, "m-1", now, `{"type":"x","id":"m-1"}`), `{"type":"x","id":"m-1"}`, webhook.ErrBody},
	} {
		m, err := v.Verify(c.header, []byte(c.body))
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, not %v", name, err, c.want)
		}
		if err == nil && (m.ID != "m-1" || m.Sequence != 7 || m.Type != "payment.completed" || string(m.Data) != `{"amount":"5.00"}` || !m.Timestamp.Equal(now.Add(-59500*time.Millisecond))) {
			t.Errorf("%s reads %+v", name, m)
		}
	}
}

func TestSecretsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, bad := range [][]string{nil, {""}, {"whsec_"}, {"whsec_%hunter2%"}, {secret(), "whsec_%hunter2%"}} {
		if _, err := webhook.New(bad...); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%d secrets: %v", len(bad), err)
		}
	}
	if _, err := webhook.New(" " + secret() + "\n"); err != nil {
		t.Errorf("a secret with the newline of its file: %v", err)
	}
}

// What Sign signs the reference library takes, and what the reference library signs Verify takes.
func TestAgainstTheReferenceLibrary(t *testing.T) {
	t.Parallel()
	s, at := secret(), time.Now()
	reference, err := standardwebhooks.NewWebhook(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Verify([]byte(text), signed(t, s, "m-1", at, text)); err != nil {
		t.Errorf("the reference library: %v", err)
	}
	signature, err := reference.Sign("m-1", at, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("webhook-id", "m-1")
	h.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
	h.Set("webhook-signature", signature)
	v, err := webhook.New(s)
	if err == nil {
		_, err = v.Verify(h, []byte(text))
	}
	if err != nil {
		t.Error(err)
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	s := secret()
	var dealt []webhook.Message
	var trouble error
	h := webhook.Handler(verifier(t, s), func(_ context.Context, m webhook.Message) error {
		dealt = append(dealt, m)
		return trouble
	})
	send := func(method string, header http.Header, body io.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/webhooks", body)
		r.Header = header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	good := signed(t, s, "m-1", now, text)
	if w := send("POST", good, strings.NewReader(text)); w.Code != 204 || len(dealt) != 1 || dealt[0].Sequence != 7 {
		t.Errorf("a good one: %d, dealt with %v", w.Code, dealt)
	}
	for name, c := range map[string]struct {
		method string
		header http.Header
		body   io.Reader
		status int
	}{
		"a visitor":      {"GET", http.Header{}, http.NoBody, 405},
		"unsigned":       {"POST", http.Header{}, strings.NewReader(text), 400},
		"forged":         {"POST", signed(t, secret(), "m-1", now, text), strings.NewReader(text), 400},
		"stale":          {"POST", signed(t, s, "m-1", now.Add(-time.Hour), text), strings.NewReader(text), 400},
		"not of ours":    {"POST", signed(t, s, "m-1", now, "hello"), strings.NewReader("hello"), 400},
		"a flood":        {"POST", good, bytes.NewReader(make([]byte, 1<<20+1)), 413},
		"cut on its way": {"POST", good, iotest.ErrReader(io.ErrUnexpectedEOF), 400},
	} {
		if w := send(c.method, c.header, c.body); w.Code != c.status || len(dealt) != 1 || (c.status == 405) != (w.Header().Get("Allow") == "POST") || strings.Contains(w.Body.String(), "5.00") {
			t.Errorf("%s: %d %s, dealt with %d", name, w.Code, w.Body, len(dealt))
		}
	}
	trouble = errors.New("the database said hunter2")
	if w := send("POST", good, strings.NewReader(text)); w.Code != 500 || len(dealt) != 2 || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("trouble: %d %s", w.Code, w.Body)
	}
}
