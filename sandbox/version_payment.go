package sandbox

import (
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// Versions that changed what happens, and that whoever decides asks for by call.before.
const (
	lateBooking      = "2024-04-10" // since then captures are asynchronous unless asked otherwise
	automaticMethods = "2023-08-16" // since then intents take the methods that are switched on, unless types are named
	sayMethods       = "2019-02-11" // since then intents speak of payment methods, before of sources
)

// undocumented dates what Stripe still answers, by recordings up to October 2026, but has no more in its document, which is what the
// sandbox's newest objects are made by: every release before the newest has it.
const (
	undocumented = "2026-03-25"
	recorded     = "recorded: sandbox/testdata/traffic has it at 2023-10-16, and github.com/pay-rails/pay at 2026-09-30.endive; the published document of the newest version has not"
)

var paymentChanges = []*change{
	{
		Version: "2025-03-31", Name: "payment.invoice", Objects: []string{"payment_intent", "charge"}, down: noInvoice,
		What:   "PaymentIntents and charges have `invoice`",
		Source: changelog("basil/2025-03-31", "add-support-for-multiple-partial-payments-on-invoices"),
	},
	{
		Version: lateBooking, Name: "payment_intent.capture_method",
		What:   "`capture_method` is `automatic` unless it is given, so that a charge has its balance transaction at once",
		Source: changelog(lateBooking, "automatic-sync-default-paymentintents"),
	},
	{
		Version: undocumented, Name: "charge.source", Objects: []string{"charge"}, down: chargeSource,
		What:   "charges have `source`, the card of the older kind or the bank account that was charged, and `dispute`, `destination` and `order`",
		Source: recorded,
	},
	{
		Version: undocumented, Name: "alipay_account", Objects: []string{"source"}, down: alipayAccount,
		What:   "an Alipay account is an `alipay_account`, with `reusable` and `username`, where now it is a Source",
		Source: "stripe-node 8 to 12 declare the object; when it went is unconfirmed",
	},
	{
		Version: undocumented, Name: "payment_intent.source", Objects: []string{"payment_intent"}, down: func(_ *view, t *tree) { t.set("source", null()) },
		What:   "PaymentIntents have `source`",
		Source: recorded,
	},
	{
		Version: automaticMethods, Name: "payment_intent.automatic_payment_methods",
		What:   "intents take cards alone unless `automatic_payment_methods` or `payment_method_types` say otherwise",
		Source: changelog(automaticMethods, "automatic-payment-methods"),
	},
	{
		Version: withCharges, Name: "charge.refunds", Objects: []string{"charge"}, down: withList("charge", "refunds"),
		What:   "charges show their refunds unasked",
		Source: changelog(withCharges, "deprecates-charges-auto-expand"),
	},
	{
		Version: withCharges, Name: "payment_intent.charges", Objects: []string{"payment_intent"}, down: chargesOfIntent,
		What:   "PaymentIntents show their charges in `charges`",
		Source: changelog(withCharges, "removes-charges-attribute-paymentintent"),
	},
	{
		Version: withSources, Name: "charge.three_d_secure", Objects: []string{"charge"}, down: authenticatedCharge,
		What:   "`payment_method_details.card.three_d_secure` says `authenticated` and `succeeded`",
		Source: changelog(withSources, "updates-3d-scure-charge-object"),
	},
	{
		Version: sayMethods, Name: "payment_intent.status", Objects: []string{"payment_intent"}, down: sourceStatus,
		What:   "a PaymentIntent that waits is `requires_source` or `requires_source_action`",
		Source: changelog(sayMethods, "renames-several-statuses-payment-intents"),
	},
	{
		Version: sayMethods, Name: "payment_intent.next_action", Objects: []string{"payment_intent"}, down: sourceAction,
		What:   "`next_action` is `next_source_action`, and its `redirect_to_url` is `authorize_with_url`",
		Source: changelog(sayMethods, "renames-next-source-action-next-action") + " and …/renames-authorize-with-url-redirect-to-url",
	},
	{
		Version: sayMethods, Name: "payment_intent.payment_method_types", Objects: []string{"payment_intent"},
		down:   func(_ *view, t *tree) { t.rename("payment_method_types", "allowed_source_types") },
		Params: []olderParam{{path: "/v1/payment_intents", old: "allowed_source_types", new: "payment_method_types"}},
		What:   "`payment_method_types` are `allowed_source_types`",
		Source: changelog(sayMethods, "renames-allowed-source-types-payment-method-types"),
	},
	{
		Version: sayMethods, Name: "payment_intent.payment_method",
		Params: []olderParam{{path: "/v1/payment_intents", old: "source", new: "payment_method"}},
		What:   "the card of a PaymentIntent is given as `source`",
		Source: "docs.stripe.com/changelog/2019-02-11",
	},
	{
		Version: "2018-11-08", Name: "payment_intent.confirm",
		Params: []olderParam{{path: "/v1/payment_intents", old: "attempt_confirmation", new: "confirm"}},
		What:   "`confirm` of a new PaymentIntent is `attempt_confirmation`",
		Source: changelog("2018-11-08", "several-changes-payment-intents-private-beta"),
	},
	{
		Version: "2015-02-18", Name: "charge.card", Objects: []string{"charge"}, down: cardOfCharge,
		What:   "charges have `card` beside `source`: the same where it is a card, and null where it is not",
		Source: changelog("2015-02-18", "charges-have-source-field-accepts-source-card"),
	},
	{
		Version: "2015-02-18", Name: "charge.status", Objects: []string{"charge"}, down: paidStatus,
		What:   "a charge that has succeeded is `paid`",
		Source: changelog("2015-02-18", "charges-succeed-have-succeeded-status"),
	},
	{
		Version: "2014-12-17", Name: "charge.statement_descriptor", Objects: []string{"charge"},
		down:   func(_ *view, t *tree) { t.rename("statement_descriptor", "statement_description") },
		Params: []olderParam{{path: "/v1/charges", old: "statement_description", new: "statement_descriptor"}},
		What:   "`statement_descriptor` of charges is `statement_description`",
		Source: changelog("2014-12-17", "introduces-statement-description-field-logic"),
	},
	{
		Version: "2014-06-17", Name: "charge.refunds.data", Objects: []string{"charge"}, down: func(_ *view, t *tree) { t.set("refunds", t.get("refunds").listOnly()) },
		What:   "`refunds` of charges is an array",
		Source: changelog("2014-06-17", "invoices-include-refunds-sublist-refunds-field") + ", whose title says invoices; only charges had refunds",
	},
}

func noInvoice(v *view, t *tree) {
	if !v.browser() {
		t.set("invoice", null())
	}
}

// chargeSource is what was charged as an object, a card as it was then. Charges of payment methods have no source.
func chargeSource(v *view, charge *tree) {
	for _, name := range []string{"destination", "dispute", "order", "source"} {
		charge.set(name, null())
	}
	if to := charge.at("transfer_data", "destination"); to != nil {
		charge.set("destination", to.clone())
	}
	if charge.is("disputed", "true") {
		charge.set("dispute", v.disputeOf(charge.string("id")))
	}
	id := charge.string("payment_method")
	if method := charge.get("payment_method"); method != nil && method.kind == '{' {
		id = method.string("id")
	}
	details := charge.at("payment_method_details", "card")
	switch {
	case details != nil && strings.HasPrefix(id, "card_"):
		charge.set("source", chargedAsCard(id, charge, details))
	case strings.HasPrefix(id, "src_"), strings.HasPrefix(id, "ba_"), strings.HasPrefix(id, alipayID):
		if source := v.stored(id); source != nil {
			charge.set("source", source)
		}
	}
}

// stored is an object of the world by its id; nil where it cannot be found.
func (v *view) stored(id string) *tree {
	if v.call == nil {
		return nil
	}
	if r := v.call.byID[id]; r != nil && !r.gone {
		return parseTree(r.AppendJSON(nil))
	}
	return nil
}

// disputeOf is a charge's first dispute, its id unless the request wants it expanded.
func (v *view) disputeOf(charge string) *tree {
	if v.call == nil {
		return null()
	}
	all := v.call.having("dispute", "charge", charge)
	switch {
	case len(all) == 0:
		return null()
	case v.call.expand.wants("dispute"), v.call.expand.at("data").wants("dispute"):
		return v.stored(all[0].id)
	}
	return quoted(all[0].id)
}

// chargedAsCard is a card in its older form, by what a charge says of it.
func chargedAsCard(id string, charge, details *tree) *tree {
	o := spec.New("card").Set("id", id).Set("metadata", map[string]string{})
	card := parseTree(o.AppendJSON(nil))
	for _, name := range []string{"country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status"} {
		if value := details.get(name); value != nil {
			card.set(name, value.clone())
		}
	}
	card.set("brand", quoted(cardBrands[details.string("brand")]))
	for check, as := range map[string]string{"address_line1_check": "address_line1_check", "address_postal_code_check": "address_zip_check", "cvc_check": "cvc_check"} {
		if value := details.at("checks", check); value != nil {
			card.set(as, value.clone())
		}
	}
	if customer := charge.get("customer"); customer.word() != "" {
		card.set("customer", customer.clone())
	}
	billing := charge.get("billing_details")
	for _, f := range cardAddress {
		if value := billing.at("address", f.address); value != nil {
			card.set(f.card, value.clone())
		}
	}
	if name := billing.get("name"); name != nil {
		card.set("name", name.clone())
	}
	return card
}

// withList puts a list into an object that does not have it yet, because it is not what was asked for but in something else.
func withList(kind, name string) func(*view, *tree) {
	return func(v *view, t *tree) {
		if !t.has(name) {
			t.set(name, v.listOf(kind, t.string("id"), name))
		}
	}
}

// listOf is a list that a record shows in older versions.
func (v *view) listOf(kind, id, name string) *tree {
	list := spec.New("list")
	if v.call != nil {
		if r := v.call.find(kind, id); r != nil {
			list = kinds[kind].Expands[name](v.call, r)
		}
	}
	return parseTree(list.AppendJSON(nil))
}

func chargesOfIntent(v *view, intent *tree) {
	if intent.has("charges") || v.browser() {
		return
	}
	list := spec.New("list").Set("url", "/v1/charges?payment_intent="+intent.string("id"))
	if v.call != nil {
		list = v.call.chargesOf(intent.string("id"), nil)
	}
	intent.set("charges", parseTree(list.AppendJSON(nil)))
}

// authenticatedCharge says of 3D Secure in two words what its result says now.
func authenticatedCharge(_ *view, charge *tree) {
	secured := charge.at("payment_method_details", "card", "three_d_secure")
	if secured == nil || secured.kind != '{' {
		return
	}
	truth := map[bool]*tree{true: plain("true"), false: plain("false")}
	result := secured.string("result")
	secured.set("authenticated", truth[result == "authenticated"])
	secured.set("succeeded", truth[result != "failed" && result != "processing_error"])
}

// sourceStatuses are the statuses of intents before 2019-02-11, by the later ones.
var sourceStatuses = map[string]string{requiresMethod: "requires_source", requiresAction: "requires_source_action"}

func sourceStatus(_ *view, intent *tree) {
	if was := sourceStatuses[intent.string("status")]; was != "" {
		intent.set("status", quoted(was))
	}
}

func sourceAction(_ *view, intent *tree) {
	if action := intent.get("next_action"); action != nil && action.kind == '{' {
		action.rename("redirect_to_url", "authorize_with_url")
		if action.string("type") == "redirect_to_url" {
			action.set("type", quoted("authorize_with_url"))
		}
	}
	intent.rename("next_action", "next_source_action")
}

func cardOfCharge(_ *view, charge *tree) {
	charge.set("card", asCardOnly(charge.get("source")))
}

// asCardOnly is a source where only cards have a place.
func asCardOnly(source *tree) *tree {
	if source == nil || source.string("object") != "card" {
		return null()
	}
	return source.clone()
}

func paidStatus(_ *view, charge *tree) {
	if charge.string("status") == succeeded {
		charge.set("status", quoted("paid"))
	}
}

// listOnly is what is in a list of the API, as an array.
func (t *tree) listOnly() *tree {
	return &tree{kind: '[', values: t.elements()}
}
