package sandbox

import (
	"strings"
	"sync"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// debitAccount is a test account of a bank: its number, by which Stripe's test mode decides what becomes of debits.
type debitAccount struct {
	number string // an IBAN, or what else the kind knows an account by
	names  string // of its test payment methods, separated by spaces
	does   debit
}

// debit is what becomes of the debits of a test account. The zero value pays.
type debit struct {
	fails    string // failure_code of the charge; empty is success
	slow     bool   // it takes at least three minutes
	stuck    bool   // it stays processing
	disputed string // reason of the dispute that follows a success; empty is none
	refused  string // one of debitRefusals, at confirmation; empty is none
	blocked  bool   // Radar stops it
	mandate  string // what becomes of its mandate: refused; empty is acceptance
	unusable string // error code with which making a payment method of it is refused; empty is none
	noSetUp  bool   // setting it up fails
	deposits string // what becomes of its microdeposits: failed; empty is that they arrive
}

// Times of a debit's life in test mode: "settles instantly", and "at least three minutes" (docs.stripe.com/testing#non-card-payments).
const (
	debitedAfter   = 2 * time.Second
	slowDebitAfter = 3 * time.Minute
)

// debitTables finds the test accounts of a kind by number and by name. They are made on first use, so that starting costs nothing.
var debitTables = sync.OnceValue(func() map[string]debitTable {
	all := map[string]debitTable{}
	for kind, rows := range map[string][]debitAccount{"au_becs_debit": becsAccounts, "bacs_debit": bacsAccounts, "sepa_debit": sepaAccounts(), "us_bank_account": achAccounts} {
		t := debitTable{map[string]*debitAccount{}, map[string]*debitAccount{}}
		for i := range rows {
			t.numbers[rows[i].number] = &rows[i]
			for _, name := range strings.Fields(rows[i].names) {
				t.names[name] = &rows[i]
			}
		}
		all[kind] = t
	}
	return all
})

type debitTable struct{ numbers, names map[string]*debitAccount }

func debitAccounts(kind string) map[string]*debitAccount { return debitTables()[kind].numbers }
func debitNames(kind string) map[string]*debitAccount    { return debitTables()[kind].names }

// debitOf is what becomes of the debits of a payment method.
func debitOf(method *record) debit {
	if row := debitAccounts(method.text("type"))[known[instrument](method).Number]; row != nil {
		return row.does
	}
	return debit{}
}

// debitConduct is what the bank accounts of a kind do beyond paying.
func debitConduct(kind string) func(in *instrument) behaviour {
	return func(in *instrument) behaviour {
		row := debitAccounts(kind)[in.Number]
		switch {
		case row == nil:
			return behaviour{}
		case row.does.disputed != "":
			return behaviour{claims: []claim{{reason: row.does.disputed, final: true}}}
		default:
			return behaviour{blocked: row.does.blocked}
		}
	}
}

// namedDebit makes a payment method of the test account of a name. Its holder has shown that it is theirs, where that can be shown.
func namedDebit(kind string, fill func(c *call, r *record, number string)) func(c *call, r *record, name string) bool {
	return func(c *call, r *record, name string) bool {
		row := debitNames(kind)[name]
		if row == nil {
			return false
		}
		holder := r.object().Sub("billing_details").Set("name", testHolder).Set("email", testHolderEmail)
		for _, need := range methodKinds[kind].needs {
			if need == "address" {
				holder.Sub("address").Set("line1", "1 Test Street").Set("city", "London").Set("postal_code", "SW1A 1AA").Set("country", "GB")
			}
		}
		fill(c, r, row.number)
		private[instrument](r).Verified = row.does.deposits == ""
		return true
	}
}

// The holder that test payment methods of banks have; Stripe does not publish the one of its own.
const (
	testHolder      = "Jenny Rosen"
	testHolderEmail = "jenny.rosen@example.com"
)

// checkDebit refuses to debit an account, or to set it up, that may not be debited, or without its holder's mandate.
func checkDebit(c *call, r, method *record) error {
	if blocked := private[instrument](method).Blocked; blocked != "" {
		return refused("payment_method_bank_account_blocked", "payment_method", "This bank account cannot be debited: %s. It has to be unblocked, or another payment method used.", blockedBecause[blocked])
	}
	kind := method.object().String("type")
	switch {
	case r.object().At("payment_method_options", kind, "target_date") != nil:
		return unbuilt("the parameter payment_method_options[%s][target_date]", kind)
	case kind == "us_bank_account" && c.verification(r) == "instant" && !private[instrument](method).Verified:
		return unbuilt("the verification of bank accounts by Financial Connections (verification_method=instant)")
	}
	return c.checkMandate(r, method)
}

// payDebit goes on with a confirmed payment from a bank account.
func payDebit(c *call, r, method *record) error {
	does := debitOf(method)
	switch {
	case does.blocked:
		return c.failPayment(r, method, debitRefusals["blocked"], nil)
	case does.refused != "":
		return c.failPayment(r, method, debitRefusals[does.refused], nil)
	}
	private[intent](r).Mandate = c.takeMandate(r, method).id
	if c.needsDeposits(r, method) {
		c.sendMicrodeposits(r, method)
		return nil
	}
	c.debit(r, method)
	return nil
}

// debit sends a debit to the bank.
func (c *call) debit(r, method *record) {
	does := debitOf(method)
	ch := c.pend(r, method)
	failure := does.fails
	if does.mandate == mandateRefused {
		failure = "debit_not_authorized"
	}
	switch {
	case does.stuck:
	case failure != "":
		c.at(c.debited(methodKindOf(method), does, true), "charge.bounce", ch, failure)
	default:
		c.at(c.debited(methodKindOf(method), does, false), "charge.clear", ch)
	}
}

// setUpDebit makes a bank account ready for later debits.
func setUpDebit(c *call, r, method *record) error {
	if debitOf(method).noSetUp {
		return c.failSetup(r, method, refused("setup_attempt_failed", "", "The account number of the customer's bank account is invalid."))
	}
	mandate := c.takeMandate(r, method)
	private[intent](r).Mandate = mandate.id
	if c.needsDeposits(r, method) {
		c.attempt(r, method, requiresAction)
		c.sendMicrodeposits(r, method)
		return nil
	}
	r.object().Set("mandate", mandate.id)
	return c.finishSetup(r, method, nil)
}

// endedDebit draws the consequences of what a bank has said to a debit.
func endedDebit(c *call, ch *record, failure string) {
	details := ch.object().Sub("payment_method_details")
	mandate := c.find("mandate", details.Sub(details.String("type")).String("mandate"))
	if mandate != nil && (mandateEnding[failure] || mandate.object().String("type") == "single_use") {
		c.endMandate(mandate, failure)
	}
	method := c.find("payment_method", ch.object().String("payment_method"))
	if of := details.Sub("us_bank_account"); of != nil && failure == "" {
		of.Set("payment_reference", "0910000"+c.digits(8))
	}
	if method != nil && failure != "" {
		c.blockAccount(method, failure)
	}
}

// disputedDebit draws the consequences of a dispute: the mandate is over, and an account that disputes more than one debit is blocked
// (docs.stripe.com/payments/ach-direct-debit/accept-a-payment#resolving-disputes).
func disputedDebit(c *call, ch *record, reason string) {
	details := ch.object().Sub("payment_method_details")
	if mandate := c.find("mandate", details.Sub(details.String("type")).String("mandate")); mandate != nil {
		c.endMandate(mandate, "debit_not_authorized")
	}
	method := c.find("payment_method", ch.object().String("payment_method"))
	if method == nil {
		return
	}
	in := private[instrument](method)
	if in.Disputed && reason == "debit_not_authorized" {
		c.blockAccount(method, reason)
	}
	in.Disputed = true
}

// blockAccount lets no more debits of an account in the United States be made that its bank has returned for good, as Nacha's rules want it
// (docs.stripe.com/payments/ach-direct-debit/blocked-bank-accounts).
func (c *call) blockAccount(method *record, failure string) {
	reason, code := blockReasons[failure].reason, blockReasons[failure].code
	if method.object().String("type") != "us_bank_account" || reason == "" {
		return
	}
	private[instrument](method).Blocked = reason
	blocked := spec.New("payment_method_us_bank_account_blocked").Set("reason", reason).Set("network_code", code)
	method.object().Sub("us_bank_account").Set("status_details", spec.New("payment_method_us_bank_account_status_details").Set("blocked", blocked))
}

// compact is a number as it is written without spaces and dashes, in capitals.
func compact(number string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(number))
}

// digitsOnly says whether text is so many digits.
func digitsOnly(text string, n int) bool {
	return len(text) == n && strings.Trim(text, "0123456789") == ""
}
