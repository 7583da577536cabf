package payout

import (
	"fmt"
	"strings"
	"time"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// The five checks of a diagnosis.

func unread(name, why string) Check {
	return Check{name, Unknown, "Stripe did not tell: " + why, []string{}}
}

func checkEnabled(f Facts) Check {
	const name = "payouts_enabled"
	if f.Account.Unread != "" {
		return unread(name, f.Account.Unread)
	}
	if *f.Account.Value.PayoutsEnabled {
		return Check{name, OK, "Stripe has payouts switched on.", []string{}}
	}
	why, _ := stopped(f.Account.Value.Requirements)
	return Check{name, Problem, why + ".", []string{}}
}

func checkRequirements(f Facts) Check {
	const name = "requirements"
	if f.Account.Unread != "" {
		return unread(name, f.Account.Unread)
	}
	r := f.Account.Value.Requirements
	all := wanted(r)
	c := Check{name, OK, "Stripe asks for nothing.", append([]string{}, all...)}
	switch {
	case len(r.PastDue) > 0:
		c.Result, c.Text = Problem, "Stripe asks for "+counted(len(all), "thing")+", and the time for "+fmt.Sprint(len(r.PastDue))+" of them is over."
	case len(all) > 0 && r.CurrentDeadline > 0:
		c.Result, c.Text = Warning, "Stripe asks for "+counted(len(all), "thing")+" by "+time.Unix(r.CurrentDeadline, 0).UTC().Format("2 January 2006")+"."
	case len(all) > 0:
		c.Result, c.Text = Warning, "Stripe asks for "+counted(len(all), "thing")+"."
	case len(r.PendingVerification) > 0:
		c.Result, c.Text = Warning, "Stripe is checking what it was given."
		for _, field := range r.PendingVerification {
			c.Details = append(c.Details, inWords(field))
		}
	}
	return c
}

// counted is "1 thing", "2 things".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// bankWords are what is wrong with an external account, by its status; nothing is with any other.
var bankWords = map[string]string{
	"errored":                              "a payout to it has failed, and Stripe makes no scheduled payouts to it until it is updated or replaced",
	"verification_failed":                  "Stripe could not verify it",
	"tokenized_account_number_deactivated": "the bank has withdrawn the number that Stripe was given for it",
}

func checkBank(f Facts) Check {
	const name = "bank_account"
	if f.Banks.Unread != "" {
		return unread(name, f.Banks.Unread)
	}
	c := Check{name, OK, "", []string{}}
	for _, b := range f.Banks.Value {
		line := shown(b) + ", " + strings.ToUpper(b.Currency)
		if b.DefaultForCurrency {
			line += ", default"
		}
		wrong := bankWords[b.Status]
		if wrong == "" {
			wrong = "nothing known against it"
		} else if b.DefaultForCurrency {
			c.Result = Problem
		} else if c.Result == OK {
			c.Result = Warning
		}
		c.Details = append(c.Details, line+": "+wrong)
	}
	switch {
	case len(f.Banks.Value) == 0:
		c.Result, c.Text = Problem, "There is no bank account to pay out to."
	case c.Result == Problem:
		c.Text = "A bank account that payouts go to cannot be used."
	case c.Result == Warning:
		c.Text = "The bank accounts that payouts go to are in order; one that is not used any more is not."
	default:
		c.Text = "The bank accounts that payouts go to are in order, as far as Stripe knows."
	}
	return c
}

func checkBalance(f Facts, all []Funds) Check {
	const name = "balance"
	if f.Balance.Unread != "" {
		return unread(name, f.Balance.Unread)
	}
	c := Check{name, OK, "Money is available to be paid out.", []string{}}
	some, below, pending := false, false, false
	for _, m := range all {
		c.Details = append(c.Details, fmt.Sprintf("%s: %s available, %s pending, %s on its way to the bank, %s reserved", m.Currency, m.Available, m.Pending, m.InTransit, m.Reserved))
		some, below, pending = some || m.Available.Minor > 0, below || m.Available.Minor < 0, pending || m.Pending.Minor > 0
	}
	switch {
	case below:
		c.Result, c.Text = Problem, "More went out of the balance than came in: what comes in next makes up for it first."
	case !some && pending:
		c.Result, c.Text = Warning, "All money is still pending: none is available to be paid out yet."
	case !some:
		c.Text = "There is no money that could be paid out."
	}
	return c
}

func checkDisputes(f Facts, all []Funds) Check {
	const name = "disputes"
	if f.Disputes.Unread != "" {
		return unread(name, f.Disputes.Unread)
	}
	c := Check{name, OK, "No open dispute keeps money.", []string{}}
	if n := len(f.Disputes.Value); n > 0 {
		c.Result, c.Text = Warning, counted(n, "open dispute")+" keep"+map[bool]string{true: "s"}[n == 1]+" money that has left the balance until they are decided."
	}
	for _, m := range all {
		if m.Disputed.Minor == 0 {
			continue
		}
		c.Details = append(c.Details, fmt.Sprintf("%s %s", m.Disputed, m.Currency))
		if m.Available.Minor < 0 {
			c.Result = Problem
		}
	}
	if f.Disputes.More {
		c.Details = append(c.Details, "There are more disputes than were read.")
	}
	return c
}

// sum is an amount with its currency.
func sum(m money.Money) string { return m.String() + " " + string(m.Currency) }

// waits are the amounts at Stripe that are to be paid out, such as "47230.00 EUR".
func waits(all []Funds) string {
	var parts []string
	for _, m := range all {
		if m.AtStripe.Minor > 0 {
			parts = append(parts, sum(m.AtStripe))
		}
	}
	if len(parts) == 0 {
		return "no money"
	}
	return strings.Join(parts, " and ")
}

// broken are the default external accounts that cannot be used.
func (f Facts) broken() (all []stripe.ExternalAccount) {
	for _, b := range f.Banks.Value {
		if b.DefaultForCurrency && bankWords[b.Status] != "" {
			all = append(all, b)
		}
	}
	return all
}
