package diagnose

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/till-pay/till/client"
)

// Payouts is why money does not arrive at the bank, as till says it, and the letter that tells a merchant so.
type Payouts struct {
	Check    string          `json:"check"`
	AsOf     time.Time       `json:"as_of"`
	Account  string          `json:"account"`
	Livemode bool            `json:"livemode"`
	Verdict  string          `json:"verdict"` // stripe_side, bank_side, system_side or none
	Cause    string          `json:"cause"`
	Summary  string          `json:"summary"`
	Action   PayoutAction    `json:"action"`
	Schedule string          `json:"schedule"`
	Checks   []PayoutCheck   `json:"checks"`
	Failing  PayoutsFailing  `json:"failing"`
	Attempts []PayoutAttempt `json:"attempts"` // the last ten, newest first
	Money    []PayoutFunds   `json:"money"`
	Letter   string          `json:"letter"`
}

// PayoutAction is what ends the trouble.
type PayoutAction struct {
	Who        string     `json:"who"`
	Text       string     `json:"text"`
	Expected   string     `json:"expected"`
	ExpectedOn *time.Time `json:"expected_on"`
}

// PayoutCheck is one of the five questions.
type PayoutCheck struct {
	Name    string   `json:"name"`
	Result  string   `json:"result"` // ok, warning, problem or unknown
	Text    string   `json:"text"`
	Details []string `json:"details"`
}

// PayoutAttempt is one payout.
type PayoutAttempt struct {
	ProviderRef string     `json:"provider_ref"`
	Status      string     `json:"status"`
	Amount      string     `json:"amount"`
	Currency    string     `json:"currency"`
	Automatic   bool       `json:"automatic"`
	Method      string     `json:"method"`
	Destination string     `json:"destination"`
	CreatedAt   time.Time  `json:"created_at"`
	ArrivalDate time.Time  `json:"arrival_date"`
	FailedAt    *time.Time `json:"failed_at"`
	FailureCode string     `json:"failure_code"`
	FailureText string     `json:"failure_text"`
}

// PayoutsFailing is the run of failures that goes on.
type PayoutsFailing struct {
	Since    *time.Time     `json:"since"`
	Attempts int            `json:"attempts"`
	AtLeast  bool           `json:"at_least"`
	Codes    []string       `json:"codes"`
	LastPaid *PayoutAttempt `json:"last_paid"`
}

// PayoutFunds are the money of a currency, by where it is.
type PayoutFunds struct {
	Currency     string        `json:"currency"`
	Available    string        `json:"available"`
	Pending      string        `json:"pending"`
	PendingByDay []PayoutOnDay `json:"pending_by_day"`
	Undated      string        `json:"pending_undated"`
	InTransit    string        `json:"in_transit"`
	Reserved     string        `json:"reserved"`
	Disputed     string        `json:"disputed"`
	AtStripe     string        `json:"at_stripe"`
}

// PayoutOnDay is money that becomes available on a day.
type PayoutOnDay struct {
	Day    string `json:"day"`
	Amount string `json:"amount"`
}

// CheckPayouts asks till why money does not arrive at the bank, and writes the letter to whom it is to go.
func CheckPayouts(ctx context.Context, c *client.Client, to string) (*Payouts, error) {
	p := &Payouts{}
	if err := c.Call(ctx, "GET", "/v1/payouts/diagnosis", nil, p); err != nil {
		return nil, err
	}
	p.Check = "payouts"
	p.Letter = p.letter(to)
	return p, nil
}

// Broken says whether anything keeps money from the bank.
func (p *Payouts) Broken() bool { return p.Verdict != "none" }

// verdicts are the sides in words.
var verdicts = map[string]string{"bank_side": "at the bank", "stripe_side": "at Stripe", "system_side": "in the account's own settings or balance", "none": "nothing is broken"}

// questions are the five checks in words.
var questions = map[string]string{"payouts_enabled": "payouts enabled", "requirements": "requirements", "bank_account": "bank account", "balance": "balance", "disputes": "disputes"}

// marks are how a check ended, for the eye.
var marks = map[string]string{"ok": "✓", "warning": "!", "problem": "✗", "unknown": "?"}

