package stripe

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	sdk "github.com/stripe/stripe-go/v85"
)

// ExchangeRate is the middle rate from one currency into all others, in main units, as decimal numbers: how many of the other one of it is worth.
type ExchangeRate struct {
	ID     string             `json:"id"` // the currency, in lower case
	Object string             `json:"object"`
	Rates  map[string]float64 `json:"rates"`
}

func (r ExchangeRate) id() string {
	if r.Object != "exchange_rate" {
		return ""
	}
	return r.ID
}

// Decimals are the rates by currency, in upper case, in digits: what a float of six digits stands for, exactly.
func (r ExchangeRate) Decimals() map[string]string {
	all := make(map[string]string, len(r.Rates))
	for currency, rate := range r.Rates {
		all[strings.ToUpper(currency)] = strconv.FormatFloat(rate, 'f', -1, 64)
	}
	return all
}

// ExchangeRates asks for the rates of a currency. Stripe calls this part of its API deprecated and serves it to accounts that had it, so that
// it may well refuse (docs.stripe.com/api/exchange_rates); the SDK has no call for it any more.
func (c *Client) ExchangeRates(ctx context.Context, currency string) (ExchangeRate, error) {
	var r result[ExchangeRate]
	err := c.backend.CallRaw(http.MethodGet, "/v1/exchange_rates/"+url.PathEscape(strings.ToLower(currency)), c.secret, nil, &sdk.Params{Context: ctx}, &r)
	return r.checked(ctx, err)
}
