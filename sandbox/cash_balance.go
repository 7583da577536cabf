package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// purse is the money that Stripe holds for a customer. It belongs to no account's balance until it pays for something.
type purse struct {
	Available map[string]int64 // by currency, in minor units
	Since     map[string]int64 // when there began to be some, in seconds since 1970
}

// cashBalances are made when they are first needed; until then a customer's is empty.
var cashBalances = &resource{
	Object: "cash_balance",
	Path:   singleton,
	Takes:  []string{"settings"},
	Others: map[string]func(*call) (appender, error){
		"GET /v1/customers/x_1/cash_balance":                        showCashBalance,
		"POST /v1/customers/x_1/cash_balance":                       updateCashBalance,
		"POST /v1/customers/x_1/funding_instructions":               fundingInstructions,
		"POST /v1/test_helpers/customers/x_1/fund_cash_balance":     fundCashBalance,
		"GET /v1/customers/x_1/cash_balance_transactions":           listCashTransactions,
		"GET /v1/customers/x_1/cash_balance_transactions/ccsbtxn_1": showCashTransaction,
	},
	Due:     map[string]func(*call, *record, string){"sweep": (*call).sweepCash},
	Private: func() any { return new(purse) },
}

// cashTransactions are every movement of the money in cash balances.
var cashTransactions = &resource{
	Object: "customer_cash_balance_transaction",
	Path:   singleton,
	Prefix: "ccsbtxn_",
	Index:  []string{"customer"},
}

// sweptAfter is how long Stripe holds money that nothing has used before it goes to the account
// (docs.stripe.com/payments/customer-balance/reconciliation; the attempt to return it after 75 days knows no bank account here).
const sweptAfter = 90 * 24 * time.Hour

// cashID is the id of the record that is a customer's cash balance; Stripe shows none.
func cashID(customer string) string { return "cash_balance of " + customer }

// cashBalance is a customer's, or a new and empty one that is not stored.
func (c *call) cashBalance(customer string) *record {
	if r := c.find("cash_balance", cashID(customer)); r != nil {
		return r
	}
	r := &record{realm: c.realm, resource: kinds["cash_balance"], id: cashID(customer), created: c.now().Unix(), working: spec.New("cash_balance"), hidden: &purse{}}
	r.object().Set("customer", customer)
	return r.reconcileBy("merchant_default")
}

// keepCash stores a cash balance that is new.
func (c *call) keepCash(r *record) *record {
	if c.byID[r.id] == nil {
		c.insert(r)
	}
	return r
}

// reconcileBy sets how money that comes is used. The merchant's default is automatic.
func (r *record) reconcileBy(mode string) *record {
	o := spec.New("customer_balance_customer_balance_settings").Set("reconciliation_mode", mode).Set("using_merchant_default", false)
	if mode == "merchant_default" {
		o.Set("reconciliation_mode", "automatic").Set("using_merchant_default", true)
	}
	r.object().Set("settings", o)
	return r
}

// setReconciliation takes a new mode from a cash_balance or settings parameter, if there is one.
func (c *call) setReconciliation(customer string, path ...string) {
	mode := c.params.String(append(path, "settings", "reconciliation_mode")...)
	if mode == "" {
		return
	}
	r := c.keepCash(c.cashBalance(customer)).reconcileBy(mode)
	for _, currency := range slices.Sorted(maps.Keys(known[purse](r).Available)) {
		c.reconcile(customer, currency, "")
	}
}

func showCashBalance(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	return c.show(c.cashBalance(customer.id))
}

func updateCashBalance(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	c.setReconciliation(customer.id)
	return c.show(c.cashBalance(customer.id))
}

// holdsCash says whether Stripe holds money for a customer.
func (c *call) holdsCash(customer string) bool {
	r := c.find("cash_balance", cashID(customer))
	if r == nil {
		return false
	}
	for _, amount := range known[purse](r).Available {
		if amount > 0 {
			return true
		}
	}
	return false
}

// moveCash adds to a customer's cash balance, or takes from it, and announces the movement, of which tell says the rest.
func (c *call) moveCash(customer, currency, kind string, amount int64, tell func(txn *record)) *record {
	r := c.keepCash(c.cashBalance(customer))
	p := private[purse](r)
	if p.Available == nil {
		p.Available, p.Since = map[string]int64{}, map[string]int64{}
	}
	if p.Available[currency] == 0 && amount > 0 {
		now := c.now()
		p.Since[currency] = now.Unix()
		c.at(now.Add(sweptAfter), "cash_balance.sweep", r, currency+" "+strconv.FormatInt(now.Unix(), 10))
	}
	p.Available[currency] += amount
	r.object().Set("available", maps.Clone(p.Available))
	txn := c.record("customer_cash_balance_transaction", c.newID(cashTransactions.Prefix))
	txn.object().Set("currency", currency).Set("customer", customer).Set("type", kind).Set("net_amount", amount).Set("ending_balance", p.Available[currency])
	tell(txn)
	c.insert(txn)
	c.emit("customer_cash_balance_transaction.created", txn)
	return txn
}

// fundCashBalance plays a bank transfer that comes in.
func fundCashBalance(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	t, err := checkTransferCurrency(c.params.String("currency"))
	if err != nil {
		return nil, err
	}
	amount, most := c.params.Int("amount"), currencyCalled(t.currency).MaxCharge()
	switch {
	case amount < 1:
		return nil, invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case amount > most:
		return nil, invalid("amount_too_large", "amount", "Amount must be no more than %s", display(most, currencyCalled(t.currency)))
	}
	txn := c.receiveTransfer(customer.id, t, amount, c.params.String("reference"))
	return c.show(txn)
}

// receiveTransfer takes money in and uses it as the customer's settings say; what remains is announced.
func (c *call) receiveTransfer(customer string, t *bankTransfer, amount int64, reference string) *record {
	txn := c.moveCash(customer, t.currency, "funded", amount, func(txn *record) {
		txn.object().Set("funded", spec.New("customer_balance_resource_cash_balance_transaction_resource_funded_transaction").Set("bank_transfer", t.received(reference)))
	})
	c.useCash(customer, t.currency, reference)
	return txn
}

// sweepCash moves to the account's own balance what has been lying in a cash balance for too long.
func (c *call) sweepCash(r *record, detail string) {
	currency, since, _ := strings.Cut(detail, " ")
	p := private[purse](r)
	amount := p.Available[currency]
	if amount <= 0 || strconv.FormatInt(p.Since[currency], 10) != since {
		return // it was used meanwhile
	}
	c.moveCash(r.object().String("customer"), currency, "transferred_to_balance", -amount, func(txn *record) {
		// Stripe's types have no other for a source that is no payment (unconfirmed).
		booked := c.book(txn, "payment_unreconciled", "unreconciled_customer_funds", amount, 0, c.now())
		txn.object().Set("transferred_to_balance", spec.New("customer_balance_resource_cash_balance_transaction_resource_transferred_to_balance").Set("balance_transaction", booked.id))
	})
}

func listCashTransactions(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	return c.listOf("customer_cash_balance_transaction", "customer", customer.id, "/v1/customers/"+customer.id+"/cash_balance_transactions", func(*record) bool { return true })
}

func showCashTransaction(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	id := c.path[1].Value
	found := c.find("customer_cash_balance_transaction", id)
	if found == nil || found.text("customer") != customer.id {
		return nil, &apiError{status: http.StatusNotFound, kind: invalidRequest, code: "resource_missing", param: "transaction", message: "No such customer cash balance transaction: '" + id + "'"}
	}
	return c.show(found)
}
