// Package tilltest is a whole till with its own sandbox for a test, in one line. Only tests may import it.
//
//	till := tilltest.New(t)
//	paid := till.Post("/v1/payments", `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`)
//
// Everything is real: HTTP, the database, Stripe's protocol, signed webhooks both ways. The clock stands still until it is moved.
package tilltest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/sandbox"
)

// Start is when a test's clock stands at first: a Tuesday.
var Start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// Till is a running till, with a merchant that can take payments.
type Till struct {
	T testing.TB
	*app.App
	URL       string
	Clock     *clock.Fake // nil where the time is that of the sandbox's world
	Sandbox   *sandbox.Server
	StripeURL string
	Shop      Shop
	Log       *Log
}

// Shop is a merchant of the till: its key, its Stripe key, and where it hears of events.
type Shop struct {
	db.Scope
	Key       string // X-API-Key
	StripeKey string
	Hears     *Receiver
}

// Each runs a test on both engines.
func Each(t *testing.T, test func(*testing.T, *Till)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) { test(t, Open(t, url)) })
}

// New is a till on SQLite.
func New(t testing.TB) *Till {
	t.Helper()
	return Open(t, dbtest.SQLite(t))
}

// Open is a till on the database of a URL, with a sandbox and a shop of its own.
func Open(t testing.TB, url string) *Till {
	t.Helper()
	till := &Till{T: t, Clock: clock.NewFake(Start), Log: &Log{}}
	till.run(url, sandbox.NewServer(sandbox.WithClock(till.Clock)), app.Config{Clock: till.Clock})
	return till
}

// Follow is Open in the time of the sandbox's world, which the options set and Stripe.SetClock and Stripe.Advance move. Its receiver
// refuses a delivery that was not signed just now, as a shop's own server does.
func Follow(t testing.TB, url string, options ...sandbox.Option) *Till {
	t.Helper()
	till := &Till{T: t, Log: &Log{}}
	till.run(url, sandbox.NewServer(options...), app.Config{FollowSandbox: true})
	return till
}

// run starts the till beside its sandbox, and adds the shop.
func (t *Till) run(url string, box *sandbox.Server, c app.Config) {
	t.T.Helper()
	t.Sandbox = box
	stripe := httptest.NewServer(box)
	t.StripeURL = stripe.URL
	receivers, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.T.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	t.URL = "http://" + server.Listener.Addr().String()
	c.Database, c.StripeURL, c.PublicURL = url, stripe.URL, t.URL
	c.Serves = true
	c.MasterKey, c.NewMasterKey = filepath.Join(t.T.TempDir(), "master.key"), true
	c.AllowWebhookTo, c.Version, c.Log = []string{receivers.Addr().String()}, "test", slog.New(slog.NewTextHandler(t.Log, nil))
	if t.App, err = app.Open(context.Background(), c); err != nil {
		t.T.Fatal(err)
	}
	server.Config.Handler = t.App.API
	server.Start()
	t.App.Start()
	t.T.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		t.App.Close(ctx)
		box.Close()
		stripe.Close()
		if t.T.Failed() {
			t.T.Logf("till's log:\n%s", t.Log)
		}
	})
	t.Shop = t.NewShop(newReceiver(t.T, receivers, t.Clock == nil))
}

// NewShop is another merchant, with credentials, a webhook endpoint at Stripe, and hears (which may be nil) as its receiver.
func (t *Till) NewShop(hears *Receiver) Shop {
	t.T.Helper()
	shop := t.Bare(merchant.Test)
	shop.StripeKey, shop.Hears = "sk_test_"+id.Hex(12), hears
	t.As(shop).Want(200, "PUT", "/v1/merchant/providers", map[string]any{"provider": "stripe", "register": true, "stripe": map[string]string{"secret_key": shop.StripeKey}})
	if hears != nil {
		said := t.As(shop).Want(200, "PUT", "/v1/merchant/webhook", map[string]string{"webhook_url": hears.URL})
		hears.secret = said.String("data", "secret")
	}
	return shop
}

