package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/money"
)

var duplicateCharges = Scenario{
	Number: "11", Title: "Duplicate charges",
	Ticket: Ticket{
		From: "TravelBook, Amsterdam", Contact: "Lotte", Priority: "High", Subject: "Customers charged twice for one trip",
		Text: `Hi,

customers have called our agencies this week because their card was charged twice for the same trip, and we are
not talking about small amounts. Each agency says the same thing: "the booking screen hung, an error came, I
pressed the button again". On our side there is one booking. At the bank there are two charges.

Our developers say that they do send an idempotency key with every call, so this cannot happen. It does.

How many are there? I would like the list before I phone anybody, and I do not want a script to refund things on
its own: some customers really do book two trips for the same price. And please make it stop.

Lotte, TravelBook`,
	},
	Diagnosis: "till diagnose duplicates --since 168h --by booking",
	ByHand:    []string{"till diagnose duplicates --since 168h --by booking --refund", "till diagnose duplicates --since 168h --by booking --refund --confirm"},
	Country:   "NL", History: 33 * 24 * time.Hour,
	begin: func(w *world) play { return &duplicates{world: w, doubled: map[string]booking{}} },
}

// duplicates is scenario 11 while it is played.
type duplicates struct {
	*world
	number  int                // of the next booking
	doubled map[string]booking // charged more than once, by name
	clean   int
	result  duplicatesFound
	guarded guarded
}

// booking is a trip that is to be charged once.
type booking struct {
	name     string
	amount   money.Money
	agency   string
	customer string
	attempts int
}

// duplicatesFound is what till diagnose duplicates --json says.
type duplicatesFound struct {
	Looked int `json:"payments_looked_at"`
	Groups []struct {
		Object    string `json:"object"`
		Amount    string `json:"amount"`
		Currency  string `json:"currency"`
		Keys      int    `json:"keys"`
		Cause     string `json:"cause"`
		Keep      string `json:"keep"`
		Excess    string `json:"excess"`
		Payments  []struct{ ID string }
		Proposals []proposal `json:"proposals"`
	} `json:"groups"`
	Total    map[string]string `json:"total"`
	Returned map[string]string `json:"returned"`
	Cause    string            `json:"cause"`
}

type proposal struct {
	PaymentID      string `json:"payment_id"`
	Amount         string `json:"amount"`
	Currency       string `json:"currency"`
	IdempotencyKey string `json:"idempotency_key"`
}

func (d *duplicates) stage() error {
	amounts, attempts := []int64{240000, 185000, 310000}, []int{2, 2, 2}
	if !d.own {
		amounts, attempts = nil, nil
		for range 2 + d.rand.IntN(4) {
			amounts, attempts = append(amounts, 10000*(5+d.rand.Int64N(40))), append(attempts, 2+d.rand.IntN(3))
		}
	}
	regular := d.booking(64000)
	if err := d.charge(regular, "pm_card_visa"); err != nil { // a customer who will book for the same price again, a month later
		return err
	}
	if err := d.pass(27 * 24 * time.Hour); err != nil {
		return err
	}
	again := d.booking(64000)
	again.customer = regular.customer
	if err := d.charge(again, "pm_card_visa"); err != nil {
		return err
	}
	step := 120 * time.Hour / time.Duration(len(amounts)*2)
	for n, amount := range amounts {
		if err := errors.Join(d.ordinary(n), d.pass(step)); err != nil {
			return err
		}
		b := d.booking(amount)
		b.attempts = attempts[n]
		if err := errors.Join(d.hang(b), d.pass(step)); err != nil {
			return err
		}
	}
	d.say.step("a month of bookings: %d charges that are what they should be, some of which look alike", d.clean)
	for _, name := range slices.Sorted(maps.Keys(d.doubled)) {
		b := d.doubled[name]
		d.say.step("booking %s, %s %s: the screen of agency %s hangs, the button is pressed %d times; each attempt has a new UUID as its key", b.name, b.amount, b.amount.Currency, b.agency, b.attempts)
	}
	return d.present()
}

func (d *duplicates) booking(minor int64) booking {
	d.number++
	n := d.number
	return booking{fmt.Sprintf("B%d", 7000+n), money.FromMinor(minor, "EUR"), fmt.Sprintf("A%d", 1+n%4), fmt.Sprintf("traveller-%d", n), 1}
}

