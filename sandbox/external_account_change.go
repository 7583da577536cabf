package sandbox

import (
	"regexp"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// createExternalAccount adds a bank account, by its number or by a token, or a debit card, by a token.
func createExternalAccount(c *call) (appender, error) {
	c, err := c.externalHolder(true)
	if err != nil {
		return nil, err
	}
	if err := kinds["bank_account"].takes(c); err != nil {
		return nil, err
	}
	r, err := c.addExternal()
	if err != nil {
		return nil, err
	}
	return c.show(r)
}

// addExternal adds the external account that the request gives.
func (c *call) addExternal() (*record, error) {
	if len(c.externalAccounts()) >= maxExternal {
		return nil, refused("", "external_account", "This account has %d external accounts already, which is the most that it can have.", maxExternal)
	}
	param := externalParam(c.params)
	if !c.params.Has(param) {
		return nil, invalid("parameter_missing", "external_account", "Missing required param: external_account.")
	}
	given, err := c.readExternal(param, c.standing().Currency)
	if err != nil {
		return nil, err
	}
	r := c.externalOf(given)
	if err := c.fill(r); err != nil {
		return nil, err
	}
	before := c.accountRecord().object().Clone()
	c.lodge(r, c.params.Bool("default_for_currency"))
	c.reviewAfter(before, "external_account")
	return r, nil
}

// lodge stores a new external account; the first of its currency is the default one.
func (c *call) lodge(r *record, preferred bool) {
	first := c.payoutAccount(r.text("currency")) == nil
	r.object().Set("default_for_currency", false)
	c.insert(r)
	if first || preferred {
		c.makeDefault(r)
	}
	c.emit("account.external_account.created", r)
	c.rearrange()
}

// outside is an external account as a request gives it.
type outside struct {
	token                              string // of a debit card
	number, country, currency, routing string // of a bank account
	said                               *spec.Params
}

// externalParam is the parameter that gives an external account.
func externalParam(p *spec.Params) string {
	if p.Has("bank_account") {
		return "bank_account"
	}
	return "external_account"
}

// readExternal reads an external account; own is the currency of the account itself.
func (c *call) readExternal(param, own string) (*outside, error) {
	switch given := c.params.String(param); {
	case given == "" && c.params.Sub(param) != nil:
		return c.bankOf(param, own)
	case bankTokens[given] != "":
		return &outside{number: bankTokens[given], country: "US", currency: "usd", routing: testRouting}, nil
	case c.bankToken(given) != nil:
		return spendOutside(c.bankToken(given))
	case payoutCards[given].number != "":
		return &outside{token: given, currency: "usd"}, nil
	case strings.HasPrefix(given, "tok_"):
		return nil, refused("invalid_card_type", param, "The card is not a debit card that payouts can be made to.")
	default:
		return nil, missingIn(param, "token", given)
	}
}

// externalOf makes an external account that was read; it is not stored yet.
func (c *call) externalOf(given *outside) *record {
	if given.token != "" {
		return c.debitCard(given.token)
	}
	r := c.undated("bank_account", "ba_")
	r.hidden = &bank{Number: given.number}
	c.describeBank(r, given.country, given.currency, given.routing)
	for _, name := range []string{"account_holder_name", "account_holder_type", "account_type"} {
		if given.said.Has(name) {
			set(r.object(), name, given.said)
		}
	}
	return r
}

// testRouting is the routing number of the test mode's bank in the United States; anotherRouting is taken too, although no bank can have it
// (recorded, 2023).
const (
	testRouting    = "110000000"
	anotherRouting = "111000000"
)

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

// bankOf reads a bank account that is given by its number.
func (c *call) bankOf(param, own string) (*outside, error) {
	p := c.params.Sub(param)
	country, number, routing := p.String("country"), strings.ReplaceAll(p.String("account_number"), " ", ""), p.String("routing_number")
	if !countryCode.MatchString(country) {
		return nil, unknownCountry(param+"[country]", country)
	}
	code := p.String("currency")
	if code == "" {
		code = own
	}
	currency, err := readCurrency(code)
	if err != nil {
		return nil, err
	}
	if !payoutBanks[number] && failingBanks[number] == "" || number == failingCard {
		return nil, invalid("account_number_invalid", param+"[account_number]", "You must use a test bank account number in test mode. Try 000123456789 or see more options at https://stripe.com/docs/connect/testing#account-numbers.")
	}
	if country == "US" && routing != anotherRouting && !abaRouting(routing) {
		return nil, invalid("routing_number_invalid", param+"[routing_number]", "The bank routing number provided is invalid.")
	}
	if routing == "" {
		routing = testRouting // recorded of bank accounts that are given as IBAN or CLABE
	}
	return &outside{number: number, country: country, currency: currency.Lower(), routing: routing, said: p}, nil
}

// abaRouting says whether text is a routing number of a US bank: nine digits whose weighted sum is a multiple of ten (ABA).
func abaRouting(text string) bool {
	if len(text) != 9 {
		return false
	}
	sum := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
		sum += int(text[i]-'0') * []int{3, 7, 1}[i%3]
	}
	return sum%10 == 0
}

