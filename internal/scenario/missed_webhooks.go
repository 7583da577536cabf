package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

var missedWebhooks = Scenario{
	Number: "02", Title: "Fake and missed webhooks", first: "order-FB-1001",
	Ticket: Ticket{
		From: "Flowbox SaaS, Hamburg", Contact: "Lars", Priority: "High", Subject: "Paid orders without a payment, and payments without a paid order",
		Text: `Hello,

something is very wrong with our payments and I do not understand in which direction. Our finance team went
through the last three days and found accounts that our system shows as paid, but there is no money in Stripe
for them. We never got these payments!

And since we moved our servers last night, customers write that they have paid and are still locked out. They
send us their bank's confirmation, so I believe them. Refunds that I made myself in the Stripe Dashboard do not
show up anywhere either.

We rely on the webhooks for all of this. Are they broken? Did somebody hack us? Please help quickly, we are
giving our product away, and locking out people who pay.

Lars, Flowbox`,
	},
	Diagnosis: "till diagnose webhooks --since 72h --orders orders.csv --suspicious requests.jsonl",
	ByHand:    []string{"till events missed --since 72h", "till events repair --since 72h", "till events resend evt_…"},
	Country:   "DE", History: 71 * time.Hour,
	begin: func(w *world) play {
		return &missed{world: w, reasons: map[string]string{}, late: map[string]bool{}, back: map[string]bool{}}
	},
}

// missed is scenario 02 while it is played.
type missed struct {
	*world
	shop    *shop
	hook    string // the shop's own endpoint at Stripe
	plan    missedPlan
	number  int // of the next order
	forged  []forgery
	reasons map[string]string // by order: why its mark is not to be trusted
	late    map[string]bool   // orders paid at the bank's page while nobody listened
	back    map[string]bool   // orders refunded in Stripe's Dashboard meanwhile
	open    []waiting
	lost    map[string]bool // ids of events
	result  webhooksFound
	brought int
}

// missedPlan is how much of each there shall be.
type missedPlan struct{ clean, unsigned, foreign, stale, refunds, given, lost int }

// waiting is an order whose payer is at the bank's page.
type waiting struct {
	sale    *sale
	payment payment
}

// webhooksFound is what till diagnose webhooks --json says.
type webhooksFound struct {
	Orders     int             `json:"orders"`
	Paid       int             `json:"orders_paid"`
	Unfounded  []unfoundedSale `json:"unfounded"`
	Overlooked []unfoundedSale `json:"overlooked"`
	Unsure     []unfoundedSale `json:"unsure"`
	Missed     []struct {
		ID      string `json:"id"`
		FoundBy string `json:"found_by"`
	} `json:"missed"`
	Complete   bool `json:"complete"`
	Suspicious *struct {
		Requests []struct {
			Valid bool   `json:"valid"`
			Check string `json:"check"`
		} `json:"requests"`
		Failed map[string]int `json:"failed"`
	} `json:"suspicious"`
	Cause string `json:"cause"`
}

// missing counts the events that till still lacks.
func (f webhooksFound) missing() (n int) {
	for _, e := range f.Missed {
		if e.FoundBy == "" {
			n++
		}
	}
	return n
}

