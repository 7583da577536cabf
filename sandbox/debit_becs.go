package sandbox

import "github.com/till-pay/till/sandbox/spec"

// auBecsDebit are debits of accounts in Australia (docs.stripe.com/payments/au-becs-debit).
var auBecsDebit = methodKind{
	name:       "au_becs_debit",
	test:       "pm_auBecsDebit_",
	currencies: []string{"aud"},
	needs:      []string{"name", "email"},
	reusable:   true,
	settles:    delay{4, true, "docs.stripe.com/payments/au-becs-debit: known after up to three business days, available on the next; unconfirmed"},
	price: []methodPrice{
		{"", "2024-01-01", "aud", 100, 30, 0, 350, 250, 2500, publishedPrice},
	},
	refunds: refundTerms{within: 90, slow: true, to: "au_bank_transfer", source: "docs.stripe.com/payments/au-becs-debit#refunds; days unconfirmed"},
	takes:   debitTimes{fails: 3, clears: 3, disputed: 10, refunded: 4, source: "docs.stripe.com/payments/au-becs-debit: up to three business days; the others unconfirmed"},
	read:    readBECS,
	named:   namedDebit("au_becs_debit", (*call).fillBECS),
	check:   checkDebit,
	pay:     payDebit,
	setUp:   setUpDebit,
	ended:   endedDebit,
	claimed: disputedDebit,
	detail:  mandateOn,
	does:    debitConduct("au_becs_debit"),
}

// testBSB is the Bank State Branch number of the test mode's bank in Australia.
const testBSB = "000000"

func readBECS(c *call, r *record, p *spec.Params) error {
	for _, name := range []string{"account_number", "bsb_number"} {
		if p.String(name) == "" {
			return invalid("parameter_missing", "au_becs_debit["+name+"]", "Missing required param: au_becs_debit[%s].", name)
		}
	}
	number, bsb := compact(p.String("account_number")), compact(p.String("bsb_number"))
	switch {
	case !digitsOnly(bsb, 6):
		return invalid("invalid_number", "au_becs_debit[bsb_number]", "The BSB number must have six digits.")
	case len(number) < 4 || len(number) > 9 || !digitsOnly(number, len(number)):
		return invalid("account_number_invalid", "au_becs_debit[account_number]", "The account number must have four to nine digits.")
	case bsb != testBSB || debitAccounts("au_becs_debit")[number] == nil:
		return liveAccount("au_becs_debit[account_number]")
	}
	c.fillBECS(r, number)
	return nil
}

// fillBECS writes an account into a payment method.
func (c *call) fillBECS(r *record, number string) {
	r.hidden = &instrument{Number: number}
	r.object().Sub("au_becs_debit").Set("bsb_number", testBSB).Set("fingerprint", c.fingerprint(testBSB+number)).Set("last4", number[len(number)-4:])
}
