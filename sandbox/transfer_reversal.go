package sandbox

import (
	"github.com/till-pay/till/sandbox/spec"
)

var transferReversals = &resource{
	Object:  "transfer_reversal",
	Path:    singleton,
	Prefix:  "trr_",
	Takes:   []string{"amount", "description", "refund_application_fee"},
	Update:  none,
	Index:   []string{"transfer"},
	Private: func() any { return new(reversal) },
	Others: map[string]func(*call) (appender, error){
		"GET /v1/transfers/x_1/reversals":      listReversals,
		"POST /v1/transfers/x_1/reversals":     createReversal,
		"GET /v1/transfers/x_1/reversals/x_1":  ofItsTransfer(func(c *call) (appender, error) { return kinds["transfer_reversal"].retrieve(c) }),
		"POST /v1/transfers/x_1/reversals/x_1": ofItsTransfer(func(c *call) (appender, error) { return kinds["transfer_reversal"].update(c) }),
	},
}

// reversal is what is behind a transfer that is taken back: how much of the charge was refunded with it.
type reversal struct{ Part int64 }

// ofItsTransfer is an operation on a reversal that the path names after its transfer.
func ofItsTransfer(do handler) handler {
	return func(c *call) (appender, error) {
		r, err := c.named("transfer")
		if err != nil {
			return nil, err
		}
		found := c.find("transfer_reversal", c.path[1].Value)
		if found == nil || found.text("transfer") != r.id {
			return nil, kinds["transfer_reversal"].notFound(c.path[1].Value)
		}
		c.path = c.path[1:]
		return do(c)
	}
}

func listReversals(c *call) (appender, error) {
	r, err := c.named("transfer")
	if err != nil {
		return nil, err
	}
	return c.listOf("transfer_reversal", "transfer", r.id, "/v1/transfers/"+r.id+"/reversals", func(*record) bool { return true })
}

// createReversal takes back all that is left of a transfer, or a part of it.
func createReversal(c *call) (appender, error) {
	tr, err := c.named("transfer")
	if err != nil {
		return nil, err
	}
	if err := kinds["transfer_reversal"].takes(c); err != nil {
		return nil, err
	}
	amount, err := c.reversible(tr)
	if err != nil {
		return nil, err
	}
	if err := c.returnable(tr, amount); err != nil {
		return nil, err
	}
	r := c.newReversal(tr, amount)
	if err := c.fill(r); err != nil {
		return nil, err
	}
	back := int64(0)
	fee := c.feeOfTransfer(tr)
	if fee != nil && c.params.Bool("refund_application_fee") {
		back = c.feeShare(fee, "transfer_reversal", amount, tr.number("amount"))
	}
	c.reverse(tr, r)
	if back > 0 {
		c.refundFee(fee, back, feeReturn{Of: "transfer_reversal", Part: amount})
	}
	return c.show(r)
}

// reversible is how much of a transfer is to be taken back.
func (c *call) reversible(tr *record) (int64, error) {
	left := c.unreturned(tr)
	amount := left
	if c.params.Has("amount") {
		amount = c.params.Int("amount")
	}
	switch currency := currencyOf(tr.object()); {
	case left == 0:
		return 0, fullyReversed(tr)
	case amount < 1:
		return 0, invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case amount > left:
		return 0, refused("", "amount", "Transfer reversal amount (%s) is greater than the unreversed amount of the transfer (%s)", display(amount, currency), display(left, currency))
	}
	return amount, nil
}

// unreturned is what of a transfer can still be taken back: what has neither come back, nor is to come back with a refund of the payment
// there that waits for its money.
func (c *call) unreturned(tr *record) int64 {
	back := tr.number("amount_reversed")
	if to := c.realmOf(tr.text("destination")); to != nil {
		back = max(back, to.byID[tr.text("destination_payment")].number("amount_refunded"))
	}
	return tr.number("amount") - back
}

func fullyReversed(tr *record) error {
	return refused("", "", "The transfer %s is already fully reversed.", tr.id)
}

