package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/till-pay/till/internal/db"
)

// What stands beside the chain: rows of the ledger that no row of the chain is about, though they do not wait for their place in it.

// beside is such a row.
type beside struct {
	key   string
	line  int64
	is    string
	again bool // in the chain, but marked as waiting
}

// entriesBeside looks at the next lines of the ledger.
func (w *walk) entriesBeside(ctx context.Context) (ended bool, err error) {
	type end struct {
		key  string
		line int64
	}
	until, err := db.One(ctx, w.DB, func(r db.Row) (e end, err error) { return e, r.Scan(&e.key, &e.line) },
		`select transaction_key, line from ledger_entries where merchant = $1 and mode = $2 and (transaction_key, line) > ($3, $4)
		order by transaction_key, line limit 1 offset $5`, w.scope.Merchant, w.scope.Mode, w.at.Key, w.at.Line, linesPerPage)
	bound := ""
	args := []any{w.scope.Merchant, w.scope.Mode, w.at.Key, w.at.Line}
	switch {
	case errors.Is(err, db.ErrNone):
		ended = true
	case err != nil:
		return false, err
	default:
		bound, args = ` and (e.transaction_key, e.line) <= ($5, $6)`, append(args, until.key, until.line)
	}
	found, err := db.All(ctx, w.DB, func(r db.Row) (b beside, err error) { return b, r.Scan(&b.key, &b.line, &b.is, &b.again) },
		`select e.transaction_key, e.line, e.book || ' ' || e.account || ' ' || cast(e.amount as text) || ' ' || e.currency, c.seq is not null
		from ledger_entries e left join ledger_chain c on c.merchant = e.merchant and c.mode = e.mode and c.transaction_key = e.transaction_key
		where e.merchant = $1 and e.mode = $2 and (e.transaction_key, e.line) > ($3, $4)`+bound+`
			and (c.seq is null and not exists (select 1 from ledger_entries z where z.merchant = e.merchant and z.mode = e.mode and z.transaction_key = e.transaction_key
				and z.line = 0 and not z.chained) or c.seq is not null and e.line = 0 and not e.chained)
		order by e.transaction_key, e.line limit 1000`, args...)
	for _, b := range found {
		w.entry(b)
	}
	w.at.Key, w.at.Line = until.key, until.line
	return ended, err
}

func (w *walk) entry(b beside) {
	f := Finding{Transaction: b.key, Table: "ledger_entries", Line: fmt.Sprint(b.line), Is: b.is}
	f.Text = fmt.Sprintf("Transaction %s, line %d (%s) is in no row of the chain, and does not wait for one: it was added past it, or its row was removed.", b.key, b.line, b.is)
	if b.again {
		f.Column, f.Was, f.Is = "chained", "true", "false"
		f.Text = fmt.Sprintf("Transaction %s is in the chain, and is marked as if it were not.", b.key)
	}
	w.tell(f)
}

// movementsBeside looks at the next movements.
func (w *walk) movementsBeside(ctx context.Context) (ended bool, err error) {
	until, err := db.One(ctx, w.DB, db.Value[string], `select key from movements where merchant = $1 and mode = $2 and key > $3 order by key limit 1 offset $4`,
		w.scope.Merchant, w.scope.Mode, w.at.Key, linesPerPage)
	bound := ""
	args := []any{w.scope.Merchant, w.scope.Mode, w.at.Key}
	switch {
	case errors.Is(err, db.ErrNone):
		ended = true
	case err != nil:
		return false, err
	default:
		bound, args = ` and m.key <= $4`, append(args, until)
	}
	found, err := db.All(ctx, w.DB, func(r db.Row) (b beside, err error) { return b, r.Scan(&b.key, &b.is) },
		`select m.key, m.kind || ' ' || m.source || ' ' || cast(m.amount as text) || ' ' || m.currency from movements m
		where m.merchant = $1 and m.mode = $2 and m.key > $3`+bound+`
			and not exists (select 1 from ledger_chain c where c.merchant = m.merchant and c.mode = m.mode and c.transaction_key = m.key)
			and not exists (select 1 from ledger_entries z where z.merchant = m.merchant and z.mode = m.mode and z.transaction_key = m.key and z.line = 0 and not z.chained)
		order by m.key limit 1000`, args...)
	for _, b := range found {
		w.tell(Finding{Transaction: b.key, Table: "movements", Is: b.is,
			Text: fmt.Sprintf("The movement of %s (%s) is in no row of the chain, and does not wait for one: it was added past it, or its row was removed.", b.key, b.is)})
	}
	w.at.Key = until
	return ended, err
}

// closesBeside looks at the closes, a few in a year.
func (w *walk) closesBeside(ctx context.Context) (bool, error) {
	found, err := db.All(ctx, w.DB, db.Value[string], `select k.through from (select through from ledger_closes where merchant = $1 and mode = $2
			union select through from ledger_close_balances where merchant = $1 and mode = $2) k
		where not exists (select 1 from ledger_chain c where c.merchant = $1 and c.mode = $2 and c.transaction_key = 'close/' || k.through) order by k.through limit 1000`,
		w.scope.Merchant, w.scope.Mode)
	for _, through := range found {
		w.tell(Finding{Transaction: closeKey(through), Table: "ledger_closes", Line: through, Text: fmt.Sprintf("The close through %s is in no row of the chain.", through)})
	}
	return true, err
}
