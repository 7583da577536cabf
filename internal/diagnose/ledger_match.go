package diagnose

import (
	"maps"
	"slices"
	"time"

	"github.com/till-pay/till/internal/money"
)

// matching finds for each entry what it is at Stripe.
type matching struct {
	pairs   []pair
	booked  []Booked
	claimed []int // by how many entries
	called  map[string][]int
}

func newMatching(entries []Entry, booked []Booked) *matching {
	m := &matching{pairs: make([]pair, len(entries)), booked: booked, claimed: make([]int, len(booked)), called: map[string][]int{}}
	for i := range entries {
		m.pairs[i].entry = &entries[i]
	}
	for i, b := range booked {
		names := map[string]bool{b.Source: true, b.Payment: true}
		for _, name := range slices.Concat(b.Lines, b.Names) {
			names[name] = true
		}
		delete(names, "")
		for name := range names {
			m.called[name] = append(m.called[name], i)
		}
	}
	m.turn()
	return m
}

// turn gives payouts the sign that they have at Stripe: one of a balance below nothing takes money from the bank.
func (m *matching) turn() {
	for n := range m.pairs {
		e := m.pairs[n].entry
		if e.Kind != "payout" && e.Kind != "payout_reversal" {
			continue
		}
		for _, i := range m.candidates(e) {
			if theirs, same := m.booked[i].amountIn(e.Amount.Currency); same && theirs.Minor == -e.Amount.Minor {
				e.Amount.Minor = theirs.Minor
				break
			}
		}
	}
}

// candidates are what an entry may be at Stripe: of its name and kind.
func (m *matching) candidates(e *Entry) (all []int) {
	for _, i := range m.called[e.Ref] {
		if m.booked[i].Kind == e.Kind {
			all = append(all, i)
		}
	}
	return all
}

func (m *matching) claim(p *pair, i int) {
	p.booked = &m.booked[i]
	m.claimed[i]++
}

// splits pairs entries that only together are what Stripe moved at once, such as one for each thing that was bought.
func (m *matching) splits() {
	of := map[int][]*pair{}
	for i := range m.pairs {
		if all := m.candidates(m.pairs[i].entry); len(all) == 1 {
			of[all[0]] = append(of[all[0]], &m.pairs[i])
		}
	}
	for i, parts := range of {
		if len(parts) > 1 {
			m.split(i, parts)
		}
	}
}

// split pairs the parts with what they are together, if that is so. A part without an amount has a fee.
func (m *matching) split(i int, parts []*pair) {
	b := &m.booked[i]
	whole, same := b.amountIn(parts[0].entry.Amount.Currency)
	fee, bearer := b.Fee.Minor, -1
	for n, p := range parts {
		e := p.entry
		same = same && e.Amount.Currency == whole.Currency && (e.Amount.Minor != 0 || e.Fee.Minor != 0)
		whole.Minor -= e.Amount.Minor
		if e.HasFee && bearer < 0 {
			bearer = n
		} else if e.HasFee {
			fee -= e.Fee.Minor
		}
	}
	if !same || whole.Minor != 0 {
		return
	}
	for n, p := range parts {
		m.claim(p, i)
		part := *b
		part.From, part.Amount, part.split = p.entry.Amount, p.entry.Amount, true
		if part.Fee.Minor = p.entry.Fee.Minor; n == bearer {
			part.Fee.Minor = fee // what Stripe took in all, less what the other parts say
		}
		p.booked = &part
	}
}

// split says whether the entry is one of several that are equal to Stripe's amount together.
func (p *pair) split() bool { return p.booked != nil && p.booked.split }

// exact pairs entries with what has their amount.
func (m *matching) exact() {
	for n := range m.pairs {
		p := &m.pairs[n]
		if p.booked != nil {
			continue
		}
		for _, i := range m.candidates(p.entry) {
			if theirs, same := m.booked[i].amountIn(p.entry.Amount.Currency); m.claimed[i] == 0 && same && theirs == p.entry.Amount {
				m.claim(p, i)
				break
			}
		}
	}
}

// rest pairs what is left with what else has its name; what has none left for it is there more than once.
func (m *matching) rest() {
	for n := range m.pairs {
		p := &m.pairs[n]
		all := m.candidates(p.entry)
		if p.booked != nil || len(all) == 0 {
			continue
		}
		free := slices.IndexFunc(all, func(i int) bool { return m.claimed[i] == 0 })
		if free < 0 {
			p.doubled, free = true, 0
		}
		m.claim(p, all[free])
	}
}

// dayOf is a day in the books of one currency.
type dayOf struct {
	currency money.Currency
	day      string
}

func onDay(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }

// apart is how many days lie between two times.
func apart(a, b time.Time, zone *time.Location) int {
	midnight := func(t time.Time) time.Time {
		y, m, d := t.In(zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	days := int(midnight(a).Sub(midnight(b)) / (24 * time.Hour))
	return max(days, -days)
}

// payoutsByDay says in which payouts went what was made on a day.
func payoutsByDay(booked []Booked, zone *time.Location) map[dayOf][]string {
	all := map[dayOf][]string{}
	for _, b := range booked {
		k := dayOf{b.Amount.Currency, onDay(b.At, zone)}
		if b.Payout != "" && b.Payout != b.Source && !slices.Contains(all[k], b.Payout) {
			all[k] = append(all[k], b.Payout)
		}
	}
	return all
}

// tally adds up both sides by currency.
type tally map[money.Currency]*ledgerTotals

type ledgerTotals struct{ ledger, stripe, ledgerFees, stripeFees, named int64 }

func (s tally) of(c money.Currency) *ledgerTotals {
	if s[c] == nil {
		s[c] = &ledgerTotals{}
	}
	return s[c]
}

func (s tally) ledger(e *Entry) {
	s.of(e.Amount.Currency).ledger += e.Amount.Minor
	if e.HasFee {
		s.of(e.Fee.Currency).ledgerFees += e.Fee.Minor
	}
}

// skipFee takes out a fee that Stripe has in another currency: there is nothing to compare it with.
func (s tally) skipFee(e *Entry) { s.of(e.Fee.Currency).ledgerFees -= e.Fee.Minor }

func (s tally) stripe(m money.Money)    { s.of(m.Currency).stripe += m.Minor }
func (s tally) stripeFee(m money.Money) { s.of(m.Currency).stripeFees += m.Minor }

// named adds what a finding explains of the difference.
func (s tally) named(m money.Money, times int64) {
	if m.Currency != "" {
		s.of(m.Currency).named += times * m.Minor
	}
}

func (s tally) shown() []LedgerSum {
	all := []LedgerSum{}
	for _, c := range slices.Sorted(maps.Keys(s)) {
		in := func(minor int64) string { return money.FromMinor(minor, c).String() }
		t := s[c]
		off := t.ledger - t.ledgerFees - t.stripe + t.stripeFees
		all = append(all, LedgerSum{string(c), in(t.ledger), in(t.stripe), in(t.ledgerFees), in(t.stripeFees), in(off), in(t.named), in(off - t.named)})
	}
	return all
}
