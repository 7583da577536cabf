package payout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// Diagnose says from the facts alone why money does not arrive at the bank. What stops payouts altogether comes before what stops
// them at the bank, and that before what the account itself has chosen; the first that is found is the cause.
func Diagnose(f Facts) Diagnosis {
	d := Diagnosis{AsOf: f.At, Account: f.AccountID, Livemode: f.Livemode, Schedule: f.schedule().Interval, Failing: failing(f), Attempts: attempts(f, 10), Money: funds(f)}
	d.Checks = []Check{checkEnabled(f), checkRequirements(f), checkBank(f), checkBalance(f, d.Money), checkDisputes(f, d.Money)}
	for _, find := range []func(Facts, Diagnosis) *finding{payoutsDisabled, bankRefuses, bankErrored, noBankAccount, belowNothing, manualSchedule, minimumKept, nothingBroken} {
		if found := find(f, d); found != nil {
			d.Verdict, d.Cause, d.Summary, d.Action = found.side, found.cause, found.summary, found.action
			return d
		}
	}
	return d // nothingBroken finds always
}

// schedule is the account's, or none where Stripe did not tell.
func (f Facts) schedule() stripe.PayoutSchedule {
	if a := f.Account.Value; f.Account.Unread == "" && a.Settings != nil && a.Settings.Payouts != nil {
		return a.Settings.Payouts.Schedule
	}
	return stripe.PayoutSchedule{}
}

// ended are the payouts that Stripe has had the last word on, newest first, but for cancelled ones: they say nothing of the bank.
func (f Facts) ended() (all []stripe.Payout) {
	for _, p := range f.Payouts.Value {
		if p.Status == stripe.PayoutPaid || p.Status == stripe.PayoutFailed {
			all = append(all, p)
		}
	}
	return all
}

// failing is the run of failures that goes on.
func failing(f Facts) (run Failing) {
	run.Codes = []string{}
	for _, p := range f.ended() {
		if p.Status == stripe.PayoutPaid {
			last := attempt(f, p)
			run.LastPaid = &last
			return run
		}
		at := failedAt(p)
		run.Attempts++
		if run.Since == nil || at.Before(*run.Since) {
			run.Since = &at
		}
		if !slices.Contains(run.Codes, p.FailureCode) {
			run.Codes = append(run.Codes, p.FailureCode)
		}
	}
	run.AtLeast = run.Attempts > 0 && f.Payouts.More
	return run
}

// failedAt is when a payout's money came back; where Stripe did not tell, when the payout was made.
func failedAt(p stripe.Payout) time.Time {
	if back := p.FailureBalanceTransaction.Object; back != nil && back.Created > 0 {
		return time.Unix(back.Created, 0).UTC()
	}
	return time.Unix(p.Created, 0).UTC()
}

// attempts are the newest payouts.
func attempts(f Facts, most int) []Attempt {
	all := []Attempt{}
	for _, p := range f.Payouts.Value[:min(most, len(f.Payouts.Value))] {
		all = append(all, attempt(f, p))
	}
	return all
}

func attempt(f Facts, p stripe.Payout) Attempt {
	c := money.Currency(strings.ToUpper(p.Currency))
	a := Attempt{ProviderRef: p.ID, Status: cmp.Or(heard(p.Status), InTransit), Amount: money.FromMinor(p.Amount, c), Currency: c, Automatic: p.Automatic, Method: p.Method,
		Destination: p.Destination.ID, CreatedAt: time.Unix(p.Created, 0).UTC(), ArrivalDate: time.Unix(p.ArrivalDate, 0).UTC(), FailureCode: p.FailureCode}
	if b := f.bank(p.Destination.ID); b != nil {
		a.Destination = shown(*b)
	}
	if p.Status == stripe.PayoutFailed {
		at := failedAt(p)
		a.FailedAt, a.FailureText = &at, meaningOf(p.FailureCode).words
	}
	return a
}

func (f Facts) bank(id string) *stripe.ExternalAccount {
	for i, b := range f.Banks.Value {
		if b.ID == id {
			return &f.Banks.Value[i]
		}
	}
	return nil
}

// shown is an external account as people know it.
func shown(b stripe.ExternalAccount) string {
	name := b.BankName
	if name == "" {
		name = b.Brand
	}
	return strings.TrimSpace(fmt.Sprintf("%s ···· %s", name, b.Last4))
}

// funds are the money by currency and by where it is.
func funds(f Facts) []Funds {
	by := map[string]*Funds{}
	in := func(currency string) *Funds {
		if by[currency] == nil {
			c := money.Currency(strings.ToUpper(currency))
			none := money.FromMinor(0, c)
			by[currency] = &Funds{c, none, none, []OnDay{}, none, none, none, none, none}
		}
		return by[currency]
	}
	for _, a := range f.Balance.Value.Available {
		in(a.Currency).Available.Minor += a.Amount
	}
	for _, a := range f.Balance.Value.Pending {
		in(a.Currency).Pending.Minor += a.Amount
	}
	for _, a := range f.Balance.Value.ConnectReserved {
		in(a.Currency).Reserved.Minor += a.Amount
	}
	for _, d := range f.Disputes.Value {
		in(d.Currency).Disputed.Minor += d.Amount
	}
	for _, p := range f.Payouts.Value {
		if p.Status == stripe.PayoutPending || p.Status == stripe.PayoutInTransit {
			in(p.Currency).InTransit.Minor += p.Amount
		}
	}
	for _, p := range f.Pending.Value {
		in(p.Currency).due(time.Unix(p.AvailableOn, 0).UTC().Format(time.DateOnly), p.Net)
	}
	return settled(by)
}

// due adds to what becomes available on a day.
func (m *Funds) due(on string, net int64) {
	i, found := slices.BinarySearchFunc(m.PendingByDay, on, func(d OnDay, on string) int { return strings.Compare(d.Day, on) })
	if !found {
		m.PendingByDay = slices.Insert(m.PendingByDay, i, OnDay{on, money.FromMinor(0, m.Currency)})
	}
	m.PendingByDay[i].Amount.Minor += net
}

// settled are the currencies in alphabetical order, with their sums. What is undated makes the days add up to what Stripe says is pending.
func settled(by map[string]*Funds) []Funds {
	all := []Funds{}
	for _, m := range by {
		dated := int64(0)
		for _, d := range m.PendingByDay {
			dated += d.Amount.Minor
		}
		m.Undated.Minor = m.Pending.Minor - dated
		m.AtStripe.Minor = m.Available.Minor + m.Pending.Minor
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b Funds) int { return strings.Compare(string(a.Currency), string(b.Currency)) })
	return all
}