type unfoundedSale struct {
	Order    string `json:"order"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	Reason   string `json:"reason"`
}

func (m *missed) stage() (err error) {
	if m.plan = (missedPlan{clean: 9, unsigned: 3, foreign: 2, stale: 2, refunds: 2, lost: 11}); !m.own {
		m.plan = missedPlan{clean: 5 + m.rand.IntN(6), unsigned: 1 + m.rand.IntN(4), foreign: 1 + m.rand.IntN(3), stale: 1 + m.rand.IntN(2), refunds: 1 + m.rand.IntN(2), given: m.rand.IntN(2), lost: 10 + m.rand.IntN(6)}
	}
	if m.shop, err = openShop(); err != nil {
		return err
	}
	defer m.shop.close()
	if m.hook, _, err = m.listen(m.shop.url(), "payment_intent.succeeded"); err != nil {
		return err
	}
	for _, act := range []func() error{m.business, m.forgeries, m.outage, m.present, m.posted} {
		if err := act(); err != nil {
			return err
		}
	}
	return m.handOver()
}

// sell opens an order of the shop's and has till take its payment.
func (m *missed) sell(method string) (*sale, payment, error) {
	prices := []int64{1900, 4900, 9900, 24900}
	m.number++
	o := m.shop.order(fmt.Sprintf("FB-%d", 1000+m.number), money.FromMinor(prices[m.rand.IntN(len(prices))], "EUR"))
	var p payment
	err := m.call("POST", "/v1/payments", map[string]any{"amount": o.amount.String(), "currency": string(o.amount.Currency), "provider": "stripe", "payment_method": method,
		"return_url": "https://flowbox.example/thanks", "metadata": map[string]string{"order": o.number}}, &p, client.Key("order-"+o.number))
	m.shop.mark(o, p.ProviderRef, m.shop.isPaid(o))
	return o, p, err
}

// business is two days in which all is well, but that nobody checks who marks an order as paid.
func (m *missed) business() error {
	for range m.plan.clean {
		o, p, err := m.sell("pm_card_visa")
		if err != nil {
			return err
		}
		if p.Status != "completed" {
			return fmt.Errorf("order %s is %s", o.number, p.Status)
		}
		if err := m.pass(48 * time.Hour / time.Duration(m.plan.clean)); err != nil {
			return err
		}
		if !m.shop.isPaid(o) {
			return fmt.Errorf("the shop did not hear that order %s is paid", o.number)
		}
	}
	m.say.step("two days of business: %d orders, paid through till; Stripe's events come to till and to the shop's own address", m.plan.clean)
	return nil
}

// forgeries come to the shop's open address, and it believes them.
func (m *missed) forgeries() error {
	genuine, err := m.someEvent("payment_intent.succeeded")
	if err != nil {
		return err
	}
	for n := range m.plan.unsigned + m.plan.foreign {
		m.number++
		o := m.shop.order(fmt.Sprintf("FB-%d", 1000+m.number), money.FromMinor(24900, "EUR"))
		m.reasons[o.number] = "no_payment"
		f := forgery{Payload: m.invented(genuine, o), check: "header"}
		if n >= m.plan.unsigned {
			f.check = "signature"
			at, err := m.now()
			if err != nil {
				return err
			}
			f.Signature = signed(f.Payload, at, "whsec_"+m.letters(32)) // a secret of the forger's own
		}
		if err := m.forge(f); err != nil {
			return err
		}
	}
	if err := m.replays(); err != nil {
		return err
	}
	for _, o := range m.shop.orders {
		if m.reasons[o.number] != "" && !m.shop.isPaid(o) {
			return fmt.Errorf("the shop did not believe the forged event for order %s", o.number)
		}
	}
	m.say.step("somebody posts events to the shop's address: %d unsigned, %d signed with another secret, %d genuine ones again, hours later; the shop marks %d orders as paid",
		m.plan.unsigned, m.plan.foreign, m.plan.stale, len(m.reasons))
	return m.pass(2 * time.Hour)
}

// replays: an order was paid and its money sent back; its old event, posted once more, marks it as paid again.
func (m *missed) replays() error {
	for n := range m.plan.stale {
		o, p, err := m.sell("pm_card_visa")
		if err != nil {
			return err
		}
		if err := m.pass(time.Hour); err != nil {
			return err
		}
		event, at, err := m.eventOf("payment_intent.succeeded", p.ProviderRef)
		if err != nil {
			return err
		}
		if err := m.call("POST", "/v1/refunds", map[string]string{"payment_id": p.ID}, nil, client.Key("refund-"+o.number)); err != nil {
			return err
		}
		m.shop.mark(o, p.ProviderRef, false)
		if err := m.pass(time.Duration(n+1) * time.Hour); err != nil {
			return err
		}
		m.reasons[o.number] = "refunded"
		if err := m.forge(forgery{Payload: event, Signature: signed(event, at, m.secret), check: "timestamp"}); err != nil {
			return err
		}
	}
	return nil
}

// forge posts a request to the shop, as Stripe would.
func (m *missed) forge(f forgery) (err error) {
	if f.ReceivedAt, err = m.now(); err != nil {
		return err
	}
	m.forged = append(m.forged, f)
	status, err := f.post(m.shop.url())
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the open endpoint answered %d", status)
	}
	return err
}

// posted sends the same requests to till's address. Where till lives in a sandbox's time, the age of a signature says nothing to it.
func (m *missed) posted() error {
	answers := map[int]int{}
	for _, f := range m.forged {
		status, err := f.post(m.base + "/v1/webhooks/stripe")
		if err != nil {
			return err
		}
		answers[status]++
	}
	m.say.step("the same %d requests to till's address: %d answered 400", len(m.forged), answers[http.StatusBadRequest])
	return nil
}

// invented is an event that never was: a payment for an order, in the form of a genuine one.
func (m *missed) invented(genuine string, o *sale) string {
	var event map[string]any
	_ = json.Unmarshal([]byte(genuine), &event) // Stripe's own
	event["id"] = "evt_3" + m.letters(23)
	object := event["data"].(map[string]any)["object"].(map[string]any)
	object["id"], object["amount"], object["amount_received"] = "pi_3"+m.letters(23), o.amount.Minor, o.amount.Minor
	object["metadata"] = map[string]any{"order": o.number}
	text, _ := json.Marshal(event)
	return string(text)
}

// outage is the night of the move: a page for maintenance answers every request of Stripe's with 200, so Stripe takes its events for
// delivered and never sends them again.
func (m *missed) outage() error {
	perRefund, perPayer, err := m.rehearse()
	if err != nil {
		return err
	}
	payers := (m.plan.lost - m.plan.refunds*perRefund - m.plan.given) / perPayer
	given := m.plan.lost - m.plan.refunds*perRefund - payers*perPayer // payments that the shop gives up: one event each
	for range payers + given + 1 {
		o, p, err := m.sell("pm_card_threeDSecure2Required")
		if err != nil {
			return err
		}
		m.open = append(m.open, waiting{o, p})
	}
	if err := m.pass(time.Minute); err != nil {
		return err
	}
	m.down(false)
	for _, endpoint := range []string{m.endpoint, m.hook} {
		if err := m.stripe.control(m.ctx, "POST", "faults", map[string]any{"kind": "lost", "endpoint": endpoint, "every": 1}, nil); err != nil {
			return err
		}
	}
	if err := m.unheard(payers, given); err != nil {
		return err
	}
	if err := m.stripe.control(m.ctx, "DELETE", "faults", nil, nil); err != nil {
		return err
	}
	if m.lost, err = m.lostEvents(); err != nil {
		return err
	}
	m.say.step("the servers move: for two hours a maintenance page answers 200 to everything that Stripe sends")
	m.say.step("meanwhile %d payers confirm at their bank, %d refunds are made in Stripe's Dashboard, %d payments are given up there: %d events that nobody hears", payers, m.plan.refunds, given, len(m.lost))
	if len(m.lost) != m.plan.lost {
		return fmt.Errorf("%d events were lost, not %d", len(m.lost), m.plan.lost)
	}
	return nil
}

// unheard is what happens at Stripe in the outage.
func (m *missed) unheard(payers, given int) error {
	for _, o := range m.refundable()[:m.plan.refunds] {
		if err := m.dashboardRefund(o.intent); err != nil {
			return err
		}
		m.back[o.number] = true
		m.shop.mark(o, o.intent, false) // whoever refunds by hand takes the mark off by hand
	}
	for _, w := range m.open[:payers] {
		if err := m.stripe.authenticate(m.ctx, w.payment.NextAction.URL); err != nil {
			return err
		}
		m.late[w.sale.number] = true
	}
	for _, w := range m.open[payers : payers+given] {
		if err := m.stripe.post(m.ctx, "/v1/payment_intents/"+w.payment.ProviderRef+"/cancel", nil, nil); err != nil {
			return err
		}
	}
	return m.stripe.control(m.ctx, "POST", "clock/advance", map[string]any{"seconds": 7200}, nil)
}

// refundable are the orders that are honestly paid.
func (m *missed) refundable() (all []*sale) {
	for _, o := range m.shop.orders {
		if m.shop.isPaid(o) && m.reasons[o.number] == "" {
			all = append(all, o)
		}
	}
	return all
}

func (m *missed) dashboardRefund(intent string) error {
	return m.stripe.post(m.ctx, "/v1/refunds", url.Values{"payment_intent": {intent}}, nil)
}

// rehearse counts how many events of Stripe's a refund in the Dashboard brings to till, and a payer at the bank's page: both happen on an
// ordinary day before.
func (m *missed) rehearse() (perRefund, perPayer int, err error) {
	o, p, err := m.sell("pm_card_threeDSecure2Required")
	if err != nil || p.NextAction == nil {
		return 0, 0, fmt.Errorf("order %s was not sent to the bank's page: %w", o.number, err)
	}
	if perPayer, err = m.events(func() error { return m.stripe.authenticate(m.ctx, p.NextAction.URL) }); err != nil {
		return 0, 0, err
	}
	perRefund, err = m.events(func() error { return m.dashboardRefund(p.ProviderRef) })
	m.shop.mark(o, p.ProviderRef, false)
	if err == nil && perRefund*perPayer == 0 {
		err = fmt.Errorf("till hears %d events of a refund and %d of a payer", perRefund, perPayer)
	}
	return perRefund, perPayer, err
}

// delivery is one try of Stripe's to deliver an event.
type delivery struct{ Event, Type, Fault string }

func (m *missed) deliveries() ([]delivery, error) {
	var log struct{ Attempts []delivery }
	err := m.stripe.control(m.ctx, "GET", "webhooks?endpoint="+m.endpoint, nil, &log)
	return log.Attempts, err
}

// events counts those that come to till by what is done.
func (m *missed) events(do func() error) (int, error) {
	if err := m.pass(time.Minute); err != nil {
		return 0, err
	}
	before, err := m.deliveries()
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	if err := m.pass(time.Minute); err != nil {
		return 0, err
	}
	after, err := m.deliveries()
	return len(after) - len(before), err
}

// lostEvents are those that Stripe's log says were lost on the way to till.
func (m *missed) lostEvents() (map[string]bool, error) {
	all, err := m.deliveries()
	lost := map[string]bool{}
	for _, d := range all {
		if d.Fault == "lost" {
			lost[d.Event] = true
		}
	}
	return lost, err
}

// handOver writes what the merchant gives to support: its orders, and the requests that look strange.
func (m *missed) handOver() error {
	if _, err := m.write("orders.csv", m.shop.export()); err != nil {
		return err
	}
	err := m.writeRequests(m.forged)
	m.say.step("the merchant hands over orders.csv (%d orders) and requests.jsonl (%d strange requests)", len(m.shop.orders), len(m.forged))
	return err
}

// someEvent is the newest event of a type, as Stripe sends it.
func (w *world) someEvent(kind string) (string, error) {
	text, _, err := w.eventOf(kind, "")
	return text, err
}

// eventOf is the newest event of a type about an object, and when it was made.
func (w *world) eventOf(kind, object string) (text string, at time.Time, err error) {
	type event struct {
		ID      string
		Created int64
		Data    struct{ Object struct{ ID string } }
	}
	err = each(w.ctx, w.stripe, "/v1/events", url.Values{"type": {kind}}, func(raw json.RawMessage) string {
		var e event
		_ = json.Unmarshal(raw, &e) // Stripe's own
		return e.ID
	}, func(raw json.RawMessage) {
		var e event
		if json.Unmarshal(raw, &e) == nil && text == "" && (object == "" || e.Data.Object.ID == object) {
			text, at = string(raw), time.Unix(e.Created, 0)
		}
	})
	if err == nil && text == "" {
		err = fmt.Errorf("there is no %s about %s at Stripe", kind, object)
	}
	return text, at, err
}
