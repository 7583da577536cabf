package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// instrument is what a payment method's object does not show.
type instrument struct {
	Number   string // of the test card, or of the bank account
	CVC      bool   // a security code was given
	Used     bool   // it has paid without belonging to a customer, or was detached from one, and so is spent
	Detached bool
	Wallet   string // that the card is in; empty is none
	SetUp    bool   // its holder has authenticated for payments off session
	Verified bool   // its holder has shown that the bank account is theirs
	Disputed bool   // a debit of the bank account has been disputed
	Blocked  string // why the bank account may not be debited any more; empty is not so
}

// card is the row of the tables of test cards; one without behaviour where it is no card.
func (in *instrument) card() *card {
	if known := cardByNumber(in.Number); known != nil {
		return known
	}
	return &noCard
}

var paymentMethods = &resource{
	Object:    "payment_method",
	Path:      "/v1/payment_methods",
	Prefix:    "pm_",
	Noun:      "PaymentMethod",
	Param:     "payment_method",
	Takes:     []string{"allow_redisplay", "billing_details", "card", "customer", "payment_method", "radar_options", "type"},
	Create:    createPaymentMethod,
	Update:    updatePaymentMethod,
	Announces: []string{"updated"},
	Private:   func() any { return new(instrument) },
	Due:       map[string]func(*call, *record, string){"renew": func(c *call, r *record, _ string) { c.renew(r) }},
	Filters:   []string{"allow_redisplay", "customer", "customer_account", "type"},
	Find:      findPaymentMethod,
	Verbs:     verbs{"attach": attachPaymentMethod, "detach": detachPaymentMethod},
	Others: map[string]func(*call) (appender, error){
		"GET /v1/customers/x_1/payment_methods":     listCustomersMethods,
		"GET /v1/customers/x_1/payment_methods/x_1": retrieveCustomersMethod,
	},
}

const elsewhere = "; It's possible this PaymentMethod exists on one of your connected accounts, in which case you should retry this request on that connected account. Learn more at https://stripe.com/docs/connect/authentication"

const spent = "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first."

// findPaymentMethod finds what a path names. A test name such as pm_card_visa makes a payment method each time.
func findPaymentMethod(c *call, id string) (*record, error) {
	r, err := c.paymentMethod(id)
	if err != nil {
		refusal := asAPIError(err)
		refusal.status = http.StatusNotFound
		return nil, refusal
	}
	return r, nil
}

// paymentMethod finds or makes what a payment_method parameter names. What it makes is not stored until it is used, by attaching it or
// by choosing it for an intent.
func (c *call) paymentMethod(id string) (*record, error) {
	if name, virtual := strings.CutPrefix(id, "pm_card_"); virtual {
		if known := cardByName(name); known != nil {
			return c.testMethod(known), nil
		}
		if in := instrumentCalled(name); in != nil {
			return c.cardMethod(c.newID("pm_"), in, c.now().Month(), c.now().Year()+1), nil
		}
	}
	if r := c.find("payment_method", id); r != nil {
		return r, nil
	}
	if r := c.testMethodCalled(id); r != nil {
		return r, nil
	}
	return nil, invalid("resource_missing", "payment_method", "No such PaymentMethod: '%s'%s", id, c.whereElse(id))
}

// testMethod is a new payment method with a test card that expires in a year.
func (c *call) testMethod(of *card) *record {
	r := &record{realm: c.realm, resource: kinds["payment_method"], id: c.newID("pm_"), created: c.now().Unix()}
	in := &instrument{Number: of.number, CVC: true}
	month, year := c.now().Month(), c.now().Year()+1
	if like := c.likes[of.number]; like.month == month && like.year == year {
		r.working, r.hidden = spec.Unpack(like.packed), in
	} else {
		r.working = spec.New("payment_method")
		c.fillCard(r, in, month, year)
		if c.likes == nil {
			c.likes = map[string]likeMethod{}
		}
		c.likes[of.number] = likeMethod{month, year, r.working.Pack(nil)}
	}
	r.working.Set("id", r.id).Set("created", r.created)
	return r
}

// likeMethod is a payment method with a test card as all others of its month are, but for what names it.
type likeMethod struct {
	month  time.Month
	year   int
	packed []byte
}

func createPaymentMethod(c *call, r *record) error {
	if c.params.Has("customer") || c.params.Has("payment_method") {
		return c.shareMethod(r)
	}
	return c.describeMethod(r, c.params)
}

// describeMethod fills a new payment method in from its parameters, which stand alone or in payment_method_data.
func (c *call) describeMethod(r *record, p *spec.Params) error {
	kind := p.String("type")
	if kind == "" {
		return invalid("parameter_missing", "type", "Missing required param: type.")
	}
	if kind != "card" {
		return c.describeOther(r, kind, p)
	}
	if !p.Has("card") {
		return invalid("parameter_missing", "card", "Missing required param: card.")
	}
	in, month, year, err := c.readCard(p.Sub("card"))
	if err != nil {
		return err
	}
	c.describeHolder(r, p)
	c.fillCard(r, in, month, year)
	return nil
}