// debitCard makes a debit card from a token of the test mode.
func (c *call) debitCard(token string) *record {
	of := payoutCards[token]
	r := c.undated("card", "card_")
	r.hidden = &bank{Number: of.number}
	o := r.object().Set("account", c.account).Set("brand", of.brand).Set("country", "US").Set("currency", "usd").Set("funding", "debit").Set("last4", of.number[len(of.number)-4:])
	o.Set("exp_month", int64(c.now().Month())).Set("exp_year", int64(c.now().Year()+1)).Set("fingerprint", c.fingerprint(of.number)).Set("cvc_check", "unchecked").Set("metadata", map[string]string{})
	methods := []string{"standard", "instant"}
	if of.number == neverInstant {
		methods = methods[:1]
	}
	o.Set("available_payout_methods", methods)
	return r
}

// makeDefault makes an external account that of its currency.
func (c *call) makeDefault(r *record) {
	currency := r.text("currency")
	for _, kind := range externalKinds {
		for _, other := range slices.Clone(c.having(kind, "currency", currency)) {
			if other.id != r.id && other.flag("default_for_currency") {
				other.object().Set("default_for_currency", false)
			}
		}
	}
	r.object().Set("default_for_currency", true)
}

// updateExternalAccount changes what is said of one. One to which a payout has failed is tried again from then on.
func updateExternalAccount(c *call) (appender, error) {
	c, r, err := c.namedExternal(true)
	if err != nil {
		return nil, err
	}
	return c.changeExternal(r)
}

// updateOwnExternal is the same under a path that does not name the account.
func updateOwnExternal(c *call) (appender, error) {
	r, err := c.external(c.path[0].Value)
	if err != nil {
		return nil, err
	}
	return c.changeExternal(r)
}

func (c *call) changeExternal(r *record) (appender, error) {
	if err := r.resource.takes(c); err != nil {
		return nil, err
	}
	before, whole := r.object().Clone(), c.accountRecord().object().Clone()
	if err := c.changing(r, func() error { return c.fill(r) }); err != nil {
		return nil, err
	}
	for _, name := range []string{"exp_month", "exp_year"} {
		if r.resource.Object == "card" && c.params.Has(name) {
			set(r.object(), name, c.params)
		}
	}
	if c.params.Bool("default_for_currency") {
		c.makeDefault(r)
	}
	if r.text("status") == "errored" {
		r.object().Set("status", "new")
	}
	c.emitUpdated("account.external_account.updated", r, before)
	c.rearrange()
	c.reviewAfter(whole, "")
	return c.show(r)
}

// deleteExternalAccount removes one that is not what the account is paid out to by default.
func deleteExternalAccount(c *call) (appender, error) {
	c, r, err := c.namedExternal(true)
	if err != nil {
		return nil, err
	}
	currency := r.text("currency")
	others := 0
	for _, one := range c.externalAccounts() {
		if one.text("currency") == currency && one.id != r.id {
			others++
		}
	}
	if r.flag("default_for_currency") && (currency == c.standing().Currency || others > 0) {
		return nil, refused("", "", "You cannot delete the default external account for your default currency. Please make another external account the default using the `default_for_currency` param, and then delete this one.")
	}
	before := c.accountRecord().object().Clone()
	c.remove(r)
	c.emit("account.external_account.deleted", r)
	c.rearrange()
	c.reviewAfter(before, "")
	return spec.New("deleted_"+r.resource.Object).Set("id", r.id).Set("currency", currency).Set("deleted", true), nil
}
