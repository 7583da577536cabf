package ledger

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

// sum is what an account of a book held when a period began, and what has been debited and credited since.
type sum struct {
	book           Book
	account        Account
	currency       string
	opening        int64
	debits, credit int64 // credit is negative
}

func (s sum) balance() int64 { return s.opening + s.debits + s.credit }

func (s sum) name() string { return string(s.book) + " " + string(s.account) + " " + s.currency }

func (s sum) compare(o sum) int {
	return cmp.Or(cmp.Compare(s.book, o.book), cmp.Compare(s.currency, o.currency), cmp.Compare(s.account, o.account))
}

// opening are the balances of a close, by name.
func opening(ctx context.Context, q db.Querier, scope db.Scope, through string) (map[string]sum, error) {
	all := map[string]sum{}
	if through == "" {
		return all, nil
	}
	found, err := db.All(ctx, q, func(r db.Row) (s sum, err error) { return s, r.Scan(&s.book, &s.account, &s.currency, &s.opening) },
		`select book, account, currency, balance from ledger_close_balances where merchant = $1 and mode = $2 and through = $3`, scope.Merchant, scope.Mode, through)
	for _, s := range found {
		all[s.name()] = s
	}
	return all, err
}

// What counts from one time on and before another: by the chain, and what waits for its place there by its own time. It is a cross join lest SQLite,
// to group, walk through all entries that there ever were. Where nothing is closed, all counts by its own time: then the entries alone tell.
const (
	postedSince = `select e.book, e.account, e.currency, ` + debitsAndCredits + `
		from ledger_entries e where e.merchant = $1 and e.mode = $2 and e.posted_at >= $3 and e.posted_at < $4 group by e.book, e.account, e.currency`
	chainedSince = `select e.book, e.account, e.currency, ` + debitsAndCredits + `
		from ledger_chain c cross join ledger_entries e where e.merchant = c.merchant and e.mode = c.mode and e.transaction_key = c.transaction_key
		and c.merchant = $1 and c.mode = $2 and c.counts_at >= $3 and c.counts_at < $4 group by e.book, e.account, e.currency`
	waitingSince = `select e.book, e.account, e.currency, ` + debitsAndCredits + `
		from ledger_entries w cross join ledger_entries e where e.merchant = w.merchant and e.mode = w.mode and e.transaction_key = w.transaction_key
		and w.merchant = $1 and w.mode = $2 and w.line = 0 and not w.chained and w.posted_at >= $5 and w.posted_at < $6 group by e.book, e.account, e.currency`
)

// daysSince stands for chainedSince from one midnight on and before another, by the sums that were made when it was chained: it costs days, and
// does not see what has become of the entries since. `till ledger verify` does, and a trial balance.
const daysSince = `select book, account, currency, cast(sum(debits) as bigint), cast(sum(credits) as bigint) from ledger_days
	where merchant = $1 and mode = $2 and day >= $3 / 86400000000 and day < $4 / 86400000000 group by book, account, currency`

// counted is a query over what counts from one time on and before another. What is chained stands before waitingSince, as their arguments do.
type counted struct {
	sql          string
	from, before time.Time
}

// sums are all accounts of both books: the balances of a close, and what queries find that has come since. What it costs grows with the open
// period alone, once something is closed. The queries are one statement: what is chained between two would be in neither.
func sums(ctx context.Context, q db.Querier, scope db.Scope, from Close, queries ...counted) ([]sum, error) {
	all, err := opening(ctx, q, scope, from.Through)
	if err != nil {
		return nil, err
	}
	var sql []string
	args := []any{scope.Merchant, scope.Mode}
	for _, c := range queries {
		sql, args = append(sql, c.sql), append(args, max(0, c.from.UnixMicro()), c.before.UnixMicro())
	}
	found, err := db.All(ctx, q, func(r db.Row) (s sum, err error) {
		return s, r.Scan(&s.book, &s.account, &s.currency, &s.debits, &s.credit)
	}, strings.Join(sql, " union all "), args...)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		was, ok := all[s.name()]
		if !ok {
			was = sum{book: s.book, account: s.account, currency: s.currency}
		}
		was.debits, was.credit = was.debits+s.debits, was.credit+s.credit
		all[s.name()] = was
	}
	return slices.SortedFunc(maps.Values(all), sum.compare), nil
}

// Standing is what the accounts of a book hold now, chained or not, in days' sums and not in history.
func Standing(ctx context.Context, q db.Querier, scope db.Scope, book Book) (all []Balance, err error) {
	ever := time.UnixMicro(math.MaxInt64)
	found, err := sums(ctx, q, scope, Close{}, counted{daysSince, time.Time{}, ever}, counted{waitingSince, time.Time{}, ever})
	for _, s := range found {
		if s.book == book {
			all = append(all, Balance{s.account, money.Currency(s.currency), s.balance()})
		}
	}
	return all, err
}

