package localprice

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// rates are those of a day, from pounds.
func rates(t interface {
	Helper()
	Fatal(...any)
}) Quotes {
	t.Helper()
	q := Quotes{From: "GBP", Rates: map[money.Currency]money.Rate{}, AsOf: noon}
	for c, s := range map[money.Currency]string{"EUR": "1.20601", "USD": "1.25292", "PLN": "5.1557", "JPY": "196.652", "KES": "162.003", "KWD": "0.386277", "HUF": "496.093", "TWD": "41.0826",
		"ISK": "173.545", "UGX": "4610.76", "AUD": "2.02272", "BRL": "7.74899", "CHF": "1.1351"} {
		r, err := money.ParseRate(s)
		if err != nil {
			t.Fatal(err)
		}
		q.Rates[c] = r
	}
	return q
}

var (
	on     = merchant.LocalCurrencies{Enabled: true}
	london = Account{Country: "GB", Currency: "GBP", Banks: []money.Currency{"GBP", "USD"}}
)

func pounds(t *testing.T, s string) money.Money {
	t.Helper()
	m, err := money.Parse(s, "GBP")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// line is a price in a line: what to charge, why, the least charge, and what is expected of it.
func line(p Price) string {
	s := fmt.Sprintf("%s %s, %s", p.Amount, p.Currency, p.Reason)
	if p.Minimum != nil {
		s += fmt.Sprintf(", at least %s", p.Minimum)
	}
	if p.Strong {
		s += ", SCA"
	}
	if x := p.Settlement; x != nil {
		s += fmt.Sprintf("; %s %s by %s", x.Amount, x.Currency, x.Reason)
		if x.Conversion != nil {
			s += fmt.Sprintf(" at %s, %s %% below %s, costs %s", x.Conversion.Rate, x.Conversion.Percent, x.Conversion.Middle, x.Conversion.Cost)
		}
		if x.Fee != nil {
			s += fmt.Sprintf("; fee %s, net %s", x.Fee, x.Net)
		}
	}
	return s
}

// What a customer of each country is charged for 49 pounds, and what is left of it.
func TestPrice(t *testing.T) {
	t.Parallel()
	for country, want := range map[money.Country]string{
		"GB": "49.00 GBP, same_currency, at least 0.30, SCA; 49.00 GBP by default_currency; fee 0.94, net 48.06",
		"US": "61.39 USD, local_currency, at least 0.50; 61.39 USD by bank_account; fee 2.24, net 59.15",
		"DE": "59.09 EUR, local_currency, at least 0.37, SCA; 48.02 GBP by default_currency at 0.812597, 2.00 % below 0.829181, costs 0.98; fee 1.40, net 46.62",
		"PL": "252.63 PLN, local_currency, at least 1.55, SCA; 48.02 GBP by default_currency at 0.190081, 2.00 % below 0.19396, costs 0.98; fee 1.40, net 46.62",
		"JP": "9636 JPY, local_currency, at least 59; 48.02 GBP by default_currency at 0.00498342, 2.00 % below 0.00508512, costs 0.98; fee 1.76, net 46.26",
		"KE": "7938.15 KES, local_currency, at least 48.61; 48.02 GBP by default_currency at 0.00604927, 2.00 % below 0.00617273, costs 0.98; fee 1.76, net 46.26",
		"KW": "18.930 KWD, local_currency, at least 0.120; 48.03 GBP by default_currency at 2.53704, 2.00 % below 2.58882, costs 0.98; fee 1.76, net 46.27",
		"HU": "24308.56 HUF, local_currency, at least 148.83, SCA; 48.02 GBP by default_currency at 0.00197544, 2.00 % below 0.00201575, costs 0.98; fee 1.40, net 46.62",
		"UG": "225927 UGX, local_currency, at least 1384; 48.02 GBP by default_currency at 0.000212546, 2.00 % below 0.000216884, costs 0.98; fee 1.76, net 46.26",
		"IS": "8504 ISK, local_currency, at least 53, SCA; 48.02 GBP by default_currency at 0.00564695, 2.00 % below 0.00576219, costs 0.98; fee 1.40, net 46.62",
		"CU": "49.00 GBP, not_charged, at least 0.30; 49.00 GBP by default_currency; fee 1.79, net 47.21",
	} {
		p, err := price(Ask{Country: country, Price: pounds(t, "49.00")}, on, rates(t), london, noon)
		if err != nil {
			t.Fatal(err)
		}
		if got := line(p); got != want {
			t.Errorf("%s:\n got %s\nwant %s", country, got, want)
		}
	}
}

// A merchant may keep local currencies off, or to some.
func TestChoice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chosen merchant.LocalCurrencies
		want   string
	}{
		{merchant.LocalCurrencies{}, "49.00 GBP, switched_off"},
		{merchant.LocalCurrencies{Currencies: []money.Currency{"PLN"}}, "49.00 GBP, switched_off"},
		{merchant.LocalCurrencies{Enabled: true, Currencies: []money.Currency{"EUR", "PLN"}}, "252.63 PLN, local_currency"},
		{merchant.LocalCurrencies{Enabled: true, Currencies: []money.Currency{"EUR"}}, "49.00 GBP, not_chosen"},
	} {
		p, err := price(Ask{Country: "PL", Price: pounds(t, "49.00")}, c.chosen, rates(t), Account{}, noon)
		if got := line(p); err != nil || got != c.want {
			t.Errorf("%+v: %s, %v; want %s", c.chosen, got, err, c.want)
		}
	}
}

