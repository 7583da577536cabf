package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// sourceType is a type of Source objects (docs.stripe.com/sources). A new one is a line in sourceTypes.
type sourceType struct {
	name       string
	flow       string // redirect, receiver, code_verification or none: how its owner takes part
	currencies string // that it pays in, separated by spaces; empty is any
	amount     bool   // it is made for one amount
	reusable   bool   // it can belong to a customer and pay again; another is good for one charge
	late       bool   // a charge is pending at first: see lateCharge
	waits      bool   // it is chargeable only once its owner has done something outside of the API
	names      bool   // its owner's name must be given

	// fill reads what is particular to the type, which is given under its name.
	fill func(c *call, r *record, p *spec.Params) error
}

// sourceTypes are the types, in the order of their names. What is not here of Stripe's list (acss_debit, card_present) has no test values.
// Currencies as in docs.stripe.com/sources#supported-payment-methods, 2021; those of alipay and wechat depend on the account's country.
var sourceTypes = []sourceType{
	{name: "ach_credit_transfer", flow: "receiver", currencies: "usd", reusable: true, waits: true, fill: fillACHCredit},
	{name: "ach_debit", flow: "code_verification", currencies: "usd", reusable: true, late: true, waits: true, fill: fillACHDebit},
	{name: "alipay", flow: "redirect", currencies: "aud cad cny eur gbp hkd jpy myr nzd sgd usd", amount: true, waits: true, fill: fillNothing},
	{name: "au_becs_debit", flow: "none", currencies: "aud", reusable: true, late: true, names: true, fill: fillBECSSource},
	{name: "bancontact", flow: "redirect", currencies: "eur", amount: true, waits: true, fill: fillGiven},
	{name: "card", flow: "none", reusable: true, fill: fillCardSource},
	{name: "eps", flow: "redirect", currencies: "eur", amount: true, waits: true, fill: fillGiven},
	{name: "giropay", flow: "redirect", currencies: "eur", amount: true, waits: true, fill: fillGiven},
	{name: "ideal", flow: "redirect", currencies: "eur", amount: true, waits: true, fill: fillGiven},
	{name: "klarna", flow: "redirect", currencies: "aud cad chf czk dkk eur gbp nok nzd pln ron sek usd", amount: true, waits: true, fill: fillGiven},
	{name: "multibanco", flow: "receiver", currencies: "eur", amount: true, waits: true, fill: fillMultibanco},
	{name: "p24", flow: "redirect", currencies: "eur pln", amount: true, waits: true, fill: fillGiven},
	{name: "sepa_debit", flow: "none", currencies: "eur", reusable: true, late: true, names: true, fill: fillSEPASource},
	{name: "sofort", flow: "redirect", currencies: "eur", amount: true, late: true, waits: true, fill: fillSofort},
	{name: "three_d_secure", flow: "redirect", amount: true, waits: true, fill: fillSecureSource},
	{name: "wechat", flow: "none", currencies: "aud cad cny eur gbp hkd jpy sgd usd", amount: true, waits: true, fill: fillWeChat},
}

// sourceTypeOf is the type of a name; nil is none.
func sourceTypeOf(name string) *sourceType {
	at := slices.IndexFunc(sourceTypes, func(t sourceType) bool { return t.name == name })
	if at < 0 {
		return nil
	}
	return &sourceTypes[at]
}

// usage is reusable or single_use, by default.
func (t *sourceType) usage() string {
	if t.reusable {
		return "reusable"
	}
	return "single_use"
}

func (t *sourceType) paysIn(currency string) bool {
	return t.currencies == "" || slices.Contains(strings.Fields(t.currencies), currency)
}

// typed is the part of a new source that its type has for itself.
func typed(r *record, name string) *spec.Object {
	o := r.object().Sub(name)
	if o == nil {
		f, _ := spec.FieldOf("source", name)
		o = spec.New(f.Shapes[0])
		r.object().Set(name, o)
	}
	return o
}

