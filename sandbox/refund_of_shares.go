package sandbox

import "slices"

// A refund takes the money back from the account on which the charge was made. On request, the account that it was passed on to and the
// platform that took a fee give back their parts too: each in proportion to what is refunded of the charge.

// sharedBack is what a refund is to take back beside its own money.
type sharedBack struct {
	Transfer bool
	Fee      bool
}

// planShares refuses what of the charge cannot be taken back, and notes what is to be. A fee that there is not is none to give back: recorded in
// September 2026, when that was no longer refused.
func (c *call) planShares(r, ch *record, amount int64) error {
	back := sharedBack{Transfer: c.params.Bool("reverse_transfer"), Fee: c.params.Bool("refund_application_fee")}
	if back.Transfer {
		if err := c.checkReversal(ch, amount); err != nil {
			return err
		}
	}
	if back != (sharedBack{}) {
		r.hidden = &back
	}
	return nil
}

// checkReversal refuses to take back a transfer that there is not, or of which nothing is left.
func (c *call) checkReversal(ch *record, amount int64) error {
	tr := c.find("transfer", ch.text("transfer"))
	switch {
	case ch.object().Sub("transfer_data") == nil:
		return refused("", "", "Cannot reverse transfer on charge %s because it does not have an associated transfer.", ch.id)
	case tr == nil:
		return nil // it is booked with the refund
	case c.unreturned(tr) == 0:
		return fullyReversed(tr)
	}
	return c.returnable(tr, c.transferShare(tr, ch, amount))
}

// transferShare is what goes back of a transfer with the refund of a part of its charge.
func (c *call) transferShare(tr, ch *record, amount int64) int64 {
	p := portion{part: amount, whole: ch.number("amount_captured"), left: c.unreturned(tr)}
	for _, r := range c.having("transfer_reversal", "transfer", tr.id) {
		if part := known[reversal](r).Part; part > 0 {
			p.before += part
			p.taken += r.number("amount")
		}
	}
	return p.of(tr.number("amount"))
}

// takeShares takes back what a refund was asked to, and what it takes back anyway: a payment that was a transfer goes to where it came from.
func (c *call) takeShares(r, ch *record) {
	if ch.isTransferred() && r.text("balance_transaction") != "" {
		c.sendBack(r, ch)
	}
	back := known[sharedBack](r)
	if back == nil {
		return
	}
	amount := r.object().Int("amount")
	if tr := c.find("transfer", ch.text("transfer")); back.Transfer && tr != nil && c.realmOf(tr.text("destination")) != nil {
		if share := c.transferShare(tr, ch, amount); share > 0 {
			of := c.newReversal(tr, share)
			of.hidden = &reversal{Part: amount}
			of.object().Set("source_refund", r.id)
			c.reverse(tr, of)
			r.object().Set("transfer_reversal", of.id)
		}
	}
	if fee := c.feeOfCharge(ch); back.Fee && fee != nil && c.realmOf(fee.text("account")) != nil {
		if share := c.feeShare(fee, "refund", amount, ch.number("amount_captured")); share > 0 {
			c.refundFee(fee, share, feeReturn{Of: "refund", Part: amount})
		}
	}
}

// sendBack returns the money of a refunded payment to the account that had transferred it.
func (c *call) sendBack(r, payment *record) {
	tr := c.lookup(payment.text("source_transfer"))
	if tr == nil || tr.gone {
		return
	}
	from := c.of(tr.realm.account)
	of := from.newReversal(tr, r.object().Int("amount"))
	of.object().Set("source_refund", r.id).Set("destination_payment_refund", r.id)
	from.takeIn(tr, of)
	r.object().Set("source_transfer_reversal", of.id)
}

// takeAllBack takes back what others have got of a charge that has failed after all, as far as it is not back yet
// (docs.stripe.com/connect/separate-charges-and-transfers#transfer-availability).
func (c *call) takeAllBack(ch *record) {
	for _, tr := range slices.Clone(c.having("transfer", "source_transaction", ch.id)) {
		if left := c.unreturned(tr); left > 0 && c.realmOf(tr.text("destination")) != nil {
			c.reverse(tr, c.newReversal(tr, left))
		}
	}
	fee := c.feeOfCharge(ch)
	if fee == nil || c.realmOf(fee.text("account")) == nil {
		return
	}
	if left := fee.number("amount") - fee.number("amount_refunded"); left > 0 {
		c.refundFee(fee, left, feeReturn{})
	}
}

// isTransferred says whether a charge is the payment that a transfer was.
func (r *record) isTransferred() bool { return r.text("source_transfer") != "" }
