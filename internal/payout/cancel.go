package payout

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

const cancelCall = "payout.cancel"

// Cancel takes back a payout that has not left yet; its money is available again. Only the bank's side of a payout is out of reach, and so
// are those of Stripe's schedule. replayed says that it was cancelled before.
func (s *Payouts) Cancel(ctx context.Context, scope db.Scope, id string) (Payout, bool, error) {
	p, err := s.Get(ctx, scope, id)
	if err != nil || p.Status == Cancelled {
		return p, p.Status == Cancelled, err
	}
	n, err := once.RefusedBefore(ctx, s.DB, scope, p.ID, cancelCall)
	if err != nil {
		return Payout{}, false, err
	}
	c := once.Call{Scope: scope, Name: cancelCall, Key: fmt.Sprintf("payout-cancel:%s:%d", p.ID, n), Input: p.ID, Row: p.ID, Generation: p.generation,
		ProviderKey: fmt.Sprintf("till-%s-cancel-%d", p.ID, n)}
	_, replayed, err := s.Once.Run(ctx, c, cancelling(scope, p.ID, s.Clock.Now().UnixMicro()))
	if err != nil && !db.IsMoved(err) {
		return Payout{}, false, err
	}
	now, lookup := s.Get(ctx, scope, p.ID)
	if lookup != nil {
		return Payout{}, false, lookup
	}
	if err != nil {
		return Payout{}, false, against(now)
	}
	why, err := s.Once.Refusal(ctx, scope, c.Key)
	if err == nil && why != nil && now.Status != Cancelled {
		err = once.Fault(why, "", "Stripe does not cancel the payout: %s")
	}
	return now, replayed, err
}

// against says why a payout cannot be cancelled.
func against(p Payout) error {
	switch {
	case p.ProviderRef == "" && p.Status == Pending:
		return fault.New(fault.StateConflict, "", "Stripe has not answered for this payout yet; it can be cancelled when it has.")
	case p.Automatic:
		return fault.New(fault.PayoutStatus, "", "This payout was made by Stripe's schedule, and such a payout cannot be cancelled.")
	}
	return fault.New(fault.PayoutStatus, "", "Only a pending payout can be cancelled; this one is %s.", p.Status)
}

// cancelling is the claim of a cancellation.
func cancelling(scope db.Scope, id string, now int64) db.Change {
	return db.Change{
		SQL: `update payouts set version = version + 1, updated_at = $4 where merchant = $1 and mode = $2 and id = $3
			and status = 'pending' and provider_ref <> '' and not automatic`,
		Args: []any{scope.Merchant, scope.Mode, id, now}, Rows: 1,
	}
}

func (s *Payouts) sendCancel(ctx context.Context, c once.Call) (once.Decide, error) {
	p, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	seen, err := client.CancelPayout(ctx, c.ProviderKey, p.ProviderRef)
	if stripe.Meaning(err) == stripe.Refused { // most often because it has left, which we have not heard of
		if err := s.Refetch(ctx, c.Scope, c.Generation, p.ProviderRef); err != nil {
			s.Log.LogAttrs(ctx, slog.LevelWarn, "payout not looked up", slog.String("payout", p.ID), slog.Any("error", err))
		}
	}
	if err != nil {
		return nil, err
	}
	return s.takeIn(c.Scope, c.Row, seen, 0), nil
}

// findCancel looks at the payout itself: it was cancelled, or it was not.
func (s *Payouts) findCancel(ctx context.Context, c once.Call) (once.Decide, error) {
	p, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	seen, err := client.Payout(ctx, p.ProviderRef)
	switch {
	case err != nil:
		return nil, err
	case heard(seen.Status) != Cancelled:
		return nil, once.ErrAbsent
	}
	return s.takeIn(c.Scope, c.Row, seen, 0), nil
}

// uncancelled ends a cancellation that Stripe refused: the payout stands as Stripe says elsewhere.
func (s *Payouts) uncancelled(once.Call, *stripe.Error) once.Decide {
	return func(context.Context) ([]db.Change, error) { return nil, nil }
}
