package card

import (
	"context"

	"github.com/till-pay/till/internal/api"
)

// Deleted is the answer to a deletion.
type Deleted struct {
	ID      string `json:"id"`
	Deleted bool   `json:"deleted" doc:"true"`
}

// Routes registers the room's endpoints.
func (s *Cards) Routes(a *api.API) {
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/payments/cards", Summary: "Save a card", Tag: "Cards", Scope: api.PaymentsWrite, Status: 201,
		Text: "Attaches a payment method to a customer at Stripe, for charges without the customer. It needs no Idempotency-Key: the same payment method for the same customer is saved once."},
		func(ctx context.Context, c api.Caller, in *SaveInput) (api.Reply[Card], error) {
			saved, replayed, err := s.Save(ctx, c.Scope, *in)
			return api.Reply[Card]{Data: saved, Replayed: replayed}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/payments/cards", Summary: "List saved cards", Tag: "Cards", Scope: api.PaymentsRead, Text: "Newest first."},
		func(ctx context.Context, c api.Caller, in *ListInput) (api.Page[Card], error) {
			return s.List(ctx, c.Scope, *in)
		})
	api.Add(a, api.Operation{Method: "DELETE", Path: "/v1/payments/cards/{id}", Summary: "Delete a saved card", Tag: "Cards", Scope: api.PaymentsWrite,
		Text: "Detaches the card at Stripe. It cannot be charged again."},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"36"`
		}) (api.Reply[Deleted], error) {
			return api.Reply[Deleted]{Data: Deleted{in.ID, true}}, s.Delete(ctx, c.Scope, in.ID)
		})
}
