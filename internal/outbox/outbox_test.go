package outbox_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/outbox"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
)

// node is one till on a database, with its clock held still.
type node struct {
	*outbox.Outbox
	t     *testing.T
	clock *clock.Fake
	woken atomic.Bool
}

// loopback lets deliveries reach the receivers of these tests.
const loopback = "127.0.0.0/8"

func setup(t *testing.T, d *db.DB) *node {
	t.Helper()
	sealer, err := merchant.OpenMasterKey(filepath.Join(t.TempDir(), "key"), true)
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(start)
	to := dialer(t, loopback)
	return join(t, &merchant.Merchants{DB: d, Clock: c, Log: quiet, Sealer: sealer, CheckURL: to.CheckURL}, c, to)
}

// join is one more node on the database of others.
func join(t *testing.T, m *merchant.Merchants, c *clock.Fake, to *outbox.Dialer) *node {
	n := &node{t: t, clock: c, Outbox: &outbox.Outbox{DB: m.DB, Clock: c, Log: quiet, Merchants: m, Dialer: to}}
	n.Wake = func(string) { n.woken.Store(true) }
	t.Cleanup(n.Wait)
	return n
}

func (n *node) another() *node { return join(n.t, n.Merchants, n.clock, n.Dialer) }

// listen makes the URL of a merchant and says the secret that its deliveries are signed with.
func (n *node) listen(scope db.Scope, url string) (secret string) {
	n.t.Helper()
	_, secret, err := n.Merchants.Listen(ctx, scope, merchant.ListenInput{URL: url})
	if err != nil {
		n.t.Fatal(err)
	}
	return secret
}

// tell writes events of a type and fans them out.
func (n *node) tell(scope db.Scope, kind string, count int) (told []event.Event) {
	n.t.Helper()
	for i := range count {
		e := event.New(scope, kind, id.New(), map[string]any{"n": i, "text": "ü & <b>"}, n.clock.Now())
		if err := n.DB.Write(ctx, event.Insert(e)); err != nil {
			n.t.Fatal(err)
		}
		told = append(told, e)
	}
	n.fan()
	return told
}

func (n *node) fan() {
	n.t.Helper()
	for more := true; more; {
		var err error
		if more, err = n.Fan(ctx); err != nil {
			n.t.Fatal(err)
		}
	}
}

// deliver runs until nothing more is due now and every attempt has ended.
func (n *node) deliver() {
	n.t.Helper()
	for {
		n.woken.Store(false)
		turn, end := context.WithCancel(ctx)
		more, err := n.Deliver(turn)
		end() // what was begun goes on
		if err != nil {
			n.t.Fatal(err)
		}
		n.Wait()
		if !more && !n.woken.Load() {
			return
		}
	}
}

// list is all deliveries of a scope, newest first.
func (n *node) list(scope db.Scope) []outbox.Delivery {
	n.t.Helper()
	in := outbox.ListInput{}
	in.Limit = 1000
	page, err := n.List(ctx, scope, in)
	if err != nil {
		n.t.Fatal(err)
	}
	return page.Data
}

// only is the one delivery of a scope.
func (n *node) only(scope db.Scope) outbox.Delivery {
	n.t.Helper()
	all := n.list(scope)
	if len(all) != 1 {
		n.t.Fatalf("there are %d deliveries, not one", len(all))
	}
	return all[0]
}

// message is what a receiver reads.
type message struct {
	Type      string         `json:"type"`
	Timestamp time.Time      `json:"timestamp"`
	ID        string         `json:"id"`
	Sequence  int64          `json:"sequence"`
	Data      map[string]any `json:"data"`
}

// receiver is a merchant's endpoint. It checks every signature with the reference library and answers what it is told to.
type receiver struct {
	*httptest.Server
	t      *testing.T
	mu     sync.Mutex
	secret string
	answer []int // one after the other; the last one stays
	got    []message
	bodies map[string]string // by webhook-id
}

func receive(t *testing.T, answer ...int) *receiver {
	t.Helper()
	r := &receiver{t: t, answer: answer, bodies: map[string]string{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	var m message
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || q.Method != http.MethodPost || q.Header.Get("Content-Type") != "application/json" || m.ID != q.Header.Get("webhook-id") {
		r.t.Errorf("%s with %q: %s (%v)", q.Method, q.Header, body, err)
	}
	if was, again := r.bodies[m.ID]; again && was != string(body) {
		r.t.Errorf("the body of %s changed from %s to %s", m.ID, was, body)
	}
	hook, err := standardwebhooks.NewWebhook(r.secret)
	if err == nil {
		err = hook.VerifyIgnoringTimestamp(body, q.Header) // the clock stands still
	}
	if err != nil {
		r.t.Errorf("the reference library refuses %q: %v", q.Header, err)
	}
	r.bodies[m.ID], r.got = string(body), append(r.got, m)
	if len(r.answer) > 0 {
		status := r.answer[0]
		if len(r.answer) > 1 {
			r.answer = r.answer[1:]
		}
		w.Header().Set("Location", "http://"+q.Host+"/elsewhere")
		w.WriteHeader(status)
	}
}

// takes makes the receiver the endpoint of a merchant.
func (r *receiver) takes(n *node, scope db.Scope) *receiver {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = n.listen(scope, r.URL)
	return r
}

func (r *receiver) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message{}, r.got...)
}

// seller is a new merchant's scope.
func seller() db.Scope { return db.Scope{Merchant: id.New(), Mode: "test"} }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
