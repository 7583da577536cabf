package sandbox

import "github.com/till-pay/till/sandbox/spec"

// A bank's redirect cannot pay again by itself. Where a payment or a set-up is to be used later, Stripe saves the customer's bank account
// instead, as a SEPA debit with a mandate (docs.stripe.com/payments/ideal/set-up-payment).

// savedBank is the debit that an intent has saved, and its mandate.
type savedBank struct{ Method, Mandate string }

// hostedIBANs are the test accounts that customers have, by the kind of the redirect.
var hostedIBANs = map[string]string{"bancontact": "BE62510007547061", "ideal": "NL39RABO0300065264", "sofort": "DE89370400440532013000"}

// saveBank saves the bank account of a customer who has just agreed to that, if one is to be saved.
func (h *hostedKind) saveBank(c *call, r, method *record) {
	if !h.bank || r.resource.Object == "payment_intent" && c.usageFor(r, method) == "" {
		return
	}
	saved := c.record("payment_method", c.newID("pm_"))
	c.startMethod(saved, methodKinds["sepa_debit"])
	saved.object().Set("billing_details", method.object().Sub("billing_details").Clone())
	c.fillSEPA(saved, hostedIBANs[h.name])
	c.keep(saved)
	private[intent](r).Saved = &savedBank{saved.id, c.newMandate(r, saved, true).id}
}

// linkBank tells a saved debit where it comes from, and gives it to the customer. In a set-up the attempt is told of it too; a charge has
// been told by detail.
func (h *hostedKind) linkBank(c *call, r *record, field, from string) {
	state := private[intent](r)
	if state.Saved == nil {
		return
	}
	saved := c.byID[state.Saved.Method]
	saved.object().Sub("sepa_debit").Set("generated_from", spec.New("sepa_debit_generated_from").Set(field, from))
	if field == "setup_attempt" {
		h.showBank(r, c.byID[from].object().Sub("payment_method_details").Sub(h.name))
	}
	state.Saved = nil
	if customer := r.object().String("customer"); customer != "" {
		c.attach(saved, customer)
	}
}

// showBank writes the saved debit into the details of a charge or an attempt.
func (h *hostedKind) showBank(r *record, o *spec.Object) {
	if state := known[intent](r); state != nil && state.Saved != nil {
		o.Set("generated_sepa_debit", state.Saved.Method).Set("generated_sepa_debit_mandate", state.Saved.Mandate)
	}
}