// Write tells it to a person.
func (p *Payouts) Write(w io.Writer) {
	fmt.Fprintf(w, "Payouts of %s, %s\n\n", p.Account, moment(p.AsOf))
	for _, c := range p.Checks {
		fmt.Fprintf(w, "  %s %-16s %s\n", cmp.Or(marks[c.Result], "?"), cmp.Or(questions[c.Name], c.Name), c.Text)
		for _, d := range c.Details {
			fmt.Fprintf(w, "    %-16s %s\n", "", d)
		}
	}
	fmt.Fprintf(w, "\n%s\n", p.began())
	p.writeAttempts(w)
	p.writeMoney(w)
	fmt.Fprintf(w, "\nVerdict: %s (%s, %s)\n%s\n", cmp.Or(verdicts[p.Verdict], p.Verdict), p.Verdict, p.Cause, p.Summary)
	fmt.Fprintf(w, "\nWhat to do (%s): %s\nExpected: %s\n", p.Action.Who, p.Action.Text, p.Action.Expected)
}

// began says since when nothing arrives.
func (p *Payouts) began() string {
	last := "No payout that was paid is known."
	if paid := p.Failing.LastPaid; paid != nil {
		last = fmt.Sprintf("The last payout that was paid was made on %s: %s %s.", moment(paid.CreatedAt), paid.Amount, paid.Currency)
	}
	if p.Failing.Since == nil && p.quiet() {
		return "It began after the last payout: none has failed, and none has been made since. " + last
	}
	if p.Failing.Since == nil {
		return "No payout has failed since the last that was paid. " + last
	}
	least := ""
	if p.Failing.AtLeast {
		least = "at least "
	}
	return fmt.Sprintf("It began on %s: %s%s since then (%s). %s", moment(*p.Failing.Since), least, plural(p.Failing.Attempts, "failed payout"), strings.Join(p.Failing.Codes, ", "), last)
}

// quiet says whether payouts have ended without one that failed.
func (p *Payouts) quiet() bool {
	return p.Broken() && p.Failing.LastPaid != nil && len(p.Attempts) > 0 && p.Attempts[0].ProviderRef == p.Failing.LastPaid.ProviderRef
}

func (p *Payouts) writeAttempts(w io.Writer) {
	if len(p.Attempts) == 0 {
		fmt.Fprintln(w, "\nThere are no payouts yet.")
		return
	}
	fmt.Fprintf(w, "\nLast payouts\n  %-20s  %16s  %-9s  %-10s  %s\n", "made", "amount", "by", "status", "why")
	for _, a := range p.Attempts {
		by := "hand"
		if a.Automatic {
			by = "schedule"
		}
		why := ""
		if a.FailureCode != "" {
			why = a.FailureCode + ": " + a.FailureText
		}
		line := fmt.Sprintf("  %-20s  %16s  %-9s  %-10s  %s", minute(a.CreatedAt), a.Amount+" "+a.Currency, by, a.Status, why)
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

func (p *Payouts) writeMoney(w io.Writer) {
	if len(p.Money) == 0 {
		return
	}
	fmt.Fprintf(w, "\nMoney         %16s  %16s  %16s  %16s\n", "available", "pending", "to the bank", "in disputes")
	for _, m := range p.Money {
		fmt.Fprintf(w, "  %-10s  %16s  %16s  %16s  %16s\n", m.Currency, m.Available, m.Pending, m.InTransit, m.Disputed)
	}
}

// moment is a time with its day of the week, for whoever remembers that it was a Monday.
func moment(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006, 15:04 UTC") }

// amounts are those sums of all currencies that are more than nothing, in a line: "47230.00 EUR and 12.00 USD".
func (p *Payouts) amounts(of func(PayoutFunds) string) string {
	var all []string
	for _, m := range p.Money {
		if amount := of(m); !strings.HasPrefix(amount, "-") && strings.ContainsAny(amount, "123456789") {
			all = append(all, amount+" "+m.Currency)
		}
	}
	return strings.Join(all, " and ")
}
