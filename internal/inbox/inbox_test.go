package inbox_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/inbox"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
)

// call is one thing that the inbox asked a room to take in.
type call struct {
	room       string // "payment", "refetch", "refund", "refunds", "dispute" or "card"
	scope      db.Scope
	generation int64
	object     string
	status     string
}

// rooms stand for payment and refund: they note what they are told, and answer what the test wants.
type rooms struct {
	mu     sync.Mutex
	calls  []call
	answer func(context.Context, call) error
}

func (r *rooms) take(ctx context.Context, c call) error {
	r.mu.Lock()
	r.calls = append(r.calls, c)
	answer := r.answer
	r.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(ctx, c)
}

func (r *rooms) heard() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

func (r *rooms) handlers() inbox.Handlers {
	return inbox.Handlers{
		PaymentIntent: func(ctx context.Context, s db.Scope, g int64, pi stripe.PaymentIntent) error {
			return r.take(ctx, call{"payment", s, g, pi.ID, pi.Status})
		},
		RefetchPayment: func(ctx context.Context, s db.Scope, g int64, pi string) error {
			return r.take(ctx, call{"refetch", s, g, pi, ""})
		},
		Refund: func(ctx context.Context, s db.Scope, g int64, re stripe.Refund) error {
			return r.take(ctx, call{"refund", s, g, re.ID, re.Status})
		},
		RefetchRefunds: func(ctx context.Context, s db.Scope, g int64, pi string) error {
			return r.take(ctx, call{"refunds", s, g, pi, ""})
		},
		Dispute: func(ctx context.Context, s db.Scope, g int64, du stripe.Dispute, moved string) error {
			return r.take(ctx, call{"dispute", s, g, du.ID, strings.TrimSpace(du.Status + " " + moved)})
		},
		RefetchDispute: func(ctx context.Context, s db.Scope, g int64, du, moved string) error {
			return r.take(ctx, call{"dispute", s, g, du, moved})
		},
		Payout: func(ctx context.Context, s db.Scope, g int64, po stripe.Payout) error {
			return r.take(ctx, call{"payout", s, g, po.ID, po.Status})
		},
		RefetchPayout: func(ctx context.Context, s db.Scope, g int64, po string) error {
			return r.take(ctx, call{"refetch payout", s, g, po, ""})
		},
		RefetchCard: func(ctx context.Context, s db.Scope, g int64, pm string) error {
			return r.take(ctx, call{"card", s, g, pm, ""})
		},
	}
}

// node is one till with its inbox behind HTTP.
type node struct {
	*inbox.Inbox
	rooms
	t      *testing.T
	clock  *clock.Fake
	url    string
	log    *logBook
	woken  atomic.Bool
	sealer *merchant.Sealer
}

func setup(t *testing.T, d *db.DB) *node {
	t.Helper()
	sealer, err := merchant.OpenMasterKey(filepath.Join(t.TempDir(), "key"), true)
	if err != nil {
		t.Fatal(err)
	}
	return join(t, d, sealer, clock.NewFake(start), "http://127.0.0.1:1")
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

// join is one more node on a database. base is where its Stripe is.
func join(t *testing.T, d *db.DB, sealer *merchant.Sealer, c *clock.Fake, base string) *node {
	t.Helper()
	n := &node{t: t, clock: c, log: &logBook{}, sealer: sealer}
	log := slog.New(slog.NewTextHandler(n.log, nil))
	m := &merchant.Merchants{DB: d, Clock: c, Log: log, Sealer: sealer, Base: base, HTTP: stripe.HTTPClient()}
	n.Inbox = &inbox.Inbox{DB: d, Clock: c, Log: log, Merchants: m, Handlers: n.handlers(), Wake: func(string) { n.woken.Store(true) }}
	a := api.New("test", m.Authenticate, log)
	n.Routes(a)
	s := httptest.NewServer(a)
	t.Cleanup(func() {
		s.Close()
		n.Wait()
	})
	n.url = s.URL
	return n
}

// another is a second node on the same database.
func (n *node) another() *node { return join(n.t, n.DB, n.sealer, n.clock, n.Merchants.Base) }

// account is a generation of a merchant's Stripe account.
type account struct {
	merchant.InboundSecret
	token string
}

// key is the account's key at Stripe.
func (a account) key() string {
	return fmt.Sprintf("sk_%s_%s%d", a.Mode, strings.ReplaceAll(a.Merchant, "-", ""), a.Generation)
}

func secret() string { return "whsec_" + id.Token(24) }

// shop is a merchant in test mode with a signing secret; "" is none.
func (n *node) shop(secret string) account {
	return n.provide(account{merchant.InboundSecret{Scope: db.Scope{Merchant: id.New(), Mode: "test"}, Generation: 1, Secret: secret}, id.Hex(16)}, "acct_"+id.Hex(8))
}

// provide keeps the credentials as PUT /v1/merchant/providers does, without asking Stripe.
func (n *node) provide(a account, name string) account {
	n.t.Helper()
	seal := func(column, plain string) string {
		if plain == "" {
			return ""
		}
		s, err := n.sealer.Seal(plain, fmt.Sprintf("providers|%s|%s|%s|%d", column, a.Merchant, a.Mode, a.Generation))
		if err != nil {
			n.t.Fatal(err)
		}
		return s
	}
	if err := n.DB.Write(ctx, db.Change{
		SQL: `insert into providers (merchant, mode, generation, account, secret_key, publishable_key, webhook_secret, webhook_endpoint, webhook_url, webhook_token, created_at, updated_at)
			values ($1, $2, $3, $4, $5, '', $6, '', '', $7, $8, $8)`,
		Args: []any{a.Merchant, a.Mode, a.Generation, name, seal("secret_key", a.key()), seal("webhook_secret", a.Secret), a.token, db.Micros(n.clock.Now())}, Rows: 1,
	}); err != nil {
		n.t.Fatal(err)
	}
	n.clock.Advance(6 * time.Second) // past what is remembered of the secrets
	return a
}

// mac is Stripe's signature of a body at a time.
func mac(secret string, at time.Time, body string) string {
	h := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(h, "%d.%s", at.Unix(), body)
	return hex.EncodeToString(h.Sum(nil))
}

func signed(secret string, at time.Time, body string) string {
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), mac(secret, at, body))
}

