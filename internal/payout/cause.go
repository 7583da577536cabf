package payout

import (
	"fmt"
	"strings"
	"time"

	"github.com/till-pay/till/internal/stripe"
)

// finding is a cause with its verdict and what ends it.
type finding struct {
	side    Side
	cause   string
	summary string
	action  Action
}

const longDate = "Monday, 2 January 2006"

// after is an action with the time at which money moves once it is done: by the account's schedule, or by hand where that is manual.
func (f Facts) after(who, text string) Action {
	on, automatic := nextRun(f.schedule(), f.At)
	if !automatic {
		today := f.At.UTC().Truncate(day)
		return Action{who, text, "The account is not paid out by itself: make the payout then with POST /v1/payouts. It usually arrives one to two business days later.", &today}
	}
	return Action{who, text, fmt.Sprintf("Stripe makes the next payout by its schedule, on %s if it is done before; it usually arrives one to two business days later. POST /v1/payouts may pay out sooner.",
		on.Format(longDate)), &on}
}

func payoutsDisabled(f Facts, d Diagnosis) *finding {
	if f.Account.Unread != "" || *f.Account.Value.PayoutsEnabled {
		return nil
	}
	r := f.Account.Value.Requirements
	why, do := stopped(r)
	if all := wanted(r); len(all) > 0 {
		do.Text += " It asks for: " + strings.Join(all, "; ") + "."
	}
	return &finding{StripeSide, "payouts_disabled", why + ". The money is safe at Stripe: " + waits(d.Money) + ".", do}
}

// bankRefuses: the last payouts that have ended failed, and the bank account that they went to is still the one in use.
func bankRefuses(f Facts, d Diagnosis) *finding {
	ended := f.ended()
	if len(ended) == 0 || ended[0].Status != stripe.PayoutFailed || f.repaired(ended[0]) {
		return nil
	}
	last := ended[0]
	m := meaningOf(last.FailureCode)
	cause := "bank_refuses"
	if m.side == SystemSide {
		cause = "insufficient_funds"
	}
	times := "The last payout has failed"
	if n := d.Failing.Attempts; n > 1 {
		times = fmt.Sprintf("The last %d payouts have failed", n)
	}
	summary := fmt.Sprintf("%s, the first on %s. %s The money came back to the available balance; at Stripe are %s.", times, d.Failing.Since.Format(longDate), m.words, waits(d.Money))
	if b := f.bank(last.Destination.ID); b != nil && b.Status == "errored" {
		summary += " Stripe makes no scheduled payouts to " + shown(*b) + " until it is updated or replaced."
	}
	return &finding{m.side, cause, summary, f.after(m.who, m.action)}
}

// repaired says whether the account that a payout failed to is in use no more, or in order again.
func (f Facts) repaired(p stripe.Payout) bool {
	if f.Banks.Unread != "" {
		return false
	}
	now := f.defaultOf(p.Currency)
	if now == nil || bankWords[now.Status] != "" {
		return false
	}
	went := f.bank(p.Destination.ID)
	return went == nil || now.ID != went.ID || went.Object == "bank_account" // a card has no status that would say
}

func (f Facts) defaultOf(currency string) *stripe.ExternalAccount {
	for i, b := range f.Banks.Value {
		if b.DefaultForCurrency && b.Currency == currency {
			return &f.Banks.Value[i]
		}
	}
	return nil
}

// bankErrored: the account in use cannot be used, though no failure of it was read.
func bankErrored(f Facts, d Diagnosis) *finding {
	all := f.broken()
	if len(all) == 0 {
		return nil
	}
	b := all[0]
	return &finding{BankSide, "bank_account_errored", fmt.Sprintf("Payouts in %s go to %s, and %s. The money is safe at Stripe: %s.", strings.ToUpper(b.Currency), shown(b), bankWords[b.Status], waits(d.Money)),
		f.after(Merchant, corrected)}
}

// noBankAccount: money is there in a currency for which there is no bank account.
func noBankAccount(f Facts, d Diagnosis) *finding {
	if f.Banks.Unread != "" || f.Balance.Unread != "" {
		return nil
	}
	for _, m := range d.Money {
		if m.AtStripe.Minor > 0 && f.defaultOf(m.Currency.Lower()) == nil {
			return &finding{SystemSide, "no_bank_account", fmt.Sprintf("%s are at Stripe, and the account has no bank account in %s to pay them out to.", sum(m.AtStripe), m.Currency),
				f.after(Merchant, fmt.Sprintf("Add a bank account in %s in the Stripe Dashboard (Settings, Payouts, Bank accounts and currencies).", m.Currency))}
		}
	}
	return nil
}

