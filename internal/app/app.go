// Package app wires the rooms: the only place that knows them all.
package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/till-pay/till/internal/analytics"
	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/card"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/customer"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/dispute"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/inbox"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/localprice"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/message"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/outbox"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/payout"
	"github.com/till-pay/till/internal/reconcile"
	"github.com/till-pay/till/internal/refund"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/internal/task"
)

// Config is what a till is started with.
type Config struct {
	Database       string // "sqlite:PATH" or "postgres://…"
	StripeURL      string // stripe.APIBase where it is empty
	MasterKey      string // path of the master key's file
	NewMasterKey   bool   // make the master key where there is none
	PublicURL      string // where the world reaches this till
	Serves         bool   // it stays: an SQLite file is for one till that does
	AllowWebhookTo []string
	Mail           *message.Mail // the operator's mail server; nil where messages are only kept
	Version        string
	Clock          clock.Clock // the machine's where it is nil
	FollowSandbox  bool        // live in the time of a sandbox's world, in place of Clock
	ClockKey       string      // the Stripe test key of that world; "" where it is the one that the merchants use
	Log            *slog.Logger
}

// App is a whole till.
type App struct {
	API       *api.API
	DB        *db.DB
	Clock     clock.Clock
	Once      *once.Once
	Books     *ledger.Books
	Merchants *merchant.Merchants
	Customers *customer.Customers
	Cards     *card.Cards
	Payments  *payment.Payments
	Refunds   *refund.Refunds
	Disputes  *dispute.Disputes
	Payouts   *payout.Payouts
	Reconcile *reconcile.Reconcile
	Messages  *message.Messages
	Outbox    *outbox.Outbox
	Inbox     *inbox.Inbox
	Prices    *localprice.Prices
	Reports   *analytics.Reports
	tasks     *task.Runner
	follows   *follower // nil where the clock is nobody else's
	ended     sync.WaitGroup
	stop      context.CancelFunc
	requests  *prometheus.HistogramVec
	refused   *prometheus.CounterVec
	log       *slog.Logger
}

