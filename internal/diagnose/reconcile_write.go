package diagnose

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Nonzero says whether a decimal is anything but nothing.
func Nonzero(decimal string) bool { return strings.ContainsAny(decimal, "123456789") }

// Write tells it to a person. The remainder is printed always.
func (r *Reconciliation) Write(w io.Writer) {
	for _, a := range r.Accounts {
		fmt.Fprintf(w, "%s: %s of Stripe's read, to %s\n", a.Account, plural(int(a.Lines), "balance transaction"), stamp(a.ReadTo))
	}
	if len(r.Accounts) == 0 {
		fmt.Fprintln(w, "No Stripe account is connected: there is nothing to reconcile.")
	}
	fmt.Fprintln(w)
	for _, c := range r.Currencies {
		fmt.Fprintf(w, "  %s  unexplained remainder %s %s", mark(!Nonzero(c.Remainder)), c.Remainder, c.Currency)
		if Nonzero(c.Accepted) {
			fmt.Fprintf(w, "; accepted %s %s: of differences that somebody has looked at", c.Accepted, c.Currency)
		}
		if Nonzero(c.InFlight) {
			fmt.Fprintf(w, "; in flight %s %s: foretold, and not yet among Stripe's balance transactions", c.InFlight, c.Currency)
		}
		if Nonzero(c.Waiting) {
			fmt.Fprintf(w, "; waiting %s %s: of payments and refunds that are not at their end", c.Waiting, c.Currency)
		}
		fmt.Fprintln(w)
	}
	r.writeItems(w)
	WriteAccepted(w, r.Accepted)
	r.writeOutside(w)
	if r.Payout != nil {
		r.Payout.write(w)
	}
	if r.Ledger != nil {
		r.Ledger.Write(w)
	}
}

func mark(good bool) string {
	if good {
		return "✓"
	}
	return "✗"
}

func (r *Reconciliation) writeItems(w io.Writer) {
	if len(r.Items) == 0 {
		return
	}
	fmt.Fprint(w, "\nWhat makes the remainder:\n\n")
	writeItems(w, r.Items)
	if r.MoreItems {
		fmt.Fprintf(w, "  … and older ones: these are the newest %d. GET /v1/reconciliation/lines?state=unexplained lists them.\n", len(r.Items))
	}
}

func writeItems(w io.Writer, items []BookItem) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, i := range items {
		fmt.Fprintf(t, "  %s\t%s %s\t%s\t%s\t%s\t%s\n", i.At.UTC().Format("2006-01-02 15:04"), i.Amount, i.Currency, i.Kind, cmp.Or(i.Source, "-"), cmp.Or(i.Line, "no transaction"), i.Reason)
	}
	_ = t.Flush() // to w, whose failures are its owner's
}

func (r *Reconciliation) writeOutside(w io.Writer) {
	if len(r.Outside) == 0 {
		return
	}
	fmt.Fprintf(w, "\nAccounted for, and made outside till, since %s UTC:\n\n", r.Since.UTC().Format("2006-01-02 15:04"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range r.Outside {
		fmt.Fprintf(t, "  %s\t%s %s\t%s\t%s\t%s\n", o.At.UTC().Format("2006-01-02 15:04"), o.Amount, o.Currency, o.Kind, cmp.Or(o.Source, o.Line), o.What)
	}
	_ = t.Flush()
	if r.OutsideMore > 0 {
		fmt.Fprintf(w, "  … and %d more\n", r.OutsideMore)
	}
}

// write tells of a payout.
func (p *PaidOut) write(w io.Writer) {
	fmt.Fprintf(w, "\nPayout %s of %s: %s %s\n\n", p.Payout, p.CreatedAt.UTC().Format("2006-01-02 15:04 UTC"), p.Amount, p.Currency)
	switch {
	case p.ByHand:
		fmt.Fprintln(w, "  It was made by hand: Stripe does not say of which lines it is made.")
		return
	case !p.Ready:
		fmt.Fprintln(w, "  Stripe has not yet said which lines it is made of.")
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "  KIND\tLINES\tAMOUNT\tFEE\tNET\t")
	for _, part := range p.Parts {
		fmt.Fprintf(t, "  %s\t%d\t%s\t%s\t%s\t\n", part.Kind, part.Lines, part.Amount, part.Fee, part.Net)
	}
	_ = t.Flush()
	fmt.Fprintf(w, "\n  %s  remainder of the payout %s %s", mark(!Nonzero(p.Remainder)), p.Remainder, p.Currency)
	if Nonzero(p.Accepted) {
		fmt.Fprintf(w, "; accepted %s %s of its lines", p.Accepted, p.Currency)
	}
	fmt.Fprint(w, "\n\n")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range p.Lines {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s %s\tfee %s\t%s\n", l.CreatedAt.UTC().Format("2006-01-02 15:04"), l.ID, l.Kind, l.Source, l.Amount, l.Currency, l.Fee, cmp.Or(l.Reason, l.State)+l.acceptedWords())
	}
	_ = t.Flush()
	if p.MoreLines {
		fmt.Fprintf(w, "  … and more: --csv writes them all\n")
	}
	if len(p.Unexplained) > 0 {
		fmt.Fprint(w, "\n  What of them nothing accounts for:\n\n")
		writeItems(w, p.Unexplained)
	}
}

// stamp is a time that may not be there yet.
func stamp(t *time.Time) string {
	if t == nil {
		return "no end yet"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
