package sandbox

import (
	"net/url"

	"github.com/till-pay/till/sandbox/spec"
)

func confirmPaymentIntent(c *call, r *record) error {
	switch status := r.object().String("status"); status {
	case requiresMethod, requiresConfirmation, requiresAction:
	case succeeded:
		return c.unexpected(r, "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.")
	default:
		return c.unexpected(r, "You cannot confirm this PaymentIntent because it has a status of "+status+". Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.")
	}
	if c.browser && r.object().String("confirmation_method") == "manual" {
		return invalid("secret_key_required", "", "You cannot confirm this PaymentIntent with a publishable key because its confirmation_method is manual. Please confirm it with a secret key.")
	}
	if err := c.checkReturnURL(r); err != nil {
		return err
	}
	if _, err := c.cvcToken(); err != nil {
		return err
	}
	err := c.changing(r, func() error {
		if err := c.fill(r); err != nil {
			return err
		}
		if err := c.checkSession(r); err != nil {
			return err
		}
		if err := c.adjustPayment(r); err != nil {
			return err
		}
		return c.checkChosen(r)
	})
	if err != nil {
		return err
	}
	return c.confirmPayment(r)
}

// unexpected refuses what an intent's status does not allow, and shows the intent.
func (c *call) unexpected(r *record, message string) error {
	e := refused(r.resource.Object+"_unexpected_state", "", "%s", message)
	if r.resource.Object == "setup_intent" {
		e.setupIntent = r
	} else {
		e.paymentIntent = r
	}
	return e
}

// confirmPayment tries to pay with the payment method that has been chosen.
func (c *call) confirmPayment(r *record) error {
	state := private[intent](r)
	method := c.find("payment_method", r.object().String("payment_method"))
	if method == nil {
		return c.unexpected(r, r.missingMethod())
	}
	if err := c.belongs(r, method); err != nil {
		return err
	}
	if err := c.maySell(r); err != nil {
		return err
	}
	c.recollect(method)
	c.useConfirmation(r)
	c.readSession(state, r)
	c.endChallenge(state)
	c.returnCash(r)
	if k := methodKindOf(method); k != nil {
		if ch, d := c.screenKind(r, method); d != nil {
			return c.refusePayment(r, ch, method, d)
		}
		return k.pay(c, r, method)
	}
	state.Asked = c.requestsSecure(r, method) || state.Asked
	a := c.authenticate(state, method)
	switch {
	case a.refusal != nil:
		return c.failPayment(r, method, a.refusal, a.result)
	case a.challenged && c.params.Bool("error_on_requires_action"):
		return c.failPayment(r, method, authenticationRequired, nil)
	case a.challenged:
		c.challengePayment(r)
		return nil
	default:
		return c.charge(r, method, a.result)
	}
}

// checkReturnURL refuses to confirm an intent that lets the customer be led away when there is no way back, and as that way back what
// no browser could be sent to, or what would run in the page that sends it. Apps have schemes of their own.
func (c *call) checkReturnURL(r *record) error {
	back := c.returnURL()
	if back == "" && !c.params.Has("return_url") {
		return c.checkRedirects(r)
	}
	if !sendable(back) {
		return invalid("url_invalid", "return_url", "Not a valid URL")
	}
	return nil
}

// sendable says whether a browser can be sent to an address.
func sendable(back string) bool {
	u, err := url.Parse(back)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Path+u.Opaque != "" && u.Scheme != "https" && u.Scheme != "http") &&
		u.Scheme != "javascript" && u.Scheme != "data" && u.Scheme != "vbscript"
}

// checkRedirects: an account has methods switched on that lead the customer away, from the beginning, and so has this one. Off session
// nobody is led away, and Stripe.js sees to itself.
func (c *call) checkRedirects(r *record) error {
	automatic := r.object().Sub("automatic_payment_methods")
	allowed := automatic.Bool("enabled") && automatic.String("allow_redirects") != "never" && !c.params.Has("payment_method_types")
	if !allowed || c.offSession() || c.browser || c.params.Bool("use_stripe_sdk") {
		return nil
	}
	return invalid("", "", "This %s is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.", r.kind())
}

// checkSession refuses to set a card up for later while its holder is away.
func (c *call) checkSession(r *record) error {
	if c.offSession() && r.object().String("setup_future_usage") != "" {
		return invalid("", "", "You cannot confirm with `off_session=true` when `setup_future_usage` is also set on the PaymentIntent. The customer needs to be on-session to perform the steps which may be required to set up the PaymentMethod for future usage. Please confirm this PaymentIntent with your customer on-session.")
	}
	return nil
}

// offSession says whether the customer is away: true, or one of two words that older clients send and that mean true.
func (c *call) offSession() bool {
	given := c.params.String("off_session")
	return given == "true" || given == "one_off" || given == "recurring"
}

// readSession notes how the customer takes part in this confirmation.
func (c *call) readSession(state *intent, r *record) {
	state.OffSession = c.offSession()
	state.ReturnURL = c.returnURL()
	state.Script = c.params.Bool("use_stripe_sdk")
	state.Risk = nil
	if online := c.params.Sub("mandate_data", "customer_acceptance", "online"); online != nil {
		state.IP, state.UserAgent = online.String("ip_address"), online.String("user_agent")
	}
	requested, _ := r.object().At("payment_method_options", "card", "request_three_d_secure").(string)
	state.Asked = requested == "any" || requested == "challenge"
}

// authentication is what 3D Secure has to say before a payment or a set-up.
type authentication struct {
	challenged bool
	refusal    *decline
	result     *spec.Object // three_d_secure of the charge; nil when there was none
}

