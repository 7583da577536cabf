package sandbox

import "strings"

// need is something that an account has to say before it may do something. The fields of persons begin with the role that has to have
// them; requirements name the person in its place once there is one.
type need struct {
	fields  string // as requirements name them
	kinds   string // business types that have it; "known" is any once it is known, empty any at all. Companies stand for all but individuals
	in      string // groups of countries, or countries; empty is all
	not     string // groups of countries, or countries, that have not
	does    class  // what the account cannot do without
	later   bool   // asked for once a threshold is reached: see thresholds
	light   bool   // of those with the recipient's service agreement too
	abroad  bool   // of those with that agreement only
	instead string // what may be said in the field's place
	source  string
}

// class is what an account may do, as a set.
type class uint8

const (
	takesPayments  class = 1 << iota // capabilities of methods of payment
	takesTransfers                   // the capability transfers
	takesPayouts
	everything = takesPayments | takesTransfers | takesPayouts
)

// Where needs are known from.
const (
	recordedNeed  = "recorded replies to the creation of accounts in US, DE, GB and AU, April 2025, in US, July to October 2026, and in CA, JP and GM, 2024 to 2026"
	publishedNeed = "docs.stripe.com/connect/required-verification-information, as remembered; unconfirmed"
)

// needs are what accounts have to say. A country that no group names has what the countries of Europe have; unconfirmed.
var needs = []need{
	{fields: "business_type", does: everything, light: true, source: recordedNeed},
	{fields: "business_profile.mcc", does: takesPayments | takesPayouts, source: recordedNeed},
	{fields: "business_profile.url", does: everything, in: "US", instead: "business_profile.product_description", source: recordedNeed},
	{fields: "business_profile.url", does: everything, not: "US", source: recordedNeed},
	{fields: "external_account", does: takesPayouts, light: true, source: recordedNeed},
	{fields: "tos_acceptance.date tos_acceptance.ip", does: everything, light: true, source: recordedNeed},
	{fields: "settings.payments.statement_descriptor", in: "US", does: takesPayments | takesPayouts, source: recordedNeed},

	{fields: "representative.first_name representative.last_name", does: everything, source: recordedNeed},
	{fields: "representative.first_name representative.last_name", kinds: "individual", does: everything, light: true, abroad: true, source: recordedNeed},
	{fields: "representative.dob.day representative.dob.month representative.dob.year representative.email", does: everything, source: recordedNeed},
	{fields: "representative.phone representative.address.city representative.address.line1 representative.address.postal_code", not: "US", does: everything, source: recordedNeed},
	{fields: "representative.phone representative.address.city representative.address.line1 representative.address.postal_code", in: "US", kinds: "known", does: everything, source: recordedNeed},
	{fields: "representative.address.state", in: "AU", does: everything, source: recordedNeed},
	{fields: "representative.address.state representative.ssn_last_4", in: "US", kinds: "known", does: everything, source: recordedNeed},
	{fields: "representative.address.state", in: "CA MX", kinds: "known", does: everything, source: publishedNeed},
	{fields: "representative.id_number", in: "US", kinds: "individual", does: everything, later: true, source: recordedNeed},
	{fields: "representative.relationship.title", kinds: "company", does: everything, source: recordedNeed},
	{fields: "representative.relationship.title", in: "CA", kinds: "individual", does: takesPayouts, source: recordedNeed},
	{fields: "representative.verification.document", in: "JP", kinds: "individual", does: takesPayouts, source: recordedNeed},
	{fields: "representative.verification.document", kinds: "individual", does: everything, later: true, light: true, abroad: true, source: recordedNeed},

	{fields: "company.name company.phone company.tax_id company.address.city company.address.line1 company.address.postal_code", kinds: "company", does: everything, source: recordedNeed},
	{fields: "company.address.state", in: "US AU CA MX", kinds: "company", does: everything, source: recordedNeed},
	{fields: "company.owners_provided owners.first_name owners.last_name owners.email", kinds: "company", does: everything, source: recordedNeed},
	{fields: "owners.dob.day owners.dob.month owners.dob.year owners.phone owners.address.city owners.address.line1 owners.address.postal_code owners.address.state", in: "US", kinds: "company", does: everything, later: true, source: recordedNeed},
	{fields: "owners.dob.day owners.dob.month owners.dob.year owners.address.city owners.address.line1 owners.address.postal_code", in: "EU", kinds: "company", does: everything, source: publishedNeed},
	{fields: "company.directors_provided directors.first_name directors.last_name directors.email directors.dob.day directors.dob.month directors.dob.year", in: "EU", kinds: "company", does: everything, source: publishedNeed},
	{fields: "company.executives_provided executives.first_name executives.last_name executives.email executives.dob.day executives.dob.month executives.dob.year", in: "EU", kinds: "company", does: everything, source: publishedNeed},
}

// thresholds is how long an account has, in days, for what a threshold has made due; unconfirmed.
const thresholds = 14

// inGroup says whether a country is one of a list of groups and countries. EU is the Economic Area, Britain and Switzerland.
func inGroup(country, groups string) bool {
	for _, group := range strings.Fields(groups) {
		if group == country || group == "EU" && (inEconomicArea(country) || country == "GB" || country == "CH") {
			return true
		}
	}
	return false
}

// concerns says whether accounts of a country, business type and service agreement have the need.
func (n *need) concerns(country, kind string, recipient bool) bool {
	switch {
	case recipient && !n.light, !recipient && n.abroad, n.in != "" && !inGroup(country, n.in), n.not != "" && inGroup(country, n.not):
		return false
	case n.kinds == "":
		return true
	case n.kinds == "known":
		return kind != ""
	default:
		return n.kinds == entity(kind)
	}
}

// entity is the business type as needs tell them apart.
func entity(kind string) string {
	switch kind {
	case "", "individual":
		return kind
	default:
		return "company"
	}
}
