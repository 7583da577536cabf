package sandbox

import (
	"fmt"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

var transfers = &resource{
	Object:    "transfer",
	Path:      "/v1/transfers",
	Prefix:    "tr_",
	Param:     "transfer",
	Plain:     []string{"description"},
	Takes:     []string{"amount", "currency", "destination", "source_transaction", "source_type", "transfer_group"},
	Create:    createTransfer,
	Update:    none,
	Announces: []string{"created", "updated"},
	Filters:   []string{"destination", "transfer_group"},
	Index:     []string{"source_transaction"},
}

// createTransfer checks everything and then sends the money.
func createTransfer(c *call, r *record) error {
	currency, err := readCurrency(c.params.String("currency"))
	if err != nil {
		return err
	}
	to, err := c.receiver("destination", c.params.String("destination"))
	if err != nil {
		return err
	}
	if err := c.reachable(to.realm); err != nil {
		return err
	}
	o := r.object().Set("currency", currency.Lower()).Set("amount", c.params.Int("amount")).Set("destination", to.account)
	if c.params.Has("transfer_group") {
		o.Set("transfer_group", c.params.String("transfer_group"))
	}
	on, err := c.fundTransfer(r)
	if err != nil {
		return err
	}
	c.send(r, to, nil, on)
	return nil
}

// fundTransfer finds the money of a transfer: that of the charge that it names, which may still be pending, or what is available. It says
// when the money is available.
func (c *call) fundTransfer(r *record) (time.Time, error) {
	o := r.object()
	if from := c.params.String("source_type"); from != "" && from != "card" {
		return time.Time{}, insufficientBalance() // this account has no money of other sources
	}
	if id := c.params.String("source_transaction"); id != "" {
		if !c.isPlatform() {
			if err := c.mayDebit(0, o.String("currency")); err != nil {
				return time.Time{}, err
			}
		}
		return c.fundFromCharge(r, id)
	}
	switch amount := o.Int("amount"); {
	case !c.params.Has("amount"):
		return time.Time{}, invalid("parameter_missing", "amount", "Missing required param: amount.")
	case amount < 1:
		return time.Time{}, invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case c.isPlatform() && amount > c.books().in(o.String("currency")).Available:
		return time.Time{}, insufficientBalance()
	case !c.isPlatform():
		if err := c.mayDebit(amount, o.String("currency")); err != nil {
			return time.Time{}, err
		}
	}
	return c.now(), nil
}

// fundFromCharge takes the money of a charge, as far as other transfers have left any, and the amount that is left where none is given.
func (c *call) fundFromCharge(r *record, id string) (time.Time, error) {
	ch := c.find("charge", id)
	switch {
	case ch == nil:
		return time.Time{}, missingIn("source_transaction", "charge", id)
	case ch.text("status") == "failed" || !ch.flag("captured"):
		return time.Time{}, refused("", "source_transaction", "The source_transaction %s is not a charge that has succeeded and been captured.", id)
	}
	o := r.object().Set("source_transaction", id)
	got, currency := c.settledAmount(ch)
	if given := o.String("currency"); given != currency {
		return time.Time{}, refused("", "currency", "The currency of source_transaction's balance transaction (%s) must be the same as the transfer currency (%s)", currency, given)
	}
	taken := int64(0)
	for _, other := range c.having("transfer", "source_transaction", id) {
		taken += other.number("amount")
	}
	amount := got - taken
	if c.params.Has("amount") {
		if amount = o.Int("amount"); amount < 1 {
			return time.Time{}, invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
		}
	}
	if amount < 1 || amount > got-taken {
		message := fmt.Sprintf("Transfers using this transaction as a source must not exceed the source amount of %s.", display(got, currencyCalled(currency)))
		if taken > 0 {
			message += fmt.Sprintf(" (There is already a transfer using this source, amounting to %s.)", display(taken, currencyCalled(currency)))
		}
		return time.Time{}, refused("", "", "%s", message)
	}
	o.Set("amount", amount)
	c.bookNow(ch)
	c.groupWith(r, ch)
	return c.availableWith(ch), nil
}

// settledAmount is what a charge has come to, in the currency that it settles in.
func (c *call) settledAmount(ch *record) (int64, string) {
	if txn := c.byID[ch.text("balance_transaction")]; txn != nil {
		return txn.number("amount"), txn.text("currency")
	}
	settled := c.merchantOf(ch).settlesIn(ch.text("currency"))
	got, _ := exchanged(ch.number("amount_captured"), ch.text("currency"), settled, chargeRate)
	return got, settled
}

// groupWith puts a transfer into the group of its charge, which gets one if it has none yet.
func (c *call) groupWith(r, ch *record) {
	group := ch.object().String("transfer_group")
	if group == "" {
		of := ch.object().String("payment_intent")
		if of == "" {
			of = ch.id
		}
		group = "group_" + of
		ch.object().Set("transfer_group", group)
	}
	if r.object().String("transfer_group") == "" {
		r.object().Set("transfer_group", group)
	}
}

// passOn sends what a payment's destination gets of it, when the payment is booked: all, or the amount that was named. In another
// currency than the payment's own that is the share of what the payment has come to.
func (c *call) passOn(ch, txn *record) {
	data := ch.object().Sub("transfer_data")
	if data == nil || !c.partnered(data.String("destination")) {
		return
	}
	from, got := ch.object(), txn.object().Int("amount")
	amount := got
	if part, partial := data.Get("amount").(int64); partial {
		amount = shareOf(got, part, from.Int("amount_captured"))
	}
	if amount < 1 {
		return
	}
	r := c.record("transfer", c.newPaymentID("tr_", from.String("payment_intent")))
	o := r.object().Set("amount", amount).Set("currency", txn.object().String("currency")).Set("destination", data.String("destination"))
	o.Set("source_transaction", ch.id).Set("transfer_group", from.Get("transfer_group")).Set("metadata", map[string]string{})
	if intent := c.byID[from.String("payment_intent")]; intent != nil {
		if said := intent.object().Sub("transfer_data"); said != nil {
			o.Set("description", said.Get("description")).Set("metadata", cloned(said.Map("metadata")))
		}
	}
	c.send(r, c.of(data.String("destination")), ch, c.availableWith(ch))
	c.insert(r)
	c.emit("transfer.created", r)
	from.Set("transfer", r.id)
}

// partnered says whether an account is still there to be sent money.
func (c *call) partnered(account string) bool {
	to := c.realmOf(account)
	return to != nil && to.standing().granted()
}

func cloned(m map[string]string) map[string]string {
	all := make(map[string]string, len(m))
	for key, value := range m {
		all[key] = value
	}
	return all
}

// send moves the money of a transfer out of this account and into another, where it is a payment. Of what came by a charge the platform
// takes its fee there.
func (c *call) send(r *record, to *call, ch *record, on time.Time) {
	o := r.object().Set("source_type", "card")
	txn := c.book(r, "transfer", "transfer", -o.Int("amount"), 0, on)
	if description := o.String("description"); description != "" {
		txn.object().Set("description", description)
	}
	o.Set("balance_transaction", txn.id)
	payment := to.receive(c, r, ch, on)
	o.Set("destination_payment", payment.id)
	c.showReversals(r)
}

// receive makes the payment that a transfer is for the account that gets it. The two are booked on the same day.
func (c *call) receive(from *call, transfer, ch *record, on time.Time) *record {
	r := c.record("charge", c.newID("py_"))
	of := transfer.object()
	amount, currency := of.Int("amount"), of.String("currency")
	o := r.object().Set("amount", amount).Set("amount_captured", amount).Set("currency", currency).Set("captured", true).Set("paid", true).Set("status", "succeeded")
	o.Set("source_transfer", transfer.id).Set("metadata", map[string]string{}).Set("fraud_details", spec.New("charge_fraud_details"))
	o.Set("billing_details", spec.New("billing_details")).Set("description", of.Get("description"))
	o.Set("payment_method_details", spec.New("payment_method_details").Set("type", "stripe_account").Set("stripe_account", spec.New("payment_method_details_stripe_account")))
	fee := from.feeOf(ch, amount)
	share, _ := exchanged(fee, currency, c.settlesIn(currency), chargeRate)
	txn := c.bookShared(r, "payment", "charge", amount, 0, share, on)
	if description := of.String("description"); description != "" {
		txn.object().Set("description", description)
	}
	o.Set("balance_transaction", txn.id)
	c.insert(r)
	if fee > 0 {
		c.takeFee(r, ch, fee, on)
	}
	c.emit("payment.created", r)
	return r
}

// feeOf is the platform's fee of a payment with a destination, in the currency that the payment has settled in, in which it has come to
// an amount. Of a direct charge whose destination is the platform it has taken its fee already.
func (c *call) feeOf(ch *record, amount int64) int64 {
	if ch == nil || !c.isPlatform() {
		return 0
	}
	return shareOf(amount, ch.object().Int("application_fee_amount"), ch.object().Int("amount_captured"))
}
