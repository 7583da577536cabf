package payout

import (
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// Outcome is what becomes of a payout.
type Outcome struct {
	Now     Payout
	Entries []ledger.Transaction
	Events  []event.Event
}

// ranks are how far a payout has come: it never goes back. The two ends have one rank: whichever was heard first stays.
var ranks = map[Status]int{Pending: 1, InTransit: 2, Paid: 3, Failed: 4, Cancelled: 4}

// heard is Stripe's status in our words; "" is one that we do not know, which changes nothing.
func heard(s string) Status {
	switch s {
	case stripe.PayoutPending, stripe.PayoutInTransit, stripe.PayoutPaid, stripe.PayoutFailed:
		return Status(s)
	case stripe.PayoutCanceled:
		return Cancelled
	}
	return ""
}

// Observe takes in what Stripe says of a payout. It is the only way a payout changes by Stripe's word, in any order and more than once:
// failed is the last word, even after paid, and no older news undoes newer. One that till gave up, because Stripe seemed to have nothing of
// it, stands as Stripe says once it is seen. attempts is how often it was sent for; 0 where no call of ours was the source.
func Observe(was Payout, seen stripe.Payout, attempts int64, at time.Time) Outcome {
	now := was
	now.Attempts = max(now.Attempts, attempts)
	status := heard(seen.Status)
	if seen.ID == "" || status == "" || was.ProviderRef != "" && was.ProviderRef != seen.ID {
		return outcome(was, now, at)
	}
	if was.ProviderRef == "" {
		now.ProviderRef, now.Status, now.Failure = seen.ID, status, nil
	}
	if ranks[status] >= ranks[now.Status] {
		now = now.described(seen)
	}
	if ranks[status] > ranks[now.Status] {
		now.Status = status
	}
	now.Reconciled = now.Reconciled || seen.ReconciliationStatus == "completed"
	return outcome(was, now.dated(seen, at), at)
}

// described takes over what Stripe tells beside the status. What it leaves out stays.
func (p Payout) described(seen stripe.Payout) Payout {
	for _, f := range []struct {
		into *string
		said string
	}{{&p.Method, seen.Method}, {&p.Destination, seen.Destination.ID}, {&p.Description, seen.Description}, {&p.Descriptor, seen.StatementDescriptor},
		{&p.OriginalPayout, seen.OriginalPayout.ID}} {
		if f.said != "" {
			*f.into = f.said
		}
	}
	p.Automatic, p.ReversedBy = seen.Automatic, seen.ReversedBy.ID
	if seen.ArrivalDate > 0 {
		on := time.Unix(seen.ArrivalDate, 0).UTC()
		p.ArrivalDate = &on
	}
	if seen.TraceID != nil && seen.TraceID.Value != "" {
		p.TraceID = seen.TraceID.Value
	}
	return p
}

// dated notes when a payout was paid and failed, and why.
func (p Payout) dated(seen stripe.Payout, at time.Time) Payout {
	if p.Status == Paid && p.PaidAt == nil {
		p.PaidAt = &at
	}
	if p.Status != Failed && p.Status != Cancelled {
		return p
	}
	if p.ReturnedAt == nil {
		p.ReturnedAt = &at
	}
	if back := seen.FailureBalanceTransaction.Object; back != nil && back.Created > 0 {
		on := time.Unix(back.Created, 0).UTC()
		p.ReturnedAt = &on
	}
	if p.Status == Failed && p.Failure == nil {
		m := meaningOf(seen.FailureCode)
		p.Failure = &Failure{seen.FailureCode, seen.FailureMessage, m.words, m.side, m.who, m.action}
	}
	return p
}

// Refused takes in that Stripe certainly did not make a payout. One that Stripe has been heard of by then, by a webhook, is left to that word.
func Refused(was Payout, why *stripe.Error, attempts int64, at time.Time) Outcome {
	now := was
	now.Attempts = max(now.Attempts, attempts)
	if was.Status == Pending && was.ProviderRef == "" {
		now.Status, now.Failure = Failed, refusal(why)
	}
	return outcome(was, now, at)
}

// outcome is all that a change of a payout brings with it.
func outcome(was, now Payout, at time.Time) Outcome {
	if unchanged(was, now) {
		return Outcome{Now: was}
	}
	now.UpdatedAt = at
	now.dueAt = now.nextLook(was, at)
	o := Outcome{Now: now, Entries: entries(was, now, at)}
	if was.Status != now.Status && (now.Status == Paid || now.Status == Failed || now.Status == Cancelled) {
		o.Events = []event.Event{event.New(now.scope, "payout."+string(now.Status), now.ID, now, at)}
	}
	return o
}

// entries book a payout once Stripe has made it, and back where its money came back.
func entries(was, now Payout, at time.Time) (booked []ledger.Transaction) {
	if now.ProviderRef == "" {
		return nil
	}
	f := ledger.Fact{Scope: now.scope, Generation: now.generation, Source: now.ProviderRef, At: at}
	if was.ProviderRef == "" {
		booked = append(booked, ledger.Payout(f, now.Amount, now.Fee))
	}
	if returned(now) && (was.ProviderRef == "" || !returned(was)) {
		booked = append(booked, ledger.PayoutReversed(f, now.Amount, now.Fee))
	}
	return booked
}

// returned says whether the money of a payout is in the balance again.
func returned(p Payout) bool { return p.Status == Failed || p.Status == Cancelled }

// fee is what Stripe is expected to take for a payout.
func fee(amount money.Money, method string) money.Money {
	if method == "instant" && amount.Positive() {
		return ledger.InstantFee(amount)
	}
	return money.FromMinor(0, amount.Currency)
}

func unchanged(was, now Payout) bool {
	same := func(a, b *time.Time) bool { return a == nil && b == nil || a != nil && b != nil && a.Equal(*b) }
	return was.Status == now.Status && was.ProviderRef == now.ProviderRef && was.Attempts == now.Attempts && was.Reconciled == now.Reconciled && was.Method == now.Method &&
		was.Automatic == now.Automatic && was.Destination == now.Destination && was.Description == now.Description && was.Descriptor == now.Descriptor && was.TraceID == now.TraceID &&
		was.OriginalPayout == now.OriginalPayout && was.ReversedBy == now.ReversedBy && same(was.ArrivalDate, now.ArrivalDate) && same(was.ReturnedAt, now.ReturnedAt)
}

// changes writes an outcome: the row under the version that was read, the books, the events.
func changes(was Payout, o Outcome) ([]db.Change, error) {
	if unchanged(was, o.Now) {
		return nil, nil
	}
	list := []db.Change{update(was, o.Now)}
	for _, e := range o.Events {
		list = append(list, event.Insert(e))
	}
	booked, err := ledger.Post(o.Entries...)
	return append(list, booked...), err
}
