package sandbox

import (
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// sessionLife is how long a customer session's secret is good (docs.stripe.com/api/customer_sessions).
const sessionLife = 30 * time.Minute

// customerSessions let a page act for a customer. They are made and handed to Stripe.js, which speaks to Stripe's own address only; no
// operation reads one again, and so none is kept.
var customerSessions = &resource{
	Object: "customer_session",
	Path:   singleton,
	Takes:  []string{"components", "customer"},
	Others: map[string]func(*call) (appender, error){"POST /v1/customer_sessions": createCustomerSession},
}

// sessionComponents are the components that a session can open, and what those with features show where a feature was not named; what is
// absent is null. As in Stripe's own examples.
var sessionComponents = []struct {
	name     string
	features map[string]any
}{
	{"active_entitlements", nil},
	{"buy_button", nil},
	{"customer_portal", nil},
	{"customer_sheet", map[string]any{"payment_method_allow_redisplay_filters": []string{"always"}, "payment_method_remove": "disabled"}},
	{"mobile_payment_element", map[string]any{"payment_method_allow_redisplay_filters": []string{"always"}, "payment_method_redisplay": "disabled",
		"payment_method_remove": "disabled", "payment_method_save": "disabled"}},
	{"payment_element", map[string]any{"payment_method_allow_redisplay_filters": []string{"always"}, "payment_method_redisplay": "disabled",
		"payment_method_remove": "disabled", "payment_method_save": "disabled"}},
	{"pricing_table", nil},
}

func createCustomerSession(c *call) (appender, error) {
	if err := kinds["customer_session"].takes(c); err != nil {
		return nil, err
	}
	customer := c.params.String("customer")
	if customer == "" {
		return nil, invalid("parameter_missing", "customer", "Missing required param: customer.")
	}
	if c.find("customer", customer) == nil {
		return nil, missingIn("customer", "customer", customer)
	}
	if len(c.params.Names("components")) == 0 {
		return nil, invalid("parameter_missing", "components", "Missing required param: components.")
	}
	shown, err := c.sessionComponents()
	if err != nil {
		return nil, err
	}
	now := c.now()
	o := spec.New("customer_session").Set("client_secret", "cuss_secret_"+c.letters(46)).Set("components", shown).Set("customer", customer)
	o.Set("created", now.Unix()).Set("expires_at", now.Add(sessionLife).Unix())
	return c.showObject(o), nil
}

// sessionComponents are the components as the session shows them.
func (c *call) sessionComponents() (*spec.Object, error) {
	const shape = "customer_session_resource_components"
	all := spec.New(shape)
	for _, of := range sessionComponents {
		name := shape + "_resource_" + of.name
		enabled := c.params.Bool("components", of.name, "enabled")
		one := spec.New(name).Set("enabled", enabled)
		given := c.params.Sub("components", of.name, "features")
		switch {
		case of.features == nil:
		case given != nil && !enabled:
			return nil, invalid("", "components["+of.name+"][features]", "The features of a component can be set only where it is enabled.")
		case enabled:
			features := spec.New(name + "_resource_features")
			for field, value := range of.features {
				features.Set(field, value)
			}
			if given != nil {
				nested(features, given)
			}
			one.Set("features", features)
		}
		all.Set(of.name, one)
	}
	return all, nil
}

// showObject is an object that is not kept, with what the request wants expanded.
func (c *call) showObject(o *spec.Object) *spec.Object {
	if c.expand != nil {
		c.expandObject(o, c.expand)
	}
	return o
}
