package diagnose

import (
	"fmt"
	"time"
)

// merchant is what till says of the merchant's Stripe account; all of it is zero where the API key may not ask.
type merchant struct {
	Provider struct {
		Account         string    `json:"account"`
		Country         string    `json:"country"`
		DefaultCurrency string    `json:"default_currency"`
		Generation      int64     `json:"generation"`
		UpdatedAt       time.Time `json:"updated_at"`
	} `json:"provider"`
}

// Integration is whether anything on the merchant's side has changed: the way in which payments are asked for, before and lately.
type Integration struct {
	Unchanged bool      `json:"unchanged"`
	Words     string    `json:"words"`
	Same      []string  `json:"evidence"`
	Changed   []string  `json:"changed"`
	KeySince  time.Time `json:"stripe_key_since"` // zero where the API key may not ask
}

// integration compares how payments were asked for. What the customers' banks do is not the integration: only what nobody declined, and the
// form of the requests, are looked at.
func (d *Declines) integration(m merchant) Integration {
	i := Integration{KeySince: m.Provider.UpdatedAt, Same: []string{}, Changed: []string{}}
	switch since := i.KeySince; {
	case since.IsZero(): // not known
	case since.After(d.Recent.Since):
		i.Changed = append(i.Changed, "the Stripe key was set at "+minute(since))
	default:
		i.Same = append(i.Same, "the Stripe key is the same since "+minute(since))
	}
	for _, habit := range habits {
		was, is := 0, 0
		for _, p := range d.Before.decided {
			was += one(habit.has(p))
		}
		for _, p := range d.Recent.decided {
			is += one(habit.has(p))
		}
		r := rise(was, d.Before.Decided, is, d.Recent.Decided)
		line := fmt.Sprintf("%s: %s before (%d of %d), %s lately (%d of %d)", habit.name, rate(percent(was, d.Before.Decided)), was, d.Before.Decided,
			rate(percent(is, d.Recent.Decided)), is, d.Recent.Decided)
		const fewest, strict = 5, 3.0
		if moved := r.Sigma >= strict || habit.bothWays && r.Sigma <= -strict; moved && max(was, is) >= fewest {
			i.Changed = append(i.Changed, line)
		} else {
			i.Same = append(i.Same, line)
		}
	}
	i.Unchanged = len(i.Changed) == 0 && d.Before.Decided > 0
	switch {
	case d.Before.Decided == 0:
		i.Words = "Whether the integration has changed cannot be told without a time before."
	case i.Unchanged:
		i.Words = "The integration is unchanged."
	default:
		i.Words = fmt.Sprintf("The way in which payments are made has changed: %s.", i.Changed[0])
	}
	return i
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// habits are the ways in which payments are asked for, and what goes wrong on the way to a bank.
var habits = []struct {
	name     string
	has      func(Payment) bool
	bothWays bool // that it has become less would be a change too
}{
	{"failed for a technical reason", func(p Payment) bool { return p.declined() && p.class() == Technical }, false},
	{"asked of Stripe more than once", func(p Payment) bool { return p.Attempts > 1 }, false},
	{"by a saved card", func(p Payment) bool { return p.Saved }, true},
	{"with 3-D Secure", func(p Payment) bool { return p.Paid.ThreeDSecure != "" }, true},
}
