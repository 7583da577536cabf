package scenario

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/money"
)

var duplicatesDiagnosis = strings.Fields(strings.TrimPrefix(duplicateCharges.Diagnosis, "till "))

func (d *duplicates) find() (Cause, error) {
	if err := d.show(d.reader, duplicatesDiagnosis...); err != nil {
		return Cause{}, err
	}
	if err := d.ask(d.reader, &d.result, duplicatesDiagnosis...); err != nil {
		return Cause{}, err
	}
	payments, keys := 0, 0
	for _, g := range d.result.Groups {
		payments, keys = payments+len(g.Payments), keys+g.Keys
	}
	return Cause{Found: d.right(), Words: d.result.Cause, Figures: map[string]any{"payments_looked_at": d.result.Looked, "bookings_charged_too_often": len(d.result.Groups),
		"payments_for_them": payments, "keys_used_for_them": keys, "charged_too_often": total(d.result.Total)}}, nil
}

// right says whether exactly the bookings that were charged more than once are found, with all their payments, keys and money.
func (d *duplicates) right() bool {
	excess := map[money.Currency]int64{}
	for _, g := range d.result.Groups {
		b, ok := d.doubled[g.Object]
		tooMuch := b.amount
		tooMuch.Minor *= int64(b.attempts - 1)
		if !ok || g.Amount != b.amount.String() || len(g.Payments) != b.attempts || g.Keys != b.attempts || g.Excess != tooMuch.String() || len(g.Proposals) != b.attempts-1 {
			return false
		}
		excess[b.amount.Currency] += tooMuch.Minor
	}
	for c, minor := range excess {
		if d.result.Total[string(c)] != money.FromMinor(minor, c).String() {
			return false
		}
	}
	return len(d.result.Groups) == len(d.doubled) && len(d.result.Total) == len(excess)
}