// belowNothing: more went out, by disputes or refunds, than came in.
func belowNothing(f Facts, d Diagnosis) *finding {
	for _, m := range d.Money {
		if m.Available.Minor >= 0 {
			continue
		}
		short := m.Available
		short.Minor = -short.Minor
		cause, by := "balance_negative", "refunds, disputes and fees"
		if m.Disputed.Minor >= short.Minor {
			cause, by = "disputes_hold_funds", fmt.Sprintf("open disputes, which keep %s,", sum(m.Disputed))
		}
		do := Action{Who: Merchant, Text: "Nothing has to be repaired: what customers pay makes up for it. To pay out sooner, add money to the Stripe balance (Dashboard, Balances, Add to balance)." + contest(m),
			Expected: "When " + sum(short) + " more have become available; " + sum(m.Pending) + " are pending."}
		if on, enough := m.covered(short.Minor); enough {
			do.Expected = fmt.Sprintf("On %s enough of what is pending has become available; payouts go on from then.", on.Format(longDate))
			do.ExpectedOn = &on
		}
		return &finding{SystemSide, cause, fmt.Sprintf("The available balance is %s below nothing because of %s and nothing is paid out until it is above.", sum(short), by), do}
	}
	return nil
}

func contest(m Funds) string {
	if m.Disputed.Minor == 0 {
		return ""
	}
	return " Answer the disputes before their deadlines: what is won comes back."
}

// covered is the day on which so much of what is pending has become available.
func (m Funds) covered(short int64) (on time.Time, enough bool) {
	for _, d := range m.PendingByDay {
		if short -= d.Amount.Minor; short < 0 {
			on, err := time.Parse(time.DateOnly, d.Day)
			return businessDay(on), err == nil
		}
	}
	return time.Time{}, false
}

// manualSchedule: Stripe pays out only when it is asked to, and nobody asks.
func manualSchedule(f Facts, d Diagnosis) *finding {
	const quiet = 2 * day
	if f.schedule().Interval != "manual" || f.Payouts.Unread != "" {
		return nil
	}
	for _, p := range f.Payouts.Value {
		if f.At.Sub(time.Unix(p.Created, 0)) < quiet {
			return nil // somebody does
		}
	}
	for _, m := range d.Money {
		if m.Available.Minor > 0 {
			return &finding{SystemSide, "schedule_manual", fmt.Sprintf("Stripe refuses nothing. The account's payouts are set to manual, and nobody has asked for one: %s are available.", sum(m.Available)),
				f.after(Merchant, "Make a payout: POST /v1/payouts with the amount and the currency. Or let Stripe pay out by itself: Dashboard, Settings, Payouts, Schedule.")}
		}
	}
	return nil
}

// nothingBroken says how things stand where nothing is wrong.
func nothingBroken(f Facts, d Diagnosis) *finding {
	nothing := func(cause, summary, expected string, on *time.Time) *finding {
		return &finding{None, cause, summary, Action{Nobody, "Nothing has to be done.", expected, on}}
	}
	available, pending, transit := false, false, false
	for _, m := range d.Money {
		available, pending, transit = available || m.Available.Minor > 0, pending || m.Pending.Minor > 0, transit || m.InTransit.Minor != 0
	}
	ended := f.ended()
	next := f.after(Nobody, "")
	switch {
	case len(ended) > 0 && ended[0].Status == stripe.PayoutFailed && f.repaired(ended[0]) && !transit:
		return nothing("repaired", "The last payout failed, and the bank account that it went to has been replaced or updated since: nothing stands in the way of the next. At Stripe are "+waits(d.Money)+".",
			next.Expected, next.ExpectedOn)
	case transit && !available:
		return nothing("in_transit", "The money is on its way to the bank.", arrival(f), nil)
	case available:
		return nothing("healthy", "Nothing stands in the way of payouts: "+waits(d.Money)+" are at Stripe.", next.Expected, next.ExpectedOn)
	case pending:
		on, ok := firstPending(d.Money)
		if !ok {
			return nothing("all_pending", "Nothing is wrong: all money is still pending, and Stripe pays out what is available.", "When it becomes available.", nil)
		}
		return nothing("all_pending", "Nothing is wrong: all money is still pending, and Stripe pays out what is available.",
			"The first of it becomes available on "+on.Format(longDate)+".", &on)
	}
	return nothing("no_money", "Nothing is wrong: there is no money to be paid out.", "When payments have come in.", nil)
}

// arrival is when the payouts that are on their way arrive.
func arrival(f Facts) string {
	var last time.Time
	for _, p := range f.Payouts.Value {
		if at := time.Unix(p.ArrivalDate, 0).UTC(); (p.Status == stripe.PayoutPending || p.Status == stripe.PayoutInTransit) && at.After(last) {
			last = at
		}
	}
	return "Stripe expects it at the bank by " + last.Format(longDate) + "."
}

func firstPending(all []Funds) (first time.Time, found bool) {
	for _, m := range all {
		for _, d := range m.PendingByDay {
			on, err := time.Parse(time.DateOnly, d.Day)
			if err == nil && d.Amount.Minor > 0 && (!found || on.Before(first)) {
				first, found = on, true
			}
		}
	}
	return first, found
}
