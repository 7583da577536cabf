package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/till-pay/till/internal/money"
)

// Booked is what Stripe's balance transactions say of one object: its lines of one kind together.
type Booked struct {
	Lines   []string // txn_…
	Kind    string
	Source  string
	Payment string   // of till's
	Names   []string // by which a ledger may call it, with those above
	Amount  money.Money
	Fee     money.Money
	From    money.Money // Amount before Stripe converted it; the same where it did not
	Payout  string
	At      time.Time
	Words   string // why till did not foretell it; "" where it did
	split   bool   // a part of it, which one of several entries stands for
}

// Finding is one difference between the ledger and Stripe.
type Finding struct {
	Finding     string    `json:"finding"`
	Kind        string    `json:"kind"`
	Reference   string    `json:"reference"` // as the ledger calls it; "" where it does not
	Row         int       `json:"row"`       // of the ledger; 0 where it has none
	Transaction string    `json:"transaction"`
	Source      string    `json:"source"`
	Payment     string    `json:"payment_id"`
	Payout      string    `json:"payout"`
	Currency    string    `json:"currency"`
	Ledger      string    `json:"ledger"` // "" where it has none
	Stripe      string    `json:"stripe"` // "" where it has none
	Difference  string    `json:"difference"`
	Words       string    `json:"words"`
	At          time.Time `json:"at"`
}

// What a finding may be.
const (
	AmountDiffers   = "amount_differs"
	FeeDiffers      = "fee_differs"
	CurrencyDiffers = "currency_differs"
	OtherPayout     = "dated_in_another_payout"
	OnlyInLedger    = "only_in_ledger"
	OnlyAtStripe    = "only_at_stripe"
	Doubled         = "doubled"
)

// LedgerSum is one currency: what the ledger has, what Stripe has, and what of the difference no finding names.
type LedgerSum struct {
	Currency   string `json:"currency"`
	Ledger     string `json:"ledger"`
	Stripe     string `json:"stripe"`
	LedgerFees string `json:"ledger_fees"` // where the ledger has a fee
	StripeFees string `json:"stripe_fees"` // of the same
	Difference string `json:"difference"`  // of amounts less fees
	Named      string `json:"named"`
	Remainder  string `json:"remainder"`
}

// Compared is the merchant's ledger against Stripe's balance transactions.
type Compared struct {
	From     time.Time   `json:"from"`
	Until    time.Time   `json:"until"`
	Zone     string      `json:"zone"`
	Entries  int         `json:"entries"`
	Equal    int         `json:"equal"`
	BadRows  int         `json:"bad_rows"`
	Bad      []BadRow    `json:"bad"`
	LeftOut  []string    `json:"left_out"` // kinds that the ledger does not have
	Sums     []LedgerSum `json:"sums"`
	Findings []Finding   `json:"findings"`

	pairs []pair
	extra []*Booked // what the ledger lacks
}

// Agrees says whether the ledger says what Stripe says.
func (c *Compared) Agrees() bool { return len(c.Findings) == 0 && c.BadRows == 0 }

// pair is an entry with what it is at Stripe: nil where there is nothing.
type pair struct {
	entry   *Entry
	booked  *Booked
	doubled bool
	wrong   []string // findings
}

// CompareLedger holds a ledger against what Stripe says, of which only what was made from one time on and before another must be in the ledger.
// Each entry is compared in the currency in which it is written, if that is the customer's or the one that Stripe settles in.
func CompareLedger(l *MerchantLedger, booked []Booked, from, until time.Time, zone *time.Location) *Compared {
	c := &Compared{From: from, Until: until, Zone: zone.String(), Entries: len(l.Entries), BadRows: l.BadRows, Bad: append([]BadRow{}, l.Bad...), LeftOut: []string{}, Findings: []Finding{}}
	slices.SortStableFunc(booked, func(a, b Booked) int { return a.At.Compare(b.At) })
	m := newMatching(l.Entries, booked)
	m.splits()
	m.exact()
	m.rest()
	paid := payoutsByDay(booked, zone)
	s := tally{}
	for i := range m.pairs {
		c.judge(&m.pairs[i], paid, zone, s)
	}
	c.missing(m, l, s)
	c.pairs = m.pairs
	c.Sums = s.shown()
	slices.SortStableFunc(c.Findings, func(a, b Finding) int { return a.At.Compare(b.At) })
	return c
}

