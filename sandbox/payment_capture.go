package sandbox

import (
	"github.com/till-pay/till/sandbox/spec"
)

// hold lets an authorization expire when nobody captures it in time.
func (c *call) hold(r, ch *record) {
	until := c.now().Add(authorizationLife)
	if k := chargeKindOf(ch); k != nil {
		if k.heldFor > 0 {
			until = c.now().AddDate(0, 0, int(k.heldFor))
		}
	} else {
		ch.object().Sub("payment_method_details").Sub("card").Set("capture_before", until.Unix())
	}
	c.at(until, "payment_intent.expire", r, ch.id)
}

// expire releases what nobody has captured in time.
func (c *call) expire(r *record, charge string) {
	if r.object().String("status") == requiresCapture && r.object().String("latest_charge") == charge {
		c.release(r, "charge.expired", "expired")
	}
}

func capturePaymentIntent(c *call, r *record) error {
	o := r.object()
	if status := o.String("status"); status != requiresCapture {
		if status == succeeded && captureMethodOf(o, r.methodType()) == "manual" {
			return c.unexpected(r, "This PaymentIntent could not be captured because it has already been captured.")
		}
		return c.unexpected(r, "This PaymentIntent could not be captured because it has a status of "+status+". Only a PaymentIntent with one of the following statuses may be captured: requires_capture.")
	}
	if c.params.Has("final_capture") && !c.params.Bool("final_capture") {
		return invalid("payment_intent_invalid_parameter", "final_capture", "This PaymentIntent does not support multiple captures, so final_capture cannot be false.")
	}
	capturable := o.Int("amount_capturable")
	amount := capturable
	if c.params.Has("amount_to_capture") {
		amount = c.params.Int("amount_to_capture")
	}
	if amount < 1 {
		return invalid("parameter_invalid_integer", "amount_to_capture", "This value must be greater than or equal to 1.")
	}
	if amount > capturable {
		currency := currencyOf(o)
		return invalid("amount_too_large", "amount_to_capture", "The amount to capture (%s) is greater than the capturable amount (%s).", display(amount, currency), display(capturable, currency))
	}
	if data := o.Sub("transfer_data"); data != nil && !c.partnered(data.String("destination")) {
		return missingIn("", "destination", data.String("destination"))
	}
	return c.capture(r, amount)
}

// capture takes what was held, or a part of it; the rest is released to the customer.
func (c *call) capture(r *record, amount int64) error {
	err := c.changing(r, func() error {
		for _, name := range []string{"statement_descriptor", "statement_descriptor_suffix"} {
			if c.params.Has(name) {
				set(r.object(), name, c.params)
			}
		}
		if err := c.captureShares(r.object(), amount); err != nil {
			return err
		}
		return c.fill(r)
	})
	if err != nil {
		return err
	}
	ch := c.byID[r.object().String("latest_charge")]
	before := ch.object().Clone()
	ch.object().Set("captured", true).Set("amount_captured", amount)
	c.showShares(r.object(), ch.object())
	for _, name := range []string{"statement_descriptor", "statement_descriptor_suffix"} {
		ch.object().Set(name, r.object().Get(name))
	}
	ch.object().Set("calculated_statement_descriptor", c.calculatedDescriptor(r))
	if chargeKindOf(ch) == nil {
		ch.object().Sub("payment_method_details").Sub("card").Set("capture_before", spec.Absent)
	}
	c.bookCharge(ch)
	r.object().Set("status", succeeded).Set("amount_received", amount).Set("amount_capturable", 0)
	c.emitUpdated("charge.captured", ch, before)
	c.emit("payment_intent.succeeded", r)
	c.raise(ch)
	return nil
}

func cancelPaymentIntent(c *call, r *record) error {
	status := r.object().String("status")
	if status == succeeded || status == canceled {
		return c.unexpected(r, "You cannot cancel this PaymentIntent because it has a status of "+status+". Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.")
	}
	if status == processing && !c.cancelable(r) {
		return c.unexpected(r, "You cannot cancel this PaymentIntent because it has a status of processing. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action.")
	}
	c.release(r, "", c.params.String("cancellation_reason"))
	return nil
}

// release cancels an intent. What it holds goes back to the customer, which is no refund: since 2025-03-31.basil neither a
// cancellation nor what a capture leaves makes one (docs.stripe.com/changelog/basil/2025-03-31).
func (c *call) release(r *record, about, reason string) {
	c.endChallenge(private[intent](r))
	if r.object().String("status") == processing {
		c.withdrawPending(c.byID[r.object().String("latest_charge")])
	}
	if r.object().String("status") == requiresCapture {
		ch := c.byID[r.object().String("latest_charge")]
		if chargeKindOf(ch) == nil {
			ch.object().Sub("payment_method_details").Sub("card").Set("capture_before", spec.Absent)
		}
		if about != "" {
			c.emit(about, ch)
		}
		c.closeReview(ch, "canceled")
	}
	r.object().Set("status", canceled).Set("canceled_at", c.now().Unix()).Set("amount_capturable", 0).Set("next_action", nil)
	if reason != "" {
		r.object().Set("cancellation_reason", reason)
	}
	c.emit("payment_intent.canceled", r)
	c.returnCash(r)
}
