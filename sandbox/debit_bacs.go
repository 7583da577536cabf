package sandbox

import "github.com/till-pay/till/sandbox/spec"

// bacsDebit are debits of accounts in the United Kingdom (docs.stripe.com/payments/payment-methods/bacs-debit).
var bacsDebit = methodKind{
	name:       "bacs_debit",
	test:       "pm_bacsDebit_",
	currencies: []string{"gbp"},
	needs:      []string{"name", "email", "address"},
	reusable:   true,
	settles:    delay{7, true, "docs.stripe.com/payments/payment-methods/bacs-debit: known after up to six business days, available on the next; unconfirmed"},
	price: []methodPrice{
		{"", "2024-01-01", "gbp", 100, 0, 20, 200, 0, 0, "stripe.com/gb/pricing/local-payment-methods, as published in 2024; unconfirmed. It names no price of failures and disputes"},
	},
	refunds: refundTerms{within: 180, slow: true, to: "gb_bank_transfer", source: "docs.stripe.com/payments/payment-methods/bacs-debit#refunds"},
	takes:   debitTimes{fails: 4, clears: 4, disputed: 10, refunded: 4, source: "docs.stripe.com/payments/payment-methods/bacs-debit: three to six business days; days unconfirmed"},
	read:    readBacs,
	named:   namedDebit("bacs_debit", (*call).fillBacs),
	check:   checkDebit,
	pay:     payDebit,
	setUp:   setUpDebit,
	ended:   endedDebit,
	claimed: disputedDebit,
	detail:  mandateOn,
	does:    debitConduct("bacs_debit"),
}

// testSortCode is that of the test mode's bank in the United Kingdom.
const testSortCode = "108800"

func readBacs(c *call, r *record, p *spec.Params) error {
	for _, name := range []string{"account_number", "sort_code"} {
		if p.String(name) == "" {
			return invalid("parameter_missing", "bacs_debit["+name+"]", "Missing required param: bacs_debit[%s].", name)
		}
	}
	number, sort := compact(p.String("account_number")), compact(p.String("sort_code"))
	switch {
	case !digitsOnly(sort, 6):
		return invalid("invalid_number", "bacs_debit[sort_code]", "The sort code must have six digits.")
	case !digitsOnly(number, 8):
		return invalid("account_number_invalid", "bacs_debit[account_number]", "The account number must have eight digits.")
	case sort != testSortCode || debitAccounts("bacs_debit")[number] == nil:
		return liveAccount("bacs_debit[account_number]")
	}
	c.fillBacs(r, number)
	return nil
}

// fillBacs writes an account into a payment method.
func (c *call) fillBacs(r *record, number string) {
	r.hidden = &instrument{Number: number}
	r.object().Sub("bacs_debit").Set("fingerprint", c.fingerprint(testSortCode+number)).Set("last4", number[len(number)-4:]).Set("sort_code", testSortCode)
}
