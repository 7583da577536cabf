package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/sandbox"
)

// world is all that one proof needs: a merchant with its Stripe account and its own server, a database, and an address of till that
// stays while the processes behind it come and go.
type world struct {
	t         *testing.T
	url       string // of the database
	masterKey string
	db        *db.DB // our own view of it
	scope     db.Scope
	key       string // X-API-Key
	stripe    string // Stripe's address
	stripeKey string
	front     *front
	hears     *receiver
	http      *http.Client
}

// newWorld sets up a merchant as its operator would, through a till in this process that is closed again; first is what it does there first.
func newWorld(t *testing.T, url string, first ...func(*world)) *world {
	t.Helper()
	w := &world{t: t, url: url, masterKey: filepath.Join(t.TempDir(), "master.key"), stripeKey: "sk_test_" + id.Hex(12), front: newFront(t), hears: newReceiver(t),
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(w.http.CloseIdleConnections)
	box := sandbox.NewServer()
	server := httptest.NewServer(box)
	t.Cleanup(func() { box.Close(); server.Close() })
	w.stripe = server.URL
	a, err := app.Open(t.Context(), app.Config{Database: url, StripeURL: w.stripe, MasterKey: w.masterKey, NewMasterKey: true, PublicURL: w.front.URL,
		AllowWebhookTo: []string{w.hears.Listener.Addr().String()}, Version: "proof", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(context.Background())
	shop, err := a.Merchants.CreateMerchant(t.Context(), "Shop")
	if err != nil {
		t.Fatal(err)
	}
	w.scope = db.Scope{Merchant: shop.ID, Mode: merchant.Test}
	if _, w.key, err = a.Merchants.CreateKey(t.Context(), merchant.KeyInput{Merchant: shop.ID, Mode: merchant.Test, Name: "proof", Scopes: api.Scopes}); err != nil {
		t.Fatal(err)
	}
	w.front.turn(a.API)
	w.want(200, "PUT", "/v1/merchant/providers", "", map[string]any{"provider": "stripe", "register": true, "stripe": map[string]string{"secret_key": w.stripeKey}})
	w.hears.secret = text(w.want(200, "PUT", "/v1/merchant/webhook", "", map[string]string{"webhook_url": w.hears.URL}), "secret")
	if w.db, err = db.Open(context.Background(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.db.Close)
	if len(first) > 0 {
		a.Start()
	}
	for _, do := range first {
		do(w)
		w.quiet()
	}
	w.front.turn(nil)
	return w
}

// quiet waits until nothing is under way: no call, no event in either direction.
func (w *world) quiet() {
	w.t.Helper()
	w.eventually("that nothing is under way", func() bool {
		if w.busy() {
			return false
		}
		var state struct {
			Outstanding int `json:"webhooks_outstanding"`
		}
		w.box("GET", "/_sandbox/state", nil, &state)
		return state.Outstanding == 0
	})
}

// till starts a process in this world.
func (w *world) till(binary string, env ...string) *process {
	w.t.Helper()
	p := start(w.t, binary, env, "serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--db", w.url, "--master-key-file", w.masterKey,
		"--stripe-url", w.stripe, "--public-url", w.front.URL, "--allow-webhook-to", w.hears.Listener.Addr().String(), "--log-format", "json")
	w.front.turn(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", p.api, r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // a caller sees its connection cut, as without a proxy
	})
	return p
}

// busy says whether till's books hold something that is not finished: a call, or an event in either direction.
func (w *world) busy() bool {
	return w.count(`select (select count(*) from calls where state = 'open') + (select count(*) from events where not fanned)
		+ (select count(*) from deliveries where due_at is not null) + (select count(*) from stripe_events where due_at is not null)`) > 0
}

// front is an address that stays.
type front struct {
	*httptest.Server
	behind atomic.Pointer[http.Handler]
}

func newFront(t *testing.T) *front {
	f := &front{}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := f.behind.Load(); h != nil {
			(*h).ServeHTTP(w, r)
			return
		}
		panic(http.ErrAbortHandler)
	}))
	f.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	f.Start()
	t.Cleanup(f.Close)
	return f
}

func (f *front) turn(to http.Handler) {
	if to == nil {
		f.behind.Store(nil)
		return
	}
	f.behind.Store(&to)
}

