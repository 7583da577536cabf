package sandbox

import (
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// applicationFees are what a platform takes of its accounts' payments. They are the platform's; the charges are the accounts'.
var applicationFees = &resource{
	Object:  "application_fee",
	Path:    "/v1/application_fees",
	Prefix:  "fee_",
	Noun:    "application fee",
	Filters: []string{"charge"},
	Others: map[string]func(*call) (appender, error){
		"POST /v1/application_fees/x_1/refund": refundAndShowFee,
	},
}

// takeFee takes the platform's fee of an account's charge, in a currency of the charge's: that of a payment that it got itself, or of one
// that the platform passed on, whose charge there is origin. The charge is booked with it.
func (c *call) takeFee(ch, origin *record, amount int64, on time.Time) {
	p := c.platform()
	r := p.record("application_fee", p.unused(func() string { return "fee_" + c.fragment('1') + c.letters(8) }))
	o := r.object().Set("account", c.account).Set("amount", amount).Set("application", c.clientID()).Set("charge", ch.id)
	o.Set("currency", ch.object().String("currency"))
	o.Set("fee_source", spec.New("platform_earning_fee_source").Set("type", "charge").Set("charge", ch.id))
	if origin != nil {
		o.Set("originating_transaction", origin.id)
		origin.object().Set("application_fee", r.id)
	}
	p.showFeeRefunds(r)
	txn := p.book(r, "application_fee", "platform_earning", amount, 0, on)
	txn.object().Set("description", "Application fee")
	o.Set("balance_transaction", txn.id)
	p.insert(r)
	ch.object().Set("application_fee", r.id).Set("application_fee_amount", amount)
	p.emit("application_fee.created", r)
}

// showFeeRefunds writes the latest refunds of a fee into it.
func (c *call) showFeeRefunds(fee *record) {
	fee.object().Set("refunds", c.latestOf("fee_refund", "fee", fee.id, "/v1/application_fees/"+fee.id+"/refunds"))
}

// elsewhereCharged says whether an id by which a list is filtered is that of a charge of another account: fees are of such.
func (c *call) elsewhereCharged(of *resource, id string) bool {
	return of == applicationFees && c.lookup(id) != nil
}

// feeOfTransfer is the fee that the platform has taken of what it passed on; nil is none.
func (c *call) feeOfTransfer(tr *record) *record {
	if to := c.realmOf(tr.text("destination")); to != nil && !to.isPlatform() {
		return c.platform().feeOfCharge(to.byID[tr.text("destination_payment")])
	}
	return nil
}

// feeOfCharge is the fee that the platform has taken of a charge; nil is none.
func (c *call) feeOfCharge(ch *record) *record {
	return c.platform().find("application_fee", ch.text("application_fee"))
}

// stripeFee is what of a transaction's fee is Stripe's.
func stripeFee(txn *record) (sum int64) {
	all, _ := txn.object().Get("fee_details").([]*spec.Object)
	for _, one := range all {
		if one.String("type") == "stripe_fee" {
			sum += one.Int("amount")
		}
	}
	return sum
}

// levy books a fee of Stripe's that the platform pays for an account; one below nothing is given back.
func (c *call) levy(amount int64, currency, description string, on time.Time) {
	if amount == 0 {
		return
	}
	p := c.platform()
	to := p.settlesIn(currency)
	amount, _ = exchanged(amount, currency, to, middle)
	p.bookBare("stripe_fee", "fee", description, -amount, to, on)
}
