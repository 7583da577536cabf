package ledger

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

// margin is how long after its last day has ended a period can be closed. A transaction is posted with the time at which its commit was decided on:
// what is on its way to the database at midnight arrives within minutes, and clocks of nodes differ by less.
const margin = time.Hour

// Close is a period that is closed.
type Close struct {
	Through  string    `json:"through" format:"date" doc:"The last day of the period, in UTC." example:"2026-11-30"`
	EndsAt   time.Time `json:"ends_at" doc:"The midnight (UTC) that ends it: what counts before it is in the balances."`
	ClosedAt time.Time `json:"closed_at"`
	Head     Mark      `json:"head" doc:"The close is a row of the chain itself: its balances cannot be changed unnoticed."`
	Balances []Closed  `json:"balances" nullable:"false" doc:"What each account held at the end, of both books. Accounts that held nothing are left out."`
}

// Closed is what an account held at the end of a period.
type Closed struct {
	Book     Book        `json:"book" enum:"expected,observed"`
	Account  Account     `json:"account" example:"assets:stripe"`
	Currency string      `json:"currency" example:"USD"`
	Balance  money.Money `json:"balance" doc:"A debit is positive, a credit negative."`
}

func closeKey(through string) string { return "close/" + through }

// CloseInput asks for a close.
type CloseInput struct {
	Body struct {
		Through string `json:"through" format:"date" maxLength:"10" doc:"The last day of the period, in UTC; it must have ended an hour ago." example:"2026-11-30"`
	}
}

// Close closes a period, once: the same day again finds the close that there is. Everything that was posted before its end is chained first. What
// is posted with an earlier time afterwards counts in the period that is open when it is chained.
func (b *Books) Close(ctx context.Context, scope db.Scope, through string) (c Close, made bool, err error) {
	ends, err := b.closable(through)
	if err != nil {
		return Close{}, false, err
	}
	if err := b.catchUp(ctx, scope, ends); err != nil {
		return Close{}, false, err
	}
	err = b.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		last, err := lastClose(ctx, b.DB, scope, "")
		if made = err == nil && last.Through < through; !made || err != nil {
			return nil, err
		}
		end, err := b.end(ctx, scope)
		if err != nil {
			return nil, err
		}
		balances, err := sums(ctx, b.DB, scope, last, counted{daysSince, last.EndsAt, ends})
		if err != nil {
			return nil, err
		}
		return closing(scope, through, ends, end, balances, b.Clock.Now()), nil
	})
	if err != nil {
		return Close{}, false, err
	}
	c, err = b.closed(ctx, scope, through)
	if errors.Is(err, db.ErrNone) {
		err = fault.New(fault.ParameterInvalid, "through", "The books are closed through a later day already: what is closed is not closed anew.")
	}
	return c, made, err
}

// closable is the end of a day that can be closed by now.
func (b *Books) closable(through string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, through)
	if err != nil {
		return day, fault.New(fault.ParameterInvalid, "through", "through is a day such as 2026-11-30.")
	}
	ends := day.AddDate(0, 0, 1)
	if from := ends.Add(margin); b.Clock.Now().Before(from) {
		return day, fault.New(fault.ParameterInvalid, "through", "%s can be closed from %s on: it must have ended an hour ago, in UTC.", through, from.Format(time.RFC3339))
	}
	return ends, nil
}

// catchUp chains what was posted before a time.
func (b *Books) catchUp(ctx context.Context, scope db.Scope, before time.Time) error {
	const rounds = 100
	for range rounds {
		oldest, err := unchained(ctx, b.DB, scope, 1)
		if err != nil || len(oldest) == 0 || oldest[0].postedAt >= before.UnixMicro() {
			return err
		}
		if _, err := b.chain(ctx, scope); err != nil {
			return err
		}
	}
	return fault.New(fault.StateConflict, "", "Transactions of the period still wait for their place in the chain; try again, or see GET /v1/ledger/head.")
}

