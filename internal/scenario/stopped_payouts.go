package scenario

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/money"
)

var stoppedPayouts = Scenario{
	Number: "07", Title: "Payouts stopped", first: "order-SW-1001",
	Ticket: Ticket{
		From: "SwiftShop GmbH, Munich", Contact: "Thomas", Priority: "High", Subject: "No payout for three days",
		Text: `Hello,

we take between 15,000 and 20,000 euros a day, and until last Friday Stripe sent us the money every afternoon, on
the dot. Since Monday at about three o'clock nothing has come. That is three days of takings by now. Our customers
pay as always, so where is the money?

Somebody here has clicked about in the Stripe Dashboard, and says that it shows a lot as "pending". I have wages to
pay on Friday. Is the money gone? Did Stripe freeze it? Whom do I have to call, the bank or Stripe?

Thomas, SwiftShop, Finance`,
	},
	Diagnosis: "till diagnose payouts --to Thomas",
	ByHand:    []string{"till diagnose payouts --to Thomas --letter"},
	Country:   germany, History: 40 * 24 * time.Hour,
	begin: func(w *world) play { return &stopped{world: w, why: trouble[int((w.seed-1)%uint64(len(trouble)))]} },
}

// stopped is scenario 07 while it is played.
type stopped struct {
	*world
	why     stop
	number  int       // of the next order
	monday  time.Time // midnight of the day on which payouts stopped
	account string    // at Stripe
	tries   int       // by hand, after the first failure
	refused int       // payouts by hand that Stripe did not make
	result  payoutsFound
	next    stripePayout // the first that arrived after the repair
}

const germany = "DE"

// stop is a way for payouts to stop.
type stop struct {
	verdict, cause string
	check          string // which of the five has to tell of it; "" is none
	code           string // of the failures; "" where nothing fails
	iban           string // of the bank account that was entered
	reason         string // why Stripe has stopped payouts
	setting        string // of the account's payouts
	is, was        string // what the setting becomes, and what it was
	told           string // how it came about
}

// trouble are the worlds, by seed: the bank's, Stripe's and the account's own. The first is the case's.
var trouble = []stop{
	{verdict: "bank_side", cause: "bank_refuses", check: "bank_account", code: "no_account", iban: "DE62370400440532013001", told: "on Monday morning the new bank's IBAN is entered in Stripe's Dashboard, with a wrong digit"},
	{verdict: "stripe_side", cause: "payouts_disabled", check: "payouts_enabled", reason: "requirements.past_due", told: "on Monday morning a document that Stripe had asked for is overdue, and Stripe stops payouts"},
	{verdict: "system_side", cause: "schedule_manual", setting: "schedule][interval", is: "manual", was: "daily", told: "on Monday morning a new accounting program sets the payouts to manual"},
	{verdict: "bank_side", cause: "bank_refuses", check: "bank_account", code: "account_closed", iban: "DE89370400440532013002", told: "on Monday morning an old bank account, closed since, is made the default in Stripe's Dashboard"},
	{verdict: "stripe_side", cause: "payouts_disabled", check: "payouts_enabled", reason: "requirements.pending_verification", told: "on Monday morning Stripe looks into a document that it was given, and does not pay out meanwhile"},
	{verdict: "system_side", cause: "minimum_balance", setting: "minimum_balance_by_currency][eur", is: "10000000", was: "0", told: "on Monday morning somebody sets a minimum balance of 100,000 EUR, to be on the safe side"},
}

// The hours of the story, in UTC: the shop opens, Stripe pays out, and in the end somebody asks.
const (
	opens    = 9
	paysOut  = 15 // the hour
	trades   = 10 * time.Hour
	asks     = 17 * time.Hour
	week     = 7 * 24 * time.Hour
	settling = week // how long a payment is pending in Germany
)

