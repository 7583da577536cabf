package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

var declinesDiagnosis = strings.Fields(strings.TrimPrefix(declinedPayments.Diagnosis, "till "))

// declinesFound is what till diagnose declines --json says.
type declinesFound struct {
	Recent, Before struct {
		Decided, Declined int
		Rate              float64
	}
	Rise struct {
		Points  float64
		Percent float64 `json:"per_cent"`
		Clear   bool
	}
	Classes     []declinesShare
	Codes       []declinesShare
	Integration struct {
		Unchanged bool
		Evidence  []string
	}
	Purchases []struct {
		PaymentID string `json:"payment_id"`
		Email     string
		Amount    string
		Currency  string
		Code      string
		Class     string
		Action    string
	}
	Recovered       int
	Recommendations []struct {
		Name, Words string
		Count       int
		Amounts     map[string]string
	}
	Cause string
}

type declinesShare struct {
	Name, Words string
	Count, Of   int
	Share       float64
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (d *declines) find() (Cause, error) {
	if err := d.show(d.reader, declinesDiagnosis...); err != nil {
		return Cause{}, err
	}
	if err := d.ask(d.reader, &d.result, declinesDiagnosis...); err != nil {
		return Cause{}, err
	}
	r := d.result
	wrong := d.differs()
	if wrong != "" {
		d.say.printf("  ✗ what was found is not what was staged: %s\n", wrong)
	}
	figures := map[string]any{"declined_before": fmt.Sprintf("%d of %d (%.1f %%)", r.Before.Declined, r.Before.Decided, r.Before.Rate),
		"declined_lately": fmt.Sprintf("%d of %d (%.1f %%)", r.Recent.Declined, r.Recent.Decided, r.Recent.Rate), "rise": fmt.Sprintf("%.1f %%", r.Rise.Percent),
		"integration_unchanged": r.Integration.Unchanged}
	if len(r.Codes) > 0 {
		figures["most_frequent_code"] = fmt.Sprintf("%s, %d of %d", r.Codes[0].Name, r.Codes[0].Count, r.Codes[0].Of)
	}
	return Cause{Found: wrong == "", Words: r.Cause, Figures: figures}, nil
}

// classOf is who ends an order in this story.
var classOf = map[string]string{byRadar: "radar", bySecure: "3ds", "processing_error": "technical"}

// codeOf is the code that Stripe gives it.
var codeOf = map[string]string{byRadar: "fraudulent", bySecure: "payment_intent_authentication_failure"}

// differs holds what was found against what was staged; "" where both are the same.
func (d *declines) differs() string {
	r := d.result
	if r.Recent.Decided > len(d.sales) {
		return "the payments of both times"
	}
	before := len(d.sales) - r.Recent.Decided
	quiet, sale := unpaid(d.sales[:before]), unpaid(d.sales[before:])
	advised := 0
	for _, a := range r.Recommendations {
		if a.Name == "sepa_debit" {
			advised = a.Count
		}
	}
	for what, holds := range map[string]bool{
		"the payments of both times":         r.Recent.Decided%saleDays == 0 && r.Before.Decided+r.Recent.Decided == len(d.sales) && r.Recent.Declined == sale.all && r.Before.Declined == quiet.all,
		"a rise that is hardly chance":       r.Rise.Clear && r.Rise.Percent > 0,
		"who declined":                       asStaged(r.Classes, sale.classes),
		"the codes":                          len(sale.codes) > 8 || asStaged(r.Codes, sale.codes),
		"shares that add up to 100 %":        whole(r.Classes) && whole(r.Codes),
		"an unchanged integration":           r.Integration.Unchanged,
		"every unpaid purchase":              len(r.Purchases) == sale.all && r.Recovered == 0,
		"SEPA for carts in euro, not francs": advised == sale.sepa,
	} {
		if !holds {
			return what
		}
	}
	return ""
}

// staged are orders that were staged to end unpaid.
type staged struct {
	all, sepa      int // sepa: those that a direct debit could have paid
	classes, codes map[string]int
}

func unpaid(sales []order) staged {
	s := staged{classes: map[string]int{}, codes: map[string]int{}}
	for _, o := range sales {
		if o.ends == "" {
			continue
		}
		s.all++
		s.classes[cmp.Or(classOf[o.ends], "issuer")]++
		s.codes[cmp.Or(codeOf[o.ends], o.ends)]++
		if classOf[o.ends] == "" && o.amount.Currency == "EUR" && o.card != "pm_card_mastercard" {
			s.sepa++
		}
	}
	return s
}

func asStaged(found []declinesShare, staged map[string]int) bool {
	n := 0
	for _, s := range found {
		if s.Count != staged[s.Name] {
			return false
		}
		n += s.Count
	}
	for _, want := range staged {
		n -= want
	}
	return n == 0
}

func whole(all []declinesShare) bool {
	sum := 0.0
	for _, s := range all {
		sum += s.Share
	}
	return math.Abs(sum-100) < 1e-6
}

func (d *declines) repair() error {
	d.told, d.back = map[string]int{}, map[string]int64{}
	for _, act := range []func() error{d.retry, d.tell, d.comeBack, d.verify} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// retry tries the same card again where no bank has said no, each under a key of its own.
func (d *declines) retry() error {
	tried := 0
	for _, p := range d.result.Purchases {
		if p.Action != "retry_now" {
			continue
		}
		tried++
		if err := d.pay(p.PaymentID, "retry-", ""); err != nil {
			return err
		}
	}
	d.say.step("%d purchases that no bank had declined are tried once more with the same card, each under a key made of its payment: all are paid", tried)
	return nil
}

// pay pays for the order of a declined payment again; card is the other one that the customer takes, or "" for the same.
func (d *declines) pay(declined, prefix, card string) error {
	at := slices.IndexFunc(d.sales, func(o order) bool { return o.number == d.numbers[declined] })
	if at < 0 {
		return fmt.Errorf("payment %s is of no order", declined)
	}
	o := d.sales[at]
	if card != "" {
		o.card = card
	}
	var p payment
	if err := d.call("POST", "/v1/payments", o.body(), &p, client.Key(prefix+declined)); err != nil {
		return err
	}
	if p.Status != "completed" {
		return fmt.Errorf("order %s is %s again", o.number, p.Status)
	}
	d.again++
	d.back[string(o.amount.Currency)] += o.amount.Minor
	return nil
}

// templates say what a customer is told for each action. What Radar stopped is looked at by a person first: nobody is told.
var templates = map[string]string{"another_card": "another_card", "retry_later": "another_card", "update_card": "update_card", "authenticate": "confirm_with_bank"}

// tell writes to the customers, and once more: they hear it once.
func (d *declines) tell() error {
	for round := range 2 {
		for _, p := range d.result.Purchases {
			template := templates[p.Action]
			if p.Class == "3ds" {
				template = "confirm_with_bank"
			}
			if template == "" {
				continue
			}
			if err := d.call("POST", "/v1/messages", map[string]any{"payment_id": p.PaymentID, "template": template,
				"figures": map[string]string{"order": d.numbers[p.PaymentID], "url": "https://techgear.example/pay/" + d.numbers[p.PaymentID]}}, nil); err != nil {
				return err
			}
			if round == 0 {
				d.told[template]++
			}
		}
	}
	n := 0
	if err := client.Each(d.ctx, d.till, "/v1/messages", url.Values{"limit": {"100"}, "state": {"queued"}}, func(struct{}) error { n++; return nil }); err != nil {
		return err
	}
	if n != letters(d.told) {
		return fmt.Errorf("%d messages are kept, and %d customers were to be told", n, letters(d.told))
	}
	d.say.step("%d customers are told, once each although they were asked for twice: %s", n, figure(d.told))
	return d.show(d.reader, "messages", "--state", "queued", "--limit", "5")
}

func letters(of map[string]int) (n int) {
	for _, v := range of {
		n += v
	}
	return n
}

// comeBack has every third customer who was told pay with another card.
func (d *declines) comeBack() error {
	came := 0
	for n, p := range d.result.Purchases {
		if n%3 != 0 || templates[p.Action] == "" {
			continue
		}
		came++
		if err := d.pay(p.PaymentID, "again-", "pm_card_visa"); err != nil {
			return err
		}
	}
	d.say.step("%d of them come back and pay with another card", came)
	return nil
}

// verify has the diagnosis look again.
func (d *declines) verify() error {
	var now declinesFound
	if err := errors.Join(d.arrived(), d.ask(d.reader, &now, declinesDiagnosis...)); err != nil {
		return err
	}
	if now.Recovered != d.again || len(now.Purchases) != len(d.result.Purchases)-d.again {
		return fmt.Errorf("%d purchases were paid after all, and the diagnosis says %d; %d of %d are unpaid", d.again, now.Recovered, len(now.Purchases), len(d.result.Purchases))
	}
	d.say.step("the diagnosis, asked again: %d of %d purchases are paid after all, worth %s", now.Recovered, len(d.result.Purchases), total(d.won()))
	return nil
}

// won is what was paid after all, by currency.
func (d *declines) won() map[string]string {
	all := map[string]string{}
	for c, minor := range d.back {
		all[c] = money.FromMinor(minor, money.Currency(c)).String()
	}
	return all
}

func (d *declines) letter() string {
	r := d.result
	who, why := r.Classes[0], r.Codes[0]
	var b strings.Builder
	say := func(format string, args ...any) { b.WriteString(folded(fmt.Sprintf(format, args...), "")) }
	say("Dear %s,", declinedPayments.Ticket.Contact)
	b.WriteString("\n")
	say("it is the banks, not Stripe, and not your integration.")
	b.WriteString("\n")
	say("In the last %d days %d of %d payments were declined, %.1f %%. In the %d days before it was %.1f %% (%d of %d). That is a rise by %.0f %%, and more than chance.", saleDays,
		r.Recent.Declined, r.Recent.Decided, r.Recent.Rate, quietDays, r.Before.Rate, r.Before.Declined, r.Before.Decided, r.Rise.Percent)
	b.WriteString("\n")
	say("Of the %d, %d (%.1f %%) were declined by %s. The most frequent reason is %q: %s, %d times (%.1f %%). The others:", r.Recent.Declined, who.Count, who.Share, who.Words,
		why.Name, why.Words, why.Count, why.Share)
	for _, c := range r.Classes[1:] {
		fmt.Fprintf(&b, "  %3d  (%.1f %%)  %s\n", c.Count, c.Share, c.Words)
	}
	b.WriteString("\n")
	say("Your program asks for payments as it did before: the same key, no more technical failures, no more repeats. There is nothing to roll back.")
	b.WriteString("\nWhat we suggest, by what it may save:\n")
	for n, a := range r.Recommendations[:min(3, len(r.Recommendations))] {
		b.WriteString(folded(fmt.Sprintf("  %d. %s", n+1, a.Words), "     "))
	}
	b.WriteString("\n")
	say("What is done already: %d customers have a message with a link to pay again, and what failed for a technical reason was charged once more. So far %d of the %d purchases are paid after all, worth %s. What Stripe's Radar stopped we left alone: please look at it before anybody tries it again.",
		letters(d.told), d.again, len(r.Purchases), total(d.won()))
	return b.String()
}

// folded is a paragraph in lines of a hundred characters, each but the first set in.
func folded(text, in string) string {
	const wide = 100
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	line, all := "", ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(lead+line+" "+word)) > wide {
			all, line, lead = all+lead+line+"\n", "", in
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return all + lead + line + "\n"
}
