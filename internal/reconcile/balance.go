package reconcile

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// arrival is how long after a fact its balance transaction is waited for. Stripe makes that of a charge within seconds, of a captured one
// within the hour (docs.stripe.com/payments/payment-intents/asynchronous-capture).
const arrival = 2 * time.Hour

// Sides is one amount as Stripe says it, and as the lines that were read make it.
type Sides struct {
	Stripe money.Money `json:"stripe" example:"1203.50"`
	Till   money.Money `json:"till" example:"1203.50"`
}

// Day is what becomes available on one day.
type Day struct {
	On     string      `json:"on" doc:"In UTC." example:"2026-11-30"`
	Amount money.Money `json:"amount" example:"310.00"`
}

// Funds is the balance in one currency.
type Funds struct {
	Currency  money.Currency `json:"currency" example:"EUR"`
	Available Sides          `json:"available"`
	Pending   Sides          `json:"pending"`
	Total     Sides          `json:"total"`
	Days      []Day          `json:"days" doc:"What is pending, by the day on which it becomes available."`
	InFlight  money.Money    `json:"in_flight" doc:"Foretold, and not yet among Stripe's balance transactions." example:"0.00"`
	Waiting   money.Money    `json:"waiting" doc:"Lines of payments and refunds of till's that are not at their end, such as a debit that the bank may still return." example:"0.00"`
	Foretold  money.Money    `json:"foretold" doc:"What the expected book makes of the balance at Stripe in this currency, with what is in flight. Payments that Stripe settles in another currency count here, in their own." example:"1203.50"`
	Drift     money.Money    `json:"drift" doc:"Stripe's total less till's: 0 where every line has been read." example:"0.00"`
	Remainder money.Money    `json:"remainder" doc:"What of the lines nothing accounts for." example:"0.00"`
	Accepted  money.Money    `json:"accepted" doc:"What of the lines nothing accounts for, and somebody has accepted: it is not in the remainder." example:"0.00"`
}

// Balance is what Stripe holds for one account, on both sides.
type Balance struct {
	Account  string    `json:"account" example:"acct_…"`
	AsOf     time.Time `json:"as_of"`
	Reading  Progress  `json:"reading"`
	Funds    []Funds   `json:"funds"`
	Items    []Item    `json:"items" doc:"What makes the remainder, the newest first, at most 100."`
	Accepted []Line    `json:"accepted_lines" doc:"Those whose difference somebody has accepted, the newest first, at most 100."`
}

// Balance asks Stripe what it holds, reads on, and holds both against each other.
func (s *Reconcile) Balance(ctx context.Context, scope db.Scope) (Balance, error) {
	p, err := s.Merchants.Provider(ctx, scope)
	if err != nil {
		return Balance{}, err
	}
	now, err := s.goOn(ctx, p, fair)
	if err != nil {
		return Balance{}, failedAtStripe(err)
	}
	client, err := s.Merchants.Client(ctx, scope, p.Generation)
	if err != nil {
		return Balance{}, err
	}
	told, err := client.Balance(ctx)
	if err != nil {
		return Balance{}, failedAtStripe(err)
	}
	b := Balance{Account: p.Account, AsOf: s.Clock.Now(), Reading: now}
	if b.Funds, err = s.funds(ctx, p, told, b.AsOf); err != nil {
		return Balance{}, err
	}
	if b.Items, err = s.Items(ctx, scope, "", 100); err != nil {
		return Balance{}, err
	}
	b.Accepted, err = s.acceptedLines(ctx, scope, 100)
	return b, err
}