func (s *stopped) stage() error {
	for _, act := range []func() error{s.begun, s.goodWeeks, s.setsIn, s.badDays, s.staged} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// begun waits for the Monday two weeks before the one on which it happens.
func (s *stopped) begun() error {
	now, err := s.now()
	if err != nil {
		return err
	}
	first := now.UTC().Truncate(24 * time.Hour)
	for first.Weekday() != time.Monday || !first.Add(opens*time.Hour).After(now) {
		first = first.AddDate(0, 0, 1)
	}
	s.monday = first.Add(2 * week)
	var own struct{ ID, Country string }
	if err := s.stripe.get(s.ctx, "/v1/account", &own); err != nil {
		return err
	}
	if own.Country != germany {
		return fmt.Errorf("this is the case of an account in %s, and the one at Stripe is in %s: begin with till up --clock sandbox --country %s", germany, own.Country, germany)
	}
	s.account = own.ID
	return errors.Join(s.stripe.control(s.ctx, "POST", "account", map[string]any{"payout_hour": paysOut}, nil), s.reach(first.Add(opens*time.Hour)))
}

// reach lets time pass until it is so late.
func (w *world) reach(at time.Time) error {
	now, err := w.now()
	if err != nil {
		return err
	}
	return w.pass(at.Sub(now))
}

// goodWeeks are two weeks of business. What is taken on a day is available a week later, and is paid out that afternoon.
func (s *stopped) goodWeeks() error {
	for day := s.monday.Add(-2 * week); day.Before(s.monday); day = day.AddDate(0, 0, 1) {
		if err := s.business(day); err != nil {
			return err
		}
	}
	s.say.step("two weeks of business: %d orders, paid through till, 15,000 to 20,000 EUR a day from Monday to Friday; Stripe pays out each afternoon at %d:00 UTC what is a week old", s.number, paysOut)
	return nil
}

// setsIn is the morning on which the trouble begins.
func (s *stopped) setsIn() error {
	if err := s.reach(s.monday.Add(opens * time.Hour)); err != nil {
		return err
	}
	s.say.step("%s", s.why.told)
	switch {
	case s.why.iban != "":
		return s.bankAccount(s.why.iban)
	case s.why.reason != "":
		return s.stripe.control(s.ctx, "POST", "account", map[string]any{"payouts": s.why.reason, "requirements": []string{"company.verification.document"}}, nil)
	}
	return s.set(s.why.is)
}

// bankAccount is entered in Stripe's Dashboard, and made the one that is paid out to.
func (s *stopped) bankAccount(iban string) error {
	const within = "external_account"
	return s.stripe.post(s.ctx, "/v1/accounts/"+s.account+"/external_accounts", url.Values{within + "[object]": {"bank_account"}, within + "[country]": {germany}, within + "[currency]": {"eur"},
		within + "[account_number]": {iban}, "default_for_currency": {"true"}}, nil)
}

// set changes the setting of the account's payouts.
func (s *stopped) set(to string) error {
	return s.stripe.post(s.ctx, "/v1/balance_settings", url.Values{"payments[payouts][" + s.why.setting + "]": {to}}, nil)
}

// badDays are Monday to Wednesday: business as always, no money, and somebody who tries by hand.
func (s *stopped) badDays() error {
	tries := 1 + s.rand.IntN(2) // a day, where trying is possible
	for n := range 3 {
		day := s.monday.AddDate(0, 0, n)
		if err := s.business(day); err != nil {
			return err
		}
		if err := s.reach(day.Add(paysOut*time.Hour + 10*time.Minute)); err != nil {
			return err
		}
		for range tries {
			if err := s.byHand(); err != nil {
				return err
			}
		}
	}
	return s.reach(s.monday.AddDate(0, 0, 2).Add(asks))
}

// byHand saves the bank account again in the Dashboard and asks for a payout there.
func (s *stopped) byHand() error {
	switch {
	case s.why.iban != "":
		return s.retry()
	case s.why.reason != "":
		available, err := s.available()
		if err != nil {
			return err
		}
		if err := s.payOut(available); err == nil || !strings.Contains(err.Error(), "Payouts have been disabled") {
			return fmt.Errorf("payouts are stopped, and to one by hand Stripe says: %w", err)
		}
		s.refused++
	}
	return nil // nobody thinks of it
}

// retry is a payout by hand that comes back as the first did.
func (s *stopped) retry() error {
	to, err := s.current()
	if err != nil {
		return err
	}
	available, err := s.available()
	if err != nil {
		return err
	}
	if err := errors.Join(s.stripe.post(s.ctx, "/v1/accounts/"+s.account+"/external_accounts/"+to, url.Values{"metadata[saved]": {"again"}}, nil), s.payOut(available), s.pass(5*time.Minute)); err != nil {
		return err
	}
	s.tries++
	return nil
}

// current is the bank account that is paid out to.
func (s *stopped) current() (id string, err error) {
	type bank struct {
		ID      string
		Default bool `json:"default_for_currency"`
	}
	err = each(s.ctx, s.stripe, "/v1/accounts/"+s.account+"/external_accounts", nil, func(b bank) string { return b.ID }, func(b bank) {
		if b.Default {
			id = b.ID
		}
	})
	return id, err
}

// available is what Stripe would pay out now.
func (s *stopped) available() (minor int64, err error) {
	var balance struct{ Available []struct{ Amount int64 } }
	if err = s.stripe.get(s.ctx, "/v1/balance", &balance); err == nil && len(balance.Available) != 1 {
		err = fmt.Errorf("the balance has %d currencies", len(balance.Available))
	}
	if err != nil {
		return 0, err
	}
	return balance.Available[0].Amount, nil
}

func (s *stopped) payOut(minor int64) error {
	return s.stripe.post(s.ctx, "/v1/payouts", url.Values{"amount": {fmt.Sprint(minor)}, "currency": {"eur"}}, nil)
}

// stripePayout is a payout as Stripe has it.
type stripePayout struct {
	ID          string
	Status      string
	Amount      int64
	Automatic   bool
	Created     int64
	FailureCode string `json:"failure_code"`
	Back        *struct {
		Created int64
	} `json:"failure_balance_transaction"`
}

// payouts are all at Stripe, newest first.
func (w *world) payouts() (all []stripePayout, err error) {
	err = each(w.ctx, w.stripe, "/v1/payouts", url.Values{"expand[]": {"data.failure_balance_transaction"}}, func(p stripePayout) string { return p.ID }, func(p stripePayout) { all = append(all, p) })
	return all, err
}

// staged looks whether it came about as planned: what the diagnosis finds is held against nothing else.
func (s *stopped) staged() error {
	all, err := s.payouts()
	if err != nil {
		return err
	}
	since := slices.IndexFunc(all, func(p stripePayout) bool { return p.Status == "paid" })
	switch {
	case since < 0:
		return errors.New("no payout was paid in the good weeks")
	case s.why.code == "" && since != 0, s.why.code != "" && since != 1+s.tries:
		return fmt.Errorf("%d payouts since the last that was paid, with %d tries by hand", since, s.tries)
	}
	for n, p := range all[:since] {
		if p.FailureCode != s.why.code || p.Automatic != (n == since-1) {
			return fmt.Errorf("payout %s: %s, automatic %v", p.ID, p.FailureCode, p.Automatic)
		}
	}
	if since > 0 {
		first := all[since-1]
		s.say.step("Monday %s UTC: Stripe's payout of %s EUR comes back, %s, and payouts by schedule end", time.Unix(first.Back.Created, 0).UTC().Format("15:04"), money.FromMinor(first.Amount, "EUR"), first.FailureCode)
		s.say.step("%d payouts by hand, on Monday, Tuesday and Wednesday: each comes back with the same code", s.tries)
	}
	if s.refused > 0 {
		s.say.step("%d payouts by hand, on Monday, Tuesday and Wednesday: Stripe makes none of them", s.refused)
	}
	available, err := s.available()
	s.say.step("Wednesday, %s: no payout for three days, %s EUR wait at Stripe", s.monday.AddDate(0, 0, 2).Format("2 January"), money.FromMinor(available, "EUR"))
	return err
}
