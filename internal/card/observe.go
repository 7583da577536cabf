package card

import (
	"context"
	"errors"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/stripe"
)

// Observe takes in what Stripe says of a saved card's payment method: its number and date where the bank has replaced the card, and that it
// is gone where it belongs to no customer any more, which at Stripe is for good. A card that till itself deletes or has not saved yet is
// not touched.
//
// Unlike a payment's, these words have no order of their own: a date may be put right in either direction. So an event's payload, which
// may be late, never comes here; see Refetch.
func Observe(was Card, seen stripe.PaymentMethod) Card {
	if seen.ID != was.PaymentMethod || was.status != active {
		return was
	}
	now := was
	if seen.Customer.ID == "" {
		now.status, now.IsDefault = deleted, false
		return now
	}
	learn(&now, seen)
	return now
}

// learn takes over what a payment method says of its card.
func learn(c *Card, m stripe.PaymentMethod) {
	if m.Card != nil {
		c.Brand, c.Last4, c.ExpMonth, c.ExpYear, c.fingerprint = m.Card.Brand, m.Card.Last4, m.Card.ExpMonth, m.Card.ExpYear, m.Card.Fingerprint
	}
}

// errSaving has an event tried again later: the answer that saves the card may be older than the event.
var errSaving = errors.New("the card is being saved; its news is taken in when it is")

// Refetch asks Stripe for a payment method, because an event said that it has changed, and takes in what it is now. One that is not saved
// here is no error, and is not asked for.
func (s *Cards) Refetch(ctx context.Context, scope db.Scope, generation int64, method string) error {
	rows, err := s.byMethod(ctx, scope, method)
	if err != nil {
		return err
	}
	for _, c := range rows {
		ours, err := s.Merchants.SameAccount(ctx, scope, c.generation, generation)
		if err != nil {
			return err
		}
		if !ours {
			continue
		}
		if err := s.refetch(ctx, c, generation); err != nil {
			return err
		}
	}
	return nil
}

// refetch reads the row first and asks then: whoever has written since, and whose word may be newer, has moved the version, and it is asked
// again. So what is written is never older than what it replaces.
func (s *Cards) refetch(ctx context.Context, c Card, generation int64) error {
	client, err := s.Merchants.Client(ctx, c.scope, generation)
	if err != nil {
		return err
	}
	return s.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, c.scope, c.ID)
		if err != nil {
			return nil, err
		}
		switch was.status {
		case saving:
			return nil, errSaving
		case active:
		default:
			return nil, nil
		}
		seen, err := client.PaymentMethod(ctx, was.PaymentMethod)
		if stripe.Absent(err) {
			return nil, nil // there is no such payment method: the hint was wrong
		}
		if err != nil {
			return nil, err
		}
		return observed(was, Observe(was, seen), s.Clock.Now()), nil
	})
}

// observed is a card's change with the event that tells it; nothing where nothing has changed.
func observed(was, now Card, at time.Time) []db.Change {
	kind := "card.updated"
	switch {
	case now == was:
		return nil
	case now.status == deleted:
		kind = "card.deleted"
	}
	return []db.Change{update(was, now, at), event.Insert(event.New(now.scope, kind, now.ID, now, at))}
}