// judge says what a pair is, and adds it up.
func (c *Compared) judge(p *pair, paid map[dayOf][]string, zone *time.Location, s tally) {
	e, b := p.entry, p.booked
	f := Finding{Kind: e.Kind, Reference: e.Ref, Row: e.Row, Currency: string(e.Amount.Currency), Ledger: e.Amount.String(), Difference: e.Amount.String(), At: e.Date}
	s.ledger(e)
	switch {
	case b == nil:
		c.found(p, f, OnlyInLedger, cmp.Or(e.Note, "Stripe has no transaction of it."))
		s.named(e.Amount, 1)
		s.named(e.Fee, -1)
		return
	case p.doubled:
		c.found(p, b.in(f), Doubled, "The ledger has it more than once.")
		s.named(e.Amount, 1)
		s.named(e.Fee, -1)
		return
	}
	f = b.in(f)
	theirs, same := b.amountIn(e.Amount.Currency)
	s.stripe(theirs)
	if f.Stripe = theirs.String(); !same {
		f.Stripe += " " + string(theirs.Currency)
		c.found(p, f, CurrencyDiffers, fmt.Sprintf("The ledger has %s %s, and at Stripe it is %s %s.", e.Amount, e.Amount.Currency, theirs, theirs.Currency))
		s.named(e.Amount, 1)
		s.named(theirs, -1)
	} else if off := e.Amount.Minor - theirs.Minor; off != 0 {
		f.Difference = money.FromMinor(off, e.Amount.Currency).String()
		c.found(p, f, AmountDiffers, fmt.Sprintf("The ledger has %s %s, and Stripe moved %s %s.", e.Amount, e.Amount.Currency, theirs, theirs.Currency))
		s.named(money.FromMinor(off, e.Amount.Currency), 1)
	}
	c.judgeFee(p, f, same, s)
	c.judgeDay(p, f, paid, zone)
	if len(p.wrong) == 0 {
		c.Equal++
	}
}

// judgeFee compares fees, where the ledger has one in the currency that Stripe settles in.
func (c *Compared) judgeFee(p *pair, f Finding, same bool, s tally) {
	e, b := p.entry, p.booked
	if !e.HasFee {
		return
	}
	if !same || b.Fee.Currency != e.Fee.Currency {
		s.skipFee(e)
		return
	}
	s.stripeFee(b.Fee)
	if off := e.Fee.Minor - b.Fee.Minor; off != 0 {
		f.Ledger, f.Stripe, f.Difference = e.Fee.String(), b.Fee.String(), money.FromMinor(off, e.Fee.Currency).String()
		c.found(p, f, FeeDiffers, fmt.Sprintf("The ledger has a fee of %s %s, and Stripe took %s %s.", e.Fee, e.Fee.Currency, b.Fee, b.Fee.Currency))
		s.named(money.FromMinor(off, e.Fee.Currency), -1)
	}
}

// judgeDay finds entries that the ledger puts into another payout than Stripe does: by name, or by a day that is more than one off, for ledgers and
// Stripe may not end their days at the same hour.
func (c *Compared) judgeDay(p *pair, f Finding, paid map[dayOf][]string, zone *time.Location) {
	e, b := p.entry, p.booked
	if e.Kind == "payout" || e.Kind == "payout_reversal" {
		return
	}
	other := ""
	switch {
	case e.Payout != "" && b.Payout != "":
		if e.Payout != b.Payout {
			other = e.Payout
		}
	case apart(e.Date, b.At, zone) > 1:
		there := paid[dayOf{b.Amount.Currency, onDay(e.Date, zone)}]
		if len(there) > 0 && !slices.Contains(there, b.Payout) {
			other = there[0]
		}
	}
	if other == "" {
		return
	}
	f.Difference = money.FromMinor(0, e.Amount.Currency).String()
	c.found(p, f, OtherPayout, fmt.Sprintf("The ledger dates it %s, in payout %s; at Stripe it was made on %s, and is in %s.", onDay(e.Date, zone), other, onDay(b.At, zone), cmp.Or(b.Payout, "no payout yet")))
}

func (c *Compared) found(p *pair, f Finding, what, words string) {
	f.Finding, f.Words = what, words
	c.Findings = append(c.Findings, f)
	if p != nil {
		p.wrong = append(p.wrong, words)
	}
}

// missing adds what Stripe has and the ledger has not. Payouts are left out where it has none at all: many ledgers keep them elsewhere.
func (c *Compared) missing(m *matching, l *MerchantLedger, s tally) {
	keeps := slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Kind == "payout" })
	for i := range m.booked {
		b := &m.booked[i]
		if m.claimed[i] > 0 || b.At.Before(c.From) || !b.At.Before(c.Until) {
			continue
		}
		if !keeps && (b.Kind == "payout" || b.Kind == "payout_reversal") {
			if !slices.Contains(c.LeftOut, b.Kind) {
				c.LeftOut = append(c.LeftOut, b.Kind)
			}
			continue
		}
		f := b.in(Finding{Kind: b.Kind, Currency: string(b.From.Currency), Stripe: b.From.String(), Difference: money.FromMinor(-b.From.Minor, b.From.Currency).String(), At: b.At})
		c.found(nil, f, OnlyAtStripe, cmp.Or(b.Words, "The ledger has no entry of it."))
		c.extra = append(c.extra, b)
		s.stripe(b.From)
		s.named(b.From, -1)
		if l.Fees && b.Fee.Minor != 0 {
			s.stripeFee(b.Fee)
			s.named(b.Fee, 1)
		}
	}
}

// in fills in what a finding says of Stripe's side.
func (b *Booked) in(f Finding) Finding {
	f.Transaction, f.Source, f.Payment, f.Payout = b.Lines[0], b.Source, b.Payment, b.Payout
	return f
}

// amountIn is the amount in the currency of an entry; same is false where it is neither the customer's nor the one that Stripe settles in.
func (b *Booked) amountIn(c money.Currency) (m money.Money, same bool) {
	switch c {
	case b.From.Currency:
		return b.From, true
	case b.Amount.Currency:
		return b.Amount, true
	}
	return b.From, false
}
