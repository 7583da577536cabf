package sandbox

import (
	"time"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/sandbox/spec"
)

// toppedUpAfter is how long a top-up takes; Stripe says of the test mode only that it is quick.
const toppedUpAfter = time.Minute

var topups = &resource{
	Object:    "topup",
	Path:      "/v1/topups",
	Prefix:    "tu_",
	Noun:      "top-up",
	Plain:     []string{"description", "statement_descriptor", "transfer_group"},
	Takes:     []string{"amount", "currency", "source"},
	Create:    createTopup,
	Made:      func(c *call, r *record) error { c.in(toppedUpAfter, "topup.decide", r); return nil },
	Update:    none,
	Announces: []string{"created"},
	Filters:   []string{"status"},
	Matches:   map[string]func(*call, *record) bool{"amount": func(c *call, r *record) bool { return inRange(c.params, "amount", r.number("amount")) }},
	Verbs:     verbs{"cancel": cancelTopup},
	Due:       map[string]func(*call, *record, string){"decide": func(c *call, r *record, _ string) { c.decideTopup(r) }},
	Private:   func() any { return new(bank) },
}

func createTopup(c *call, r *record) error {
	currency, err := readCurrency(c.params.String("currency"))
	if err != nil {
		return err
	}
	amount := c.params.Int("amount")
	if amount < 1 {
		return invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	}
	if most := currency.MaxCharge(); amount > most {
		return invalid("amount_too_large", "amount", "Amount must be no more than %s", display(most, currency))
	}
	number, err := c.topupSource(currency)
	if err != nil {
		return err
	}
	r.hidden = &bank{Number: number}
	o := r.object().Set("amount", amount).Set("currency", currency.Lower()).Set("status", "pending")
	o.Set("expected_availability_date", c.now().Add(toppedUpAfter).Unix()).Set("source", c.debitSource(number, currency.Lower()))
	return nil
}

// topupSource is the number of the bank account that a top-up comes from: a test token's, or the account's own.
func (c *call) topupSource(currency money.Currency) (string, error) {
	if token := c.params.String("source"); token != "" {
		number, known := bankTokens[token]
		if !known {
			return "", missingIn("source", "token", token)
		}
		if currency != "USD" {
			return "", invalid("", "currency", "The currency of the source (usd) is not that of the top-up (%s).", currency.Lower())
		}
		return number, nil
	}
	from := c.payoutAccount(currency.Lower())
	if from == nil || from.resource.Object != "bank_account" {
		return "", refused("", "currency", "Sorry, you don't have any external accounts in that currency (%s)", currency.Lower())
	}
	return known[bank](from).Number, nil
}

// debitSource is a bank account as top-ups show it.
func (c *call) debitSource(number, currency string) *spec.Object {
	o := spec.New("source").Set("id", c.newID("src_")).Set("client_secret", "src_client_secret_"+c.letters(24)).Set("created", c.now().Unix())
	o.Set("currency", currency).Set("flow", "code_verification").Set("status", "chargeable").Set("type", "ach_debit").Set("usage", "reusable").Set("metadata", map[string]string{})
	o.Set("owner", spec.New("source_owner").Set("email", "owner@example.com").Set("name", "Sandbox")).Set("receiver", spec.Absent)
	o.Set("ach_debit", spec.New("source_type_ach_debit").Set("bank_name", "STRIPE TEST BANK").Set("country", "US").
		Set("fingerprint", c.fingerprint(number)).Set("last4", number[len(number)-4:]).Set("routing_number", testRouting).Set("type", "individual"))
	return o
}

// topupFailures are Stripe's words for the failure of a top-up; the codes are those of payouts.
var topupFailures = map[string]string{
	"no_account":           "The bank account could not be located.",
	"account_closed":       "The bank account has been closed.",
	"insufficient_funds":   "The bank account has insufficient funds to cover the top-up.",
	"debit_not_authorized": "Debit transactions are not approved on the bank account.",
	"invalid_currency":     "The bank was unable to process this top-up because of its currency.",
}

// decideTopup ends a top-up as the number of its bank account wants it.
func (c *call) decideTopup(r *record) {
	o := r.object()
	if o.String("status") != "pending" {
		return
	}
	if code := failingBanks[known[bank](r).Number]; code != "" {
		o.Set("status", "failed").Set("failure_code", code).Set("failure_message", topupFailures[code])
		c.emit("topup.failed", r)
		return
	}
	txn := c.book(r, "topup", "topup", o.Int("amount"), 0, c.now())
	if description := o.String("description"); description != "" {
		txn.object().Set("description", description)
	}
	o.Set("status", "succeeded").Set("balance_transaction", txn.id)
	c.emit("topup.succeeded", r)
}

func cancelTopup(c *call, r *record) error {
	if status := r.object().String("status"); status != "pending" {
		return refused("", "", "Top-up %s cannot be canceled because it has a status of %s. Only pending top-ups can be canceled.", r.id, status)
	}
	r.object().Set("status", "canceled")
	c.emit("topup.canceled", r)
	return nil
}
