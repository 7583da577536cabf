package card

import (
	"context"
	"errors"
	"fmt"
	"net/http"

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
	c, err := s.Get(ctx, scope, card)
	if err != nil || c.status == deleted {
		return err
	}
	n, err := once.RefusedBefore(ctx, s.DB, scope, c.ID, deleteCall)
	if err != nil {
		return err
	}
	call := once.Call{Scope: scope, Name: deleteCall, Key: fmt.Sprintf("card-delete:%s:%d", c.ID, n), Input: c.ID, Row: c.ID, Generation: c.generation,
		ProviderKey: fmt.Sprintf("till-%s-detach-%d", c.ID, n)}
	now := c
	now.status = deleting
	_, _, err = s.Once.Run(ctx, call, update(c, now, s.Clock.Now()))
	switch {
	case db.IsMoved(err):
		if now, err := s.find(ctx, scope, c.ID); err == nil && now.status == deleted {
			return nil // an event of Stripe's told just now that it is gone
		}
		return fault.New(fault.StateConflict, "", "The card is changing; try again.")
	case err != nil:
		return err
	}
	return s.kept(ctx, scope, c.ID, call.Key)
}

// kept says why a card is still there after its deletion, if it is.
func (s *Cards) kept(ctx context.Context, scope db.Scope, card, key string) error {
	why, err := s.Once.Refusal(ctx, scope, key)
	if err != nil || why == nil {
		return err
	}
	now, err := s.find(ctx, scope, card)
	if err == nil && now.status == active {
		err = once.Fault(why, "", "Stripe refused to let the card go, and it is still saved: %s")
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
		return nil, once.ErrAbsent
	}
	return s.gone(c), nil
}

// refuseDelete: where Stripe has no such card, or none that belongs to a customer, it is gone. Any other refusal leaves it as it was.
func (s *Cards) refuseDelete(c once.Call, why *stripe.Error) once.Decide {
	if why.Status == http.StatusBadRequest || why.Status == http.StatusNotFound {
		return s.gone(c)
	}
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, c.Scope, c.Row)
		if err != nil || was.status != deleting {
			return nil, err
		}
		now := was
		now.status = active
		return []db.Change{update(was, now, s.Clock.Now())}, nil
	}
}

// gone marks the card deleted.
func (s *Cards) gone(c once.Call) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, c.Scope, c.Row)
		if err != nil || was.status == deleted {
			return nil, err
		}
		now, at := was, s.Clock.Now()
		now.status, now.IsDefault = deleted, false
		return []db.Change{update(was, now, at), event.Insert(event.New(c.Scope, "card.deleted", now.ID, now, at))}, nil
	}
}

// Get is a card of the merchant that was saved, deleted ones included.
func (s *Cards) Get(ctx context.Context, scope db.Scope, card string) (Card, error) {
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
