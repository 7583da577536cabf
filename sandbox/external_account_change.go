package sandbox

import (
	"regexp"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// createExternalAccount adds a bank account, by its number or by a token, or a debit card, by a token.
func createExternalAccount(c *call) (appender, error) {
	if err := c.ownAccount(); err != nil {
		return nil, err
	}
	if err := kinds["bank_account"].takes(c); err != nil {
		return nil, err
	}
	if len(c.externalAccounts()) >= maxExternal {
		return nil, refused("", "external_account", "This account has %d external accounts already, which is the most that it can have.", maxExternal)
	}
	r, err := c.newExternal()
	if err != nil {
		return nil, err
	}
	if err := c.fill(r); err != nil {
		return nil, err
	}
	currency := r.text("currency")
	first := c.payoutAccount(currency) == nil
	r.object().Set("default_for_currency", false)
	c.insert(r)
	if first || c.params.Bool("default_for_currency") {
		c.makeDefault(r)
	}
	c.emit("account.external_account.created", r)
	c.rearrange()
	return c.show(r)
}

// newExternal reads what the new external account is.
func (c *call) newExternal() (*record, error) {
	param := "external_account"
	if c.params.Has("bank_account") {
		param = "bank_account"
	}
	switch given := c.params.String(param); {
	case !c.params.Has(param):
		return nil, invalid("parameter_missing", "external_account", "Missing required param: external_account.")
	case given == "" && c.params.Sub(param) != nil:
		return c.bankOf(param)
	case bankTokens[given] != "":
		r := c.undated("bank_account", "ba_")
		r.hidden = &bank{Number: bankTokens[given]}
		c.describeBank(r, "US", "usd", testRouting)
		return r, nil
	case payoutCards[given].number != "":
		return c.debitCard(given), nil
	case strings.HasPrefix(given, "tok_"):
		return nil, refused("invalid_card_type", param, "The card is not a debit card that payouts can be made to.")
	default:
		return nil, missingIn(param, "token", given)
	}
}

// testRouting is the routing number of the test mode's bank in the United States.
const testRouting = "110000000"

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

// bankOf reads a bank account that is given by its number.
func (c *call) bankOf(param string) (*record, error) {
	p := c.params.Sub(param)
	country, number, routing := p.String("country"), strings.ReplaceAll(p.String("account_number"), " ", ""), p.String("routing_number")
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
	if !payoutBanks[number] && failingBanks[number] == "" || number == failingCard {
		return nil, invalid("account_number_invalid", param+"[account_number]", "You must use a test bank account number in test mode. Try 000123456789 or see more options at https://stripe.com/docs/connect/testing#account-numbers.")
	}
	if country == "US" && !abaRouting(routing) {
		return nil, invalid("routing_number_invalid", param+"[routing_number]", "The bank routing number provided is invalid.")
	}
	r := c.undated("bank_account", "ba_")
	r.hidden = &bank{Number: number}
	c.describeBank(r, country, currency.Lower(), routing)
	for _, name := range []string{"account_holder_name", "account_holder_type", "account_type"} {
		if p.Has(name) {
			set(r.object(), name, p)
		}
	}
	return r, nil
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
	r, err := c.namedExternal()
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
	before := r.object().Clone()
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
	return c.show(r)
}

// deleteExternalAccount removes one that is not what the account is paid out to by default.
func deleteExternalAccount(c *call) (appender, error) {
	r, err := c.namedExternal()
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
	c.remove(r)
	c.emit("account.external_account.deleted", r)
	c.rearrange()
	return spec.New("deleted_"+r.resource.Object).Set("id", r.id).Set("currency", currency).Set("deleted", true), nil
}
