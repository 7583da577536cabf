package ledger_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
)

var at = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)

func fact(scope db.Scope, payment, source string) ledger.Fact {
	return ledger.Fact{Scope: scope, Generation: 1, Payment: payment, Source: source, At: at}
}

func usd(minor int64) money.Money { return money.FromMinor(minor, "USD") }

func post(d *db.DB, transactions ...ledger.Transaction) error {
	changes, err := ledger.Post(transactions...)
	if err != nil {
		return err
	}
	return d.Write(context.Background(), changes...)
}

func balances(t interface {
	Helper()
	Fatal(...any)
}, d *db.DB, scope db.Scope, payment string) string {
	t.Helper()
	all, err := ledger.Balances(context.Background(), d, scope, payment)
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, len(all))
	for i, b := range all {
		lines[i] = fmt.Sprintf("%s %d %s", b.Account, b.Minor, b.Currency)
	}
	return strings.Join(lines, ", ")
}

func TestChargeRefundAndItsFailure(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		scope := db.Scope{Merchant: "m", Mode: "test"}
		for _, step := range []struct {
			transaction ledger.Transaction
			balances    string
		}{
			{ledger.Charge(fact(scope, "p1", "ch_1"), 5000, usd(5000)), "assets:stripe 5000 USD, income:sales -5000 USD"},
			{ledger.Refund(fact(scope, "p1", "re_1"), "r1", usd(1200)), "assets:stripe 3800 USD, income:refunds 1200 USD, income:sales -5000 USD"},
			{ledger.RefundFailed(fact(scope, "p1", "re_1"), "r1", usd(1200)), "assets:stripe 5000 USD, income:refunds 0 USD, income:sales -5000 USD"},
			{ledger.Charge(fact(scope, "p2", "ch_2"), 300, money.FromMinor(300, "JPY")), "assets:stripe 300 JPY, assets:stripe 5000 USD, income:refunds 0 USD, income:sales -300 JPY, income:sales -5000 USD"},
		} {
			if err := post(d, step.transaction); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(step.balances, balances(t, d, scope, "")); diff != "" {
				t.Error(diff)
			}
			if err := ledger.Check(t.Context(), d, scope); err != nil {
				t.Error(err)
			}
		}
		if got := balances(t, d, scope, "p2"); got != "assets:stripe 300 JPY, income:sales -300 JPY" {
			t.Errorf("of one payment: %s", got)
		}
		for _, other := range []db.Scope{{Merchant: "m", Mode: "live"}, {Merchant: "n", Mode: "test"}} {
			if got := balances(t, d, other, ""); got != "" {
				t.Errorf("%v sees %s", other, got)
			}
		}
	})
}

func TestUnbalancedIsRefused(t *testing.T) {
	t.Parallel()
	eur := money.FromMinor(5000, "EUR")
	for name, lines := range map[string][]ledger.Line{
		"no lines":                nil,
		"one line":                {{ledger.Sales, usd(0)}},
		"one cent off":            {{ledger.StripeBalance, usd(5000)}, {ledger.Sales, usd(-4999)}},
		"one side twice":          {{ledger.StripeBalance, usd(5000)}, {ledger.Sales, usd(5000)}},
		"two currencies":          {{ledger.StripeBalance, eur}, {ledger.Sales, usd(-5000)}},
		"each off, together even": {{ledger.StripeBalance, eur}, {ledger.Sales, usd(-5000)}, {ledger.StripeBalance, money.FromMinor(-5000, "GBP")}, {ledger.Sales, usd(5000)}},
		"overflow":                {{ledger.StripeBalance, usd(math.MaxInt64)}, {ledger.StripeBalance, usd(1)}, {ledger.Sales, usd(math.MinInt64)}},
	} {
		good := ledger.Charge(fact(db.Scope{}, "p", "ch_1"), 1, usd(1))
		changes, err := ledger.Post(good, ledger.Transaction{Book: ledger.Expected, Key: "bad", Lines: lines})
		if err == nil || changes != nil || !strings.Contains(err.Error(), "bad") {
			t.Errorf("%s: %v, %d changes", name, err, len(changes))
		}
	}
	// The smallest amount has no opposite in 64 bits.
	if _, err := ledger.Post(ledger.Charge(fact(db.Scope{}, "p", "ch_1"), 1, usd(math.MinInt64))); err == nil {
		t.Error("an amount without an opposite was booked")
	}
}

