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

// bankCurrency is the currency of a bank account or card that is paid out to.
type bankCurrency struct {
	ID       string `json:"id"`
	Currency string `json:"currency"`
}

func (b bankCurrency) id() string { return b.ID }

// BankCurrencies are those in which the account has somewhere to be paid out to, in upper case, each once: what is charged in one of them is not
// converted (docs.stripe.com/payouts/multicurrency-settlement).
func (c *Client) BankCurrencies(ctx context.Context, account string) (all []string, err error) {
	seen := map[string]bool{}
	p := &sdk.ListParams{Limit: sdk.Int64(100)}
	next, err := turn[bankCurrency](ctx, c, "/v1/accounts/"+url.PathEscape(account)+"/external_accounts", p)
	for _, b := range next.Data {
		if currency := strings.ToUpper(b.Currency); currency != "" && !seen[currency] {
			seen[currency] = true
			all = append(all, currency)
		}
	}
	return all, err
}
