package payout

import (
	"context"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/once"
)

const tag = "Payouts"

type one struct {
	ID string `path:"id" maxLength:"36"`
}

// Routes registers the room's endpoints.
func (s *Payouts) Routes(a *api.API) {
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/payouts", Summary: "Create a payout", Tag: tag, Scope: api.PayoutsWrite, Status: 201, Keyed: true,
		Text: "Sends money of the available balance to the bank, beside what Stripe's schedule pays out. Where Stripe refuses, because too little is available or the bank takes no instant payouts, " +
			"the payout is `failed`, and `failure` has Stripe's words and what to do. A payout is `paid` when Stripe has handed it to the bank, and may fail for some days after."},
		func(ctx context.Context, c api.Caller, in *CreateInput) (api.Reply[Payout], error) {
			p, replayed, err := s.Create(ctx, c.Scope, *in)
			return api.Reply[Payout]{Data: p, Replayed: replayed}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/payouts", Summary: "List payouts", Tag: tag, Scope: api.PaymentsRead,
		Text: "Newest first, by when they were made: those of Stripe's schedule and those that were asked for."},
		func(ctx context.Context, c api.Caller, in *ListInput) (api.Page[Payout], error) {
			return s.List(ctx, c.Scope, *in)
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/payouts/{id}", Summary: "Get a payout", Tag: tag, Scope: api.PaymentsRead},
		func(ctx context.Context, c api.Caller, in *one) (api.Reply[Payout], error) {
			p, err := s.Get(ctx, c.Scope, in.ID)
			return api.Reply[Payout]{Data: p}, err
		})
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/payouts/{id}/cancel", Summary: "Cancel a payout", Tag: tag, Scope: api.PayoutsWrite,
		Text: "Takes back a payout that is still `pending`; its money is available again. One of Stripe's schedule, and one that has left for the bank, cannot be cancelled."},
		func(ctx context.Context, c api.Caller, in *one) (api.Reply[Payout], error) {
			p, replayed, err := s.Cancel(ctx, c.Scope, in.ID)
			return api.Reply[Payout]{Data: p, Replayed: replayed}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/payouts/{id}/attempts", Summary: "List the attempts of a payout", Tag: tag, Scope: api.PaymentsRead,
		Text: "The audit trail, oldest first, as that of a payment. A payout that was made outside till has none."},
		func(ctx context.Context, c api.Caller, in *one) (api.Page[once.Attempt], error) {
			if _, err := s.Get(ctx, c.Scope, in.ID); err != nil {
				return api.Page[once.Attempt]{}, err
			}
			all, err := s.Once.Attempts(ctx, c.Scope, in.ID)
			return api.Page[once.Attempt]{Data: all}, err
		})
	s.diagnosisRoute(a)
	s.scheduleRoute(a)
}

func (s *Payouts) diagnosisRoute(a *api.API) {
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
