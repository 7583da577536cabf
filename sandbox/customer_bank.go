package sandbox

import (
	"net/http"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// Bank accounts in the United States that customers pay from. Stripe sends two small amounts to a new one; who can name them is its owner.

// maxTried is how often the amounts may be wrong before the bank account is good no more (docs.stripe.com/ach-deprecated).
const maxTried = 10

// noDeposits is the number of a bank account that the small amounts do not reach.
const noDeposits = "000666666661"

// namesBank says whether a parameter that names a source names a bank account: its data, a token of one, or a test token.
func (c *call) namesBank(name string) bool {
	if c.params.Has(name, "account_number") || name == "bank_account" {
		return true
	}
	id := c.params.String(name)
	if r := c.find("token", id); r != nil {
		return r.text("type") == "bank_account"
	}
	return strings.HasPrefix(id, "btok_")
}

// newBankSource makes the bank account that a parameter stands for, for a customer.
func (c *call) newBankSource(customer *record, name string) (*record, error) {
	r, err := c.readBank(name)
	if err != nil {
		return nil, err
	}
	o := r.object()
	if o.String("country") != "US" || o.String("currency") != "usd" {
		return nil, invalid("", name, "Customers pay from bank accounts in the United States and in usd only.")
	}
	for _, other := range c.having("bank_account", "customer", customer.id) {
		if other.text("fingerprint") == o.String("fingerprint") && other.text("routing_number") == o.String("routing_number") {
			return nil, refused("bank_account_exists", "", "A bank account with that routing number and account number already exists for this customer.")
		}
	}
	o.Set("customer", customer.id)
	return r, nil
}

// readBank makes a bank account from a token, a test token, or its own data; it is not stored, and nobody's yet.
func (c *call) readBank(name string) (*record, error) {
	id := c.params.String(name)
	if number := bankTokens[id]; number != "" {
		r := c.newBank(c.newID("ba_"), number, "US", "usd", testRouting)
		r.object().Set("status", "verified")
		return r, nil
	}
	if r := c.find("token", id); r != nil && r.text("type") == "bank_account" {
		return c.spendBank(r)
	}
	if p := c.params.Sub(name); p != nil {
		return c.describedBank(name, p)
	}
	return nil, missingIn(name, "token", id)
}

// spendBank takes the bank account out of a token, which is good for that once.
func (c *call) spendBank(r *record) (*record, error) {
	if err := spendToken(r); err != nil {
		return nil, err
	}
	from := r.object().Sub("bank_account")
	made := c.newBank(from.String("id"), private[token](r).Number, from.String("country"), from.String("currency"), from.String("routing_number"))
	for _, name := range bankHolder {
		made.object().Set(name, from.Get(name))
	}
	return made, nil
}

// bankToken is a token of a bank account: the account's own, or the platform's; nil is none.
func (c *call) bankToken(id string) *record {
	for _, of := range []*call{c, c.platform()} {
		if r := of.find("token", id); r != nil && r.text("type") == "bank_account" {
			return r
		}
	}
	return nil
}

// spendOutside takes the bank account out of a token as one that is paid out to.
func spendOutside(r *record) (*outside, error) {
	if err := spendToken(r); err != nil {
		return nil, err
	}
	said, err := givenTo(r, "bank_account")
	from := r.object().Sub("bank_account")
	return &outside{number: private[token](r).Number, country: from.String("country"), currency: from.String("currency"), routing: from.String("routing_number"), said: said}, err
}

// bankHolder are what is said of a bank account by whoever gives it.
var bankHolder = []string{"account_holder_name", "account_holder_type", "account_type"}

// describedBank makes a bank account from its data.
func (c *call) describedBank(param string, p *spec.Params) (*record, error) {
	country, number, routing := p.String("country"), strings.ReplaceAll(p.String("account_number"), " ", ""), p.String("routing_number")
	for _, name := range []string{"country", "account_number"} {
		if p.String(name) == "" {
			return nil, invalid("parameter_missing", param+"["+name+"]", "Missing required param: %s[%s].", param, name)
		}
	}
	if !countryCode.MatchString(country) {
		return nil, invalid("country_unsupported", param+"[country]", "Country '%s' is unknown. Try using a 2-character alphanumeric country code instead, such as 'US', 'EG', or 'GB'.", country)
	}
	code := p.String("currency")
	if code == "" {
		code = c.standing().Currency
	}
	currency, err := readCurrency(code)
	if err != nil {
		return nil, err
	}
	if debitAccounts(usBankAccount.name)[number] == nil && !payoutBanks[number] && failingBanks[number] == "" || number == failingCard {
		return nil, invalid("account_number_invalid", param+"[account_number]", "You must use a test bank account number in test mode. Try 000123456789 or see more options at https://stripe.com/docs/connect/testing#account-numbers.")
	}
	if country == "US" && !abaRouting(routing) {
		return nil, invalid("routing_number_invalid", param+"[routing_number]", "The bank routing number provided is invalid.")
	}
	r := c.newBank(c.newID("ba_"), number, country, currency.Lower(), routing)
	for _, name := range bankHolder {
		if p.Has(name) {
			r.object().Set(name, p.String(name))
		}
	}
	return r, nil
}

// newBank is a bank account that belongs to nobody yet; it is not stored.
func (c *call) newBank(id, number, country, currency, routing string) *record {
	r := c.undated("bank_account", "ba_")
	r.id, r.hidden = id, &bank{Number: number}
	o := r.object().Set("id", id).Set("bank_name", "STRIPE TEST BANK").Set("country", country).Set("currency", currency)
	o.Set("fingerprint", c.fingerprint(number)).Set("last4", number[len(number)-4:]).Set("status", "new").Set("metadata", map[string]string{})
	if routing != "" {
		o.Set("routing_number", routing)
	}
	return r
}

// fillBankToken makes a token of a bank account: a new one, or one that a customer has.
func fillBankToken(c *call, r *record) error {
	if c.params.String("bank_account") != "" {
		return c.fillSavedToken(r)
	}
	p := c.params.Sub("bank_account")
	if p == nil {
		return invalid("parameter_missing", "bank_account[account_number]", "Missing required param: bank_account[account_number].")
	}
	made, err := c.describedBank("bank_account", p)
	if err != nil {
		return err
	}
	r.hidden = &token{Number: private[bank](made).Number, Given: c.params.Form("bank_account")}
	r.object().Set("bank_account", made.object().Clone())
	return nil
}

// fillSavedToken makes a token of a card or a bank account that a customer has: of the one that is named, or of the default. On a
// connected account the customer is the platform's, and the token is how it is shared.
func (c *call) fillSavedToken(r *record) error {
	if c.browser {
		return secretRequired() // whoever has the page could otherwise look into any customer's cards
	}
	id := c.params.String("customer")
	if id == "" {
		return invalid("parameter_missing", "customer", "Missing required param: customer.")
	}
	of := c
	customer := c.find("customer", id)
	if customer == nil {
		of = c.platform()
		customer = of.find("customer", id)
	}
	if customer == nil {
		return missingIn("customer", "customer", id)
	}
	kind := r.object().String("type")
	named := c.params.String(kind)
	if named == "" {
		named = customer.object().String("default_source")
	}
	saved := of.sourceOf(customer, named)
	switch {
	case saved == nil:
		return missingIn(kind, "source", named)
	case saved.resource.Object == "bank_account":
		r.hidden = &token{Number: private[bank](saved).Number}
		r.object().Set("type", "bank_account").Set("bank_account", saved.object().Clone().Set("id", c.newID("ba_")).Set("customer", nil).Set("status", "new"))
	case saved.resource.Object == "payment_method":
		r.hidden = &token{Number: private[instrument](saved).Number, CVC: private[instrument](saved).CVC}
		r.object().Set("type", "card").Set("card", saved.asCard().Set("id", c.newID("card_")).Set("customer", nil))
	default:
		return invalid("", kind, "A token can be made of a card or a bank account.")
	}
	return nil
}

// changeBank changes a bank account as the parameters of an update want it.
func (c *call) changeBank(r *record) error {
	for _, name := range []string{"account_holder_name", "account_holder_type"} {
		if c.params.Has(name) {
			r.object().Set(name, c.params.String(name))
		}
	}
	return c.fillMetadata(r.object())
}

// depositLater sends the two small amounts to a new bank account. In the test mode they are there at once, and are 32 and 45 cents.
func (c *call) depositLater(r *record) {
	if private[bank](r).Number == noDeposits {
		c.in(toppedUpAfter, "bank_account.deposit", r)
	}
}

// failDeposits ends the verification of a bank account that the amounts have not reached.
func (c *call) failDeposits(r *record) {
	if r.text("status") == "new" {
		c.settleBank(r, "verification_failed")
	}
}

// settleBank ends the verification of a bank account.
func (c *call) settleBank(r *record, status string) {
	before := r.object().Clone()
	r.object().Set("status", status)
	c.emitSourceUpdated(r, before)
}

// The amounts that the test mode knows (docs.stripe.com/testing#ach-direct-debit): those sent, those that stand for one failure too
// many, and those that stand for an answer that comes too late.
var (
	sentAmounts   = []int64{32, 45}
	tooOften      = []int64{10, 11}
	tooLate       = []int64{40, 41}
	wrongAmounts  = "The amounts provided do not match the amounts that were sent to the bank account."
	noMoreTries   = "You have exceeded the number of allowed verification attempts."
	lateAmounts   = "The verification of this bank account has timed out."
	wrongVerified = "This bank account has already been verified."
)

// verifyBank holds the amounts that a customer names against those that were sent.
func verifyBank(c *call) (appender, error) {
	_, r, err := c.namedSource()
	if err != nil {
		return nil, err
	}
	if r.resource.Object != "bank_account" {
		return nil, invalid("", "id", "The source %s is no bank account: only bank accounts are verified.", r.id)
	}
	var amounts []int64
	for _, text := range c.params.Strings("amounts") {
		amounts = append(amounts, cents(text))
	}
	slices.Sort(amounts)
	switch status := r.text("status"); {
	case len(amounts) != 2:
		return nil, invalid("", "amounts", "You must provide exactly two amounts, in cents.")
	case status == "verified":
		return nil, refused("", "", "%s", wrongVerified)
	case status != "new":
		return nil, refused("bank_account_unusable", "", "The bank account %s cannot be verified: its status is %s.", r.id, status)
	case slices.Equal(amounts, sentAmounts) && private[bank](r).Number != noDeposits:
		c.settleBank(r, "verified")
		return r.asSource(), nil
	case slices.Equal(amounts, tooLate):
		return nil, c.unverified(r, maxTried, lateAmounts)
	case slices.Equal(amounts, tooOften):
		return nil, c.unverified(r, maxTried, noMoreTries)
	default:
		return nil, c.unverified(r, 1, wrongAmounts)
	}
}

// unverified counts wrong amounts, and ends the verification where they were too many. The status and the code are as recorded in
// https://github.com/beam-community/stripity-stripe/pull/583.
func (c *call) unverified(r *record, times int, why string) error {
	known := private[bank](r)
	if known.Tried += times; known.Tried >= maxTried {
		c.settleBank(r, "verification_failed")
	}
	e := refused("bank_account_verification_failed", "", "%s", why)
	e.status = http.StatusPaymentRequired
	return e
}

// cents reads an amount that was given as text; -1 is none.
func cents(text string) int64 {
	n := int64(0)
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' || i > 3 {
			return -1
		}
		n = n*10 + int64(text[i]-'0')
	}
	return n
}
