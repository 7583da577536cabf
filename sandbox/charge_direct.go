package sandbox

import (
	"net/http"

	"github.com/till-pay/till/sandbox/spec"
)

// Charges of the older kind, which are made without a PaymentIntent: of a token or of a card of a customer.

// createCharge answers POST /v1/charges.
func createCharge(c *call) (appender, error) {
	if err := kinds["charge"].takes(c); err != nil {
		return nil, err
	}
	if c.debits() {
		return c.debitAccount()
	}
	from, err := c.readCharge()
	if err != nil {
		return nil, err
	}
	if err := c.maySell(from); err != nil { // before a token is spent
		return nil, err
	}
	method, err := c.chargedSourceOf(from)
	if err != nil {
		return nil, err
	}
	if method.resource.Object != "payment_method" {
		return c.chargeSource(from, method)
	}
	c.keep(method)
	return c.chargeDirectly(from, method, nil)
}

// readCharge checks what is to be charged. It stands as the intent that such a charge does not have, and is not stored.
func (c *call) readCharge() (*record, error) {
	for _, name := range []string{"amount", "currency"} {
		if !c.params.Has(name) {
			return nil, invalid("parameter_missing", name, "Missing required param: %s.", name)
		}
	}
	currency, err := readCurrency(c.params.String("currency"))
	if err != nil {
		return nil, err
	}
	amount := c.params.Int("amount")
	if err := c.checkAmount(amount, currency); err != nil {
		return nil, err
	}
	r := &record{realm: c.realm, resource: kinds["payment_intent"], created: c.now().Unix(), working: spec.New("payment_intent")}
	r.working.Set("amount", amount).Set("currency", currency.Lower())
	if err := c.chooseChargeParties(r.working); err != nil {
		return nil, err
	}
	if err := c.chooseCustomer(r); err != nil {
		return nil, err
	}
	for _, name := range []string{"description", "receipt_email", "shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_group"} {
		if c.params.Has(name) {
			set(r.working, name, c.params)
		}
	}
	return r, c.fillMetadata(r.working)
}

// chargedSourceOf finds the source that a charge is of: the one named, or the customer's default.
func (c *call) chargedSourceOf(from *record) (*record, error) {
	name := c.sourceParam()
	customer := c.find("customer", from.object().String("customer"))
	switch {
	case customer == nil && !c.params.Has(name):
		return nil, invalid("parameter_missing", "", "Must provide source or customer.")
	case customer == nil:
		return c.unowned(name)
	}
	id := c.params.String(name)
	if !c.params.Has(name) {
		id = customer.object().String("default_source")
	}
	owned := c.sourceByID(id)
	if owned == nil {
		owned = c.find("payment_method", id)
	}
	switch {
	case id == "" && !c.params.Has(name):
		return nil, declined(&decline{code: "missing", param: "card", message: "Cannot charge a customer that has no active card"})
	case owned != nil && owned.resource.Object == "source" && owned.text("usage") == "single_use":
		return owned, nil
	case owned == nil || owned.object().String("customer") != customer.id:
		e := refused("missing", "source", "Customer %s does not have a linked source with ID %s.", customer.id, id)
		e.status = http.StatusNotFound // so recorded: https://github.com/stripe/stripe-ios/issues/461
		return nil, e
	default:
		return owned, nil
	}
}

// unowned is what a parameter stands for of which the owner is no customer.
func (c *call) unowned(name string) (*record, error) {
	r := c.find("source", c.params.String(name))
	switch {
	case r == nil:
		return c.readSource(name)
	case r.text("customer") != "":
		return nil, refused("missing", name, "The source %s is attached to a customer. Please pass the customer as well.", r.id)
	}
	return r, nil
}

