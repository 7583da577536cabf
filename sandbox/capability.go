package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// capabilities are what a connected account may do. There is a record of each that was ever requested.
var capabilities = &resource{
	Object: "capability",
	Path:   singleton,
	Param:  "capability",
	Others: map[string]func(*call) (appender, error){
		"GET /v1/accounts/x_1/capabilities":      listCapabilities,
		"GET /v1/accounts/x_1/capabilities/x_1":  showCapability,
		"POST /v1/accounts/x_1/capabilities/x_1": updateCapability,
	},
}

// checkCapabilities refuses capabilities that do not go together, or that a country has not. Payments go with transfers (in most countries; unconfirmed where).
func checkCapabilities(wanted []string, country string, recipient bool) error {
	has := map[string]bool{}
	for _, name := range wanted {
		has[name] = true
	}
	for _, name := range wanted {
		param := "capabilities[" + name + "]"
		switch {
		case !isCapability(name):
			return invalid("", param, "Invalid capability: %s", name)
		case name == "treasury" || name == "card_issuing":
			return unbuilt("the capability %s", name)
		case recipient && classOf(name) == takesPayments:
			return invalid("", param, "Accounts under the `recipient` service agreement cannot request the capability %s: they receive transfers only.", name)
		case name == "card_payments" && !has["transfers"]:
			return invalid("", param, "You cannot request the capability `card_payments` without also requesting the capability `transfers`.")
		case abroad(name, country):
			return invalid("", param, "The capability %s is not available to accounts in %s.", name, country)
		}
	}
	return nil
}

// isCapability says whether Stripe's document has the capability.
func isCapability(name string) bool {
	_, declared := spec.FieldOf("account_capabilities", name)
	return declared
}

// homes are the countries of capabilities that are of one country or group (docs.stripe.com/connect/account-capabilities, as remembered; unconfirmed). The others are not looked at.
var homes = map[string]string{
	"us_bank_account_ach_payments": "US", "acss_debit_payments": "US CA", "bacs_debit_payments": "GB EU", "au_becs_debit_payments": "AU",
	"cashapp_payments": "US", "tax_reporting_us_1099_k": "US", "tax_reporting_us_1099_misc": "US", "boleto_payments": "BR", "pix_payments": "BR", "oxxo_payments": "MX",
	"konbini_payments": "JP", "paynow_payments": "SG", "nz_bank_account_becs_debit_payments": "NZ", "cartes_bancaires_payments": "EU",
}

func abroad(name, country string) bool {
	groups, listed := homes[name]
	return listed && !inGroup(country, groups)
}

// capability is the record of one that was requested, or would be.
func (c *call) capability(name string) *record {
	if r := c.find("capability", name); r != nil {
		return r
	}
	r := &record{realm: c.realm, resource: kinds["capability"], id: name, created: c.now().Unix(), working: spec.New("capability")}
	r.working.Set("id", name).Set("account", c.account).Set("requested", false).Set("requested_at", nil).Set("status", unrequested)
	return r
}

// capabilityAccount is the account that the path names, whose capabilities are known.
func (c *call) capabilityAccount() (*call, *record, error) {
	to, r, err := c.connectedRecord()
	if err == nil && known[standing](r).Dossier == nil {
		err = unbuilt("%s for an account whose details the sandbox has made up", c.op)
	}
	return to, r, err
}

// listCapabilities is all of them on one page, as Stripe has it.
func listCapabilities(c *call) (appender, error) {
	to, _, err := c.capabilityAccount()
	if err != nil {
		return nil, err
	}
	d := to.dossier()
	var all []*record
	for _, f := range spec.Fields("account_capabilities") {
		if _, there := d.Capability[f.Name]; there {
			all = append(all, to.capability(f.Name))
		}
	}
	return to.pageOf(all, false, c.op.Path()), nil
}

func showCapability(c *call) (appender, error) {
	to, _, err := c.capabilityAccount()
	if err != nil {
		return nil, err
	}
	if name := c.path[1].Value; !isCapability(name) {
		return nil, kinds["capability"].notFound(name)
	}
	return to.show(to.capability(c.path[1].Value))
}

// updateCapability requests one, or takes the request back.
func updateCapability(c *call) (appender, error) {
	to, r, err := c.capabilityAccount()
	if err != nil {
		return nil, err
	}
	name, d := c.path[1].Value, to.dossier()
	if !isCapability(name) {
		return nil, kinds["capability"].notFound(name)
	}
	if c.params.Has("requested") {
		wanted := d.wanted()
		if c.params.Bool("requested") {
			wanted = append(wanted, name)
		} else {
			wanted = slices.DeleteFunc(wanted, func(one string) bool { return one == name })
		}
		agreement, _ := r.object().At("tos_acceptance", "service_agreement").(string)
		if err := checkCapabilities(wanted, r.text("country"), agreement == "recipient"); err != nil {
			asAPIError(err).param = strings.ReplaceAll(asAPIError(err).param, "capabilities["+name+"]", "requested")
			return nil, err
		}
		before := r.object().Clone()
		to.request(d, name, c.params.Bool("requested"))
		to.reviewSince(before)
	}
	return to.show(to.capability(name))
}
