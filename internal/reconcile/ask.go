package reconcile

import (
	"context"
	"strings"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/stripe"
)

// finding is what Stripe says of the source of a line that nothing foretold.
type finding struct {
	ours   bool // it belongs to a payment of till's, or till keeps all of its kind
	reason string
}

// ask asks Stripe about lines that nothing foretold: what till should have heard of is taken in by the room that it belongs to, as if the missing
// event had come now. Those whose event may still be on its way are left to it.
func (w worker) ask(ctx context.Context) (more bool, err error) {
	before := w.Clock.Now().Add(-w.age)
	lines, err := w.open(ctx, w.provider.Scope, w.provider.Account, before, someOpen)
	if err != nil {
		return false, err
	}
	for i := range lines {
		if err := w.askAbout(ctx, &lines[i]); err != nil {
			return false, err
		}
	}
	return len(lines) == someOpen, nil
}

func (w worker) askAbout(ctx context.Context, l *Line) error {
	found, err := w.look(ctx, l)
	if err != nil {
		return err
	}
	*w.heard++
	was := *l
	l.State, l.Reason = Explained, kinds[l.Kind].words
	l.Difference.Minor = 0
	if found.ours {
		l.State, l.Reason = Waiting, found.reason
	}
	if err := w.DB.Write(ctx, verdict(was, *l)); err != nil && !db.IsMoved(err) { // it has been settled, with another line of its source
		return err
	}
	return w.again(ctx, []string{l.Source})
}

// look asks for the source, has the room take it in, and says whether it is till's.
func (w worker) look(ctx context.Context, l *Line) (finding, error) {
	switch {
	case strings.HasPrefix(l.Source, "ch_"), strings.HasPrefix(l.Source, "py_"):
		return w.lookAtCharge(ctx, l.Source)
	case strings.HasPrefix(l.Source, "re_"), strings.HasPrefix(l.Source, "pyr_"):
		return w.lookAtRefund(ctx, l.Source)
	case strings.HasPrefix(l.Source, "dp_"), strings.HasPrefix(l.Source, "du_"):
		return w.lookAtDispute(ctx, l.Source)
	case strings.HasPrefix(l.Source, "po_"):
		return finding{true, "Stripe has not told what became of the payout."}, w.Payouts.Refetch(ctx, w.provider.Scope, w.provider.Generation, l.Source)
	}
	return finding{}, nil
}

func (w worker) lookAtCharge(ctx context.Context, id string) (finding, error) {
	charge, err := w.client.Charge(ctx, id)
	if stripe.Absent(err) {
		return finding{}, nil
	}
	if err != nil || charge.PaymentIntent.ID == "" {
		return finding{}, err
	}
	if err := w.Payments.Refetch(ctx, w.provider.Scope, w.provider.Generation, charge.PaymentIntent.ID); err != nil {
		return finding{}, err
	}
	return w.ours(ctx, charge.PaymentIntent.ID, "The payment has not been completed.")
}

func (w worker) lookAtRefund(ctx context.Context, id string) (finding, error) {
	seen, err := w.client.Refund(ctx, id)
	if stripe.Absent(err) {
		return finding{}, nil
	}
	if err != nil {
		return finding{}, err
	}
	if err := w.Refunds.Heard(ctx, w.provider.Scope, w.provider.Generation, seen); err != nil {
		return finding{}, err
	}
	return w.ours(ctx, seen.PaymentIntent.ID, "The refund is on its way.")
}

func (w worker) lookAtDispute(ctx context.Context, id string) (finding, error) {
	seen, err := w.client.Dispute(ctx, id)
	if stripe.Absent(err) {
		return finding{}, nil
	}
	if err != nil {
		return finding{}, err
	}
	if err := w.Disputes.Heard(ctx, w.provider.Scope, w.provider.Generation, seen, ""); err != nil {
		return finding{}, err
	}
	return w.ours(ctx, seen.PaymentIntent.ID, "The dispute says nothing of this money.")
}

// ours says whether an intent is that of a payment of till's.
func (w worker) ours(ctx context.Context, intent, reason string) (finding, error) {
	p, err := w.Payments.OfIntent(ctx, w.provider.Scope, w.provider.Generation, intent)
	return finding{p.ID != "", reason}, err
}