// A fact is booked once, whoever asks and however often; what stood in the same list is not written either.
func TestAFactIsBookedOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		scope := db.Scope{Merchant: "m", Mode: "test"}
		charge := ledger.Charge(fact(scope, "p1", "ch_1"), 5000, usd(5000))
		const many = 8
		errs := make([]error, many)
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() { errs[i] = post(d, charge) })
		}
		wg.Wait()
		booked := 0
		for _, err := range errs {
			if err == nil {
				booked++
			} else if !db.IsMoved(err) {
				t.Error(err)
			}
		}
		if booked != 1 {
			t.Errorf("booked %d times", booked)
		}
		if err := post(d, ledger.Charge(fact(scope, "p2", "ch_2"), 1, usd(1)), charge); !db.IsMoved(err) {
			t.Errorf("a list with a fact already booked answered %v", err)
		}
		if got := balances(t, d, scope, ""); got != "assets:stripe 5000 USD, income:sales -5000 USD" {
			t.Error(got)
		}
		live := charge
		live.Mode = "live"
		if err := post(d, live); err != nil {
			t.Errorf("the same key in another scope: %v", err)
		}
	})
}

// Whatever is charged, refunded and failed, in whatever order and however often: every transaction, and so the book, sums to
// zero in each currency, and Stripe's balance is what was charged less what went back.
func TestTheBookSumsToZero(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(t *rapid.T) {
			scope := db.Scope{Merchant: id.New(), Mode: "test"}
			booked, want := map[string]bool{}, map[money.Currency]int64{}
			for range rapid.IntRange(1, 12).Draw(t, "steps") {
				n := rapid.IntRange(1, 3).Draw(t, "object")
				payment, refund := fmt.Sprint("p", n), fmt.Sprint("r", n)
				m := money.FromMinor(rapid.Int64Range(0, 1<<40).Draw(t, "minor"), money.Currency(rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency")))
				var tx ledger.Transaction
				sign := int64(1)
				switch rapid.IntRange(0, 2).Draw(t, "kind") {
				case 0:
					tx = ledger.Charge(fact(scope, payment, "ch_"+payment), 1, m)
				case 1:
					tx, sign = ledger.Refund(fact(scope, payment, "re_"+refund), refund, m), -1
				case 2:
					tx = ledger.RefundFailed(fact(scope, payment, "re_"+refund), refund, m)
				}
				err := post(d, tx)
				if booked[tx.Key] {
					if !db.IsMoved(err) {
						t.Fatalf("%s was booked twice: %v", tx.Key, err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				booked[tx.Key] = true
				want[m.Currency] += sign * m.Minor
			}
			if err := ledger.Check(context.Background(), d, scope); err != nil {
				t.Fatal(err)
			}
			all, err := ledger.Balances(context.Background(), d, scope, "")
			if err != nil {
				t.Fatal(err)
			}
			sums := map[money.Currency]int64{}
			for _, b := range all {
				sums[b.Currency] += b.Minor
				if b.Account == ledger.StripeBalance && b.Minor != want[b.Currency] {
					t.Fatalf("Stripe holds %d %s, want %d", b.Minor, b.Currency, want[b.Currency])
				}
			}
			for c, sum := range sums {
				if sum != 0 {
					t.Fatalf("the book sums to %d %s", sum, c)
				}
			}
		})
	})
}

// Check sees a book that somebody has tampered with.
func TestCheckSeesAMissingLine(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		scope := db.Scope{Merchant: "m", Mode: "test"}
		good, bad := ledger.Charge(fact(scope, "p1", "ch_1"), 1, usd(1)), ledger.Charge(fact(scope, "p2", "ch_2"), 2, usd(2))
		if err := post(d, good, bad); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(t.Context(), db.Change{SQL: `delete from ledger_entries where transaction_key = $1 and line = 1`, Args: []any{bad.Key}, Rows: 1}); err != nil {
			t.Fatal(err)
		}
		if err := ledger.Check(t.Context(), d, scope); err == nil || !strings.Contains(err.Error(), bad.Key) {
			t.Errorf("it says %v", err)
		}
		if err := ledger.Check(t.Context(), d, db.Scope{Merchant: "n", Mode: "test"}); err != nil {
			t.Errorf("another merchant's book: %v", err)
		}
	})
}
