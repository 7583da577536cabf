package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// maxConnected bounds how many accounts are connected to a world.
const maxConnected = 10_000

// createAccount connects a new account. Everything is read before anything is made.
func createAccount(c *call) (appender, error) {
	if !c.isPlatform() {
		return nil, invalid("platform_account_required", "", "Only platforms can connect accounts; this account is itself connected to one.")
	}
	of, err := c.readController()
	if err != nil {
		return nil, err
	}
	country, err := c.readCountry()
	if err != nil {
		return nil, err
	}
	if err := c.checkNew(of, country); err != nil {
		return nil, err
	}
	currency := c.currencyIn(country, c.params.String("tos_acceptance", "service_agreement"))
	outside, err := c.readGivenExternal(currency)
	if err != nil {
		return nil, err
	}
	s := &standing{Country: country, Currency: currency, Debit: of.collection == "stripe", Schedule: firstSchedule(country)}
	if err := c.readPayoutSettings(s); err != nil {
		return nil, err
	}
	s.Dossier = &dossier{Type: of.kind, Hosted: of.collection == "stripe", Dashboard: of.dashboard, Capability: map[string]requested{}}
	r := c.record("account", c.newAccountID())
	if err := c.fillMetadata(r.object()); err != nil {
		return nil, err
	}
	c.openNew(r, s, of)
	to := c.of(r.id)
	to.layAccount(r, c.params)
	if outside != nil {
		to.lodge(to.externalOf(outside), true)
	}
	to.reviewNew()
	return c.show(r)
}

// openNew stores a new account as one of which nothing is known yet.
func (c *call) openNew(r *record, s *standing, of control) {
	o := r.object().Set("type", of.kind).Set("country", s.Country).Set("default_currency", s.Currency).Set("controller", of.object()).Set("email", nil)
	o.Set("business_profile", nulled(spec.New("account_business_profile"))).Set("business_type", nil)
	o.Set("charges_enabled", false).Set("payouts_enabled", false).Set("details_submitted", false)
	settings := spec.New("account_settings")
	settings.Sub("dashboard").Set("timezone", "Etc/UTC")
	settings.Sub("invoices").Set("hosted_payment_method_save", "offer")
	if settings.Sub("payouts") == nil {
		settings.Set("payouts", spec.New("account_payout_settings"))
	}
	o.Set("settings", settings).Set("capabilities", spec.New("account_capabilities").Set("card_payments", spec.Absent).Set("transfers", spec.Absent))
	c.connect(r, s)
}

// readCountry is the country of a new account: the platform's, where none is given.
func (c *call) readCountry() (string, error) {
	country := c.params.String("country")
	switch {
	case country == "":
		return c.standing().Country, nil
	case !countryCode.MatchString(country):
		return "", unknownCountry("country", country)
	case c.currencyIn(country, c.params.String("tos_acceptance", "service_agreement")) == "":
		return "", invalid("country_unsupported", "country", "%s is not currently supported by Stripe.", country)
	}
	return country, nil
}

// checkNew refuses what cannot be so of a new account.
func (c *call) checkNew(of control, country string) error {
	if c.count("account") > maxConnected {
		return refused("", "", "This world of the sandbox connects no more than %d accounts.", maxConnected)
	}
	for _, name := range []string{"groups"} {
		if c.params.Has(name) {
			return unbuilt("the parameter %s of %s", name, c.op)
		}
	}
	if of.collection == "stripe" && c.params.Has("tos_acceptance") && c.params.String("tos_acceptance", "service_agreement") == "" {
		return noPermission("tos_acceptance", "")
	}
	if given := c.params.String("default_currency"); given != "" {
		if _, err := readCurrency(given); err != nil {
			return err
		}
	}
	wanted := c.asksFor(c.params, of)
	if of.dashboard == "none" && len(wanted) == 0 {
		return invalid("parameter_missing", "capabilities", "You must request at least one capability, such as `transfers`, for accounts without a Dashboard of Stripe's: capabilities[transfers][requested]=true.")
	}
	if slices.Contains(wanted, "transfers") && !slices.Contains(wanted, "card_payments") && of.dashboard == "full" {
		return invalid("", "capabilities[transfers]", "You cannot request the `transfers` capability without the `card_payments` capability for accounts when controller[stripe_dashboard][type]=full, which includes Standard accounts.")
	}
	if err := checkCapabilities(wanted, country, c.params.String("tos_acceptance", "service_agreement") == "recipient"); err != nil {
		return err
	}
	return c.checkParticulars(c.params, country)
}

