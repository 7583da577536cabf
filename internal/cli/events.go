package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/inbox"
)

type events struct {
	List   eventsList   `cmd:"" help:"List Stripe's events as they came."`
	Missed eventsMissed `cmd:"" help:"Find events that Stripe has and till never heard of."`
	Repair eventsRepair `cmd:"" help:"Bring in what was missed, once."`
	Resend eventsResend `cmd:"" help:"Ask Stripe for one event and take it in again."`
}

type eventsList struct {
	remote
	Type   string `placeholder:"TYPE" help:"Only this type: payment_intent.succeeded, or refund.* for all of an object."`
	Object string `placeholder:"ID" help:"Only events about this object of Stripe's."`
	Source string `placeholder:"HOW" help:"Only events that first came this way: webhook, sweep, repair or resend."`
	Limit  int    `placeholder:"N" default:"50" help:"So many at most, newest first (${default})."`
	JSON   bool   `name:"json" help:"One JSON object a line."`
}

// Help is the end of --help.
func (eventsList) Help() string {
	return "Example:\n\n  till events list --source sweep\n  till events list --object pi_3… --json"
}

// Run lists the events.
func (l *eventsList) Run(c *console) error {
	till, err := l.client()
	if err != nil {
		return err
	}
	if l.Limit < 1 {
		return errors.New("--limit must be 1 or more")
	}
	shown, err := table[inbox.Told]{
		path: "/v1/stripe/events", query: filters(map[string]string{"type": l.Type, "object_id": l.Object, "source": l.Source}), limit: l.Limit, json: l.JSON,
		heads: "MADE\tID\tTYPE\tOBJECT\tCAME BY\tAPPLIED\tTRIES\tERROR",
		row: func(e inbox.Told) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%d\t%.80s", second(e.CreatedAt), e.ID, e.Type, orDash(e.ObjectID), e.Source, second(at(e.AppliedAt)), e.Attempts, orDash(e.Error))
		},
	}.print(c, till)
	if err == nil && shown == 0 && !l.JSON {
		fmt.Fprintln(c.err, "No such events have been kept. What Stripe has and till has not: till events missed")
	}
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func second(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// window is how far back Stripe's list is looked through.
type window struct {
	Since string `placeholder:"TIME" default:"72h" help:"How long ago, such as 72h, 30m or 3d, or a time such as 2026-11-21T09:00:00Z: 30 days at most (${default})."`
}

// mostRounds bounds how often the rest of a long list is asked for.
const mostRounds = 1000

// walk asks until the whole list was looked through: one answer looks through a bounded part of it.
func (w window) walk(ask func(since, until string) (inbox.Gap, error)) (whole inbox.Gap, err error) {
	whole, err = ask(w.Since, "")
	since := whole.Since.Format(time.RFC3339) // the same time in every round, although the clock goes on
	for n := 0; err == nil && whole.Reached.After(whole.Since) && n < mostRounds; n++ {
		var next inbox.Gap
		before := whole.Reached
		if next, err = ask(since, before.Format(time.RFC3339)); err != nil {
			break
		}
		seen := map[string]bool{}
		for _, m := range whole.Missed {
			seen[m.ID] = true
		}
		for _, m := range next.Missed {
			if !seen[m.ID] { // the second at which the parts meet is in both
				whole.Missed = append(whole.Missed, m)
			}
		}
		whole.AtStripe, whole.Kept = whole.AtStripe+next.AtStripe, whole.Kept+next.Kept
		whole.Complete, whole.Reached, whole.Unanswered = next.Complete, next.Reached, next.Unanswered
		if !next.Reached.Before(before) {
			break // so many events in one second that no part gets past it
		}
	}
	return whole, err
}

type eventsMissed struct {
	remote
	window
	JSON bool `name:"json" help:"One JSON object."`
}

// Help is the end of --help.
func (eventsMissed) Help() string {
	return "Example:\n\n  till events missed --since 72h"
}

// Run compares Stripe's list with till's.
func (m *eventsMissed) Run(c *console) error {
	till, err := m.client()
	if err != nil {
		return err
	}
	g, err := m.walk(func(since, until string) (g inbox.Gap, err error) {
		q := url.Values{"since": {since}}
		if until != "" {
			q.Set("until", until)
		}
		return g, till.Call(c.ctx, http.MethodGet, "/v1/stripe/events/missed?"+q.Encode(), nil, &g)
	})
	if err != nil {
		return err
	}
	if m.JSON {
		fmt.Fprintln(c.out, db.JSON(g))
		return nil
	}
	if err := printMissed(c.out, g); err != nil {
		return err
	}
	switch {
	case len(g.Missed) > 0:
		fmt.Fprintf(c.out, "%s missed since %s, of %d at Stripe. Bring them in: till events repair --since %s\n", plural(len(g.Missed), "event was", "events were"), second(g.Since), g.AtStripe, m.Since)
	default:
		fmt.Fprintf(c.out, "Nothing is missing since %s: Stripe has %s, and all are here.\n", second(g.Since), plural(g.AtStripe, "event", "events"))
	}
	return incomplete(g)
}

// printMissed is the table of what was missed; nothing where nothing was.
func printMissed(out io.Writer, g inbox.Gap) error {
	if len(g.Missed) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MADE\tID\tTYPE\tOBJECT")
	for _, m := range g.Missed {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", second(m.CreatedAt), m.ID, m.Type, orDash(m.ObjectID))
	}
	return w.Flush()
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}

// incomplete says that part of Stripe's list was not looked through.
func incomplete(g inbox.Gap) error {
	switch {
	case g.Complete:
		return nil
	case len(g.Unanswered) > 0:
		return fmt.Errorf("not every Stripe account of the merchant could be asked: %s", g.Unanswered[0])
	}
	return fmt.Errorf("only the part of the list back to %s was looked through: run it again", second(g.Reached))
}

type eventsRepair struct {
	remote
	window
	JSON bool `name:"json" help:"One JSON object."`
}

// Help is the end of --help.
func (eventsRepair) Help() string {
	return "Example:\n\n  till events repair --since 72h\n\nIt may be run as often as you like, and on several machines at once: every event is brought in once. The exit status is 1 where events\nremain that could not be taken in."
}

// Run brings in what was missed.
func (r *eventsRepair) Run(c *console) error {
	till, err := r.client()
	if err != nil {
		return err
	}
	all := inbox.Repaired{Failed: []inbox.Failed{}}
	all.Gap, err = r.walk(func(since, until string) (inbox.Gap, error) {
		in := map[string]string{"since": since}
		if until != "" {
			in["until"] = until
		}
		var part inbox.Repaired
		err := till.Call(c.ctx, http.MethodPost, "/v1/stripe/events/repair", in, &part)
		all.Brought, all.Applied, all.Waiting = all.Brought+part.Brought, all.Applied+part.Applied, all.Waiting+part.Waiting
		all.Failed = append(all.Failed, part.Failed...)
		return part.Gap, err
	})
	if err != nil {
		return err
	}
	if r.JSON {
		fmt.Fprintln(c.out, db.JSON(all))
	} else if err := r.print(c.out, all); err != nil {
		return err
	}
	if n := len(all.Failed); n > 0 {
		return fmt.Errorf("%s be taken in: till events list tells more, till events resend ID tries one again", plural(n, "event could not", "events could not"))
	}
	return incomplete(all.Gap)
}

func (r *eventsRepair) print(out io.Writer, all inbox.Repaired) error {
	if err := printMissed(out, all.Gap); err != nil {
		return err
	}
	for _, f := range all.Failed {
		fmt.Fprintf(out, "%s could not be taken in: %s\n", f.ID, f.Error)
	}
	if all.Brought+all.Applied+all.Waiting+len(all.Failed) == 0 {
		fmt.Fprintf(out, "Nothing was missing since %s: Stripe has %s, and all were here.\n", second(all.Since), plural(all.AtStripe, "event", "events"))
		return nil
	}
	fmt.Fprintf(out, "Brought in %s of %d at Stripe since %s: %d applied, %d still being applied, %d failed.\n", plural(all.Brought, "event", "events"), all.AtStripe, second(all.Since), all.Applied, all.Waiting, len(all.Failed))
	return nil
}

type eventsResend struct {
	remote
	ID   string `arg:"" help:"The event's id at Stripe: evt_…"`
	JSON bool   `name:"json" help:"One JSON object."`
}

// Help is the end of --help.
func (eventsResend) Help() string {
	return "Example:\n\n  till events resend evt_3…\n\nWhat is so already does not change by it. The exit status is 1 where it could not be taken in."
}

// Run takes in one event again.
func (r *eventsResend) Run(c *console) error {
	till, err := r.client()
	if err != nil {
		return err
	}
	var e inbox.Told
	if err := till.Call(c.ctx, http.MethodPost, "/v1/stripe/events/"+url.PathEscape(r.ID)+"/resend", nil, &e); err != nil {
		return err
	}
	switch {
	case r.JSON:
		fmt.Fprintln(c.out, db.JSON(e))
	case e.AppliedAt != nil:
		fmt.Fprintf(c.out, "Taken in: %s, %s about %s, made %s.\n", e.ID, e.Type, orDash(e.ObjectID), second(e.CreatedAt))
	}
	if e.AppliedAt == nil && e.Error != "" {
		return fmt.Errorf("%s could not be taken in: %s", e.ID, e.Error)
	}
	if e.AppliedAt == nil {
		return fmt.Errorf("%s is still being taken in: till events list --object %s", e.ID, orDash(e.ObjectID))
	}
	return nil
}
