// Package ledger is the double-entry book: entries are only added, and the lines of a transaction sum to zero in each currency.
//
// There are two books, which never feed each other. The expected one is what till foretells: the rooms post to it what payments, refunds,
// disputes and payouts do to the balance at Stripe, in the commit of the fact (expected.go), with fees from a dated table (price.go). The
// observed one is what Stripe's balance transactions say; room reconcile posts to it, and compares.
//
// A debit is positive, a credit negative. An asset that grows is debited; income that grows is credited.
package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/money"
)

// Book is one of the two.
type Book string

// The books.
const (
	Expected Book = "expected"
	Observed Book = "observed"
)

// Account is what a line is about. Both books have the same ones. What of Stripe's balance is available is no account of its own: each
// balance transaction says on which day it becomes so.
type Account string

// The chart of accounts.
const (
	StripeBalance Account = "assets:stripe"           // what Stripe holds for the merchant, before fees
	FeesTaken     Account = "assets:stripe:fees"      // contra to it: what Stripe has taken of that as fees
	InTransit     Account = "assets:payouts"          // on the way to the merchant's bank, or there
	Sellers       Account = "assets:sellers"          // passed on to connected accounts
	Reserve       Account = "assets:reserve"          // set aside by Stripe
	Bank          Account = "assets:bank"             // what the merchant has sent to Stripe himself
	Sales         Account = "income:sales"            // what was captured, gross
	Refunds       Account = "income:refunds"          // contra income: what went back to customers
	Disputes      Account = "income:disputes"         // contra income: what banks took back for cardholders
	FeeIncome     Account = "income:application_fees" // of connected accounts
	Fees          Account = "expenses:stripe_fees"    // what Stripe costs
	Conversion    Account = "equity:conversion"       // what an amount was in the customer's currency, against what it became
	Unexplained   Account = "equity:unexplained"      // what nothing accounts for
)

// Line is one side of a transaction.
type Line struct {
	Account Account
	Money   money.Money // debit positive, credit negative
}

// Transaction is lines that belong together. Key names the fact that it books, and is booked once: "payment/<id>/charge/5000".
type Transaction struct {
	db.Scope
	Book     Book
	Key      string
	Payment  string
	PostedAt time.Time
	Lines    []Line
	Moves    Movement // of the balance at Stripe, where it foretells one
}

// Movement is by how much one of Stripe's objects moves the balance of an account. What till compares with a balance transaction is the sum
// of the movements of one kind and source.
type Movement struct {
	Generation int64
	Kind       string      // Stripe's reporting category: charge, refund, dispute, payout … Empty is no movement.
	Source     string      // Stripe's object: ch_…, re_…, du_…, po_…
	Amount     money.Money // what it adds to the balance, before fees
	Fee        money.Money // what Stripe is expected to take for it
}

func negative(m money.Money) money.Money { return money.Money{Minor: -m.Minor, Currency: m.Currency} }

// Post is the changes that book transactions: one statement for all of their lines, and one for what they foretell. It refuses a transaction
// that does not sum to zero: that is a mistake of ours, never of the caller's. One whose key is already booked misses its guard, so that a
// fact is never booked twice.
func Post(transactions ...Transaction) ([]db.Change, error) {
	if len(transactions) == 0 {
		return nil, nil
	}
	var moving []Transaction
	for _, t := range transactions {
		if err := t.check(); err != nil {
			return nil, err
		}
		if t.Moves.Kind != "" {
			moving = append(moving, t)
		}
	}
	changes := []db.Change{entries(transactions)}
	if len(moving) > 0 {
		changes = append(changes, movements(moving))
	}
	return changes, nil
}

// entries is one statement for the lines of all.
func entries(all []Transaction) db.Change {
	var sql strings.Builder
	sql.WriteString(`insert into ledger_entries (merchant, mode, book, transaction_key, line, account, currency, amount, payment, posted_at) values `)
	var args []any
	n := 0
	for _, t := range all {
		for i, l := range t.Lines {
			if n++; n > 1 {
				sql.WriteByte(',')
			}
			placeholders(&sql, len(args), 10)
			args = append(args, t.Merchant, t.Mode, string(t.Book), t.Key, int64(i), string(l.Account), string(l.Money.Currency), l.Money.Minor, t.Payment, db.Micros(t.PostedAt))
		}
	}
	sql.WriteString(` on conflict do nothing`)
	return db.Change{SQL: sql.String(), Args: args, Rows: int64(n)}
}

