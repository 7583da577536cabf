package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// methodKind is a kind of payment methods other than cards. A new one is a row of this sort in a file of its own, and a line in
// kindsOfMethods; what payments of all kinds have in common is in payment_confirm.go, payment_pending.go and the engine.
type methodKind struct {
	name       string   // the type of its payment methods: sepa_debit
	test       string   // what the names of its test payment methods begin with: pm_sepaDebit_; empty is none
	currencies []string // that it pays in, in lower case
	least      int64    // of a payment, in minor units of its currencies; 0 is no bound beyond Stripe's own
	most       int64    // likewise
	needs      []string // of billing_details: name, email, address
	bare       bool     // it may come without parameters of its own
	reusable   bool     // it can belong to a customer and pay again
	holds      bool     // it can hold money for a capture later
	instant    bool     // in test mode its money is available at once
	cancels    bool     // a payment of it can be canceled while it is processing
	heldFor    int64    // for so many days; 0 is as for cards
	settles    delay    // until the money of a payment is available; without days it is as for cards
	price      []methodPrice
	refunds    refundTerms
	takes      debitTimes // with banks that take real time; see debit_time.go

	// read takes the parameters of its type in: from payment_method_data[<type>], or from those of a new payment method.
	read func(c *call, r *record, p *spec.Params) error
	// named fills a payment method in by the rest of its test name, and says whether there is such a one. It may be nil.
	named func(c *call, r *record, name string) bool
	// check refuses a confirmation before anything has changed. It may be nil.
	check func(c *call, r, method *record) error
	// pay goes on with a confirmed payment. It ends in c.charge (paid at once), c.pend (known later), c.failPayment (refused), or leaves
	// the intent requiring an action.
	pay func(c *call, r, method *record) error
	// setUp is pay for a SetupIntent; nil where it cannot be set up.
	setUp func(c *call, r, method *record) error
	// ended is told what has become of a pending charge: a code of bankFailures, or nothing of one that has paid. It may be nil.
	ended func(c *call, ch *record, failure string)
	// claimed is told of a dispute over a charge, and its reason. It may be nil.
	claimed func(c *call, ch *record, reason string)
	// option is what payment_method_options[<type>] shows where nothing was given; nil is nothing at all.
	option func(o *spec.Object)
	// detail adds to a charge's payment_method_details[<type>] what the payment method itself does not show under the same name.
	detail func(c *call, r, method *record, o *spec.Object)
	// does is what becomes of refunds, and which claims are raised, as of a test card; nil is nothing of the sort.
	does func(in *instrument) behaviour
}

// refundTerms are how payments of a kind are refunded.
type refundTerms struct {
	never  bool   // not at all
	asks   bool   // the customer is asked by e-mail where to
	within int64  // days in which a payment can be refunded; 0 is no bound
	slow   bool   // pending at first, rather than successful at once
	to     string // type of destination_details; empty is the kind's own name
	source string
}

// destination is where a refund goes.
func (t refundTerms) destination(kind string) *spec.Object {
	if t.to == "" {
		t.to = kind
	}
	o := spec.New("refund_destination_details").Set("type", t.to)
	if of, declared := spec.FieldOf("refund_destination_details", t.to); declared && len(of.Shapes) > 0 {
		way := spec.New(of.Shapes[0])
		if _, referred := spec.FieldOf(of.Shapes[0], "reference_status"); referred {
			way.Set("reference_status", "pending")
		}
		o.Set(t.to, way)
	}
	return o
}

// referTo gives a refund that goes to a bank the reference by which its receiver finds it.
func (c *call) referTo(refund *record) {
	o := refund.object().Sub("destination_details")
	if o == nil || o.String("type") == "card" { // whose network has given one already
		return
	}
	if way := o.Sub(o.String("type")); way != nil && way.String("reference_status") == "pending" {
		way.Set("reference_status", "available").Set("reference", "0910000"+c.digits(8))
	}
}

// kindsOfMethods lists the kinds of payment methods beside cards, a line each.
func kindsOfMethods() []*methodKind {
	return append([]*methodKind{
		&auBecsDebit,
		&bacsDebit,
		&customerBalance,
		&sepaDebit,
		&usBankAccount,
	}, methodKindsHosted()...)
}

// methodKinds are they, by name. They are made with the first sandbox: their functions refer to each other.
var methodKinds map[string]*methodKind

func tabulateMethods() {
	methodKinds = map[string]*methodKind{}
	methods := kinds["payment_method"]
	for _, k := range kindsOfMethods() {
		methodKinds[k.name] = k
		methods.Takes = append(methods.Takes, k.name)
	}
}

