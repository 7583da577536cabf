package sandbox

import (
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
	takes:   debitTimes{fails: 4, clears: 5, disputed: 14, refunded: 4, source: "docs.stripe.com/payments/sepa-debit: success after up to five business days, disputes within eight weeks; days unconfirmed"},
	read:    readSEPA,
	named:   namedDebit("sepa_debit", (*call).fillSEPA),
	check:   checkDebit,
	pay:     payDebit,
	setUp:   setUpDebit,
	ended:   endedDebit,
	claimed: disputedDebit,
	detail:  mandateOn,
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
	switch row := debitAccounts("sepa_debit")[iban]; {
	case row == nil:
		return liveAccount("sepa_debit[iban]")
	case row.does.unusable != "":
		return invalid(row.does.unusable, "sepa_debit[iban]", "The bank account provided can not be used for SEPA Direct Debit. A different bank account must be used.")
	}
	c.fillSEPA(r, iban)
	return nil
}

// liveAccount refuses the number of an account that may be a real one.
func liveAccount(param string) error {
	return invalid("payment_method_invalid_parameter_testmode", param, "You cannot use a live bank account number in test mode. For a list of test account numbers, visit: https://stripe.com/docs/testing.")
}

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
