package localprice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

const (
	// fresh is how long rates are used before Stripe is asked again: its own move during the day.
	fresh = time.Hour
	// stale is how long kept rates still serve where Stripe does not answer. The answer says of when they are.
	stale = 24 * time.Hour
	// patience bounds what is asked of Stripe for one price.
	patience = 10 * time.Second
)

// kept are rates as they were asked for.
type kept struct {
	Quotes
	banks []money.Currency
}

// today are Stripe's middle rates, and in which currencies the account has bank accounts: what is kept where that is fresh, and otherwise what
// Stripe says now. Where Stripe refuses or is silent, what was kept within a day serves too. Rates are asked for from the account's own
// currency, which Stripe is sure to have, so that they are kept once whatever prices are in; otherwise is for an account that is not known.
func (s *Prices) today(ctx context.Context, p merchant.Provider, otherwise money.Currency) (kept, error) {
	now, from := s.Clock.Now(), money.Currency(p.Currency)
	if from == "" {
		from = otherwise
	}
	was, err := s.newest(ctx, p.Scope, from)
	if err != nil && !errors.Is(err, db.ErrNone) {
		return kept{}, err
	}
	if err == nil && now.Sub(was.AsOf) < fresh && !now.Before(was.AsOf) {
		return was, nil
	}
	is, asked := s.ask(ctx, p, from, now)
	switch {
	case asked == nil:
		return is, s.DB.Write(ctx, keep(p.Scope, is))
	case err == nil && now.Sub(was.AsOf) < stale:
		return was, nil
	}
	return kept{Quotes: Quotes{From: from}}, asked
}

// ask asks Stripe. That the bank accounts are not shown is no failure: then everything settles in the default currency, as far as is known.
func (s *Prices) ask(ctx context.Context, p merchant.Provider, from money.Currency, now time.Time) (kept, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := s.Merchants.Client(ctx, p.Scope, p.Generation)
	if err != nil {
		return kept{}, err
	}
	said, err := client.ExchangeRates(ctx, string(from))
	if err != nil {
		return kept{}, unavailable(err, from)
	}
	is := kept{Quotes: Quotes{From: from, AsOf: now, Rates: readRates(said.Decimals())}}
	banks, err := client.ExternalAccounts(ctx, p.Account)
	if err != nil && stripe.Meaning(err) != stripe.Refused {
		return kept{}, unavailable(err, from)
	}
	for _, bank := range banks {
		if c, err := money.ParseCurrency(bank.Currency); err == nil && !slices.Contains(is.banks, c) {
			is.banks = append(is.banks, c)
		}
	}
	return is, nil
}

// readRates leaves out what is no rate, and currencies that Stripe does not charge in.
func readRates(decimals map[string]string) map[money.Currency]money.Rate {
	all := make(map[money.Currency]money.Rate, len(decimals))
	for code, decimal := range decimals {
		c, err := money.ParseCurrency(code)
		if err != nil {
			continue
		}
		if r, err := money.ParseRate(decimal); err == nil {
			all[c] = r
		}
	}
	return all
}

func readCurrencies(codes []string) (all []money.Currency) {
	for _, code := range codes {
		if c, err := money.ParseCurrency(code); err == nil {
			all = append(all, c)
		}
	}
	return all
}

// unavailable is what the merchant is told where Stripe gives no rates.
func unavailable(err error, from money.Currency) error {
	return stripe.Told(err, fault.New(fault.RateUnavailable, "rate", "Stripe gives no exchange rates from %s: give your own as rate. It says: ", from),
		fault.New(fault.ProviderUnavailable, "", "Stripe did not answer; give a rate of your own, or ask again."))
}

// newest is what was last kept of a currency, or db.ErrNone.
func (s *Prices) newest(ctx context.Context, scope db.Scope, from money.Currency) (kept, error) {
	return db.One(ctx, s.DB, scanKept(from), `select rates, settles, asked_at from exchange_rates where merchant = $1 and mode = $2 and base = $3
		order by day desc limit 1`, scope.Merchant, scope.Mode, string(from))
}

// Between are the rates that were kept of a merchant's Stripe account in a time, those of each day, oldest first, with today's where Stripe gives
// them. There are 400 at most.
func (s *Prices) Between(ctx context.Context, p merchant.Provider, since, until time.Time) (all []Quotes, err error) {
	from := money.Currency(p.Currency)
	if from == "" {
		return nil, nil
	}
	if _, err := s.today(ctx, p, from); err != nil && !known(err) {
		return nil, err
	}
	return db.All(ctx, s.DB, func(r db.Row) (Quotes, error) {
		k, err := scanKept(from)(r)
		return k.Quotes, err
	}, `select rates, settles, asked_at from exchange_rates where merchant = $1 and mode = $2 and base = $3 and day >= $4 and day <= $5 order by day limit 400`,
		p.Merchant, p.Mode, string(from), since.UTC().Format(time.DateOnly), max(until.UTC().Format(time.DateOnly), s.Clock.Now().UTC().Format(time.DateOnly)))
}

// known says that an error is a word for the merchant, with which a report goes on without rates.
func known(err error) bool {
	_, ok := fault.As(err)
	return ok
}

func scanKept(from money.Currency) func(db.Row) (kept, error) {
	return func(r db.Row) (k kept, err error) {
		var rates map[string]string
		var banks []string
		err = r.Scan(db.Document(&rates), db.Document(&banks), db.At(&k.AsOf))
		k.From, k.Rates, k.banks = from, readRates(rates), readCurrencies(banks)
		return k, err
	}
}

// keep writes rates down, the last of a day.
func keep(scope db.Scope, k kept) db.Change {
	rates := make(map[money.Currency]string, len(k.Rates))
	for c, r := range k.Rates {
		rates[c] = r.String()
	}
	return db.Change{SQL: `insert into exchange_rates (merchant, mode, base, day, rates, settles, asked_at) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (merchant, mode, base, day) do update set rates = excluded.rates, settles = excluded.settles, asked_at = excluded.asked_at`,
		Args: []any{scope.Merchant, scope.Mode, string(k.From), k.AsOf.UTC().Format(time.DateOnly), db.JSON(rates), db.JSON(append([]money.Currency{}, k.banks...)),
			db.Micros(k.AsOf)}, Rows: 1}
}
