package payout

import (
	"context"

	"github.com/till-pay/till/internal/api"
)

const tag = "Payouts"

// Routes registers the room's endpoints.
func (s *Payouts) Routes(a *api.API) {
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/payouts/diagnosis", Summary: "Say why payouts do not arrive", Tag: tag, Scope: api.PaymentsRead,
		Text: "Asks Stripe how the account stands, in five checks: are payouts switched on, is anything asked for, are the bank accounts in order, is money available, do disputes keep some. " +
			"With the last ten payouts, since when they fail, where the money is, the verdict, and what exactly ends the trouble. `stripe_side`: Stripe has stopped payouts. `bank_side`: the bank sends them back. " +
			"`system_side`: neither does, the account is set so or has no money for it. `none`: nothing is wrong. It reads only, and writes nothing. " +
			"Where Stripe does not tell something, that check is `unknown`; where the verdict hangs on it, the answer is `provider_unavailable`, and the same request may be sent again."},
		func(ctx context.Context, c api.Caller, _ *struct{}) (api.Reply[Diagnosis], error) {
			d, err := s.Diagnosis(ctx, c.Scope)
			return api.Reply[Diagnosis]{Data: d}, err
		})
}