// asksFor are the capabilities that a new account is to have, in order of name. Accounts with a Dashboard have two without asking; unconfirmed.
func (c *call) asksFor(p *spec.Params, of control) (all []string) {
	for _, name := range p.Names("capabilities") {
		if p.Bool("capabilities", name, "requested") {
			all = append(all, name)
		}
	}
	all = append(all, p.Strings("requested_capabilities")...)
	if len(all) == 0 && !p.Has("capabilities") && of.dashboard != "none" {
		all = []string{"card_payments", "transfers"}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// noPermission refuses what the account itself has to say (recorded words; the parameter is the account's own where Stripe asks for it).
func noPermission(param, account string) error {
	message := "This application does not have the required permissions for the parameter '" + param + "'"
	if account != "" {
		message += " on account '" + account + "'"
	}
	return &apiError{status: 403, kind: invalidRequest, code: "oauth_not_supported", param: param, message: message + "."}
}

// connectedRecord is the connected account that the path names, and the call on its behalf.
func (c *call) connectedRecord() (*call, *record, error) {
	id := c.path[0].Value
	r := c.home.find("account", id)
	if r == nil || known[standing](r).Left || !c.isPlatform() && c.account != id {
		return nil, nil, noAccess(secretKey+c.suffix, id)
	}
	if r.id == c.home.account {
		return c.platform(), r, nil
	}
	return c.of(id), r, nil
}

func showNamedAccount(c *call) (appender, error) {
	to, _, err := c.connectedRecord()
	if err != nil {
		return nil, err
	}
	return showAccount(to)
}

// listAccounts lists the accounts that are connected to the platform.
func listAccounts(c *call) (appender, error) {
	all := within(c.home.all("account"), c.params)
	return c.pageFrom(all, "account", "/v1/accounts", func(r *record) bool {
		return c.isPlatform() && r.id != c.home.account && !known[standing](r).Left
	})
}

// updateAccount changes what is known of a connected account.
func updateAccount(c *call) (appender, error) {
	to, r, err := c.connectedRecord()
	if err != nil {
		return nil, err
	}
	if known[standing](r).Dossier == nil {
		return nil, unbuilt("%s for the platform's own account, which POST /_sandbox/account changes", c.op)
	}
	if err := to.update(r, false); err != nil {
		return nil, err
	}
	return c.show(r)
}

// update changes a connected account as the request says: the platform's, or what the account itself sends by Stripe's form.
func (c *call) update(r *record, itself bool) error {
	d := known[standing](r).Dossier
	if err := c.permit(d, r, itself); err != nil {
		return err
	}
	if err := c.checkUpdate(d, r); err != nil {
		return err
	}
	outside, err := c.readGivenExternal(c.standing().Currency)
	if err != nil {
		return err
	}
	s := *c.standing()
	if err := c.readPayoutSettings(&s); err != nil {
		return err
	}
	before := r.object().Clone()
	if err := c.changing(r, func() error { return c.fillMetadata(r.object()) }); err != nil {
		return err
	}
	*c.standingToChange() = s
	c.layAccount(r, c.params)
	if outside != nil {
		c.lodge(c.externalOf(outside), true)
	}
	if c.params.Has("settings", "payouts") {
		c.rearrange()
	}
	c.reviewSince(before)
	return nil
}

// closed are the parameters that only the account itself may change once it has been sent to Stripe's form; never are those that it
// alone may ever.
var closed = []string{"business_type", "company", "individual", "account_token", "documents", "external_account"}

// permit refuses parameters that are not the platform's to change.
func (c *call) permit(d *dossier, r *record, itself bool) error {
	if !d.Hosted || itself {
		return nil
	}
	for _, name := range c.params.Names() {
		if name == "tos_acceptance" || !d.open() && slices.Contains(closed, name) || d.Dashboard == "full" && !d.open() && name == "business_profile" {
			return noPermission(name, r.id)
		}
	}
	return nil
}

func (c *call) checkUpdate(d *dossier, r *record) error {
	if c.params.Has("groups") {
		return unbuilt("the parameter groups of %s", c.op)
	}
	country := r.text("country")
	if given := c.params.String("default_currency"); given != "" && given != r.text("default_currency") && c.payoutAccount(given) == nil {
		return invalid("", "default_currency", "You cannot change the default currency to one that the account has no external account for: %s", given)
	}
	after := map[string]bool{}
	for _, name := range d.wanted() {
		after[name] = true
	}
	for _, name := range c.params.Names("capabilities") {
		if c.params.Has("capabilities", name, "requested") {
			after[name] = c.params.Bool("capabilities", name, "requested")
		}
	}
	var wanted []string
	for name, is := range after {
		if is {
			wanted = append(wanted, name)
		}
	}
	slices.Sort(wanted)
	recipient := c.params.String("tos_acceptance", "service_agreement")
	if recipient == "" {
		recipient, _ = r.object().At("tos_acceptance", "service_agreement").(string)
	}
	if err := checkCapabilities(wanted, country, recipient == "recipient"); err != nil {
		return err
	}
	return c.checkParticulars(c.params, country)
}
