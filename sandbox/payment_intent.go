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
