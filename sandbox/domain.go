package sandbox

import (
	"net"
	"strings"
)

// paymentMethodDomains are the web domains on which wallets and other methods that need one are shown. Registering a domain twice
// gives the one that is there, as Stripe's recorded traffic shows. The sandbox has no wallets to check a domain with, so every method
// of every domain is active.
var paymentMethodDomains = &resource{
	Object:  "payment_method_domain",
	Path:    "/v1/payment_method_domains",
	Prefix:  "pmd_",
	Plain:   []string{"domain_name"},
	Takes:   []string{"enabled"},
	Create:  createMethodDomain,
	Update:  enableMethodDomain,
	Verbs:   verbs{"validate": none},
	Filters: []string{"domain_name"},
	Matches: map[string]func(*call, *record) bool{"enabled": isEnabled},
	Others: map[string]func(*call) (appender, error){
		"POST /v1/payment_method_domains": registerMethodDomain,
	},
}

// appleDomains are the domains registered for Apple Pay by the older operations.
var appleDomains = &resource{
	Object:  "apple_pay_domain",
	Path:    "/v1/apple_pay/domains",
	Prefix:  "apwc_",
	Plain:   []string{"domain_name"},
	Create:  checkDomain,
	Delete:  none,
	Filters: []string{"domain_name"},
	Others: map[string]func(*call) (appender, error){
		"POST /v1/apple_pay/domains": registerAppleDomain,
	},
}

func isEnabled(c *call, r *record) bool {
	return c.params.Bool("enabled") == r.object().Bool("enabled")
}

func createMethodDomain(c *call, r *record) error {
	if err := checkDomain(c, r); err != nil {
		return err
	}
	r.object().Set("enabled", !c.params.Has("enabled") || c.params.Bool("enabled"))
	for _, method := range []string{"amazon_pay", "apple_pay", "google_pay", "klarna", "link", "paypal"} {
		r.object().Sub(method).Set("status", "active")
	}
	return nil
}

func enableMethodDomain(c *call, r *record) error {
	if c.params.Has("enabled") {
		r.object().Set("enabled", c.params.Bool("enabled"))
	}
	return nil
}

// checkDomain refuses what is no name of a domain: an address, a URL, a single word.
func checkDomain(c *call, _ *record) error {
	name := c.params.String("domain_name")
	if len(name) > 253 || !strings.Contains(name, ".") || net.ParseIP(name) != nil || strings.Trim(name, ".") != name || strings.Trim(strings.ToLower(name), domainCharacters) != "" {
		return invalid("", "domain_name", "The domain name %s is invalid. Give a fully qualified domain name, such as shop.example.com, without a scheme, port or path.", name)
	}
	return nil
}

const domainCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-."

func registerMethodDomain(c *call) (appender, error) { return c.register("payment_method_domain") }
func registerAppleDomain(c *call) (appender, error)  { return c.register("apple_pay_domain") }

// register makes a domain, or gives the one of that name.
func (c *call) register(kind string) (appender, error) {
	named := c.having(kind, "domain_name", c.params.String("domain_name"))
	if len(named) == 0 {
		return kinds[kind].create(c)
	}
	if kind == "payment_method_domain" {
		_ = enableMethodDomain(c, named[0]) // refuses nothing
	}
	return c.show(named[0])
}
