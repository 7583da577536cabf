package sandbox

import (
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// A payment whose outcome is known only later has a charge that is pending, and its intent is processing. Its money is booked at once,
// and pending too; where the payment fails, it is booked back (docs.stripe.com/reports/balance-transaction-types, payment_failure_refund).

// pend begins such a payment. Nothing falls due yet: what becomes of it is the caller's to arrange, by "charge.clear" or
// "charge.bounce" about the charge.
func (c *call) pend(r, method *record) *record {
	ch := c.newCharge(r, method, nil)
	amount := r.object().Int("amount")
	ch.object().Set("status", "pending").Set("paid", false).Set("captured", true).Set("amount_captured", amount)
	ch.object().Sub("outcome").Set("seller_message", "Payment complete.")
	c.insert(ch)
	c.bookCharge(ch)
	r.object().Set("status", processing).Set("latest_charge", ch.id).Set("next_action", nil).Set("last_payment_error", nil)
	c.emit("charge.pending", ch)
	c.emit("payment_intent.processing", r)
	c.queueKind(ch)
	c.keepMethod(r, method, c.usageFor(r, method))
	return ch
}

// usageFor is what an intent's payment method shall be used for later, which the option of its type overrides.
func (c *call) usageFor(r, method *record) string {
	if of, _ := r.object().At("payment_method_options", method.object().String("type"), "setup_future_usage").(string); of != "" {
		if of == "none" {
			return ""
		}
		return of
	}
	return r.object().String("setup_future_usage")
}

// clear ends the wait of a pending charge well.
func (c *call) clear(ch *record) {
	if ch.text("status") != "pending" {
		return
	}
	ch.object().Set("status", "succeeded").Set("paid", true)
	if k := chargeKindOf(ch); k.ended != nil {
		k.ended(c, ch, "")
	}
	c.emit("charge.succeeded", ch)
	if r := c.find("payment_intent", ch.object().String("payment_intent")); r != nil {
		r.object().Set("status", succeeded).Set("amount_received", ch.object().Int("amount_captured"))
		c.emit("payment_intent.succeeded", r)
	}
	c.authorized(ch)
}

// bounce ends the wait of a pending charge badly, with a code of bankFailures: the money is booked back, and the intent can be tried
// again with another payment method.
func (c *call) bounce(ch *record, code string) {
	if ch.text("status") != "pending" {
		return
	}
	why := bankFailures[code]
	o := ch.object().Set("status", "failed").Set("failure_code", code).Set("failure_message", why)
	o.Sub("outcome").Set("type", "issuer_declined").Set("network_status", "declined_by_network").Set("reason", code).Set("seller_message", why)
	c.bookBack(ch, c.failurePrice(ch))
	o.Set("captured", false).Set("amount_captured", 0)
	if k := chargeKindOf(ch); k.ended != nil {
		k.ended(c, ch, code)
	}
	c.emit("charge.failed", ch)
	c.closeReview(ch, "payment_never_settled")
	r := c.find("payment_intent", o.String("payment_intent"))
	if r == nil {
		return
	}
	c.backToMethod(r, &apiError{kind: invalidRequest, code: "payment_intent_payment_attempt_failed", message: why, charge: ch.id,
		paymentMethod: c.byID[o.String("payment_method")]})
	c.emit("payment_intent.payment_failed", r)
}

// cancelable says whether a payment that is processing can still be canceled.
func (c *call) cancelable(r *record) bool {
	ch := c.find("charge", r.object().String("latest_charge"))
	k := chargeKindOf(ch)
	return k != nil && k.cancels && ch.object().String("status") == "pending"
}

// withdrawPending ends a pending charge whose payment is canceled: no money moves, and nothing is charged for it.
func (c *call) withdrawPending(ch *record) {
	o := ch.object().Set("status", "failed").Set("failure_message", "The payment was canceled.")
	c.bookBack(ch, 0)
	o.Set("captured", false).Set("amount_captured", 0)
	if k := chargeKindOf(ch); k.ended != nil {
		k.ended(c, ch, "")
	}
	c.emit("charge.failed", ch)
}

// failurePrice is what Stripe takes for a payment that fails, in the currency that it settles in.
func (c *call) failurePrice(ch *record) int64 {
	price := chargeKindOf(ch).priceFor(c.merchantOf(ch).standing().Country, c.now())
	return price.in(c.settledIn(ch), price.failure)
}

// bookBack takes the money of a pending charge out of the balance again, with the fee for it, and takes what the failure costs.
func (c *call) bookBack(ch *record, failure int64) {
	paid := c.byID[ch.object().String("balance_transaction")]
	settled, fee := paid.text("currency"), stripeFee(paid)
	if c.platformPays() {
		price := chargeKindOf(ch).priceFor(c.merchantOf(ch).standing().Country, c.now())
		c.levy(failure-price.fee(paid.number("amount"), settled), settled, feeNames["platform"], c.availableWith(ch))
		failure = 0
	}
	c.takeAllBack(ch)
	txn := c.book(ch, "payment_failure_refund", "charge_failure", -ch.object().Int("amount_captured"), failure-fee, c.availableWith(ch))
	o := txn.object().Set("description", "Payment failure refund")
	var details []*spec.Object
	for _, part := range []struct {
		amount int64
		name   string
	}{{-fee, "Stripe processing fee refund"}, {failure, "Failed payment fee"}} {
		if part.amount != 0 {
			details = append(details, spec.New("fee").Set("amount", part.amount).Set("currency", settled).Set("description", part.name).Set("type", "stripe_fee"))
		}
	}
	if details != nil {
		o.Set("fee_details", details)
	}
	ch.object().Set("failure_balance_transaction", txn.id)
}

// settlesAfter is when the money of a payment that is made now becomes available, by its kind.
func (w *realm) settlesAfter(k *methodKind) time.Time {
	if k != nil && k.instant && !w.standing().RealDebits {
		return w.now()
	}
	if k == nil || k.settles.days == 0 || w.standing().Schedule.Delay > 0 {
		return w.standing().delay().after(w.now())
	}
	return k.settles.after(w.now())
}
