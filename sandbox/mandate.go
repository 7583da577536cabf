package sandbox

import (
	"regexp"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// The statuses of a mandate. One that is for a single payment is inactive once it has been used.
const (
	mandatePending  = "pending"
	mandateActive   = "active"
	mandateInactive = "inactive"
	mandateRefused  = "refused" // network_status of a Bacs mandate
)

// mandates are permissions to debit an account. They come from confirmations, and are only retrieved.
var mandates = &resource{
	Object: "mandate",
	Path:   singleton,
	Prefix: "mandate_",
	Param:  "mandate",
	Index:  []string{"payment_method"},
	Due:    map[string]func(*call, *record, string){"decide": (*call).decideMandate},
	Others: map[string]func(*call) (appender, error){
		"GET /v1/mandates/x_1": func(c *call) (appender, error) { return kinds["mandate"].retrieve(c) },
	},
}

// checkMandate wants the mandate that a debit needs: one that the parameters name, the account's own, or what makes a new one. A browser
// has Stripe.js tell how the customer has agreed, and so has a ConfirmationToken.
func (c *call) checkMandate(r, method *record) error {
	if err := c.checkReferencePrefix(r, method); err != nil {
		return err
	}
	if id := c.params.String("mandate"); id != "" {
		return c.checkNamedMandate(r, method, id)
	}
	kind := method.object().String("type")
	switch {
	case c.params.Has("mandate_data"):
		return c.checkAcceptance()
	case c.browser, c.confirmationToken() != nil:
		return nil
	case r.resource.Object == "setup_intent":
		return invalid("parameter_missing", "mandate_data", "When confirming a SetupIntent with a `%s` PaymentMethod, `mandate_data` is required.", kind)
	case c.usageFor(r, method) != "":
		return invalid("parameter_missing", "mandate_data", "When confirming a PaymentIntent with a `%s` PaymentMethod and `setup_future_usage`, `mandate_data` is required.", kind)
	case c.mandateOf(method) == nil:
		return invalid("", "", "This PaymentIntent requires a mandate, but no existing mandate was found. Collect mandate acceptance from the customer and try again, providing acceptance data in the mandate_data parameter.")
	}
	return nil
}

func (c *call) checkNamedMandate(r, method *record, id string) error {
	if c.params.Has("mandate_data") {
		return exclusive("mandate", "mandate", "mandate_data")
	}
	m := c.find("mandate", id)
	switch {
	case m == nil:
		return missingIn("mandate", "mandate", id)
	case m.object().String("payment_method") != method.id, m.object().String("status") == mandateInactive:
		return invalid(r.resource.Object+"_mandate_invalid", "mandate", "The provided mandate is invalid and can not be used for the payment intent.")
	}
	return nil
}

// checkAcceptance refuses what does not say how the customer has agreed.
func (c *call) checkAcceptance() error {
	const at = "mandate_data[customer_acceptance]"
	switch kind := c.params.String("mandate_data", "customer_acceptance", "type"); kind {
	case "offline":
		return nil
	case "online":
		for _, name := range []string{"ip_address", "user_agent"} {
			if c.params.String("mandate_data", "customer_acceptance", "online", name) == "" && !c.browser {
				return invalid("parameter_missing", at+"[online]["+name+"]", "Missing required param: %s[online][%s].", at, name)
			}
		}
		return nil
	default:
		return invalid("parameter_missing", at+"[type]", "Missing required param: %s[type].", at)
	}
}

// mandateOf is the newest mandate under which an account can be debited again; nil is none.
func (c *call) mandateOf(method *record) *record {
	for _, m := range slices.Backward(c.having("mandate", "payment_method", method.id)) {
		if m.text("type") == "multi_use" && m.text("status") != mandateInactive {
			return m
		}
	}
	return nil
}

// takeMandate is the mandate of a confirmation that checkMandate has let pass: an existing one, or a new one.
func (c *call) takeMandate(r, method *record) *record {
	if m := c.find("mandate", c.params.String("mandate")); m != nil {
		return m
	}
	setUp := r.resource.Object == "setup_intent" || c.usageFor(r, method) != ""
	if m := c.mandateOf(method); m != nil && !setUp && !c.params.Has("mandate_data") {
		return m
	}
	return c.newMandate(r, method, setUp)
}

// newMandate is a mandate that an intent brings: for as many payments as there will be, or for the intent's own.
func (c *call) newMandate(r, method *record, again bool) *record {
	m := c.undated("mandate", "mandate_")
	o := m.object().Set("payment_method", method.id).Set("status", mandateActive).Set("customer_acceptance", c.acceptance())
	if again {
		o.Set("type", "multi_use").Set("multi_use", spec.New("mandate_multi_use"))
	} else {
		o.Set("type", "single_use").Set("single_use", spec.New("mandate_single_use").Set("amount", r.object().Int("amount")).Set("currency", r.object().String("currency")))
	}
	c.describeMandate(m, r, method)
	c.insert(m)
	return m
}

// acceptance is how and when the customer has agreed.
func (c *call) acceptance() *spec.Object {
	given := c.params.Sub("mandate_data", "customer_acceptance")
	o := spec.New("customer_acceptance").Set("type", "online").Set("accepted_at", c.now().Unix())
	if given.Has("accepted_at") {
		o.Set("accepted_at", given.Int("accepted_at"))
	}
	if given.String("type") == "offline" {
		return o.Set("type", "offline").Set("offline", spec.New("offline_acceptance"))
	}
	online := spec.New("online_acceptance").Set("ip_address", "127.0.0.1").Set("user_agent", "Stripe.js")
	for _, name := range []string{"ip_address", "user_agent"} {
		if text := given.String("online", name); text != "" {
			online.Set(name, text)
		}
	}
	return o.Set("online", online)
}

// describeMandate writes in what the mandates of a kind show, and arranges what their network says to them.
func (c *call) describeMandate(m, r, method *record) {
	kind := method.object().String("type")
	all := spec.New("mandate_payment_method_details").Set("type", kind)
	field, _ := spec.FieldOf("mandate_payment_method_details", kind)
	of := spec.New(field.Shapes[0])
	switch kind {
	case "sepa_debit":
		of.Set("reference", c.mandateReference(r, kind, 16)).Set("url", mandateURL(kind, m.id))
	case "bacs_debit":
		m.object().Set("status", mandatePending)
		of.Set("reference", c.mandateReference(r, kind, 10)).Set("url", mandateURL(kind, m.id)).Set("network_status", "pending")
		c.at(c.debited(methodKinds[kind], debit{}, true), "mandate.decide", m)
	case "au_becs_debit":
		of.Set("url", mandateURL(kind, m.id))
	case "us_bank_account":
		if c.needsDeposits(r, method) {
			m.object().Set("status", mandatePending)
		}
	}
	m.object().Set("payment_method_details", all.Set(kind, of))
}

// mandateReference is what a mandate is called at the banks: what the intent asks it to begin with, and so many random characters, of
// which with a prefix as many are left out, but eight.
func (c *call) mandateReference(r *record, kind string, n int) string {
	prefix := referencePrefix(r, kind)
	return prefix + upper(c.letters(max(n-len(prefix), 8)))
}

func referencePrefix(r *record, kind string) string {
	prefix, _ := r.object().At("payment_method_options", kind, "mandate_options", "reference_prefix").(string)
	return prefix
}

var referenceForm = regexp.MustCompile(`^[A-Z0-9 ./_&-]{0,12}$`)

// checkReferencePrefix refuses what a mandate's reference may not begin with (docs.stripe.com/payments/payment-methods/bacs-debit).
func (c *call) checkReferencePrefix(r, method *record) error {
	prefix := referencePrefix(r, method.object().String("type"))
	if !referenceForm.MatchString(prefix) || strings.HasPrefix(prefix, "DDIC") || strings.HasPrefix(prefix, "STRIPE") {
		return invalid("invalid_mandate_reference_prefix_format", "payment_method_options["+method.object().String("type")+"][mandate_options][reference_prefix]",
			"The mandate reference prefix must be at most 12 characters of A-Z, 0-9, spaces and ./_-&, and must not begin with DDIC or STRIPE.")
	}
	return nil
}

// mandateURL is where a customer reads a mandate; the page itself is Stripe's, and not here.
func mandateURL(kind, id string) string {
	return "https://hooks.stripe.com/adapter/" + kind + "/file/" + strings.TrimPrefix(id, "mandate_")
}

// decideMandate is what the Bacs network says to a mandate.
func (c *call) decideMandate(m *record, _ string) {
	if m.text("status") != mandatePending {
		return
	}
	method := c.byID[m.text("payment_method")]
	before := m.object().Clone()
	of := m.object().Sub("payment_method_details").Sub("bacs_debit")
	if debitOf(method).mandate == mandateRefused {
		of.Set("network_status", "refused").Set("revocation_reason", "could_not_process")
		m.object().Set("status", mandateInactive)
	} else {
		of.Set("network_status", "accepted")
		m.object().Set("status", mandateActive)
	}
	c.emitUpdated("mandate.updated", m, before)
}

// activateMandate lets an account be debited whose holder has shown that it is theirs.
func (c *call) activateMandate(id string) {
	m := c.find("mandate", id)
	if m == nil || m.text("status") != mandatePending {
		return
	}
	before := m.object().Clone()
	m.object().Set("status", mandateActive)
	c.emitUpdated("mandate.updated", m, before)
}

// endMandate ends a mandate: it has been used, or, where there is a failure, its holder does not stand by it.
func (c *call) endMandate(m *record, failure string) {
	if m.text("status") == mandateInactive {
		return
	}
	before := m.object().Clone()
	m.object().Set("status", mandateInactive)
	if of := m.object().Sub("payment_method_details").Sub("bacs_debit"); of != nil && failure != "" {
		of.Set("network_status", "revoked").Set("revocation_reason", "debit_not_authorized")
	}
	c.emitUpdated("mandate.updated", m, before)
}

// mandateOn writes the mandate of an intent into what its charge says of the account.
func mandateOn(_ *call, r, _ *record, o *spec.Object) {
	if state := private[intent](r); state != nil && state.Mandate != "" {
		o.Set("mandate", state.Mandate)
	}
}