// methodKindOf is the kind of a payment method; nil for a card.
func methodKindOf(method *record) *methodKind { return kindCalled(typeOfMethod(method)) }

// chargeKindOf is the kind of the payment method that has paid; nil for a card.
func chargeKindOf(ch *record) *methodKind {
	if strings.HasPrefix(ch.id, "ch_") {
		return nil
	}
	kind, _ := ch.object().At("payment_method_details", "type").(string)
	return kindCalled(kind)
}

// testMethodCalled makes a payment method of the kind that its test name begins with; nil when there is no such name.
func (c *call) testMethodCalled(id string) *record {
	for _, k := range methodKinds {
		name, is := strings.CutPrefix(id, k.test)
		if k.test == "" || !is {
			continue
		}
		r := c.record("payment_method", c.newID("pm_"))
		c.startMethod(r, k)
		if k.named == nil || !k.named(c, r, name) {
			return nil
		}
		return r
	}
	return nil
}

// startMethod writes into a new payment method what those of all kinds show.
func (c *call) startMethod(r *record, k *methodKind) {
	o := r.object().Set("type", k.name).Set("allow_redisplay", "unspecified").Set("metadata", map[string]string{})
	if of, _ := spec.FieldOf("payment_method", k.name); len(of.Shapes) > 0 {
		o.Set(k.name, spec.New(of.Shapes[0]))
	}
	completeBilling(o.Sub("billing_details"))
	r.hidden = &instrument{}
}

// describeOther is describeMethod for what is not a card.
func (c *call) describeOther(r *record, kind string, p *spec.Params) error {
	k := methodKinds[kind]
	if k == nil {
		return unbuilt("payment methods of type %q", kind)
	}
	c.startMethod(r, k)
	c.describeHolder(r, p)
	if err := k.checkHolder(r.object().Sub("billing_details")); err != nil {
		return err
	}
	if !p.Has(kind) && !k.bare {
		return invalid("parameter_missing", kind, "Missing required param: %s.", kind)
	}
	return k.read(c, r, p.Sub(kind))
}

// checkHolder wants what a kind has to know of the holder.
func (k *methodKind) checkHolder(of *spec.Object) error {
	for _, name := range k.needs {
		switch {
		case name == "address" && of.Sub("address").String("line1") == "":
			return invalid("payment_method_billing_details_address_missing", "billing_details[address]", "The billing details of a `%s` PaymentMethod must have an address: line1, city, postal_code and country.", k.name)
		case name != "address" && of.String(name) == "":
			return invalid("parameter_missing", "billing_details["+name+"]", "Missing required param: billing_details[%s].", name)
		}
	}
	return nil
}

// updateOtherMethod answers the update of a payment method that is not a card.
func updateOtherMethod(c *call, r *record) error {
	kind := r.object().String("type")
	if c.params.Has("card") {
		return notOfType("card", kind)
	}
	if c.params.Has("us_bank_account") {
		if kind != "us_bank_account" {
			return notOfType("us_bank_account", kind)
		}
		set(r.object(), "us_bank_account", c.params)
	}
	for _, name := range []string{"billing_details", "allow_redisplay"} {
		if c.params.Has(name) {
			set(r.object(), name, c.params)
		}
	}
	return nil
}

func notOfType(param, kind string) error {
	return invalid("", param, "You cannot update the %s of a PaymentMethod of type %s.", param, kind)
}

// describeHolder stores what payment methods of all kinds may say of their holder.
func (c *call) describeHolder(r *record, p *spec.Params) {
	for _, name := range []string{"billing_details", "allow_redisplay"} {
		if p.Has(name) {
			set(r.object(), name, p)
		}
	}
	if given, ok := p.Map("metadata"); ok {
		r.object().Set("metadata", given)
	}
	completeBilling(r.object().Sub("billing_details"))
}

// methodDetails is what a charge says of a payment method that is not a card: the fields that both have, and what the kind adds.
func (c *call) methodDetails(k *methodKind, r, method *record) *spec.Object {
	all := spec.New("payment_method_details").Set("type", k.name)
	of, declared := spec.FieldOf("payment_method_details", k.name)
	if !declared || len(of.Shapes) == 0 {
		return all
	}
	o := alike(spec.New(of.Shapes[0]), method.object().Sub(k.name))
	if k.detail != nil {
		k.detail(c, r, method, o)
	}
	return all.Set(k.name, o)
}