// placeholders writes ($1, $2 …) for so many values after those that there are.
func placeholders(sql *strings.Builder, after, n int) {
	for i := range n {
		if i == 0 {
			sql.WriteString("($")
		} else {
			sql.WriteString(",$")
		}
		sql.WriteString(strconv.Itoa(after + i + 1))
	}
	sql.WriteByte(')')
}

func movements(all []Transaction) db.Change {
	var sql strings.Builder
	sql.WriteString(`insert into movements (merchant, mode, key, generation, kind, source, currency, amount, fee, payment, posted_at) values `)
	var args []any
	for i, t := range all {
		if i > 0 {
			sql.WriteByte(',')
		}
		placeholders(&sql, len(args), 11)
		m := t.Moves
		args = append(args, t.Merchant, t.Mode, t.Key, m.Generation, m.Kind, m.Source, string(m.Amount.Currency), m.Amount.Minor, m.Fee.Minor, t.Payment, db.Micros(t.PostedAt))
	}
	sql.WriteString(` on conflict do nothing`)
	return db.Change{SQL: sql.String(), Args: args, Rows: int64(len(all))}
}

func (t Transaction) check() error {
	if len(t.Lines) < 2 {
		return fmt.Errorf("ledger: transaction %s has %d lines", t.Key, len(t.Lines))
	}
	if t.Book != Expected && t.Book != Observed {
		return fmt.Errorf("ledger: transaction %s is of no book", t.Key)
	}
	sums := map[money.Currency]money.Money{}
	for _, l := range t.Lines {
		sum, ok := sums[l.Money.Currency]
		if !ok {
			sum = money.Money{Currency: l.Money.Currency}
		}
		var err error
		if sum, err = sum.Add(l.Money); err != nil {
			return fmt.Errorf("ledger: transaction %s: %w", t.Key, err)
		}
		sums[l.Money.Currency] = sum
	}
	for c, sum := range sums {
		if !sum.IsZero() {
			return fmt.Errorf("ledger: transaction %s does not sum to zero in %s", t.Key, c)
		}
	}
	return nil
}

// Balance is what an account holds in a currency, in minor units.
type Balance struct {
	Account  Account
	Currency money.Currency
	Minor    int64
}

// Balances are the accounts of a merchant in the expected book; payment narrows them to one payment, "" is all.
func Balances(ctx context.Context, q db.Querier, scope db.Scope, payment string) ([]Balance, error) {
	return BalancesOf(ctx, q, scope, Expected, payment)
}

// BalancesOf is Balances of either book.
func BalancesOf(ctx context.Context, q db.Querier, scope db.Scope, book Book, payment string) ([]Balance, error) {
	sql := `select account, currency, cast(sum(amount) as bigint) from ledger_entries where merchant = $1 and mode = $2 and book = $3`
	args := []any{scope.Merchant, scope.Mode, string(book)}
	if payment != "" {
		sql, args = sql+` and payment = $4`, append(args, payment)
	}
	return db.All(ctx, q, func(r db.Row) (b Balance, err error) { return b, r.Scan(&b.Account, &b.Currency, &b.Minor) },
		sql+` group by account, currency order by account, currency`, args...)
}

// Check reads both books of a scope and names the first transaction that does not sum to zero.
func Check(ctx context.Context, q db.Querier, scope db.Scope) error {
	bad, err := db.All(ctx, q, db.Value[string], `select transaction_key from ledger_entries where merchant = $1 and mode = $2
		group by transaction_key, currency having sum(amount) <> 0 limit 1`, scope.Merchant, scope.Mode)
	if err == nil && len(bad) > 0 {
		err = fmt.Errorf("ledger: transaction %s does not sum to zero", bad[0])
	}
	return err
}
