package app

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
)

// Admin are the operator's endpoints: /healthz, /readyz and /metrics.
func (a *App) Admin() http.Handler {
	mux := http.NewServeMux()
	for path, h := range a.admin() {
		mux.Handle("GET "+path, h)
	}
	return mux
}

// ServeAdminOnAPI puts the operator's endpoints on the API's own address: for one developer's machine.
func (a *App) ServeAdminOnAPI() {
	for path, h := range a.admin() {
		a.API.Handle("GET "+path, h)
	}
}

// Server is an HTTP server with the bounds of the front door's.
func Server(h http.Handler) *http.Server { return api.Server("", h) }

func (a *App) admin() map[string]http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &books{a}, a.requests, a.refused)
	return map[string]http.Handler{
		"/healthz": http.HandlerFunc(a.Health), "/readyz": http.HandlerFunc(a.Readiness), "/metrics": promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	}
}

// newRequests counts requests and how long they took, by the pattern of their route, such as "GET /v1/payments/{id}" or "unknown", and by the
// class of their status: a few series for each route. The bounds, in seconds, go up to the ten that a payment waits for Stripe, and beyond.
func newRequests() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "till_http_request_duration_seconds", Help: "Requests of the API by route and class of status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25}}, []string{"route", "status"})
}

// newRefused counts Stripe's webhooks, or what came in their place, that were refused: by the check that they failed, a few series. It is
// kept in memory, and each node has its own: nothing is written for what is not proved.
func newRefused() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "till_stripe_webhooks_refused_total", Help: "Webhooks that were not proved to be Stripe's, by the check that they failed."}, []string{"check"})
}

// count takes in that a request was answered.
func (a *App) count(route string, status int, took time.Duration) {
	if route == "" {
		route = "unknown"
	}
	a.requests.WithLabelValues(route, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

// books are figures read from the database when they are asked for: they are the same from every node.
type books struct{ app *App }

// figure is one gauge or counter and the query behind it. Each query is answered from an index that holds only what is open, or from a
// table with a row for each merchant.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	sql  string
	by   []func(clock.Clock) clock.Clock // each gives $1, $2 … of the query: a minute ago on this clock
}

func own(c clock.Clock) clock.Clock { return c }

var machine = clock.Clock.Machine // what leases go by

func gauge(name, help, sql string, by ...func(clock.Clock) clock.Clock) figure {
	return figure{prometheus.NewDesc("till_"+name, help, nil, nil), prometheus.GaugeValue, sql, by}
}

// counter only grows.
func counter(name, help, sql string) figure {
	return figure{prometheus.NewDesc("till_"+name, help, nil, nil), prometheus.CounterValue, sql, nil}
}

var figures = []figure{
	gauge("calls_open", "Calls to Stripe that are claimed and not settled.", `select count(*) from calls where state = 'open'`),
	gauge("calls_stuck", "Open calls past their resolve_by: should be 0.", `select count(*) from calls where state = 'open' and resolve_by < $1 and lease_until < $2`, own, machine),
	gauge("payments_overdue", "Open payments that the sweep should have ended: should be 0.", `select count(*) from payments where due_at < $1`, own),
	gauge("events_unfanned", "Events that the outbox has not numbered yet.", `select count(*) from events where not fanned`),
	gauge("deliveries_due", "Webhook deliveries whose time has come.", `select count(*) from deliveries where due_at <= $1`, own),
	gauge("stripe_events_due", "Events of Stripe's that are kept and not taken in yet.", `select count(*) from stripe_events where due_at <= $1`, machine),
	gauge("ledger_unchained", "Transactions of the ledger that are not in its chain yet.", `select count(*) from ledger_entries where line = 0 and not chained`),
	counter("stripe_events_missed_total", "Events that no webhook brought and that were found in Stripe's list.", `select cast(coalesce(sum(missed), 0) as bigint) from event_sweeps`),
	gauge("stripe_sweep_lag_seconds", "How long ago Stripe's list of events was last looked through, of the account that has waited longest.", // $1 is a minute ago
		`select coalesce(max(($1 - checked_at) / 1000000 + 60), 0) from event_sweeps where due_at is not null`, own),
}

// Describe implements prometheus.Collector.
func (b *books) Describe(to chan<- *prometheus.Desc) {
	for _, f := range figures {
		to <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (b *books) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, f := range figures {
		var args []any
		for _, by := range f.by {
			args = append(args, by(b.app.Clock).Now().Add(-time.Minute).UnixMicro())
		}
		n, err := db.One(ctx, b.app.DB, db.Value[int64], f.sql, args...)
		if err != nil {
			b.app.log.LogAttrs(ctx, slog.LevelWarn, "a figure could not be read", slog.Any("error", err))
			to <- prometheus.NewInvalidMetric(f.desc, err)
			continue
		}
		to <- prometheus.MustNewConstMetric(f.desc, f.kind, float64(n))
	}
}
