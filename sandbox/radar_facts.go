package sandbox

import (
	"strings"

	"github.com/till-pay/till/sandbox/radar"
	"github.com/till-pay/till/sandbox/spec"
)

// paid is a charge as Radar looks at it. Looking does not touch the record: rules that count look at many.
type paid struct{ *record }

func (p paid) at(path ...string) any {
	if p.working != nil {
		return p.working.At(path...)
	}
	return spec.PackedGet(p.packed, path...)
}

// said is at for what is text, empty where there is none.
func (p paid) said(path ...string) string {
	text, _ := p.at(path...).(string)
	return text
}

func (p paid) amount(field string) int64 {
	n, _ := p.at(field).(int64)
	return n
}

// screening is one payment that is held against rules: one that is being made, or one that was, as it was known then.
type screening struct {
	c *call
	paid
	facts radar.Facts
}

func (c *call) screening(ch *record) *screening {
	s := &screening{c: c, paid: paid{ch}}
	s.facts = radar.Facts{Of: s.fact, Listed: s.listed}
	return s
}

func (s *screening) listed(alias, value string, exact bool) bool {
	list := s.c.listNamed(alias)
	return list != nil && s.c.listed(list, value, exact)
}

// fact is what is known of an attribute, or of a key of metadata.
func (s *screening) fact(o radar.Operand) radar.Value {
	if o.Attribute == nil {
		return s.metadata(o)
	}
	if of := patterns[o.Family]; of != nil {
		return of(s, o.Parts)
	}
	if of := facts[o.Name]; of != nil {
		return of(s)
	}
	if o.Type == radar.Bool {
		return radar.BoolValue(false)
	}
	return radar.Value{}
}

// unknowable says whether the sandbox knows nothing of an attribute, whatever the payment is.
func unknowable(a *radar.Attribute) bool { return patterns[a.Family] == nil && facts[a.Name] == nil }

func (s *screening) metadata(o radar.Operand) radar.Value {
	of := s.paid
	switch o.Of {
	case "customer":
		of = paid{s.c.find("customer", s.said("customer"))}
	case "destination":
		of = paid{s.c.home.find("account", s.destination())}
	}
	if of.record == nil {
		return radar.Value{}
	}
	all, _ := of.at("metadata").(map[string]string)
	return radar.TextValue(all[o.Key])
}

func (s *screening) card(name string) string { return s.said("payment_method_details", "card", name) }

func (s *screening) check(name string) string {
	result := s.said("payment_method_details", "card", "checks", name)
	if result == "" && s.card("brand") != "" {
		return "not_provided"
	}
	return result
}

// instrument is the card that pays, with what only a test knows of it; nil where it is none.
func (s *screening) instrument() *instrument {
	if method := s.c.byID[s.said("payment_method")]; method != nil {
		return known[instrument](method)
	}
	return nil
}

// bank is a field of the bank account that pays, of a type.
func (s *screening) bank(kind, name string) string {
	if method := s.c.byID[s.said("payment_method")]; method != nil {
		return paid{method}.said(kind, name)
	}
	return ""
}

// intent is what is known of how the customer takes part; the zero value where there is no intent.
func (s *screening) intent(p paid) intent {
	if r := s.c.byID[p.said("payment_intent")]; r != nil { // a SetupIntent is none, but stands here for one
		if state := known[intent](r); state != nil {
			return *state
		}
	}
	return intent{}
}

func (s *screening) destination() string {
	if to := s.said("transfer_data", "destination"); to != "" {
		return to
	}
	return s.said("destination")
}

// email is the first address that there is: the charge's, the card's, the customer's (docs.stripe.com/radar/lists).
func (s *screening) email(p paid) string {
	for _, given := range []string{p.said("receipt_email"), p.said("billing_details", "email")} {
		if given != "" {
			return given
		}
	}
	if customer := s.c.find("customer", p.said("customer")); customer != nil {
		return customer.text("email")
	}
	return ""
}

// secured is how 3D Secure ended, empty where there was none.
func (s *screening) secured() string {
	return s.said("payment_method_details", "card", "three_d_secure", "result")
}

func countryValue(code string) radar.Value {
	if code == "" {
		return radar.Value{}
	}
	return radar.Value{Type: radar.Country, Text: code}
}

// brands are the card networks as rules call them, where the API calls them otherwise.
var brands = map[string]string{"mastercard": "mc", "discover": "dscvr", "diners": "diners", "unionpay": "cup"}

// disposable are domains of addresses that anybody can have for a moment.
var disposable = []string{"10minutemail.com", "guerrillamail.com", "mailinator.com", "trashmail.com", "yopmail.com"}

// support is how far cards take part in 3D Secure, in the words of rules.
var support = map[secure]string{
	secureNotEnrolled: "optional", secureUnsupported: "not_supported", secureOptional: "optional", secureOptionalErr: "optional",
	secureFrictionless: "recommended", secureRequired: "required", secureUnlessSetUp: "required", secureSetUp: "required", secureLookupErr: "required",
}

// domainOf is what follows the @ of an e-mail address.
func domainOf(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }
