package payment

import (
	"net/url"
	"strings"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

// never is no time: nothing is due.
var never time.Time

// parseAmount reads a positive amount of a currency, as exact as it was written.
func parseAmount(amount api.Amount, currency string) (money.Money, error) {
	c, err := money.ParseCurrency(currency)
	if err != nil {
		return money.Money{}, at("currency", err)
	}
	m, err := money.Parse(string(amount), c)
	switch {
	case err != nil:
		return money.Money{}, at("amount", err)
	case !m.Positive():
		return money.Money{}, fault.New(fault.AmountInvalid, "amount", "The amount must be more than zero.")
	case m.Minor > c.MaxCharge():
		return money.Money{}, fault.New(fault.AmountTooLarge, "amount", "Stripe takes at most %s %s.", money.FromMinor(c.MaxCharge(), c), c)
	}
	return m, nil
}

// at names the field that a fault of a lower room is about.
func at(param string, err error) error {
	if f, ok := fault.As(err); ok {
		named := *f
		named.Param = param
		return &named
	}
	return err
}

// checkMetadata holds metadata to Stripe's limits (docs.stripe.com/api/metadata: 50 keys of 40 characters, values of 500), less ten keys for till's own.
func checkMetadata(m map[string]string) error {
	if len(m) > 40 {
		return fault.New(fault.ParameterInvalid, "metadata", "metadata has %d keys; it takes at most 40.", len(m))
	}
	for k, v := range m {
		switch {
		case k == "" || len([]rune(k)) > 40 || strings.ContainsAny(k, "[]"):
			return fault.New(fault.ParameterInvalid, "metadata", "A metadata key has 1 to 40 characters and no square brackets.")
		case strings.HasPrefix(k, "till_"):
			return fault.New(fault.ParameterInvalid, "metadata", "Metadata keys that begin with till_ are reserved.")
		case v == "" || len([]rune(v)) > 500:
			return fault.New(fault.ParameterInvalid, "metadata", "A metadata value has 1 to 500 characters.")
		}
	}
	return nil
}

func checkReturnURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return fault.New(fault.ParameterInvalid, "return_url", "return_url must be an absolute http or https URL.")
	}
	return nil
}
