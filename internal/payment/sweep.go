package payment

import (
	"context"
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/task"
)

// Sweep is the task that ends what stayed open: past its resolve_by a payment is asked for once more, and then cancelled at Stripe,
// so that nobody pays an order that the shop has given up.
func (s *Payments) Sweep() task.Task {
	return task.Task{Name: "payment.sweep", Every: 10 * time.Second, Run: s.sweep}
}

// again is when the sweep looks at a payment anew that it could not end.
const again = 10 * time.Minute

func (s *Payments) sweep(ctx context.Context) (bool, error) {
	const batch = 20
	due, err := s.dueNow(ctx, batch)
	if err != nil {
		return false, err
	}
	for _, p := range due {
		// The next look is arranged before this one, which Stripe's silence may outlast: a payment that cannot be ended must not keep the others waiting.
		if err := s.DB.Write(ctx, postpone(p, s.Clock.Now().Add(again))); err != nil {
			return false, err
		}
		if err := s.resolve(ctx, p); err != nil {
			s.Log.LogAttrs(ctx, slog.LevelWarn, "payment not resolved yet", slog.String("payment", p.ID), slog.Any("error", err))
		}
	}
	return len(due) == batch, nil
}

// resolve ends one payment. Without a word of Stripe's its call is still open, and the recovery of once has it.
func (s *Payments) resolve(ctx context.Context, p Payment) error {
	if p.Status == Held {
		_, err := s.dismiss(ctx, p, unanswered)
		return err
	}
	if p.ProviderRef == "" {
		return nil
	}
	if err := s.Refetch(ctx, p.scope, p.generation, p.ProviderRef); err != nil {
		return err
	}
	now, err := s.find(ctx, p.scope, p.ID)
	if err != nil || now.dueAt.IsZero() {
		return err
	}
	_, _, err = s.cancel(ctx, now)
	return err
}

// postpone lets the sweep rest; a payment that has ended meanwhile is due no more and is left alone, and so is one that was released
// meanwhile and has a time of its own.
func postpone(p Payment, until time.Time) db.Change {
	return db.Change{
		SQL:  `update payments set due_at = $4 where merchant = $1 and mode = $2 and id = $3 and due_at = $5`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.ID, db.Micros(until), db.Micros(p.dueAt)}, Rows: db.Any,
	}
}