// Bare is another merchant, with an API key of a mode and nothing else.
func (t *Till) Bare(mode string) Shop {
	t.T.Helper()
	ctx := context.Background()
	m, err := t.Merchants.CreateMerchant(ctx, "Shop "+id.Hex(4))
	if err != nil {
		t.T.Fatal(err)
	}
	_, key, err := t.Merchants.CreateKey(ctx, merchant.KeyInput{Merchant: m.ID, Mode: mode, Name: "test", Scopes: api.Scopes})
	if err != nil {
		t.T.Fatal(err)
	}
	return Shop{Scope: db.Scope{Merchant: m.ID, Mode: mode}, Key: key}
}

// Client speaks to a till's API as one shop.
type Client struct {
	t      testing.TB
	base   string
	key    string
	header http.Header
}

// As speaks for a shop.
func (t *Till) As(s Shop) *Client { return &Client{t.T, t.URL, s.Key, http.Header{}} }

// Get, Post, Delete and Want speak for the till's own shop.
func (t *Till) Get(path string) Answer { t.T.Helper(); return t.As(t.Shop).Do("GET", path, nil) }

// Post sends a body with a fresh Idempotency-Key.
func (t *Till) Post(path string, body any) Answer {
	t.T.Helper()
	return t.As(t.Shop).With("Idempotency-Key", id.New()).Do("POST", path, body)
}

// Delete deletes.
func (t *Till) Delete(path string) Answer { t.T.Helper(); return t.As(t.Shop).Do("DELETE", path, nil) }

// With is the client with one more header.
func (c *Client) With(name, value string) *Client {
	with := *c
	with.header = c.header.Clone()
	with.header.Set(name, value)
	return &with
}

// Answer is what the API answered.
type Answer struct {
	t      testing.TB
	Status int
	Header http.Header
	Raw    []byte
	JSON   any
}

// Do sends a request. The body is a string or []byte, sent as it is, or anything else, as JSON; nil is none.
func (c *Client) Do(method, path string, body any) Answer {
	c.t.Helper()
	a, err := c.Try(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// Try is Do for goroutines that may not end the test.
func (c *Client) Try(method, path string, body any) (Answer, error) {
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	case []byte:
		content = bytes.NewReader(b)
	default:
		content = strings.NewReader(db.JSON(b))
	}
	r, err := http.NewRequest(method, c.base+path, content)
	if err != nil {
		return Answer{}, err
	}
	r.Header = c.header.Clone()
	if c.key != "" {
		r.Header.Set("X-API-Key", c.key)
	}
	if body != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(reply.Body, 8<<20))
	if err != nil {
		return Answer{}, err
	}
	a := Answer{t: c.t, Status: reply.StatusCode, Header: reply.Header, Raw: raw}
	_ = json.Unmarshal(raw, &a.JSON)
	return a, nil
}

// Want sends a request and ends the test where the status is another.
func (c *Client) Want(status int, method, path string, body any) Answer {
	c.t.Helper()
	return c.Do(method, path, body).Want(status)
}

// Want ends the test where the status is another.
func (a Answer) Want(status int) Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("answered %d, not %d: %s", a.Status, status, a.Raw)
	}
	return a
}

// Refused ends the test where the answer is not this error.
func (a Answer) Refused(status int, code, param string) Answer {
	a.t.Helper()
	a.Want(status)
	if a.String("error", "code") != code || a.String("error", "param") != param {
		a.t.Fatalf("answered %s, not %s about %q", a.Raw, code, param)
	}
	if a.String("error", "message") == "" || !strings.HasPrefix(a.String("error", "request_id"), "req_") {
		a.t.Fatalf("an error without a message or a request id: %s", a.Raw)
	}
	return a
}

// At is a value inside the answer; a path element is a key of an object or an index (int) of a list. It is nil where there is none.
func (a Answer) At(path ...any) any {
	v := a.JSON
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// String is a string inside the answer, or "".
func (a Answer) String(path ...any) string {
	s, _ := a.At(path...).(string)
	return s
}

// ID is data.id.
func (a Answer) ID() string { return a.String("data", "id") }

// Len is the length of the list in data.
func (a Answer) Len() int {
	l, _ := a.At("data").([]any)
	return len(l)
}
