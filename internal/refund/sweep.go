package refund

import (
	"context"
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/internal/task"
)

// When the sweep looks at a pending refund, and looks again: a webhook usually tells first. Stripe may keep a refund pending for days.
const (
	firstLook = 10 * time.Minute
	again     = time.Hour
)

// Sweep is the task that asks Stripe for refunds that are still pending.
func (s *Refunds) Sweep() task.Task {
	return task.Task{Name: "refund.sweep", Every: 10 * time.Second, Run: s.sweep}
}

func (s *Refunds) sweep(ctx context.Context) (bool, error) {
	const batch = 20
	due, err := s.dueNow(ctx, batch)
	if err != nil {
		return false, err
	}
	for _, r := range due {
		// The next look is arranged before this one, which Stripe's silence may outlast: a refund that stays open must not keep the others waiting.
		if err := s.DB.Write(ctx, postpone(r, s.Clock.Now().Add(again))); err != nil {
			return false, err
		}
		if err := s.refetch(ctx, r); err != nil {
			s.Log.LogAttrs(ctx, slog.LevelWarn, "refund not resolved yet", slog.String("refund", r.ID), slog.Any("error", err))
		}
	}
	return len(due) == batch, nil
}

// refetch asks Stripe for one refund. Without Stripe's id its call is still open, and the recovery of once has it.
func (s *Refunds) refetch(ctx context.Context, r Refund) error {
	if r.ProviderRef == "" {
		return nil
	}
	client, err := s.Merchants.Client(ctx, r.scope, r.generation)
	if err != nil {
		return err
	}
	seen, err := client.Refund(ctx, r.ProviderRef)
	if stripe.Absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Heard(ctx, r.scope, r.generation, seen)
}