// attempted is what a SetupAttempt says of a payment method.
func (k *methodKind) attempted(method *record) *spec.Object {
	all := spec.New("setup_attempt_payment_method_details").Set("type", k.name)
	if of, declared := spec.FieldOf("setup_attempt_payment_method_details", k.name); declared && len(of.Shapes) > 0 {
		all.Set(k.name, alike(spec.New(of.Shapes[0]), method.object().Sub(k.name)))
	}
	return all
}

// chooseKindOptions adds to the options of an intent those of the kinds that it takes; nil where there are none.
func (c *call) chooseKindOptions(r *record, options *spec.Object, shape string) *spec.Object {
	found := false
	for _, name := range r.methodTypes() {
		k, given := methodKinds[name], c.params.Sub("payment_method_options", name)
		field, declared := spec.FieldOf(shape, name)
		if k == nil || !declared || given == nil && k.option == nil {
			continue
		}
		if options == nil {
			options = spec.New(shape)
		}
		of := options.Sub(name)
		if of == nil {
			of = spec.New(field.Shapes[0])
			if k.option != nil {
				k.option(of)
			}
		}
		if given != nil {
			for _, name := range given.Names() {
				set(of, name, given)
			}
		}
		options.Set(name, of)
		found = true
	}
	if !found {
		return nil
	}
	return options
}

// alike takes over the fields that two shapes share, as far as they are plain.
func alike(o, from *spec.Object) *spec.Object {
	if from == nil {
		return o
	}
	for _, f := range spec.Fields(o.Shape()) {
		if value := from.Get(f.Name); value != nil && len(f.Shapes) == 0 && from.Has(f.Name) {
			o.Set(f.Name, value)
		}
	}
	return o
}

// checkMethod refuses to confirm an intent with a payment method whose kind has something against it.
func (c *call) checkMethod(r, method *record) error {
	k := methodKindOf(method)
	if k == nil {
		return nil
	}
	if r.resource.Object == "payment_intent" {
		if err := k.checkPayment(r.object()); err != nil {
			return err
		}
	} else if k.setUp == nil {
		return unbuilt("setting up payment methods of type %q", k.name)
	}
	if k.check == nil {
		return nil
	}
	return k.check(c, r, method)
}

// checkChosen is checkMethod for the payment method that an intent has.
func (c *call) checkChosen(r *record) error {
	if method := c.find("payment_method", r.object().String("payment_method")); method != nil {
		err := c.checkMethod(r, method)
		if err == nil {
			return nil
		}
		refusal := asAPIError(err) // of its own, and so it may be added to
		if r.resource.Object == "setup_intent" {
			refusal.setupIntent = r
		} else {
			refusal.paymentIntent = r
		}
		return refusal
	}
	return nil
}

// checkPayment refuses to pay with a kind what it does not: another currency, more or less than its bounds, a later capture.
func (k *methodKind) checkPayment(o *spec.Object) error {
	currency, amount := o.String("currency"), o.Int("amount")
	if err := k.paysIn(currency); err != nil {
		return err
	}
	switch {
	case amount < k.least:
		return invalid("amount_too_small", "amount", "Amount must be at least %s to pay with `%s`.", display(k.least, currencyOf(o)), k.name)
	case k.most > 0 && amount > k.most:
		return invalid("amount_too_large", "amount", "Amount must be no more than %s to pay with `%s`.", display(k.most, currencyOf(o)), k.name)
	case captureMethodOf(o, k.name) == "manual" && !k.holds:
		return invalid("payment_intent_invalid_parameter", "capture_method", "The payment method type `%s` does not support `capture_method: manual`.", k.name)
	}
	return nil
}

// paysIn refuses a currency that a kind does not pay in.
func (k *methodKind) paysIn(currency string) error {
	if slices.Contains(k.currencies, currency) {
		return nil
	}
	return invalid("payment_intent_invalid_parameter", "currency", "Invalid currency: %s. The payment method `%s` only supports the following currencies: %s.",
		currency, k.name, strings.Join(k.currencies, ", "))
}

// conduct is what a payment method does beyond paying: a test card's behaviour, or its kind's.
func conduct(method *record) behaviour {
	in := behind(method)
	if in == nil {
		return behaviour{}
	}
	if k := methodKindOf(method); k != nil {
		if k.does == nil {
			return behaviour{}
		}
		return k.does(in)
	}
	return in.card().does
}

// conductOf is that of the payment method that a charge is of.
func (c *call) conductOf(ch *record) behaviour {
	if method := c.byID[ch.object().String("payment_method")]; method != nil {
		return conduct(method)
	}
	return behaviour{}
}
