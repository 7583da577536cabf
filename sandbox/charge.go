package sandbox

import (
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Times of a charge's life.
const (
	authorizationLife = 7 * 24 * time.Hour // of a held payment
	bookedAfter       = 2 * time.Second    // of an asynchronous capture
)

// descriptor is the account's, as card statements show it; with a suffix the short one and the suffix make up at most 22 characters.
const (
	descriptor    = "TILL SANDBOX"
	maxDescriptor = 22
)

var charges = &resource{
	Object:    "charge",
	Path:      "/v1/charges",
	Prefix:    "ch_",
	Plain:     []string{"description", "receipt_email", "shipping", "transfer_group"},
	Takes:     []string{"amount", "capture", "card", "currency", "customer", "fraud_details", "radar_options", "source", "statement_descriptor", "statement_descriptor_suffix", "application_fee", "application_fee_amount", "destination", "on_behalf_of", "transfer_data"},
	Update:    updateCharge,
	Announces: []string{"updated"},
	Filters:   []string{"customer", "payment_intent", "transfer_group"},
	Search:    []string{"amount", "billing_details.address.postal_code", "currency", "customer", "disputed", "status", "payment_method_details.card.last4", "payment_method_details.card.exp_month", "payment_method_details.card.exp_year", "payment_method_details.card.brand", "payment_method_details.card.fingerprint"},
	Searched:  map[string]func(*record) any{"refunded": searchedRefunded},
	Expands:   map[string]func(*call, *record) *spec.Object{"refunds": refundsOf},
	Until:     map[string]string{"refunds": withCharges},
	Verbs:     verbs{"capture": captureCharge},
	Others:    map[string]func(*call) (appender, error){"POST /v1/charges": createCharge},
	Due: map[string]func(*call, *record, string){
		"book":   func(c *call, r *record, _ string) { c.bookNow(r) },
		"expire": func(c *call, r *record, _ string) { c.expireCharge(r) },
		"clear":  func(c *call, r *record, _ string) { c.clear(r) },
		"bounce": func(c *call, r *record, why string) { c.bounce(r, why) },
	},
}

// searchedRefunded is what the query language calls refunded: true in full, false in part, null not at all.
func searchedRefunded(r *record) any {
	if r.number("amount_refunded") == 0 {
		return nil
	}
	return r.flag("refunded")
}

func updateCharge(c *call, r *record) error {
	if id := c.params.String("customer"); id != "" {
		if err := c.giveCharge(r, id); err != nil {
			return err
		}
	}
	if report := c.params.String("fraud_details", "user_report"); report != "" {
		if report == "fraudulent" {
			c.mark(r)
		}
		r.object().Set("fraud_details", r.object().Sub("fraud_details").Clone().Set("user_report", report))
	}
	return nil
}

// giveCharge says whose a charge is of which that was not said before (docs.stripe.com/api/charges/update; the words are the sandbox's own).
func (c *call) giveCharge(r *record, id string) error {
	switch has := r.object().String("customer"); {
	case c.find("customer", id) == nil:
		return missingIn("customer", "customer", id)
	case has != "" && has != id:
		return invalid("", "customer", "The charge %s is associated with the customer %s already, which cannot be changed.", r.id, has)
	}
	r.object().Set("customer", id)
	return nil
}

// newCharge is an attempt of an intent to pay; what becomes of it is the caller's to fill in.
func (c *call) newCharge(r, method *record, secured *spec.Object) *record {
	k, prefix := methodKindOf(method), "ch_"
	if k != nil {
		prefix = "py_"
	}
	ch := c.record("charge", c.newPaymentID(prefix, r.id))
	c.describeCharge(ch, r, method)
	if k == nil {
		ch.object().Set("payment_method_details", spec.New("payment_method_details").Set("type", "card").Set("card", c.cardDetails(r, method, secured)))
	} else {
		ch.object().Set("payment_method_details", c.methodDetails(k, r, method))
	}
	ch.object().Set("outcome", c.outcome(r, method))
	return ch
}

// describeCharge fills in what a charge has of the intent and of the payment method.
func (c *call) describeCharge(ch, r, method *record) {
	from := r.object()
	o := ch.object().Set("amount", from.Int("amount")).Set("currency", from.String("currency")).Set("payment_intent", r.id).Set("payment_method", method.id)
	for _, name := range []string{"customer", "description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group"} {
		o.Set(name, from.Get(name))
	}
	if shipping := from.Sub("shipping"); shipping != nil {
		o.Set("shipping", shipping.Clone())
	}
	metadata := make(map[string]string, len(from.Map("metadata")))
	for key, value := range from.Map("metadata") {
		metadata[key] = value
	}
	c.shareCharge(r, o)
	o.Set("metadata", metadata).Set("fraud_details", spec.New("charge_fraud_details"))
	o.Set("billing_details", method.object().Sub("billing_details").Clone())
	o.Set("calculated_statement_descriptor", c.calculatedDescriptor(r))
}

// calculatedDescriptor is what card statements say of an intent's charge: the merchant's words, or those of the intent.
func (c *call) calculatedDescriptor(r *record) string {
	from, text := r.object(), c.merchantOf(r).descriptor()
	if own := from.String("statement_descriptor"); own != "" {
		text = strings.ToUpper(own)
	}
	if suffix := from.String("statement_descriptor_suffix"); suffix != "" {
		text = text + "* " + strings.ToUpper(suffix)
	}
	if len(text) > maxDescriptor {
		text = strings.TrimSpace(strings.ToValidUTF8(text[:maxDescriptor], ""))
	}
	return text
}

// cardDetails is the card as it was when it paid.
func (c *call) cardDetails(r, method *record, secured *spec.Object) *spec.Object {
	in, from := private[instrument](method), method.object().Sub("card")
	amount := r.object().Int("amount")
	line, zip := in.addressChecks(method.object().Sub("billing_details"))
	checks := spec.New("payment_method_details_card_checks").Set("address_line1_check", line).Set("address_postal_code_check", zip).Set("cvc_check", in.cvcCheck())
	o := spec.New("payment_method_details_card").Set("amount_authorized", amount).Set("authorization_code", c.digits(6)).Set("checks", checks)
	for _, name := range []string{"brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status"} {
		o.Set(name, from.Get(name))
	}
	o.Set("network", from.String("brand")).Set("network_transaction_id", c.digits(15))
	o.Set("network_token", spec.New("payment_method_details_card_network_token").Set("used", false))
	o.Sub("extended_authorization").Set("status", "disabled")
	o.Sub("incremental_authorization").Set("status", "unavailable")
	o.Sub("multicapture").Set("status", "unavailable")
	o.Sub("overcapture").Set("status", "unavailable").Set("maximum_amount_capturable", amount)
	if secured != nil {
		o.Set("three_d_secure", secured)
	}
	if in.Wallet != "" {
		o.Set("wallet", in.wallet("payment_method_details_card_wallet", method.object().Sub("billing_details")))
	}
	return o
}

// digits is n random digits.
func (w *world) digits(n int) string {
	text := strconv.FormatUint(w.random.Uint64()|1<<63, 10) // nineteen digits or twenty
	return text[len(text)-n:]
}

// refuseOutcome turns a charge's outcome into that of a decline by the issuer.
func (c *call) refuseOutcome(ch, method *record, d *decline) {
	o := ch.object().Sub("outcome")
	if methodKindOf(method) != nil {
		o.Set("network_status", "not_sent_to_network").Set("type", "invalid").Set("seller_message", d.message)
		if conduct(method).blocked {
			o.Set("type", "blocked").Set("reason", "highest_risk_level").Set("risk_level", "highest").Set("seller_message", "Stripe blocked this payment as too risky.")
		}
		return
	}
	seller := "The bank returned the decline code `" + d.declineCode + "`."
	if d.declineCode == "generic_decline" {
		seller = "The bank did not return any further details with this decline."
	}
	o.Set("type", "issuer_declined").Set("network_status", "declined_by_network").Set("reason", d.declineCode).Set("seller_message", seller)
	for field, value := range map[string]string{"advice_code": d.advice, "network_advice_code": d.networkAdvice, "network_decline_code": d.networkDecline} {
		if value != "" {
			o.Set(field, value)
		}
	}
}
