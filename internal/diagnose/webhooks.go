package diagnose

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

// WebhooksInput says what to look at.
type WebhooksInput struct {
	Since      time.Duration
	Orders     []Order    // the shop's own list; none compares nothing
	Suspicious []Received // requests that came to the webhook endpoint
}

// Webhooks is what forged and missed events have done.
type Webhooks struct {
	Check      string      `json:"check"`
	Since      time.Time   `json:"since"`
	Until      time.Time   `json:"until"`
	Orders     int         `json:"orders"`      // looked at
	Paid       int         `json:"orders_paid"` // of them, by the shop's list
	Unfounded  []Unfounded `json:"unfounded"`   // marked as paid, and the money is not there
	Overlooked []Unfounded `json:"overlooked"`  // paid for, and not marked as paid
	Unsure     []Unfounded `json:"unsure"`      // taken and not marked as paid, while news of refunds is missing
	Missed     []Missed    `json:"missed"`      // events of Stripe's that did not come
	Complete   bool        `json:"complete"`    // Stripe's list was seen whole
	AtStripe   int         `json:"at_stripe"`
	Suspicious *Signatures `json:"suspicious"` // null where none were given
	Cause      string      `json:"cause"`
}

// Unfounded is an order whose mark and whose money disagree.
type Unfounded struct {
	Order    string `json:"order"`
	Intent   string `json:"payment_intent"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	Payment  string `json:"payment_id"` // till's; "" where it has none
	Reason   string `json:"reason"`     // no_payment, not_taken, amount, refunded, shared; or missed, taken; or refund_missed
	Why      string `json:"why"`
}

// Missed is an event that Stripe has and that did not come by webhook.
type Missed struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Object    string    `json:"object_id"`
	CreatedAt time.Time `json:"created_at"`
	FoundBy   string    `json:"found_by"` // "" where till still lacks it; sweep, repair or resend where that brought it
}

// CheckWebhooks compares the shop's orders with the money, and what till has heard with what Stripe has told.
func CheckWebhooks(ctx context.Context, c *client.Client, in WebhooksInput) (*Webhooks, error) {
	w := &Webhooks{Check: "webhooks", Orders: len(in.Orders), Unfounded: []Unfounded{}, Overlooked: []Unfounded{}, Unsure: []Unfounded{}, Missed: []Missed{}}
	facts, err := Gather(ctx, c, in.Since)
	if err != nil {
		return nil, err
	}
	w.Since, w.Until = facts.Since, facts.Until
	if err := w.miss(ctx, c, in.Since); err != nil {
		return nil, err
	}
	if err := w.compare(ctx, c, facts, in.Orders); err != nil {
		return nil, err
	}
	if len(in.Suspicious) > 0 {
		if w.Suspicious, err = CheckSignatures(ctx, c, in.Suspicious); err != nil {
			return nil, err
		}
	}
	w.Cause = w.cause()
	return w, nil
}

// miss asks which of Stripe's events did not come: those that till still lacks, and those that it had to fetch.
func (w *Webhooks) miss(ctx context.Context, c *client.Client, since time.Duration) error {
	var said struct {
		AtStripe int  `json:"at_stripe"`
		Complete bool `json:"complete"`
		Missed   []Missed
	}
	if err := c.Call(ctx, "GET", "/v1/stripe/events/missed?since="+url.QueryEscape(hours(since)), nil, &said); err != nil {
		return err
	}
	w.Missed, w.Complete, w.AtStripe = append(w.Missed, said.Missed...), said.Complete, said.AtStripe
	for _, source := range []string{"sweep", "repair", "resend"} {
		q := url.Values{"source": {source}, "since": {w.Since.Format(time.RFC3339)}, "limit": {"100"}}
		err := client.Each(ctx, c, "/v1/stripe/events", q, func(e kept) error {
			w.Missed = slices.DeleteFunc(w.Missed, func(m Missed) bool { return m.ID == e.ID }) // it was found since the first look
			w.Missed = append(w.Missed, Missed{e.ID, e.Type, e.Object, e.CreatedAt, source})
			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.SortFunc(w.Missed, func(a, b Missed) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return nil
}

// hours is a duration as the API takes it: whole hours where it is, "72h".
func hours(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}

// compare holds each order against the money that till knows of.
func (w *Webhooks) compare(ctx context.Context, c *client.Client, facts *Facts, orders []Order) error {
	looked, paid := 0, map[string]string{} // by intent, the order that it paid first
	for _, o := range orders {
		if o.Paid {
			w.Paid++
		}
		if _, known := facts.byRef[o.Intent]; !known && o.Intent != "" {
			if looked++; looked > mostLookUps {
				return fmt.Errorf("more than %d orders are older than %s, or of no payment at all: look back on more, or give fewer orders", mostLookUps, hours(w.Until.Sub(w.Since)))
			}
		}
		p, ok, err := facts.behind(ctx, c, o.Intent)
		if err != nil {
			return err
		}
		at := Unfounded{Order: o.Order, Intent: o.Intent, Amount: o.Amount.String(), Currency: string(o.Amount.Currency)}
		if ok {
			at.Payment = p.ID
		}
		if !o.Paid {
			w.overlooked(at, p, ok)
			continue
		}
		if at.Reason, at.Why = against(o, p, ok, paid[o.Intent]); at.Reason != "" {
			w.Unfounded = append(w.Unfounded, at)
		} else {
			paid[o.Intent] = o.Order
		}
	}
	return nil
}

// against says what is wrong with an order that is marked as paid; "" where its money is there.
func against(o Order, p Payment, ok bool, other string) (reason, why string) {
	switch {
	case o.Intent == "":
		return "no_payment", "It names no payment at all."
	case !ok:
		return "no_payment", "There is no payment " + o.Intent + "."
	case !p.Captured.Positive():
		return "not_taken", "Nothing was taken: the payment is " + p.Status + "."
	case p.Captured.Currency != o.Amount.Currency || p.Captured.Minor < o.Amount.Minor:
		return "amount", fmt.Sprintf("Only %s %s were taken.", p.Captured, p.Captured.Currency)
	case p.Kept().Minor < o.Amount.Minor:
		return "refunded", fmt.Sprintf("%s of %s %s went back.", money.FromMinor(p.Captured.Minor-p.Kept().Minor, p.Captured.Currency), p.Captured, p.Captured.Currency)
	case other != "":
		return "shared", "The payment is that of order " + other + " already."
	}
	return "", ""
}

// overlooked finds an order that was paid for and is not marked so: its event is among those that did not come, whoever has fetched it
// since, or it came to nothing. Where news of refunds is missing, money that was heard of may have gone back unheard: it is not called paid for.
func (w *Webhooks) overlooked(at Unfounded, p Payment, ok bool) {
	if ok && p.Captured.Positive() && !p.Kept().Positive() {
		return // the money went back
	}
	for _, m := range w.Missed {
		if m.Object == at.Intent && m.Type == "payment_intent.succeeded" {
			at.Reason, at.Why = "missed", "Stripe has taken the money; the event "+m.ID+" that says so did not come."
			w.Overlooked = append(w.Overlooked, at)
			return
		}
	}
	if !ok || !p.Kept().Positive() {
		return
	}
	taken := fmt.Sprintf("%s %s were taken, and the order is not marked as paid", p.Captured, p.Captured.Currency)
	if w.lacks(func(m Missed) bool { return strings.Contains(m.Type, "refund") }) {
		at.Reason, at.Why = "refund_missed", taken+"; but refunds are among the events that did not come. Bring them in, and look again."
		w.Unsure = append(w.Unsure, at)
		return
	}
	at.Reason, at.Why = "taken", taken+"."
	w.Overlooked = append(w.Overlooked, at)
}

// lacks says whether till still lacks an event of a kind.
func (w *Webhooks) lacks(kind func(Missed) bool) bool {
	return slices.ContainsFunc(w.Missed, func(m Missed) bool { return m.FoundBy == "" && kind(m) })
}

func (w *Webhooks) cause() string {
	var s string
	switch n := len(w.Unfounded); {
	case w.Orders == 0:
		s = "No orders were given to compare."
	case n == 0:
		s = fmt.Sprintf("Each of %s that are marked as paid has its money behind it.", plural(w.Paid, "order"))
	default:
		s = fmt.Sprintf("%s of %d that are marked as paid have no such money behind them: whoever marks them does not check who says so.", sentence(plural(n, "order")), w.Paid)
	}
	open := len(slices.DeleteFunc(slices.Clone(w.Missed), func(m Missed) bool { return m.FoundBy != "" }))
	switch {
	case len(w.Missed) == 0:
		s += " No event of Stripe's is missing."
	case open == 0:
		s += fmt.Sprintf(" %s did not come and had to be fetched; none is missing now.", sentence(plural(len(w.Missed), "event")))
	default:
		s += fmt.Sprintf(" %s of Stripe's did not come; %d are still missing.", sentence(plural(len(w.Missed), "event")), open)
	}
	return s
}

// Write tells it to a person.
func (w *Webhooks) Write(out io.Writer) {
	fmt.Fprintf(out, "From %s to %s. %s, %d marked as paid.\n", minute(w.Since), minute(w.Until), sentence(plural(w.Orders, "order")), w.Paid)
	for _, list := range []struct {
		title string
		all   []Unfounded
	}{{"Marked as paid, and the money is not there:", w.Unfounded}, {"Paid for, and not marked as paid:", w.Overlooked}, {"To be looked at again once the missing events are in:", w.Unsure}} {
		if len(list.all) > 0 {
			fmt.Fprintln(out, "\n"+list.title)
		}
		for _, o := range list.all {
			fmt.Fprintf(out, "  %-10s %10s %s  %-13s %s\n", o.Order, o.Amount, o.Currency, o.Reason, o.Why)
		}
	}
	if len(w.Missed) > 0 {
		fmt.Fprintf(out, "\nEvents that Stripe sent and that did not come (%d of %d):\n", len(w.Missed), w.AtStripe)
	}
	for _, m := range w.Missed {
		fmt.Fprintf(out, "  %s  %s  %-34s %s  %s\n", m.CreatedAt.UTC().Format("2006-01-02 15:04:05"), m.ID, m.Type, m.Object, first(m.FoundBy, "missing"))
	}
	if !w.Complete {
		fmt.Fprintln(out, "  Stripe's list was not seen whole: look back on less.")
	}
	if w.Suspicious != nil {
		fmt.Fprintln(out, "\nSuspicious requests:")
		w.Suspicious.Write(out)
	}
	fmt.Fprintln(out, "\nCause: "+w.Cause)
	if w.lacks(func(Missed) bool { return true }) {
		fmt.Fprintf(out, "To bring the missing events in: till events repair --since %s\n", hours(w.Until.Sub(w.Since)))
	}
}
