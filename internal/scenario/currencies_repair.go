package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/internal/money"
)

// currencyReport is what till report currencies --json says.
type currencyReport struct {
	ChangedAt *time.Time `json:"changed_at"`
	Regions   []struct {
		Region        string
		Before, After *tally
		Whole         tally
		Change        string
	} `json:"regions"`
	Pairs    []pairFound `json:"pairs"`
	Unbooked int         `json:"charges_not_booked"`
	Balances []struct{ Currency, Available, Pending string }
}

type tally struct {
	Accepted, Declined int
	Authenticated      int
	Acceptance         string
}

func (t tally) words() string {
	return fmt.Sprintf("%d of %d (%s %%)", t.Accepted, t.Accepted+t.Declined, t.Acceptance)
}

type pairFound struct {
	From, To, Charged, Settled, Fees string
	FeePercent                       string `json:"fee_percent"`
	Charges                          int
	Spread                           *struct{ Rate, Middle, Percent, Cost string }
}

// consolidated is what till report consolidation --json says.
type consolidated struct {
	Weeks []struct {
		From           time.Time
		Settled, Total string
		Converted      string `json:"would_be_converted"`
		Legs           []struct {
			Paid     string `json:"paid_in"`
			Settled  string `json:"settled_in"`
			Exchange *struct{ Basis, Rate, Percent string }
		}
		PaidOut []struct{ Amount, Currency string } `json:"paid_out"`
	}
}

// localSale is an order at a price that till gave.
type localSale struct {
	country, amount, currency, rate string
	strong                          bool
}

func (g *globe) find() (Cause, error) {
	command := strings.Fields(strings.TrimPrefix(manyCurrencies.Diagnosis, "till "))
	if err := g.show(g.reader, command...); err != nil {
		return Cause{}, err
	}
	if err := g.ask(g.reader, &g.report, command...); err != nil {
		return Cause{}, err
	}
	figures := map[string]any{"currencies": len(g.report.Pairs)}
	for _, p := range g.report.Pairs {
		if p.Spread != nil {
			figures["conversion_"+p.From+"_to_"+p.To] = fmt.Sprintf("%s %s of %s (%s %%), fees %s (%s %%)", p.Spread.Cost, p.To, p.Settled, p.Spread.Percent, p.Fees, p.FeePercent)
		}
	}
	return Cause{Found: g.right(), Words: "What is not settled in its own currency is converted by Stripe below the middle rate, charge by charge, at prices that were worked out by hand.", Figures: figures}, nil
}

// right says whether the report has every payment and every charge that was staged, in its region and its currency, and the cost of each conversion.
func (g *globe) right() bool {
	if g.report.Unbooked != 0 || len(g.report.Pairs) != len(g.sold) || len(g.report.Regions) != len(g.region) {
		return false
	}
	for _, r := range g.report.Regions {
		if want := g.region[r.Region]; want == nil || r.Whole.Accepted != want.accepted || r.Whole.Declined != want.declined {
			return false
		}
	}
	for _, p := range g.report.Pairs {
		c := money.Currency(p.From)
		want := g.sold[c]
		converted := p.From != "GBP" && p.From != "USD"
		if want == nil || p.Charges != want.charges || p.Charged != money.FromMinor(want.minor, c).String() || converted != (p.Spread != nil) || converted != (p.From != p.To) {
			return false
		}
		if converted && !below(p.Spread.Percent, 0.5, 3) {
			return false
		}
	}
	return true
}

// below says whether a spread is one: what Stripe publishes, and some pennies of rounding.
func below(percent string, least, most float64) bool {
	is, err := strconv.ParseFloat(percent, 64)
	return err == nil && is >= least && is <= most
}

