// Package ledger is the double-entry book: entries are only added, and the lines of a transaction sum to zero in each currency.
//
// A debit is positive, a credit negative. An asset that grows is debited; income that grows is credited.
package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/money"
)

// Account is what a line is about.
type Account string

// The accounts of the first floor.
const (
	StripeBalance Account = "assets:stripe" // what Stripe holds for the merchant, before fees
	Sales         Account = "income:sales"
	Refunds       Account = "income:refunds" // contra income: what went back to customers
)

// Line is one side of a transaction.
type Line struct {
	Account Account
	Money   money.Money // debit positive, credit negative
}

// Transaction is lines that belong together. Key names the fact that it books, and is booked once: "payment/<id>/captured/5000".
type Transaction struct {
	db.Scope
	Key      string
	Payment  string
	PostedAt time.Time
	Lines    []Line
}

// Charge books money that was captured: Stripe holds it for us, and it is income. key tells one capture from another.
func Charge(scope db.Scope, payment, key string, m money.Money, at time.Time) Transaction {
	return Transaction{scope, "payment/" + payment + "/charge/" + key, payment, at, []Line{{StripeBalance, m}, {Sales, negative(m)}}}
}

// Refund books money that went back to the customer.
func Refund(scope db.Scope, payment, refund string, m money.Money, at time.Time) Transaction {
	return Transaction{scope, "refund/" + refund, payment, at, []Line{{Refunds, m}, {StripeBalance, negative(m)}}}
}

// RefundFailed books that a refund came back: the exact reverse of Refund.
func RefundFailed(scope db.Scope, payment, refund string, m money.Money, at time.Time) Transaction {
	return Transaction{scope, "refund/" + refund + "/failed", payment, at, []Line{{StripeBalance, m}, {Refunds, negative(m)}}}
}

func negative(m money.Money) money.Money { return money.Money{Minor: -m.Minor, Currency: m.Currency} }

// Post is the changes that book transactions. It refuses one that does not sum to zero: that is a mistake of ours, never of the caller's.
// A transaction whose key is already booked misses its guard, so that a fact is never booked twice.
func Post(transactions ...Transaction) ([]db.Change, error) {
	var changes []db.Change
	for _, t := range transactions {
		if err := t.check(); err != nil {
			return nil, err
		}
		for i, l := range t.Lines {
			changes = append(changes, db.Change{
				SQL: `insert into ledger_entries (merchant, mode, transaction_key, line, account, currency, amount, payment, posted_at)
					values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
				Args: []any{t.Merchant, t.Mode, t.Key, int64(i), string(l.Account), string(l.Money.Currency), l.Money.Minor, t.Payment, db.Micros(t.PostedAt)}, Rows: 1,
			})
		}
	}
	return changes, nil
}

func (t Transaction) check() error {
	if len(t.Lines) < 2 {
		return fmt.Errorf("ledger: transaction %s has %d lines", t.Key, len(t.Lines))
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

// Balances are the accounts of a merchant; payment narrows them to one payment, "" is all.
func Balances(ctx context.Context, q db.Querier, scope db.Scope, payment string) ([]Balance, error) {
	sql := `select account, currency, cast(sum(amount) as bigint) from ledger_entries where merchant = $1 and mode = $2`
	args := []any{scope.Merchant, scope.Mode}
	if payment != "" {
		sql, args = sql+` and payment = $3`, append(args, payment)
	}
	return db.All(ctx, q, func(r db.Row) (b Balance, err error) { return b, r.Scan(&b.Account, &b.Currency, &b.Minor) },
		sql+` group by account, currency order by account, currency`, args...)
}

// Check reads the whole book of a scope and names the first transaction that does not sum to zero.
func Check(ctx context.Context, q db.Querier, scope db.Scope) error {
	bad, err := db.All(ctx, q, db.Value[string], `select transaction_key from ledger_entries where merchant = $1 and mode = $2
		group by transaction_key, currency having sum(amount) <> 0 limit 1`, scope.Merchant, scope.Mode)
	if err == nil && len(bad) > 0 {
		err = fmt.Errorf("ledger: transaction %s does not sum to zero", bad[0])
	}
	return err
}
