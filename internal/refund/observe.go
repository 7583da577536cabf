package refund

import (
	"context"
	"errors"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/stripe"
)

// Observe takes in what Stripe says of a refund. It is the only way a refund changes by Stripe's word, in any order and more than once:
// failed is the last word of Stripe's, and completed is not undone by an older "pending". One that till gave up, because Stripe seemed to have
// nothing of it, is completed all the same once its money is seen.
func Observe(was Refund, seen stripe.Refund) Refund {
	givenUp := was.Status == Failed && was.ProviderRef == ""
	if givenUp && seen.Status != "succeeded" {
		return was
	}
	now := was
	if was.ProviderRef == "" {
		now.ProviderRef = seen.ID
	}
	now.left = was.left || seen.BalanceTransaction.ID != "" || seen.Status == "succeeded"
	switch seen.Status {
	case "succeeded":
		if was.Status == Pending || givenUp {
			now.Status, now.Failure = Completed, nil
		}
	case "failed", "canceled":
		now.Status = Failed
		if was.Failure == nil {
			now.Failure = &Failure{Code: seen.FailureReason, Message: failureText(seen)}
		}
	}
	return now
}

func failureText(seen stripe.Refund) string {
	if seen.Status == "canceled" {
		return "The refund was cancelled; the money stays with the merchant."
	}
	return "The bank returned the refund; the money is back in the merchant's balance."
}

// Outcome is what becomes of a refund, and with it of its payment.
type Outcome struct {
	Now                 Refund
	Refunding, Refunded int64 // by how much the payment's amounts move, in minor units
	Entries             []ledger.Transaction
	Events              []event.Event
}

// Answered takes in what Stripe says of a refund of p, in answer to a call that was sent so often; 0 where no call of ours was the source.
func Answered(was Refund, seen stripe.Refund, attempts int64, p payment.Payment, at time.Time) Outcome {
	now := Observe(was, seen)
	now.Attempts = max(now.Attempts, attempts)
	return outcome(was, now, p, at)
}

// Refused takes in that Stripe certainly did not make a refund. One that Stripe has been heard of by then, by a webhook, is left to that word.
func Refused(was Refund, why *stripe.Error, attempts int64, p payment.Payment, at time.Time) Outcome {
	now := was
	now.Attempts = attempts
	if was.Status == Pending && was.ProviderRef == "" {
		code, message := payment.Refusal(why, "Nothing went back.")
		now.Status, now.Failure = Failed, &Failure{code, message}
	}
	return outcome(was, now, p, at)
}

// outcome is all that a change of a refund's status brings with it.
func outcome(was, now Refund, p payment.Payment, at time.Time) Outcome {
	if unchanged(was, now) {
		return Outcome{Now: was}
	}
	now.UpdatedAt = at
	if now.Status != Pending {
		now.dueAt = time.Time{}
	}
	o := Outcome{Now: now, Entries: entries(was, now, at)}
	if was.Status == now.Status {
		return o
	}
	o.Refunding, o.Refunded = moves(was, now)
	o.Events = []event.Event{event.New(now.scope, "refund."+string(now.Status), now.ID, now, at)}
	p.Refunding.Minor += o.Refunding
	p.Refunded.Minor += o.Refunded
	if o.Refunded > 0 && p.Shown().Status == payment.Refunded {
		o.Events = append(o.Events, event.New(now.scope, "payment.refunded", p.ID, p.Shown(), at))
	}
	return o
}

// moves are the payment's amounts, as a change of status moves them.
func moves(was, now Refund) (refunding, refunded int64) {
	amount := now.Amount.Minor
	switch {
	case was.Status == Pending && now.Status == Completed:
		return -amount, amount
	case was.Status == Failed && now.Status == Completed:
		return 0, amount
	case was.Status == Pending && now.Status == Failed:
		return -amount, 0
	case was.Status == Completed && now.Status == Failed:
		return 0, -amount
	}
	return 0, 0
}

// entries books what leaves Stripe's balance, and what comes back to it. One that is heard of only when it has failed has done both.
func entries(was, now Refund, at time.Time) (booked []ledger.Transaction) {
	if now.left && !was.left {
		booked = append(booked, ledger.Refund(now.fact(at), now.ID, now.Amount))
	}
	if now.cameBack() && !was.cameBack() {
		booked = append(booked, ledger.RefundFailed(now.fact(at), now.ID, now.Amount))
	}
	return booked
}

func (r Refund) cameBack() bool { return r.left && r.Status == Failed }

// fact is the refund as the ledger books it.
func (r Refund) fact(at time.Time) ledger.Fact {
	return ledger.Fact{Scope: r.scope, Generation: r.generation, Payment: r.PaymentID, Source: r.ProviderRef, At: at}
}

func unchanged(was, now Refund) bool {
	return was.Status == now.Status && was.ProviderRef == now.ProviderRef && was.Attempts == now.Attempts && was.left == now.left
}

