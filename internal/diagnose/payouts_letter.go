package diagnose

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// payoutsLetter is what a merchant reads: one page, without the words of an API. Every figure in it is computed.
var payoutsLetter = template.Must(template.New("letter").Parse(`Hello {{.To}},

{{.Opening}}

{{.Safe}}

{{.Happened}}

{{.Do}}

{{.When}}

Kind regards`))

// letter tells the merchant what happened, that the money is safe, what is to be done, and when it comes.
func (p *Payouts) letter(to string) string {
	var out strings.Builder
	_ = payoutsLetter.Execute(&out, map[string]string{"To": cmp.Or(to, "there"), "Opening": p.opening(), "Safe": p.safe(), "Happened": p.happened(), "Do": p.do(), "When": p.when()}) // to memory
	return filled(fieldNames.ReplaceAllString(out.String(), ""))
}

// fieldNames are Stripe's own names of what it asks for, behind the words for them.
var fieldNames = regexp.MustCompile(` \([a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)+\)`)

const longDay = "Monday, 2 January"

func (p *Payouts) opening() string {
	if !p.Broken() {
		return "we have looked into your payouts, and nothing is broken."
	}
	since := ""
	if paid := p.Failing.LastPaid; paid != nil {
		since = fmt.Sprintf(" since the one of %s (%s %s)", paid.CreatedAt.UTC().Format(longDay), paid.Amount, paid.Currency)
	}
	if p.Failing.Since == nil {
		return fmt.Sprintf("you are right: no payout has reached your bank%s. We have looked into it, and this is what we found.", since)
	}
	first := p.Failing.Since.UTC().Format(longDay + ", 15:04 UTC")
	more := ""
	if n := p.Failing.Attempts - 1; n > 0 {
		more = ", and so have " + plural(n, "later attempt")
		if n == 1 {
			more = ", and so has one later attempt"
		}
	}
	return fmt.Sprintf("you are right: no payout has reached your bank%s. The payout of %s failed%s. We have looked into it, and this is what we found.", since, first, more)
}

// safe says where the money is.
func (p *Payouts) safe() string {
	ready, pending, transit := p.amounts(func(m PayoutFunds) string { return m.Available }), p.amounts(func(m PayoutFunds) string { return m.Pending }), p.amounts(func(m PayoutFunds) string { return m.InTransit })
	disputed := p.amounts(func(m PayoutFunds) string { return m.Disputed })
	say := []string{"Your money is safe, and nothing of it is lost."}
	add := func(amount, what string) {
		if amount != "" {
			say = append(say, fmt.Sprintf(what, amount))
		}
	}
	add(ready, "%s is in your Stripe balance, ready to be paid out.")
	add(pending, "%s from your latest sales is still being settled, as always, and follows day by day.")
	add(transit, "%s is on its way to your bank now.")
	add(disputed, "%s is held by disputes until they are decided.")
	return strings.Join(say, " ")
}

// happened is the cause in a merchant's words.
func (p *Payouts) happened() string {
	switch p.Verdict {
	case "bank_side":
		if a := p.failed(); a != nil {
			return fmt.Sprintf("What happened: Stripe sent the money, and the bank sent it back. The account is %s, and the reason that the bank gave is this: %s After that Stripe makes no payouts to this account by itself, "+
				"so that money does not go back and forth. Your shop and its payments are not touched by this.", a.Destination, lower(a.FailureText))
		}
	case "stripe_side":
		return "What happened: Stripe has paused your payouts, and only these: your customers pay as before. " + p.asked()
	}
	if p.Cause == "minimum_balance" {
		return "What happened: " + p.Summary + " Somebody has set it so; Stripe does not by itself."
	}
	if p.Cause == "schedule_manual" {
		return "What happened: neither Stripe nor your bank has refused anything. Your Stripe account is set to pay out only when somebody asks for it, and nobody has asked."
	}
	return "What happened: " + p.Summary
}

// failed is the newest attempt that failed.
func (p *Payouts) failed() *PayoutAttempt {
	for i, a := range p.Attempts {
		if a.Status == "failed" && a.FailureText != "" {
			return &p.Attempts[i]
		}
	}
	return nil
}

// asked is why Stripe has paused payouts, with what it looks into. What it asks the merchant for stands in what is to be done.
func (p *Payouts) asked() string {
	var say []string
	for _, c := range p.Checks {
		if c.Name == "payouts_enabled" {
			say = append(say, c.Text)
		}
		if c.Name == "requirements" && len(c.Details) > 0 && !strings.Contains(p.Action.Text, c.Details[0]) {
			say = append(say, "It is about "+strings.Join(c.Details, "; ")+".")
		}
	}
	return strings.Join(say, " ")
}

// inTheirWords are the actions that till words for programs.
var inTheirWords = map[string]string{
	"schedule_manual": "Let Stripe pay out by itself again: in the Stripe Dashboard, under Settings, Payouts, Schedule, choose daily. Find out who changed it, and why: " +
		"Stripe does not change it by itself.",
	"insufficient_funds": "Do not pay out more than is available, then save the bank account anew in the Stripe Dashboard (Settings, Payouts), which lets payouts by schedule begin again.",
}

func (p *Payouts) do() string {
	text := cmp.Or(inTheirWords[p.Cause], p.Action.Text)
	if p.Action.Who == "stripe" || p.Action.Who == "nobody" {
		return "What happens next: " + text
	}
	if p.Verdict == "bank_side" {
		text += " Please do not start further payouts before that: each comes back the same way."
	}
	return "What you should do: " + text
}

// when is when money comes, once it is done.
func (p *Payouts) when() string {
	on := p.Action.ExpectedOn
	switch {
	case p.Cause == "schedule_manual":
		return "When the money comes: payouts go on from the next business day on. Money usually shows at the bank one to two business days after a payout was made."
	case on == nil || p.Verdict == "none" || p.Verdict == "stripe_side" || p.Cause == "balance_negative" || p.Cause == "disputes_hold_funds":
		return "When the money comes: " + p.Action.Expected
	case p.Schedule == "manual":
		return "When the money comes: as soon as you ask for a payout after that. It usually shows at the bank one to two business days later."
	}
	return fmt.Sprintf("When the money comes: payouts are usually unblocked within one to two hours of that. The next one is then made on %s, with all that is ready by then, and usually shows at the bank one to two business days later.",
		on.UTC().Format(longDay))
}

// lower makes the beginning of a sentence its middle.
func lower(s string) string {
	if s == "" {
		return "none."
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// widest is how many characters a line of a letter has at most.
const widest = 110

// filled breaks the lines of a text, whose paragraphs are lines.
func filled(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		at := 0
		for n, word := range strings.Fields(line) {
			switch length := len([]rune(word)); {
			case n > 0 && at+1+length > widest:
				out.WriteString("\n")
				at = length
			case n > 0:
				out.WriteString(" ")
				at += 1 + length
			default:
				at = length
			}
			out.WriteString(word)
		}
		out.WriteString("\n")
	}
	return strings.TrimSpace(out.String())
}
