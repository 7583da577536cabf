package radar

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Type is what an attribute is.
type Type int

// The types of attributes.
const (
	Number Type = iota + 1
	Text
	Bool
	Country // two letters, ISO 3166-1
)

// String is how a message calls what is of the type.
func (t Type) String() string {
	return [...]string{"a number", "text", "true or false", "a country"}[t-1]
}

// Attribute is one thing that rules may ask of a payment.
type Attribute struct {
	Name  string
	Type  Type
	After bool // known only once the bank has answered
	Exact bool // upper and lower case differ

	// Family says what attributes of one pattern have in common, Parts in what they differ: total_charges_per_email_hourly is of the
	// family "charges" with the parts total, email and hourly. An attribute of no pattern has neither.
	Family string
	Parts  []string
}

// pattern stands for one attribute, or for all that come of choosing among what stands in braces.
type pattern struct {
	names        string
	is           Type
	family       string
	after, exact bool
}

// The windows of counts, and what charges are counted by. Stripe has not each count for each window; here all that there are is the
// same everywhere.
const (
	windows = "{all_time,yearly,weekly,daily,hourly}"
	payers  = "{billing_address,card_number,customer,email,shipping_address,ip_address}"
)

// patterns are all attributes (docs.stripe.com/radar/rules/supported-attributes, November 2026), besides amount_in_<currency>.
var patterns = []pattern{
	{names: "risk_level", is: Text},
	{names: "risk_score", is: Number},

	{names: "{is_3d_secure,is_3d_secure_authenticated,has_liability_shift}", is: Bool},
	{names: "card_3d_secure_support", is: Text},

	{names: "{billing,shipping}_address", is: Text, family: "address"},
	{names: "{billing,shipping}_address_{line1,line2,postal_code,city,state}", is: Text, family: "address"},
	{names: "{billing,shipping}_address_{country}", is: Country, family: "address"},

	{names: "{average}_usd_amount_{attempted,successful}_on_{card,customer}_all_time", is: Number, family: "usd_amount"},
	{names: "{total}_usd_amount_{charged,failed,successful}_on_{card,customer}_all_time", is: Number, family: "usd_amount"},

	{names: "{card_bin,card_brand,card_funding}", is: Text},
	{names: "card_country", is: Country},
	{names: "card_fingerprint", is: Text, exact: true},
	{names: "is_new_card_on_customer", is: Bool},
	{names: "{sepa_debit_bank_code}", is: Text},
	{names: "{sepa_debit_country}", is: Country},
	{names: "{sepa_debit_fingerprint,us_bank_account_fingerprint}", is: Text, exact: true},

	{names: "{charge_description,statement_descriptor,transaction_type,digital_wallet,destination}", is: Text},
	{names: "{is_checkout,is_off_session,is_recurring,has_cryptogram}", is: Bool},

	{names: "card_count_for_{billing_address,customer,email,ip_address,shipping_address}_{all_time,weekly,daily,hourly}", is: Number, family: "card_count"},
	{names: "{authorized,blocked,declined,total}_charges_per_" + payers + "_" + windows, is: Number, family: "charges"},

	{names: "{browser,operating_system,user_agent}", is: Text},

	{names: "customer", is: Text},
	{names: "total_customers_for_{card,email}_{yearly,weekly}", is: Number, family: "customers"},
	{names: "total_customers_with_prior_fraud_activity_for_{card,email}_{yearly,weekly}", is: Number, family: "fraudulent_customers"},

	{names: "distance_between_{billing_and_shipping,ip_and_billing,ip_and_shipping}_address", is: Number},

	{names: "{dispute_count,efw_count}_on_{card,ip}_" + windows, is: Number, family: "complaints"},
	{names: "{refund_count}_on_{card}_" + windows, is: Number, family: "complaints"},

	{names: "{email,email_domain}", is: Text},
	{names: "is_disposable_email", is: Bool},
	{names: "email_count_for_{billing_address,card,ip,shipping_address}_" + windows, is: Number, family: "email_count"},

	{names: "{ip_address,ip_address_connection_type,ip_state}", is: Text},
	{names: "ip_country", is: Country},
	{names: "{is_anonymous_ip,is_my_login_ip}", is: Bool},

	{names: "cardholder_name", is: Text},
	{names: "name_count_for_{card}_" + windows, is: Number, family: "name_count"},

	{names: "{cvc_check,address_zip_check,address_line1_check}", is: Text, after: true},

	{names: "{hours,minutes,seconds}_since_{customer_was_created,email_first_seen,email_first_seen_on_stripe,card_first_seen,first_successful_auth_on_card}", is: Number, family: "since"},
}

// table finds attributes by their names.
var table = sync.OnceValue(func() map[string]*Attribute {
	all := map[string]*Attribute{}
	for _, p := range patterns {
		p.spread("", p.names, nil, all)
	}
	return all
})

// spread adds the attributes that a pattern stands for, of which the beginning is chosen already.
func (p pattern) spread(done, rest string, parts []string, into map[string]*Attribute) {
	before, inner, braces := strings.Cut(rest, "{")
	if !braces {
		a := &Attribute{Name: done + rest, Type: p.is, After: p.after, Exact: p.exact, Family: p.family}
		if p.family != "" {
			a.Parts = slices.Clone(parts)
		}
		into[a.Name] = a
		return
	}
	choices, after, _ := strings.Cut(inner, "}")
	for _, choice := range strings.Split(choices, ",") {
		p.spread(done+before+choice, after, append(parts, choice), into)
	}
}

// amountIn begins the attributes that are the amount in a currency, which ends them in lower case.
const amountIn = "amount_in_"

// lookup finds an attribute by its name in lower case; nil where there is none.
func lookup(name string) *Attribute {
	if a := table()[name]; a != nil {
		return a
	}
	currency, is := strings.CutPrefix(name, amountIn)
	if !is || len(currency) != 3 || strings.Trim(currency, letters) != "" {
		return nil
	}
	return &Attribute{Name: name, Type: Number, Family: "amount", Parts: []string{currency}}
}

const letters = "abcdefghijklmnopqrstuvwxyz"

// Attributes are all attributes by name, besides amount_in_<currency>.
func Attributes() []*Attribute {
	return slices.SortedFunc(maps.Values(table()), func(a, b *Attribute) int { return strings.Compare(a.Name, b.Name) })
}

// alike is the attribute whose name is most like a wrong one; empty where none is near.
func alike(name string) string {
	best, found := max(len(name)/3, 1)+1, ""
	for _, a := range Attributes() {
		if apart := distance(name, a.Name, best); apart < best {
			best, found = apart, a.Name
		}
	}
	if apart := distance(name, amountIn+"usd", best); apart < best {
		found = amountIn + "usd"
	}
	return found
}

// distance is how many bytes have to be put in, taken out or changed to make one word the other; limit where it is that or more.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
