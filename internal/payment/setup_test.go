package payment_test

import (
	"fmt"
	"slices"
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

// meanwhile creates a payment and calls step until its answer is there.
func meanwhile(t *testing.T, till *tilltest.Till, order body, step func()) tilltest.Answer {
	t.Helper()
	return tilltest.During(t, till.As(till.Shop).With("Idempotency-Key", id.New()), "POST", "/v1/payments", order, step)
}
