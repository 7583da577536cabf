package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// bankAccounts are where an account is paid out to. Together with debit cards they are its external accounts.
var bankAccounts = &resource{
	Object:  "bank_account",
	Path:    singleton,
	Noun:    "external account",
	Prefix:  "ba_",
	Plain:   []string{"account_holder_name", "account_holder_type", "account_type"},
	Takes:   []string{"default_for_currency", "external_account", "bank_account"},
	Index:   []string{"account", "currency", "customer"},
	Private: func() any { return new(bank) },
	Due:     map[string]func(*call, *record, string){"deposit": func(c *call, r *record, _ string) { c.failDeposits(r) }},
	Others: map[string]func(*call) (appender, error){
		"GET /v1/accounts/x_1/external_accounts":        listExternalAccounts,
		"POST /v1/accounts/x_1/external_accounts":       createExternalAccount,
		"GET /v1/accounts/x_1/external_accounts/x_1":    showExternalAccount,
		"POST /v1/accounts/x_1/external_accounts/x_1":   updateExternalAccount,
		"DELETE /v1/accounts/x_1/external_accounts/x_1": deleteExternalAccount,
		"POST /v1/external_accounts/x_1":                updateOwnExternal,
		"POST /v1/accounts/x_1/bank_accounts":           createExternalAccount,
		"GET /v1/accounts/x_1/bank_accounts/x_1":        showExternalAccount,
		"POST /v1/accounts/x_1/bank_accounts/x_1":       updateExternalAccount,
		"DELETE /v1/accounts/x_1/bank_accounts/x_1":     deleteExternalAccount,
	},
}

// payoutCardAccounts are debit cards as external accounts.
var payoutCardAccounts = &resource{
	Object:  "card",
	Path:    singleton,
	Noun:    "external account",
	Prefix:  "card_",
	Plain:   []string{"address_city", "address_country", "address_line1", "address_line2", "address_state", "address_zip", "name"},
	Takes:   []string{"default_for_currency", "exp_month", "exp_year"},
	Index:   []string{"account", "currency"},
	Private: func() any { return new(bank) },
}

// maxExternal bounds the external accounts of an account; Stripe has a bound of its own, which it does not publish.
const maxExternal = 200

// bank is what a bank account, or a debit card as an external account, knows beyond its object.
type bank struct {
	Number string // by which Stripe's test mode decides what becomes of payouts and debits
	Tried  int    `json:",omitempty"` // how often its customer has named wrong amounts
}

// establishBank makes the bank account that an account has from its beginning.
func (w *realm) establishBank(currency string) {
	name := sha256.Sum256([]byte("bank account of " + w.account))
	id := "ba_" + w.fragment('1') + string(base62(nil, binary.BigEndian.Uint64(name[:]), 8))
	r := w.establish("bank_account", id, &bank{Number: testBank})
	r.object().Set("id", id)
	w.describeBank(r, w.standing().Country, currency, routingIn(w.standing().Country))
	r.object().Set("default_for_currency", true)
}

// routingIn is the routing number of the test mode's bank in a country; in most, account numbers do without.
func routingIn(country string) string {
	if country == "US" {
		return testRouting
	}
	return ""
}

// undated starts an external account; its object does not say when it was made.
func (w *realm) undated(kind, prefix string) *record {
	r := &record{realm: w, resource: kinds[kind], id: w.newID(prefix), created: w.now().Unix(), working: spec.New(kind)}
	r.working.Set("id", r.id)
	return r
}

// addBank gives the account a bank account in a currency, to which payouts succeed.
func (c *call) addBank(currency string) *record {
	r := c.undated("bank_account", "ba_")
	r.hidden = &bank{Number: testBank}
	c.describeBank(r, c.standing().Country, currency, routingIn(c.standing().Country))
	r.object().Set("default_for_currency", c.payoutAccount(currency) == nil)
	c.insert(r)
	return r
}