// returnable refuses to take back what the other account does not have, unless the platform is liable for what it then lacks.
func (c *call) returnable(tr *record, amount int64) error {
	to := c.realmOf(tr.text("destination"))
	if to == nil {
		return missingIn("", "destination", tr.text("destination"))
	}
	if to.isPlatform() || to.backed() {
		return nil
	}
	payment := to.byID[tr.text("destination_payment")]
	paid := to.byID[payment.text("balance_transaction")]
	if paid.text("status") == "pending" {
		return nil
	}
	needed, _ := exchanged(amount, tr.text("currency"), paid.text("currency"), middle)
	if needed > to.books().in(paid.text("currency")).Available {
		return insufficientBalance()
	}
	return nil
}

// newReversal starts a reversal of a part of a transfer.
func (c *call) newReversal(tr *record, amount int64) *record {
	r := c.record("transfer_reversal", c.newID("trr_"))
	r.hidden = &reversal{}
	r.object().Set("amount", amount).Set("currency", tr.object().String("currency")).Set("transfer", tr.id).Set("metadata", map[string]string{})
	return r
}

// reverse takes back what a reversal says: the payment that the transfer was is refunded, in whole or in part.
func (c *call) reverse(tr, r *record) {
	to := c.of(tr.object().String("destination"))
	payment := to.byID[tr.object().String("destination_payment")]
	back := to.record("refund", to.newID("pyr_"))
	back.object().Set("amount", r.object().Int("amount")).Set("charge", payment.id).Set("currency", payment.object().String("currency")).
		Set("status", succeeded).Set("metadata", map[string]string{}).Set("source_transfer_reversal", r.id).Set("destination_details", spec.Absent)
	txn := to.book(back, "payment_refund", "refund", -back.object().Int("amount"), 0, to.availableWith(payment))
	txn.object().Set("description", refundDescription(payment))
	back.object().Set("balance_transaction", txn.id)
	to.insert(back)
	r.object().Set("destination_payment_refund", back.id)
	c.takeIn(tr, r)
	to.emit("refund.created", back)
	to.reduce(payment, back)
}

// takeIn books the money that a reversal brings back to the account that sent it.
func (c *call) takeIn(tr, r *record) {
	on := c.now()
	if ch := c.byID[tr.object().String("source_transaction")]; ch != nil {
		on = c.availableWith(ch)
	}
	txn := c.book(r, "transfer_refund", "transfer_reversal", r.object().Int("amount"), 0, on)
	txn.object().Set("description", "REFUND FOR TRANSFER")
	r.object().Set("balance_transaction", txn.id)
	c.insert(r)
	before := tr.object().Clone()
	reversed := tr.object().Int("amount_reversed") + r.object().Int("amount")
	tr.object().Set("amount_reversed", reversed).Set("reversed", reversed == tr.object().Int("amount"))
	c.showReversals(tr)
	c.emitUpdated("transfer.reversed", tr, before)
}

// reduce shows in a payment that a part of it has gone back.
func (c *call) reduce(payment, refund *record) {
	before := payment.object().Clone()
	gone := payment.object().Int("amount_refunded") + refund.object().Int("amount")
	payment.object().Set("amount_refunded", gone).Set("refunded", gone == payment.object().Int("amount_captured"))
	c.emitUpdated("charge.refunded", payment, before)
}

// showReversals writes the latest reversals into their transfer.
func (c *call) showReversals(tr *record) {
	tr.object().Set("reversals", c.latestOf("transfer_reversal", "transfer", tr.id, "/v1/transfers/"+tr.id+"/reversals"))
}

// latestOf is the list that an object has of what belongs to it: the latest ten.
func (c *call) latestOf(kind, field, id, url string) *spec.Object {
	all := c.having(kind, field, id)
	data := []*spec.Object{}
	for i := len(all) - 1; i >= 0 && len(data) < defaultLimit; i-- {
		data = append(data, all[i].object().Clone())
	}
	return spec.New("list").Set("url", url).Set("has_more", len(all) > defaultLimit).Set("data", data)
}
