package refund

import (
	"context"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/once"
)

// Routes registers the room's endpoints.
func (s *Refunds) Routes(a *api.API) {
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/refunds", Summary: "Create a refund", Tag: "Refunds", Scope: api.PaymentsWrite, Status: 201, Keyed: true,
		Text: "Sends money of a completed payment back: all that is left, or an amount. Refunds together never exceed what was captured, however many are asked for at once. " +
			"Nothing is refunded while a chargeback holds money of the payment; during an inquiry a refund is possible, and a full one ends it. Stripe's processing fee is not returned. A refund may fail days later; then refund.failed is told and the amount can be refunded again."},
		func(ctx context.Context, c api.Caller, in *CreateInput) (api.Reply[Refund], error) {
			r, replayed, err := s.Create(ctx, c.Scope, *in)
			return api.Reply[Refund]{Data: r, Replayed: replayed}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/refunds", Summary: "List refunds", Tag: "Refunds", Scope: api.PaymentsRead, Text: "Newest first."},
		func(ctx context.Context, c api.Caller, in *ListInput) (api.Page[Refund], error) {
			return s.List(ctx, c.Scope, *in)
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/refunds/{id}", Summary: "Get a refund", Tag: "Refunds", Scope: api.PaymentsRead},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"36"`
		}) (api.Reply[Refund], error) {
			r, err := s.Get(ctx, c.Scope, in.ID)
			return api.Reply[Refund]{Data: r}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/refunds/{id}/attempts", Summary: "List the attempts of a refund", Tag: "Refunds", Scope: api.PaymentsRead,
		Text: "The audit trail, oldest first, as that of a payment. A refund that was made outside till has none."},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"36"`
		}) (api.Page[once.Attempt], error) {
			if _, err := s.Get(ctx, c.Scope, in.ID); err != nil {
				return api.Page[once.Attempt]{}, err
			}
			all, err := s.Once.Attempts(ctx, c.Scope, in.ID)
			return api.Page[once.Attempt]{Data: all}, err
		})
}
