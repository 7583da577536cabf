package sandbox

import (
	"strings"
	"time"
)

// debitAccount is a test account of a bank: its number, by which Stripe's test mode decides what becomes of debits.
type debitAccount struct {
	number string // as Stripe shows it in its documentation
	names  string // of its test payment methods, separated by spaces
	does   debit
}

// debit is what becomes of the debits of a test account. The zero value pays.
type debit struct {
	fails    string // failure_code of the charge; empty is success
	slow     bool   // it takes at least three minutes
	stuck    bool   // it stays processing
	disputed string // reason of the dispute that follows a success; empty is none
	refused  string // code of the refusal at confirmation; empty is none
}

// Times of a debit's life in test mode: "settles instantly", and "at least three minutes" (docs.stripe.com/testing#non-card-payments).
const (
	debitedAfter     = 2 * time.Second
	slowDebitAfter   = 3 * time.Minute
	debitDisputedFor = "fraudulent"
)

// payDebit begins the debit of a bank account.
func (c *call) payDebit(r, method *record) error {
	does := debitOf(method)
	if does.refused != "" {
		return c.failPayment(r, method, debitRefusals[does.refused], nil)
	}
	ch := c.pend(r, method)
	if does.stuck {
		return nil
	}
	wait := debitedAfter
	if does.slow {
		wait = slowDebitAfter
	}
	if does.fails != "" {
		c.in(wait, "charge.bounce", ch, does.fails)
	} else {
		c.in(wait, "charge.clear", ch)
	}
	return nil
}

// debitRefusals are the refusals of debits that are never sent to a bank.
var debitRefusals = map[string]*decline{
	"charge_exceeds_source_limit": {code: "charge_exceeds_source_limit",
		message: "This payment exceeds the weekly volume limit for this customer's bank account."},
	"charge_exceeds_weekly_limit": {code: "charge_exceeds_weekly_limit",
		message: "This payment exceeds the weekly transaction limit for this customer's bank account."},
	"charge_exceeds_transaction_limit": {code: "charge_exceeds_transaction_limit",
		message: "This payment exceeds the transaction limit of your account."},
}

// debitOf is what becomes of the debits of a payment method.
func debitOf(method *record) debit {
	in := known[instrument](method)
	if row := debitAccounts(methodKindOf(method).name)[in.Number]; row != nil {
		return row.does
	}
	return debit{}
}

// debitConduct is what a bank account does beyond paying.
func debitConduct(kind string) func(in *instrument) behaviour {
	return func(in *instrument) behaviour {
		row := debitAccounts(kind)[in.Number]
		if row == nil || row.does.disputed == "" {
			return behaviour{}
		}
		return behaviour{claims: []claim{{reason: row.does.disputed, final: true}}}
	}
}

// compact is a number as it is written without spaces and dashes, in capitals.
func compact(number string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(number))
}
