package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

// missedDiagnosis is the command, for the files that were handed over.
var missedDiagnosis = strings.Fields(strings.TrimPrefix(missedWebhooks.Diagnosis, "till "))

func (m *missed) find() (Cause, error) {
	if err := m.show(m.reader, missedDiagnosis...); err != nil {
		return Cause{}, err
	}
	if err := m.ask(m.reader, &m.result, missedDiagnosis...); err != nil {
		return Cause{}, err
	}
	r := m.result
	without, err := sum(r.Unfounded)
	if err != nil {
		return Cause{}, err
	}
	owed, err := sum(r.Overlooked)
	if err != nil {
		return Cause{}, err
	}
	return Cause{Found: m.rightOrders() && m.rightEvents() && m.rightForgeries(), Words: r.Cause, Figures: map[string]any{
		"orders": r.Orders, "orders_marked_paid": r.Paid, "paid_without_money": len(r.Unfounded), "sum_without_money": without, "paid_and_not_marked": len(r.Overlooked),
		"sum_not_marked": owed, "events_lost": len(r.Missed), "strange_requests": len(m.forged), "failed_by_check": r.Suspicious.Failed,
	}}, nil
}

// rightOrders says whether exactly the orders that were forged are found, each for its reason, exactly those that were paid unheard, and
// exactly those whose refund was unheard.
func (m *missed) rightOrders() bool {
	for _, o := range m.result.Unfounded {
		if m.reasons[o.Order] != o.Reason {
			return false
		}
	}
	unsure := m.result.Unsure
	switch missing := m.result.missing(); {
	case missing == 0: // till's own sweep was quicker, and knows of all refunds
		return len(unsure) == 0 && m.rightMarks()
	case missing < len(m.lost): // it is at work, and knows of some
		return within(unsure, m.back) && m.rightMarks()
	}
	return same(unsure, m.back) && m.rightMarks()
}

func (m *missed) rightMarks() bool {
	return len(m.result.Unfounded) == len(m.reasons) && same(m.result.Overlooked, m.late)
}

// same says whether exactly some orders were found.
func same(found []unfoundedSale, want map[string]bool) bool {
	return within(found, want) && len(found) == len(want)
}

// within says whether none but some orders were found.
func within(found []unfoundedSale, want map[string]bool) bool {
	for _, o := range found {
		if !want[o.Order] {
			return false
		}
	}
	return true
}

// rightEvents says whether exactly the lost events are found. One that till's sweep was quicker to find than its webhook was to come may be
// among them.
func (m *missed) rightEvents() bool {
	lost := 0
	for _, e := range m.result.Missed {
		switch {
		case m.lost[e.ID]:
			lost++
		case e.FoundBy != "sweep":
			return false
		}
	}
	return m.result.Complete && lost == len(m.lost)
}

func (m *missed) rightForgeries() bool {
	if m.result.Suspicious == nil || len(m.result.Suspicious.Requests) != len(m.forged) {
		return false
	}
	for n, v := range m.result.Suspicious.Requests {
		if v.Valid || v.Check != m.forged[n].check {
			return false
		}
	}
	return true
}

// sum is the money of some orders, by currency: "747.00 EUR".
func sum(orders []unfoundedSale) (string, error) {
	sums := map[money.Currency]int64{}
	for _, o := range orders {
		c, err := money.ParseCurrency(o.Currency)
		if err != nil {
			return "", err
		}
		a, err := money.Parse(o.Amount, c)
		if err != nil {
			return "", err
		}
		sums[c] += a.Minor
	}
	return inWords(sums), nil
}

// inWords are amounts by currency: "7350.00 EUR and 20.00 USD".
func inWords(sums map[money.Currency]int64) string {
	var all []string
	for _, c := range money.Currencies() {
		if minor, ok := sums[c]; ok {
			all = append(all, money.FromMinor(minor, c).String()+" "+string(c))
		}
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, " and ")
}

