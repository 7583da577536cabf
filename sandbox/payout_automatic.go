package sandbox

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/money"
)

// payoutHour is when automatic payouts are made, in UTC. Stripe says only that it is on the day on which the funds become available.
const payoutHour = 6

// payoutPeriod is what an automatic payout has paid out: every transaction that became available from one second on and before
// another, without those of automatic payouts themselves, and its own.
type payoutPeriod struct {
	From, To int64
	Own      []string
}

// arrange sees to it that what is available in a currency is paid out when the schedule wants it.
func (c *call) arrange(currency string) {
	f := c.books().in(currency)
	if f.Available == 0 || f.NextRun != 0 {
		return
	}
	next, ok := c.standing().Schedule.next(c.now(), c.standing().Country)
	if !ok {
		return
	}
	f.NextRun = next.Unix()
	c.at(next, "balance.pay", c.byID[balanceID], currency)
}

// rearrange follows a change of the schedule or of an external account.
func (c *call) rearrange() {
	for _, currency := range c.books().currencies() {
		c.books().in(currency).NextRun = 0
		c.arrange(currency)
	}
}

// maxAheadDays bounds how far ahead a day of a schedule is looked for: each month has one.
const maxAheadDays = 70

// next is when the schedule next wants a payout; never for manual. What falls on a day without banking is paid out on the next with it.
func (s schedule) next(now time.Time, country string) (time.Time, bool) {
	if s.Interval == "manual" {
		return time.Time{}, false
	}
	open := func(day time.Time) bool {
		if country == "US" {
			return businessDay(day)
		}
		return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
	}
	day := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -5) // one that was due may have been moved to a day that is yet to come
	for range maxAheadDays {
		if s.wants(day) {
			for !open(day) {
				day = day.AddDate(0, 0, 1)
			}
			if at := day.Add(time.Duration(s.hour()) * time.Hour); at.After(now) {
				return at, true
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}, false
}

// hour is when automatic payouts are made.
func (s schedule) hour() int64 { return cmp.Or(s.Hour, payoutHour) }

// wants says whether a day is one of the schedule's. The days that a month lacks are its last.
func (s schedule) wants(day time.Time) bool {
	switch s.Interval {
	case "weekly":
		return slices.Contains(s.Weekdays, strings.ToLower(day.Weekday().String()))
	case "monthly":
		last := day.AddDate(0, 0, 1).Day() == 1
		return slices.ContainsFunc(s.Days, func(n int64) bool { return n == int64(day.Day()) || last && n > int64(day.Day()) })
	default:
		return true
	}
}

// payAutomatically pays out what has become available in a currency since the last automatic payout. Of more than the account wants to
// keep, the rest stays; of less than nothing, the bank account is debited where the account allows it.
func payAutomatically(c *call, _ *record, currency string) {
	f, now := c.books().in(currency), c.now().Unix()
	if f.NextRun != now {
		return // the schedule has changed since
	}
	f.NextRun = 0
	to := c.payoutAccount(currency)
	if !c.mayPayOut() {
		c.arrange(currency) // until it may
		return
	}
	if to == nil || to.text("status") == "errored" || c.standing().Schedule.Interval == "manual" {
		return
	}
	period := payoutPeriod{From: f.PaidUntil, To: now}
	total := int64(0)
	for _, txn := range c.within(&period, currency) {
		total += txn.number("net")
	}
	amount := total
	if total > 0 {
		amount = max(total-c.standing().Minimum[currency], 0)
		amount -= amount % payoutStep(currency)
	}
	if amount == 0 || amount < 0 && !c.standing().Debit {
		return
	}
	f.PaidUntil = now
	c.makeAutomatic(to, currency, amount, total-amount, period)
}

// makeAutomatic makes an automatic payout. The rest that stays goes out of this payout and into the next.
func (c *call) makeAutomatic(to *record, currency string, amount, rest int64, period payoutPeriod) {
	r := c.newRecord(kinds["payout"])
	c.describePayout(r, to, amount, currency, "standard")
	r.object().Set("automatic", true).Set("description", "STRIPE PAYOUT").Set("reconciliation_status", "in_progress")
	r.object().Set("arrival_date", c.arrivalAfter(c.now()).Unix())
	if text := c.standing().Descriptor; text != "" {
		r.object().Set("statement_descriptor", text)
	}
	c.bookPayout(r, 0)
	period.Own = []string{r.object().String("balance_transaction")}
	if rest != 0 {
		hold := c.book(r, "payout_minimum_balance_hold", "payout_minimum_balance_hold", -rest, 0, c.now())
		c.book(r, "payout_minimum_balance_release", "payout_minimum_balance_release", rest, 0, c.now())
		period.Own = append(period.Own, hold.id)
	}
	r.hidden = &period
	c.insert(r)
	c.emit("payout.created", r)
	_ = sendPayout(c, r) // which fails never
	c.in(reconciledAfter, "payout.reconcile", r)
}

// arrivalAfter is when a payout that is made now arrives: on the next day on which banks are open.
func (c *call) arrivalAfter(now time.Time) time.Time {
	day := nextMidnight(now)
	for !businessDay(day) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// within are the transactions of a period, in order of making.
func (c *call) within(p *payoutPeriod, currency string) (all []*record) {
	first := p.To
	if some := c.all("balance_transaction"); len(some) > 0 {
		first = max(p.From, some[0].created)
	}
	for day := first / secondsOfDay; day <= p.To/secondsOfDay; day++ {
		for _, txn := range c.having("balance_transaction", "day", dayOf(currency, day*secondsOfDay)) {
			if on := txn.number("available_on"); on >= p.From && on < p.To && !c.ownOfAutomatic(txn) {
				all = append(all, txn)
			}
		}
	}
	for _, id := range p.Own {
		all = append(all, c.byID[id])
	}
	slices.SortFunc(all, func(a, b *record) int { return cmp.Compare(a.order, b.order) })
	return all
}

// ownOfAutomatic says whether a transaction is the payment of an automatic payout, or what it holds back.
func (c *call) ownOfAutomatic(txn *record) bool {
	if kind := txn.text("type"); kind != "payout" && kind != "payout_minimum_balance_hold" {
		return false
	}
	from := c.byID[txn.text("source")]
	return from != nil && from.flag("automatic")
}

// reconcilePayout makes the list of what an automatic payout has paid out ready.
func (c *call) reconcilePayout(r *record) {
	r.object().Set("reconciliation_status", "completed")
	c.emit("payout.reconciliation_completed", r)
}

// listTransactions is the list; that of an automatic payout is of what it has paid out, and adds up to nothing.
func listTransactions(c *call) (appender, error) {
	of := kinds["balance_transaction"]
	id := c.params.String("payout")
	if id == "" {
		return of.list(c)
	}
	r := c.find("payout", id)
	switch {
	case r == nil:
		return nil, missingIn("payout", "payout", id)
	case !r.flag("automatic"):
		return nil, invalid("", "payout", "Balance transaction history can only be filtered on automatic transfers, not manual.")
	case r.text("reconciliation_status") != "completed":
		return nil, refused("payout_reconciliation_not_ready", "payout", "The reconciliation of payout %s is still in progress. Wait until its reconciliation_status is completed before listing its balance transactions.", id)
	}
	all := within(c.within(known[payoutPeriod](r), r.text("currency")), c.params)
	return c.pageFrom(all, "balance_transaction", of.Path, func(one *record) bool { return of.passes(c, one) })
}

// checkInstant refuses what cannot be paid out at once.
func (c *call) checkInstant(to *record, amount int64, currency money.Currency) error {
	methods, _ := to.object().Get("available_payout_methods").([]string)
	if !slices.Contains(methods, "instant") {
		if to.resource.Object == "card" {
			return refused("instant_payouts_unsupported", "", "This card is not eligible for Instant Payouts. Try a debit card from a supported bank.")
		}
		return refused("instant_payouts_unsupported", "", "This bank account is not eligible for Instant Payouts. Try a different bank account.")
	}
	most, _ := exchanged(mostInstant, "usd", currency.Lower(), middle)
	if amount > most {
		return refused("instant_payouts_limit_exceeded", "amount", "Instant Payouts to bank accounts are only supported for amounts less than or equal to %s", display(most, currency))
	}
	return nil
}

// mostInstant is the most that an instant payout may be, in US cents (docs.stripe.com/payouts/instant-payouts, 2024).
const mostInstant = 9_999_00
