package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
)

// shown is a trial balance as lines: account, opening, debits, credits, balance.
func shown(t ledger.TrialBalance) (lines []string) {
	for _, a := range t.Accounts {
		lines = append(lines, fmt.Sprintf("%s %s + %s - %s = %s %s", a.Account, a.Opening, a.Debits, a.Credits, a.Balance, a.Currency))
	}
	return lines
}

func TestTrialBalanceAndClose(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, c := books(d)
		trial := func(book, asOf string) []string {
			t.Helper()
			got := must(b.TrialBalance(t.Context(), shop, ledger.TrialInput{Book: book, AsOf: asOf}))
			if !got.Balanced || got.Wrong != "" {
				t.Fatalf("it does not balance: %+v", got)
			}
			return shown(got)
		}
		want := func(got []string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		want(trial("expected", ""))
		if err := post(d, sale(shop, "p1", 3000, at)...); err != nil { // 2026-01-31, with a fee of 130
			t.Fatal(err)
		}
		first := []string{"assets:stripe 0.00 + 30.00 - 0.00 = 30.00 USD", "assets:stripe:fees 0.00 + 0.00 - 1.30 = -1.30 USD",
			"expenses:stripe_fees 0.00 + 1.30 - 0.00 = 1.30 USD", "income:sales 0.00 + 0.00 - 30.00 = -30.00 USD"}
		want(trial("expected", ""), first...) // what is not chained yet is in it too
		want(trial("observed", ""))
		want(trial("expected", "2026-01-30"))

		c.Advance(15*time.Hour + 29*time.Minute + 59*time.Second) // 2026-02-01 00:59:59
		if _, _, err := b.Close(t.Context(), shop, "2026-01-31"); !fault.Is(err, fault.ParameterInvalid) || !strings.Contains(err.Error(), "2026-02-01T01:00:00Z") {
			t.Errorf("a second too early: %v", err)
		}
		c.Advance(time.Second)
		if err := post(d, sale(shop, "p2", 600, c.Now())...); err != nil {
			t.Fatal(err)
		}
		made, isNew, err := b.Close(t.Context(), shop, "2026-01-31")
		if err != nil || !isNew || len(made.Balances) != 4 || made.Head.Sequence != 5 || made.EndsAt.Format(time.RFC3339) != "2026-02-01T00:00:00Z" {
			t.Fatalf("%v %v %+v", err, isNew, made)
		}
		again, isNew, err := b.Close(t.Context(), shop, "2026-01-31")
		if diff := cmp.Diff(made, again, cmp.AllowUnexported(ledger.Mark{})); err != nil || isNew || diff != "" {
			t.Errorf("%v %v %s", err, isNew, diff)
		}
		for _, day := range []string{"2026-01-30", "2026-02-01", "2026-02-30", "x", "2025-12-31"} {
			if _, _, err := b.Close(t.Context(), shop, day); !fault.Is(err, fault.ParameterInvalid) {
				t.Errorf("%s: %v", day, err)
			}
		}
		// A commit that was decided on before midnight comes after the close: it counts in the open period.
		if err := post(d, sale(shop, "p3", 900, at)...); err != nil {
			t.Fatal(err)
		}
		if err := b.ChainAll(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Minute)
		want(trial("expected", ""), "assets:stripe 30.00 + 15.00 - 0.00 = 45.00 USD", "assets:stripe:fees -1.30 + 0.00 - 1.10 = -2.40 USD",
			"expenses:stripe_fees 1.30 + 1.10 - 0.00 = 2.40 USD", "income:sales -30.00 + 0.00 - 15.00 = -45.00 USD")
		want(trial("expected", "2026-01-31"), "assets:stripe 30.00 + 0.00 - 0.00 = 30.00 USD", "assets:stripe:fees -1.30 + 0.00 - 0.00 = -1.30 USD",
			"expenses:stripe_fees 1.30 + 0.00 - 0.00 = 1.30 USD", "income:sales -30.00 + 0.00 - 0.00 = -30.00 USD")
		if found, n := verify(t, b, shop, ""); len(found) != 0 || n != 7 {
			t.Errorf("%d: %v", n, found)
		}
		exec(t, d, 1, `update ledger_entries set amount = 1 where transaction_key = 'payment/p2/charge/600' and line = 0`)
		if got := must(b.TrialBalance(t.Context(), shop, ledger.TrialInput{Book: "expected"})); got.Balanced || !strings.Contains(got.Wrong, "payment/p2/charge/600") {
			t.Errorf("a line was changed: %+v", got)
		}
	})
}

