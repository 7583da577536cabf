package payment

import (
	"context"
	"errors"
	"time"

	"github.com/till-pay/till/internal/card"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/once"
)

// Hold is why the duplicate guard held a payment back.
type Hold struct {
	DuplicateOf string    `json:"duplicate_of" format:"uuid" doc:"The earlier payment that this one looks like."`
	Reason      string    `json:"reason" doc:"Why it was held; of one that nobody answered for, that it was ended unsent."`
	Until       time.Time `json:"until" doc:"Without an answer by then it is cancelled. It never goes to Stripe by itself."`
}

// Release sends a held payment, once: the merchant says that it is meant. A repeat shows the payment as it stands.
func (s *Payments) Release(ctx context.Context, scope db.Scope, id string) (Payment, bool, error) {
	p, err := s.Get(ctx, scope, id)
	if err != nil {
		return Payment{}, false, err
	}
	if p.Held == nil || p.unsent() && p.Status != Held {
		return Payment{}, false, notHeld(p)
	}
	now := s.Clock.Now()
	changes := []db.Change{letGo(p, now), released(p)}
	if p.SavedCardID != "" {
		changes = append(changes, card.Charging(scope, p.SavedCardID))
	}
	replayed, err := s.Once.Open(ctx, scope, once.MerchantKey(p.IdempotencyKey), changes...)
	var moved *db.Moved
	switch {
	case errors.As(err, &moved) && moved.At == len(changes)-1 && p.SavedCardID != "":
		return Payment{}, false, fault.New(fault.CardInactive, "", "The saved card of this payment was deleted; it cannot be released. Cancel it.")
	case err != nil:
		return Payment{}, false, err
	}
	p, err = s.Get(ctx, scope, id)
	if err == nil && p.Status == Cancelled && p.unsent() { // a cancellation was first
		return Payment{}, false, notHeld(p)
	}
	return p, replayed, err
}

func notHeld(p Payment) error {
	return fault.New(fault.PaymentStatus, "", "Only a held payment can be released; this one is %s.", p.Status)
}

// letGo is the change that makes a held payment a pending one. Its payer has the whole time that any payment's has.
func letGo(p Payment, now time.Time) db.Change {
	until := now.Add(resolveWithin)
	return db.Change{
		SQL: `update payments set status = 'pending', version = version + 1, updated_at = $4, resolve_by = $5, due_at = $5
			where merchant = $1 and mode = $2 and id = $3 and status = 'held'`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.ID, db.Micros(now), db.Micros(until)}, Rows: 1,
	}
}

// dismiss ends a held payment without a word to Stripe. reason replaces why it was held; "" leaves that as it was. It says false where the
// payment is held no more.
func (s *Payments) dismiss(ctx context.Context, p Payment, reason string) (bool, error) {
	at := s.Clock.Now()
	now := p
	now.Status, now.UpdatedAt, now.dueAt = Cancelled, at, never
	if reason != "" && p.Held != nil {
		why := *p.Held
		why.Reason = reason
		now.Held = &why
	}
	err := s.DB.Write(ctx, once.Dropped(p.scope, once.MerchantKey(p.IdempotencyKey), at), db.Change{
		SQL: `update payments set status = 'cancelled', version = version + 1, held = $4, updated_at = $5, due_at = null
			where merchant = $1 and mode = $2 and id = $3 and status = 'held'`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.ID, document(now.Held), db.Micros(at)}, Rows: 1,
	}, event.Insert(event.New(p.scope, "payment.cancelled", p.ID, now.Shown(), at)))
	if db.IsMoved(err) {
		return false, nil
	}
	return err == nil, err
}

// unanswered is why a held payment ends at its time.
const unanswered = "Nobody released it in time; it was cancelled and never sent to Stripe."

// unsent says that a payment was never sent to Stripe: it is held, or was cancelled while it was. Whatever carries its id at Stripe is a copy.
func (p Payment) unsent() bool {
	return p.Status == Held || p.Status == Cancelled && p.ProviderRef == ""
}
