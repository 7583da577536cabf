package localprice

import (
	"context"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
)

// Input is what is asked of a price.
type Input struct {
	Country  string `query:"country" required:"true" minLength:"1" maxLength:"8" example:"PL" doc:"Of the customer: ISO 3166, two letters."`
	Amount   string `query:"amount" required:"true" minLength:"1" maxLength:"24" example:"49.00" doc:"Your price."`
	Currency string `query:"currency" required:"true" minLength:"1" maxLength:"8" example:"GBP" doc:"That your price is in."`
	Rate     string `query:"rate" maxLength:"30" example:"5.1" doc:"Your own: units of the customer's currency for one of the price's. Without it, Stripe's middle rate."`
	Step     string `query:"step" maxLength:"24" example:"1" doc:"Round to a multiple of this much of the customer's currency; without it, to the least that Stripe charges a difference of."`
	Less     string `query:"less" maxLength:"24" example:"0.01" doc:"…and this much less: step 1 and less 0.01 end in .99."`
	Round    string `query:"round" enum:"nearest,up" default:"nearest"`
}

// Local says what to charge a customer of a country.
func (s *Prices) Local(ctx context.Context, scope db.Scope, in Input) (Price, error) {
	ask, err := in.read()
	if err != nil {
		return Price{}, err
	}
	settings, err := s.Merchants.Settings(ctx, scope)
	if err != nil {
		return Price{}, err
	}
	provider, err := s.Merchants.Provider(ctx, scope)
	if err != nil {
		return Price{}, err
	}
	now := s.Clock.Now()
	rates, err := s.today(ctx, provider, ask.Price.Currency)
	if _, charge, _ := target(ask, settings.LocalCurrencies, now); err != nil && ask.Own.IsZero() && charge != ask.Price.Currency {
		return Price{}, err // nothing tells what to charge
	}
	return price(ask, settings.LocalCurrencies, rates.Quotes, account(provider, rates.banks), now)
}

func account(p merchant.Provider, banks []money.Currency) Account {
	return Account{Country: p.Country, Currency: money.Currency(p.Currency), Banks: banks}
}

// read checks what is asked, each part under its own name.
func (in Input) read() (a Ask, err error) {
	a.Step, a.Less, a.Up = in.Step, in.Less, in.Round == "up"
	if a.Country, err = money.ParseCountry(in.Country); err != nil {
		return a, about("country", err)
	}
	c, err := money.ParseCurrency(in.Currency)
	if err != nil {
		return a, about("currency", err)
	}
	if a.Price, err = money.Parse(in.Amount, c); err != nil {
		return a, about("amount", err)
	}
	if !a.Price.Positive() {
		return a, fault.New(fault.AmountInvalid, "amount", "A price is more than nothing.")
	}
	if in.Rate != "" {
		if a.Own, err = money.ParseRate(in.Rate); err != nil {
			return a, fault.New(fault.ParameterInvalid, "rate", "A rate is a decimal number above zero, such as 5.2513.")
		}
	}
	return a, nil
}

// about names the parameter that a fault is of.
func about(param string, err error) error {
	if f, ok := fault.As(err); ok {
		return fault.New(f.Code, param, "%s", f.Message)
	}
	return err
}

// Routes registers the room's endpoint.
func (s *Prices) Routes(a *api.API) {
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/local_price", Summary: "Show a price in a customer's currency", Tag: "Currencies", Scope: api.PaymentsRead,
		Text: "What to charge a customer of a country for a price of yours: the amount, the rate and where it is from, how it was rounded, the least that Stripe charges, and what is " +
			"expected to arrive in Stripe's balance. Switch it on by `PUT /v1/merchant/settings` with `local_currencies`. The payment is then an ordinary `POST /v1/payments` in the answered " +
			"currency. Nothing is reserved: a rate holds until Stripe's next one, and yours as long as you give it. Where Stripe gives no rates (`rate_unavailable`), give your own."},
		func(ctx context.Context, c api.Caller, in *Input) (api.Reply[Price], error) {
			p, err := s.Local(ctx, c.Scope, *in)
			return api.Reply[Price]{Data: p}, err
		})
}