func (s *Reconcile) funds(ctx context.Context, p merchant.Provider, told stripe.Balance, now time.Time) ([]Funds, error) {
	all := map[money.Currency]*Funds{}
	at := func(c money.Currency) *Funds {
		if all[c] == nil {
			none := money.Money{Currency: c}
			all[c] = &Funds{Currency: c, Available: Sides{none, none}, Pending: Sides{none, none}, Total: Sides{none, none}, Days: []Day{}, InFlight: none, Waiting: none, Foretold: none, Drift: none, Remainder: none, Accepted: none}
		}
		return all[c]
	}
	for _, one := range told.Available {
		at(money.Currency(strings.ToUpper(one.Currency))).Available.Stripe.Minor += one.Amount
	}
	for _, one := range told.Pending {
		at(money.Currency(strings.ToUpper(one.Currency))).Pending.Stripe.Minor += one.Amount
	}
	if err := s.addDays(ctx, p, now, at); err != nil {
		return nil, err
	}
	if err := s.addForetold(ctx, p.Scope, at); err != nil {
		return nil, err
	}
	sums, err := s.remainders(ctx, p.Scope, now)
	if err != nil {
		return nil, err
	}
	for c, sum := range sums {
		at(c).Remainder.Minor, at(c).Accepted.Minor, at(c).InFlight.Minor, at(c).Waiting.Minor = sum.remainder, sum.accepted, sum.inFlight, sum.waiting
	}
	sorted := []Funds{}
	for _, f := range all {
		f.Total.Stripe.Minor = f.Available.Stripe.Minor + f.Pending.Stripe.Minor
		f.Total.Till.Minor = f.Available.Till.Minor + f.Pending.Till.Minor
		f.Drift.Minor = f.Total.Stripe.Minor - f.Total.Till.Minor
		sorted = append(sorted, *f)
	}
	slices.SortFunc(sorted, func(a, b Funds) int { return strings.Compare(string(a.Currency), string(b.Currency)) })
	return sorted, nil
}

// addDays adds what the lines make of the balance. Stripe makes available at the beginning of a day, in UTC.
func (s *Reconcile) addDays(ctx context.Context, p merchant.Provider, now time.Time, at func(money.Currency) *Funds) error {
	type row struct {
		currency money.Currency
		day, net int64
	}
	rows, err := db.All(ctx, s.DB, func(r db.Row) (d row, err error) { return d, r.Scan(&d.currency, &d.day, &d.net) },
		`select currency, day, net from balance_days where merchant = $1 and mode = $2 and account = $3 order by currency, day`, p.Scope.Merchant, p.Scope.Mode, p.Account)
	today := dayOf(now)
	for _, d := range rows {
		f := at(d.currency)
		if d.day <= today {
			f.Available.Till.Minor += d.net
			continue
		}
		f.Pending.Till.Minor += d.net
		f.Days = append(f.Days, Day{time.Unix(d.day*24*60*60, 0).UTC().Format(time.DateOnly), money.FromMinor(d.net, d.currency)})
	}
	return err
}

func (s *Reconcile) addForetold(ctx context.Context, scope db.Scope, at func(money.Currency) *Funds) error {
	all, err := ledger.Standing(ctx, s.DB, scope, ledger.Expected)
	for _, b := range all {
		if b.Account == ledger.StripeBalance || b.Account == ledger.FeesTaken {
			at(b.Currency).Foretold.Minor += b.Minor
		}
	}
	return err
}

// remainder is what is left in one currency, what was accepted of that, and what may still come.
type remainder struct{ remainder, accepted, inFlight, waiting int64 }

