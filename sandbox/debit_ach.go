package sandbox

import "github.com/till-pay/till/sandbox/spec"

// usBankAccount are debits of accounts in the United States, by ACH (docs.stripe.com/payments/ach-direct-debit).
var usBankAccount = methodKind{
	name:       "us_bank_account",
	test:       "pm_usBankAccount_",
	currencies: []string{"usd"},
	needs:      []string{"name"},
	reusable:   true,
	instant:    true,
	cancels:    true,
	settles:    delay{5, true, "docs.stripe.com/payments/ach-direct-debit: known after up to four business days, available on the next"},
	price: []methodPrice{
		{"", "2024-01-01", "usd", 80, 0, 0, 500, 400, 1500, publishedPrice},
	},
	refunds: refundTerms{within: 180, slow: true, to: "us_bank_transfer", source: "docs.stripe.com/payments/ach-direct-debit#refunds"},
	takes:   debitTimes{fails: 4, clears: 4, disputed: 10, refunded: 5, source: "docs.stripe.com/payments/ach-direct-debit: four business days, disputes within 60 days; the days of dispute and refund unconfirmed"},
	read:    readACH,
	named:   namedDebit("us_bank_account", (*call).fillACH),
	check:   checkDebit,
	pay:     payDebit,
	setUp:   setUpDebit,
	ended:   endedDebit,
	claimed: disputedDebit,
	option:  func(o *spec.Object) { o.Set("verification_method", "automatic") },
	detail:  mandateOn,
	does:    debitConduct("us_bank_account"),
}

func readACH(c *call, r *record, p *spec.Params) error {
	if p.Has("financial_connections_account") {
		return unbuilt("bank accounts of Financial Connections")
	}
	for _, name := range []string{"account_holder_type", "account_number", "routing_number"} {
		if p.String(name) == "" {
			return invalid("parameter_missing", "us_bank_account["+name+"]", "Missing required param: us_bank_account[%s].", name)
		}
	}
	number, routing := compact(p.String("account_number")), compact(p.String("routing_number"))
	if !abaRouting(routing) {
		return invalid("routing_number_invalid", "us_bank_account[routing_number]", "The bank routing number provided is invalid.")
	}
	if routing != testRouting || debitAccounts("us_bank_account")[number] == nil {
		return liveAccount("us_bank_account[account_number]")
	}
	c.fillACH(r, number)
	for _, name := range []string{"account_holder_type", "account_type"} {
		if p.Has(name) {
			r.object().Sub("us_bank_account").Set(name, p.String(name))
		}
	}
	return nil
}

// fillACH writes an account into a payment method.
func (c *call) fillACH(r *record, number string) {
	r.hidden = &instrument{Number: number}
	r.object().Sub("us_bank_account").Set("account_holder_type", "individual").Set("account_type", "checking").Set("bank_name", "STRIPE TEST BANK").
		Set("fingerprint", c.fingerprint(testRouting+number)).Set("last4", number[len(number)-4:]).Set("routing_number", testRouting).
		Set("networks", spec.New("us_bank_account_networks").Set("preferred", "ach").Set("supported", []string{"ach"}))
}
