package sandbox

import (
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Times of a payout's life. Stripe says of the test mode only that payouts go through quickly.
const (
	submittedAfter  = time.Minute     // to the bank: until then it can be canceled
	paidAfter       = 2 * time.Minute // or failed
	reconciledAfter = 5 * time.Minute // when the list of what an automatic payout has paid out is ready
)

var payouts = &resource{
	Object:    "payout",
	Path:      "/v1/payouts",
	Prefix:    "po_",
	Plain:     []string{"description", "statement_descriptor"},
	Takes:     []string{"amount", "currency", "destination", "method", "source_type"},
	Create:    createPayout,
	Made:      sendPayout,
	Update:    none,
	Announces: []string{"created", "updated"},
	Filters:   []string{"destination", "status"},
	Matches: map[string]func(*call, *record) bool{"arrival_date": func(c *call, r *record) bool {
		return inRange(c.params, "arrival_date", r.number("arrival_date"))
	}},
	Verbs: verbs{"cancel": cancelPayout},
	Others: map[string]func(*call) (appender, error){
		"POST /v1/payouts/x_1/reverse": reversePayout,
	},
	Due: map[string]func(*call, *record, string){
		"submit":    func(c *call, r *record, _ string) { c.submitPayout(r) },
		"decide":    func(c *call, r *record, _ string) { c.decidePayout(r) },
		"reconcile": func(c *call, r *record, _ string) { c.reconcilePayout(r) },
	},
	Private: func() any { return new(payoutPeriod) },
}

// insufficientBalance is Stripe's refusal to pay out, or to transfer, more than is available.
func insufficientBalance() error {
	return refused("balance_insufficient", "", "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low.  You can use the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance).")
}

func createPayout(c *call, r *record) error {
	currency, err := readCurrency(c.params.String("currency"))
	if err != nil {
		return err
	}
	amount := c.params.Int("amount")
	if err := c.checkPayout(amount, currency.Lower()); err != nil {
		return err
	}
	to, err := c.destination(currency.Lower())
	if err != nil {
		return err
	}
	method, fee, levied := "standard", int64(0), int64(0)
	if c.params.String("method") == "instant" {
		method, fee = "instant", instantFee(amount, currency.Lower())
		if err := c.checkInstant(to, amount, currency); err != nil {
			return err
		}
	}
	if c.platformPaysInstant() {
		fee, levied = 0, fee
	}
	if amount+fee > c.books().in(currency.Lower()).Available {
		return insufficientBalance()
	}
	c.describePayout(r, to, amount, currency.Lower(), method)
	if r.object().String("statement_descriptor") == "" && c.standing().Descriptor != "" {
		r.object().Set("statement_descriptor", c.standing().Descriptor)
	}
	c.bookPayout(r, fee)
	c.levy(levied, currency.Lower(), instantOfOthers, c.now())
	return nil
}

// checkPayout refuses an amount that is not paid out, and an account that is not.
func (c *call) checkPayout(amount int64, currency string) error {
	step := payoutStep(currency)
	switch {
	case amount < 1:
		return invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case amount%step != 0:
		return invalid("parameter_invalid_integer", "amount", "Invalid amount: a payout in %s must be divisible by %d.", currency, step)
	case !c.mayPayOut():
		return refused("payouts_not_allowed", "", "Payouts have been disabled on the account %s. Check its status to see if any additional information needs to be provided, or if payouts have been disabled for another reason.", c.account)
	case c.params.Has("source_type") && c.params.String("source_type") != "card":
		return insufficientBalance() // this account has no money of other sources
	}
	return nil
}

// describePayout fills in what every payout shows at its beginning.
func (c *call) describePayout(r, to *record, amount int64, currency, method string) {
	arrival := nextMidnight(c.now())
	if method == "instant" {
		arrival = c.now()
	}
	o := r.object().Set("amount", amount).Set("currency", currency).Set("arrival_date", arrival.Unix()).Set("automatic", false)
	o.Set("destination", to.id).Set("type", to.resource.Object).Set("method", method).Set("source_type", "card").Set("status", "pending")
	o.Set("reconciliation_status", "not_applicable").Set("trace_id", spec.New("payouts_trace_id").Set("status", "pending"))
	if o.Get("metadata") == nil {
		o.Set("metadata", map[string]string{})
	}
}

// instantOfOthers is what fees are called that a platform pays for instant payouts of its accounts.
const instantOfOthers = "Instant payout fees of connected accounts"

// bookPayout takes a payout, and its fee, out of the balance.
func (c *call) bookPayout(r *record, fee int64) {
	txn := c.book(r, "payout", "payout", -r.object().Int("amount"), fee, c.now())
	txn.object().Set("description", "STRIPE PAYOUT")
	r.object().Set("balance_transaction", txn.id)
}

func sendPayout(c *call, r *record) error {
	c.in(submittedAfter, "payout.submit", r)
	c.in(paidAfter, "payout.decide", r)
	return nil
}

func nextMidnight(now time.Time) time.Time { return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1) }

// payoutStep is what amounts of payouts are multiples of: two currencies that are charged in hundredths are paid out in whole units
// (docs.stripe.com/currencies).
func payoutStep(currency string) int64 {
	if currency == "huf" || currency == "twd" {
		return 100
	}
	return currencyCalled(currency).Step()
}

// destination is the external account that a payout names, or the default one of its currency.
func (c *call) destination(currency string) (*record, error) {
	if id := c.params.String("destination"); id != "" {
		to, err := c.external(id)
		if err != nil {
			return nil, missingIn("destination", "external account", id)
		}
		if of := to.text("currency"); of != currency {
			return nil, invalid("", "currency", "The currency of the payout (%s) is not that of the external account %s (%s).", currency, id, of)
		}
		return to, c.usable(to)
	}
	to := c.payoutAccount(currency)
	if to == nil {
		return nil, refused("", "currency", "Sorry, you don't have any external accounts in that currency (%s)", currency)
	}
	return to, c.usable(to)
}

