package refund

import (
	"fmt"
	"time"

	"github.com/till-pay/till/internal/payment"
)

// What follows is the twin of the refunds' table in memory, for the model checker (internal/proof/search): see payment/twin.go.

// Claimed is the row of a refund of p as its claim writes it. The claim sets the money aside on the payment too: see payment.SetAside.
func Claimed(p payment.Payment, id string, minor int64, at time.Time) Refund {
	r := Refund{ID: id, PaymentID: p.ID, Status: Pending, Amount: p.Amount, Currency: p.Currency, CreatedAt: at, UpdatedAt: at, IdempotencyKey: "refund key", Origin: "till",
		scope: p.Scope(), version: 1, generation: p.Generation(), dueAt: at.Add(firstLook)}
	r.Amount.Minor = minor
	return r
}

// Written are the rows of a refund and of its payment after an outcome that was decided from was and of. It misses, and leaves both, where
// either has moved since.
func Written(r Refund, p payment.Payment, was Refund, of payment.Payment, o Outcome) (Refund, payment.Payment, bool) {
	if unchanged(was, o.Now) {
		return r, p, true
	}
	if r.version != was.version {
		return r, p, false
	}
	now := o.Now
	now.version = r.version + 1
	if was.Status == now.Status {
		return now, p, true
	}
	moved, ok := p.MovedBy(of, o.Refunding, o.Refunded)
	if !ok {
		return r, p, false
	}
	return now, moved, true
}

// Same says whether two rows are the same version of one refund.
func (r Refund) Same(other Refund) bool { return r.version == other.version }

// Essence is all of a refund that decides what may still happen to it and what people are told of it: see payment.Essence.
func (r Refund) Essence() string {
	s := fmt.Sprintf("%s %s %d due%v left%v", r.Status, r.ProviderRef, r.Amount.Minor, !r.dueAt.IsZero(), r.left)
	if r.Failure != nil {
		s += " failure " + r.Failure.Code
	}
	return s
}

// CreateCall is the name of the call that this room makes.
const CreateCall = createCall
