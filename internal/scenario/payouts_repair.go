package scenario

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

var payoutsDiagnosis = strings.Fields(strings.TrimPrefix(stoppedPayouts.Diagnosis, "till "))

// payoutsFound is what till diagnose payouts --json says.
type payoutsFound struct {
	Verdict string `json:"verdict"`
	Cause   string `json:"cause"`
	Summary string `json:"summary"`
	Action  struct {
		Who  string `json:"who"`
		Text string `json:"text"`
	} `json:"action"`
	Checks []struct {
		Name   string `json:"name"`
		Result string `json:"result"`
	} `json:"checks"`
	Failing struct {
		Since    *time.Time `json:"since"`
		Attempts int        `json:"attempts"`
		Codes    []string   `json:"codes"`
		LastPaid *struct {
			ProviderRef string    `json:"provider_ref"`
			CreatedAt   time.Time `json:"created_at"`
		} `json:"last_paid"`
	} `json:"failing"`
	Attempts []struct {
		ProviderRef string `json:"provider_ref"`
		Status      string `json:"status"`
		Amount      string `json:"amount"`
		Automatic   bool   `json:"automatic"`
		FailureCode string `json:"failure_code"`
	} `json:"attempts"`
	Money []struct {
		Currency  string `json:"currency"`
		Available string `json:"available"`
		Pending   string `json:"pending"`
	} `json:"money"`
	Letter string `json:"letter"`
}

func (s *stopped) find() (Cause, error) {
	if err := s.show(s.reader, payoutsDiagnosis...); err != nil {
		return Cause{}, err
	}
	if err := s.ask(s.reader, &s.result, payoutsDiagnosis...); err != nil {
		return Cause{}, err
	}
	stuck, pending, err := s.owed()
	if err != nil {
		return Cause{}, err
	}
	all, err := s.payouts()
	if err != nil {
		return Cause{}, err
	}
	r := s.result
	c := Cause{Found: s.right(all, stuck, pending), Words: r.Summary, Figures: map[string]any{"verdict": r.Verdict, "payouts_failed": r.Failing.Attempts}}
	if r.Failing.LastPaid != nil {
		c.Figures["last_paid"] = r.Failing.LastPaid.CreatedAt.UTC().Format("Monday 15:04 UTC")
	}
	if len(r.Failing.Codes) > 0 {
		c.Figures["failure_code"] = strings.Join(r.Failing.Codes, ", ")
	}
	if r.Failing.Since != nil {
		c.Figures["failing_since"] = r.Failing.Since.UTC().Format("Monday 15:04 UTC")
	}
	if len(r.Money) == 1 {
		c.Figures["stuck"], c.Figures["pending"] = r.Money[0].Available+" "+r.Money[0].Currency, r.Money[0].Pending+" "+r.Money[0].Currency
	}
	return c, nil
}

// owed are what is left of the payments that are available, and were in no payout that was paid, and of those that are pending, by what
// Stripe took of each: the diagnosis goes by the balance.
func (s *stopped) owed() (stuck, pending string, err error) {
	type line struct {
		ID      string
		Type    string
		Net     int64
		Created int64
	}
	available, waiting := int64(0), int64(0)
	err = each(s.ctx, s.stripe, "/v1/balance_transactions", nil, func(l line) string { return l.ID }, func(l line) {
		switch on := time.Unix(l.Created, 0).UTC(); {
		case l.Type != "charge" || on.Before(s.monday.Add(-settling)):
		case on.Before(s.monday.Add(3*24*time.Hour - settling)):
			available += l.Net
		default:
			waiting += l.Net
		}
	})
	return money.FromMinor(available, "EUR").String(), money.FromMinor(waiting, "EUR").String(), err
}

// right says whether the verdict is the one that was staged, with its beginning, its attempts and its money.
func (s *stopped) right(all []stripePayout, stuck, pending string) bool {
	r := s.result
	if r.Verdict != s.why.verdict || r.Cause != s.why.cause || len(r.Checks) != 5 || len(r.Money) != 1 || r.Money[0].Available != stuck || r.Money[0].Pending != pending {
		return false
	}
	problem := s.why.check == ""
	for _, c := range r.Checks {
		problem = problem || c.Name == s.why.check && c.Result == "problem"
	}
	return problem && r.Action.Text != "" && s.rightRun(all) && s.rightAttempts(all)
}

// rightRun says whether the run of failures is the one at Stripe.
func (s *stopped) rightRun(all []stripePayout) bool {
	f := s.result.Failing
	failed := 0
	for failed < len(all) && all[failed].Status == "failed" {
		failed++
	}
	if f.Attempts != failed || failed == len(all) || f.LastPaid == nil || f.LastPaid.ProviderRef != all[failed].ID {
		return false
	}
	if failed == 0 {
		return f.Since == nil && len(f.Codes) == 0
	}
	return f.Since != nil && f.Since.Unix() == all[failed-1].Back.Created && len(f.Codes) == 1 && f.Codes[0] == s.why.code
}

// rightAttempts says whether the last ten payouts are those at Stripe.
func (s *stopped) rightAttempts(all []stripePayout) bool {
	if len(s.result.Attempts) != min(10, len(all)) {
		return false
	}
	for n, a := range s.result.Attempts {
		p := all[n]
		if a.ProviderRef != p.ID || a.Status != p.Status || a.Amount != money.FromMinor(p.Amount, "EUR").String() || a.Automatic != p.Automatic || a.FailureCode != p.FailureCode {
			return false
		}
	}
	return true
}

