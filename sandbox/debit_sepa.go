package sandbox

import (
	"strings"
	"sync"

	"github.com/till-pay/till/sandbox/spec"
)

// sepaDebit are debits of accounts in the Single Euro Payments Area (docs.stripe.com/payments/sepa-debit).
var sepaDebit = methodKind{
	name:       "sepa_debit",
	test:       "pm_sepaDebit_",
	currencies: []string{"eur"},
	needs:      []string{"name", "email"},
	reusable:   true,
	settles:    delay{7, true, "docs.stripe.com/payments/sepa-debit: five business days, and two more until funds are available; unconfirmed"},
	price: []methodPrice{
		{"", "2024-01-01", "eur", 0, 35, 0, 0, 350, 750, publishedPrice},
		{"US", "2024-01-01", "usd", 80, 30, 0, 600, 0, 1000, publishedPrice},
	},
	refunds: refundTerms{within: 180, slow: true, to: "eu_bank_transfer", source: "docs.stripe.com/payments/sepa-debit#refunds"},
	read:    readSEPA,
	named:   namedSEPA,
	pay:     (*call).payDebit,
	does:    debitConduct("sepa_debit"),
}

func readSEPA(c *call, r *record, p *spec.Params) error {
	if p == nil || !p.Has("iban") {
		return invalid("parameter_missing", "sepa_debit[iban]", "Missing required param: sepa_debit[iban].")
	}
	iban := compact(p.String("iban"))
	if !validIBAN(iban) {
		return invalid("invalid_number", "sepa_debit[iban]", "The IBAN you entered is invalid.")
	}
	if debitAccounts("sepa_debit")[iban] == nil {
		return liveAccount("sepa_debit[iban]")
	}
	c.fillSEPA(r, iban)
	return nil
}

// liveAccount refuses the number of an account that may be a real one.
func liveAccount(param string) error {
	return invalid("payment_method_invalid_parameter_testmode", param, "You cannot use a live bank account number in test mode. For a list of test account numbers, visit: https://stripe.com/docs/testing.")
}

func namedSEPA(c *call, r *record, name string) bool {
	row := debitNames("sepa_debit")[name]
	if row == nil {
		return false
	}
	r.object().Sub("billing_details").Set("name", testHolder).Set("email", testHolderEmail)
	c.fillSEPA(r, row.number)
	return true
}

// The holder that test payment methods of banks have.
const (
	testHolder      = "Jenny Rosen"
	testHolderEmail = "jenny.rosen@example.com"
)

// fillSEPA writes an account into a payment method.
func (c *call) fillSEPA(r *record, iban string) {
	bank, branch := ibanCodes(iban)
	r.hidden = &instrument{Number: iban}
	o := r.object().Sub("sepa_debit").Set("country", iban[:2]).Set("last4", iban[len(iban)-4:]).Set("fingerprint", c.fingerprint(iban))
	if bank != "" {
		o.Set("bank_code", bank)
	}
	if branch != "" {
		o.Set("branch_code", branch)
	}
	o.Set("generated_from", spec.New("sepa_debit_generated_from"))
}

// debitTable finds the test accounts of a kind by number and by name.
type debitTable struct {
	numbers, names map[string]*debitAccount
}

// debitTables are made on first use, so that starting costs nothing.
var debitTables = sync.OnceValue(func() map[string]debitTable {
	all := map[string]debitTable{}
	for kind, rows := range map[string][]debitAccount{"sepa_debit": sepaAccounts()} {
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

func debitAccounts(kind string) map[string]*debitAccount { return debitTables()[kind].numbers }
func debitNames(kind string) map[string]*debitAccount    { return debitTables()[kind].names }
