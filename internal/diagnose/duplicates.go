package diagnose

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

// DuplicatesInput says what to look at.
type DuplicatesInput struct {
	Since  time.Duration // how far back
	By     string        // the metadata key that names the business object; "" goes by customer and card
	Within time.Duration // payments of one object that follow each other in less than this are tries of one charge
}

// Duplicates is what was charged more than once.
type Duplicates struct {
	Check    string            `json:"check"`
	Since    time.Time         `json:"since"`
	Until    time.Time         `json:"until"`
	By       string            `json:"by"` // the metadata key, or "customer, card"
	Within   string            `json:"within"`
	Looked   int               `json:"payments_looked_at"`
	Groups   []Group           `json:"groups"`
	Total    map[string]string `json:"total"` // by currency: charged too often and still kept
	Returned map[string]string `json:"returned"`
	Cause    string            `json:"cause"`
}

// Group is the payments of one charge that was meant once.
type Group struct {
	Object    string   `json:"object"` // the booking, or the customer
	Amount    string   `json:"amount"`
	Currency  string   `json:"currency"`
	Keys      int      `json:"keys"`
	Cause     string   `json:"cause"`
	Keep      string   `json:"keep"`      // the payment that stands: the first that took the money
	Excess    string   `json:"excess"`    // taken by the others, and still kept
	Payments  []Try    `json:"payments"`  // oldest first
	Proposals []Refund `json:"proposals"` // what would put it right
}

// Try is one payment of a group.
type Try struct {
	ID        string    `json:"id"`
	Intent    string    `json:"payment_intent"`
	Key       string    `json:"idempotency_key"`
	Status    string    `json:"status"`
	Captured  string    `json:"captured"`
	Refunded  string    `json:"refunded"`
	CreatedAt time.Time `json:"created_at"`
	Requests  int       `json:"requests"` // how often the merchant's program asked under this key
}

// Refund is money that should go back. Its key is made of the payment, so that it goes back once, however often it is confirmed.
type Refund struct {
	PaymentID      string `json:"payment_id"`
	Amount         string `json:"amount"`
	Currency       string `json:"currency"`
	IdempotencyKey string `json:"idempotency_key"`
}

// FindDuplicates looks for payments that charge one thing more than once.
func FindDuplicates(ctx context.Context, c *client.Client, in DuplicatesInput) (*Duplicates, error) {
	facts, err := Gather(ctx, c, in.Since)
	if err != nil {
		return nil, err
	}
	d := &Duplicates{Check: "duplicates", Since: facts.Since, Until: facts.Until, By: first(in.By, "customer, card"), Within: hours(in.Within),
		Looked: len(facts.Payments), Groups: []Group{}, Total: map[string]string{}, Returned: map[string]string{}}
	for _, tries := range grouped(facts.Payments, in) {
		g, err := d.group(ctx, c, in, tries)
		if err != nil {
			return nil, err
		}
		d.Groups = append(d.Groups, g)
	}
	d.Cause = d.cause()
	if comparable := func(p Payment) bool { return subject(p, in.By) != "" }; len(facts.Payments) > 0 && !slices.ContainsFunc(facts.Payments, comparable) {
		d.Cause = "Nothing was compared: none of the payments names its customer."
		if in.By != "" {
			d.Cause = fmt.Sprintf("Nothing was compared: none of the payments has %q in its metadata.", in.By)
		}
	}
	return d, nil
}

// subject is what a payment is for, or "" where that cannot be told.
func subject(p Payment, by string) string {
	if by != "" {
		return p.Metadata[by]
	}
	if p.Customer == "" || p.Card == "" {
		return ""
	}
	return p.Customer
}

// grouped are the payments that took the same money for the same thing, in quick succession; those that took none are left out, and those
// that a person has looked at and released. The same
// amount for another booking, or for the same customer a month later, is no duplicate.
func grouped(all []Payment, in DuplicatesInput) (groups [][]Payment) {
	type like struct{ subject, card, amount, currency string }
	by := map[like][]Payment{}
	for _, p := range all {
		s := subject(p, in.By)
		if s == "" || p.Meant || !p.Captured.Positive() {
			continue
		}
		l := like{subject: s, amount: p.Amount.String(), currency: string(p.Amount.Currency)}
		if in.By == "" {
			l.card = p.Card
		}
		by[l] = append(by[l], p)
	}
	for _, like := range by {
		from := 0
		for i := range like {
			if i+1 < len(like) && like[i+1].CreatedAt.Sub(like[i].CreatedAt) < in.Within {
				continue
			}
			if run := like[from : i+1]; len(run) > 1 {
				groups = append(groups, run)
			}
			from = i + 1
		}
	}
	slices.SortFunc(groups, func(a, b []Payment) int {
		return cmp.Or(a[0].CreatedAt.Compare(b[0].CreatedAt), cmp.Compare(a[0].ID, b[0].ID))
	})
	return groups
}

// attempt is one line of a payment's audit trail.
type attempt struct {
	Kind string `json:"kind"`
}

