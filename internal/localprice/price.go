package localprice

import (
	"fmt"
	"slices"
	"time"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
)

// Ask is what is asked of a price.
type Ask struct {
	Country money.Country
	Price   money.Money
	Own     money.Rate // the merchant's; the zero Rate is none
	Step    string     // in the customer's currency, as the caller wrote it
	Less    string
	Up      bool
}

// Quotes are middle rates from one currency into others, as of a moment.
type Quotes struct {
	From  money.Currency
	Rates map[money.Currency]money.Rate
	AsOf  time.Time
}

// Between is the middle rate from one currency into another, by way of the one that all rates are from.
func (q Quotes) Between(a, b money.Currency) (money.Rate, bool) {
	from, known := q.to(a)
	to, also := q.to(b)
	if !known || !also {
		return money.Rate{}, false
	}
	return to.Over(from), true
}

func (q Quotes) to(c money.Currency) (money.Rate, bool) {
	if c == q.From {
		return one, true
	}
	r, ok := q.Rates[c]
	return r, ok
}

var one, _ = money.ParseRate("1")

// target is the currency to charge a customer of a country in, and why.
func target(a Ask, chosen merchant.LocalCurrencies, now time.Time) (local, charge money.Currency, why Reason) {
	local, charged := a.Country.Currency(now)
	switch {
	case local == a.Price.Currency:
		why = Same
	case !chosen.Enabled:
		why = Off
	case !charged:
		why = NotCharged
	case !chosen.Charges(local):
		why = NotChosen
	default:
		return local, local, Local
	}
	return local, a.Price.Currency, why
}

// price is a price for a customer: what to charge, and what is expected to be left of it. It is a function of its arguments.
func price(a Ask, chosen merchant.LocalCurrencies, q Quotes, of Account, now time.Time) (Price, error) {
	local, charge, why := target(a, chosen, now)
	p := Price{Country: a.Country, Currency: charge, Amount: a.Price, LocalCurrency: string(local), Reason: why, Price: Of(a.Price),
		Strong: a.Country.Authenticates() && money.Country(of.Country).Authenticates()}
	if charge != a.Price.Currency {
		if err := p.convert(a, q, now); err != nil {
			return Price{}, err
		}
	}
	if p.Amount.Minor > charge.MaxCharge() {
		return Price{}, fault.New(fault.AmountTooLarge, "amount", "%s %s is more than Stripe charges at once.", p.Amount, charge)
	}
	p.settle(q, of, now)
	return p, nil
}

// convert fills in the amount in the customer's currency.
func (p *Price) convert(a Ask, q Quotes, now time.Time) error {
	rate, source, asOf := a.Own, "merchant", now
	if rate.IsZero() {
		middle, known := q.Between(a.Price.Currency, p.Currency)
		if !known {
			return fault.New(fault.RateUnavailable, "rate", "Stripe gives no rate from %s to %s: give your own as rate.", a.Price.Currency, p.Currency)
		}
		rate, source, asOf = middle, "stripe", q.AsOf
	}
	how, shown, err := a.rounding(p.Currency)
	if err != nil {
		return err
	}
	if p.Amount, err = a.Price.Rounded(p.Currency, rate, how); err != nil {
		return fault.New(fault.AmountTooLarge, "amount", "%s %s is more than any amount can be in %s.", a.Price, a.Price.Currency, p.Currency)
	}
	if !p.Amount.Positive() {
		return fault.New(fault.AmountInvalid, "amount", "%s %s is nothing in %s, rounded so.", a.Price, a.Price.Currency, p.Currency)
	}
	shown.Exact = a.Price.Exact(p.Currency, rate)
	p.Rate, p.Rounding = &Rate{rate.String(), source, asOf}, &shown
	return nil
}

// rounding reads how to round, in the customer's currency.
func (a Ask) rounding(c money.Currency) (how money.Rounding, shown Rounding, err error) {
	step, less := money.FromMinor(c.Step(), c), money.FromMinor(0, c)
	for _, one := range []struct {
		into  *money.Money
		text  string
		param string
	}{{&step, a.Step, "step"}, {&less, a.Less, "less"}} {
		if one.text == "" {
			continue
		}
		if *one.into, err = money.Parse(one.text, c); err != nil {
			if f, ok := fault.As(err); ok {
				err = fault.New(f.Code, one.param, "%s", f.Message)
			}
			return how, shown, err
		}
	}
	if !step.Positive() || less.Minor >= step.Minor {
		return how, shown, fault.New(fault.ParameterInvalid, "step", "A price is rounded to a multiple of step, which is more than nothing, and less by less than that.")
	}
	way := map[bool]string{true: "up", false: "nearest"}[a.Up]
	return money.Rounding{Step: step.Minor, Less: less.Minor, Up: a.Up}, Rounding{Step: step.String(), Less: less.String(), Way: way}, nil
}

// settle fills in what is expected of the charge in Stripe's balance.
func (p *Price) settle(q Quotes, of Account, now time.Time) {
	if of.Currency == "" {
		return
	}
	s := &Settlement{Currency: of.Currency, Reason: "default_currency", Amount: p.Amount, Estimated: true}
	if p.Currency != of.Currency && slices.Contains(of.Banks, p.Currency) {
		s.Currency, s.Reason = p.Currency, "bank_account"
	}
	if s.Currency != p.Currency {
		middle, known := q.Between(p.Currency, s.Currency)
		if !known {
			return
		}
		if s.Amount, s.Conversion = converted(p.Amount, s.Currency, middle, ConversionPrice(of.Country, now)); s.Conversion == nil {
			return
		}
	}
	if fee, known := cardFee(of, p.Country, s.Amount, q, now); known {
		net := money.FromMinor(s.Amount.Minor-fee.Minor, s.Currency)
		s.Fee, s.Net = &fee, &net
	}
	p.Settlement = s
	p.least(q, s.Currency)
}

// converted is what Stripe is expected to make of an amount, at so many hundredths of a percent below the middle rate.
func converted(m money.Money, into money.Currency, middle money.Rate, points int64) (money.Money, *Conversion) {
	at := middle.Less(points)
	got, err := m.Settled(into, at)
	whole, also := m.Settled(into, middle)
	if err != nil || also != nil {
		return m, nil
	}
	return got, &Conversion{Rate: at.String(), Middle: middle.String(), Percent: Percent(points), Cost: money.FromMinor(whole.Minor-got.Minor, into)}
}

// least fills in the least charge: that of the currency that the charge settles in, in the one that is charged.
func (p *Price) least(q Quotes, settled money.Currency) {
	minor, known := settled.MinCharge()
	if !known {
		return
	}
	least := money.FromMinor(minor, settled)
	if settled != p.Currency {
		middle, known := q.Between(settled, p.Currency)
		if !known {
			return
		}
		var err error
		if least, err = least.Rounded(p.Currency, middle, money.Rounding{Up: true}); err != nil {
			return
		}
	}
	p.Minimum, p.TooLittle = &least, p.Amount.Minor < least.Minor
}

// Percent writes hundredths of a percent: "2.00".
func Percent(points int64) string {
	sign := ""
	if points < 0 {
		sign, points = "-", -points
	}
	return fmt.Sprintf("%s%d.%02d", sign, points/100, points%100)
}
