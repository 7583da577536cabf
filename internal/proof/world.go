package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/sandbox"
)

// setting is what a world is made of.
type setting struct {
	url    string // of the database: migrated, or empty
	stripe string // where Stripe is; a sandbox of the world's own where it is ""
	clock  bool   // till lives in the time of the sandbox
	fresh  bool   // nothing is set up: the database is empty, and there is no master key
}

// world is all that one proof needs: a merchant with its Stripe account and its own server, a database, and an address of till that
// stays while the processes behind it come and go.
type world struct {
	setting
	t         T
	masterKey string
	db        *db.DB // our own view of it
	scope     db.Scope
	key       string // X-API-Key
	stripeKey string
	card      string // a card that a customer has given to Stripe
	front     *front
	link      *link // the way from till to Stripe
	hears     *receiver
	http      *http.Client
}

// newWorld sets up a merchant as its operator would.
func newWorld(t T, s setting) *world {
	t.Helper()
	w := &world{t: t, setting: s, masterKey: filepath.Join(t.TempDir(), "master.key"), stripeKey: "sk_test_" + id.Hex(12), front: newFront(t), hears: newReceiver(t),
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(w.http.CloseIdleConnections)
	if w.stripe == "" {
		box := sandbox.NewServer()
		server := httptest.NewServer(box)
		t.Cleanup(func() { box.Close(); server.Close() })
		w.stripe = server.URL
	}
	w.link = newLink(t, w.stripe)
	if !s.fresh {
		w.found()
	}
	return w
}

// found makes the merchant through a till in this process that is closed again.
func (w *world) found() {
	w.t.Helper()
	a, err := app.Open(w.t.Context(), app.Config{Database: w.url, StripeURL: w.stripe, MasterKey: w.masterKey, NewMasterKey: true, PublicURL: w.front.URL,
		AllowWebhookTo: []string{w.hears.Listener.Addr().String()}, Version: "proof", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	defer a.Close(context.Background())
	shop, err := a.Merchants.CreateMerchant(w.t.Context(), "Shop")
	if err == nil {
		_, w.key, err = a.Merchants.CreateKey(w.t.Context(), merchant.KeyInput{Merchant: shop.ID, Mode: merchant.Test, Name: "proof", Scopes: api.Scopes})
	}
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	w.front.turn(a.API)
	defer w.front.turn(nil)
	w.settle(func(method, path string, body any) map[string]any { return w.want(200, method, path, "", body) })
}

// settle says to till which Stripe account and which server are the merchant's.
func (w *world) settle(ask func(method, path string, body any) map[string]any) {
	ask("PUT", "/v1/merchant/providers", map[string]any{"provider": "stripe", "register": true, "stripe": map[string]string{"secret_key": w.stripeKey}})
	told := ask("PUT", "/v1/merchant/webhook", map[string]any{"webhook_url": w.hears.URL, "rotate_secret": true})
	w.hears.trust(text(told, "secret"))
	var err error
	if w.db, err = db.Open(context.Background(), w.url); err != nil {
		w.t.Fatalf("%v", err)
	}
	w.t.Cleanup(w.db.Close)
	shop, err := db.One(context.Background(), w.db, db.Value[string], `select id from merchants`)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	w.scope = db.Scope{Merchant: shop, Mode: merchant.Test}
	var card struct{ ID string }
	w.box("POST", "/v1/payment_methods?type=card&card[token]=tok_visa", nil, &card)
	w.card = card.ID
}

// arguments are those of a till of this world.
func (w *world) arguments() []string {
	args := []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--db", w.url, "--master-key-file", w.masterKey,
		"--stripe-url", w.link.URL, "--public-url", w.front.URL, "--allow-webhook-to", w.hears.Listener.Addr().String(), "--log-format", "json"}
	if w.clock {
		args = append(args, "--clock", "sandbox")
	}
	return args
}

// till starts a process in this world, which stands behind its address from then on.
func (w *world) till(binary string, env ...string) *process {
	w.t.Helper()
	p := start(w.t, binary, env, w.arguments()...)
	w.front.stand(p.api, false)
	return p
}

// unfinished is what till's books hold that is not over: open calls apart, and events in either direction.
func (w *world) unfinished() (calls, events int64) {
	w.t.Helper()
	return w.count(`select count(*) from calls where state = 'open'`), w.count(`select (select count(*) from events where not fanned)
		+ (select count(*) from deliveries where due_at is not null) + (select count(*) from stripe_events where due_at is not null)`)
}

// outstanding are the webhooks that Stripe has still to deliver.
func (w *world) outstanding() (now, later int) {
	w.t.Helper()
	var state struct {
		Queued  int `json:"webhooks_queued"`
		Sending int `json:"webhooks_sending"`
		Later   int `json:"webhooks_later"`
	}
	w.box("GET", "/_sandbox/state", nil, &state)
	return state.Queued + state.Sending, state.Later
}

// quiet waits until nothing is under way: no call, no event in either direction.
func (w *world) quiet() {
	w.t.Helper()
	w.eventually("that nothing is under way", func() bool {
		calls, events := w.unfinished()
		now, later := w.outstanding()
		return calls+events == 0 && now+later == 0
	})
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

// want asks and ends the proof where the answer is another.
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

// whole is a number in an answer of Stripe's, or 0.
func whole(m map[string]any, key string) int64 {
	n, _ := m[key].(float64)
	return int64(n)
}

// eventually returns when holds does; it ends the proof when that takes far too long.
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
		w.t.Fatalf("%v", err)
	}
	r.Header.Set("Authorization", "Bearer "+w.stripeKey)
	reply, err := w.http.Do(r)
	if err != nil {
		w.t.Fatalf("%v", err)
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

// advance lets time pass at Stripe, and for a till that lives in its time.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	w.box("POST", "/_sandbox/clock/advance", map[string]any{"seconds": int64(d / time.Second)}, nil)
}

// fault makes Stripe go wrong by a rule of the sandbox.
func (w *world) fault(rule map[string]any) {
	w.t.Helper()
	w.box("POST", "/_sandbox/faults", rule, nil)
}

func amount(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }
