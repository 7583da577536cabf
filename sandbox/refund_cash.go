package sandbox

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/till-pay/till/sandbox/spec"
)

// createCashRefund returns money of a customer's cash balance to the customer, which is no refund of any charge.
func (c *call) createCashRefund(r *record) error {
	for _, name := range []string{"charge", "payment_intent"} {
		if c.params.Has(name) {
			return exclusive(name, "origin", name)
		}
	}
	for _, name := range []string{"customer", "amount", "currency"} {
		if !c.params.Has(name) {
			return invalid("parameter_missing", name, "Missing required param: %s.", name)
		}
	}
	customer := c.params.String("customer")
	if c.find("customer", customer) == nil {
		return missingIn("customer", "customer", customer)
	}
	t, err := checkTransferCurrency(c.params.String("currency"))
	if err != nil {
		return err
	}
	amount, held := c.params.Int("amount"), known[purse](c.cashBalance(customer)).Available[t.currency]
	switch {
	case amount < 1:
		return invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case amount > held:
		return refused("", "amount", "Refund amount (%s) is greater than the customer's cash balance (%s)", display(amount, currencyCalled(t.currency)), display(held, currencyCalled(t.currency)))
	}
	email, err := c.refundEmail(customer, nil)
	if err != nil {
		return err
	}
	r.hidden = &sharedBack{}
	r.object().Set("amount", amount).Set("currency", t.currency).Set("customer", customer)
	c.ask(r, email, t.kind)
	return nil
}

// returnToCustomer takes the money of such a refund out of the cash balance; canceled brings it back.
func (c *call) returnToCustomer(r *record, kind string, sign int64) {
	o := r.object()
	c.moveCash(o.String("customer"), o.String("currency"), kind, sign*o.Int("amount"), func(*record) {})
}

// refundToCash plays the Dashboard, where a bank transfer's payment can be refunded to the customer's cash balance, at once:
// POST /_sandbox/refunds/cash.
func refundToCash(w *realm, _ *http.Request, body []byte) (any, error) {
	var of struct {
		Charge string `json:"charge"`
		Amount int64  `json:"amount"` // 0 is all that is left
	}
	if err := readControl(body, &of); err != nil {
		return nil, err
	}
	var refund string
	var refusal error
	failed := w.step(func() { refund, refusal = w.own().refundToCash(of.Charge, of.Amount) })
	if refusal == nil {
		refusal = failed
	}
	return map[string]string{"refund": refund}, refusal
}

func (c *call) refundToCash(charge string, amount int64) (string, error) {
	ch := c.find("charge", charge)
	if ch == nil {
		return "", &errControl{http.StatusNotFound, "No such charge: '" + charge + "'."}
	}
	if k := chargeKindOf(ch); k != &customerBalance {
		return "", badControl("The charge " + charge + " was not paid by bank transfer.")
	}
	form := url.Values{"charge": {charge}}
	if amount > 0 {
		form.Set("amount", strconv.FormatInt(amount, 10))
	}
	op, _, _ := spec.Match("POST", "/v1/refunds")
	params, bad := op.Decode(form.Encode())
	if bad != nil {
		return "", badControl(bad.Message)
	}
	c.op, c.params, c.toCash = op, params, true
	made, err := kinds["refund"].create(c)
	if err != nil {
		return "", badControl(asAPIError(err).message)
	}
	return made.(*record).id, nil
}

// receiveRefund puts a refund into the customer's cash balance.
func (c *call) receiveRefund(r *record) {
	o := r.object()
	customer, currency := o.String("customer"), o.String("currency")
	c.moveCash(customer, currency, "refunded_from_payment", o.Int("amount"), func(txn *record) {
		txn.object().Set("refunded_from_payment", spec.New("customer_balance_resource_cash_balance_transaction_resource_refunded_from_payment_transaction").Set("refund", r.id))
	})
	c.useCash(customer, currency, "")
}

// RefundToCash plays the Dashboard, where a payment by bank transfer can be refunded to the customer's cash balance. An amount of 0 is all that
// is left of it. It gives the refund's id.
func (w *World) RefundToCash(charge string, amount int64) (refund string) {
	w.t.Helper()
	var made struct {
		Refund string `json:"refund"`
	}
	w.Control(http.MethodPost, "/_sandbox/refunds/cash", map[string]any{"charge": charge, "amount": amount}, &made)
	return made.Refund
}
