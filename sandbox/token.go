package sandbox

import (
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// token is what a token's object does not show of what it stands for.
type token struct {
	Number string // of the test card or the bank account
	CVC    bool   // a security code was given
	Given  string // what was given but for cards, as the form that it was sent in; see givenTo
}

// tokens stand for data, for one use.
var tokens = &resource{
	Object:  "token",
	Path:    singleton,
	NewID:   func(w *realm, p *spec.Params) string { return w.newID(tokenPrefix(p)) },
	Takes:   []string{"account", "bank_account", "card", "customer", "cvc_update", "person", "pii"},
	Create:  createToken,
	Private: func() any { return new(token) },
	Others: map[string]func(*call) (appender, error){
		"POST /v1/tokens":    func(c *call) (appender, error) { return kinds["token"].create(c) },
		"GET /v1/tokens/x_1": func(c *call) (appender, error) { return kinds["token"].retrieve(c) },
	},
}

// tokenTypes are the parameters of which one says what a token stands for, which is its type, and what the ids begin with
// (docs.stripe.com/api/tokens).
var tokenTypes = []struct {
	name, prefix string
	fill         func(*call, *record) error
}{
	{"card", "tok_", fillCardToken},
	{"bank_account", "btok_", fillBankToken},
	{"account", "ct_", fillDetailsToken},
	{"person", "cpt_", fillDetailsToken},
	{"pii", "pii_", fillDetailsToken},
	{"cvc_update", "cvctok_", fillCVCToken},
}

func tokenPrefix(p *spec.Params) string {
	for _, t := range tokenTypes {
		if p.Has(t.name) {
			return t.prefix
		}
	}
	return "tok_"
}

func createToken(c *call, r *record) error {
	given := ""
	var fill func(*call, *record) error
	for _, t := range tokenTypes {
		switch {
		case !c.params.Has(t.name):
		case given != "":
			return exclusive(t.name, given, t.name)
		default:
			given, fill = t.name, t.fill
		}
	}
	if given == "" && c.params.Has("customer") {
		given, fill = "card", fillCardToken
	}
	if given == "" {
		return invalid("parameter_missing", "card", "You must supply either a card, customer, PII data, bank account, or account legal entity to create a token.")
	}
	r.object().Set("type", given).Set("used", false)
	return fill(c, r)
}

// fillCardToken makes a token of a new card, or of one that a customer has.
func fillCardToken(c *call, r *record) error {
	if c.params.Has("customer") || c.params.String("card") != "" {
		return c.fillSavedToken(r)
	}
	if !c.params.Has("card", "number") {
		return invalid("parameter_missing", "card[number]", "Missing required param: card[number].")
	}
	p := c.params.Sub("card")
	in, month, year, err := c.readCard(p)
	if err != nil {
		return err
	}
	method := c.cardMethod(c.newID("card_"), in, month, year)
	addressOfCard(method.object(), p)
	r.hidden = &token{Number: in.Number, CVC: in.CVC}
	r.object().Set("card", method.asCard())
	return nil
}

// fillCVCToken makes a token of a security code, which is asked for anew when a saved card pays.
func fillCVCToken(c *call, r *record) error {
	code := c.params.String("cvc_update", "cvc")
	if len(code) < 3 || len(code) > 4 || strings.Trim(code, "0123456789") != "" {
		return unexecuted(declined(invalidCvc))
	}
	r.hidden = &token{CVC: true}
	return nil
}

// fillDetailsToken makes a token of what is known of an account or a person. The object shows nothing of it.
func fillDetailsToken(c *call, r *record) error {
	kind := r.object().String("type")
	if c.params.Sub(kind) == nil {
		return invalid("", kind, "Invalid object")
	}
	r.hidden = &token{Given: c.params.Form(kind)}
	return nil
}

// details spends a token of an account, of a person or of PII, and is what was given when it was made; nil with an error where there is none.
func (c *call) details(param, id, kind string) (*spec.Params, error) {
	r := c.find("token", id)
	if r == nil {
		return nil, missingIn(param, "token", id)
	}
	if is := r.object().String("type"); is != kind {
		return nil, invalid("", param, "The token %s is a token of type %s. A token of type %s is needed here.", id, is, kind)
	}
	if err := spendToken(r); err != nil {
		return nil, err
	}
	return givenTo(r, kind)
}

// givenTo is what was given when a token was made.
func givenTo(r *record, kind string) (*spec.Params, error) {
	op, _, _ := spec.Match("POST", "/v1/tokens")
	given, bad := op.Decode(private[token](r).Given)
	if bad != nil {
		return nil, fromSpec(bad)
	}
	return given.Sub(kind), nil
}

// spendToken uses a token up; it is good for one use.
func spendToken(r *record) error {
	if r.object().Bool("used") {
		return refused("token_already_used", "", "You cannot use a Stripe token more than once: %s.", r.id)
	}
	r.object().Set("used", true)
	return nil
}

// cardMethod is a payment method with a card, not stored.
func (c *call) cardMethod(id string, in *instrument, month time.Month, year int) *record {
	r := &record{realm: c.realm, resource: kinds["payment_method"], id: id, created: c.now().Unix(), working: spec.New("payment_method")}
	r.working.Set("id", id).Set("created", r.created)
	c.fillCard(r, in, month, year)
	return r
}

// cardAddress are the fields of an address by the names that cards of the older kind have for them.
var cardAddress = []struct{ card, address string }{
	{"address_city", "city"}, {"address_country", "country"}, {"address_line1", "line1"}, {"address_line2", "line2"}, {"address_state", "state"}, {"address_zip", "postal_code"},
}

// addressOfCard writes the name and the address of a card of the older kind into a payment method.
func addressOfCard(method *spec.Object, p *spec.Params) {
	billing := method.Sub("billing_details").Clone()
	address := billing.Sub("address").Clone()
	for _, f := range cardAddress {
		if given := p.String(f.card); given != "" {
			address.Set(f.address, given)
		}
	}
	if name := p.String("name"); name != "" {
		billing.Set("name", name)
	}
	method.Set("billing_details", billing.Set("address", address))
}

// readSource makes the card that a source parameter stands for, as a payment method that is not stored: a token, a test token such as
// tok_visa, or the card's own data.
func (c *call) readSource(name string) (*record, error) {
	if c.params.Has(name, "number") {
		in, month, year, err := c.readCard(c.params.Sub(name))
		if err != nil {
			return nil, err
		}
		method := c.cardMethod(c.newID("card_"), in, month, year)
		addressOfCard(method.object(), c.params.Sub(name))
		return method, nil
	}
	id := c.params.String(name)
	if r := c.find("token", id); r != nil {
		return c.spend(r)
	}
	if in := instrumentCalled(strings.TrimPrefix(id, "tok_")); in != nil && strings.HasPrefix(id, "tok_") {
		return c.cardMethod(c.newID("card_"), in, c.now().Month(), c.now().Year()+1), nil
	}
	noun := "token"
	if strings.HasPrefix(id, "src_") {
		noun = "source"
	}
	return nil, missingIn(name, noun, id)
}

// spend takes the card out of a token, which is good for that once.
func (c *call) spend(r *record) (*record, error) {
	o := r.object()
	if kind := o.String("type"); kind != "card" {
		return nil, invalid("", "source", "The token %s is a token of type %s, which is no card.", r.id, kind)
	}
	if err := spendToken(r); err != nil {
		return nil, err
	}
	of, from := private[token](r), o.Sub("card")
	method := c.cardMethod(from.String("id"), &instrument{Number: of.Number, CVC: of.CVC}, time.Month(from.Int("exp_month")), int(from.Int("exp_year")))
	billing := spec.New("billing_details").Set("name", from.Get("name"))
	address := spec.New("address")
	for _, f := range cardAddress {
		address.Set(f.address, from.Get(f.card))
	}
	method.object().Set("billing_details", billing.Set("address", address))
	return method, nil
}

// cardBrands are the networks as cards of the older kind spell them.
var cardBrands = map[string]string{"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express", "discover": "Discover", "diners": "Diners Club",
	"jcb": "JCB", "unionpay": "UnionPay", "unknown": "Unknown"}

// asCard is a payment method in the older form of a card.
func (r *record) asCard() *spec.Object {
	from := r.object()
	card, billing := from.Sub("card"), from.Sub("billing_details")
	o := spec.New("card").Set("id", r.id).Set("brand", cardBrands[card.String("brand")]).Set("customer", from.Get("customer"))
	for _, name := range []string{"country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status"} {
		o.Set(name, card.Get(name))
	}
	checks := card.Sub("checks")
	o.Set("cvc_check", checks.Get("cvc_check")).Set("address_line1_check", checks.Get("address_line1_check")).Set("address_zip_check", checks.Get("address_postal_code_check"))
	for _, f := range cardAddress {
		o.Set(f.card, billing.At("address", f.address))
	}
	metadata := map[string]string{}
	for key, value := range from.Map("metadata") {
		metadata[key] = value
	}
	if in := known[instrument](r); in != nil {
		in.asOldCard(o)
	}
	return o.Set("name", billing.Get("name")).Set("allow_redisplay", from.Get("allow_redisplay")).Set("metadata", metadata)
}