// group explains one group. The first payment stands; what the others took and still hold should go back.
func (d *Duplicates) group(ctx context.Context, c *client.Client, in DuplicatesInput, tries []Payment) (Group, error) {
	g := Group{Object: subject(tries[0], in.By), Amount: tries[0].Amount.String(), Currency: string(tries[0].Amount.Currency), Keep: tries[0].ID,
		Payments: []Try{}, Proposals: []Refund{}}
	excess, keys := money.FromMinor(0, tries[0].Amount.Currency), map[string]bool{}
	for n, p := range tries {
		var trail []attempt
		if err := c.Call(ctx, "GET", "/v1/payments/"+p.ID+"/attempts", nil, &trail); err != nil {
			return g, err
		}
		keys[p.IdempotencyKey] = true
		g.Payments = append(g.Payments, Try{p.ID, p.ProviderRef, p.IdempotencyKey, p.Status, p.Captured.String(), p.Refunded.String(), p.CreatedAt, requests(trail)})
		if n == 0 {
			continue
		}
		if kept := p.Kept(); kept.Positive() {
			g.Proposals = append(g.Proposals, Refund{p.ID, kept.String(), g.Currency, "duplicate-" + p.ID})
			excess.Minor += kept.Minor
		}
		if back := money.FromMinor(p.Refunded.Minor+p.Refunding.Minor, p.Amount.Currency); back.Positive() {
			if err := total(d.Returned, back); err != nil {
				return g, err
			}
		}
	}
	g.Keys, g.Excess = len(keys), excess.String()
	g.Cause = g.why(first(in.By, "customer"))
	if !excess.Positive() {
		return g, nil
	}
	return g, total(d.Total, excess)
}

// requests counts how often the merchant's program asked, by the audit trail: the first time, and each repeat under the same key.
func requests(trail []attempt) (n int) {
	for _, a := range trail {
		if a.Kind == "request" || a.Kind == "repeat" {
			n++
		}
	}
	return n
}

// why says the cause of one group in words.
func (g Group) why(object string) string {
	s := fmt.Sprintf("one %s, %s", object, plural(g.Keys, "key"))
	repeated := 0
	for _, p := range g.Payments {
		repeated += max(p.Requests-1, 0)
	}
	if repeated == 0 {
		return s + ": a new key on every attempt"
	}
	return fmt.Sprintf("%s: a new key on most attempts, though %s came under the key of the one before", s, plural(repeated, "repeat"))
}

// cause is that of all groups together.
func (d *Duplicates) cause() string {
	if len(d.Groups) == 0 {
		return "Nothing was charged twice."
	}
	payments, keys := 0, map[string]bool{}
	for _, g := range d.Groups {
		payments += len(g.Payments)
		for _, p := range g.Payments {
			keys[p.Key] = true
		}
	}
	if len(keys) == payments {
		return fmt.Sprintf("%s, each with an Idempotency-Key of its own, for %s: the program that calls makes a new key on every attempt, so a repeat after a time-out is a new charge.",
			sentence(plural(payments, "payment")), plural(len(d.Groups), "charge"))
	}
	return fmt.Sprintf("%s for %s, under %s.", sentence(plural(payments, "payment")), plural(len(d.Groups), "charge"), plural(len(keys), "key"))
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Proposals are all refunds that would put it right.
func (d *Duplicates) Proposals() (all []Refund) {
	for _, g := range d.Groups {
		all = append(all, g.Proposals...)
	}
	return all
}

// Refunded is what became of a proposal that was confirmed.
type Refunded struct {
	Refund
	ID     string `json:"id"`
	Status string `json:"status"`
	Error  string `json:"error"`
}

// Confirm sends the proposed refunds, each once under its key, one after another. One that is refused does not keep the others.
func (d *Duplicates) Confirm(ctx context.Context, c *client.Client) (all []Refunded) {
	for _, r := range d.Proposals() {
		done := Refunded{Refund: r}
		var made struct{ ID, Status string }
		err := c.Call(ctx, "POST", "/v1/refunds", map[string]string{"payment_id": r.PaymentID, "amount": r.Amount, "reason": "duplicate"}, &made, client.Key(r.IdempotencyKey))
		if done.ID, done.Status = made.ID, made.Status; err != nil {
			done.Error = err.Error()
		}
		all = append(all, done)
	}
	return all
}

// Write tells it to a person.
func (d *Duplicates) Write(w io.Writer) {
	fmt.Fprintf(w, "%s from %s to %s, by %s; tries of one charge follow each other within %s.\n", sentence(plural(d.Looked, "payment")), minute(d.Since), minute(d.Until), d.By, d.Within)
	if len(d.Groups) == 0 {
		fmt.Fprintln(w, d.Cause)
		return
	}
	for _, g := range d.Groups {
		fmt.Fprintf(w, "\n%s  %s %s, charged %s: %s\n", g.Object, g.Amount, g.Currency, times(len(g.Payments)), g.Cause)
		for _, p := range g.Payments {
			what := "duplicate"
			if p.ID == g.Keep {
				what = "stands"
			}
			fmt.Fprintf(w, "  %-9s  %s  %s  %-9s %s  key %s  (%s)\n", what, p.CreatedAt.Format("2006-01-02 15:04:05"), p.ID, p.Status, p.Intent, p.Key, plural(p.Requests, "request"))
		}
	}
	fmt.Fprintf(w, "\nCause: %s\nCharged too often and still kept: %s.", d.Cause, sums(d.Total))
	if len(d.Returned) > 0 {
		fmt.Fprintf(w, " Sent back: %s.", sums(d.Returned))
	}
	fmt.Fprintln(w)
	if all := d.Proposals(); len(all) > 0 {
		fmt.Fprintln(w, "\nProposed, not done:")
		for _, r := range all {
			fmt.Fprintf(w, "  refund %s %s of payment %s  (key %s)\n", r.Amount, r.Currency, r.PaymentID, r.IdempotencyKey)
		}
		fmt.Fprintln(w, "Nothing has moved. To send these refunds: the same command with --refund --confirm.")
	}
}

func times(n int) string {
	if n == 2 {
		return "twice"
	}
	return plural(n, "time")
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
