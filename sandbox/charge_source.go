package sandbox

import (
	"slices"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Charges of the older kind of what is no card: bank accounts of customers, and Source objects.

// legacyKinds are the kinds of methods that only sources have, beside those of payment methods, which a source of the same name follows.
// They are made with the first sandbox, as methodKinds are.
var legacyKinds map[string]*methodKind

// tabulateLegacy makes the kinds: debits of bank accounts in the United States and WeChat are kinds of payment methods under an older
// name. The price of a credit transfer is as of stripe.com/pricing/local-payment-methods, 2021; unconfirmed.
func tabulateLegacy() {
	ach, wechat := usBankAccount, *methodKinds["wechat_pay"]
	ach.name, ach.ended, ach.detail = "ach_debit", nil, nil
	wechat.name, wechat.detail = "wechat", nil
	credit := methodKind{name: "ach_credit_transfer", refunds: refundTerms{to: ach.refunds.to},
		price: []methodPrice{{"", "2016-01-01", "usd", 0, 100, 0, 0, 0, 0, publishedPrice}}}
	legacyKinds = map[string]*methodKind{ach.name: &ach, wechat.name: &wechat, credit.name: &credit}
}

// kindCalled is the kind of payment methods, or of sources, of a name; nil for cards.
func kindCalled(name string) *methodKind {
	if k := methodKinds[name]; k != nil {
		return k
	}
	return legacyKinds[name]
}

// behind is what pays behind a payment method, a source, or a customer's bank account; nil behind anything else.
func behind(r *record) *instrument {
	switch of := r.hidden.(type) {
	case *instrument:
		return of
	case *sourceState:
		return &of.Behind
	case *bank:
		return &instrument{Number: of.Number}
	}
	return nil
}

// typeOfMethod is the type of a payment method or of a source; a customer's bank account is one of ach_debit.
func typeOfMethod(r *record) string {
	if r.resource.Object == "bank_account" {
		return "ach_debit"
	}
	return r.text("type")
}

// sourceMethod is a source, or a customer's bank account, as a payment method of the same id, which is not stored.
func (c *call) sourceMethod(r *record) *record {
	kind := typeOfMethod(r)
	if o := r.object().Sub(kind); kind == "card" || kind == "three_d_secure" {
		in := private[sourceState](r).Behind
		method := c.cardMethod(r.id, &in, monthOf(o), int(o.Int("exp_year")))
		describeOwner(method.object(), r.object().Sub("owner"))
		return method
	}
	method := &record{realm: c.realm, resource: kinds["payment_method"], id: r.id, created: r.created, working: spec.New("payment_method")}
	in := *behind(r)
	method.working.Set("id", r.id).Set("created", r.created).Set("type", kind)
	method.hidden = &in
	completeBilling(method.working.Sub("billing_details"))
	describeOwner(method.working, r.object().Sub("owner"))
	if name := r.text("account_holder_name"); name != "" {
		method.working.Sub("billing_details").Set("name", name)
	}
	return method
}

// describeOwner writes a source's owner into a payment method.
func describeOwner(method, owner *spec.Object) {
	if owner == nil {
		return
	}
	billing := method.Sub("billing_details")
	for _, name := range []string{"email", "name", "phone"} {
		billing.Set(name, owner.Get(name))
	}
	if address := owner.Sub("address"); address != nil {
		billing.Set("address", alike(spec.New("address"), address))
	}
}

// chargeSource takes money from what is no payment method.
func (c *call) chargeSource(from, r *record) (appender, error) {
	if err := c.canPay(from, r); err != nil {
		return nil, err
	}
	method := c.sourceMethod(r)
	var done appender
	var err error
	switch kind := typeOfMethod(r); kind {
	case "card":
		done, err = c.chargeDirectly(from, method, nil)
	case "three_d_secure":
		var secured *spec.Object
		if r.object().Sub(kind).Bool("authenticated") {
			secured = secureResult("authenticated", "challenge", "05")
		}
		done, err = c.chargeDirectly(from, method, secured)
	default:
		return c.chargeOther(from, method, r)
	}
	if err == nil {
		c.consume(r, from.object().Int("amount"))
	}
	return done, err
}

// canPay refuses what is not ready to pay, or not this.
func (c *call) canPay(from, r *record) error {
	o, currency, amount := r.object(), from.object().String("currency"), from.object().Int("amount")
	if r.resource.Object == "bank_account" {
		switch {
		case o.String("status") != "verified":
			return refused("bank_account_unverified", "", "The bank account %s must be verified before it can be charged.", r.id)
		case currency != o.String("currency"):
			return invalid("", "currency", "The bank account %s pays in %s only.", r.id, o.String("currency"))
		}
		return nil
	}
	left := o.Sub("receiver").Int("amount_received") - o.Sub("receiver").Int("amount_charged")
	switch is := o.String("currency"); {
	case o.String("status") != "chargeable":
		return refused("", "source", "The source %s is not chargeable: its status is %s.", r.id, o.String("status"))
	case is != "" && is != currency:
		return invalid("", "currency", "The currency of the source %s is %s, not %s.", r.id, is, currency)
	case o.String("usage") == "single_use" && o.Int("amount") > 0 && amount > o.Int("amount"):
		return refused("", "amount", "The source %s was made for %s.", r.id, display(o.Int("amount"), currencyOf(o)))
	case o.String("flow") == "receiver" && amount > left:
		return refused("", "amount", "The source %s has received %s that has not been charged yet.", r.id, display(left, currencyOf(o)))
	case c.params.Has("capture") && !c.params.Bool("capture") && !slices.Contains([]string{"card", "three_d_secure", "klarna"}, o.String("type")):
		return invalid("", "capture", "A payment by %s cannot be captured later.", o.String("type"))
	}
	return nil
}

// consume uses a source up: one that is good for one charge, and one that nobody has attached to a customer.
func (c *call) consume(r *record, amount int64) {
	if r.resource.Object != "source" {
		return
	}
	o := r.object()
	if flow := o.Sub("receiver"); flow != nil {
		flow.Set("amount_charged", flow.Int("amount_charged")+amount)
		if flow.Int("amount_charged") < flow.Int("amount_received") {
			return
		}
		if o.String("usage") == "reusable" && o.String("customer") != "" {
			return
		}
	}
	if o.String("usage") == "single_use" || o.String("customer") == "" {
		o.Set("status", "consumed")
	}
}

// chargeOther takes money by another way than a card: at once, or so that it is known later what becomes of it.
func (c *call) chargeOther(from, method, r *record) (appender, error) {
	does := c.lateDebit(r)
	if does.blocked {
		does.refused = "blocked"
	}
	if d := debitRefusals[does.refused]; d != nil {
		return nil, declined(d)
	}
	ch := c.newCharge(from, method, nil)
	amount := from.object().Int("amount")
	o := ch.object().Set("payment_intent", nil).Set("captured", true).Set("amount_captured", amount)
	detailSource(ch, r)
	late := sourceIsLate(r)
	if late {
		o.Set("status", "pending").Set("paid", false)
	} else {
		o.Set("status", "succeeded").Set("paid", true)
	}
	c.insert(ch)
	c.bookCharge(ch)
	c.notify(r, amount)
	c.consume(r, amount)
	if !late {
		c.emit("charge.succeeded", ch)
		c.authorized(ch)
		return c.show(ch)
	}
	c.emit("charge.pending", ch)
	switch k := chargeKindOf(ch); {
	case does.stuck:
	case does.fails != "":
		c.at(c.debited(k, does, true), "charge.bounce", ch, does.fails)
	default:
		c.at(c.debited(k, does, false), "charge.clear", ch)
	}
	return c.show(ch)
}

// notify announces the debit of a source to its owner, where the merchant does that.
func (c *call) notify(r *record, amount int64) {
	if r.resource.Object == "source" {
		c.notifyMandate(r, amount)
	}
}

// sourceIsLate says whether it is known only later what becomes of a charge.
func sourceIsLate(r *record) bool {
	t := sourceTypeOf(typeOfMethod(r))
	return t != nil && t.late
}

// lateDebit is what becomes of the debit of a bank account.
func (c *call) lateDebit(r *record) debit {
	kind := typeOfMethod(r)
	if kind == "ach_debit" {
		kind = usBankAccount.name
	}
	if row := debitAccounts(kind)[behind(r).Number]; row != nil {
		return row.does
	}
	return debit{}
}

// detailSource adds to a charge what the source that it is of shows under the same names.
func detailSource(ch, r *record) {
	kind := typeOfMethod(r)
	o, from := ch.object().Sub("payment_method_details").Sub(kind), r.object().Sub(kind)
	if o == nil {
		return
	}
	if r.resource.Object == "bank_account" {
		from = r.object()
		o.Set("account_holder_type", from.Get("account_holder_type"))
	}
	alike(o, from)
}

// monthOf is the month in which a card expires.
func monthOf(card *spec.Object) time.Month { return time.Month(card.Int("exp_month")) }
