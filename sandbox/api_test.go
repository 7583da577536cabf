package sandbox_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// start is where the clocks of these tests stand at first: a Monday at noon.
var start = time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)

// api calls a sandbox as a program without an SDK would.
type api struct {
	t      *testing.T
	server *httptest.Server
	key    string
	clock  *clock.Fake

	account string // on whose behalf, where that is a connected account
}

// as is the same world on behalf of a connected account.
func (a *api) as(account string) *api {
	other := *a
	other.account = account
	return &other
}

// bare starts a sandbox whose clock stands still.
func bare(t *testing.T) *api {
	t.Helper()
	held := clock.NewFake(start)
	server, _, key := setup(t, sandbox.WithClock(held))
	return &api{t: t, server: server, key: key, clock: held}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (a *api) do(method, path, form string, header ...string) answer {
	a.t.Helper()
	target := a.server.URL + path
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form)
	} else if form != "" {
		target += "?" + form
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, target, body)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.account != "" {
		r.Header.Set("Stripe-Account", a.account)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	got, err := a.server.Client().Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	out := answer{status: got.StatusCode, header: got.Header, raw: string(raw)}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&out.body); err != nil && strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
		a.t.Fatalf("%s %s answered %q: %v", method, path, raw, err)
	}
	return out
}

func (a *api) get(path, form string) answer { a.t.Helper(); return a.do(http.MethodGet, path, form) }

// post sends a form written as "amount=1000&currency=usd".
func (a *api) post(path, form string, header ...string) answer {
	a.t.Helper()
	return a.do(http.MethodPost, path, form, header...)
}

// must is post that wants a 200.
func (a *api) must(path, form string) answer {
	a.t.Helper()
	got := a.post(path, form)
	if got.status != http.StatusOK {
		a.t.Fatalf("POST %s %s: %d %s", path, form, got.status, got.raw)
	}
	return got
}

// control calls the control API.
func (a *api) control(method, path, body string) answer {
	a.t.Helper()
	if method == http.MethodGet {
		return a.do(method, path, "")
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.server.URL+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	if a.account != "" {
		r.Header.Set("Stripe-Account", a.account)
	}
	got, err := a.server.Client().Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	out := answer{status: got.StatusCode, header: got.Header}
	d := json.NewDecoder(got.Body)
	d.UseNumber()
	if err := d.Decode(&out.body); err != nil {
		a.t.Fatal(err)
	}
	return out
}

// at follows a path through objects, and lists by "0"; a number is given as its digits.
func (a answer) at(path string) any {
	var v any = a.body
	for _, name := range strings.Split(path, ".") {
		switch is := v.(type) {
		case map[string]any:
			v = is[name]
		case []any:
			if name != "0" || len(is) == 0 {
				return nil
			}
			v = is[0]
		default:
			return nil
		}
	}
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v
}

// text is at for what is text, "" for null.
func (a answer) text(path string) string {
	s, _ := a.at(path).(string)
	return s
}

func (a answer) list(path string) []any {
	l, _ := a.at(path).([]any)
	return l
}

// wants compares fields by their paths.
func (a answer) wants(t *testing.T, status int, fields map[string]any) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.raw)
	}
	for path, want := range fields {
		if got := a.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// types are the types of a world's events, oldest first.
func (a *api) types() []string {
	a.t.Helper()
	all := a.get("/v1/events", "limit=100").list("data")
	types := make([]string, len(all))
	for i, e := range all {
		types[len(all)-1-i] = e.(map[string]any)["type"].(string)
	}
	return types
}

func escaped(s string) string { return url.QueryEscape(s) }