func (s *stopped) repair() error {
	for _, act := range []func() error{s.act, s.clear, s.arrives, s.known, s.booked} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// act does what the diagnosis says.
func (s *stopped) act() error {
	switch {
	case s.why.iban != "":
		s.say.step("the right IBAN is entered in Stripe's Dashboard, and made the default")
		return s.bankAccount("DE89370400440532013000")
	case s.why.reason == "requirements.past_due":
		s.say.step("the document is handed in; Stripe looks into it, for two hours, and switches payouts on")
		if err := errors.Join(s.stripe.control(s.ctx, "POST", "account", map[string]any{"payouts": "requirements.pending_verification"}, nil), s.pass(2*time.Hour)); err != nil {
			return err
		}
	case s.why.reason != "":
		s.say.step("nothing is to be done but to wait: the next morning Stripe has looked into the document, and switches payouts on")
		if err := s.reach(s.monday.AddDate(0, 0, 3).Add(opens * time.Hour)); err != nil {
			return err
		}
	default:
		s.say.step("the setting is taken back")
		return s.set(s.why.was)
	}
	return s.stripe.control(s.ctx, "POST", "account", map[string]any{"payouts": "enabled"}, nil)
}

// clear: the diagnosis finds nothing in the way any more, before any money has moved.
func (s *stopped) clear() error {
	var after payoutsFound
	if err := s.ask(s.reader, &after, payoutsDiagnosis...); err != nil {
		return err
	}
	if after.Verdict != "none" {
		return fmt.Errorf("after the repair the verdict is %s: %s", after.Verdict, after.Summary)
	}
	s.say.step("till diagnose payouts: %s", after.Summary)
	return nil
}

// arrives: the next payout goes out by itself, with all that has waited, and is paid.
func (s *stopped) arrives() error {
	before, err := s.payouts()
	if err != nil {
		return err
	}
	if err := s.reach(s.monday.AddDate(0, 0, 3).Add(paysOut*time.Hour - time.Minute)); err != nil {
		return err
	}
	waited, err := s.available()
	if err != nil {
		return err
	}
	if err := s.pass(10 * time.Minute); err != nil {
		return err
	}
	all, err := s.payouts()
	if err != nil {
		return err
	}
	if len(all) != len(before)+1 || all[0].Status != "paid" || !all[0].Automatic || all[0].Amount != waited {
		return fmt.Errorf("of %d payouts the newest is %+v, and not one that pays out %d", len(all), all[0], waited)
	}
	left, err := s.available()
	if err != nil {
		return err
	}
	if left != 0 {
		return fmt.Errorf("%d are left in the balance", left)
	}
	s.next = all[0]
	s.say.step("%s UTC: the next payout goes out by itself, %s EUR, and is paid; nothing that was available is left behind", s.paidOn().Format("Monday 15:04"), money.FromMinor(s.next.Amount, "EUR"))
	return nil
}

// booked: every line of Stripe's balance is accounted for, and the payout to its lines.
func (s *stopped) booked() error {
	r, err := s.reconcile()
	if err != nil {
		return err
	}
	if !r.settled() {
		return fmt.Errorf("the books do not account for Stripe's balance: %+v", r)
	}
	var paid struct {
		Ready     bool   `json:"ready"`
		Remainder string `json:"remainder"`
	}
	if err := s.call("GET", "/v1/reconciliation/payouts/"+s.next.ID, nil, &paid); err != nil || !paid.Ready || paid.Remainder != money.FromMinor(0, "EUR").String() {
		return fmt.Errorf("of the payout %s, %q is not accounted for by its lines: %w", s.next.ID, paid.Remainder, err)
	}
	for _, c := range r.Currencies {
		s.say.step("the books: %d lines of Stripe's balance in %s, remainder %s; the payout to its lines, remainder %s", c.Lines, c.Currency, c.Remainder, paid.Remainder)
	}
	return nil
}

func (s *stopped) paidOn() time.Time { return time.Unix(s.next.Created, 0).UTC() }

// letter is the one of the diagnosis, with what became of it.
func (s *stopped) letter() string {
	return fmt.Sprintf("%s\n\nP.S. We have watched it since: on %s a payout of %s EUR went out to your bank.\nIt holds all that had waited, and what has become available meanwhile.",
		s.result.Letter, s.paidOn().Format("Monday, 2 January"), money.FromMinor(s.next.Amount, "EUR"))
}

// known: till has each payout as Stripe has it, though none of them was made through till.
func (s *stopped) known() error {
	all, err := s.payouts()
	if err != nil {
		return err
	}
	return s.eventually("till knows each payout as Stripe has it", func() (bool, error) {
		there := map[string]string{}
		err := client.Each(s.ctx, s.till, "/v1/payouts", url.Values{"limit": {"100"}}, func(p struct {
			Ref     string `json:"provider_ref"`
			Status  string `json:"status"`
			Amount  string `json:"amount"`
			Failure *struct {
				Code string `json:"code"`
			} `json:"failure"`
		}) error {
			if there[p.Ref] = p.Status + " " + p.Amount; p.Failure != nil {
				there[p.Ref] += " " + p.Failure.Code
			}
			return nil
		})
		for _, p := range all {
			if there[p.ID] != strings.TrimSpace(p.Status+" "+money.FromMinor(p.Amount, "EUR").String()+" "+p.FailureCode) {
				return false, err
			}
		}
		return len(there) == len(all), err
	})
}
