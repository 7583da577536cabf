package sandbox

import (
	"time"
)

// feeRefunds are what a platform gives back of its fees.
var feeRefunds = &resource{
	Object:    "fee_refund",
	Path:      singleton,
	Event:     "application_fee.refund",
	Noun:      "fee refund",
	Prefix:    "fr_",
	Takes:     []string{"amount"},
	Update:    none,
	Announces: []string{"updated"},
	Index:     []string{"fee"},
	Private:   func() any { return new(feeReturn) },
	Others: map[string]func(*call) (appender, error){
		"GET /v1/application_fees/x_1/refunds":      listFeeRefunds,
		"POST /v1/application_fees/x_1/refunds":     createFeeRefund,
		"GET /v1/application_fees/x_1/refunds/x_1":  ofItsFee(func(c *call) (appender, error) { return kinds["fee_refund"].retrieve(c) }),
		"POST /v1/application_fees/x_1/refunds/x_1": ofItsFee(func(c *call) (appender, error) { return kinds["fee_refund"].update(c) }),
	},
}

// feeReturn is what is behind a refund of a fee.
type feeReturn struct {
	Of   string `json:",omitempty"` // refund or transfer_reversal, if it came with one
	Part int64  `json:",omitempty"` // how much of the charge or the transfer went back with it
	Txn  string // the transaction in the account that gets it
}

// ofItsFee is an operation on a refund that the path names after its fee.
func ofItsFee(do handler) handler {
	return func(c *call) (appender, error) {
		fee, err := c.named("application_fee")
		if err != nil {
			return nil, err
		}
		found := c.find("fee_refund", c.path[1].Value)
		if found == nil || found.text("fee") != fee.id {
			return nil, kinds["fee_refund"].notFound(c.path[1].Value)
		}
		c.path = c.path[1:]
		return do(c)
	}
}

func listFeeRefunds(c *call) (appender, error) {
	fee, err := c.named("application_fee")
	if err != nil {
		return nil, err
	}
	return c.listOf("fee_refund", "fee", fee.id, "/v1/application_fees/"+fee.id+"/refunds", func(*record) bool { return true })
}

func createFeeRefund(c *call) (appender, error) {
	fee, err := c.named("application_fee")
	if err != nil {
		return nil, err
	}
	if err := kinds["fee_refund"].takes(c); err != nil {
		return nil, err
	}
	amount, err := c.refundableFee(fee)
	if err != nil {
		return nil, err
	}
	r := c.refundFee(fee, amount, feeReturn{})
	if err := c.fill(r); err != nil {
		return nil, err
	}
	c.showFeeRefunds(fee)
	return c.show(r)
}

// refundAndShowFee is the older form: it answers with the fee.
func refundAndShowFee(c *call) (appender, error) {
	fee, err := c.named("application_fee")
	if err != nil {
		return nil, err
	}
	if c.params.Has("directive") {
		return nil, unbuilt("the parameter directive of %s", c.op)
	}
	amount, err := c.refundableFee(fee)
	if err != nil {
		return nil, err
	}
	c.refundFee(fee, amount, feeReturn{})
	return c.show(fee)
}

// refundableFee is how much of a fee is to be given back: what was asked for, or all that is left.
func (c *call) refundableFee(fee *record) (int64, error) {
	o := fee.object()
	left := o.Int("amount") - o.Int("amount_refunded")
	amount := left
	if c.params.Has("amount") {
		amount = c.params.Int("amount")
	}
	switch currency := currencyOf(o); {
	case left == 0:
		return 0, refused("", "", "Application fee %s has already been refunded.", fee.id)
	case amount < 1:
		return 0, invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case amount > left:
		return 0, refused("", "amount", "Refund amount (%s) is greater than unrefunded amount on fee (%s)", display(amount, currency), display(left, currency))
	case c.realmOf(o.String("account")) == nil:
		return 0, missingIn("", "account", o.String("account"))
	}
	return amount, nil
}

// feeShare is what goes back of a fee with a part of a charge or of a transfer.
func (c *call) feeShare(fee *record, of string, part, whole int64) int64 {
	p := portion{part: part, whole: whole, left: fee.number("amount") - fee.number("amount_refunded")}
	for _, r := range c.platform().having("fee_refund", "fee", fee.id) {
		if with := known[feeReturn](r); with.Of == of {
			p.before += with.Part
			p.taken += r.number("amount")
		}
	}
	return p.of(fee.number("amount"))
}

// refundFee gives a part of a fee back to the account that it was taken of. There it is an adjustment.
func (c *call) refundFee(fee *record, amount int64, with feeReturn) *record {
	p := c.platform()
	to := c.of(fee.object().String("account"))
	ch := to.byID[fee.object().String("charge")]
	r := p.record("fee_refund", p.newID("fr_"))
	r.object().Set("amount", amount).Set("currency", fee.object().String("currency")).Set("fee", fee.id).Set("metadata", map[string]string{})
	on := time.Unix(max(p.byID[fee.object().String("balance_transaction")].object().Int("available_on"), p.now().Unix()), 0).UTC()
	if on.Unix() == p.now().Unix() {
		on = p.now()
	}
	txn := p.book(r, "application_fee_refund", "platform_earning_refund", -amount, 0, on)
	txn.object().Set("description", "Application fee refund")
	r.object().Set("balance_transaction", txn.id)
	got := to.book(ch, "adjustment", "other_adjustment", amount, 0, to.availableWith(ch))
	got.object().Set("description", "Application fee refund")
	with.Txn = got.id
	r.hidden = &with
	p.insert(r)
	before := fee.object().Clone()
	back := fee.object().Int("amount_refunded") + amount
	fee.object().Set("amount_refunded", back).Set("refunded", back == fee.object().Int("amount"))
	p.showFeeRefunds(fee)
	p.emitUpdated("application_fee.refunded", fee, before)
	return r
}