// answered is what Stripe is told.
type answered struct {
	status  int
	text    string
	code    string
	message string
}

const shared = "/v1/webhooks/stripe"

// post sends a request as Stripe would. A signature of "-" sends no header.
func (n *node) post(path, signature, body string) answered {
	n.t.Helper()
	r, err := http.NewRequest(http.MethodPost, n.url+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	if signature != "-" {
		r.Header.Set("Stripe-Signature", signature)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	var failure struct {
		Error struct{ Code, Message string }
	}
	if err != nil || json.Unmarshal(text, &failure) != nil {
		n.t.Fatalf("%d %s (%v)", reply.StatusCode, text, err)
	}
	return answered{reply.StatusCode, strings.TrimSpace(string(text)), failure.Error.Code, failure.Error.Message}
}

// tell posts an event that its merchant's secret signed, on the shared URL, and waits until it was applied.
func (n *node) tell(a account, body string) answered {
	n.t.Helper()
	got := n.post(shared, signed(a.Secret, n.clock.Now(), body), body)
	n.Wait()
	return got
}

func (a answered) received() bool { return a.status == 200 && a.text == `{"received":true}` }

// sample is an event of testdata under a new id.
func sample(t *testing.T, kind string) (body string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", kind+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var e map[string]any
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	e["id"] = "evt_" + id.Hex(12)
	b, err = json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// kept is a row of what Stripe told.
type kept struct {
	db.Scope
	id, kind, object, payload, failure string
	generation, attempts               int64
	verified                           bool
	applied, due                       time.Time
	source                             string
	created                            time.Time
}

func (n *node) kept() []kept {
	n.t.Helper()
	all, err := db.All(ctx, n.DB, func(r db.Row) (k kept, err error) {
		return k, r.Scan(&k.Merchant, &k.Mode, &k.id, &k.generation, &k.kind, &k.object, &k.payload, &k.verified, &k.attempts, &k.failure, db.At(&k.applied), db.At(&k.due), &k.source,
			db.At(&k.created))
	}, `select merchant, mode, id, generation, type, object, payload, verified, attempts, error, applied_at, due_at, source, created_at from stripe_events order by merchant, mode, id`)
	if err != nil {
		n.t.Fatal(err)
	}
	return all
}

// only is the one row there is.
func (n *node) only() kept {
	n.t.Helper()
	all := n.kept()
	if len(all) != 1 {
		n.t.Fatalf("%d events are kept: %+v", len(all), all)
	}
	return all[0]
}

// work runs the task until nothing is due now.
func (n *node) work() {
	n.t.Helper()
	for {
		n.woken.Store(false)
		more, err := n.Tasks()[0].Run(ctx)
		if err != nil {
			n.t.Fatal(err)
		}
		n.Wait()
		if !more && !n.woken.Load() {
			return
		}
	}
}
