package scenario

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

// residual is, in each currency, what till says was taken and not sent back, less what Stripe says: nothing, where the books are right.
// Charges that a stage has made past till are nothing that till could know of.
func (w *world) residual(ctx context.Context) (map[string]string, error) {
	sums := map[money.Currency]int64{}
	if err := client.Each(ctx, w.till, "/v1/payments", url.Values{"limit": {"100"}}, func(p payment) error {
		c, err := money.ParseCurrency(p.Currency)
		if err != nil {
			return err
		}
		for text, sign := range map[*string]int64{&p.Captured: 1, &p.Refunded: -1} {
			m, err := money.Parse(*text, c)
			if err != nil {
				return err
			}
			sums[c] += sign * m.Minor
		}
		return nil
	}); err != nil {
		return nil, err
	}
	type charge struct {
		ID             string
		Currency       string
		AmountCaptured int64 `json:"amount_captured"`
		AmountRefunded int64 `json:"amount_refunded"`
	}
	var unknown error
	err := each(ctx, w.stripe, "/v1/charges", nil, func(c charge) string { return c.ID }, func(c charge) {
		if w.outside[c.ID] {
			return
		}
		code, err := money.ParseCurrency(c.Currency)
		if err != nil {
			unknown = err
			return
		}
		sums[code] -= c.AmountCaptured - c.AmountRefunded
	})
	out := map[string]string{}
	for c, minor := range sums {
		out[string(c)] = money.FromMinor(minor, c).String()
	}
	return out, errors.Join(err, unknown)
}

// agreed is the residual once it is nothing, or what is left of it after ten seconds: what is under way is given the time to arrive.
func (w *world) agreed() (map[string]string, error) {
	late := time.Now().Add(10 * time.Second)
	for {
		r, err := w.residual(w.ctx)
		if err != nil || nothing(r) || time.Now().After(late) {
			return r, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-w.ctx.Done():
			return r, w.ctx.Err()
		}
	}
}

// nothing says whether a residual is nothing, in at least one currency: a world without money proves nothing.
func nothing(residual map[string]string) bool {
	for code, s := range residual {
		if s != money.FromMinor(0, money.Currency(code)).String() {
			return false
		}
	}
	return len(residual) > 0
}

// reconciled is how till accounts for Stripe's balance, by currency.
type reconciled struct {
	Currencies []struct {
		Currency  string `json:"currency"`
		Lines     int    `json:"lines"`
		Remainder string `json:"remainder"`
		InFlight  string `json:"in_flight"`
		Waiting   string `json:"waiting"`
	} `json:"currencies"`
	Items []struct {
		Kind   string `json:"kind"`
		Source string `json:"source"`
		Amount string `json:"amount"`
		Reason string `json:"reason"`
	} `json:"items"`
}

// settled says whether every line is accounted for, nothing that was foretold is missing, and nothing waits for its end.
func (r reconciled) settled() bool {
	for _, c := range r.Currencies {
		zero := money.FromMinor(0, money.Currency(c.Currency)).String()
		if c.Remainder != zero || c.InFlight != zero || c.Waiting != zero {
			return false
		}
	}
	return len(r.Currencies) > 0 && len(r.Items) == 0
}

// reconcile has Stripe's balance read to its end, and gives what till makes of it; what is under way is given ten seconds to arrive.
func (w *world) reconcile() (r reconciled, err error) {
	late := time.Now().Add(10 * time.Second)
	for {
		var run struct{ Done bool }
		if err = w.call("POST", "/v1/reconciliation/runs", map[string]any{}, &run); err != nil {
			return r, err
		}
		if err = w.call("GET", "/v1/reconciliation", nil, &r); err != nil || run.Done && r.settled() || time.Now().After(late) {
			return r, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-w.ctx.Done():
			return r, w.ctx.Err()
		}
	}
}
