package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// What an intent of either kind is to be paid with, or to set up: the types that it takes, the customer, and the payment method.

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