// usable refuses an external account to which a payout has failed, until it is updated.
func (c *call) usable(to *record) error {
	if to.text("status") == "errored" {
		return refused("bank_account_unusable", "destination", "The bank account provided cannot be used for payouts. A different bank account must be used.")
	}
	return nil
}

// submitPayout hands a payout to the bank.
func (c *call) submitPayout(r *record) {
	if r.object().String("status") != "pending" {
		return
	}
	before := r.object().Clone()
	r.object().Set("status", "in_transit")
	c.emitUpdated("payout.updated", r, before)
}

// decidePayout ends a payout as the number of its external account wants it.
func (c *call) decidePayout(r *record) {
	o := r.object()
	if o.String("status") != "in_transit" {
		return
	}
	if why := c.payoutFailure(r); why != "" {
		c.failPayout(r, why)
		return
	}
	o.Set("status", "paid").Set("trace_id", o.Sub("trace_id").Set("status", "unsupported")) // no bank has seen it
	c.emit("payout.paid", r)
}

// payoutFailure is the failure code that the number of the destination stands for; empty is success.
func (c *call) payoutFailure(r *record) string {
	to := c.byID[r.object().String("destination")]
	if to == nil {
		return "no_account"
	}
	number := known[bank](to).Number
	if number == instantOnlyFails && r.object().String("method") == "instant" {
		return "could_not_process"
	}
	return failingBanks[number]
}

// failPayout returns the money of a payout, fee and all. Its external account gets no more automatic payouts until it is updated.
func (c *call) failPayout(r *record, code string) {
	c.returnPayout(r, "payout_failure")
	o := r.object().Set("status", "failed").Set("failure_code", code).Set("failure_message", failureMessages[code])
	o.Set("trace_id", o.Sub("trace_id").Set("status", "unsupported"))
	c.emit("payout.failed", r)
	if to := c.byID[o.String("destination")]; to != nil && !to.gone {
		before := to.object().Clone()
		to.object().Set("status", "errored")
		c.emitUpdated("account.external_account.updated", to, before)
	}
}

// returnPayout books the money of a payout back.
func (c *call) returnPayout(r *record, kind string) {
	fee := int64(0)
	if paid := c.byID[r.object().String("balance_transaction")]; paid != nil {
		fee = paid.object().Int("fee")
	}
	if o := r.object(); o.String("method") == "instant" && c.platformPaysInstant() {
		c.levy(-instantFee(o.Int("amount"), o.String("currency")), o.String("currency"), instantOfOthers, c.now())
	}
	txn := c.book(r, kind, "payout_reversal", r.object().Int("amount"), -fee, c.now())
	txn.object().Set("description", map[string]string{"payout_failure": "STRIPE PAYOUT FAILURE", "payout_cancel": "STRIPE PAYOUT CANCEL"}[kind])
	r.object().Set("failure_balance_transaction", txn.id)
	if first := c.find("payout", r.object().String("original_payout")); first != nil {
		before := first.object().Clone()
		first.object().Set("reversed_by", nil) // the reversal is not to be
		c.emitUpdated("payout.updated", first, before)
	}
}

func cancelPayout(c *call, r *record) error {
	o := r.object()
	switch status := o.String("status"); {
	case o.Bool("automatic"):
		return refused("", "", "Payout %s is automatic and cannot be canceled.", r.id)
	case status != "pending":
		return refused("", "", "Payout %s cannot be canceled because it has a status of %s. Only a pending payout can be canceled.", r.id, status)
	}
	c.returnPayout(r, "payout_cancel")
	o.Set("status", "canceled").Set("trace_id", o.Sub("trace_id").Set("status", "unsupported"))
	c.emit("payout.canceled", r)
	return nil
}

// reversiblePayouts are the countries of the banks from which Stripe takes a payout back.
var reversiblePayouts = map[string]bool{"US": true, "CA": true}

// reversePayout takes a payout back from the bank: a payout of a negative amount that answers in the place of the first.
func reversePayout(c *call) (appender, error) {
	first, err := c.named("payout")
	if err != nil {
		return nil, err
	}
	o := first.object()
	to := c.byID[o.String("destination")]
	switch status := o.String("status"); {
	case o.String("reversed_by") != "":
		return nil, refused("", "", "Payout %s has already been reversed.", first.id)
	case o.Int("amount") < 0:
		return nil, refused("", "", "Payout %s debits your bank account and cannot be reversed.", first.id)
	case status == "pending" && !o.Bool("automatic"):
		return nil, refused("", "", "Payout %s is manual and has a status of pending. Cancel it instead.", first.id)
	case status != "paid" && status != "in_transit" && status != "pending":
		return nil, refused("", "", "Payout %s cannot be reversed because it has a status of %s.", first.id, status)
	case to == nil || to.gone || to.resource.Object != "bank_account" || !reversiblePayouts[to.text("country")]:
		return nil, refused("", "", "Payout %s cannot be reversed: only payouts to US and Canadian bank accounts can be.", first.id)
	}
	r := c.newRecord(kinds["payout"])
	if err := c.fill(r); err != nil {
		return nil, err
	}
	c.describePayout(r, to, -o.Int("amount"), o.String("currency"), "standard")
	r.object().Set("original_payout", first.id)
	c.bookPayout(r, 0)
	c.insert(r)
	c.emit("payout.created", r)
	before := o.Clone()
	first.object().Set("reversed_by", r.id)
	c.emitUpdated("payout.updated", first, before)
	if err := sendPayout(c, r); err != nil {
		return nil, err
	}
	return c.show(r)
}