// answer is what till answered.
type answer struct {
	status   int
	replayed bool
	body     []byte
	data     map[string]any
}

// ask sends one request to an address of till's; key is its Idempotency-Key, if any.
func (w *world) ask(base, method, path, key string, body any) (answer, error) {
	var content io.Reader
	if body != nil {
		content = strings.NewReader(db.JSON(body))
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, base+path, content)
	if err != nil {
		return answer{}, err
	}
	r.GetBody = nil // Go's transport would send a request with an Idempotency-Key anew by itself where its connection was cut
	r.Header.Set("X-API-Key", w.key)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	reply, err := w.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer reply.Body.Close()
	a := answer{status: reply.StatusCode, replayed: reply.Header.Get("Idempotent-Replayed") == "true"}
	if a.body, err = io.ReadAll(io.LimitReader(reply.Body, 8<<20)); err != nil {
		return answer{}, err
	}
	var said struct{ Data json.RawMessage }
	if err := json.Unmarshal(a.body, &said); err != nil {
		return answer{}, fmt.Errorf("%d %s: %w", a.status, a.body, err)
	}
	_ = json.Unmarshal(said.Data, &a.data) // a list has no fields
	return a, nil
}

// want asks and ends the test where the answer is another.
func (w *world) want(status int, method, path, key string, body any) map[string]any {
	w.t.Helper()
	a, err := w.ask(w.front.URL, method, path, key, body)
	if err != nil || a.status != status {
		w.t.Fatalf("%s %s: %d %s, %v", method, path, a.status, a.body, err)
	}
	return a.data
}

// text is a string in an answer, or "".
func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

// eventually returns when holds does; it ends the test when that takes far too long.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	late := time.After(3 * time.Minute) // a recovery takes 10 s to 40; the machine may be busy with all the others
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-late:
			w.t.Fatalf("still not so: %s", what)
		}
	}
}

// count is the number that a query on till's database gives.
func (w *world) count(sql string, args ...any) int64 {
	w.t.Helper()
	n, err := db.One(context.Background(), w.db, db.Value[int64], sql, args...)
	if err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// list is every object of a kind at Stripe, asked for as anybody would.
func (w *world) list(path string) (all []map[string]any) {
	w.t.Helper()
	for after := ""; ; {
		var page struct {
			Data    []map[string]any `json:"data"`
			HasMore bool             `json:"has_more"`
		}
		w.box("GET", path+"?limit=100"+after, nil, &page)
		all = append(all, page.Data...)
		if !page.HasMore || len(page.Data) == 0 {
			return all
		}
		after = "&starting_after=" + text(page.Data[len(page.Data)-1], "id")
	}
}

// box asks the sandbox, as the merchant's Stripe account.
func (w *world) box(method, path string, body, into any) {
	w.t.Helper()
	var content io.Reader
	if body != nil {
		content = strings.NewReader(db.JSON(body))
	}
	r, err := http.NewRequest(method, w.stripe+path, content)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.stripeKey)
	reply, err := w.http.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(reply.Body, 8<<20))
	if err != nil || reply.StatusCode != 200 {
		w.t.Fatalf("%s %s: %d %s, %v", method, path, reply.StatusCode, raw, err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			w.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

// receiver is the merchant's own server: it keeps what it was told, where the signature is right.
type receiver struct {
	*httptest.Server
	t      *testing.T
	secret string
	mu     sync.Mutex
	told   map[string]map[string]int // by object and type, how often
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t, told: map[string]map[string]int{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // cut: its sender was killed
	}
	check, err := standardwebhooks.NewWebhook(r.secret)
	if err == nil {
		err = check.Verify(body, q.Header)
	}
	var said struct {
		Type string
		Data struct{ ID string }
	}
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(body)).Decode(&said)
	}
	if err != nil {
		r.t.Errorf("a delivery that cannot be trusted: %v: %s", err, body)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told[said.Data.ID] == nil {
		r.told[said.Data.ID] = map[string]int{}
	}
	r.told[said.Data.ID][said.Type]++
}

// heard is how often it was told of a type of event about an object.
func (r *receiver) heard(object, kind string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[object][kind]
}