// closing is the changes that write a close: it is one commit, and its row of the chain is the guard against every other that chains or closes.
func closing(scope db.Scope, through string, ends time.Time, end Mark, balances []sum, now time.Time) []db.Change {
	at := max(now.UnixMicro(), end.at)
	changes := []db.Change{{
		SQL:  `insert into ledger_closes (merchant, mode, through, ends_at, closed_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		Args: []any{scope.Merchant, scope.Mode, through, db.Micros(ends), at}, Rows: 1,
	}}
	c := content{key: closeKey(through), records: []record{{closeRecord, through, []string{strconv.FormatInt(ends.UnixMicro(), 10), strconv.FormatInt(at, 10)}}}}
	for _, s := range balances {
		if s.balance() == 0 {
			continue
		}
		changes = append(changes, db.Change{
			SQL:  `insert into ledger_close_balances (merchant, mode, through, book, account, currency, balance) values ($1, $2, $3, $4, $5, $6, $7)`,
			Args: []any{scope.Merchant, scope.Mode, through, string(s.book), string(s.account), s.currency, s.balance()}, Rows: 1,
		})
		c.records = append(c.records, record{balanceRecord, s.name(), []string{strconv.FormatInt(s.balance(), 10)}})
	}
	slices.SortStableFunc(c.records, func(a, b record) int {
		return cmp.Or(-strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name))
	})
	return append(changes, appended(scope, end, []content{c}, nil, now)...)
}

// closeRecords are the records of closes as they stand, by the key of their row in the chain.
func closeRecords(ctx context.Context, q db.Querier, scope db.Scope, to map[string][]record, keys []string) error {
	for _, key := range keys {
		through, ok := strings.CutPrefix(key, "close/")
		if !ok {
			continue
		}
		if err := collect(ctx, q, to, closeRecord, `select 'close/' || through, through, cast(ends_at as text), cast(closed_at as text)
			from ledger_closes where merchant = $1 and mode = $2 and through = $3`, scope.Merchant, scope.Mode, through); err != nil {
			return err
		}
		if err := collect(ctx, q, to, balanceRecord, `select 'close/' || through, book || ' ' || account || ' ' || currency, cast(balance as text)
			from ledger_close_balances where merchant = $1 and mode = $2 and through = $3`, scope.Merchant, scope.Mode, through); err != nil {
			return err
		}
		slices.SortStableFunc(to[key], func(a, b record) int {
			return cmp.Or(-strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name))
		})
	}
	return nil
}

const closeColumns = `select k.through, k.ends_at, k.closed_at, coalesce(c.seq, 0), coalesce(c.hash, '') from ledger_closes k
	left join ledger_chain c on c.merchant = k.merchant and c.mode = k.mode and c.transaction_key = 'close/' || k.through
	where k.merchant = $1 and k.mode = $2`

func scanClose(r db.Row) (c Close, err error) {
	return c, r.Scan(&c.Through, db.At(&c.EndsAt), db.At(&c.ClosedAt), &c.Head.Sequence, &c.Head.Hash)
}

// lastClose is the newest close through a day at the latest, without its balances; "" is whenever. The zero Close is none.
func lastClose(ctx context.Context, q db.Querier, scope db.Scope, through string) (Close, error) {
	sql, args := closeColumns, []any{scope.Merchant, scope.Mode}
	if through != "" {
		sql, args = sql+` and k.through <= $3`, append(args, through)
	}
	c, err := db.One(ctx, q, scanClose, sql+` order by k.through desc limit 1`, args...)
	if errors.Is(err, db.ErrNone) {
		return Close{}, nil
	}
	return c, err
}

// closed is one close with its balances, or db.ErrNone.
func (b *Books) closed(ctx context.Context, scope db.Scope, through string) (Close, error) {
	c, err := db.One(ctx, b.DB, scanClose, closeColumns+` and k.through = $3`, scope.Merchant, scope.Mode, through)
	if err != nil {
		return c, err
	}
	found, err := opening(ctx, b.DB, scope, through)
	if err != nil {
		return c, err
	}
	c.Balances = []Closed{}
	for _, s := range slices.SortedFunc(maps.Values(found), sum.compare) {
		c.Balances = append(c.Balances, Closed{s.book, s.account, s.currency, money.FromMinor(s.opening, money.Currency(s.currency))})
	}
	return c, nil
}