func (g *globe) repair() error {
	for _, act := range []func() error{g.switchOn, g.sellLocally, g.weekly, g.wait, g.measure} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// switchOn lets customers pay in the currency of their country.
func (g *globe) switchOn() error {
	if err := g.call("PUT", "/v1/merchant/settings", map[string]any{"local_currencies": map[string]any{"enabled": true, "currencies": []string{"GBP", "USD", "EUR", "JPY", "AUD", "PLN", "KES"}}}, nil); err != nil {
		return err
	}
	g.say.step("local currencies are on: the shop asks till what to charge, by the customer's country")
	return nil
}

// sellLocally is a week of sales at the prices that till gives.
func (g *globe) sellLocally() error {
	for _, b := range g.crowd() {
		var p struct {
			Amount, Currency, Reason string
			Rate                     *struct{ Value string }
			Strong                   bool `json:"strong_authentication"`
		}
		if err := g.call("GET", "/v1/local_price?amount=49.00&currency=GBP&country="+b.country, nil, &p); err != nil {
			return err
		}
		if want := handmade[b.country][1]; p.Currency != want || b.strong && !p.Strong {
			return fmt.Errorf("a customer in %s is to pay in %s (%s), authenticated %v", b.country, p.Currency, p.Reason, p.Strong)
		}
		if err := g.sell(b, [2]string{p.Amount, p.Currency}); err != nil {
			return err
		}
		sale := localSale{country: b.country, amount: p.Amount, currency: p.Currency, strong: p.Strong}
		if p.Rate != nil {
			sale.rate = p.Rate.Value
		}
		if !slices.Contains(g.local, sale) {
			g.local = append(g.local, sale)
			g.say.step("49.00 GBP for a customer in %s: %s %s%s", sale.country, sale.amount, sale.currency, at(sale.rate))
		}
	}
	return nil
}

func at(rate string) string {
	if rate == "" {
		return ""
	}
	return ", Stripe's middle rate of " + rate
}

// weekly has Stripe pay out once a week.
func (g *globe) weekly() error {
	if err := g.call("PUT", "/v1/payouts/schedule", map[string]any{"interval": "weekly", "weekly_payout_days": []string{"friday"}}, nil); err != nil {
		return err
	}
	g.say.step("Stripe pays out on Fridays, in pounds and in dollars")
	return nil
}

// wait lets the money become available and be paid out.
func (g *globe) wait() error {
	if err := g.pass(2*week + 24*time.Hour); err != nil {
		return err
	}
	r, err := g.evenly()
	for _, c := range r.Currencies {
		g.say.step("the books: %d lines of Stripe's balance in %s, remainder %s", c.Lines, c.Currency, c.Remainder)
	}
	return err
}

// measure asks for both reports again: what was accepted before and after, and what is in pounds.
func (g *globe) measure() error {
	command := strings.Fields(strings.TrimPrefix(manyCurrencies.Diagnosis, "till "))
	if err := g.ask(g.reader, &g.after, command...); err != nil {
		return err
	}
	if g.report = g.after; !g.right() || g.after.ChangedAt == nil {
		return fmt.Errorf("the report after the repair is not that of what was sold: %+v", g.after)
	}
	if err := g.show(g.reader, "report", "consolidation", "--currency", "GBP", "--since", "40d"); err != nil {
		return err
	}
	if err := g.ask(g.reader, &g.pounds, "report", "consolidation", "--currency", "GBP", "--since", "40d"); err != nil {
		return err
	}
	out := 0
	for _, w := range g.pounds.Weeks {
		for _, p := range w.PaidOut {
			if p.Currency == "GBP" {
				out++
			}
		}
		for _, l := range w.Legs {
			if l.Settled == "GBP" && l.Paid != "GBP" && (l.Exchange == nil || l.Exchange.Basis != "applied") {
				return fmt.Errorf("the week of %s does not say at which rate %s became pounds", w.From.Format(time.DateOnly), l.Paid)
			}
		}
	}
	if out == 0 {
		return fmt.Errorf("nothing was paid out in pounds: %+v", g.pounds)
	}
	g.say.step("both reports again: every payment and charge is in them, with the rate of each conversion; pounds were paid out in %d weeks", out)
	return nil
}

func (g *globe) letter() string {
	var acceptance, cost, prices, weeks strings.Builder
	for _, r := range g.after.Regions {
		fmt.Fprintf(&acceptance, "   %s: %s before, %s after\n", r.Region, r.Before.words(), r.After.words())
	}
	for _, p := range g.after.Pairs {
		if p.Spread != nil {
			fmt.Fprintf(&cost, "   %s: %s charged became %s %s, %s %% below the middle rate: %s %s; fees %s\n", p.From, p.Charged, p.Settled, p.To, p.Spread.Percent, p.Spread.Cost, p.To, p.Fees)
		} else {
			fmt.Fprintf(&cost, "   %s: %s charged, not converted; fees %s\n", p.From, p.Charged, p.Fees)
		}
	}
	for _, s := range g.local {
		if s.rate != "" {
			fmt.Fprintf(&prices, "   %s: %s %s\n", s.country, s.amount, s.currency)
		}
	}
	for _, w := range g.pounds.Weeks {
		fmt.Fprintf(&weeks, "   week of %s: %s GBP there, %s GBP more if the dollars were changed (estimated)\n", w.From.Format("2 January"), w.Settled, w.Converted)
	}
	return fmt.Sprintf(`Hello %s,

you asked what each currency costs you, whether fewer cards are declined, and where the money is. Here is what was
measured; "ten or twenty percent more" is a saying, and we do not promise it.

Cards accepted, by where the card is from, before local prices were switched on and since:
%s
These are few orders. A difference says what came after, not why.

What each currency cost, of all that you sold in it:
%s
Stripe changes what has no bank account of its own into pounds, charge by charge, below the middle rate. Your dollars
are not changed: you have a dollar account.

Where the money is, in pounds:
%s
What we did: customers are now asked to pay in the currency of their country, at the rate of the hour, and not of a
list. For your 49.00 GBP that was:
%s
European cards go by their bank's page where the bank asks, as the law wants. Stripe pays out once a week, on Fridays.

What you should know: neither we nor Stripe's interface can change your dollars into pounds. If you want everything
in pounds, remove the dollar account, and Stripe changes dollars as it does the rest; or change them in Stripe's
Dashboard; or leave it to your bank. Each has its price, and the report shows it: till report consolidation.

Kind regards`, manyCurrencies.Ticket.Contact, acceptance.String(), cost.String(), weeks.String(), prices.String())
}
