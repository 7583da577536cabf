package merchant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/sandbox"
)

// world is a till's merchant room with a Stripe of its own.
type world struct {
	*merchant.Merchants
	clock *clock.Fake
	log   *logBook
	api   *api.API
}

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// events stands for the inbox.
func events() []string { return []string{"payment_intent.succeeded", "charge.refunded"} }

// anywhere is a CheckURL that minds only the scheme.
func anywhere(_ context.Context, url string) error {
	if !strings.HasPrefix(url, "https://") {
		return fault.New(fault.WebhookAddress, "", "The webhook URL must begin with https://.")
	}
	return nil
}

func setup(t testing.TB, d *db.DB) *world {
	t.Helper()
	sealer, err := merchant.OpenMasterKey(filepath.Join(t.TempDir(), "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	return node(t, d, sealer, sandboxURL(t))
}

// node is one till over a database; several share it, and the master key.
func node(t testing.TB, d *db.DB, sealer *merchant.Sealer, base string) *world {
	t.Helper()
	w := &world{clock: clock.NewFake(start), log: &logBook{}}
	log := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.Merchants = &merchant.Merchants{
		DB: d, Clock: w.clock, Log: log, Sealer: sealer, Base: base, HTTP: stripe.HTTPClient(),
		PublicURL: "https://pay.example.com", InboundEvents: events, CheckURL: anywhere,
	}
	w.api = api.New("test", w.Authenticate, log)
	w.Routes(w.api)
	return w
}

func sandboxURL(t testing.TB) string {
	t.Helper()
	box := sandbox.NewServer()
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.Close()
		box.Close()
	})
	return server.URL
}

// logBook keeps what is logged.
type logBook struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write implements io.Writer.
func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

// String is all that was logged.
func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// shop makes a merchant with a key of every scope.
func (w *world) shop(t testing.TB, name, mode string) (scope db.Scope, key string) {
	t.Helper()
	owner, err := w.CreateMerchant(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	made, key, err := w.CreateKey(context.Background(), merchant.KeyInput{Merchant: owner.ID, Mode: mode, Scopes: api.Scopes})
	if err != nil {
		t.Fatal(err)
	}
	return made.Scope, key
}

// answer is what the API said.
type answer struct {
	status int
	text   string
	Data   map[string]any
	Error  struct{ Code, Message, Param string }
}

// ask sends a request through the front door.
func (w *world) ask(t testing.TB, key, method, path, body string) answer {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, content)
	if key != "" {
		r.Header.Set("X-API-Key", key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	a := answer{status: rec.Code, text: rec.Body.String()}
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
		t.Fatalf("%s %s answered what is no JSON: %q", method, path, a.text)
	}
	return a
}

// want fails the test unless the answer is a fault of this code about this parameter.
func (a answer) want(t testing.TB, status int, code fault.Code, param string) {
	t.Helper()
	if a.status != status || a.Error.Code != string(code) || a.Error.Param != param {
		t.Errorf("got %d %s (%s), want %d %s (%s): %s", a.status, a.Error.Code, a.Error.Param, status, code, param, a.text)
	}
}

// data fails the test unless the answer is a success.
func (a answer) data(t testing.TB) map[string]any {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("got %d: %s", a.status, a.text)
	}
	return a.Data
}

// Keys of Stripe's form, made at run time. The sandbox gives each suffix a world, and so an account, of its own.
func suffix() string        { return id.Hex(12) }
func secretKey() string     { return "sk_test_" + suffix() }
func webhookSecret() string { return "whsec_" + id.Hex(16) }

func credentials(secret string) merchant.ConfigureInput {
	return merchant.ConfigureInput{Provider: "stripe", Stripe: merchant.Credentials{SecretKey: merchant.Secret(secret)}}
}

func wantFault(t testing.TB, err error, code fault.Code, param string) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code || f.Param != param {
		t.Errorf("got %v, want %s (%s)", err, code, param)
	}
}