// chargeDirectly takes the money, or holds it, or has it declined. There is nobody to ask for authentication: secured
// says that it has been done, and is nil otherwise.
func (c *call) chargeDirectly(from, method *record, secured *spec.Object) (appender, error) {
	does := private[instrument](method).card().does
	ch := c.newCharge(from, method, secured)
	ch.object().Set("payment_intent", nil)
	d := authenticationRequired
	if does.decline == nil && secured == nil && does.challenged(true, private[instrument](method).SetUp, false) {
		c.refuseOutcome(ch, method, d)
	} else {
		d = c.screen(ch, method)
	}
	if d != nil {
		ch.object().Set("status", "failed").Set("paid", false).Set("captured", false).Set("failure_code", d.code).Set("failure_message", d.message)
		c.insert(ch)
		c.emit("charge.failed", ch)
		refusal := declined(d)
		refusal.charge = ch.id
		return nil, refusal
	}
	passChecks(method)
	private[instrument](method).Used = method.object().String("customer") == ""
	captured := !c.params.Has("capture") || c.params.Bool("capture")
	ch.object().Set("status", "succeeded").Set("paid", true).Set("captured", captured)
	c.insert(ch)
	if captured {
		ch.object().Set("amount_captured", from.object().Int("amount"))
		c.bookCharge(ch)
	} else {
		until := c.now().Add(authorizationLife)
		ch.object().Sub("payment_method_details").Sub("card").Set("capture_before", until.Unix())
		c.at(until, "charge.expire", ch)
	}
	c.emit("charge.succeeded", ch)
	c.authorized(ch)
	return c.show(ch)
}

// held says whether a charge holds money that can still be captured.
func (r *record) held() bool {
	o := r.object()
	return o.String("status") == "succeeded" && !o.Bool("captured") && !o.Bool("refunded") && o.At("payment_method_details", "card", "capture_before") != nil
}

// expireCharge releases what nobody has captured in time.
func (c *call) expireCharge(r *record) {
	if r.held() {
		r.object().Sub("payment_method_details").Sub("card").Set("capture_before", spec.Absent)
		c.emit("charge.expired", r)
		c.closeReview(r, "canceled")
	}
}

// captureCharge answers POST /v1/charges/{charge}/capture, for charges without a PaymentIntent.
func captureCharge(c *call, r *record) error {
	o := r.object()
	switch {
	case o.String("payment_intent") != "":
		return refused("", "", "This charge belongs to a PaymentIntent (%s). Capture that instead.", o.String("payment_intent"))
	case o.Bool("refunded"):
		return refused("charge_already_refunded", "", "Charge %s has already been refunded.", r.id)
	case o.Bool("captured"):
		return refused("charge_already_captured", "", "Charge %s has already been captured.", r.id)
	case !r.held():
		return refused("charge_expired_for_capture", "", "Charge %s cannot be captured: it has failed, or its authorization has expired.", r.id)
	}
	amount := o.Int("amount")
	if c.params.Has("amount") {
		given := c.params.Int("amount")
		if given < 1 {
			return invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
		}
		if given > amount {
			return refused("amount_too_large", "amount", "You cannot capture a charge for an amount greater than it already has.")
		}
		amount = given
	}
	before := o.Clone()
	if err := c.changing(r, func() error { return c.captureShares(r.object(), amount) }); err != nil {
		return err
	}
	o = r.object()
	for _, name := range []string{"receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group"} {
		if c.params.Has(name) {
			set(o, name, c.params)
		}
	}
	o.Set("captured", true).Set("amount_captured", amount)
	o.Sub("payment_method_details").Sub("card").Set("capture_before", spec.Absent)
	c.bookCharge(r)
	c.emitUpdated("charge.captured", r, before)
	c.raise(r)
	return nil
}

// unheld makes the refund of a charge that was never captured, which only releases it: whole, and without a movement of money.
func (c *call) unheld(r, ch *record) {
	before := ch.object().Clone()
	amount := ch.object().Int("amount")
	ch.object().Set("amount_refunded", amount).Set("refunded", true)
	ch.object().Sub("payment_method_details").Sub("card").Set("capture_before", spec.Absent)
	c.emit("refund.created", r)
	c.emitUpdated("charge.refunded", ch, before)
	c.closeReview(ch, "refunded")
}
