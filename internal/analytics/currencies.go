package analytics

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/localprice"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// CurrenciesInput says what the report is about.
type CurrenciesInput struct {
	Span
	ChangedAt time.Time `query:"changed_at" doc:"Part what was before this time from what was after it; since when local currencies are on, where it is left out."`
}

// Currencies is the report.
type Currencies struct {
	Since     time.Time    `json:"since"`
	Until     time.Time    `json:"until"`
	ChangedAt *time.Time   `json:"changed_at" doc:"Null where nothing is parted."`
	Account   string       `json:"default_currency" example:"GBP" doc:"Of your Stripe account."`
	Regions   []Acceptance `json:"regions" nullable:"false" doc:"By the card's region, over all currencies: where customers now pay in another currency than before, only this compares like with like."`
	Rows      []Acceptance `json:"currencies" nullable:"false" doc:"By currency and region."`
	Fees      []Fee        `json:"fees" nullable:"false" doc:"Stripe's, of charges that it has booked."`
	Pairs     []Pair       `json:"pairs" nullable:"false" doc:"What each currency became, and what that cost."`
	Unbooked  int64        `json:"charges_not_booked" doc:"Payments that took money and whose balance transaction was not read yet: they are in no fee and no pair."`
	Balances  []Balance    `json:"balances" nullable:"false" doc:"Stripe's balance now."`
	Stripe    string       `json:"balances_missing" doc:"Why there are no balances; empty where there are."`
}

// Fee is what Stripe took of charges in a currency, by cards of a region.
type Fee struct {
	Currency money.Currency `json:"currency" example:"PLN" doc:"That customers paid."`
	Settled  money.Currency `json:"settled_in" example:"GBP"`
	Region   money.Region   `json:"region"`
	Charges  int64          `json:"charges"`
	Gross    money.Money    `json:"gross" doc:"In the currency it settled in."`
	Fees     money.Money    `json:"fees"`
	Percent  string         `json:"percent" example:"2.92" doc:"Of the gross."`
}

// Balance is Stripe's balance in a currency.
type Balance struct {
	Currency  money.Currency `json:"currency"`
	Available money.Money    `json:"available"`
	Pending   money.Money    `json:"pending"`
}

// Currencies reports on acceptance, fees and the cost of conversion, by currency and region.
func (s *Reports) Currencies(ctx context.Context, scope db.Scope, in CurrenciesInput) (r Currencies, err error) {
	if in.Span, err = in.within(s.Clock.Now()); err != nil {
		return r, err
	}
	p, own, err := s.account(ctx, scope)
	if err != nil {
		return r, err
	}
	r = Currencies{Since: in.Since, Until: in.Until, Account: string(own)}
	if r.ChangedAt, err = s.changedAt(ctx, scope, in); err != nil {
		return r, err
	}
	if err := s.acceptance(ctx, scope, in.Span, &r); err != nil {
		return r, err
	}
	if err := s.costs(ctx, p, in.Span, &r); err != nil {
		return r, err
	}
	r.Balances, r.Stripe = s.balances(ctx, p)
	return r, nil
}

// changedAt is the time that parts the report, where it lies within it.
func (s *Reports) changedAt(ctx context.Context, scope db.Scope, in CurrenciesInput) (*time.Time, error) {
	at := in.ChangedAt
	if at.IsZero() {
		chosen, err := s.Merchants.Settings(ctx, scope)
		if err != nil || chosen.LocalCurrencies.Since == nil {
			return nil, err
		}
		at = *chosen.LocalCurrencies.Since
	}
	if at.Before(in.Since) || !at.Before(in.Until) {
		return nil, nil
	}
	return &at, nil
}

func (s *Reports) acceptance(ctx context.Context, scope db.Scope, in Span, r *Currencies) error {
	parts := in.Until
	if r.ChangedAt != nil {
		parts = *r.ChangedAt
	}
	all, err := s.countEnded(ctx, scope, in, parts)
	if err != nil {
		return err
	}
	parted := r.ChangedAt != nil
	r.Regions, r.Rows = accepted(all, false, parted), accepted(all, true, parted)
	return nil
}

// costs fills in fees and pairs.
func (s *Reports) costs(ctx context.Context, p merchant.Provider, in Span, r *Currencies) error {
	fees, err := s.feesTaken(ctx, p.Scope, in)
	if err != nil {
		return err
	}
	r.Fees = feesOf(fees)
	days, err := s.charged(ctx, p.Scope, in)
	if err != nil {
		return err
	}
	rates, err := s.Prices.Between(ctx, p, in.Since, in.Until)
	if err != nil {
		return err
	}
	r.Pairs = paired(days, rates)
	r.Unbooked, err = s.notBooked(ctx, p.Scope, in)
	return err
}

// feesOf are the rows of fees, by currency and region.
func feesOf(all []taken) []Fee {
	rows := []Fee{}
	for _, f := range all {
		at := slices.IndexFunc(rows, func(r Fee) bool {
			return r.Currency == f.paid && r.Settled == f.settled && r.Region == f.card.Region()
		})
		if at < 0 {
			at = len(rows)
			rows = append(rows, Fee{Currency: f.paid, Settled: f.settled, Region: f.card.Region(), Gross: money.FromMinor(0, f.settled), Fees: money.FromMinor(0, f.settled)})
		}
		r := &rows[at]
		r.Charges, r.Gross.Minor, r.Fees.Minor = r.Charges+f.charges, r.Gross.Minor+f.gross, r.Fees.Minor+f.fees
	}
	for i := range rows {
		rows[i].Percent = share(rows[i].Fees, rows[i].Gross)
	}
	slices.SortFunc(rows, func(a, b Fee) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Settled, b.Settled), cmp.Compare(a.Region, b.Region))
	})
	return rows
}

// share is one amount as a percentage of another of its currency; "" where that is not above zero.
func share(part, whole money.Money) string {
	if !whole.Positive() {
		return ""
	}
	return localprice.Percent((part.Minor*10_000*2 + whole.Minor) / (2 * whole.Minor))
}

// balances are Stripe's, as it says now; why is what stands against that.
func (s *Reports) balances(ctx context.Context, p merchant.Provider) (all []Balance, why string) {
	all = []Balance{}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := s.Merchants.Client(ctx, p.Scope, p.Generation)
	if err != nil {
		return all, "There are no credentials for the account."
	}
	said, err := client.Balance(ctx)
	if err != nil {
		return all, "Stripe did not say: " + sentence(err)
	}
	in := func(code string) *Balance {
		c := money.Currency(strings.ToUpper(code))
		at := slices.IndexFunc(all, func(b Balance) bool { return b.Currency == c })
		if at < 0 {
			at = len(all)
			all = append(all, Balance{c, money.FromMinor(0, c), money.FromMinor(0, c)})
		}
		return &all[at]
	}
	for _, a := range said.Available {
		in(a.Currency).Available.Minor += a.Amount
	}
	for _, a := range said.Pending {
		in(a.Currency).Pending.Minor += a.Amount
	}
	slices.SortFunc(all, func(a, b Balance) int { return cmp.Compare(a.Currency, b.Currency) })
	return all, ""
}

// patience bounds what a report asks of Stripe.
const patience = 10 * time.Second

// sentence is what Stripe said instead of an answer.
func sentence(err error) string {
	if said, ok := stripe.As(err); ok && said.Message != "" {
		return said.Message
	}
	return "it did not answer."
}
