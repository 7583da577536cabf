package payment

import (
	"context"
	"fmt"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/once"
)

const cancelCall = "payment.cancel"

// Cancel ends a payment that is not completed; what it held on the card is released.
func (s *Payments) Cancel(ctx context.Context, scope db.Scope, id string) (Payment, bool, error) {
	p, err := s.Get(ctx, scope, id)
	if err != nil {
		return Payment{}, false, err
	}
	if p.Status == Cancelled {
		return p, true, nil
	}
	if p.Status == Held {
		ended, err := s.dismiss(ctx, p, "")
		if err != nil {
			return Payment{}, false, err
		}
		if p, err = s.Get(ctx, scope, id); err != nil || ended || p.Status == Cancelled {
			return p, !ended, err
		}
	}
	return s.cancel(ctx, p)
}

func (s *Payments) cancel(ctx context.Context, p Payment) (Payment, bool, error) {
	n, err := once.RefusedBefore(ctx, s.DB, p.scope, p.ID, cancelCall)
	if err != nil {
		return Payment{}, false, err
	}
	c := once.Call{
		Scope: p.scope, Name: cancelCall, Key: fmt.Sprintf("cancel:%s:%d", p.ID, n), Input: p.ID, Row: p.ID, Generation: p.generation,
		ProviderKey: fmt.Sprintf("till-%s-cancel-%d", p.ID, n),
	}
	return s.run(ctx, c, cancelling(p.scope, p.ID, s.now()), func(now Payment) error {
		switch {
		case now.ProviderRef == "" && now.Status == Pending:
			return fault.New(fault.StateConflict, "", "Stripe has not answered for this payment yet; it can be cancelled when it has.")
		case now.capturing > 0:
			return fault.New(fault.StateConflict, "", "A capture of this payment is on its way.")
		}
		return fault.New(fault.PaymentStatus, "", "A %s payment cannot be cancelled.", now.Shown().Status)
	})
}

// cancelling is the claim of a cancellation. A failed payment's intent may be cancelled too: it is still payable at Stripe.
func cancelling(scope db.Scope, id string, now int64) db.Change {
	return db.Change{
		SQL: `update payments set cancelling = true, version = version + 1, updated_at = $4 where merchant = $1 and mode = $2 and id = $3
			and status in ('pending', 'authorized', 'failed') and provider_ref <> '' and provider_status <> 'canceled' and capturing = 0 and not cancelling`,
		Args: []any{scope.Merchant, scope.Mode, id, now}, Rows: 1,
	}
}

func (s *Payments) registerCancel() {
	s.Once.Register(cancelCall, once.Steps{Send: s.sendCancel, Find: s.findCancel, Refuse: s.refused})
}

func (s *Payments) sendCancel(ctx context.Context, c once.Call) (once.Decide, error) {
	p, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	seen, err := client.Cancel(ctx, c.ProviderKey, p.ProviderRef, "")
	if err != nil {
		return nil, err
	}
	return s.ended(c, &seen), nil
}

func (s *Payments) findCancel(ctx context.Context, c once.Call) (once.Decide, error) {
	p, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	seen, err := client.PaymentIntent(ctx, p.ProviderRef)
	switch {
	case err != nil:
		return nil, err
	case !Happened(c.Name, seen.Status):
		return nil, once.ErrAbsent
	}
	return s.ended(c, &seen), nil
}