// changes writes an outcome: the row under the version that was read, the payment's amounts, the ledger, the events.
func (s *Refunds) changes(was Refund, o Outcome, p payment.Payment) ([]db.Change, error) {
	if unchanged(was, o.Now) {
		return nil, nil
	}
	list := []db.Change{update(was, o.Now)}
	if was.Status != o.Now.Status {
		list = append(list, p.Moved(o.Refunding, o.Refunded, o.Now.UpdatedAt.UnixMicro()))
	}
	for _, e := range o.Events {
		list = append(list, event.Insert(e))
	}
	entries, err := ledger.Post(o.Entries...)
	return append(list, entries...), err
}

// takeIn decides what Stripe's word makes of a refund's row as it stands.
func (s *Refunds) takeIn(scope db.Scope, row string, seen stripe.Refund, attempts int64) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, p, err := s.pair(ctx, scope, row)
		if err != nil {
			return nil, err
		}
		return s.changes(was, Answered(was, seen, attempts, p, s.Clock.Now()), p)
	}
}

// Heard takes in a refund that a webhook brought: one of ours, or one that was made elsewhere for a payment of ours. Any other changes nothing.
func (s *Refunds) Heard(ctx context.Context, scope db.Scope, generation int64, seen stripe.Refund) error {
	if seen.ID == "" { // ours have no id of Stripe's until Stripe has answered: none may be found by that
		return nil
	}
	r, err := s.known(ctx, scope, seen)
	if err == nil {
		if ours, err := s.Merchants.SameAccount(ctx, scope, r.generation, generation); err != nil || !ours {
			return err
		}
		return s.DB.Decide(ctx, s.takeIn(scope, r.ID, seen, 0))
	}
	if !errors.Is(err, db.ErrNone) {
		return err
	}
	p, err := s.Payments.OfIntent(ctx, scope, generation, seen.PaymentIntent.ID)
	if err != nil || p.ID == "" {
		return err
	}
	return s.adopt(ctx, p, seen)
}

// Refetch asks Stripe for all refunds of an intent, and takes them in: charge.refunded says that there is one, not which.
func (s *Refunds) Refetch(ctx context.Context, scope db.Scope, generation int64, intent string) error {
	client, err := s.Merchants.Client(ctx, scope, generation)
	if err != nil {
		return err
	}
	var all []stripe.Refund
	_, err = client.Refunds(ctx, intent, "", func(r stripe.Refund) bool {
		all = append(all, r)
		return false
	})
	if err != nil && !stripe.Unfinished(err) {
		return err
	}
	for _, r := range all {
		if err := s.Heard(ctx, scope, generation, r); err != nil {
			return err
		}
	}
	return nil
}

// known is the refund of ours that Stripe speaks of: by Stripe's id, else by our id in its metadata, which may be a copy.
func (s *Refunds) known(ctx context.Context, scope db.Scope, seen stripe.Refund) (Refund, error) {
	r, err := s.byProviderRef(ctx, scope, seen.ID)
	tag := seen.Metadata[stripe.Tag]
	if !errors.Is(err, db.ErrNone) || tag == "" {
		return r, err
	}
	r, err = s.find(ctx, scope, tag)
	if err == nil && r.ProviderRef != seen.ID && (r.ProviderRef != "" || r.Amount.Minor != seen.Amount) {
		return Refund{}, db.ErrNone
	}
	return r, err
}

// adopt makes a row for a refund that was made elsewhere. Its id follows from Stripe's, so that two reports at once make one row.
// Its money is not guarded by our own limits: it has left already, and the books follow the money.
func (s *Refunds) adopt(ctx context.Context, p payment.Payment, seen stripe.Refund) error {
	scope := p.Scope()
	row := id.From(scope.Merchant, scope.Mode, seen.ID)
	at := s.Clock.Now()
	r := Refund{ID: row, PaymentID: p.ID, Status: Pending, ProviderRef: seen.ID, Amount: money.FromMinor(seen.Amount, p.Currency), Currency: p.Currency, Reason: seen.Reason,
		CreatedAt: at, UpdatedAt: at, Origin: "outside", scope: scope, version: 1, generation: p.Generation(), dueAt: at.Add(firstLook)}
	err := s.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		if _, err := s.find(ctx, scope, row); !errors.Is(err, db.ErrNone) {
			return nil, err
		}
		current, err := s.Payments.Get(ctx, scope, p.ID)
		if err != nil {
			return nil, err
		}
		return []db.Change{insert(r), current.Moved(r.Amount.Minor, 0, at.UnixMicro()), event.Insert(event.New(scope, "refund.created", r.ID, r, at))}, nil
	})
	if err != nil {
		return err
	}
	return s.DB.Decide(ctx, s.takeIn(scope, row, seen, 0))
}
