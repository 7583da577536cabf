package sandbox

import (
	"crypto/sha256"
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// bankTransfer is how customers send money in a currency (docs.stripe.com/payments/bank-transfers).
type bankTransfer struct {
	kind     string
	currency string
	country  string   // of the bank; another may be asked for in Europe
	types    []string // of the financial addresses that a customer is given
}

var bankTransfers = []bankTransfer{
	{"us_bank_transfer", "usd", "US", []string{"aba", "swift"}},
	{"eu_bank_transfer", "eur", "IE", []string{"iban"}},
	{"gb_bank_transfer", "gbp", "GB", []string{"sort_code"}},
	{"jp_bank_transfer", "jpy", "JP", []string{"zengin"}},
	{"mx_bank_transfer", "mxn", "MX", []string{"spei"}},
}

// euroCountries are where a customer may be given a European bank account (docs.stripe.com/api, eu_bank_transfer[country]).
var euroCountries = []string{"BE", "DE", "ES", "FR", "IE", "NL"}

// transferIn is how money in a currency is sent; nil where it is not.
func transferIn(currency string) *bankTransfer {
	for i := range bankTransfers {
		if bankTransfers[i].currency == currency {
			return &bankTransfers[i]
		}
	}
	return nil
}

// checkTransferCurrency refuses a currency in which no bank transfers come.
func checkTransferCurrency(code string) (*bankTransfer, error) {
	currency, err := readCurrency(code)
	if err != nil {
		return nil, err
	}
	if t := transferIn(currency.Lower()); t != nil {
		return t, nil
	}
	return nil, invalid("", "currency", "The currency %s is not supported for bank transfers. Please use one of these currencies: usd, eur, gbp, jpy, mxn.", currency.Lower())
}

// readTransfer reads the bank_transfer hash of a parameter: which transfer, and in Europe to which country. It may be left out.
func readTransfer(p *spec.Params, param, currency string) (t *bankTransfer, country string, err error) {
	t, err = checkTransferCurrency(currency)
	if err != nil {
		return nil, "", err
	}
	country = t.country
	if kind := p.String("type"); kind != "" && kind != t.kind {
		return nil, "", invalid("", param+"[type]", "The bank transfer type %s does not support the currency %s; that is %s.", kind, currency, t.kind)
	}
	if given := p.String("eu_bank_transfer", "country"); given != "" && t.kind == "eu_bank_transfer" {
		if !slices.Contains(euroCountries, given) {
			return nil, "", invalid("", param+"[eu_bank_transfer][country]", "Invalid country: must be one of BE, DE, ES, FR, IE, or NL.")
		}
		country = given
	}
	return t, country, nil
}

// Where the money is sent to: the test mode's details are not valid, and here they are the same each time for a customer.
const (
	transferRouting  = "999999999"
	transferSwift    = "TESTUS99"
	transferBIC      = "TESTIE99"
	transferSortCode = "200000"
	transferBank     = "STRIPE TEST BANK"
)

// digitsOf is n digits that are the same for the same text.
func digitsOf(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + sum[i%len(sum)]%10
	}
	return string(b)
}

// financialAddresses are where a customer sends money to; of those types alone that were asked for, if any were.
func (c *call) financialAddresses(customer string, t *bankTransfer, country string, asked []string) []*spec.Object {
	all := []*spec.Object{}
	for _, kind := range t.types {
		if len(asked) > 0 && !slices.Contains(asked, kind) {
			continue
		}
		all = append(all, c.financialAddress(kind, country, digitsOf(c.account+customer+t.kind+country, 18)))
	}
	return all
}

// networks are over which money reaches a financial address.
var transferNetworks = map[string][]string{
	"aba": {"ach", "domestic_wire_us"}, "swift": {"swift"}, "iban": {"sepa"}, "sort_code": {"bacs", "fps"}, "zengin": {"zengin"}, "spei": {"spei"},
}

