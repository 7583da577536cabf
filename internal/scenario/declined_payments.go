package scenario

import (
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

var declinedPayments = Scenario{
	Number: "01", Title: "Payment declines spike", first: "TG-1001",
	Ticket: Ticket{
		From: "TechGear GmbH, Berlin", Contact: "Markus", Priority: "High", Subject: "Failed payments are up by 30 % in our best week",
		Text: `Hi,

this is our peak season, and since last week about 30 % more payments fail than usual. We have changed nothing: no
new version, no new checkout. Marketing pays for every visitor, and then the card is declined.

Is something broken in our integration? Is Stripe blocking us? Our developers want to roll back to the version of
October, and I would rather know before we do that in the middle of the sale.

And what do we do about the customers who wanted to buy and could not?

Markus, TechGear`,
	},
	Diagnosis: "till diagnose declines --since 7d --before 53d",
	ByHand:    []string{"till messages --state queued"},
	Country:   germany, History: 60*24*time.Hour + 6*time.Hour,
	begin: func(w *world) play { return &declines{world: w} },
}

// declines is scenario 01 while it is played.
type declines struct {
	*world
	sales   []order
	numbers map[string]string // of the orders, by their declined payments
	result  declinesFound
	told    map[string]int // messages that were written, by template
	again   int            // purchases that were paid by the repair
	back    map[string]int64
}

// order is what a customer of the shop wants to pay.
type order struct {
	number, email, card string
	amount              money.Money
	ends                string // how: "" is paid, a decline code of the bank's, or one of the two below
}

// What ends an order otherwise than the bank.
const (
	byRadar  = "radar"  // Radar takes the card for stolen
	bySecure = "secure" // the customer gives up at the bank's page
)

// season is how many orders there are, and how they end.
type season struct {
	daily    int
	declined map[string]int
}

// The days of the story: before the sale, and the week of it.
const (
	quietDays = 53
	saleDays  = 7
)

// seasons are the two of a seed. The case's own: 127 of 636 are declined before, and 109 of 420 in the week, which is 30 % more.
func (d *declines) seasons() (quiet, sale season) {
	if d.own {
		return season{12, map[string]int{"insufficient_funds": 45, "generic_decline": 38, "do_not_honor": 14, byRadar: 10, "expired_card": 8, "incorrect_cvc": 5, "processing_error": 4, bySecure: 3}},
			season{60, map[string]int{"insufficient_funds": 52, "generic_decline": 18, "do_not_honor": 9, byRadar: 14, "expired_card": 5, "incorrect_cvc": 3, "processing_error": 4, bySecure: 4}}
	}
	worst := []string{"insufficient_funds", "generic_decline", "do_not_honor", "card_velocity_exceeded"}[d.rand.IntN(4)]
	quiet = season{5 + d.rand.IntN(2), map[string]int{worst: 8 + d.rand.IntN(4), "lost_card": 3, "incorrect_cvc": 4, byRadar: 4, "processing_error": 2, "expired_card": 3}}
	sale = season{22 + d.rand.IntN(6), map[string]int{worst: 22 + d.rand.IntN(10), "lost_card": 2, "expired_card": 3 + d.rand.IntN(4), byRadar: 4 + d.rand.IntN(5), "processing_error": 1 + d.rand.IntN(3), bySecure: d.rand.IntN(4)}}
	return quiet, sale
}

func (d *declines) stage() error {
	begun, err := d.now()
	if err != nil {
		return err
	}
	quiet, sale := d.seasons()
	for day, orders := range append(d.orders(quiet, quietDays), d.orders(sale, saleDays)...) {
		at := begun.Add(time.Duration(day)*24*time.Hour + 11*time.Hour)
		if day == quietDays+saleDays-1 {
			at = at.Add(time.Hour) // so that the week before now begins after the last quiet day, also where now is the last order
		}
		if err := errors.Join(d.reach(at), d.trade(orders)); err != nil {
			return err
		}
	}
	if err := errors.Join(d.arrived(), d.known()); err != nil {
		return err
	}
	d.say.step("%d days of business before the sale: %d orders", quietDays, quietDays*quiet.daily)
	d.say.step("%d days of the sale: %d orders, through the same program with the same key", saleDays, saleDays*sale.daily)
	return d.present()
}

// orders are those of a season by day, the declined ones anywhere among them.
func (d *declines) orders(s season, days int) [][]order {
	var ends []string
	for _, end := range sorted(s.declined) {
		for range s.declined[end] {
			ends = append(ends, end)
		}
	}
	ends = append(ends, make([]string, s.daily*days-len(ends))...)
	d.rand.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
	all := make([][]order, days)
	for n, end := range ends {
		o := d.order(end)
		d.sales = append(d.sales, o)
		all[n/s.daily] = append(all[n/s.daily], o)
	}
	return all
}

// cards are what customers of a shop in Berlin pay with, each as often as it stands here.
var cards = []string{"pm_card_de", "pm_card_de", "pm_card_de", "pm_card_de", "pm_card_de", "pm_card_de", "pm_card_at", "pm_card_at", "pm_card_ch", "pm_card_fr", "pm_card_nl", "pm_card_mastercard"}

func (d *declines) order(end string) order {
	n := 1001 + len(d.sales)
	o := order{number: fmt.Sprintf("TG-%d", n), email: fmt.Sprintf("customer-%d@example.com", n), card: cards[d.rand.IntN(len(cards))], amount: money.FromMinor(1900+d.rand.Int64N(70000), "EUR"), ends: end}
	switch {
	case o.ends == byRadar:
		o.card = "pm_card_radarBlock"
		if paid := d.regular(); n%2 == 0 && paid != "" {
			o.email = paid
		}
	case o.ends == bySecure:
		o.card = "pm_card_threeDSecure2Required"
	case o.card == "pm_card_ch" && n%2 == 0:
		o.amount.Currency = "CHF"
	}
	return o
}

// regular is a customer who has paid before; "" is none.
func (d *declines) regular() string {
	for _, o := range d.sales {
		if o.ends == "" && d.rand.IntN(5) == 0 {
			return o.email
		}
	}
	return ""
}

func (o order) body() map[string]any {
	return map[string]any{"amount": o.amount.String(), "currency": string(o.amount.Currency), "provider": "stripe", "payment_method": o.card, "return_url": "https://techgear.example/thanks",
		"customer": map[string]string{"email": o.email}, "metadata": map[string]string{"order": o.number}}
}

// trade takes the orders of a day, several at a time as a shop does.
func (d *declines) trade(orders []order) error {
	const tills = 6
	left, failed := make(chan order), make(chan error, len(orders))
	var ended sync.WaitGroup
	for range tills {
		ended.Go(func() {
			for o := range left {
				if err := d.sell(o); err != nil {
					failed <- fmt.Errorf("order %s: %w", o.number, err)
				}
			}
		})
	}
	for _, o := range orders {
		left <- o
	}
	close(left)
	ended.Wait()
	close(failed)
	return <-failed
}

// sell takes one payment. Where the bank says no, it is told to before: a fault of the sandbox's, for this order alone.
func (d *declines) sell(o order) error {
	if o.ends != "" && o.ends != byRadar && o.ends != bySecure {
		if err := d.stripe.control(d.ctx, "POST", "faults", map[string]any{"kind": "bank_declines", "method": "POST", "path": "/v1/payment_intents",
			"form": map[string]string{"metadata[order]": o.number}, "reason": o.ends}, nil); err != nil {
			return err
		}
	}
	var p payment
	if err := d.call("POST", "/v1/payments", o.body(), &p, client.Key(o.number)); err != nil {
		return err
	}
	switch {
	case o.ends == bySecure && p.NextAction != nil:
		return d.stripe.atTheBank(d.ctx, p.NextAction.URL, "fail")
	case o.ends == "" && p.Status != "completed", o.ends != "" && p.Status != "failed":
		return fmt.Errorf("it is %s, and was to end by %q", p.Status, o.ends)
	}
	return nil
}

// known waits until till knows what became of every charge that was declined.
func (d *declines) known() error {
	want := 0
	for _, o := range d.sales {
		if o.ends != "" {
			want++
		}
	}
	return d.eventually("every declined charge is known", func() (bool, error) {
		n := 0
		d.numbers = map[string]string{}
		err := client.Each(d.ctx, d.till, "/v1/payments", url.Values{"status": {"failed"}, "limit": {"100"}}, func(p struct {
			payment
			Outcome *struct{} `json:"outcome"`
			Failure *struct{ Code string }
		}) error {
			d.numbers[p.ID] = p.Metadata["order"]
			if p.Outcome != nil || p.Failure != nil && p.Failure.Code == "payment_intent_authentication_failure" {
				n++
			}
			return nil
		})
		return n == want, err
	})
}