func fillNothing(_ *call, r *record, _ *spec.Params) error {
	typed(r, r.object().String("type"))
	return nil
}

// fillGiven stores what was given of a type's own fields.
func fillGiven(_ *call, r *record, p *spec.Params) error {
	o := typed(r, r.object().String("type"))
	for _, name := range p.Names() {
		if f, declared := spec.FieldOf(o.Shape(), name); declared && len(f.Shapes) == 0 && !f.Array && p.String(name) != "" {
			o.Set(name, p.String(name))
		}
	}
	return nil
}

// fillSofort wants the country of the bank.
func fillSofort(c *call, r *record, p *spec.Params) error {
	if p.String("country") == "" {
		return invalid("parameter_missing", "sofort[country]", "Missing required param: sofort[country].")
	}
	return fillGiven(c, r, p)
}

// fillACHCredit makes the account to which the owner sends money.
func fillACHCredit(c *call, r *record, _ *spec.Params) error {
	number := "test_" + c.digits(12)
	typed(r, "ach_credit_transfer").Set("account_number", number).Set("bank_name", "TEST BANK").Set("fingerprint", c.fingerprint(number)).
		Set("routing_number", testRouting).Set("swift_code", "TSTEZ122")
	c.fillReceiver(r, testRouting)
	return nil
}

// fillMultibanco makes the reference under which the owner pays at a cash machine.
func fillMultibanco(c *call, r *record, _ *spec.Params) error {
	const entity = "12345"
	typed(r, "multibanco").Set("entity", entity).Set("reference", c.digits(9))
	c.fillReceiver(r, entity)
	return nil
}

// fillReceiver makes the account that money comes in on. Its address is that of the bank; what the owner writes is of the type.
func (c *call) fillReceiver(r *record, address string) {
	method, status := "email", "missing"
	if given := c.params.String("receiver", "refund_attributes_method"); given != "" {
		method = given
	}
	if method == "none" {
		status = "available"
	}
	r.object().Set("receiver", spec.New("source_receiver_flow").Set("address", address).Set("refund_attributes_method", method).Set("refund_attributes_status", status))
}

// fillACHDebit reads a bank account in the United States, whose owner names the two small amounts that were sent to it.
func fillACHDebit(c *call, r *record, p *spec.Params) error {
	number, routing := compact(p.String("account_number")), compact(p.String("routing_number"))
	if number == "" {
		return invalid("parameter_missing", "ach_debit[account_number]", "Missing required param: ach_debit[account_number].")
	}
	if debitAccounts(usBankAccount.name)[number] == nil {
		return liveAccount("ach_debit[account_number]")
	}
	if !abaRouting(routing) {
		return invalid("routing_number_invalid", "ach_debit[routing_number]", "The bank routing number provided is invalid.")
	}
	private[sourceState](r).Behind.Number = number
	o := typed(r, "ach_debit").Set("bank_name", "STRIPE TEST BANK").Set("country", "US").Set("fingerprint", c.fingerprint(number)).
		Set("last4", number[len(number)-4:]).Set("routing_number", routing).Set("type", "individual")
	if kind := p.String("type"); kind != "" {
		o.Set("type", kind)
	}
	r.object().Set("code_verification", spec.New("source_code_verification_flow").Set("attempts_remaining", sourceTries).Set("status", "pending"))
	return nil
}

// fillBECSSource reads a bank account in Australia.
func fillBECSSource(c *call, r *record, p *spec.Params) error {
	_, err := c.readBehind(r, &auBecsDebit, p)
	return err
}

// fillSEPASource reads a bank account in the Single Euro Payments Area.
func fillSEPASource(c *call, r *record, p *spec.Params) error {
	o, err := c.readBehind(r, &sepaDebit, p)
	if err != nil {
		return err
	}
	o.Set("mandate_reference", upper(c.letters(16))).Set("mandate_url", "https://hooks.stripe.com/adapter/sepa_debit/file/"+r.id+"/"+r.object().String("client_secret"))
	return nil
}

