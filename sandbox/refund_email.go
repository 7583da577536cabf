package sandbox

import (
	"net/http"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Payments of some kinds give Stripe no account that a refund could go to. Their customers are asked for one by e-mail, and the refund
// waits for them, for 45 days (docs.stripe.com/payments/customer-balance/refunding). Nobody reads e-mail here: the control API plays the
// customer who tells it.
const askedFor = 45 * 24 * time.Hour

// refundEmail is where the customer of a payment is asked for an account: what the parameters say, or the customer's own address.
func (c *call) refundEmail(customer string, ch *record) (string, error) {
	if err := c.checkEmail("instructions_email"); err != nil {
		return "", err
	}
	email := c.params.String("instructions_email")
	if of := c.find("customer", customer); email == "" && of != nil {
		email = of.object().String("email")
	}
	if email == "" && ch != nil {
		email, _ = ch.object().At("billing_details", "email").(string)
	}
	if email == "" {
		return "", invalid("", "instructions_email", "The refund needs an email address to which the customer is sent instructions. Provide `instructions_email`, or update the customer with an email address.")
	}
	return email, nil
}

// ask has the customer asked for an account that a refund can go to.
func (c *call) ask(r *record, email, to string) {
	now := c.now()
	sent := spec.New("email_sent").Set("email_sent_at", now.Unix()).Set("email_sent_to", email)
	of := spec.New("refund_next_action_display_details").Set("email_sent", sent).Set("expires_at", now.Add(askedFor).Unix())
	r.object().Set("status", requiresAction).Set("instructions_email", email).
		Set("next_action", spec.New("refund_next_action").Set("type", "display_details").Set("display_details", of)).
		Set("destination_details", refundTerms{to: to}.destination(""))
	c.in(askedFor, "refund.lapse", r)
}

// bankOf is the destination of a refund to a bank account, by the kind of the payment and its currency.
func bankOf(kind, currency string) string {
	switch {
	case kind == "promptpay":
		return "th_bank_transfer"
	case kind == "multibanco":
		return "multibanco"
	default:
		return transferIn(currency).kind
	}
}

// lapseRefund ends a refund whose customer has told no account: the money comes back.
func (c *call) lapseRefund(r *record) {
	if r.object().String("status") != requiresAction {
		return
	}
	before := r.object().Clone()
	c.takeBack(r, "failed", "unknown")
	c.emit("refund.failed", r)
	c.emitChargeRefund(r, before)
}

// expireRefund is the test helper that lets the time pass.
func expireRefund(c *call) (appender, error) {
	r, err := c.named("refund")
	if err != nil {
		return nil, err
	}
	if status := r.object().String("status"); status != requiresAction {
		return nil, refused("", "", "Refund %s cannot be expired because it has a status of %s. Only a refund with a status of requires_action can be expired.", r.id, status)
	}
	c.lapseRefund(r)
	return c.show(r)
}

// cancelRefund calls off a refund whose customer has told no account yet, and no other.
func cancelRefund(c *call, r *record) error {
	if status := r.object().String("status"); status != requiresAction {
		return refused("", "", "Refund %s cannot be canceled because it has a status of %s. Only a refund with a status of requires_action can be canceled.", r.id, status)
	}
	before := r.object().Clone()
	c.takeBack(r, canceled, "merchant_request")
	c.emitUpdated("refund.updated", r, before)
	c.emitChargeRefund(r, before)
	return nil
}

// emitChargeRefund announces a change of a refund that is a charge's by the older of the two events.
func (c *call) emitChargeRefund(r *record, before *spec.Object) {
	if r.object().String("charge") != "" {
		c.emitUpdated("charge.refund.updated", r, before)
	}
}

// tellAccount plays the customer who tells the account that a refund goes to: POST /_sandbox/refunds/bank.
func tellAccount(w *realm, _ *http.Request, body []byte) (any, error) {
	var of struct {
		Refund string `json:"refund"`
	}
	if err := readControl(body, &of); err != nil {
		return nil, err
	}
	var refusal error
	failed := w.step(func() { refusal = w.own().tellAccount(of.Refund) })
	if refusal == nil {
		refusal = failed
	}
	return map[string]string{"refund": of.Refund}, refusal
}

func (c *call) tellAccount(id string) error {
	r := c.find("refund", id)
	if r == nil {
		return &errControl{http.StatusNotFound, "No such refund: '" + id + "'."}
	}
	if status := r.object().String("status"); status != requiresAction {
		return badControl("The refund " + id + " has a status of " + status + " and waits for nobody.")
	}
	before := r.object().Clone()
	r.object().Set("status", "pending").Set("pending_reason", "processing").Set("next_action", spec.Absent)
	c.emitUpdated("refund.updated", r, before)
	c.emitChargeRefund(r, before)
	c.in(decidedAfter, "refund.complete", r)
	return nil
}

// TellRefundAccount plays the customer who was asked by e-mail for an account that a refund can go to, and tells it.
func (w *World) TellRefundAccount(refund string) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/refunds/bank", map[string]string{"refund": refund}, nil)
}
