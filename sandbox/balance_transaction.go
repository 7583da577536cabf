package sandbox

import (
	"strconv"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// balanceTransactions are every movement of money. They are looked up by the day on which they become available.
var balanceTransactions = &resource{
	Object:  "balance_transaction",
	Path:    "/v1/balance_transactions",
	Prefix:  "txn_",
	Filters: []string{"currency", "source", "type"},
	Keys:    map[string]func(*record) string{"day": func(r *record) string { return dayOf(r.text("currency"), r.number("available_on")) }},
	Matches: map[string]func(*call, *record) bool{"payout": func(*call, *record) bool { return true }}, // listTransactions sees to it
	Others: map[string]func(*call) (appender, error){
		"GET /v1/balance_transactions": listTransactions,
		"GET /v1/balance/history":      listTransactions,
		"GET /v1/balance/history/x_1":  func(c *call) (appender, error) { return kinds["balance_transaction"].retrieve(c) },
	},
}

// secondsOfDay are those of a day.
const secondsOfDay = 24 * 60 * 60

// dayOf names a day of a currency: "usd 20454" is the 20,454th since 1970, in UTC.
func dayOf(currency string, at int64) string {
	return currency + " " + strconv.FormatInt(at/secondsOfDay, 10)
}

// feeNames are what fees are called, by the category of what they are taken for; all others are for processing.
var feeNames = map[string]string{
	"dispute":          "Dispute fee",
	"dispute_reversal": "Dispute fee",
	"payout":           "Instant payout fee",
	"payout_reversal":  "Instant payout fee",
}

// bookCharge books the money of a captured charge.
func (c *call) bookCharge(ch *record) {
	o := ch.object()
	k := chargeKindOf(ch)
	available := c.settlesAfter(k)
	card := ""
	if in := c.byID[o.String("payment_method")]; k == nil && in != nil {
		does := known[instrument](in).card()
		card = does.country
		if does.does.instant {
			available = c.now()
		}
	}
	currency := o.String("currency")
	settled := c.settlesIn(currency)
	amount := o.Int("amount_captured")
	got, _ := exchanged(amount, currency, settled, chargeRate)
	kind, fee := "charge", int64(0)
	if k == nil {
		fee = c.cardFee(got, settled, card)
	} else {
		kind, fee = "payment", k.priceFor(c.standing().Country, c.now()).fee(got, settled)
	}
	txn := c.book(ch, kind, "charge", amount, fee, available)
	if description := o.String("description"); description != "" {
		txn.object().Set("description", description)
	}
	o.Set("balance_transaction", txn.id)
}

// bookChargeLater books an asynchronously captured charge some seconds later, as Stripe does.
func (c *call) bookChargeLater(ch *record) {
	c.in(bookedAfter, "charge.book", ch)
}

// bookNow books a charge that waits for it: when its time has come, or when a refund needs it.
func (c *call) bookNow(ch *record) {
	if ch.text("balance_transaction") != "" {
		return
	}
	before := c.packedNow(ch)
	c.bookCharge(ch)
	c.emitChanged("charge.updated", ch, before)
}

// book adds one movement of money to the account's balance. The amount is in the currency of its source, and is converted into the one
// that the source settles in: a charge at Stripe's rate, everything else at the middle rate. The fee is in the currency settled in.
// What is available now or before is available; the rest is pending until then.
func (c *call) book(source *record, kind, category string, amount, fee int64, available time.Time) *record {
	kin, _ := source.object().Get("payment_intent").(string)
	r := c.record("balance_transaction", c.newPaymentID("txn_", kin))
	from := source.object().String("currency")
	currency := c.settledIn(source)
	o := r.object().Set("currency", currency).Set("source", source.id)
	part := middle
	if kind == "charge" || kind == "payment" || kind == "payment_failure_refund" {
		part = chargeRate
	}
	amount, rate := exchanged(amount, from, currency, part)
	if rate != nil {
		o.Set("exchange_rate", shown(rate))
	}
	if now := c.now(); available.Before(now) {
		available = now
	}
	o.Set("amount", amount).Set("fee", fee).Set("net", amount-fee)
	o.Set("type", kind).Set("reporting_category", category).Set("balance_type", "payments").Set("available_on", available.Unix())
	if fee != 0 {
		name := feeNames[category]
		if name == "" {
			name = "Stripe processing fees"
		}
		o.Set("fee_details", []*spec.Object{spec.New("fee").Set("amount", fee).Set("currency", currency).Set("description", name).Set("type", "stripe_fee")})
	}
	c.enter(r)
	return r
}

// settledIn is the currency in which money of a source is booked: what belongs to a charge is booked as the charge was, although the
// account may settle in other currencies since.
func (c *call) settledIn(source *record) string {
	charge, _ := source.object().Get("charge").(string)
	if ch := c.byID[charge]; ch != nil {
		if paid := c.byID[ch.object().String("balance_transaction")]; paid != nil {
			return paid.object().String("currency")
		}
	}
	currency := source.object().String("currency")
	if source.resource.Object == "payout" || source.resource.Object == "topup" {
		return currency // of a balance already
	}
	return c.settlesIn(currency)
}

// availableWith is when money that a charge's refund or dispute moves becomes available: with the charge while that is pending, and
// now afterwards.
func (c *call) availableWith(ch *record) time.Time {
	now := c.now()
	if paid := c.byID[ch.object().String("balance_transaction")]; paid != nil && paid.object().Int("available_on") > now.Unix() {
		return time.Unix(paid.object().Int("available_on"), 0).UTC()
	}
	return now
}