// ordinary is what may look like a duplicate and is none: a declined card and another one, two trips of one family for the same price, a
// deposit and the rest of the same trip.
func (d *duplicates) ordinary(n int) error {
	switch n % 3 {
	case 0:
		b := d.booking(42000)
		return errors.Join(d.charge(b, "pm_card_visa_chargeDeclined"), d.charge(b, "pm_card_visa"))
	case 1:
		one, two := d.booking(185000), d.booking(185000)
		two.customer, two.agency = one.customer, one.agency
		return errors.Join(d.charge(one, "pm_card_visa"), d.charge(two, "pm_card_visa"))
	default:
		deposit := d.booking(30000)
		rest := deposit
		rest.amount.Minor = 90000
		return errors.Join(d.charge(deposit, "pm_card_mastercard"), d.charge(rest, "pm_card_mastercard"))
	}
}

// body is the request for a booking, as the agencies' program makes it.
func (b booking) body(card string) map[string]any {
	return map[string]any{"amount": b.amount.String(), "currency": string(b.amount.Currency), "provider": "stripe", "payment_method": card,
		"customer": map[string]string{"reference": b.customer}, "metadata": map[string]string{"booking": b.name, "agency": b.agency}}
}

// charge takes one payment for a booking, under a new key as the agencies' program makes them.
func (d *duplicates) charge(b booking, card string) error {
	d.clean++
	return d.call("POST", "/v1/payments", b.body(card), nil, client.Key(id.New()))
}

// hang charges a booking by a program that gives up waiting and tries again under a new key: Stripe has the request, and its answer does
// not come.
func (d *duplicates) hang(b booking) error {
	for range b.attempts - 1 {
		if err := errors.Join(d.giveUp(b.body("pm_card_visa"), id.New()), d.pass(time.Duration(15+d.rand.IntN(30))*time.Second)); err != nil {
			return err
		}
	}
	if err := d.attempt(d.ctx, b.body("pm_card_visa"), id.New()); err != nil {
		return err
	}
	d.doubled[b.name] = b
	return d.eventually("all attempts for booking "+b.name+" have taken its money", func() (bool, error) {
		paid, err := d.paymentsFor(b)
		return len(paid) == b.attempts, err
	})
}

// giveUp makes an attempt whose answer from Stripe is kept back, and ends it once Stripe has done what was asked.
func (d *duplicates) giveUp(body map[string]any, key string) error {
	if err := d.stripe.control(d.ctx, "POST", "faults", map[string]any{"kind": "hold", "method": "POST", "path": "/v1/payment_intents"}, nil); err != nil {
		return err
	}
	patience, giveUp := context.WithCancel(d.ctx)
	defer giveUp()
	ended := make(chan error, 1)
	go func() { ended <- d.attempt(patience, body, key) }()
	err := d.eventually("Stripe has taken the money and its answer is on its way", func() (bool, error) {
		var state struct {
			Held int `json:"replies_held"`
		}
		err := d.stripe.control(d.ctx, "GET", "state", nil, &state)
		return state.Held > 0, err
	})
	giveUp()
	if answered := <-ended; err == nil && answered == nil {
		err = errors.New("an attempt was answered, though Stripe's answer was kept back")
	}
	return errors.Join(err, d.stripe.control(d.ctx, "POST", "faults/release", map[string]any{}, nil))
}

// attempt is one request of the agencies' program. It is no client of ours: that would repeat it under the same key.
func (d *duplicates) attempt(ctx context.Context, body map[string]any, key string) error {
	raw, _ := json.Marshal(body) // plain data
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+"/v1/payments", strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	r.Header.Set("X-API-Key", d.key)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	r.GetBody = nil // Go would send it again by itself on a connection that was cut
	reply, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	said, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	if err == nil && reply.StatusCode != http.StatusCreated {
		err = fmt.Errorf("till answered %d: %s", reply.StatusCode, said)
	}
	return err
}

// paymentsFor are the payments that took money for a booking.
func (d *duplicates) paymentsFor(b booking) (all []payment, err error) {
	err = d.call("GET", "/v1/payments?limit=100&status=completed&metadata[booking]="+b.name, nil, &all)
	return all, err
}