// Open opens the database, brings it up to date, checks the master key, and wires the rooms. Nothing runs yet.
func Open(ctx context.Context, c Config) (*App, error) {
	switch {
	case c.FollowSandbox:
		c.Clock = &clock.Followed{}
	case c.Clock == nil:
		c.Clock = clock.Real{}
	}
	if c.StripeURL == "" {
		c.StripeURL = stripe.APIBase
	}
	if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok && path != "" { // an empty one is db.Open's to refuse
		if err := merchant.CheckMasterKeyPath(c.MasterKey, filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	d, err := db.Open(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	a, err := wire(ctx, c, d)
	if err != nil {
		d.Close()
	}
	return a, err
}

func wire(ctx context.Context, c Config, d *db.DB) (*App, error) {
	dialer, err := outbox.NewDialer(c.AllowWebhookTo...)
	if err != nil {
		return nil, fmt.Errorf("--allow-webhook-to: %w", err)
	}
	if c.Serves {
		if err := d.Alone(ctx); err != nil {
			return nil, err
		}
	}
	if err := d.Migrate(ctx); err != nil {
		return nil, err
	}
	sealer, err := openMasterKey(ctx, c, d)
	if err != nil {
		return nil, err
	}
	a := &App{DB: d, Clock: c.Clock, log: c.Log}
	a.Once = once.New(d, c.Clock, c.Log)
	a.Books = &ledger.Books{DB: d, Clock: c.Clock, Log: c.Log}
	a.Merchants = &merchant.Merchants{DB: d, Clock: c.Clock, Log: c.Log, Sealer: sealer, Base: c.StripeURL, HTTP: stripe.HTTPClient(), PublicURL: c.PublicURL,
		InboundEvents: inbox.Events, CheckURL: dialer.CheckURL}
	if err := a.Merchants.CheckLiveKeys(ctx); err != nil {
		return nil, err
	}
	if err := a.follow(ctx, c); err != nil {
		return nil, err
	}
	a.furnish(c, dialer)
	a.connect(c)
	a.routes(c)
	return a, nil
}

// furnish makes the rooms that stand on the merchants', each with those that it stands on.
func (a *App) furnish(c Config, dialer *outbox.Dialer) {
	d := a.DB
	a.Customers = &customer.Customers{DB: d, Clock: c.Clock, Once: a.Once, Client: a.Merchants.Client}
	a.Cards = &card.Cards{DB: d, Clock: c.Clock, Once: a.Once, Merchants: a.Merchants, Customers: a.Customers}
	a.Payments = &payment.Payments{DB: d, Clock: c.Clock, Log: c.Log, Once: a.Once, Merchants: a.Merchants, Cards: a.Cards, Customers: a.Customers}
	a.Refunds = &refund.Refunds{DB: d, Clock: c.Clock, Log: c.Log, Once: a.Once, Merchants: a.Merchants, Payments: a.Payments}
	a.Disputes = &dispute.Disputes{DB: d, Clock: c.Clock, Log: c.Log, Merchants: a.Merchants, Payments: a.Payments}
	a.Payouts = &payout.Payouts{DB: d, Clock: c.Clock, Log: c.Log, Once: a.Once, Merchants: a.Merchants}
	a.Reconcile = &reconcile.Reconcile{DB: d, Clock: c.Clock, Log: c.Log, Merchants: a.Merchants, Payments: a.Payments, Refunds: a.Refunds, Disputes: a.Disputes, Payouts: a.Payouts}
	a.Messages = &message.Messages{DB: d, Clock: c.Clock, Log: c.Log, Merchants: a.Merchants, Payments: a.Payments, Mail: c.Mail}
	a.Outbox = &outbox.Outbox{DB: d, Clock: c.Clock, Log: c.Log, Merchants: a.Merchants, Dialer: dialer}
	a.Inbox = &inbox.Inbox{DB: d, Clock: c.Clock, Log: c.Log, Merchants: a.Merchants,
		Handlers: inbox.Handlers{PaymentIntent: a.Payments.Heard, RefetchPayment: a.Payments.Refetch, Refund: a.Refunds.Heard,
			RefetchRefunds: a.Refunds.Refetch, Dispute: a.Disputes.Heard, RefetchDispute: a.Disputes.Refetch, RefetchCard: a.Cards.Refetch,
			Payout: a.Payouts.Heard, RefetchPayout: a.Payouts.Refetch}}
	a.Prices = &localprice.Prices{DB: d, Clock: c.Clock, Merchants: a.Merchants}
	a.Reports = &analytics.Reports{DB: d, Clock: c.Clock, Merchants: a.Merchants, Prices: a.Prices}
}

// connect lets a room hear of what falls due, and of what another has committed.
func (a *App) connect(c Config) {
	a.tasks = task.NewRunner(a.DB, c.Clock, c.Log, a.due()...)
	if a.follows != nil {
		a.follows.leapt = a.tasks.WakeAll
	}
	a.Outbox.Wake, a.Inbox.Wake = a.tasks.Wake, a.tasks.Wake
	a.DB.Committed = func(topic string) {
		if topic == event.Topic {
			a.tasks.Wake(outbox.FanTask)
		}
	}
	for _, r := range []interface{ Register() }{a.Customers, a.Cards, a.Payments, a.Refunds, a.Payouts} {
		r.Register()
	}
}

// routes puts every room's endpoints behind one door.
func (a *App) routes(c Config) {
	a.API = api.New(c.Version, a.Merchants.Authenticate, c.Log)
	a.requests, a.API.Answered = newRequests(), a.count
	a.refused = newRefused()
	a.Inbox.Refused = func(check string) { a.refused.WithLabelValues(check).Inc() }
	for _, r := range []interface{ Routes(*api.API) }{a.Payments, a.Cards, a.Refunds, a.Disputes, a.Payouts, a.Messages, a.Merchants, &event.Events{DB: a.DB}, a.Outbox, a.Inbox, a.Reconcile,
		a.Prices, a.Books, a.Reports} {
		r.Routes(a.API)
	}
}

// follow sets the clock to the time of a sandbox's world, where that is wished, and keeps merchants to one world.
func (a *App) follow(ctx context.Context, c Config) (err error) {
	followed, wished := c.Clock.(*clock.Followed)
	if !wished {
		return nil
	}
	if a.follows, err = newFollower(c, followed, a.Merchants); err != nil {
		return err
	}
	a.Merchants.HTTP, a.Merchants.Admit, a.Merchants.Turned = unrepeated(), a.follows.admit, a.follows.turn
	return a.follows.begin(ctx)
}

// openMasterKey makes a new key only for a database that has none yet: beside a mistyped path no key is left that opens nothing.
func openMasterKey(ctx context.Context, c Config, d *db.DB) (*merchant.Sealer, error) {
	sealed, err := merchant.HasMasterKey(ctx, d)
	if err != nil {
		return nil, err
	}
	sealer, err := merchant.OpenMasterKey(c.MasterKey, c.NewMasterKey && !sealed)
	if errors.Is(err, fs.ErrNotExist) && sealed {
		return nil, fmt.Errorf("%w, and this database was written with one: put it there, or say with --master-key-file where it is", err)
	}
	if err != nil {
		return nil, err
	}
	return sealer, sealer.CheckCanary(ctx, d)
}

// due is the work that falls due, of every room.
func (a *App) due() []task.Task {
	tasks := []task.Task{a.Once.Recovery(), a.Payments.Sweep(), a.Refunds.Sweep(), a.Payouts.Sweep(), a.Reconcile.Task()}
	if a.Messages.Mail != nil {
		tasks = append(tasks, a.Messages.Task())
	}
	tasks = append(tasks, a.Outbox.Tasks()...)
	tasks = append(tasks, a.Books.Tasks()...)
	return append(tasks, a.Inbox.Tasks()...)
}

// Start runs the background work until Close.
func (a *App) Start() {
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	a.tasks.Start(ctx)
	if a.follows != nil {
		a.ended.Go(func() { a.follows.run(ctx) })
	}
}

// Close finishes the work in flight, for as long as ctx allows, and closes the database. What it abandons, the next start takes up.
func (a *App) Close(ctx context.Context) {
	a.Once.Close(ctx)
	if a.stop != nil {
		a.stop()
		a.tasks.Wait()
		a.ended.Wait()
	}
	a.Inbox.Wait()
	a.Outbox.Wait()
	a.DB.Close()
}

// Ready says whether this till can take a payment: its database answers.
func (a *App) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return a.DB.Ping(ctx)
}

// Health answers /healthz: the process runs.
func (a *App) Health(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }

// Readiness answers /readyz: the process can take a payment.
func (a *App) Readiness(w http.ResponseWriter, r *http.Request) {
	if err := a.Ready(r.Context()); err != nil && !errors.Is(err, context.Canceled) {
		a.log.LogAttrs(r.Context(), slog.LevelWarn, "not ready", slog.Any("error", err))
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}
