package sandbox

import (
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

var balanceTransactions = &resource{
	Object:  "balance_transaction",
	Path:    "/v1/balance_transactions",
	Prefix:  "txn_",
	Filters: []string{"currency", "source", "type"},
	Matches: map[string]func(*call, *record) bool{"payout": func(*call, *record) bool { return false }}, // there are no payouts that could hold any
	Refresh: settleTransaction,
}

// fees are Stripe's standard prices by the account's country.
var fees = []struct {
	country string
	from    string // date since which the row holds
	percent int64  // in tenths of a percent
	fixed   int64  // in the minor unit of the currency
}{
	{"US", "2011-09-29", 29, 30}, // stripe.com/pricing: 2.9 % + 30 ¢ for cards
}

// feeOf is the fee of a charge, rounded to the nearest minor unit.
func feeOf(amount int64) int64 {
	row := fees[0] // every world's account is in the United States
	return min((amount*row.percent+500)/1000+row.fixed, amount)
}

// bookCharge books the money of a captured charge.
func (c *call) bookCharge(ch *record) {
	o := ch.object()
	amount := o.Int("amount_captured")
	available := usSettlement(c.now())
	if in := c.byID[o.String("payment_method")]; in != nil && private[instrument](in).card().does.instant {
		available = c.now()
	}
	txn := c.book(ch, "charge", "charge", amount, feeOf(amount), available)
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
	if ch.object().String("balance_transaction") != "" {
		return
	}
	before := ch.object().Clone()
	c.bookCharge(ch)
	c.emitUpdated("charge.updated", ch, before)
}

// book adds one movement of money to the account's balance.
func (c *call) book(source *record, kind, category string, amount, fee int64, available time.Time) *record {
	kin, _ := source.object().Get("payment_intent").(string)
	r := c.record("balance_transaction", c.newPaymentID("txn_", kin))
	currency := source.object().String("currency")
	o := r.object().Set("amount", amount).Set("fee", fee).Set("net", amount-fee).Set("currency", currency).Set("source", source.id)
	o.Set("type", kind).Set("reporting_category", category).Set("balance_type", "payments").Set("available_on", available.Unix()).Set("status", "pending")
	if fee != 0 {
		o.Set("fee_details", []*spec.Object{spec.New("fee").Set("amount", fee).Set("currency", currency).Set("description", "Stripe processing fees").Set("type", "stripe_fee")})
	}
	c.insert(r)
	c.enter(currency, amount-fee, available.Unix())
	return r
}

// settleTransaction shows a transaction as available once its time has come.
func settleTransaction(w *world, r *record) {
	if r.object().String("status") == "pending" && r.object().Int("available_on") <= w.now().Unix() {
		r.object().Set("status", "available")
	}
}
