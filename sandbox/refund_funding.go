package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// fund takes the money of a new refund out of the balance. The refund of a pending charge settles with it. Of one that is available
// already, an account that must not be debited pays out of what it has: where that is too little, the refund waits, pending, until
// there is enough; the other kind may go below nothing (docs.stripe.com/refunds).
func (c *call) fund(r, ch *record) bool {
	amount := r.object().Int("amount")
	available := c.availableWith(ch)
	settled := c.settledIn(r)
	needed, _ := exchanged(amount, r.object().String("currency"), settled, middle)
	f := c.books().in(settled)
	if !c.standing().Debit && !c.backed() && !available.After(c.now()) && (needed > f.Available || len(f.Waiting) > 0) {
		r.object().Set("status", "pending").Set("pending_reason", "insufficient_funds")
		f.Waiting = append(f.Waiting, r.id)
		return false
	}
	txn := c.book(r, refundKind(ch), "refund", -amount, 0, available)
	txn.object().Set("description", refundDescription(ch))
	r.object().Set("balance_transaction", txn.id)
	return true
}

// refundKind is the type of the balance transaction of a charge's refund.
func refundKind(ch *record) string {
	if chargeKindOf(ch) != nil || ch.isTransferred() {
		return "payment_refund"
	}
	return "refund"
}

// fundRefunds pays the refunds that have waited for it, in their order, as far as the money goes.
func (c *call) fundRefunds(currency string) {
	f := c.books().in(currency)
	for len(f.Waiting) > 0 {
		r := c.find("refund", f.Waiting[0])
		if r == nil || r.text("pending_reason") != "insufficient_funds" {
			f.Waiting = slices.Delete(f.Waiting, 0, 1) // it has ended otherwise
			continue
		}
		needed, _ := exchanged(r.number("amount"), r.text("currency"), currency, middle)
		if needed > f.Available {
			return
		}
		f.Waiting = slices.Delete(f.Waiting, 0, 1)
		c.payRefund(r)
	}
}

// payRefund books a refund that has waited for funds.
func (c *call) payRefund(r *record) {
	ch := c.byID[r.object().String("charge")]
	before := r.object().Clone()
	txn := c.book(r, refundKind(ch), "refund", -r.object().Int("amount"), 0, c.now())
	txn.object().Set("description", refundDescription(ch))
	o := r.object().Set("balance_transaction", txn.id)
	switch {
	case c.fateOf(ch) == refundPending:
		o.Set("pending_reason", "processing")
	case o.Sub("next_action") != nil:
		o.Set("status", requiresAction).Set("pending_reason", spec.Absent)
	default:
		o.Set("status", succeeded).Set("pending_reason", spec.Absent)
	}
	if o.Sub("destination_details").String("type") == "customer_cash_balance" {
		c.receiveRefund(r)
	}
	if ch.isTransferred() {
		c.sendBack(r, ch)
	}
	c.emitUpdated("refund.updated", r, before)
	c.emitUpdated("charge.refund.updated", r, before)
	c.sendRefund(r, ch)
}
