package payment

import (
	"fmt"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/money"
)

// What follows are the statements of store.go, capture.go and cancel.go as functions of a row in memory, their guards included: the twin of the
// table that the model checker (internal/proof/search) works on. false is a guard that missed. A test holds both against each other on both
// engines.

// Claimed is the row of a payment as its claim writes it.
func Claimed(scope db.Scope, id string, amount money.Money, capture string, at time.Time) Payment {
	p := Payment{ID: id, MerchantID: scope.Merchant, scope: scope, version: 1, generation: 1, Amount: amount, Currency: amount.Currency, Provider: "stripe", Status: Pending,
		IdempotencyKey: "key", CreatedAt: at, UpdatedAt: at, CaptureMethod: capture, PaymentMethod: "pm_card", Metadata: map[string]string{}, ResolveBy: at.Add(resolveWithin),
		dueAt: at.Add(resolveWithin)}
	p.Captured.Currency, p.Refunding.Currency, p.Refunded.Currency, p.Disputed.Currency = p.Currency, p.Currency, p.Currency, p.Currency
	return p
}

// Insert are the changes that write a claimed payment.
func (p Payment) Insert() []db.Change { return insert(p) }

// Written is the row after an outcome that was decided from was. It misses where the row has moved since.
func (p Payment) Written(was Payment, o Outcome) (Payment, bool) {
	if unchanged(was, o.Now) {
		return p, true
	}
	if p.version != was.version {
		return p, false
	}
	now := o.Now
	now.version = p.version + 1
	now.Refunding, now.Refunded, now.Disputed = p.Refunding, p.Refunded, p.Disputed
	if now.Fee != nil {
		now.setFee(now.Fee.Minor)
	}
	return now, true
}

// Capturing claims a capture.
func (p Payment) Capturing(minor int64) (Payment, bool) {
	if p.Status != Authorized || p.capturing != 0 || p.cancelling {
		return p, false
	}
	p.capturing = minor
	p.version++
	return p, true
}

// Cancelling claims a cancellation.
func (p Payment) Cancelling() (Payment, bool) {
	open := p.Status == Pending || p.Status == Authorized || p.Status == Failed
	if !open || p.ProviderRef == "" || p.providerStatus == "canceled" || p.capturing != 0 || p.cancelling {
		return p, false
	}
	p.cancelling = true
	p.version++
	return p, true
}

// SetAside claims money for a refund.
func (p Payment) SetAside(minor int64) (Payment, bool) {
	if p.Status != Completed || !p.Disputed.IsZero() || minor <= 0 || p.Refunded.Minor+p.Refunding.Minor+minor > p.Captured.Minor {
		return p, false
	}
	p.Refunding.Minor += minor
	p.version++
	return p, true
}

// MovedBy moves the amounts of refunds, as decided from was.
func (p Payment) MovedBy(was Payment, refunding, refunded int64) (Payment, bool) {
	if p.version != was.version || p.Refunding.Minor+refunding < 0 || p.Refunded.Minor+refunded < 0 {
		return p, false
	}
	p.Refunding.Minor += refunding
	p.Refunded.Minor += refunded
	p.version++
	return p, true
}

// ContestedBy moves what disputes hold, as decided from was.
func (p Payment) ContestedBy(was Payment, by int64) (Payment, bool) {
	if p.version != was.version || p.Disputed.Minor+by < 0 {
		return p, false
	}
	p.Disputed.Minor += by
	p.version++
	return p, true
}

// IsDue says whether the sweep must look at the payment by a moment.
func (p Payment) IsDue(at time.Time) bool { return !p.dueAt.IsZero() && !p.dueAt.After(at) }

// Same says whether two rows are the same version of one payment.
func (p Payment) Same(other Payment) bool { return p.version == other.version }

// Essence is all of a payment that decides what may still happen to it and what people are told of it, in one string: two rows with the same
// essence have the same future. Versions, times and counts of attempts are left out.
func (p Payment) Essence() string {
	s := fmt.Sprintf("%s %s %s c%d/%d r%d+%d d%d x%v due%v", p.Status, p.ProviderRef, p.providerStatus, p.capturing, p.Captured.Minor, p.Refunding.Minor,
		p.Refunded.Minor, p.Disputed.Minor, p.cancelling, !p.dueAt.IsZero())
	if p.Fee != nil {
		s += fmt.Sprintf(" fee%d", p.Fee.Minor)
	}
	if card, outcome := p.ofCharge(); p.Lacks() {
		s += " lacks"
	} else {
		s += fmt.Sprintf(" %s%s %s", card.Brand, card.ThreeDSecure, outcome.Type)
	}
	if p.Failure != nil {
		s += " failure " + p.Failure.Code
	}
	if p.NextAction != nil {
		s += " next " + p.NextAction.Type
	}
	return s
}

// Calls are the names of the calls that this room makes.
const (
	CreateCall  = createCall
	CaptureCall = captureCall
	CancelCall  = cancelCall
)
