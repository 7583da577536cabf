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
	"platform":         "Stripe processing fees of connected accounts",
}

// bookCharge books the money of a captured charge.
func (c *call) bookCharge(ch *record) {
	o, merchant := ch.object(), c.merchantOf(ch)
	k := chargeKindOf(ch)
	available := merchant.settlesAfter(k)
	card := ""
	if in := c.byID[o.String("payment_method")]; k == nil && in != nil {
		does := behind(in).card()
		card = does.country
		if does.does.instant {
			available = c.now()
		}
	}
	currency := o.String("currency")
	settled := merchant.settlesIn(currency)
	amount := o.Int("amount_captured")
	got, _ := exchanged(amount, currency, settled, chargeRate)
	kind, fee := "charge", int64(0)
	if k == nil {
		fee = merchant.cardFee(got, settled, card)
	} else {
		kind, fee = "payment", k.priceFor(merchant.standing().Country, c.now()).fee(got, settled)
	}
	if c.platformPays() {
		c.levy(fee, settled, feeNames["platform"], available)
		fee = 0
	}
	taken := int64(0)
	if !c.isPlatform() {
		taken = o.Int("application_fee_amount")
	}
	share, _ := exchanged(taken, currency, settled, chargeRate)
	txn := c.bookShared(ch, kind, "charge", amount, fee, share, available)
	if description := o.String("description"); description != "" {
		txn.object().Set("description", description)
	}
	o.Set("balance_transaction", txn.id)
	if taken > 0 {
		c.takeFee(ch, nil, taken, available)
	}
	c.passOn(ch, txn)
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
// that the source settles in: what an account is paid at Stripe's rate, everything else at the middle rate. The fee is in the currency
// settled in. What is available now or before is available; the rest is pending until then.
func (c *call) book(source *record, kind, category string, amount, fee int64, available time.Time) *record {
	return c.bookShared(source, kind, category, amount, fee, 0, available)
}

// bookShared is book of something of which the platform has a share, beside Stripe's fee and in the same currency.
func (c *call) bookShared(source *record, kind, category string, amount, fee, share int64, available time.Time) *record {
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
	o.Set("amount", amount).Set("fee", fee+share).Set("net", amount-fee-share)
	o.Set("type", kind).Set("reporting_category", category).Set("balance_type", "payments").Set("available_on", available.Unix())
	if details := c.feeDetails(category, currency, fee, share); details != nil {
		o.Set("fee_details", details)
	}
	c.enter(r)
	return r
}

// feeDetails says what a fee is made up of: Stripe's and the platform's.
func (c *call) feeDetails(category, currency string, fee, share int64) (all []*spec.Object) {
	if fee != 0 {
		name := feeNames[category]
		if name == "" {
			name = "Stripe processing fees"
		}
		all = append(all, spec.New("fee").Set("amount", fee).Set("currency", currency).Set("description", name).Set("type", "stripe_fee"))
	}
	if share != 0 {
		all = append(all, spec.New("fee").Set("amount", share).Set("application", c.clientID()).Set("currency", currency).
			Set("description", applicationName+" application fee").Set("type", "application_fee"))
	}
	return all
}

// bookBare adds a movement of money that no object stands for, in the currency of a balance.
func (c *call) bookBare(kind, category, description string, amount int64, currency string, available time.Time) *record {
	r := c.record("balance_transaction", c.newID("txn_"))
	if now := c.now(); available.Before(now) {
		available = now
	}
	o := r.object().Set("currency", currency).Set("description", description).Set("amount", amount).Set("fee", 0).Set("net", amount)
	o.Set("type", kind).Set("reporting_category", category).Set("balance_type", "payments").Set("available_on", available.Unix())
	c.enter(r)
	return r
}

// settledIn is the currency in which money of a source is booked: what belongs to a charge is booked as the charge was, although the
// account may settle in other currencies since. What goes from one balance to another is in the currency of the balance already.
func (c *call) settledIn(source *record) string {
	o := source.object()
	currency := o.String("currency")
	switch source.resource.Object {
	case "payout", "topup", "transfer", "transfer_reversal":
		return currency
	case "charge":
		return c.bookedIn(source, c.merchantOf(source).settlesIn(currency))
	case "application_fee":
		if o.String("originating_transaction") != "" {
			return currency // what was passed on has settled
		}
	case "fee_refund":
		return c.bookedIn(c.byID[o.String("fee")], currency)
	}
	if charge, _ := o.Get("charge").(string); c.byID[charge] != nil {
		return c.bookedIn(c.byID[charge], c.settlesIn(currency))
	}
	return c.settlesIn(currency)
}

// bookedIn is the currency in which something was booked; otherwise is for what was not.
func (c *call) bookedIn(source *record, otherwise string) string {
	if txn := c.byID[source.text("balance_transaction")]; txn != nil {
		return txn.text("currency")
	}
	return otherwise
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
