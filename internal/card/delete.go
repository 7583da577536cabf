package card

import (
	"context"
	"errors"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

const deleteCall = "card.delete"

// Delete detaches a card at Stripe and forgets it. It is no longer charged from the moment of the claim. Deleting a deleted card changes nothing.
func (s *Cards) Delete(ctx context.Context, scope db.Scope, card string) error {
	c, err := s.known(ctx, scope, card)
	if err != nil || c.status == deleted {
		return err
	}
	call := once.Call{Scope: scope, Name: deleteCall, Key: "card-delete:" + c.ID, Input: c.ID, Row: c.ID, Generation: c.generation, ProviderKey: "till-" + c.ID + "-detach"}
	now := c
	now.status = deleting
	_, _, err = s.Once.Run(ctx, call, update(c, now, s.Clock.Now()))
	if db.IsMoved(err) {
		return fault.New(fault.StateConflict, "", "The card is changing; try again.")
	}
	return err
}

func (s *Cards) sendDelete(ctx context.Context, c once.Call) (once.Decide, error) {
	row, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	if _, err := client.Detach(ctx, c.ProviderKey, row.PaymentMethod); err != nil {
		return nil, err
	}
	return s.gone(c), nil
}

// findDelete asks whether the card still belongs to a customer.
func (s *Cards) findDelete(ctx context.Context, c once.Call) (once.Decide, error) {
	row, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	m, err := client.PaymentMethod(ctx, row.PaymentMethod)
	switch {
	case err != nil:
		return nil, err
	case m.Customer.ID != "":
		return nil, once.Absent
	}
	return s.gone(c), nil
}

// refuseDelete: Stripe no longer has the card, or never will let it go; here it is gone either way, and it is not charged again.
func (s *Cards) refuseDelete(c once.Call, _ *stripe.Error) once.Decide { return s.gone(c) }

// gone marks the card deleted, and makes the customer's next oldest card the default where this was it.
func (s *Cards) gone(c once.Call) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, c.Scope, c.Row)
		if err != nil || was.status == deleted {
			return nil, err
		}
		now, at := was, s.Clock.Now()
		now.status, now.IsDefault = deleted, false
		changes := []db.Change{update(was, now, at), event.Insert(event.New(c.Scope, "card.deleted", now.ID, now, at))}
		if was.IsDefault {
			changes = append(changes, promote(c.Scope, was.Customer.ID, at))
		}
		return changes, nil
	}
}

// known is a card of the merchant that was saved, deleted ones included.
func (s *Cards) known(ctx context.Context, scope db.Scope, card string) (Card, error) {
	missing := fault.New(fault.ResourceMissing, "id", "There is no such saved card.")
	if !id.Valid(card) {
		return Card{}, missing
	}
	c, err := s.find(ctx, scope, card)
	if errors.Is(err, db.ErrNone) || err == nil && (c.status == saving || c.status == failed) {
		return Card{}, missing
	}
	return c, err
}

// Chargeable is a card that may be charged.
func (s *Cards) Chargeable(ctx context.Context, scope db.Scope, card string) (Card, error) {
	c, err := s.known(ctx, scope, card)
	if f, ok := fault.As(err); ok {
		f.Param = "saved_card_id"
	}
	if err == nil && c.status != active {
		return Card{}, fault.New(fault.CardInactive, "saved_card_id", "This saved card was deleted.")
	}
	return c, err
}
