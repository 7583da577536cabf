package reconcile

import (
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// Two readings may settle one line, those of two accounts of a merchant. What one of them found before a fee was foretold does not undo what the
// other found after it: nobody would look again, for the fee has come.
func TestAnOldVerdictUndoesNoNewerOne(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, scope, at := t.Context(), db.Scope{Merchant: "m", Mode: "test"}, time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
		w := worker{Reconcile: &Reconcile{DB: d, Clock: clock.NewFake(at)}, provider: merchant.Provider{Scope: scope, Account: "acct_1"}, priced: func(money.Currency) bool { return true }}
		usd := func(minor int64) money.Money { return money.FromMinor(minor, "USD") }
		fact := ledger.Fact{Scope: scope, Generation: 1, Payment: "p", Source: "ch_1", At: at}
		post := func(transaction ledger.Transaction) {
			t.Helper()
			changes, err := ledger.Post(transaction)
			if err == nil {
				err = d.Write(ctx, changes...)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		line, err := observed(scope, "acct_1", stripe.BalanceTransaction{ID: "txn_1", Type: "charge", Category: "charge", Source: stripe.Ref[stripe.Moved]{ID: "ch_1"},
			Currency: "usd", Amount: 5000, Fee: 175, Net: 4825, Created: at.Unix(), AvailableOn: at.Unix()})
		if err != nil {
			t.Fatal(err)
		}
		post(ledger.Charge(fact, 5000, usd(5000)))
		changes, err := w.take(ctx, []Line{line})
		if err == nil {
			err = d.Write(ctx, changes...)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Write(ctx, db.Change{SQL: `update balance_transactions set state = 'open', difference = 4825 where id = 'txn_1'`, Rows: 1}); err != nil { // as it was before either
			t.Fatal(err)
		}
		stored, err := w.linesOf(ctx, scope, []string{"ch_1"})
		if err != nil {
			t.Fatal(err)
		}
		old, err := w.settle(ctx, nil, stored)
		if err != nil || len(old) == 0 {
			t.Fatal(old, err)
		}
		post(ledger.ChargeFee(fact, 5000, usd(175)))
		if err := w.again(ctx, []string{"ch_1"}); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(ctx, old...); !db.IsMoved(err) {
			t.Errorf("the old verdict: %v", err)
		}
		if now, err := w.linesOf(ctx, scope, []string{"ch_1"}); err != nil || len(now) != 1 || now[0].State != Matched {
			t.Errorf("%v: %+v", err, now)
		}
	})
}
