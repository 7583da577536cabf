package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/sandbox/spec"
)

// The statuses of a PaymentIntent, which a SetupIntent has too as far as they apply.
const (
	requiresMethod       = "requires_payment_method"
	requiresConfirmation = "requires_confirmation"
	requiresAction       = "requires_action"
	requiresCapture      = "requires_capture"
	processing           = "processing"
	succeeded            = "succeeded"
	canceled             = "canceled"
)

// intent is what the objects of PaymentIntents and SetupIntents do not show.
type intent struct {
	OffSession    bool
	Asked         bool        // 3D Secure was requested
	ReturnURL     string      // where the hosted page sends the customer back to
	Script        bool        // Stripe.js shall lead the customer there
	Challenge     challenge   // the latest
	Risk          *assessment `json:",omitempty"` // what a rule that requests 3D Secure was told of this confirmation
	IP            string      `json:",omitempty"` // of the customer, as the mandate says it
	UserAgent     string      `json:",omitempty"`
	Authenticated string      // the payment method whose holder has authenticated for the next confirmation
	Confirming    bool        // the confirmation that follows is one with the creation
	Mandate       string      // under which it debits
	Saved         *savedBank  `json:",omitempty"` // while the customer's bank account is being saved
	Cash          *cashWait   `json:",omitempty"` // while it waits for a bank transfer
	Deposits      deposits    // the latest microdeposits
}

