package sandbox

import "strings"

// europe are the countries between whose accounts, and those of the United States and Canada, money can be transferred across borders.
const europe = "europe"

// country is a country in which Stripe has accounts.
type country struct {
	id, currency string // ISO 3166-1 alpha-2; the currency of its accounts
	area         string // europe or empty
	states       bool   // its addresses name a state
	local        bool   // its accounts are paid in its own currency only
}

// countries are those of stripe.com/global as of 2025, by id. The row of the United States shows what Stripe's reference shows
// (docs.stripe.com/api/country_specs, 2025); the bank accounts of Europe are as recorded for Britain in 2016. The rest of the other rows
// is derived: the currency by the country, transfers by docs.stripe.com/connect/cross-border-payouts, and the fields from those of the
// United States; unconfirmed.
var countries = []country{
	{id: "AE", currency: "aed", states: true},
	{id: "AT", currency: "eur", area: europe},
	{id: "AU", currency: "aud", states: true},
	{id: "BE", currency: "eur", area: europe},
	{id: "BG", currency: "eur", area: europe},
	{id: "BR", currency: "brl", states: true, local: true},
	{id: "CA", currency: "cad", states: true},
	{id: "CH", currency: "chf", area: europe},
	{id: "CY", currency: "eur", area: europe},
	{id: "CZ", currency: "czk", area: europe},
	{id: "DE", currency: "eur", area: europe},
	{id: "DK", currency: "dkk", area: europe},
	{id: "EE", currency: "eur", area: europe},
	{id: "ES", currency: "eur", area: europe},
	{id: "FI", currency: "eur", area: europe},
	{id: "FR", currency: "eur", area: europe},
	{id: "GB", currency: "gbp", area: europe},
	{id: "GI", currency: "gbp", area: europe},
	{id: "GR", currency: "eur", area: europe},
	{id: "HK", currency: "hkd"},
	{id: "HR", currency: "eur", area: europe},
	{id: "HU", currency: "huf", area: europe},
	{id: "IE", currency: "eur", area: europe},
	{id: "IN", currency: "inr", states: true},
	{id: "IT", currency: "eur", area: europe},
	{id: "JP", currency: "jpy", states: true},
	{id: "LI", currency: "chf", area: europe},
	{id: "LT", currency: "eur", area: europe},
	{id: "LU", currency: "eur", area: europe},
	{id: "LV", currency: "eur", area: europe},
	{id: "MT", currency: "eur", area: europe},
	{id: "MX", currency: "mxn", states: true},
	{id: "MY", currency: "myr", states: true},
	{id: "NL", currency: "eur", area: europe},
	{id: "NO", currency: "nok", area: europe},
	{id: "NZ", currency: "nzd"},
	{id: "PL", currency: "pln", area: europe},
	{id: "PT", currency: "eur", area: europe},
	{id: "RO", currency: "ron", area: europe},
	{id: "SE", currency: "sek", area: europe},
	{id: "SG", currency: "sgd"},
	{id: "SI", currency: "eur", area: europe},
	{id: "SK", currency: "eur", area: europe},
	{id: "TH", currency: "thb"},
	{id: "US", currency: "usd", states: true},
}

// euroBanks are the countries whose bank accounts European accounts are paid out to in euros.
const euroBanks = "AT BE CH DE DK ES FI FR GB IE IT LU NL NO PT SE"

// transfersOfUS are the countries that accounts of the United States transfer to.
const transfersOfUS = "US AE AG AL AM AR AT AU BA BE BG BH BO CA CH CI CL CO CR CY CZ DE DK DO EC EE EG ES ET FI FR GB GH GM GR GT GY HK HR HU ID IE " +
	"IL IS IT JM JO JP KE KH KR KW LC LI LK LT LU LV MA MD MG MK MN MO MT MU MX MY NA NG NL NO NZ OM PA PE PH PL PT PY QA RO RS RW " +
	"SA SE SG SI SK SN SV TH TN TR TT TZ UY UZ VN ZA BD BJ MC NE SM AZ BN BT AO DZ TW BS BW GA LA MZ KZ PK"

// What has to be told of a company and of an individual in the United States.
var (
	companyFields = strings.Fields("business_profile.mcc business_profile.url business_type company.address.city company.address.line1 " +
		"company.address.postal_code company.address.state company.name company.owners_provided company.phone company.tax_id " +
		"external_account owners.address.city owners.address.line1 owners.address.postal_code owners.address.state owners.dob.day " +
		"owners.dob.month owners.dob.year owners.email owners.first_name owners.id_number owners.last_name owners.phone " +
		"owners.ssn_last_4 owners.verification.document representative.address.city representative.address.line1 " +
		"representative.address.postal_code representative.address.state representative.dob.day representative.dob.month " +
		"representative.dob.year representative.email representative.first_name representative.id_number representative.last_name " +
		"representative.phone representative.relationship.executive representative.relationship.title representative.ssn_last_4 " +
		"representative.verification.document tos_acceptance.date tos_acceptance.ip")
	individualFields = strings.Fields("business_profile.mcc business_profile.url business_type external_account individual.address.city individual.address.line1 " +
		"individual.address.postal_code individual.address.state individual.dob.day individual.dob.month individual.dob.year " +
		"individual.email individual.first_name individual.id_number individual.last_name individual.phone individual.ssn_last_4 " +
		"individual.verification.document tos_acceptance.date tos_acceptance.ip")
)
