package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/huandu/go-sqlbuilder"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/stripe"
)

// byHand is the payout of a line whose payout Stripe gives no lines of: one that was made by hand.
const byHand = "-"

// neverReady is the age of a payout of which Stripe does not give the lines any more.
const neverReady = 7 * 24 * time.Hour

// somePayouts are looked at in one go.
const somePayouts = 50

// listPayouts asks Stripe which lines each automatic payout paid out, the oldest first, where that is not known yet.
func (w worker) listPayouts(ctx context.Context) (more bool, err error) {
	found, err := db.All(ctx, w.DB, scan, `select `+columns+` from balance_transactions where merchant = $1 and mode = $2 and account = $3 and kind = 'payout' and payout = ''
		order by created_at, id limit $4`, w.provider.Scope.Merchant, w.provider.Scope.Mode, w.provider.Account, somePayouts)
	ended := 0
	for i := 0; err == nil && i < len(found); i++ {
		var ready bool
		if ready, err = w.listPayout(ctx, found[i]); ready {
			ended++
		}
	}
	return ended == somePayouts, err
}

// listPayout marks the lines of one payout, a page at a time, and the payout itself last: what is cut short goes on at the oldest line that was
// marked, for a payout may have more lines than one stretch of work gets through. It says whether Stripe knows the lines yet.
func (w worker) listPayout(ctx context.Context, paid Line) (ready bool, err error) {
	of := stripe.TransactionsOf{Payout: paid.Source}
	if of.To, err = w.oldestOf(ctx, paid.Source); err != nil {
		return false, err
	}
	for more := true; more; {
		var page []stripe.BalanceTransaction
		page, more, err = w.client.BalanceTransactions(ctx, of)
		switch {
		case notReady(err) && w.Clock.Now().Sub(paid.CreatedAt) < neverReady:
			return false, nil // Stripe is not done with it: the next reading asks again
		case stripe.Meaning(err) == stripe.Refused:
			return true, w.DB.Write(ctx, w.paidOut(byHand, paid.ID))
		case err != nil:
			return false, err
		}
		*w.heard++
		if last := len(page) - 1; more && last >= 0 && page[last].ID == of.After {
			return false, &badLine{of.After, "is followed by itself in the list of the payout " + paid.Source}
		}
		var ids []string
		for _, t := range page {
			of.After = t.ID
			if t.ID != paid.ID {
				ids = append(ids, t.ID)
			}
		}
		if len(ids) == 0 {
			more = more && len(page) > 0
			continue
		}
		if err := w.DB.Write(ctx, w.paidOut(paid.Source, ids...)); err != nil {
			return false, err
		}
	}
	return true, w.DB.Write(ctx, w.paidOut(paid.Source, paid.ID))
}

// oldestOf is when the oldest line was made of those that are marked as a payout's; the zero time where none is.
func (w worker) oldestOf(ctx context.Context, payout string) (at time.Time, err error) {
	_, err = db.One(ctx, w.DB, func(r db.Row) (struct{}, error) { return struct{}{}, r.Scan(db.At(&at)) },
		`select created_at from balance_transactions where merchant = $1 and mode = $2 and payout = $3 order by created_at limit 1`,
		w.provider.Scope.Merchant, w.provider.Scope.Mode, payout)
	if errors.Is(err, db.ErrNone) {
		err = nil
	}
	return at, err
}

// notReady says that Stripe has not yet worked out what a payout paid out.
func notReady(err error) bool {
	said, ok := stripe.As(err)
	return ok && said.Code == "payout_reconciliation_not_ready"
}

// paidOut marks lines as those of a payout.
func (w worker) paidOut(payout string, ids ...string) db.Change {
	b := sqlbuilder.PostgreSQL.NewUpdateBuilder().Update("balance_transactions")
	b.Set(b.Assign("payout", payout)).Where(b.Equal("merchant", w.provider.Scope.Merchant), b.Equal("mode", w.provider.Scope.Mode), b.In("id", sqlbuilder.List(ids)))
	sql, args := b.Build()
	return db.Change{SQL: sql, Args: args, Rows: db.Any}
}
