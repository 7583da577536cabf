package sandbox

import (
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// hostedKind is a kind of payment methods whose customers pay away from the merchant: on a bank's or a wallet's page, with an app that
// reads a QR code, or with a voucher at a till. What they do there, they do here on a hosted page. A new one is a row of hostedKinds.
type hostedKind struct {
	name       string // the type of its payment methods: ideal
	title      string // as customers know it
	currencies string // that it pays in, separated by spaces
	countries  string // of customers, by the country of billing_details where one is given; empty is any
	least      int64  // of a payment, in minor units of its one currency; 0 is no bound beyond Stripe's own
	most       int64  // likewise
	needs      string // of billing_details: name email
	must       string // a parameter of its own that a payment method must have
	action     string // type of next_action; empty is redirect_to_url
	open       time.Duration
	held       int64 // days that it holds money for a capture later; 0 is not at all
	reusable   bool  // it can belong to a customer and pay again
	bank       bool  // it saves the customer's bank account as a SEPA debit instead
	slow       bool  // what the customer has done is known to Stripe some days later only
	asks       bool  // for a refund the customer is asked by e-mail where to
	refundable int64 // days in which a payment can be refunded; 0 is not at all
	fails      string
	price      methodPrice
}

// How the customer's page ends.
const (
	completed = "complete"
	failed    = "fail"
	lapsed    = "expire"
)

// The codes of last_payment_error when the customer has failed, or given up. Those of wallets and lenders are in the change of
// 2024-04-10 (docs.stripe.com/changelog); that banks' redirects fail as an authentication does is what Stripe's mobile clients look for.
const (
	bankDeclines     = "payment_intent_authentication_failure"
	customerDeclines = "payment_method_customer_decline"
	attemptExpired   = "payment_intent_payment_attempt_expired"
)

// hostedWhy says it in words, which are unconfirmed but for the first.
var hostedWhy = map[string]string{
	bankDeclines:     "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
	customerDeclines: "The customer declined the payment. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
	attemptExpired:   "The payment attempt has expired: the customer did not complete it in time. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
}

// hostedByName finds the rows by the names of their kinds.
var hostedByName = func() map[string]*hostedKind {
	all := make(map[string]*hostedKind, len(hostedKinds))
	for i := range hostedKinds {
		all[hostedKinds[i].name] = &hostedKinds[i]
	}
	return all
}()

// hostedOf is the kind of a payment method; nil where its customers pay nowhere else.
func hostedOf(method *record) *hostedKind {
	if method == nil {
		return nil
	}
	return hostedByName[method.text("type")]
}

// methodKindsHosted are the rows as kinds of payment methods.
func methodKindsHosted() (all []*methodKind) {
	for i := range hostedKinds {
		all = append(all, hostedKinds[i].methodKind())
	}
	return all
}

func (h *hostedKind) methodKind() *methodKind {
	k := &methodKind{name: h.name, currencies: strings.Fields(h.currencies), least: h.least, most: h.most, needs: strings.Fields(h.needs),
		bare: true, reusable: h.reusable, holds: h.held > 0, heldFor: h.held, price: []methodPrice{h.price},
		refunds: refundTerms{within: h.refundable, never: h.refundable == 0, asks: h.asks, source: h.price.source},
		read:    h.read, check: h.check, pay: h.pay, option: h.option, detail: h.detail}
	if h.reusable || h.bank {
		k.setUp = h.setUp
	}
	return k
}

// read takes in the parameters of a payment method that it shows.
func (h *hostedKind) read(c *call, r *record, p *spec.Params) error {
	o := r.object().Sub(h.name)
	if h.must != "" && p.String(h.must) == "" {
		param := h.name + "[" + h.must + "]"
		return invalid("parameter_missing", param, "Missing required param: %s.", param)
	}
	for _, name := range p.Names() {
		set(o, name, p)
	}
	switch h.name {
	case "ideal":
		if bic := idealBanks[o.String("bank")]; bic != "" {
			o.Set("bic", bic)
		}
	case "naver_pay":
		if o.String("funding") == "" {
			o.Set("funding", "card")
		}
	}
	return h.checkCountry(r)
}

// checkCountry refuses a customer from where the kind is not offered.
func (h *hostedKind) checkCountry(r *record) error {
	country, _ := r.object().At("billing_details", "address", "country").(string)
	if h.countries == "" || country == "" || slices.Contains(strings.Fields(h.countries), country) {
		return nil
	}
	return invalid("", "billing_details[address][country]", "The billing country %s is not supported by the payment method `%s`. It supports customers in: %s.",
		country, h.name, strings.Join(strings.Fields(h.countries), ", "))
}

// leads says whether the customer is led away, rather than shown something.
func (h *hostedKind) leads() bool { return h.action == "" || h.action == "alipay_handle_redirect" }

// check refuses to begin a payment without what the kind needs.
func (h *hostedKind) check(c *call, r, method *record) error {
	if h.leads() && !c.params.Has("return_url") && !c.params.Bool("use_stripe_sdk") && !c.offSession() {
		return invalid("", "", "You must provide a `return_url` when confirming a %s with the payment method type %s.", r.kind(), h.name)
	}
	option := func(name string) string { return c.params.String("payment_method_options", h.name, name) }
	switch {
	case r.resource.Object != "payment_intent":
	case !h.reusable && !h.bank && c.usageFor(r, method) != "":
		return invalid("payment_intent_invalid_parameter", "setup_future_usage", "The payment method type `%s` does not support `setup_future_usage`.", h.name)
	case h.name == "wechat_pay" && option("client") == "" && r.object().At("payment_method_options", h.name, "client") == nil:
		return invalid("parameter_missing", "payment_method_options[wechat_pay][client]", "Missing required param: payment_method_options[wechat_pay][client].")
	case h.name == "blik":
		if code := option("code"); len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			return invalid("payment_method_invalid_parameter", "payment_method_options[blik][code]", "The BLIK code consists of six digits.")
		}
	}
	return nil
}

