package dispute

import (
	"context"

	"github.com/till-pay/till/internal/api"
)

// Routes registers the room's endpoints.
func (s *Disputes) Routes(a *api.API) {
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/disputes", Summary: "List disputes", Tag: "Disputes", Scope: api.PaymentsRead,
		Text: "The disputes of payments, newest first, as Stripe tells of them. due_before finds those that are still to be answered in time."},
		func(ctx context.Context, c api.Caller, in *ListInput) (api.Page[Dispute], error) {
			return s.List(ctx, c.Scope, *in)
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/disputes/{id}", Summary: "Get a dispute", Tag: "Disputes", Scope: api.PaymentsRead,
		Text: "A dispute has a status, and money that moves by its own: a chargeback takes it with a fee, one that is won brings it back. An inquiry, whose status begins with warning, takes nothing unless it escalates."},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"36"`
		}) (api.Reply[Dispute], error) {
			d, err := s.Get(ctx, c.Scope, in.ID)
			return api.Reply[Dispute]{Data: d}, err
		})
}