// TrialBalance is all accounts of one book at a time.
type TrialBalance struct {
	Book     Book      `json:"book" enum:"expected,observed"`
	Before   time.Time `json:"before" doc:"All that counts before this time is in it: the end of the day that was asked for (UTC), or now."`
	Since    string    `json:"opening_through" doc:"The close that the opening balances are of; empty where nothing is closed yet." example:"2026-10-31"`
	Balanced bool      `json:"balanced" doc:"Every currency sums to zero, as it must."`
	Wrong    string    `json:"wrong,omitempty" doc:"Where it does not: the first transaction that does not sum to zero, or that the opening balances do not."`
	Accounts []Trial   `json:"accounts" nullable:"false"`
	Totals   []Total   `json:"totals" nullable:"false"`
	Waiting  Waiting   `json:"waiting"`
}

// Trial is one account in one currency.
type Trial struct {
	Account  Account     `json:"account" example:"assets:stripe"`
	Currency string      `json:"currency" example:"USD"`
	Opening  money.Money `json:"opening" doc:"At the end of the last close; a debit is positive, a credit negative, here and in balance."`
	Debits   money.Money `json:"debits" doc:"Since then."`
	Credits  money.Money `json:"credits" doc:"Since then, as a positive number."`
	Balance  money.Money `json:"balance"`
}

// Total is what the accounts of a currency sum to.
type Total struct {
	Currency string      `json:"currency" example:"USD"`
	Opening  money.Money `json:"opening"`
	Debits   money.Money `json:"debits"`
	Credits  money.Money `json:"credits"`
	Balance  money.Money `json:"balance" doc:"0, or the books are wrong."`
}

// TrialInput asks for a trial balance.
type TrialInput struct {
	Book string `query:"book" enum:"expected,observed" default:"expected" doc:"expected is what till foretells, observed what Stripe's balance transactions say."`
	AsOf string `query:"as_of" maxLength:"10" format:"date" doc:"Through the end of this day, in UTC; now where it is not given." example:"2026-11-30"`
}

// TrialBalance reads the accounts of a book and says whether they sum to zero.
func (b *Books) TrialBalance(ctx context.Context, scope db.Scope, in TrialInput) (TrialBalance, error) {
	t := TrialBalance{Book: Book(in.Book), Before: b.Clock.Now().Add(time.Microsecond), Accounts: []Trial{}, Totals: []Total{}}
	if in.AsOf != "" {
		day, err := time.Parse(time.DateOnly, in.AsOf)
		if err != nil {
			return t, fault.New(fault.ParameterInvalid, "as_of", "as_of is a day such as 2026-11-30.")
		}
		t.Before = day.AddDate(0, 0, 1)
	}
	last, err := lastClose(ctx, b.DB, scope, dayOf(t.Before.UnixMicro()-int64(24*time.Hour/time.Microsecond)))
	if err != nil {
		return t, err
	}
	t.Since = last.Through
	since, err := b.since(ctx, scope, last, t.Before)
	if err != nil {
		return t, err
	}
	found, err := sums(ctx, b.DB, scope, last, since...)
	if err != nil {
		return t, err
	}
	t.add(found)
	if t.Waiting, err = b.waiting(ctx, scope); err != nil || t.Balanced {
		return t, err
	}
	t.Wrong = "the opening balances do not sum to zero: till ledger verify tells more"
	if err := Check(ctx, b.DB, scope); err != nil {
		t.Wrong = err.Error()
	}
	return t, nil
}

// since is what counts after a close and before a time.
func (b *Books) since(ctx context.Context, scope db.Scope, last Close, before time.Time) ([]counted, error) {
	if last.Through == "" {
		if newest, err := lastClose(ctx, b.DB, scope, ""); err != nil || newest.Through == "" {
			return []counted{{postedSince, time.Time{}, before}}, err
		}
	}
	waiting := counted{waitingSince, last.EndsAt, before}
	if before.After(b.Clock.Now()) {
		waiting.from = time.Time{} // what comes late for a closed period counts now
	}
	return []counted{{chainedSince, last.EndsAt, before}, waiting}, nil
}

// add shows the sums of its book, and what they sum to.
func (t *TrialBalance) add(found []sum) {
	totals := map[string]sum{}
	for _, s := range found {
		if s.book != t.Book {
			continue
		}
		m := func(minor int64) money.Money { return money.FromMinor(minor, money.Currency(s.currency)) }
		t.Accounts = append(t.Accounts, Trial{s.account, s.currency, m(s.opening), m(s.debits), m(-s.credit), m(s.balance())})
		o := totals[s.currency]
		totals[s.currency] = sum{currency: s.currency, opening: o.opening + s.opening, debits: o.debits + s.debits, credit: o.credit + s.credit}
	}
	t.Balanced = true
	for _, s := range slices.SortedFunc(maps.Values(totals), sum.compare) {
		m := func(minor int64) money.Money { return money.FromMinor(minor, money.Currency(s.currency)) }
		t.Totals = append(t.Totals, Total{s.currency, m(s.opening), m(s.debits), m(-s.credit), m(s.balance())})
		t.Balanced = t.Balanced && s.balance() == 0
	}
}