// Whatever is posted, whenever it is chained and closed: the trial balance of each book is what its entries sum to, a close holds what the trial
// balance said of its day, and no later fact changes that.
func TestClosesSumUp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			b, c := books(d)
			scope := db.Scope{Merchant: id.New(), Mode: "test"}
			closed := map[string][]ledger.Closed{}
			for i := range rapid.IntRange(1, 14).Draw(rt, "steps") {
				switch rapid.IntRange(0, 4).Draw(rt, "step") {
				case 0, 1: // posted now, or up to two days late
					when := c.Now().Add(-time.Duration(rapid.IntRange(0, 48).Draw(rt, "hours late")) * time.Hour)
					all := sale(scope, fmt.Sprint("p", i), rapid.Int64Range(1, 1<<40).Draw(rt, "minor"), when)
					for j := range all {
						if rapid.Bool().Draw(rt, "observed") {
							all[j].Book = ledger.Observed
						}
					}
					if err := post(d, all...); err != nil {
						rt.Fatal(err)
					}
				case 2:
					if _, err := b.Chain(t.Context()); err != nil {
						rt.Fatal(err)
					}
				case 3:
					c.Advance(time.Duration(rapid.IntRange(1, 40).Draw(rt, "hours")) * time.Hour)
				case 4:
					day := c.Now().AddDate(0, 0, -rapid.IntRange(1, 2).Draw(rt, "days ago")).Format(time.DateOnly)
					if made, isNew, err := b.Close(t.Context(), scope, day); err == nil && isNew {
						closed[day] = made.Balances
					}
				}
			}
			c.Advance(time.Hour)
			for _, book := range []ledger.Book{ledger.Expected, ledger.Observed} {
				got := must(b.TrialBalance(t.Context(), scope, ledger.TrialInput{Book: string(book)}))
				want := map[string]int64{}
				for _, s := range must(ledger.BalancesOf(t.Context(), d, scope, book, "")) {
					want[fmt.Sprint(s.Account, s.Currency)] = s.Minor
				}
				for _, s := range must(ledger.Standing(t.Context(), d, scope, book)) {
					if s.Minor != want[fmt.Sprint(s.Account, s.Currency)] {
						rt.Fatalf("%s %s stands at %d", book, s.Account, s.Minor)
					}
				}
				for _, a := range got.Accounts {
					if a.Balance.Minor != want[fmt.Sprint(a.Account, a.Currency)] {
						rt.Fatalf("%s %s is %s", book, a.Account, a.Balance)
					}
					delete(want, fmt.Sprint(a.Account, a.Currency))
				}
				if len(want) > 0 || !got.Balanced {
					rt.Fatalf("it lacks %v: %+v", want, got)
				}
				for day, balances := range closed {
					then := map[string]string{}
					for _, a := range must(b.TrialBalance(t.Context(), scope, ledger.TrialInput{Book: string(book), AsOf: day})).Accounts {
						then[string(a.Account)+" "+a.Currency] = a.Balance.String()
					}
					for _, a := range balances {
						if a.Book == book && then[string(a.Account)+" "+a.Currency] != a.Balance.String() {
							rt.Fatalf("%s closed with %s %s, and the trial balance of that day says %s", day, a.Account, a.Balance, then[string(a.Account)+" "+a.Currency])
						}
					}
				}
			}
		})
	})
}

// Many close one day while transactions are posted and chained: there is one close, and all counts once.
func TestOneCloseOfADay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, c := books(d)
		if err := post(d, sale(shop, "p", 3000, at)...); err != nil {
			t.Fatal(err)
		}
		c.Advance(24 * time.Hour)
		var all sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for i := range 8 {
			all.Go(func() {
				if err := post(d, sale(shop, fmt.Sprint("q", i), 3000, c.Now())...); err != nil {
					t.Error(err)
				}
				_, isNew, err := b.Close(t.Context(), shop, "2026-01-31")
				if err != nil && !fault.Is(err, fault.StateConflict) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if isNew && err == nil {
					made++
				}
			})
		}
		all.Wait()
		if err := b.ChainAll(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
		if found, n := verify(t, b, shop, ""); made != 1 || len(found) != 0 || n != 19 {
			t.Errorf("%d closes, %d rows, %v", made, n, found)
		}
		got, err := b.TrialBalance(t.Context(), shop, ledger.TrialInput{Book: "expected", AsOf: "2026-02-01"})
		if err != nil || errors.Is(err, db.ErrNone) || got.Accounts[0].Balance.String() != "270.00" || got.Accounts[0].Opening.String() != "30.00" {
			t.Errorf("%v %+v", err, got)
		}
	})
}

// What is chained while a trial balance is read is in it once: neither missed, because it waited no more when the waiting were read, nor doubled.
func TestATrialBalanceWhileTransactionsAreChained(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, c := books(d)
		const sales = 150
		posted := make(chan int64, sales)
		done := make(chan error, 1)
		go func() {
			defer close(posted)
			for i := range int64(sales) {
				err := post(d, sale(shop, fmt.Sprint("p", i), 100, c.Now())...)
				if err == nil {
					posted <- i + 1
					_, err = b.Chain(t.Context())
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for least := range posted {
			for len(posted) > 0 {
				least = <-posted
			}
			got := must(b.TrialBalance(t.Context(), shop, ledger.TrialInput{Book: "expected"}))
			if i := slices.IndexFunc(got.Accounts, func(a ledger.Trial) bool { return a.Account == ledger.StripeBalance }); i < 0 || got.Accounts[i].Balance.Minor < least*100 || got.Accounts[i].Balance.Minor > sales*100 {
				t.Fatalf("%d sales of 1.00 were posted before it was read: %v", least, shown(got))
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}
