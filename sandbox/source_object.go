package sandbox

import (
	"slices"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// How long a source waits for its owner, and then for the charge (docs.stripe.com/sources: an hour for redirects; the other two are
// unconfirmed), and how often the code of a bank account may be wrong.
const (
	sourcePending    = time.Hour
	receiverPending  = 7 * 24 * time.Hour
	sourceChargeable = 6 * time.Hour
	sourceTries      = 5
)

// sources are Source objects: an instrument of any type, before there were payment methods.
var sources = &resource{
	Object:  "source",
	Path:    singleton,
	Prefix:  "src_",
	Plain:   []string{"statement_descriptor"},
	Takes:   []string{"amount", "currency", "flow", "mandate", "owner", "receiver", "redirect", "source_order", "token", "type", "usage", "values"},
	Create:  createSource,
	Made:    sourceMade,
	Update:  updateSourceObject,
	Index:   []string{"customer"},
	Private: func() any { return new(sourceState) },
	Browser: []string{"GET"},
	Due: map[string]func(*call, *record, string){
		"cancel": func(c *call, r *record, since string) { c.expireSource(r, since) },
		"fill":   func(c *call, r *record, _ string) { c.fillSource(r, r.object().Int("amount")) },
	},
	Others: map[string]func(*call) (appender, error){
		"POST /v1/sources":     func(c *call) (appender, error) { return kinds["source"].create(c) },
		"GET /v1/sources/x_1":  func(c *call) (appender, error) { return kinds["source"].retrieve(c) },
		"POST /v1/sources/x_1": func(c *call) (appender, error) { return kinds["source"].update(c) },
		"POST /v1/sources/x_1/verify": func(c *call) (appender, error) {
			return kinds["source"].verb(c, "verify", verifySource)
		},
	},
}

// sourceState is what a Source does not show.
type sourceState struct {
	Behind   instrument // what pays
	Page     challenge  // the page that its owner is led to
	Mandated string     `json:",omitempty"` // notification_method of its mandate
}

// tabulateSources lets sources take what is given under the names of their types.
func tabulateSources() {
	tabulateLegacy()
	of := kinds["source"]
	for _, t := range sourceTypes {
		of.Takes = append(of.Takes, t.name)
	}
}

func createSource(c *call, r *record) error {
	name := c.params.String("type")
	if name == "" && c.params.Has("token") {
		name = "card"
	}
	t := sourceTypeOf(name)
	switch _, known := spec.FieldOf("source", name); {
	case name == "":
		return invalid("parameter_missing", "type", "Missing required param: type.")
	case t == nil && known && (name == "acss_debit" || name == "card_present"):
		return unbuilt("sources of type %q", name)
	case t == nil:
		return invalid("", "type", "Invalid source type: %s", name)
	}
	o := r.object().Set("type", name).Set("flow", t.flow).Set("usage", t.usage()).Set("status", "pending").Set("client_secret", "src_client_secret_"+c.letters(24))
	o.Set("receiver", spec.Absent)
	state := &sourceState{Page: challenge{ID: "payatt_" + c.letters(24), Token: c.letters(32)}, Mandated: c.params.String("mandate", "notification_method")}
	r.hidden = state
	if !t.waits {
		o.Set("status", "chargeable")
	}
	for _, check := range []func(*call, *record, *sourceType) error{checkSourceTerms, fillSourceOwner, fillSourceRedirect} {
		if err := check(c, r, t); err != nil {
			return err
		}
	}
	return t.fill(c, r, c.params.Sub(name))
}

// checkSourceTerms reads the flow, the usage, the currency and the amount.
func checkSourceTerms(c *call, r *record, t *sourceType) error {
	o := r.object()
	if flow := c.params.String("flow"); flow != "" && flow != t.flow {
		return invalid("", "flow", "The flow of sources of type %s is %s, not %s.", t.name, t.flow, flow)
	}
	if usage := c.params.String("usage"); usage != "" {
		if usage == "reusable" && !t.reusable {
			return invalid("", "usage", "Sources of type %s are good for one charge only.", t.name)
		}
		o.Set("usage", usage)
	}
	if c.params.Has("currency") || t.currencies != "" || t.amount {
		if !c.params.Has("currency") {
			return invalid("parameter_missing", "currency", "Missing required param: currency.")
		}
		currency, err := readCurrency(c.params.String("currency"))
		if err != nil {
			return err
		}
		if !t.paysIn(currency.Lower()) {
			return invalid("", "currency", "Sources of type %s pay in %s only.", t.name, t.currencies)
		}
		o.Set("currency", currency.Lower())
	}
	switch amount := c.params.Int("amount"); {
	case c.params.Has("amount") && amount < 1:
		return invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case c.params.Has("amount"):
		o.Set("amount", amount)
	case t.amount:
		return invalid("parameter_missing", "amount", "Missing required param: amount.")
	}
	return nil
}

// fillSourceOwner stores who owns a source.
func fillSourceOwner(c *call, r *record, t *sourceType) error {
	o := r.object()
	if o.Sub("owner") == nil {
		o.Set("owner", spec.New("source_owner"))
	}
	if c.params.Has("owner") {
		set(o, "owner", c.params)
	}
	if t != nil && t.names && o.Sub("owner").String("name") == "" {
		return invalid("parameter_missing", "owner[name]", "Missing required param: owner[name].")
	}
	if c.params.Has("source_order") {
		return c.fillSourceOrder(o)
	}
	return nil
}

// fillSourceOrder stores what is bought with a source.
func (c *call) fillSourceOrder(o *spec.Object) error {
	order := spec.New("source_order").Set("amount", o.Int("amount")).Set("currency", o.String("currency"))
	if email := o.Sub("owner").String("email"); email != "" {
		order.Set("email", email)
	}
	order = nested(order, c.params.Sub("source_order"))
	o.Set("source_order", order)
	return nil
}

// fillSourceRedirect makes the page that a source's owner is led to.
func fillSourceRedirect(c *call, r *record, t *sourceType) error {
	if t.flow != "redirect" {
		return nil
	}
	back := c.params.String("redirect", "return_url")
	switch {
	case back == "":
		return invalid("parameter_missing", "redirect[return_url]", "Missing required param: redirect[return_url].")
	case !sendable(back):
		return invalid("url_invalid", "redirect[return_url]", "Not a valid URL")
	}
	r.object().Set("redirect", spec.New("source_redirect_flow").Set("return_url", back).Set("status", "pending").Set("url", c.sourcePageOf(r)))
	return nil
}

func updateSourceObject(c *call, r *record) error {
	if status := r.object().String("status"); c.params.Has("amount") {
		if status != "pending" && status != "chargeable" {
			return refused("", "amount", "The amount of a source of which the status is %s cannot be changed.", status)
		}
		if c.params.Int("amount") < 1 {
			return invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
		}
		r.object().Set("amount", c.params.Int("amount"))
	}
	for _, t := range sourceTypes {
		if c.params.Has(t.name) && t.name != r.object().String("type") {
			return invalid("", t.name, "The source %s is of type %s.", r.id, r.object().String("type"))
		}
	}
	if exp := c.params.Sub("card"); exp != nil {
		if err := c.changeSourceCard(r, exp); err != nil {
			return err
		}
	}
	if c.params.Has("mandate") {
		private[sourceState](r).Mandated = c.params.String("mandate", "notification_method")
	}
	if err := fillSourceOwner(c, r, nil); err != nil {
		return err
	}
	c.receiveByEmail(r)
	return nil
}

// changeSourceCard changes when a card expires.
func (c *call) changeSourceCard(r *record, p *spec.Params) error {
	o := r.object().Sub("card").Clone()
	for _, name := range []string{"exp_month", "exp_year"} {
		if p.Has(name) {
			o.Set(name, wholeNumber(p, name))
		}
	}
	if err := c.checkExpiry(o.Int("exp_month"), o.Int("exp_year")); err != nil {
		return err
	}
	r.object().Set("card", o)
	return nil
}

// verifySource takes the code that proves that its owner sees the bank account.
func verifySource(c *call, r *record) error {
	o := r.object()
	flow := o.Sub("code_verification")
	if flow == nil || o.String("status") != "pending" {
		return refused("", "", "The source %s is not waiting for a verification.", r.id)
	}
	var values []int64
	for _, text := range c.params.Strings("values") {
		values = append(values, cents(text))
	}
	slices.Sort(values)
	if slices.Equal(values, sentAmounts) && private[sourceState](r).Behind.Number != noDeposits {
		flow.Set("status", "succeeded")
		c.sourceReady(r)
		return nil
	}
	left := flow.Int("attempts_remaining") - 1
	flow.Set("attempts_remaining", left)
	if left == 0 {
		flow.Set("status", "failed")
		c.sourceFailed(r)
	}
	return refused("bank_account_verification_failed", "values", "%s", wrongAmounts)
}
