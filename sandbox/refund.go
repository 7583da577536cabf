package sandbox

import (
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Times of a refund's life: when the card network has given it its reference, and when those that do not succeed at once and for good
// come to their end. Stripe says of the latter only that it is some time later.
const (
	referenceAfter = time.Second
	decidedAfter   = 10 * time.Second
)

var refunds = &resource{
	Object:    "refund",
	Path:      "/v1/refunds",
	Prefix:    "re_",
	NewID:     newRefundID,
	Takes:     []string{"amount", "charge", "currency", "customer", "instructions_email", "origin", "payment_intent", "reason", "refund_application_fee", "reverse_transfer"},
	Create:    createRefund,
	Made:      announceRefund,
	Update:    none,
	Announces: []string{"updated"},
	Filters:   []string{"charge", "payment_intent"},
	Verbs:     verbs{"cancel": cancelRefund},
	Private:   func() any { return new(sharedBack) },
	Due: map[string]func(*call, *record, string){
		"lapse":     func(c *call, r *record, _ string) { c.lapseRefund(r) },
		"reference": func(c *call, r *record, _ string) { c.giveReference(r) },
		"complete":  func(c *call, r *record, _ string) { c.completeRefund(r) },
		"fail":      func(c *call, r *record, reason string) { c.failRefund(r, reason) },
	},
	Others: map[string]func(*call) (appender, error){
		"POST /v1/test_helpers/refunds/x_1/expire": expireRefund,
		"POST /v1/charges/x_1/refund":              refundAndShowCharge,
		"POST /v1/charges/x_1/refunds":             refundCharge,
		"GET /v1/charges/x_1/refunds":              listChargesRefunds,
		"GET /v1/charges/x_1/refunds/x_1":          ofItsCharge(func(c *call) (appender, error) { return kinds["refund"].retrieve(c) }),
		"POST /v1/charges/x_1/refunds/x_1":         ofItsCharge(func(c *call) (appender, error) { return kinds["refund"].update(c) }),
	},
}

// newRefundID shares the beginning of the payment's id.
func newRefundID(w *realm, p *spec.Params) string {
	if ch, err := w.refundedCharge(p); err == nil {
		if ch.isTransferred() {
			return w.newID("pyr_")
		}
		return w.newPaymentID(refundPrefix(ch), ch.object().String("payment_intent"))
	}
	return w.newPaymentID("re_", "")
}

// refundPrefix is what the id of a charge's refund begins with.
func refundPrefix(ch *record) string {
	if chargeKindOf(ch) != nil {
		return "pyr_"
	}
	return "re_"
}

// refundedCharge is the charge that a new refund names, itself or through its payment.
func (w *realm) refundedCharge(p *spec.Params) (*record, error) {
	charge, payment := p.String("charge"), p.String("payment_intent")
	switch {
	case charge != "":
		ch := w.find("charge", charge)
		if ch == nil {
			return nil, missingIn("charge", "charge", charge)
		}
		if payment != "" && ch.object().String("payment_intent") != payment {
			return nil, invalid("", "payment_intent", "The charge %s does not belong to the PaymentIntent %s.", charge, payment)
		}
		return ch, nil
	case payment != "":
		r := w.find("payment_intent", payment)
		if r == nil {
			return nil, missingIn("payment_intent", "payment_intent", payment)
		}
		if r.object().String("status") != succeeded {
			return nil, refused("", "", "This PaymentIntent (%s) does not have a successful charge to refund.", payment)
		}
		return w.find("charge", r.object().String("latest_charge")), nil
	default:
		return nil, invalid("parameter_missing", "", "One of the following params should be provided for this request: payment_intent or charge.")
	}
}

func createRefund(c *call, r *record) error {
	if c.params.Has("origin") {
		return c.createCashRefund(r)
	}
	if c.params.Has("customer") {
		return unbuilt("the parameter customer of %s without origin", c.op)
	}
	ch, err := c.refundedCharge(c.params)
	if err != nil {
		return err
	}
	if given, paid := c.params.String("currency"), ch.object().String("currency"); given != "" && given != paid {
		return invalid("", "currency", "The currency of the refund (%s) is not the one in which the charge was made (%s).", given, paid)
	}
	amount, err := c.refundable(ch)
	if err != nil {
		return err
	}
	k, email := chargeKindOf(ch), ""
	if k != nil && k.refunds.asks && !c.toCash {
		if email, err = c.refundEmail(ch.object().String("customer"), ch); err != nil {
			return err
		}
	}
	if err := c.planShares(r, ch, amount); err != nil {
		return err
	}
	c.describeRefund(r, ch, amount)
	if email != "" {
		c.ask(r, email, bankOf(k.name, ch.object().String("currency")))
	}
	if c.params.Has("reason") {
		r.object().Set("reason", c.params.String("reason"))
	}
	return nil
}

// describeRefund fills a new refund of a charge in.
func (c *call) describeRefund(r, ch *record, amount int64) {
	from := ch.object()
	o := r.object().Set("amount", amount).Set("charge", ch.id).Set("currency", from.String("currency")).Set("payment_intent", from.Get("payment_intent")).Set("status", succeeded)
	o.Set("customer", from.Get("customer")).Set("payment_method", from.Get("payment_method"))
	if c.fateOf(ch) == refundPending && from.Bool("captured") {
		o.Set("status", "pending").Set("pending_reason", "processing")
	}
	if ch.isTransferred() {
		o.Set("destination_details", spec.Absent)
		return
	}
	if k := chargeKindOf(ch); k != nil {
		o.Set("destination_details", k.refunds.destination(k.name))
		return
	}
	o.Set("destination_details", spec.New("refund_destination_details").Set("type", "card").
		Set("card", spec.New("refund_destination_details_card").Set("type", "refund").Set("reference_status", "pending").Set("reference_type", "acquirer_reference_number")))
}

// refundable is how much is to be refunded: what was asked for, or all that is left; never more.
func (c *call) refundable(ch *record) (int64, error) {
	from, currency := ch.object(), currencyOf(ch.object())
	if from.String("status") != "succeeded" {
		return 0, refused("", "charge", "Charge %s has failed and cannot be refunded.", ch.id)
	}
	if from.Bool("refunded") {
		return 0, refused("charge_already_refunded", "", "Charge %s has already been refunded.", ch.id)
	}
	if !from.Bool("captured") && from.String("payment_intent") == "" {
		if amount := from.Int("amount"); ch.held() && (!c.params.Has("amount") || c.params.Int("amount") == amount) {
			return amount, nil
		}
		return 0, refused("", "amount", "Charge %s has not been captured: it can only be released, in full.", ch.id)
	}
	if !from.Bool("captured") {
		return 0, refused("", "charge", "Charge %s has not been captured. Cancel its PaymentIntent to release the funds.", ch.id)
	}
	if k := chargeKindOf(ch); k != nil && k.refunds.never {
		return 0, refused("charge_not_refundable", "charge", "Charge %s cannot be refunded: payments by `%s` do not support refunds.", ch.id, k.name)
	}
	if k := chargeKindOf(ch); k != nil && k.refunds.within > 0 && c.now().Unix() > ch.created+k.refunds.within*secondsOfDay {
		return 0, refused("charge_not_refundable", "charge", "Charge %s is too old to be refunded: payments by `%s` can be refunded for %d days.", ch.id, k.name, k.refunds.within)
	}
	if c.chargedBack(ch) {
		return 0, refused("charge_disputed", "", "Charge %s has been charged back; cannot issue a refund.", ch.id)
	}
	captured := from.Int("amount_captured")
	left := captured - from.Int("amount_refunded")
	if !c.params.Has("amount") {
		return left, nil
	}
	amount := c.params.Int("amount")
	switch {
	case amount < 1:
		return 0, invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case amount > captured:
		return 0, refused("", "amount", "Refund amount (%s) is greater than charge amount (%s)", display(amount, currency), display(captured, currency))
	case amount > left:
		return 0, refused("", "amount", "Refund amount (%s) is greater than unrefunded amount on charge (%s)", display(amount, currency), display(left, currency))
	}
	return amount, nil
}

// announceRefund books a refund once it is stored; the network's reference follows.
func announceRefund(c *call, r *record) error {
	if r.object().String("charge") == "" {
		c.returnToCustomer(r, "return_initiated", -1)
		c.emit("refund.created", r)
		return nil
	}
	ch := c.byID[r.object().String("charge")]
	if r.object().String("reason") == "fraudulent" {
		c.mark(ch)
	}
	if !ch.object().Bool("captured") {
		c.unheld(r, ch)
		return nil
	}
	c.bookNow(ch)
	amount := r.object().Int("amount")
	funded := c.fund(r, ch)
	c.takeShares(r, ch)
	c.emit("refund.created", r)
	before := ch.object().Clone()
	refunded := ch.object().Int("amount_refunded") + amount
	ch.object().Set("amount_refunded", refunded).Set("refunded", refunded == ch.object().Int("amount_captured"))
	c.emitUpdated("charge.refunded", ch, before)
	c.refunded(ch, r.object().String("reason"))
	if funded && c.toCash {
		c.receiveRefund(r)
	} else if funded {
		c.sendRefund(r, ch)
	}
	return nil
}

// sendRefund arranges what becomes of a refund whose money has left the balance.
func (c *call) sendRefund(r, ch *record) {
	if ch.isTransferred() {
		return // no bank or network takes part
	}
	if chargeKindOf(ch) == nil {
		c.in(referenceAfter, "refund.reference", r)
	}
	switch c.fateOf(ch) {
	case refundPending:
		c.at(c.refundedAt(ch), "refund.complete", r)
	case refundFails:
		c.in(decidedAfter, "refund.fail", r, "expired_or_canceled_card")
	}
}

// fateOf is what becomes of the refunds of a charge, by its card.
func (c *call) fateOf(ch *record) fate {
	if k := chargeKindOf(ch); k != nil && k.refunds.slow {
		return refundPending
	}
	return c.conductOf(ch).refund
}

// completeRefund ends the wait of a pending refund, unless it has ended otherwise.
func (c *call) completeRefund(r *record) {
	if r.object().String("status") != "pending" {
		return
	}
	before := r.object().Clone()
	r.object().Set("status", succeeded).Set("pending_reason", spec.Absent)
	c.referTo(r)
	c.emitUpdated("refund.updated", r, before)
	c.emitChargeRefund(r, before)
}

// failRefund takes back a refund that does not reach the customer: the money is in the balance again, and can be refunded again.
func (c *call) failRefund(r *record, reason string) {
	if was := r.object().String("status"); was != "pending" && was != succeeded {
		return // it has ended otherwise
	}
	before := r.object().Clone()
	c.takeBack(r, "failed", reason)
	c.emit("refund.failed", r)
	c.emitUpdated("charge.refund.updated", r, before)
}

// takeBack ends a refund without the customer getting it. Of one that was still waiting for funds there is no money to bring back.
func (c *call) takeBack(r *record, status, reason string) {
	amount := r.object().Int("amount")
	if r.object().String("charge") == "" {
		r.object().Set("status", status).Set("failure_reason", reason).Set("next_action", spec.Absent)
		c.returnToCustomer(r, "return_canceled", 1)
		return
	}
	ch := c.byID[r.object().String("charge")]
	if r.object().String("balance_transaction") != "" {
		txn := c.book(r, "refund_failure", "refund_failure", amount, 0, c.availableWith(ch)) // with what it takes back
		txn.object().Set("description", "REFUND FAILURE")
		r.object().Set("failure_balance_transaction", txn.id)
	}
	r.object().Set("status", status).Set("failure_reason", reason).Set("pending_reason", spec.Absent).Set("next_action", spec.Absent)
	ch.object().Set("amount_refunded", ch.object().Int("amount_refunded")-amount).Set("refunded", false)
	c.reconsiderWarnings(ch)
}

// failPendingRefunds fails what is on its way to a customer who disputes the charge instead.
func (c *call) failPendingRefunds(ch *record) {
	for _, r := range c.having("refund", "charge", ch.id) {
		if r.text("status") == "pending" {
			c.failRefund(r, "charge_for_pending_refund_disputed")
		}
	}
}

func refundDescription(ch *record) string {
	if description := ch.object().String("description"); description != "" {
		return "REFUND FOR CHARGE (" + description + ")"
	}
	return "REFUND FOR CHARGE"
}

func (c *call) giveReference(r *record) {
	if status := r.object().String("status"); status != "pending" && status != succeeded {
		return
	}
	before := r.object().Clone()
	r.object().Sub("destination_details").Sub("card").Set("reference_status", "available").Set("reference", c.digits(16))
	c.emitUpdated("refund.updated", r, before)
	c.emitUpdated("charge.refund.updated", r, before)
}

func refundsOf(c *call, ch *record) *spec.Object {
	data := []*spec.Object{}
	all := c.having("refund", "charge", ch.id)
	for i := len(all) - 1; i >= 0 && len(data) <= defaultLimit; i-- {
		data = append(data, all[i].object().Clone())
	}
	more := len(data) > defaultLimit
	list := spec.New("list").Set("url", "/v1/charges/"+ch.id+"/refunds").Set("has_more", more)
	return list.Set("data", data[:min(len(data), defaultLimit)])
}
