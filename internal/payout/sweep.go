package payout

import (
	"context"
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/task"
)

// When the sweep asks Stripe for a payout: a webhook usually tells first. A bank takes days, and may send back what was paid for five
// business days more.
const (
	firstLook = 10 * time.Minute
	again     = time.Hour
	daily     = day
	returns   = 10 * day
)

// nextLook is when Stripe is asked for a payout next, after a change; never where it has had the last word.
func (p Payout) nextLook(was Payout, at time.Time) time.Time {
	if open := p.Status == Pending || p.Status == InTransit; !open {
		return p.after(at)
	} else if was.dueAt.After(at) { // arranged already
		return was.dueAt
	}
	return at.Add(firstLook)
}

// after is when a payout is looked at after one that changed nothing.
func (p Payout) after(now time.Time) time.Time {
	switch {
	case returned(p):
		return time.Time{}
	case p.Status != Paid:
		return now.Add(again)
	case now.Before(p.settled().Add(returns)):
		return now.Add(daily)
	}
	return time.Time{}
}

// settled is when a paid payout was at the bank.
func (p Payout) settled() time.Time {
	if p.ArrivalDate != nil {
		return *p.ArrivalDate
	}
	return *p.PaidAt
}

// Sweep is the task that asks Stripe for payouts that may still change.
func (s *Payouts) Sweep() task.Task {
	return task.Task{Name: "payout.sweep", Every: 10 * time.Second, Run: s.sweep}
}

func (s *Payouts) sweep(ctx context.Context) (bool, error) {
	const batch = 20
	due, err := s.dueNow(ctx, batch)
	if err != nil {
		return false, err
	}
	for _, p := range due {
		// The next look is arranged before this one, which Stripe's silence may outlast: a payout that stays open must not keep the others waiting.
		if err := s.DB.Write(ctx, postpone(p, p.after(s.Clock.Now()))); err != nil {
			return false, err
		}
		if p.ProviderRef == "" { // its call is still open, and the recovery of once has it
			continue
		}
		if err := s.Refetch(ctx, p.scope, p.generation, p.ProviderRef); err != nil {
			s.Log.LogAttrs(ctx, slog.LevelWarn, "payout not looked up", slog.String("payout", p.ID), slog.Any("error", err))
		}
	}
	return len(due) == batch, nil
}
