package analytics

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/localprice"
	"github.com/till-pay/till/internal/money"
)

// ConsolidationInput says into which currency all shall come.
type ConsolidationInput struct {
	Span
	Currency string `query:"currency" maxLength:"8" example:"GBP" doc:"That all shall be in; your account's default one where it is left out."`
}

// Consolidation is what of the money is in one currency, week by week.
type Consolidation struct {
	Since    time.Time      `json:"since"`
	Until    time.Time      `json:"until"`
	Currency money.Currency `json:"currency" example:"GBP"`
	Account  string         `json:"default_currency" example:"GBP" doc:"Into which Stripe converts what has no bank account of its own."`
	Weeks    []Week         `json:"weeks" nullable:"false"`
	Held     []Held         `json:"held" nullable:"false" doc:"Stripe's balance now, with what it would be in the currency."`
	Stripe   string         `json:"balances_missing" doc:"Why nothing is held; empty where Stripe said."`
}

// Held is Stripe's balance in a currency, and what it would become.
type Held struct {
	Balance
	Exchange *Exchange    `json:"exchange" doc:"Null in the currency itself, and where no rate is known."`
	InTarget *money.Money `json:"in_target" doc:"Available and pending, in the currency; an estimate where it is exchanged. Null where no rate is known."`
}

// Consolidate reports what came into one currency, week by week, and what would.
func (s *Reports) Consolidate(ctx context.Context, scope db.Scope, in ConsolidationInput) (c Consolidation, err error) {
	if in.Span, err = in.within(s.Clock.Now()); err != nil {
		return c, err
	}
	p, own, err := s.account(ctx, scope)
	if err != nil {
		return c, err
	}
	to := target{currency: own, points: localprice.ConversionPrice(p.Country, s.Clock.Now())}
	if in.Currency != "" {
		if to.currency, err = money.ParseCurrency(in.Currency); err != nil {
			return c, fault.New(fault.CurrencyUnknown, "currency", "A currency is a three-letter code that Stripe takes, such as GBP.")
		}
	}
	if to.currency == "" {
		return c, fault.New(fault.ParameterMissing, "currency", "Say the currency that all shall be in: that of the account is not known to till yet.")
	}
	rates, err := s.Prices.Between(ctx, p, in.Since, in.Until)
	if err != nil {
		return c, err
	}
	to.middles = rates
	all, err := s.movedWeekly(ctx, scope, in.Span)
	if err != nil {
		return c, err
	}
	c = Consolidation{Since: in.Since, Until: in.Until, Currency: to.currency, Account: string(own), Weeks: weekly(all, to)}
	balances, why := s.balances(ctx, p)
	c.Held, c.Stripe = held(balances, to, s.Clock.Now()), why
	return c, nil
}

// held is what balances would be in the target currency.
func held(all []Balance, to target, now time.Time) []Held {
	rows := make([]Held, 0, len(all))
	for _, b := range all {
		h := Held{Balance: b}
		whole := money.FromMinor(b.Available.Minor+b.Pending.Minor, b.Currency)
		if b.Currency == to.currency {
			h.InTarget = &whole
		} else if middle, _, known := to.middles.on(now, b.Currency, to.currency); known {
			at := middle.Less(to.points)
			if m, err := whole.Settled(to.currency, at); err == nil {
				h.InTarget, h.Exchange = &m, &Exchange{"estimated", at.String(), middle.String(), localprice.Percent(to.points)}
			}
		}
		rows = append(rows, h)
	}
	return rows
}

// Routes registers the room's endpoints.
func (s *Reports) Routes(a *api.API) {
	const tag = "Reports"
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/reports/currencies", Summary: "Report on currencies", Tag: tag, Scope: api.PaymentsRead,
		Text: "By currency and region of the card: how many payments were accepted and declined, of how many, before and after a day; what Stripe took; and by pair of currencies what " +
			"the conversion cost, as the rate that Stripe applied shows it against its own middle rate. Acceptance is measured: that one figure follows another says not that it was caused by it. " +
			"Fees and pairs are of charges that Stripe has booked and till has read."},
		func(ctx context.Context, c api.Caller, in *CurrenciesInput) (api.Reply[Currencies], error) {
			r, err := s.Currencies(ctx, c.Scope, *in)
			return api.Reply[Currencies]{Data: r}, err
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/reports/consolidation", Summary: "Report on one currency", Tag: tag, Scope: api.PaymentsRead,
		Text: "Week by week (from Monday 00:00 UTC, by the day on which money became available): what customers paid in each currency, what Stripe made of it, and what of it is in one currency. " +
			"What Stripe converted is shown at the rate that it applied. What it keeps in another currency, for which you have a bank account, is estimated at the middle rate less " +
			"Stripe's standard price, and marked so: neither till nor Stripe's public API converts a balance."},
		func(ctx context.Context, c api.Caller, in *ConsolidationInput) (api.Reply[Consolidation], error) {
			r, err := s.Consolidate(ctx, c.Scope, *in)
			return api.Reply[Consolidation]{Data: r}, err
		})
}
