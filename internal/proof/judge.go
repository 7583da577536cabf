package proof

import (
	"slices"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/ledger"
)

// The verdicts.
const (
	doubled = "doubled" // money moved twice, or is said to have, or was announced in two ways
	lost    = "lost"    // money moved and is not known, or what was acknowledged is gone, or an end was not announced
	stuck   = "stuck"   // something is still open that nothing will end
	broken  = "broken"  // the proof itself did not work: it says nothing of till
)

// judge looks at everything when all is quiet.
func (s *story) judge() {
	payments := map[string]map[string]any{}
	for _, o := range s.orders {
		if o.id == "" {
			s.t.found(stuck, "the order %s has no payment", o.key)
			continue
		}
		payments[o.id] = s.atTill(o)
	}
	s.atStripe(payments)
	s.inTheRows()
	s.inTheBooks()
	s.atTheMerchant()
}

// atTill is an order's payment as till shows it.
func (s *story) atTill(o *order) map[string]any {
	var p map[string]any
	for _, path := range append([]string{"/v1/payments/" + o.id}, refundPaths(o)...) {
		a, err := s.ask(s.front.URL, "GET", path, "", nil)
		for tries := 0; err != nil && tries < 50 && s.t.pause(200*time.Millisecond); tries++ { // it may be starting
			a, err = s.ask(s.front.URL, "GET", path, "", nil)
		}
		if err != nil || a.status != 200 {
			s.t.found(lost, "%s of the order %s was acknowledged: till answers %d %s, %v", path, o.key, a.status, a.body, err)
			continue
		}
		if p == nil {
			p = a.data
		}
	}
	status := text(p, "status")
	switch {
	case p == nil:
	case !slices.Contains(o.ends, status) && status == "pending":
		s.t.found(stuck, "the payment of %s is pending, and not %v: %v", o.key, o.ends, p)
	case !slices.Contains(o.ends, status):
		s.t.found(lost, "the payment of %s is %s, and not %v: %v", o.key, status, o.ends, p)
	case text(p, "refunding") != "0.00":
		s.t.found(stuck, "the payment of %s has a refund on its way: %v", o.key, p)
	case text(p, "idempotency_key") != o.key:
		s.t.found(lost, "the payment of %s has another key: %v", o.key, p)
	case len(o.ends) == 1 && text(p, "captured") != amount(o.captured):
		s.t.found(lost, "the payment of %s: captured is not %s: %v", o.key, amount(o.captured), p)
	case text(p, "refunded") != amount(o.refunded()):
		s.t.found(lost, "the payment of %s: refunded is not %s: %v", o.key, amount(o.refunded()), p)
	}
	return p
}

func refundPaths(o *order) (all []string) {
	for _, r := range o.refunds {
		if r.id != "" {
			all = append(all, "/v1/refunds/"+r.id)
		}
	}
	return all
}

// atStripe holds what Stripe has against what till shows: one intent for a payment, one refund for a refund, the same amounts.
func (s *story) atStripe(payments map[string]map[string]any) {
	intents, refunds := map[string]int{}, map[string]int{}
	received := map[string]int64{} // by payment
	of := map[string]string{}      // the payment of an intent
	for _, pi := range s.list("/v1/payment_intents") {
		metadata, _ := pi["metadata"].(map[string]any)
		payment := text(metadata, "till_id")
		of[text(pi, "id")] = payment
		intents[payment]++
		received[payment] += whole(pi, "amount_received")
		if payments[payment] == nil {
			s.t.found(lost, "Stripe has an intent of which no order knows: %v", pi)
		}
	}
	back := map[string]int64{}
	for _, r := range s.list("/v1/refunds") {
		metadata, _ := r["metadata"].(map[string]any)
		refunds[text(metadata, "till_id")]++
		if text(r, "status") != "failed" {
			back[of[text(r, "payment_intent")]] += whole(r, "amount")
		}
	}
	for payment, n := range intents {
		if n > 1 {
			s.t.found(doubled, "the payment %s has %d intents at Stripe", payment, n)
		}
	}
	for refund, n := range refunds {
		if n > 1 {
			s.t.found(doubled, "the refund %s was made %d times at Stripe", refund, n)
		}
	}
	for payment, p := range payments {
		s.same(payment, "captured", text(p, "captured"), received[payment])
		s.same(payment, "refunded", text(p, "refunded"), back[payment])
	}
}

