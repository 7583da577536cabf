package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// methodConfigurations say which payment methods are offered. Each account has one from its beginning, which payments with automatic
// methods name. The sandbox takes cards, with and without wallets and Link, and once they are preferred here, the kinds of methodKinds;
// other methods can be preferred, and stay unavailable, as those of an account that lacks their capability.
var methodConfigurations = &resource{
	Object:  "payment_method_configuration",
	Path:    "/v1/payment_method_configurations",
	Prefix:  "pmc_",
	Plain:   []string{"name"},
	Takes:   append([]string{"active", "parent"}, configurable...),
	Update:  updateMethodConfiguration,
	Private: func() any { return new(offer) },
	Others: map[string]func(*call) (appender, error){
		"POST /v1/payment_method_configurations": createMethodConfiguration,
	},
	Matches: map[string]func(*call, *record) bool{
		"active":      func(c *call, r *record) bool { return c.params.Bool("active") == r.flag("active") },
		"application": func(c *call, _ *record) bool { return c.params.String("application") == "" }, // no application has made one
	},
}

// offer is what of methodKinds a configuration has switched on.
type offer struct{ On []string }

// capable are the methods that are on from the beginning.
var capable = []string{"apple_pay", "card", "google_pay", "link"}

// configurable are the payment methods that a configuration has.
var configurable = func() (all []string) {
	for _, f := range spec.Fields("payment_method_configuration") {
		if slices.Contains(f.Shapes, methodProperties) {
			all = append(all, f.Name)
		}
	}
	return all
}()

const methodProperties = "payment_method_config_resource_payment_method_properties"

// establishMethods makes the configuration that an account has from its beginning.
func (w *realm) establishMethods() {
	o := w.establish("payment_method_configuration", w.methods, &offer{}).object()
	o.Set("id", w.methods).Set("is_default", true).Set("name", "Default")
	offerAll(o)
}

// offerAll starts a configuration: what can be taken is on. It shows the methods that Stripe's always show; others once they are set.
func offerAll(o *spec.Object) {
	o.Set("active", true)
	for _, name := range configurable {
		if o.Has(name) {
			prefer(o, name, "none")
		}
	}
}

// prefer sets a preference: on, off, or none, which is on for what is so from the beginning.
func prefer(o *spec.Object, name, preference string) {
	first := slices.Contains(capable, name)
	can, value := first || methodKinds[name] != nil, preference
	if preference == "none" {
		value = "off"
		if first {
			value = "on"
		}
	}
	method := spec.New(methodProperties).Set("available", can && value == "on")
	method.Sub("display_preference").Set("preference", preference).Set("value", value)
	o.Set(name, method)
}

// createMethodConfiguration is a creation of its own, for the object does not say when it was made.
func createMethodConfiguration(c *call) (appender, error) {
	if err := kinds["payment_method_configuration"].takes(c); err != nil {
		return nil, err
	}
	if c.params.Has("parent") {
		return nil, unbuilt("configurations of connected accounts (parent)")
	}
	r := c.undated("payment_method_configuration", "pmc_")
	r.hidden = &offer{}
	r.object().Set("name", "Untitled")
	if err := c.fill(r); err != nil {
		return nil, err
	}
	offerAll(r.object())
	c.setPreferences(r)
	c.insert(r)
	return c.show(r)
}

func updateMethodConfiguration(c *call, r *record) error {
	if c.params.Has("active") {
		r.object().Set("active", c.params.Bool("active"))
	}
	c.setPreferences(r)
	return nil
}

// setPreferences sets the preferences that the parameters give.
func (c *call) setPreferences(r *record) {
	for _, name := range c.params.Names() {
		if slices.Contains(configurable, name) && c.params.Has(name, "display_preference", "preference") {
			preference := c.params.String(name, "display_preference", "preference")
			prefer(r.object(), name, preference)
			private[offer](r).turn(name, preference == "on")
		}
	}
}

// turn notes that a kind is switched on, or that it is not.
func (f *offer) turn(name string, on bool) {
	f.On = slices.DeleteFunc(f.On, func(one string) bool { return one == name })
	if on && methodKinds[name] != nil {
		f.On = append(f.On, name)
		slices.Sort(f.On)
	}
}

// chooseConfiguration is the configuration that the parameters of an intent name, or the account's own.
func (c *call) chooseConfiguration() (id string, err error) {
	if id = c.params.String("payment_method_configuration"); id == "" {
		return c.methods, nil
	}
	if c.find("payment_method_configuration", id) == nil {
		return "", missingIn("payment_method_configuration", "payment_method_configuration", id)
	}
	return id, nil
}

// changeConfiguration lets an intent with automatic methods name another configuration.
func (c *call) changeConfiguration(r *record) error {
	if !c.params.Has("payment_method_configuration") {
		return nil
	}
	id, err := c.chooseConfiguration()
	if details := r.object().Sub("payment_method_configuration_details"); err == nil && details != nil {
		r.object().Set("payment_method_configuration_details", details.Clone().Set("id", id))
	}
	return err
}