func (c *call) financialAddress(kind, country, number string) *spec.Object {
	o := spec.New("funding_instructions_bank_transfer_" + kind + "_record")
	o.Set("account_holder_name", descriptor)
	for _, name := range []string{"account_holder_address", "bank_address"} {
		o.Set(name, spec.New("address").Set("country", country).Set("city", "Test City").Set("line1", "1 Test Street").Set("postal_code", "00000"))
	}
	fill := func(pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			o.Set(pairs[i], pairs[i+1])
		}
	}
	switch kind {
	case "aba":
		fill("account_number", number[:12], "account_type", "checking", "bank_name", transferBank, "routing_number", transferRouting)
	case "swift":
		fill("account_number", number[:12], "account_type", "checking", "bank_name", transferBank, "swift_code", transferSwift)
	case "iban":
		fill("bic", transferBIC, "country", country, "iban", ibanFor(country, number))
	case "sort_code":
		fill("account_number", number[:8], "sort_code", transferSortCode)
	case "zengin":
		fill("account_number", number[:7], "account_type", "futsu", "bank_code", "0000", "bank_name", transferBank, "branch_code", "000", "branch_name", "TEST")
	case "spei":
		fill("bank_code", "000", "bank_name", transferBank, "clabe", number)
	}
	return spec.New("funding_instructions_bank_transfer_financial_address").Set("type", kind).Set("supported_networks", transferNetworks[kind]).Set(kind, o)
}

// ibanFor is an IBAN of a country that clients which check IBANs take.
func ibanFor(country, digits string) string {
	account := (digits + digits)[:ibanForms[country].length-4]
	if country == "IE" || country == "NL" { // their banks are named by four letters
		account = "TEST" + account[4:]
	}
	return withCheckDigits(country, account)
}

// fundingInstructions tells where a customer can send money to, at any time and each time the same.
func fundingInstructions(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	t, country, err := readTransfer(c.params.Sub("bank_transfer"), "bank_transfer", c.params.String("currency"))
	if err != nil {
		return nil, err
	}
	if t.kind == "eu_bank_transfer" && !c.params.Has("bank_transfer", "eu_bank_transfer", "country") {
		return nil, invalid("parameter_missing", "bank_transfer[eu_bank_transfer][country]", "Missing required param: bank_transfer[eu_bank_transfer][country].")
	}
	of := spec.New("funding_instructions_bank_transfer").Set("country", country).Set("type", t.kind).
		Set("financial_addresses", c.financialAddresses(customer.id, t, country, c.params.Strings("bank_transfer", "requested_address_types")))
	return spec.New("funding_instructions").Set("bank_transfer", of).Set("currency", t.currency).Set("funding_type", "bank_transfer"), nil
}

// received describes the sender of a bank transfer in test mode.
func (t *bankTransfer) received(reference string) *spec.Object {
	const shape = "customer_balance_resource_cash_balance_transaction_resource_funded_transaction_resource_bank_transfer"
	o := spec.New(shape).Set("type", t.kind)
	if reference != "" {
		o.Set("reference", reference)
	}
	sender := map[string][]string{
		"us_bank_transfer": {"network", "ach", "sender_name", "Jenny Rosen"},
		"eu_bank_transfer": {"bic", "BANKDEAA", "iban_last4", "7089", "sender_name", "Jenny Rosen"},
		"gb_bank_transfer": {"account_number_last4", "6789", "sort_code", "108800", "sender_name", "Jenny Rosen"},
		"jp_bank_transfer": {"sender_bank", "STRIPE TEST BANK", "sender_branch", "TEST", "sender_name", "Jenny Rosen"},
	}[t.kind]
	if sender == nil { // of Mexican ones nothing is shown
		return o
	}
	from := spec.New(shape + "_resource_" + t.kind)
	for i := 0; i < len(sender); i += 2 {
		from.Set(sender[i], sender[i+1])
	}
	return o.Set(t.kind, from)
}