// The merchant's own rate and rounding.
func TestOwnRules(t *testing.T) {
	t.Parallel()
	own, _ := money.ParseRate("5")
	for _, c := range []struct {
		ask  Ask
		want string
	}{
		{Ask{Country: "PL", Own: own}, "245.00 PLN at 5 of merchant, from 245.0000 to a multiple of 0.01 less 0.00, nearest"},
		{Ask{Country: "PL", Step: "10", Less: "0.01", Up: true}, "259.99 PLN at 5.1557 of stripe, from 252.6293 to a multiple of 10.00 less 0.01, up"},
		{Ask{Country: "PL", Step: "1", Less: "0.05"}, "252.95 PLN at 5.1557 of stripe, from 252.6293 to a multiple of 1.00 less 0.05, nearest"},
		{Ask{Country: "JP", Step: "100", Less: "20"}, "9680 JPY at 196.652 of stripe, from 9635.95 to a multiple of 100 less 20, nearest"},
		{Ask{Country: "TW", Step: "1"}, "2013.00 TWD at 41.0826 of stripe, from 2013.0474 to a multiple of 1.00 less 0.00, nearest"},
	} {
		c.ask.Price = pounds(t, "49.00")
		p, err := price(c.ask, on, rates(t), london, noon)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s %s at %s of %s, from %s to a multiple of %s less %s, %s", p.Amount, p.Currency, p.Rate.Value, p.Rate.Source, p.Rounding.Exact, p.Rounding.Step, p.Rounding.Less, p.Rounding.Way); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ask   Ask
		code  fault.Code
		param string
	}{
		"no rate":                {Ask{Country: "VN"}, fault.RateUnavailable, "rate"},
		"digits that yen lack":   {Ask{Country: "JP", Step: "0.5"}, fault.AmountTooPrecise, "step"},
		"less than the step is":  {Ask{Country: "PL", Step: "1", Less: "1"}, fault.ParameterInvalid, "step"},
		"a step of nothing":      {Ask{Country: "PL", Step: "0"}, fault.ParameterInvalid, "step"},
		"less of no amount":      {Ask{Country: "PL", Less: "x"}, fault.AmountInvalid, "less"},
		"rounded to nothing":     {Ask{Country: "JP", Step: "1000000"}, fault.AmountInvalid, "amount"},
		"more than Stripe takes": {Ask{Country: "UG", Price: money.FromMinor(99_999_999, "GBP")}, fault.AmountTooLarge, "amount"},
	} {
		if c.ask.Price.IsZero() {
			c.ask.Price = pounds(t, "49.00")
		}
		_, err := price(c.ask, on, rates(t), london, noon)
		if f, ok := fault.As(err); !ok || f.Code != c.code || f.Param != c.param || strings.Contains(f.Message, "%!") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The merchant's own rate is one too; what Stripe makes of the charge is not known then.
	own, _ := money.ParseRate("31900")
	p, err := price(Ask{Country: "VN", Price: pounds(t, "49.00"), Own: own}, on, rates(t), london, noon)
	if err != nil || line(p) != "1563100 VND, local_currency" {
		t.Errorf("%s, %v", line(p), err)
	}
}

// Whatever is charged: it is an amount that Stripe takes, fee and net are what arrives, and the cost is that of the conversion.
func TestPriceHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		country := rapid.SampledFrom([]money.Country{"GB", "US", "DE", "PL", "JP", "KE", "KW", "HU", "TW", "IS", "UG", "AU", "BR", "CH"}).Draw(t, "country")
		m := money.FromMinor(rapid.Int64Range(1_00, 10_000_00).Draw(t, "minor"), "GBP")
		p, err := price(Ask{Country: country, Price: m}, on, rates(t), london, noon)
		if fault.Is(err, fault.AmountTooLarge) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Amount.Minor%p.Currency.Step() != 0 || !p.Amount.Positive() || p.Amount.Currency != p.Currency {
			t.Fatalf("%s %s cannot be charged", p.Amount, p.Currency)
		}
		x := p.Settlement
		if x == nil || x.Fee == nil || x.Fee.Minor+x.Net.Minor != x.Amount.Minor || x.Fee.Currency != x.Currency {
			t.Fatalf("%s", line(p))
		}
		// Two percent are lost by the conversion, to a penny, and nothing else but rounding: that of the amount, and half a penny each way.
		if lost := m.Minor - x.Amount.Minor; x.Conversion != nil && (lost < m.Minor*195/10_000-2 || lost > m.Minor*205/10_000+2) {
			t.Fatalf("of %s are left %s", m, line(p))
		}
	})
}
