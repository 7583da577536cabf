package spec

import (
	"slices"
	"strings"
)

// extra is something that Stripe takes although the document that it publishes lacks it.
type extra struct {
	ops     []string // method and path
	within  []string // the names on the way to the object or, for a word, to the enumeration; * stands for any
	name    string   // a field that the object has besides, declared by is or like
	is      node
	like    *place
	word    string // a word that the enumeration has besides
	example string // what would be refused without
	reason  string
}

// place is where the declaration of a like field is found.
type place struct {
	op   string
	name string
}

var (
	paymentMethodData = []string{
		"POST /v1/payment_intents", "POST /v1/payment_intents/{intent}", "POST /v1/payment_intents/{intent}/confirm",
		"POST /v1/setup_intents", "POST /v1/setup_intents/{intent}", "POST /v1/setup_intents/{intent}/confirm",
		"POST /v1/test_helpers/confirmation_tokens",
	}
	intents       = paymentMethodData[:6]
	customers     = []string{"POST /v1/customers", "POST /v1/customers/{customer}"}
	subscriptions = []string{"POST /v1/subscriptions", "POST /v1/subscriptions/{subscription_exposed_id}"}
)

// sourceTypes are the types of sources that take parameters of their own, with one of them each.
var sourceTypes = [][2]string{
	{"ach_credit_transfer", "[refund_account_holder_name]=x"}, {"ach_debit", "[account_number]=1"}, {"alipay", "[statement_descriptor]=x"},
	{"au_becs_debit", "[account_number]=1"}, {"bancontact", "[preferred_language]=de"}, {"card", "[number]=4242424242424242"},
	{"eps", "[statement_descriptor]=x"}, {"giropay", "[statement_descriptor]=x"}, {"ideal", "[bank]=ing"}, {"klarna", "[product]=payment"},
	{"multibanco", "[refund_iban]=x"}, {"p24", "[reference]=x"}, {"sepa_debit", "[iban]=x"}, {"sofort", "[country]=DE"},
	{"three_d_secure", "[card]=src_1"}, {"wechat", "[statement_descriptor]=x"},
}

// ofSources are the parameters that types of sources have for themselves.
func ofSources() (all []extra) {
	for _, t := range sourceTypes {
		all = append(all, extra{ops: []string{"POST /v1/sources", "POST /v1/sources/{source}"}, name: t[0], is: node{kind: kindAny}, example: t[0] + t[1],
			reason: "What a type of sources takes besides is in its guide only (docs.stripe.com/sources); stripe-go has it as TypeData."})
	}
	return all
}

var extras = append(ofSources(), []extra{
	{
		ops: paymentMethodData, within: []string{"payment_method_data", "type"}, word: "card", example: "payment_method_data[type]=card",
		reason: "Card data is left out of the document, because only PCI-certified merchants may send it; Stripe.js and test mode do.",
	},
	{
		ops: paymentMethodData, within: []string{"payment_method_data"}, name: "card", like: &place{"POST /v1/payment_methods", "card"},
		example: "payment_method_data[card][number]=4242424242424242",
		reason:  "As the type card. The fields are those with which a payment method is created.",
	},
	{
		ops: intents, within: []string{"payment_method_options", "card"}, name: "moto", is: node{kind: kindBoolean},
		example: "payment_method_options[card][moto]=true",
		reason:  "Orders by mail or telephone are enabled per account; stripe-go has the field.",
	},
	{
		ops: intents, within: []string{"payment_method_options", "link"}, name: "persistent_token", is: node{kind: kindString, max: 5000},
		example: "payment_method_options[link][persistent_token]=x",
		reason:  "Deprecated, still in stripe-go and in recorded objects.",
	},
	{
		ops: append([]string{"POST /v1/customers/{customer}/sources"}, customers...), name: "validate", is: node{kind: kindBoolean},
		example: "validate=false",
		reason:  "Skips the check of a new source; stripe-go has the field.",
	},
	{
		ops: customers[:1], name: "card", like: &place{"POST /v1/customers/{customer}", "card"}, example: "card=tok_visa",
		reason: "The older name of source, which recorded clients of 2015 send; the document has it for updates only.",
	},
	{
		ops: []string{"POST /v1/charges"}, name: "level3", is: node{kind: kindAny}, example: "level3[merchant_reference]=x",
		reason: "Level 3 data are enabled per account; stripe-go has the field.",
	},
	{
		ops: []string{"POST /v1/charges", "POST /v1/charges/{charge}/capture"}, name: "exchange_rate", is: node{kind: kindNumber}, example: "exchange_rate=1.25",
		reason: "For accounts that set their own rate; stripe-go has the field.",
	},
	{
		ops: subscriptions, within: []string{"items", "*"}, name: "plan", is: node{kind: kindString, max: 5000}, example: "items[0][plan]=gold",
		reason: "Plans came before prices and still work; stripe-go has the field.",
	},
	{
		ops:  []string{"GET /v1/subscriptions", "POST /v1/subscription_items", "POST /v1/subscription_items/{item}"},
		name: "plan", is: node{kind: kindString, max: 5000}, example: "plan=gold",
		reason: "As items[plan].",
	},
	{
		ops: []string{"POST /v1/accounts", "POST /v1/accounts/{account}"}, name: "requested_capabilities", is: node{kind: kindAny}, example: "requested_capabilities[]=transfers",
		reason: "The older form of capabilities, which recorded clients of 2023 send.",
	},
	{
		ops: []string{"GET /v1/products", "POST /v1/products"}, name: "type", is: node{kind: kindString, max: 5000}, example: "type=service",
		reason: "Deprecated, still in stripe-go.",
	},
}...)

