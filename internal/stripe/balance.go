package stripe

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/stripe/stripe-go/v85"
)

// BalanceTransaction is what till reads of one: a movement of the account's balance. Amount, Fee and Net are in Currency, in which the account
// settles.
type BalanceTransaction struct {
	ID           string      `json:"id"`
	Type         string      `json:"type"`
	Category     string      `json:"reporting_category"`
	Source       Ref[Moved]  `json:"source"`
	Currency     string      `json:"currency"`
	Amount       int64       `json:"amount"`
	Fee          int64       `json:"fee"`
	Net          int64       `json:"net"`
	ExchangeRate json.Number `json:"exchange_rate"` // from the source's currency, where that is another one; else empty
	Description  string      `json:"description"`
	Created      int64       `json:"created"`      // Unix seconds
	AvailableOn  int64       `json:"available_on"` // Unix seconds
}

func (t BalanceTransaction) id() string { return t.ID }

// Moved is what till reads of the object behind a balance transaction, whatever it is.
type Moved struct {
	Amount         int64  `json:"amount"`
	AmountCaptured *int64 `json:"amount_captured"` // of a charge
	Currency       string `json:"currency"`
}

// Took is the amount that moved, in the object's own currency. It has no sign.
func (m Moved) Took() int64 {
	if m.AmountCaptured != nil {
		return *m.AmountCaptured
	}
	return m.Amount
}

// TransactionsOf says which balance transactions are listed.
type TransactionsOf struct {
	From, To time.Time // made in this time, both inclusive, to the second; zero is no bound
	Payout   string    // that an automatic payout paid out; "" is all
	After    string    // the one to go on after
	Sources  bool      // with their sources
	Most     int64     // on a page; 0 is as many as Stripe gives, a hundred
}

// BalanceTransactions is one page of them, newest first; more says that others follow.
func (c *Client) BalanceTransactions(ctx context.Context, of TransactionsOf) (all []BalanceTransaction, more bool, err error) {
	p := &sdk.BalanceTransactionListParams{Payout: text(of.Payout)}
	p.Limit, p.StartingAfter = sdk.Int64(cmp.Or(of.Most, 100)), text(of.After)
	if !of.From.IsZero() || !of.To.IsZero() {
		p.CreatedRange = &sdk.RangeQueryParams{}
		if !of.From.IsZero() {
			p.CreatedRange.GreaterThanOrEqual = of.From.Unix()
		}
		if !of.To.IsZero() {
			p.CreatedRange.LesserThanOrEqual = of.To.Unix()
		}
	}
	if of.Sources {
		p.AddExpand("data.source")
	}
	got, err := turn[BalanceTransaction](ctx, c, "/v1/balance_transactions", p)
	return got.Data, got.HasMore, err
}

// Charge asks for one as it is now.
func (c *Client) Charge(ctx context.Context, id string) (Charge, error) {
	return call[Charge](ctx, c, http.MethodGet, "/v1/charges/"+url.PathEscape(id), &sdk.ChargeParams{})
}