// describeBank fills in what every bank account shows.
func (w *realm) describeBank(r *record, country, currency, routing string) {
	number := known[bank](r).Number
	o := r.object().Set("account", w.account).Set("bank_name", "STRIPE TEST BANK").Set("country", country).Set("currency", currency)
	o.Set("fingerprint", w.fingerprint(number)).Set("last4", number[len(number)-4:]).Set("status", "new").Set("metadata", map[string]string{})
	methods := []string{"standard"}
	if instantCountries[country] {
		methods = append(methods, "instant")
	}
	o.Set("available_payout_methods", methods)
	if routing != "" {
		o.Set("routing_number", routing)
	}
	for _, name := range []string{"requirements", "future_requirements"} {
		o.Set(name, spec.New("external_account_requirements").Set("currently_due", []string{}).Set("errors", []any{}).Set("past_due", []string{}).Set("pending_verification", []string{}))
	}
}

// instantCountries are those whose bank accounts take instant payouts (docs.stripe.com/payouts/instant-payouts, 2024).
var instantCountries = map[string]bool{"US": true, "CA": true, "GB": true, "AU": true, "SG": true, "NZ": true, "NO": true, "DK": true, "SE": true,
	"AT": true, "BE": true, "DE": true, "ES": true, "FI": true, "FR": true, "IE": true, "IT": true, "LU": true, "NL": true, "PT": true}

// payoutAccount is the account's external account for payouts in a currency, unless they name another; nil is none.
func (w *realm) payoutAccount(currency string) *record {
	for _, kind := range externalKinds {
		for _, r := range w.having(kind, "currency", currency) {
			if !r.gone && r.flag("default_for_currency") {
				return r
			}
		}
	}
	return nil
}

// externalKinds are the kinds of external accounts.
var externalKinds = []string{"bank_account", "card"}

// externalAccounts are all of the account's, in order of making.
func (w *realm) externalAccounts() (all []*record) {
	for _, kind := range externalKinds {
		all = append(all, w.having(kind, "account", w.account)...)
	}
	slices.SortFunc(all, func(a, b *record) int { return cmp.Compare(a.order, b.order) })
	return all
}

func listExternalAccounts(c *call) (appender, error) {
	c, err := c.externalHolder(false)
	if err != nil {
		return nil, err
	}
	kind := "bank_account" // of the cursor
	for _, name := range []string{"starting_after", "ending_before"} {
		if strings.HasPrefix(c.params.String(name), "card_") {
			kind = "card"
		}
	}
	return c.pageFrom(c.externalAccounts(), kind, "/v1/accounts/"+c.account+"/external_accounts", func(r *record) bool {
		return !c.params.Has("object") || c.params.String("object") == r.resource.Object
	})
}

// externalHolder is the call on behalf of the account that the path names. Where Stripe asks the account itself for what it needs, the
// platform changes nothing of its external accounts once it has been sent to Stripe's form.
func (c *call) externalHolder(changes bool) (*call, error) {
	to, r, err := c.connectedRecord()
	if err != nil {
		return nil, err
	}
	if d := known[standing](r).Dossier; changes && d != nil && !d.open() {
		return nil, noPermission("external_account", r.id)
	}
	return to, nil
}

// reviewAfter looks at a connected account anew after a change of its external accounts; field is what was given thereby.
func (c *call) reviewAfter(before *spec.Object, field string) {
	if c.standing().Dossier == nil {
		return
	}
	if field != "" {
		c.dossier().clear([]string{field})
	}
	c.reviewSince(before)
}

// namedExternal is the external account that the path names after the account, and the call on that account's behalf.
func (c *call) namedExternal(changes bool) (*call, *record, error) {
	to, err := c.externalHolder(changes)
	if err != nil {
		return nil, nil, err
	}
	r, err := to.external(c.path[1].Value)
	return to, r, err
}

func (c *call) external(id string) (*record, error) {
	for _, kind := range externalKinds {
		if r := c.find(kind, id); r != nil && r.text("account") == c.account {
			return r, nil
		}
	}
	return nil, kinds["bank_account"].notFound(id)
}

func showExternalAccount(c *call) (appender, error) {
	c, r, err := c.namedExternal(false)
	if err != nil {
		return nil, err
	}
	return c.show(r)
}
