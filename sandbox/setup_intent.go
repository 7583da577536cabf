package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

var setupIntents = &resource{
	Object: "setup_intent",
	Path:   "/v1/setup_intents",
	Prefix: "seti_",
	Noun:   "setupintent",
	Param:  "intent",
	Plain:  []string{"description", "excluded_payment_method_types", "flow_directions"},
	Takes: []string{"attach_to_self", "automatic_payment_methods", "cancellation_reason", "confirm", "confirmation_token", "customer", "payment_method", "payment_method_data",
		"payment_method_configuration", "payment_method_options", "payment_method_types", "return_url", "usage", "use_stripe_sdk",
		"mandate_data", "amounts", "descriptor_code"},
	Create:    createSetupIntent,
	Made:      setUpIfAsked,
	Update:    updateSetupIntent,
	Announces: []string{"created"},
	Verbs:     verbs{"confirm": confirmSetupIntent, "cancel": cancelSetupIntent, "verify_microdeposits": verifyMicrodeposits},
	Due:       map[string]func(*call, *record, string){"unverified": (*call).failMicrodeposits, "page": foreseen},
	Filters:   []string{"customer", "customer_account", "payment_method"},
	Browser:   []string{"GET", "confirm", "verify_microdeposits"},
	Private:   func() any { return new(intent) },
}

// setupAttempts are the tries of a SetupIntent; they are only listed.
var setupAttempts = &resource{
	Object: "setup_attempt",
	Path:   singleton,
	Index:  []string{"setup_intent"},
	Others: map[string]func(*call) (appender, error){"GET /v1/setup_attempts": listAttempts},
}

func listAttempts(c *call) (appender, error) {
	id := c.params.String("setup_intent")
	if c.find("setup_intent", id) == nil {
		return nil, missingIn("setup_intent", "setupintent", id)
	}
	return c.listOf("setup_attempt", "setup_intent", id, "/v1/setup_attempts", func(*record) bool { return true })
}

func createSetupIntent(c *call, r *record) error {
	r.hidden = &intent{Confirming: c.params.Bool("confirm")}
	o := r.object().Set("status", requiresMethod).Set("usage", "off_session").Set("client_secret", r.id+"_secret_"+c.letters(31))
	o.Set("managed_payments", spec.New("smor_resource_managed_payments"))
	if c.params.Has("usage") {
		o.Set("usage", c.params.String("usage"))
	}
	if c.params.Has("attach_to_self") {
		o.Set("attach_to_self", c.params.Bool("attach_to_self"))
	}
	if err := c.chooseTypes(r, "payment_flows_automatic_payment_methods_setup_intent"); err != nil {
		return err
	}
	if err := c.chooseCustomer(r); err != nil {
		return err
	}
	c.chooseOptions(r, "setup_intent_payment_method_options")
	return c.chooseFirst(r)
}

func setUpIfAsked(c *call, r *record) error {
	if !private[intent](r).Confirming {
		return nil
	}
	private[intent](r).Confirming = false
	return c.setUp(r)
}

func updateSetupIntent(c *call, r *record) error {
	if status := r.object().String("status"); status == succeeded || status == canceled {
		for _, name := range []string{"customer", "payment_method", "payment_method_data", "payment_method_types"} {
			if c.params.Has(name) {
				return c.unexpected(r, "This SetupIntent's "+name+" could not be updated because it has a status of "+status+". You may only update the "+name+" of a SetupIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.")
			}
		}
	}
	was := r.object().String("status")
	if err := c.adjustSetup(r); err != nil {
		return err
	}
	if c.params.Has("attach_to_self") {
		r.object().Set("attach_to_self", c.params.Bool("attach_to_self"))
	}
	c.reconsider(r, was)
	return nil
}

func (c *call) adjustSetup(r *record) error {
	if err := c.changeConfiguration(r); err != nil {
		return err
	}
	if c.params.Has("payment_method_types") {
		if err := c.chooseTypes(r, "payment_flows_automatic_payment_methods_setup_intent"); err != nil {
			return err
		}
		r.object().Set("automatic_payment_methods", nil).Set("payment_method_configuration_details", nil)
	}
	if err := c.chooseCustomer(r); err != nil {
		return err
	}
	if c.params.Has("payment_method_options") {
		c.chooseOptions(r, "setup_intent_payment_method_options")
	}
	return c.choosePaymentMethod(r)
}

func confirmSetupIntent(c *call, r *record) error {
	status := r.object().String("status")
	if !slices.Contains([]string{requiresMethod, requiresConfirmation, requiresAction}, status) {
		return c.unexpected(r, "You cannot confirm this SetupIntent because it has a status of "+status+". Only a SetupIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.")
	}
	if err := c.checkReturnURL(r); err != nil {
		return err
	}
	err := c.changing(r, func() error {
		if err := c.fill(r); err != nil {
			return err
		}
		if err := c.adjustSetup(r); err != nil {
			return err
		}
		return c.checkChosen(r)
	})
	if err != nil {
		return err
	}
	return c.setUp(r)
}