// readBehind reads what is behind a source of a type that payment methods have too, as they do, and is the part of the source that shows it.
func (c *call) readBehind(r *record, k *methodKind, p *spec.Params) (*spec.Object, error) {
	method := c.record("payment_method", r.id)
	c.startMethod(method, k)
	if err := k.read(c, method, p); err != nil {
		return nil, err
	}
	private[sourceState](r).Behind = *private[instrument](method)
	return alike(typed(r, k.name), method.object().Sub(k.name)), nil
}

// fillWeChat makes the code that the owner reads with a phone: here it is the address of the page.
func fillWeChat(c *call, r *record, _ *spec.Params) error {
	typed(r, "wechat").Set("qr_code_url", c.sourcePageOf(r)).Set("prepay_id", c.letters(24)).Set("statement_descriptor", descriptor)
	return nil
}

// fillCardSource reads a card: its data, or a token of it.
func fillCardSource(c *call, r *record, p *spec.Params) error {
	name := "card"
	if c.params.Has("token") {
		name = "token"
	}
	if !c.params.Has(name) {
		return invalid("parameter_missing", "card", "Missing required param: card.")
	}
	if c.params.Sub(name) != nil && !p.Has("number") {
		return invalid("parameter_missing", "card[number]", "Missing required param: card[number].")
	}
	method, err := c.readSource(name)
	if err != nil {
		return err
	}
	private[sourceState](r).Behind = *private[instrument](method)
	fillCardOf(typed(r, "card"), method)
	if r.object().Sub("owner").String("name") == "" {
		r.object().Sub("owner").Set("name", method.object().Sub("billing_details").Get("name"))
	}
	return nil
}

// fillCardOf writes a card into a source.
func fillCardOf(o *spec.Object, method *record) {
	card := method.asCard()
	for _, name := range []string{"address_line1_check", "address_zip_check", "brand", "country", "cvc_check", "exp_month", "exp_year", "fingerprint", "funding", "last4", "name"} {
		o.Set(name, card.Get(name))
	}
	o.Set("three_d_secure", private[instrument](method).card().does.secure.asSource())
}

// asSource is what a card source says of 3D Secure (docs.stripe.com/sources/three-d-secure).
func (s secure) asSource() string {
	switch s {
	case secureUnsupported:
		return "not_supported"
	case secureRequired, secureUnlessSetUp, secureSetUp, secureLookupErr:
		return "required"
	case secureFrictionless:
		return "recommended"
	default:
		return "optional"
	}
}

// fillSecureSource makes a source of another one, a card, whose holder authenticates on the page.
func fillSecureSource(c *call, r *record, p *spec.Params) error {
	id := p.String("card")
	if id == "" {
		return invalid("parameter_missing", "three_d_secure[card]", "Missing required param: three_d_secure[card].")
	}
	card, err := c.cardBehind(id)
	if err != nil {
		return err
	}
	state := private[sourceState](r)
	state.Behind = *private[instrument](card)
	o := typed(r, "three_d_secure")
	fillCardOf(o, card)
	o.Set("card", id).Set("authenticated", false)
	if customer := card.object().String("customer"); customer != "" {
		o.Set("customer", customer)
	}
	switch does := state.Behind.card().does.secure; does.asSource() {
	case "required", "recommended":
	case "not_supported":
		r.object().Set("status", "failed").Sub("redirect").Set("status", "failed").Set("failure_reason", "processing_error")
	default: // there is nobody to ask: the card can be charged without the shift of liability
		if does != secureOptional {
			r.object().Set("status", "chargeable").Sub("redirect").Set("status", "not_required")
		}
	}
	return nil
}

// cardBehind is a card in the older form or a source of one, as a payment method that is not stored.
func (c *call) cardBehind(id string) (*record, error) {
	switch r := c.sourceByID(id); {
	case r != nil && r.resource.Object == "payment_method":
		return r, nil
	case r != nil && r.resource.Object == "source" && r.text("type") == "card":
		return c.sourceMethod(r), nil
	}
	return nil, missingIn("three_d_secure[card]", "source", id)
}
