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