func (d *duplicates) repair() error {
	for _, act := range []func() error{d.composed, d.guard, d.propose, d.confirm} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// intents are those at Stripe for a booking.
func intents(w *world, s *stripe, booking string) (n int, total int64, err error) {
	type intent struct {
		ID       string
		Received int64 `json:"amount_received"`
		Metadata map[string]string
	}
	err = each(w.ctx, s, "/v1/payment_intents", nil, func(i intent) string { return i.ID }, func(i intent) {
		if i.Metadata["booking"] == booking {
			n, total = n+1, total+i.Received
		}
	})
	return n, total, err
}

// composed: the same booking makes the same key, however often the program, or till, starts anew.
func (d *duplicates) composed() error {
	var largest booking
	for _, b := range d.doubled {
		if b.amount.Minor > largest.amount.Minor {
			largest = b
		}
	}
	b := d.booking(largest.amount.Minor)
	without, err := d.withoutKeys(b)
	if err != nil {
		return err
	}
	body := b.body("pm_card_visa")
	body["key_parts"] = map[string]string{"agency": b.agency, "booking": b.name, "action": "charge"}
	if err := d.giveUp(body, ""); err != nil {
		return err
	}
	if err := d.eventually("the charge whose answer did not come is booked", func() (bool, error) {
		paid, err := d.paymentsFor(b)
		return len(paid) == 1, err
	}); err != nil {
		return err
	}
	var ids []string
	for range 2 {
		if err := d.restart("real", true); err != nil {
			return err
		}
		var p payment
		if err := d.call("POST", "/v1/payments", body, &p); err != nil {
			return err
		}
		ids = append(ids, p.ID, p.IdempotencyKey)
	}
	n, total, err := intents(d.world, d.stripe, b.name)
	if err != nil {
		return err
	}
	if n != 1 || total != b.amount.Minor || ids[0] != ids[2] {
		return fmt.Errorf("three calls for booking %s made %d intents and took %d; payments %v", b.name, n, total, ids)
	}
	d.say.step("booking %s, three calls, till killed and started again between them, key %s: one intent, %s EUR", b.name, ids[1], money.FromMinor(total, "EUR"))
	d.say.step("the same three calls without keys, straight to Stripe in a world of their own: three intents, %s EUR", without)
	return d.collide(b, body)
}

// withoutKeys makes the same three calls at Stripe itself, without any key, in a world of their own: what till and its keys are for.
func (d *duplicates) withoutKeys(b booking) (string, error) {
	apart := newStripe(d.stripe.base, "sk_test_"+id.Hex(16))
	for range 3 {
		if err := apart.post(d.ctx, "/v1/payment_intents", url.Values{"amount": {fmt.Sprint(b.amount.Minor)}, "currency": {b.amount.Currency.Lower()}, "payment_method": {"pm_card_visa"},
			"payment_method_types[]": {"card"}, "confirm": {"true"}, "metadata[booking]": {b.name}}, nil); err != nil {
			return "", err
		}
	}
	n, total, err := intents(d.world, apart, b.name)
	if err == nil && (n != 3 || total != 3*b.amount.Minor) {
		err = fmt.Errorf("three calls without keys made %d intents and took %d", n, total)
	}
	return money.FromMinor(total, b.amount.Currency).String(), err
}

// collide: the same key for another amount is refused, and nothing is charged.
func (d *duplicates) collide(b booking, body map[string]any) error {
	body["amount"] = money.FromMinor(b.amount.Minor+100, b.amount.Currency).String()
	err := d.call("POST", "/v1/payments", body, nil)
	n, total, asked := intents(d.world, d.stripe, b.name)
	if !client.Is(err, "idempotency_key_reused") || asked != nil || n != 1 || total != b.amount.Minor {
		return fmt.Errorf("the same key for another amount: %w; %d intents, %d taken", err, n, total)
	}
	d.say.step("the same key for another amount is refused (idempotency_key_reused), and nothing is charged")
	return nil
}

// guarded is the next duplicate, which the guard has caught.
type guarded struct{ paid, held payment }

// guard switches the duplicate guard on: the agencies' program goes on as before, and its next duplicate is held.
func (d *duplicates) guard() error {
	if err := d.call("PUT", "/v1/merchant/settings", map[string]any{"duplicate_guard": map[string]any{"enabled": true, "minutes": 10}}, nil); err != nil {
		return err
	}
	b := d.booking(99000)
	for _, p := range []*payment{&d.guarded.paid, &d.guarded.held} {
		if err := d.call("POST", "/v1/payments", b.body("pm_card_visa"), p, client.Key(id.New())); err != nil {
			return err
		}
	}
	n, total, err := intents(d.world, d.stripe, b.name)
	if err != nil {
		return err
	}
	if d.guarded.paid.Status != "completed" || d.guarded.held.Status != "held" || n != 1 || total != b.amount.Minor {
		return fmt.Errorf("with the guard on the attempts are %s and %s; %d intents", d.guarded.paid.Status, d.guarded.held.Status, n)
	}
	if err := d.call("POST", "/v1/payments/"+d.guarded.held.ID+"/cancel", nil, &d.guarded.held); err != nil || d.guarded.held.Status != "cancelled" {
		return fmt.Errorf("the held payment is %s after cancel: %w", d.guarded.held.Status, err)
	}
	d.say.step("the duplicate guard is on: the next double attempt, again under two keys, is one charge of %s EUR and one payment that is held, and cancelled by hand", b.amount)
	return nil
}

// refunds are all at Stripe, by charge's intent.
func (d *duplicates) refunds() (map[string][]int64, error) {
	type refund struct {
		ID            string
		PaymentIntent string `json:"payment_intent"`
		Amount        int64
	}
	all := map[string][]int64{}
	err := each(d.ctx, d.stripe, "/v1/refunds", nil, func(r refund) string { return r.ID }, func(r refund) {
		all[r.PaymentIntent] = append(all[r.PaymentIntent], r.Amount)
	})
	return all, err
}

// propose: the refunds are proposed, by a key that may only read, and nothing moves.
func (d *duplicates) propose() error {
	command := append(slices.Clone(duplicatesDiagnosis), "--refund")
	var proposed duplicatesFound
	if err := d.ask(d.reader, &proposed, command...); err != nil {
		return err
	}
	moved, err := d.refunds()
	if err != nil {
		return err
	}
	if len(moved) != 0 || len(proposed.proposals()) != len(d.result.proposals()) {
		return fmt.Errorf("%d refunds are proposed, and %d have been made", len(proposed.proposals()), len(moved))
	}
	d.say.step("%d refunds are proposed, worth %s; nothing has moved", len(proposed.proposals()), total(proposed.Total))
	return nil
}

func (f duplicatesFound) proposals() (all []proposal) {
	for _, g := range f.Groups {
		all = append(all, g.Proposals...)
	}
	return all
}

// confirm sends them, twice: each goes back exactly once.
func (d *duplicates) confirm() error {
	command := append(slices.Clone(duplicatesDiagnosis), "--refund", "--confirm")
	var first, second struct {
		Refunds []struct{ Status, Error string }
	}
	if err := d.ask(d.key, &first, command...); err != nil {
		return err
	}
	if err := d.ask(d.key, &second, command...); err != nil {
		return err
	}
	if err := d.repeated(); err != nil {
		return err
	}
	made, err := d.refunds()
	if err != nil {
		return err
	}
	wanted := d.result.proposals()
	for _, p := range wanted {
		var paid payment
		if err := d.call("GET", "/v1/payments/"+p.PaymentID, nil, &paid); err != nil {
			return err
		}
		got := made[paid.ProviderRef]
		if len(got) != 1 || money.FromMinor(got[0], money.Currency(p.Currency)).String() != p.Amount {
			return fmt.Errorf("payment %s was refunded by %v, not once by %s", p.PaymentID, got, p.Amount)
		}
	}
	if len(first.Refunds) != len(wanted) || len(second.Refunds) != 0 || len(made) != len(wanted) {
		return fmt.Errorf("%d refunds were wanted; %d and %d were sent, %d are at Stripe", len(wanted), len(first.Refunds), len(second.Refunds), len(made))
	}
	d.say.step("confirmed: %d refunds sent, each exactly once; the same command again sends none", len(made))
	return nil
}

// repeated sends one of the refunds once more under its key, as a second confirmation at the same moment would: it is the same refund.
func (d *duplicates) repeated() error {
	p := d.result.proposals()[0]
	var again struct{ Status string }
	return d.call("POST", "/v1/refunds", map[string]string{"payment_id": p.PaymentID, "amount": p.Amount, "reason": "duplicate"}, &again, client.Key(p.IdempotencyKey))
}

// total are sums by currency in words.
func total(of map[string]string) string {
	var all []string
	for _, c := range money.Currencies() {
		if s, ok := of[string(c)]; ok {
			all = append(all, s+" "+string(c))
		}
	}
	return strings.Join(all, " and ")
}

func (d *duplicates) letter() string {
	r := d.result
	var list strings.Builder
	for _, g := range r.Groups {
		fmt.Fprintf(&list, "   %s: %s %s, charged %d times (%s)\n", g.Object, g.Amount, g.Currency, len(g.Payments), g.Cause)
	}
	return fmt.Sprintf(`Hello %s,

we looked at every charge of the last week, and you are right: %d bookings were charged more than once. In all that
is %s too much.

%s
The cause is in the program of the agencies, not at Stripe and not at the banks. It does send an idempotency key,
but it makes a new one each time the button is pressed. When the screen hung, the first charge had already been
made; its answer was only late. The second press, with a new key, was a new charge. A key protects only if the
second attempt carries the same one.

Two trips for the same price, a deposit and its rest, and a customer who books again a month later are not in
this list: we compared bookings, not prices.

What we did: after your confirmation we sent the duplicates back, %d refunds, each exactly once. One charge for
each booking stays. The duplicate guard is on now: a second attempt for the same customer, card and amount within
ten minutes is held until you release it.

What you should do: have your developers make the key from the booking, not from chance: agency, booking and
action, as key_parts (docs/guide/idempotency.md). We tried it: three calls, with our service killed in between, are
one charge. Tell the customers that the money is on its way; banks take 5 to 10 days to show it.

Kind regards`, duplicateCharges.Ticket.Contact, len(r.Groups), total(r.Total), list.String(), len(r.proposals()))
}