func (m *missed) repair() error {
	for _, act := range []func() error{m.refused, m.bringBack, m.once, m.single, m.setRight} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// refused: till answers 400 to every forged request, and nothing is written.
func (m *missed) refused() error {
	h, err := m.answers(m.forged, http.StatusBadRequest)
	m.say.step("each of the %d forged requests to till's address is answered 400, before anything is written: %d payments, %d events of Stripe's and %d of till's, before and after",
		len(m.forged), h.payments, h.stripeEvents, h.events)
	return err
}

// repairedEvents is what till events repair --json says.
type repairedEvents struct {
	Missed []struct {
		ID string `json:"id"`
	} `json:"missed"`
	Brought int               `json:"brought"`
	Applied int               `json:"applied"`
	Failed  []json.RawMessage `json:"failed"`
}

var repairEvents = []string{"events", "repair", "--since", "72h"}

// bringBack brings the lost events in, and does it twice.
func (m *missed) bringBack() error {
	var first, second repairedEvents
	if err := m.ask(m.key, &first, repairEvents...); err != nil {
		return err
	}
	if err := m.ask(m.key, &second, repairEvents...); err != nil {
		return err
	}
	if len(first.Failed) > 0 || second.Brought != 0 {
		return fmt.Errorf("the repair brought %d and then %d events; %d failed", first.Brought, second.Brought, len(first.Failed))
	}
	m.brought = first.Brought
	m.say.step("till events repair --since 72h: %d brought in, %d applied; the same command again: %d", first.Brought, first.Applied, second.Brought)
	return nil
}

// storedEvent is one of Stripe's events as till has it.
type storedEvent struct {
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Source  string  `json:"source"`
	Applied *string `json:"applied_at"`
}

// fetched are the events that did not come by webhook, by id.
func (m *missed) fetched() (map[string][]storedEvent, error) {
	all := map[string][]storedEvent{}
	err := client.Each(m.ctx, m.till, "/v1/stripe/events", url.Values{"limit": {"100"}}, func(e storedEvent) error {
		if e.Source != "webhook" {
			all[e.ID] = append(all[e.ID], e)
		}
		return nil
	})
	return all, err
}

// once: what was fetched is exactly what was lost, each once, and applied. What till's own sweep keeps at this moment is applied a moment later.
func (m *missed) once() error {
	var all map[string][]storedEvent
	if err := m.eventually("every event that was fetched is applied", func() (whole bool, err error) {
		if all, err = m.fetched(); err != nil {
			return false, err
		}
		for _, copies := range all {
			if copies[0].Applied == nil {
				return false, nil
			}
		}
		return true, nil
	}); err != nil {
		return err
	}
	back, swept := 0, 0
	for id, copies := range all {
		quicker := copies[0].Source == "sweep" && !m.lost[id] // than its webhook, which came late
		if len(copies) != 1 || !m.lost[id] && !quicker {
			return fmt.Errorf("%s was not lost, or is not there once: %+v", id, copies)
		}
		if quicker {
			continue
		}
		back++
		if copies[0].Source == "sweep" {
			swept++
		}
	}
	if back != len(m.lost) || m.brought+swept != len(m.lost) {
		return fmt.Errorf("%d events were lost, %d are back: %d by the repair, %d by till's own sweep", len(m.lost), back, m.brought, swept)
	}
	m.say.step("exactly the %d lost events are back, each once, each applied", back)
	return nil
}

// single sends one of them again by hand: nothing changes.
func (m *missed) single() error {
	one := m.result.Missed[0].ID
	before, err := m.holdings()
	if err != nil {
		return err
	}
	if err := m.ask(m.key, &storedEvent{}, "events", "resend", one); err != nil {
		return err
	}
	after, err := m.holdings()
	if err == nil && before != after {
		err = fmt.Errorf("sending %s again has changed something: %+v, then %+v", one, before, after)
	}
	m.say.step("till events resend %s takes a single one in again: nothing changes by it", one)
	return err
}

// setRight puts the shop's marks right by what till says, and has the shop check signatures from now on. The diagnosis then finds nothing.
func (m *missed) setRight() error {
	var shop error
	if m.shop, shop = m.shop.reopen(m.secret); shop != nil {
		return shop
	}
	defer m.shop.close()
	for n, f := range m.forged {
		if status, err := f.post(m.shop.url()); err != nil || status != http.StatusBadRequest {
			return fmt.Errorf("the shop took forged request %d: %d, %w", n+1, status, err)
		}
	}
	for _, o := range m.shop.orders {
		var found []payment
		if err := m.call("GET", "/v1/payments?"+url.Values{"metadata[order]": {o.number}, "status": {"completed"}}.Encode(), nil, &found); err != nil {
			return err
		}
		intent := ""
		if len(found) > 0 {
			intent = found[0].ProviderRef
		}
		m.shop.mark(o, intent, intent != "")
	}
	if _, err := m.write("orders.csv", m.shop.export()); err != nil {
		return err
	}
	var again webhooksFound
	if err := m.ask(m.reader, &again, missedDiagnosis...); err != nil {
		return err
	}
	if len(again.Unfounded)+len(again.Overlooked)+len(again.Unsure)+again.missing() > 0 {
		return fmt.Errorf("after the repair the diagnosis still finds: %+v", again)
	}
	m.say.step("the shop checks signatures now: it refuses all %d forged requests; its marks follow till, and the diagnosis finds nothing wrong with %d orders", len(m.forged), len(m.shop.orders))
	return nil
}

func (m *missed) letter() string {
	r := m.result
	without, _ := sum(r.Unfounded) // find has read them
	owed, _ := sum(r.Overlooked)
	return fmt.Sprintf(`Hello %s,

two different things happened, and neither was a fault of Stripe's, nor of the banks'.

1. Somebody sends you fake messages. Your shop believes every message that looks like one of Stripe's, whoever
   sends it. %d of your orders, %s in all, are marked as paid because of such messages, and there is no
   such money behind them: %s.
   No card was charged and no data was taken. The list is in the diagnosis; please close these accounts.
   We sent the same %d messages to till: it refused every one, because it checks Stripe's signature first.

2. During your move you missed %d real messages. Your maintenance page answered "200 OK" to Stripe, so Stripe
   believed that you had them. %d customers did pay, %s in all, and were locked out. We fetched the missing
   messages from Stripe, each once, your own refunds among them, and your books agree with Stripe's to the cent.
   Please apologise to these customers; they owe you nothing.

What we did: brought the %d messages in, corrected the marks of your orders, and switched the check of
signatures on in your shop.

What you should do: let your shop listen to till only, as in docs/webhooks.md, or keep the check of Stripe's
signatures on. Let a maintenance page answer 503, never 200: then Stripe tries again by itself.
till also looks for missed messages once a minute now, so that a night like this one repairs itself.

Kind regards`, missedWebhooks.Ticket.Contact, len(r.Unfounded), without, m.reasonsInWords(), len(m.forged), len(r.Missed), len(r.Overlooked), owed, len(r.Missed))
}

// reasonsInWords are the reasons why marks are not to be trusted, counted.
func (m *missed) reasonsInWords() string {
	n := map[string]int{}
	for _, o := range m.result.Unfounded {
		n[o.Reason]++
	}
	return fmt.Sprintf("for %d there is no payment at all, and of %d the money had been sent back before", n["no_payment"], n["refunded"])
}