// authenticate asks whether the holder has to be challenged.
func (c *call) authenticate(state *intent, method *record) authentication {
	in := private[instrument](method)
	does := in.card().does
	switch {
	case state.Authenticated == method.id:
		state.Authenticated = ""
		return authentication{result: secureResult("authenticated", "challenge", "05")}
	case in.device():
		return authentication{}
	case does.secure == secureLookupErr, does.secure == secureOptionalErr && state.Asked:
		return authentication{refusal: secureFailed, result: secureResult("processing_error", "", "").Set("result_reason", "protocol_error")}
	case does.challenged(state.OffSession, in.SetUp, state.Asked):
		if state.OffSession {
			return authentication{refusal: authenticationRequired}
		}
		return authentication{challenged: true}
	case does.secure == secureFrictionless:
		return authentication{result: secureResult("authenticated", "frictionless", "05")}
	case state.Asked && does.secure == secureUnsupported:
		return authentication{result: secureResult("not_supported", "", "")}
	case state.Asked:
		return authentication{result: secureResult("attempt_acknowledged", "", "06")}
	}
	return authentication{}
}

func secureResult(result, flow, indicator string) *spec.Object {
	o := spec.New("three_d_secure_details_charge").Set("result", result).Set("version", "2.2.0")
	if flow != "" {
		o.Set("authentication_flow", flow)
	}
	if indicator != "" {
		o.Set("electronic_commerce_indicator", indicator)
	}
	return o
}

// charge takes the money, or holds it, or has it declined.
func (c *call) charge(r, method *record, secured *spec.Object) error {
	ch := c.newCharge(r, method, secured)
	if d := c.screen(ch, method); d != nil {
		return c.refusePayment(r, ch, method, d)
	}
	if methodKindOf(method) == nil {
		passChecks(method)
	}
	captureMethod := captureMethodOf(r.object(), method.text("type"))
	ch.object().Set("status", "succeeded").Set("paid", true).Set("captured", captureMethod != "manual")
	o := r.object().Set("latest_charge", ch.id).Set("next_action", nil).Set("last_payment_error", nil)
	amount := o.Int("amount")
	if captureMethod == "manual" {
		o.Set("status", requiresCapture).Set("amount_capturable", amount)
		c.insert(ch)
		c.hold(r, ch)
	} else {
		o.Set("status", succeeded).Set("amount_received", amount)
		ch.object().Set("amount_captured", amount)
		c.insert(ch)
		if captureMethod == "automatic" {
			c.bookCharge(ch)
		} else {
			c.bookChargeLater(ch)
		}
	}
	c.emit("charge.succeeded", ch)
	if captureMethod == "manual" {
		c.emit("payment_intent.amount_capturable_updated", r)
	} else {
		c.emit("payment_intent.succeeded", r)
	}
	c.authorized(ch)
	c.keepMethod(r, method, usageOf(r.object(), method.text("type")))
	return nil
}

// captureMethodOf is the intent's capture method, which the option of the payment method's type overrides.
func captureMethodOf(o *spec.Object, kind string) string {
	if of, _ := o.At("payment_method_options", kind, "capture_method").(string); of != "" {
		return of
	}
	return o.String("capture_method")
}

// usageOf is what the payment method shall be used for later, which the option of its type overrides.
func usageOf(o *spec.Object, kind string) string {
	if of, _ := o.At("payment_method_options", kind, "setup_future_usage").(string); of != "" && of != "none" {
		return of
	}
	return o.String("setup_future_usage")
}

// keepMethod attaches a payment method that shall be used again to the customer, if there is one; one that shall not is spent.
func (c *call) keepMethod(r, method *record, usage string) {
	in := private[instrument](method)
	if k := methodKindOf(method); k != nil && !k.reusable {
		in.Used = true
		return
	}
	if usage == "off_session" {
		in.SetUp = true
	}
	if method.object().String("customer") != "" {
		return
	}
	switch customer := r.object().String("customer"); {
	case usage == "":
		in.Used = true
	case customer != "":
		c.attach(method, customer)
	}
}

// failPayment books an attempt that the issuer has declined.
func (c *call) failPayment(r, method *record, d *decline, secured *spec.Object) error {
	ch := c.newCharge(r, method, secured)
	c.refuseOutcome(ch, method, d)
	return c.refusePayment(r, ch, method, d)
}

// refusePayment books an attempt that came to nothing: a failed charge, and an intent that can be tried again with another payment method.
func (c *call) refusePayment(r, ch, method *record, d *decline) error {
	ch.object().Set("status", "failed").Set("paid", false).Set("captured", false).Set("failure_code", d.code).Set("failure_message", d.message)
	c.insert(ch)
	refusal := declined(d)
	if methodKindOf(method) != nil {
		refusal.kind = invalidRequest // only cards have card errors
	}
	refusal.charge, refusal.paymentMethod = ch.id, method
	r.object().Set("latest_charge", ch.id)
	c.backToMethod(r, refusal)
	c.emit("charge.failed", ch)
	c.emit("payment_intent.payment_failed", r)
	refusal.paymentIntent = r
	return refusal
}

// backToMethod takes the payment method off an intent and notes why.
func (c *call) backToMethod(r *record, why *apiError) {
	o := why.object()
	o.Set("payment_method", why.paymentMethod.object().Clone())
	r.object().Set("status", requiresMethod).Set("payment_method", nil).Set("next_action", nil).Set("last_payment_error", o)
}
