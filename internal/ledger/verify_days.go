package ledger

import (
	"context"
	"strconv"
	"time"

	"github.com/till-pay/till/internal/db"
)

// dayDiffers finds the sums of a day that are not what the entries that count on it sum to. It is one statement: what is chained meanwhile is in both
// or in neither.
const dayDiffers = `select book, account, currency, cast(sum(debits) as bigint), cast(sum(credits) as bigint), cast(sum(was_debits) as bigint), cast(sum(was_credits) as bigint) from (
		select book, account, currency, debits, credits, 0 as was_debits, 0 as was_credits from ledger_days where merchant = $1 and mode = $2 and day = $3
		union all
		select e.book, e.account, e.currency, 0, 0, case when e.amount > 0 then e.amount else 0 end, case when e.amount < 0 then e.amount else 0 end
		from ledger_chain c cross join ledger_entries e where e.merchant = c.merchant and e.mode = c.mode and e.transaction_key = c.transaction_key
		and c.merchant = $1 and c.mode = $2 and c.counts_at >= $3 * 86400000000 and c.counts_at < ($3 + 1) * 86400000000
	) both_sides group by book, account, currency having sum(debits) <> sum(was_debits) or sum(credits) <> sum(was_credits) order by book, currency, account`

// nextDay is the first day from one on of which there are sums, or transactions that count on it.
const nextDay = `select coalesce(min(day), -1) from (
		select min(day) as day from ledger_days where merchant = $1 and mode = $2 and day >= $3
		union all
		select min(counts_at) / 86400000000 from ledger_chain where merchant = $1 and mode = $2 and counts_at >= $3 * 86400000000
	) either_side`

// days holds the sums of the next day against the entries. Where those are not as they were chained, that is what has been found: the sums follow.
func (w *walk) days(ctx context.Context) (ended bool, err error) {
	if len(w.found.Findings) > 0 && w.found.Findings[len(w.found.Findings)-1].Table != "ledger_days" {
		return true, nil
	}
	day, err := db.One(ctx, w.DB, db.Value[int64], nextDay, w.scope.Merchant, w.scope.Mode, w.at.Line)
	if err != nil || day < 0 {
		return err == nil, err
	}
	_, err = db.All(ctx, w.DB, func(r db.Row) (none struct{}, err error) {
		var is, was sum
		err = r.Scan(&is.book, &is.account, &is.currency, &is.debits, &is.credit, &was.debits, &was.credit)
		w.daySum(day, is, was)
		return none, err
	}, dayDiffers, w.scope.Merchant, w.scope.Mode, day)
	w.at.Line = day + 1
	return false, err
}

func (w *walk) daySum(day int64, is, was sum) {
	f := Finding{Table: "ledger_days", Line: time.Unix(day*24*60*60, 0).UTC().Format(time.DateOnly), Column: "debits", Was: strconv.FormatInt(was.debits, 10), Is: strconv.FormatInt(is.debits, 10)}
	if is.debits == was.debits {
		f.Column, f.Was, f.Is = "credits", strconv.FormatInt(was.credit, 10), strconv.FormatInt(is.credit, 10)
	}
	f.Text = "The sums of " + f.Line + ", " + is.name() + ": " + f.Column + " are " + f.Is + ", and what counts on that day sums to " + f.Was + "."
	w.tell(f)
}