// setUp tries to make the chosen payment method ready for later payments.
func (c *call) setUp(r *record) error {
	state := private[intent](r)
	method := c.find("payment_method", r.object().String("payment_method"))
	if method == nil {
		return c.unexpected(r, r.missingMethod())
	}
	if err := c.belongs(r, method); err != nil {
		return err
	}
	c.useConfirmation(r)
	c.readSession(state, r)
	c.endChallenge(state)
	if k := methodKindOf(method); k != nil {
		return k.setUp(c, r, method)
	}
	in := private[instrument](method)
	if in.card().does.secure == secureSetUp { // it is set up from the beginning
		return c.finishSetup(r, method, nil)
	}
	state.Asked = c.requestsSecure(r, method) || state.Asked
	a := c.authenticate(state, method)
	switch {
	case a.refusal != nil:
		return c.failSetup(r, method, declined(a.refusal))
	case a.challenged:
		c.challengeSetup(r, method)
		return nil
	default:
		return c.finishSetup(r, method, a.result)
	}
}

// finishSetup asks the issuer, and attaches the payment method to the customer.
func (c *call) finishSetup(r, method *record, secured *spec.Object) error {
	if err := c.validateCard(method); err != nil {
		refusal := asAPIError(err)
		refusal.noParam, refusal.param = false, refusal.decline.param
		return c.failSetup(r, method, refusal)
	}
	if d := c.screenSetup(r, method); d != nil {
		return c.failSetup(r, method, declined(d))
	}
	attempt := c.attempt(r, method, succeeded)
	if secured != nil {
		attempt.object().Sub("payment_method_details").Sub("card").Set("three_d_secure", secureDetails(secured))
	}
	r.object().Set("status", succeeded).Set("next_action", nil).Set("last_setup_error", nil)
	in := private[instrument](method)
	in.SetUp = in.SetUp || r.object().String("usage") == "off_session"
	k := methodKindOf(method)
	if customer := r.object().String("customer"); customer != "" && method.object().String("customer") == "" && (k == nil || k.reusable) {
		c.attach(method, customer)
	}
	c.emit("setup_intent.succeeded", r)
	return nil
}

// secureDetails is a charge's three_d_secure in the shape of a SetupAttempt's.
func secureDetails(from *spec.Object) *spec.Object {
	o := spec.New("three_d_secure_details")
	for _, f := range spec.Fields("three_d_secure_details") {
		if value := from.Get(f.Name); value != nil {
			o.Set(f.Name, value)
		}
	}
	return o
}

// failSetup books a try that failed: the intent can be tried again with another payment method.
func (c *call) failSetup(r, method *record, refusal *apiError) error {
	refusal.paymentMethod = method
	shown := refusal.object().Set("payment_method", method.object().Clone())
	attempt := c.attempt(r, method, "failed")
	attempt.object().Set("setup_error", shown.Clone())
	r.object().Set("status", requiresMethod).Set("payment_method", nil).Set("next_action", nil).Set("last_setup_error", shown)
	c.emit("setup_intent.setup_failed", r)
	refusal.setupIntent = r
	return refusal
}

// attempt stores a try of a SetupIntent. The one that a challenge left open ends with it.
func (c *call) attempt(r, method *record, status string) *record {
	if open := c.byID[r.object().String("latest_attempt")]; open != nil && open.object().String("status") == requiresAction && open.object().String("payment_method") == method.id {
		open.object().Set("status", status)
		return open
	}
	a := c.record("setup_attempt", c.newID("setatt_"))
	o := a.object().Set("setup_intent", r.id).Set("payment_method", method.id).Set("status", status).Set("usage", r.object().String("usage")).Set("customer", r.object().Get("customer"))
	c.insert(a)
	r.object().Set("latest_attempt", a.id)
	if k := methodKindOf(method); k != nil {
		o.Set("payment_method_details", k.attempted(method))
		return a
	}
	in, from := private[instrument](method), method.object().Sub("card")
	of := spec.New("setup_attempt_payment_method_details_card")
	o.Set("payment_method_details", spec.New("setup_attempt_payment_method_details").Set("type", "card").Set("card", of))
	for _, name := range []string{"brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4"} {
		of.Set(name, from.Get(name))
	}
	of.Set("network", from.String("brand")).Set("checks", spec.New("setup_attempt_payment_method_details_card_checks").Set("cvc_check", in.cvcCheck()))
	return a
}

func cancelSetupIntent(c *call, r *record) error {
	switch status := r.object().String("status"); status {
	case canceled:
		return c.unexpected(r, "You cannot cancel this SetupIntent because it it already canceled.") // sic
	case requiresMethod, requiresConfirmation, requiresAction:
	default:
		return c.unexpected(r, "You cannot cancel this SetupIntent because it has a status of "+status+". Only a SetupIntent with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`.")
	}
	c.endChallenge(private[intent](r))
	r.object().Set("status", canceled).Set("next_action", nil)
	if reason := c.params.String("cancellation_reason"); reason != "" {
		r.object().Set("cancellation_reason", reason)
	}
	c.emit("setup_intent.canceled", r)
	return nil
}