// pay sends the customer away, and waits. Whoever is away already pays at once with what was set up for that.
func (h *hostedKind) pay(c *call, r, method *record) error {
	if state := private[intent](r); state.OffSession {
		if private[instrument](method).SetUp {
			return c.charge(r, method, nil)
		}
		return c.failPayment(r, method, authenticationRequired, nil)
	}
	c.sendAway(r, method, h)
	c.emit("payment_intent.requires_action", r)
	return nil
}

// setUp sends the customer away to agree to later payments.
func (h *hostedKind) setUp(c *call, r, method *record) error {
	c.attempt(r, method, requiresAction)
	c.sendAway(r, method, h)
	c.emit("setup_intent.requires_action", r)
	return nil
}

// option is what payment_method_options shows where nothing was given.
func (h *hostedKind) option(o *spec.Object) {
	if f, counts := spec.FieldOf(o.Shape(), "expires_after_days"); counts && !f.Nullable {
		o.Set("expires_after_days", voucherZones[h.name].days)
	}
}

// why is how a customer's failure is told.
func (h *hostedKind) why(r *record, outcome string) *apiError {
	code := h.fails
	if outcome == lapsed {
		code = attemptExpired
	}
	message := hostedWhy[code]
	if r.resource.Object == "setup_intent" {
		code = strings.Replace(code, "payment_intent", "setup_intent", 1)
		message = strings.ReplaceAll(message, "PaymentIntent", "SetupIntent")
	}
	return &apiError{kind: invalidRequest, code: code, message: message}
}

// settle ends the customer's absence and says what its redirect_status becomes.
func (h *hostedKind) settle(c *call, r, method *record, outcome string) string {
	if err := c.belongs(r, method); err != nil { // it may have been spent or detached meanwhile
		c.failAuthentication(r, method, asAPIError(err))
		return "failed"
	}
	if outcome != completed {
		c.failAuthentication(r, method, h.why(r, outcome))
		return "failed"
	}
	if r.resource.Object == "setup_intent" {
		return h.finish(c, r, method)
	}
	h.saveBank(c, r, method)
	if h.slow {
		ch := c.pend(r, method)
		h.linkBank(c, r, "charge", ch.id)
		c.in(slowAfter, "charge.clear", ch)
		return "pending"
	}
	if err := c.charge(r, method, nil); err != nil {
		return "failed"
	}
	h.linkBank(c, r, "charge", r.object().String("latest_charge"))
	return "succeeded"
}

// finish ends a set-up well.
func (h *hostedKind) finish(c *call, r, method *record) string {
	h.saveBank(c, r, method)
	if err := c.finishSetup(r, method, nil); err != nil {
		return "failed"
	}
	h.linkBank(c, r, "setup_attempt", r.object().String("latest_attempt"))
	return "succeeded"
}

// slowAfter is how long the outcome of a slow kind takes in test mode (docs.stripe.com/payments/sofort: some minutes; unconfirmed).
const slowAfter = 3 * time.Minute