func (s *story) same(payment, what, till string, stripe int64) {
	if till != "" && till != amount(stripe) {
		s.t.found(lost, "the payment %s: till has %s %s, and Stripe %s", payment, what, till, amount(stripe))
	}
}

// inTheRows looks for what nobody is shown: rows too many, and work that is left.
func (s *story) inTheRows() {
	now := time.Now().UTC()
	if s.clock {
		var clock struct{ Now time.Time }
		s.box("GET", "/_sandbox/clock", nil, &clock)
		now = clock.Now
	}
	for _, check := range []struct {
		verdict, what, sql string
		args               []any
		want               int64
	}{
		{doubled, "payments", `select count(*) from payments`, nil, int64(len(s.orders))},
		{doubled, "events told twice", `select count(*) from (select 1 from events where type in ('payment.completed', 'payment.failed', 'payment.cancelled', 'payment.authorized',
			'refund.created', 'refund.completed', 'refund.failed') group by object, type having count(*) > 1) as twice`, nil, 0},
		{stuck, "open calls", `select count(*) from calls where state = 'open'`, nil, 0},
		{stuck, "events without deliveries", `select count(*) from events where not fanned`, nil, 0},
		{stuck, "deliveries under way", `select count(*) from deliveries where due_at is not null`, nil, 0},
		{stuck, "events of Stripe's that are not applied", `select count(*) from stripe_events where due_at is not null`, nil, 0},
		{stuck, "payments past their resolve_by", `select count(*) from payments where status in ('pending', 'authorized') and resolve_by < $1`, []any{now.UnixMicro()}, 0},
		{lost, "deliveries that were given up", `select count(*) from deliveries where status <> 'succeeded'`, nil, 0},
		{lost, "numbers without a delivery", `select coalesce(max(next_seq), 1) - 1 - (select count(*) from deliveries) from endpoints`, nil, 0},
	} {
		if n := s.count(check.sql, check.args...); n != check.want {
			s.t.found(check.verdict, "%s: %d, and not %d", check.what, n, check.want)
		}
	}
}

func (s *story) inTheBooks() {
	if err := ledger.Check(s.t.Context(), s.db, s.scope); err != nil {
		s.t.found(lost, "%v", err)
	}
	chain, err := (&ledger.Books{DB: s.db, Clock: clock.Real{}}).Verify(s.t.Context(), s.scope, ledger.VerifyInput{})
	if err != nil || !chain.Verified {
		s.t.found(lost, "the chain of the books: %v %v", err, chain.Findings)
	}
	all, err := ledger.Balances(s.t.Context(), s.db, s.scope, "")
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	var sum, held, want int64
	for _, b := range all {
		sum += b.Minor
		if b.Account == ledger.StripeBalance {
			held += b.Minor
		}
	}
	for _, c := range s.list("/v1/charges") {
		want += whole(c, "amount_captured") - whole(c, "amount_refunded")
	}
	if sum != 0 || held > want {
		s.t.found(doubled, "the books sum to %d and hold %d, where Stripe holds %d: %v", sum, held, want, all)
	} else if held < want {
		s.t.found(lost, "the books hold %d, where Stripe holds %d: %v", held, want, all)
	}
}

// announced is the event that tells of an end.
var announced = map[string]string{"completed": "payment.completed", "refunded": "payment.completed", "failed": "payment.failed", "cancelled": "payment.cancelled"}

// atTheMerchant asks whether the merchant heard of every end, and of every number.
func (s *story) atTheMerchant() {
	for _, o := range s.orders {
		if len(o.ends) == 1 && announced[o.ends[0]] != "" && s.hears.heard(o.id, announced[o.ends[0]]) == 0 {
			s.t.found(lost, "the merchant did not hear %s of %s", announced[o.ends[0]], o.key)
		}
		for _, r := range o.refunds {
			if r.minor > 0 && s.hears.heard(r.id, "refund.completed") == 0 {
				s.t.found(lost, "the merchant did not hear refund.completed of %s", r.key)
			}
		}
	}
	missing, twice := s.hears.gaps()
	if len(missing) > 0 {
		s.t.found(lost, "the merchant did not hear the numbers %v", missing)
	}
	if len(twice) > 0 {
		s.t.found(doubled, "the merchant heard two events with the numbers %v", twice)
	}
}