// remainders are the sums of what nothing accounts for: differences of lines, and what was foretold and has not come in time.
func (s *Reconcile) remainders(ctx context.Context, scope db.Scope, now time.Time) (map[money.Currency]remainder, error) {
	const lines, moves = `balance_transactions where merchant = $1 and mode = $2 and `, `movements where merchant = $1 and mode = $2 and matched = '' and posted_at `
	all := map[money.Currency]remainder{}
	for _, one := range []struct {
		sum, of string
		add     func(*remainder, int64)
		more    []any
	}{
		{"difference", lines + `difference <> 0`, func(r *remainder, minor int64) { r.remainder += minor }, nil},
		{"accepted", lines + `state = 'accepted'`, func(r *remainder, minor int64) { r.accepted += minor }, nil},
		{"net", lines + `state = 'waiting'`, func(r *remainder, minor int64) { r.waiting += minor }, nil},
		{"amount - fee", moves + `<= $3`, func(r *remainder, minor int64) { r.remainder -= minor }, []any{db.Micros(now.Add(-arrival))}},
		{"amount - fee", moves + `> $3`, func(r *remainder, minor int64) { r.inFlight += minor }, []any{db.Micros(now.Add(-arrival))}},
	} {
		_, err := db.All(ctx, s.DB, func(row db.Row) (none struct{}, err error) {
			var c money.Currency
			var minor int64
			err = row.Scan(&c, &minor)
			r := all[c]
			one.add(&r, minor)
			all[c] = r
			return none, err
		}, `select currency, cast(sum(`+one.sum+`) as bigint) from `+one.of+` group by currency`, append([]any{scope.Merchant, scope.Mode}, one.more...)...)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Item is a part of the remainder: a line that differs from what was foretold or that nobody knows, or what was foretold and never came.
type Item struct {
	Currency money.Currency `json:"currency" example:"EUR"`
	Amount   money.Money    `json:"amount" doc:"What nothing accounts for: above zero where Stripe has more than was foretold." example:"-50.00"`
	Line     string         `json:"line" doc:"Stripe's balance transaction; empty where it is what has not come." example:"txn_…"`
	Kind     string         `json:"kind" example:"charge"`
	Source   string         `json:"source" doc:"The object of Stripe's." example:"ch_…"`
	Payment  string         `json:"payment_id"`
	Payout   string         `json:"payout"`
	Reason   string         `json:"reason" example:"Stripe took a fee of 1.75 USD, and 1.45 USD was foretold."`
	At       time.Time      `json:"at"`
}

// Items are what makes the remainder, the newest first; payout narrows them to the lines of one payout.
func (s *Reconcile) Items(ctx context.Context, scope db.Scope, payout string, limit int) ([]Item, error) {
	sql, args := `select `+columns+` from balance_transactions where merchant = $1 and mode = $2 and difference <> 0`, []any{scope.Merchant, scope.Mode}
	if payout != "" {
		sql, args = sql+` and payout = $3`, append(args, payout)
	}
	args = append(args, limit)
	lines, err := db.All(ctx, s.DB, scan, sql+` order by created_at desc, id desc limit $`+string(rune('0'+len(args))), args...)
	if err != nil {
		return nil, err
	}
	items := []Item{}
	for _, l := range lines {
		reason := l.Reason
		if l.State == Open {
			reason = "Nothing foretold it. Stripe is asked about it with the next reading."
		}
		items = append(items, Item{l.Currency, l.Difference, l.ID, l.Kind, l.Source, l.Payment, listed(l.Payout), reason, l.CreatedAt})
	}
	if payout != "" {
		return items, nil
	}
	never, err := s.neverCame(ctx, scope, limit)
	items = append(items, never...)
	slices.SortStableFunc(items, func(a, b Item) int { return b.At.Compare(a.At) })
	return items[:min(len(items), limit)], err
}

func (s *Reconcile) neverCame(ctx context.Context, scope db.Scope, limit int) ([]Item, error) {
	return db.All(ctx, s.DB, func(r db.Row) (i Item, err error) {
		var minor int64
		err = r.Scan(&i.Kind, &i.Source, &i.Payment, &i.Currency, &minor, db.At(&i.At))
		i.Amount = money.FromMinor(-minor, i.Currency)
		i.Reason = "It was foretold, and Stripe has no balance transaction of it."
		return i, err
	}, `select kind, source, payment, currency, amount - fee, posted_at from movements where merchant = $1 and mode = $2 and matched = '' and posted_at <= $3
		order by posted_at desc, key limit $4`, scope.Merchant, scope.Mode, db.Micros(s.Clock.Now().Add(-arrival)), limit)
}

// listed is a payout as it is shown.
func listed(payout string) string {
	if payout == byHand {
		return ""
	}
	return payout
}