// beyond finds a field that the tables lack among the extras.
func (c *checker) beyond(name string) (node, bool) {
	for i := range extras {
		e := &extras[i]
		if e.name != name || !c.here(e) {
			continue
		}
		if e.like != nil {
			return e.like.node()
		}
		return e.is, true
	}
	return node{}, false
}

// beyondWord tells whether an enumeration takes a word that the tables lack.
func (c *checker) beyondWord(word string) bool {
	return slices.ContainsFunc(extras, func(e extra) bool { return e.word == word && c.here(&e) })
}

func (c *checker) here(e *extra) bool {
	return !c.strict && slices.EqualFunc(e.within, c.trail(), func(want, name string) bool { return want == "*" || want == name }) &&
		slices.ContainsFunc(e.ops, c.op.called)
}

func (at *place) node() (node, bool) {
	method, path, _ := strings.Cut(at.op, " ")
	o, _, ok := Match(method, path)
	if !ok {
		return node{}, false
	}
	return lookup(objects[operations[o].root], at.name)
}

// called tells whether name is the operation's, method and template.
func (o Op) called(name string) bool {
	method, path, _ := strings.Cut(name, " ")
	return method == o.Method() && path == o.Path()
}

// blank is a set of texts that may be sent as "" although the document does not say so.
type blank struct {
	ops     []string // nil for all
	within  string   // the object that holds them; "" for the operation itself
	names   []string // nil for all
	unsets  bool     // they are unset thereby and not just empty
	example string   // to POST /v1/customers
	reason  string
}

var blanks = []blank{
	{
		within: "address", example: "address[line2]=",
		reason: "Shops send every part of an address, filled in or not.",
	},
	{
		within: "shipping", example: "shipping[name]=&shipping[address][country]=US",
		reason: "A recorded payment intent was created with shipping[name]= and shows the name as empty.",
	},
	{
		ops: customers, names: []string{"description", "email", "name", "phone"}, unsets: true, example: "email=",
		reason: "So a customer's particulars are cleared: https://github.com/stripe/stripe-dotnet/issues/68.",
	},
}

// beyondBlank tells whether the text where the checker is may be "", and whether that unsets it.
func (c *checker) beyondBlank() (ok, unsets bool) {
	trail := c.trail()
	n := len(trail)
	name, within := trail[n-1], ""
	if n > 1 {
		within = trail[n-2]
	}
	for i := range blanks {
		b := &blanks[i]
		if b.within == within && (b.names == nil || slices.Contains(b.names, name)) && (b.ops == nil || slices.ContainsFunc(b.ops, c.op.called)) {
			return !c.strict, b.unsets
		}
	}
	return false, false
}
