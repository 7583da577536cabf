package payment_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/tilltest"
)

// body is a request's body; with is the same with more fields, given in pairs.
type body map[string]any

func (b body) with(pairs ...any) body {
	more := body{}
	for k, v := range b {
		more[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		more[pairs[i].(string)] = pairs[i+1]
	}
	return more
}

// order is a payment of 50.00 USD by a payment method.
func order(method string) body {
	return body{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": method}
}

// told waits until the merchant has heard an event about a payment, and checks that it is the only one of its type.
func told(t *testing.T, till *tilltest.Till, kind, payment string) tilltest.Told {
	t.Helper()
	said := till.Shop.Hears.Await(kind, payment)
	once(t, till, kind, payment)
	return said
}

// once checks that exactly one event of a type is written about a payment. What is written is what will be told.
func once(t *testing.T, till *tilltest.Till, kind, payment string) {
	t.Helper()
	if n := till.Get("/v1/events?type=" + kind + "&object_id=" + payment).Want(200).Len(); n != 1 {
		t.Errorf("%d events %s about %s, want one", n, kind, payment)
	}
}

// types are the types of all events about a payment, oldest first.
func types(till *tilltest.Till, payment string) (all []string) {
	list := till.Get("/v1/events?limit=100&object_id=" + payment).Want(200)
	for i := range list.Len() {
		all = append(all, list.String("data", i, "type"))
	}
	slices.Reverse(all)
	return all
}

// balanced checks the whole book, and what it holds for a payment in Stripe's balance, in minor units.
func balanced(t *testing.T, till *tilltest.Till, payment string, want int64) {
	t.Helper()
	if err := ledger.Check(t.Context(), till.DB, till.Shop.Scope); err != nil {
		t.Error(err)
	}
	all, err := ledger.Balances(t.Context(), till.DB, till.Shop.Scope, payment)
	if err != nil {
		t.Fatal(err)
	}
	var got int64
	for _, b := range all {
		if b.Account == ledger.StripeBalance {
			got += b.Minor
		}
	}
	if got != want {
		t.Errorf("the book says that Stripe holds %d for %s, want %d", got, payment, want)
	}
}

// fields checks strings of an answer's data, given in pairs of name and value. A name may be a path with dots.
func fields(t *testing.T, a tilltest.Answer, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		path := []any{"data"}
		for _, p := range split(pairs[i]) {
			path = append(path, p)
		}
		if got := a.At(path...); fmt.Sprint(got) != pairs[i+1] {
			t.Errorf("%s is %v, want %s: %s", pairs[i], got, pairs[i+1], a.Raw)
		}
	}
}

func split(path string) (parts []string) {
	start := 0
	for i := range len(path) {
		if path[i] == '.' {
			parts = append(parts, path[start:i])
			start = i + 1
		}
	}
	return append(parts, path[start:])
}

// later moves the clock on, ten seconds at a time, until holds does: a task sets its next alarm only after it has run.
func later(t *testing.T, till *tilltest.Till, what string, holds func() bool) {
	t.Helper()
	tilltest.Until(t, what, func() bool {
		till.Clock.Advance(10 * time.Second)
		return holds()
	})
}

// line is a till's way to Stripe, which a test can cut: then connections are refused, by the network itself.
type line struct {
	transport *http.Transport
	cut       atomic.Bool
	nobody    string // an address where nothing listens
}

// tap puts a line between till and Stripe, on which a request ends unanswered after a time. It is done before the first payment: clients are kept.
func tap(t *testing.T, till *tilltest.Till, patience time.Duration) *line {
	t.Helper()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{nobody: gone.Addr().String()}
	gone.Close()
	l.transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if l.cut.Load() {
			address = l.nobody
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(l.transport.CloseIdleConnections)
	till.Merchants.HTTP = &http.Client{Transport: l.transport, Timeout: patience}
	return l
}

func (l *line) down() { l.cut.Store(true); l.transport.CloseIdleConnections() }

func (l *line) up() { l.cut.Store(false) }

// meanwhile sends a request and calls step again and again until its answer is there: step moves the clock, or lets Stripe go.
func meanwhile(t *testing.T, till *tilltest.Till, path string, body any, step func()) tilltest.Answer {
	t.Helper()
	return during(t, till.As(till.Shop).With("Idempotency-Key", id.New()), "POST", path, body, step)
}

func during(t *testing.T, c *tilltest.Client, method, path string, body any, step func()) (a tilltest.Answer) {
	t.Helper()
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		a, err = c.Try(method, path, body)
	}()
	tilltest.Until(t, "the answer to "+method+" "+path, func() bool {
		select {
		case <-done:
			return true
		default:
			step()
			return false
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}