// fillCard writes a card into a payment method.
func (c *call) fillCard(r *record, in *instrument, month time.Month, year int) {
	brand := in.card().brand()
	checks := spec.New("payment_method_card_checks")
	if in.CVC {
		checks.Set("cvc_check", "unchecked")
	}
	networks := spec.New("networks").Set("available", in.card().networks())
	usage := spec.New("three_d_secure_usage").Set("supported", in.card().does.secure != secureUnsupported)
	o := spec.New("payment_method_card").Set("brand", brand).Set("checks", checks).Set("country", in.card().country).
		Set("display_brand", brand).Set("exp_month", int(month)).Set("exp_year", year).Set("fingerprint", c.fingerprint(in.card().number)).
		Set("funding", in.card().funding).Set("last4", in.card().last4()).Set("networks", networks).
		Set("regulated_status", "unregulated").Set("three_d_secure_usage", usage)
	r.object().Set("type", "card").Set("card", o)
	if r.object().String("allow_redisplay") == "" {
		r.object().Set("allow_redisplay", "unspecified")
	}
	if r.object().Get("metadata") == nil {
		r.object().Set("metadata", map[string]string{})
	}
	completeBilling(r.object().Sub("billing_details"))
	if in.Wallet != "" {
		o.Set("wallet", in.wallet("payment_method_card_wallet", r.object().Sub("billing_details")))
	}
	r.hidden = in
}

// completeBilling shows the address whole, as Stripe does.
func completeBilling(o *spec.Object) {
	if o.Sub("address") == nil {
		o.Set("address", spec.New("address"))
	}
}

// fingerprint is the same for the same number within an account, and says nothing about the number.
func (w *realm) fingerprint(number string) string {
	sum := sha256.Sum256([]byte(w.account + number))
	return string(base62(base62(nil, binary.BigEndian.Uint64(sum[:]), 8), binary.BigEndian.Uint64(sum[8:]), 8))
}

func updatePaymentMethod(c *call, r *record) error {
	if r.object().String("customer") == "" {
		return refused("", "", "You must save this PaymentMethod to a customer before you can update it.")
	}
	if methodKindOf(r) != nil {
		return updateOtherMethod(c, r)
	}
	if c.params.Has("us_bank_account") {
		return notOfType("us_bank_account", "card")
	}
	exp := r.object().Sub("card").Clone()
	for _, name := range []string{"exp_month", "exp_year"} {
		if c.params.Has("card", name) {
			exp.Set(name, c.params.Int("card", name))
		}
	}
	if err := c.checkExpiry(exp.Int("exp_month"), exp.Int("exp_year")); err != nil {
		return err
	}
	r.object().Set("card", exp)
	for _, name := range []string{"billing_details", "allow_redisplay"} {
		if c.params.Has(name) {
			set(r.object(), name, c.params)
		}
	}
	return nil
}

func attachPaymentMethod(c *call, r *record) error {
	customer := c.params.String("customer")
	if customer == "" {
		return invalid("parameter_missing", "customer", "Missing required param: customer.")
	}
	if c.find("customer", customer) == nil {
		return missingIn("customer", "customer", customer)
	}
	if r.object().String("customer") != "" {
		return refused("", "", "The payment method you provided has already been attached to a customer.")
	}
	if err := r.reusable(); err != nil {
		return err
	}
	if k := methodKindOf(r); k != nil && !k.reusable {
		return refused("", "", "PaymentMethods of type %s cannot be saved to customers.", k.name)
	}
	if err := c.validateCard(r); err != nil {
		return err
	}
	c.attach(r, customer)
	return nil
}

// reusable refuses a payment method that is spent.
func (r *record) reusable() error {
	if in := private[instrument](r); in.Used || in.Detached {
		return refused("", "", spent)
	}
	return nil
}

// validateCard asks the issuer whether a card is good, as attaching it and setting it up do.
func (c *call) validateCard(r *record) error {
	does := private[instrument](r).card().does
	if does.decline == nil || does.attachable || does.blocked {
		return nil
	}
	refusal := declined(does.decline)
	refusal.param, refusal.noParam = "", true
	return refusal
}

// attach gives a payment method to a customer.
func (c *call) attach(r *record, customer string) {
	c.keep(r)
	r.object().Set("customer", customer)
	if methodKindOf(r) == nil {
		passChecks(r)
		c.renewLater(r)
	}
	c.emit("payment_method.attached", r)
}

// keep stores a payment method that was made on sight.
func (c *call) keep(method *record) {
	if c.byID[method.id] == nil {
		c.insert(method)
	}
}

// passChecks writes the issuer's word on the security code into the card.
func passChecks(r *record) {
	in := private[instrument](r)
	checks := r.object().Sub("card").Sub("checks")
	checks.Set("cvc_check", in.cvcCheck())
	line, zip := in.addressChecks(r.object().Sub("billing_details"))
	checks.Set("address_line1_check", line).Set("address_postal_code_check", zip)
}

func detachPaymentMethod(c *call, r *record) error {
	if r.object().String("customer") == "" {
		return refused("", "", "The payment method you provided is not attached to a customer so detachment is impossible.")
	}
	c.detach(r)
	return nil
}

func (c *call) detach(r *record) {
	before := r.object().Clone()
	r.object().Set("customer", nil)
	private[instrument](r).Detached = true
	c.emitUpdated("payment_method.detached", r, before)
}

func listCustomersMethods(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	return c.listOf("payment_method", "customer", customer.id, "/v1/customers/"+customer.id+"/payment_methods", func(r *record) bool {
		return c.equals(r, "type") && c.equals(r, "allow_redisplay")
	})
}

func retrieveCustomersMethod(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	id := c.path[1].Value
	found := c.find("payment_method", id)
	if found == nil || found.object().String("customer") != customer.id {
		return nil, &apiError{status: http.StatusNotFound, kind: invalidRequest, code: "resource_missing", param: "payment_method", message: "No such PaymentMethod: '" + id + "'" + elsewhere}
	}
	return c.show(found)
}