var paymentIntents = &resource{
	Object: "payment_intent",
	Path:   "/v1/payment_intents",
	Prefix: "pi_",
	Param:  "intent",
	NewID:  func(w *realm, _ *spec.Params) string { return w.newPaymentID("pi_", "") },
	Plain:  []string{"description", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_group", "excluded_payment_method_types"},
	Takes: []string{"amount", "amount_to_capture", "automatic_payment_methods", "cancellation_reason", "capture_method", "confirm", "confirmation_method", "confirmation_token",
		"currency", "customer", "error_on_requires_action", "final_capture", "off_session", "payment_method", "payment_method_data", "payment_method_options",
		"payment_method_configuration", "payment_method_types", "return_url", "use_stripe_sdk", "application_fee_amount", "on_behalf_of", "transfer_data",
		"mandate", "mandate_data", "amounts", "descriptor_code", // the latter two of microdeposits
		"radar_options"}, // which asks nothing of a test card
	Create:    createPaymentIntent,
	Made:      confirmIfAsked,
	Update:    updatePaymentIntent,
	Announces: []string{"created"},
	Verbs:     verbs{"confirm": confirmPaymentIntent, "capture": capturePaymentIntent, "cancel": cancelPaymentIntent, "verify_microdeposits": verifyMicrodeposits, "apply_customer_balance": applyCustomerBalance},
	Filters:   []string{"customer", "customer_account"},
	Search:    []string{"amount", "currency", "customer", "status"},
	Until:     map[string]string{"charges": withCharges},
	Private:   func() any { return new(intent) },
	Due:       map[string]func(*call, *record, string){"expire": (*call).expire, "page": foreseen, "unverified": (*call).failMicrodeposits},
	Browser:   []string{"GET", "confirm", "verify_microdeposits"},
}

func createPaymentIntent(c *call, r *record) error {
	currency, err := readCurrency(c.params.String("currency"))
	if err != nil {
		return err
	}
	amount := c.params.Int("amount")
	if err := c.checkAmount(amount, currency); err != nil {
		return err
	}
	if err := c.checkEmail("receipt_email"); err != nil {
		return err
	}
	r.hidden = &intent{Confirming: c.params.Bool("confirm")}
	o := r.object()
	o.Set("amount", amount).Set("currency", currency.Lower()).Set("amount_details", spec.New("payment_flows_amount_details_client").Set("tip", spec.New("payment_flows_amount_details_client_resource_tip")))
	if !c.isPlatform() {
		o.Set("application", c.clientID())
	}
	o.Set("status", requiresMethod).Set("client_secret", r.id+"_secret_"+c.letters(25))
	o.Set("managed_payments", spec.New("smor_resource_managed_payments"))
	o.Set("capture_method", c.captureMethod()).Set("confirmation_method", "automatic")
	if c.params.Has("confirmation_method") {
		o.Set("confirmation_method", c.params.String("confirmation_method"))
	}
	if err := c.chooseTypes(r, "payment_flows_automatic_payment_methods_payment_intent"); err != nil {
		return err
	}
	if err := c.chooseParties(o); err != nil {
		return err
	}
	if err := c.chooseCustomer(r); err != nil {
		return err
	}
	if private[intent](r).Confirming {
		if err := c.checkSession(r); err != nil {
			return err
		}
	}
	c.chooseOptions(r, "payment_intent_payment_method_options")
	return c.chooseFirst(r)
}

// chooseFirst chooses the payment method of a new intent, which one that is to be confirmed at once must have.
func (c *call) chooseFirst(r *record) error {
	if private[intent](r).Confirming {
		if err := c.checkReturnURL(r); err != nil {
			return err
		}
		if _, err := c.cvcToken(); err != nil {
			return err
		}
	}
	if err := c.choosePaymentMethod(r); err != nil {
		return err
	}
	if private[intent](r).Confirming && r.object().String("payment_method") == "" {
		return invalid(r.resource.Object+"_unexpected_state", "", "%s", r.missingMethod())
	}
	return nil
}

// missingMethod refuses to confirm an intent that has no payment method.
func (r *record) missingMethod() string {
	if r.resource.Object == "setup_intent" {
		return "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method and then confirm it again."
	}
	return "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken."
}

func confirmIfAsked(c *call, r *record) error {
	if !private[intent](r).Confirming {
		return nil
	}
	private[intent](r).Confirming = false
	return c.confirmPayment(r)
}

// captureMethod is what was asked for, or the default of the API's version: since 2024-04-10 capturing asynchronously.
func (c *call) captureMethod() string {
	switch {
	case c.params.Has("capture_method"):
		return c.params.String("capture_method")
	case c.before(lateBooking):
		return "automatic"
	default:
		return "automatic_async"
	}
}

// chooseTypes settles which types of payment methods an intent takes.
func (c *call) chooseTypes(r *record, automatic string) error {
	types := c.params.Strings("payment_method_types")
	for _, kind := range types {
		if !methodType(kind) {
			return invalid("payment_intent_invalid_parameter", "payment_method_types", "The payment method type provided: %s is invalid. Please ensure the provided type is activated in your dashboard (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for any preview features that you are trying to use.", kind)
		}
	}
	asked := c.params.Bool("automatic_payment_methods", "enabled")
	if asked && len(types) > 0 {
		return exclusive("payment_method_types", "automatic_payment_methods", "payment_method_types")
	}
	if asked && c.params.Has("confirmation_method") {
		return exclusive("confirmation_method", "automatic_payment_methods", "confirmation_method")
	}
	configuration, err := c.chooseConfiguration()
	if err != nil {
		return err
	}
	if len(types) == 0 {
		types = []string{"card"}
		if asked || !c.params.Has("automatic_payment_methods") && !c.before(automaticMethods) {
			types = append(types, c.offered(r, configuration)...)
			redirects := "always"
			if c.params.Has("automatic_payment_methods", "allow_redirects") {
				redirects = c.params.String("automatic_payment_methods", "allow_redirects")
			}
			r.object().Set("automatic_payment_methods", spec.New(automatic).Set("enabled", true).Set("allow_redirects", redirects))
			r.object().Set("payment_method_configuration_details", spec.New("payment_method_config_biz_payment_method_configuration_details").Set("id", configuration))
		}
	}
	r.object().Set("payment_method_types", types)
	return c.checkTypes(r, types)
}

// checkTypes refuses types that do not pay in the currency of a payment.
func (c *call) checkTypes(r *record, types []string) error {
	if r.resource.Object != "payment_intent" {
		return nil
	}
	for _, name := range types {
		if k := methodKinds[name]; k != nil {
			if err := k.paysIn(r.object().String("currency")); err != nil {
				return err
			}
		}
	}
	return nil
}

// offered are the kinds that a configuration has switched on, as far as they pay in the currency of the payment.
func (c *call) offered(r *record, configuration string) (types []string) {
	on := known[offer](c.find("payment_method_configuration", configuration)).On
	for _, name := range on {
		if k := methodKinds[name]; r.resource.Object == "setup_intent" && k.setUp != nil || k.paysIn(r.object().String("currency")) == nil {
			types = append(types, name)
		}
	}
	return types
}

// methodType says whether Stripe has payment methods of a type. An intent may wait for any of them, although not all pay here.
func methodType(kind string) bool {
	f, declared := spec.FieldOf("payment_method", kind)
	return declared && f.Optional && len(f.Shapes) == 1 && !f.Expandable && f.Shapes[0] != "radar_radar_options"
}

// methodTypes are the types of payment methods that an intent takes.
func (r *record) methodTypes() []string {
	types, _ := r.object().Get("payment_method_types").([]string)
	return types
}

// chooseCustomer checks and stores the customer.
func (c *call) chooseCustomer(r *record) error {
	if !c.params.Has("customer") {
		return nil
	}
	id := c.params.String("customer")
	if id == "" {
		r.object().Set("customer", nil)
		return nil
	}
	if c.find("customer", id) == nil {
		return missingIn("customer", "customer", id)
	}
	r.object().Set("customer", id)
	return nil
}

// chooseOptions stores the options of cards, and of other kinds.
func (c *call) chooseOptions(r *record, shape string) {
	options := r.object().Sub("payment_method_options")
	if others := c.chooseKindOptions(r, options, shape); others != nil {
		options = others
		r.object().Set("payment_method_options", options)
	}
	if !slices.Contains(r.methodTypes(), "card") {
		return
	}
	if options == nil {
		options = spec.New(shape)
	}
	of := options.Sub("card")
	if of == nil {
		of = spec.New(shape+"_card").Set("request_three_d_secure", "automatic")
	}
	if given := c.params.Sub("payment_method_options", "card"); given != nil {
		for _, name := range []string{"request_three_d_secure", "setup_future_usage", "capture_method", "network"} {
			if _, declared := spec.FieldOf(of.Shape(), name); declared && given.Has(name) {
				set(of, name, given)
			}
		}
	}
	r.object().Set("payment_method_options", options.Set("card", of))
}

// choosePaymentMethod finds or makes the payment method that the parameters name and stores it. It comes last among the checks,
// since making one leaves something behind.
func (c *call) choosePaymentMethod(r *record) error {
	var method *record
	switch {
	case c.params.Has("confirmation_token"):
		found, err := c.confirmedWith(r)
		if err != nil {
			return err
		}
		method = found
	case c.params.Has("payment_method_data") && c.params.Has("payment_method"):
		return exclusive("payment_method_data", "payment_method", "payment_method_data")
	case c.params.Has("payment_method_data"):
		method = c.record("payment_method", c.newID("pm_"))
		if err := c.describeMethod(method, c.params.Sub("payment_method_data")); err != nil {
			return err
		}
	case c.params.Unset("payment_method"):
		r.object().Set("payment_method", nil)
		r.object().Set("status", requiresMethod)
		return nil
	case c.params.String("payment_method") != "":
		found, err := c.paymentMethod(c.params.String("payment_method"))
		if err != nil {
			return err
		}
		method = found
	default:
		return nil
	}
	if err := c.belongs(r, method); err != nil {
		return err
	}
	if types, kind := r.methodTypes(), method.object().String("type"); !slices.Contains(types, kind) {
		return invalid("", "payment_method", "The PaymentMethod provided (%s) is not allowed for this %s. Please attach a PaymentMethod of one of the following types: %s. Alternatively update the allowed payment_method_types for this %s to include \"%s\".", kind, r.kind(), strings.Join(types, ", "), r.kind(), kind)
	}
	if c.confirms(r) {
		if err := c.checkMethod(r, method); err != nil {
			return err
		}
	}
	c.keep(method)
	r.object().Set("payment_method", method.id).Set("status", requiresConfirmation)
	return nil
}

// belongs refuses a payment method of another customer than the intent's, and one that is spent.
func (c *call) belongs(r, method *record) error {
	owner, customer := method.object().String("customer"), r.object().String("customer")
	switch {
	case owner == "":
		return method.reusable()
	case customer == "":
		return invalid("", "payment_method", "The PaymentMethod supplied (%s) belongs to a Customer. Please include the Customer in the `customer` parameter on the %s.", method.id, r.kind())
	case owner != customer:
		return invalid("", "payment_method", "The PaymentMethod supplied (%s) belongs to the Customer %s, not to the Customer %s of this %s. Please use it with the Customer that it belongs to.", method.id, owner, customer, r.kind())
	}
	return nil
}

// kind is how messages call an intent.
func (r *record) kind() string {
	if r.resource.Object == "setup_intent" {
		return "SetupIntent"
	}
	return "PaymentIntent"
}

// fixedAfterwards are parameters that can be changed before the payment is made only.
var fixedAfterwards = []string{"amount", "currency", "customer", "payment_method", "payment_method_data", "payment_method_types", "capture_method", "setup_future_usage", "payment_method_options", "application_fee_amount", "transfer_data"}

func updatePaymentIntent(c *call, r *record) error {
	open := []string{requiresMethod, requiresConfirmation, requiresAction}
	if status := r.object().String("status"); !slices.Contains(open, status) {
		for _, name := range fixedAfterwards {
			if c.params.Has(name) {
				e := refused("payment_intent_unexpected_state", "", "This PaymentIntent's %s could not be updated because it has a status of %s. You may only update the %s of a PaymentIntent with one of the following statuses: %s.", name, status, name, strings.Join(open, ", "))
				e.paymentIntent = r
				return e
			}
		}
	}
	was := r.object().String("status")
	if err := c.adjustPayment(r); err != nil {
		return err
	}
	c.reconsider(r, was)
	return nil
}

// reconsider takes an intent that waited for its customer back to before the confirmation, when what the customer was asked about has changed.
func (c *call) reconsider(r *record, was string) {
	changed := slices.ContainsFunc(fixedAfterwards, func(name string) bool { return c.params.Has(name) })
	if !changed || was != requiresAction {
		return
	}
	if c.resumeTransfer(r) {
		return
	}
	c.endChallenge(private[intent](r))
	r.object().Set("status", requiresConfirmation).Set("next_action", nil)
	if r.object().String("payment_method") == "" {
		r.object().Set("status", requiresMethod)
	}
	c.returnCash(r)
}

// adjustPayment makes the changes that an update or a confirmation asks for.
func (c *call) adjustPayment(r *record) error {
	o := r.object()
	if c.params.Has("amount") || c.params.Has("currency") {
		if err := c.adjustAmount(o); err != nil {
			return err
		}
	}
	if c.params.Has("application_fee_amount") || c.params.Has("transfer_data") || c.params.Has("amount") {
		if err := c.adjustShares(o); err != nil {
			return err
		}
	}
	if c.params.Has("capture_method") {
		o.Set("capture_method", c.params.String("capture_method"))
	}
	if err := c.changeConfiguration(r); err != nil {
		return err
	}
	if c.params.Has("payment_method_types") {
		if err := c.chooseTypes(r, "payment_flows_automatic_payment_methods_payment_intent"); err != nil {
			return err
		}
		o.Set("automatic_payment_methods", nil).Set("payment_method_configuration_details", nil)
	}
	if err := c.chooseCustomer(r); err != nil {
		return err
	}
	if c.params.Has("payment_method_options") {
		c.chooseOptions(r, "payment_intent_payment_method_options")
	}
	return c.choosePaymentMethod(r)
}

func (c *call) adjustAmount(o *spec.Object) error {
	code, amount := o.String("currency"), o.Int("amount")
	if c.params.Has("currency") {
		code = c.params.String("currency")
	}
	if c.params.Has("amount") {
		amount = c.params.Int("amount")
	}
	currency, err := readCurrency(code)
	if err != nil {
		return err
	}
	if err := c.checkAmount(amount, currency); err != nil {
		return err
	}
	o.Set("amount", amount).Set("currency", currency.Lower())
	return nil
}

// currencyOf is the currency of an object of this sandbox's making.
func currencyOf(o *spec.Object) money.Currency {
	return money.Currency(strings.ToUpper(o.String("currency")))
}
