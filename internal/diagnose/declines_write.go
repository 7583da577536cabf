package diagnose

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write tells it to a person.
func (d *Declines) Write(w io.Writer) {
	for _, p := range []struct {
		name string
		Period
	}{{"before", d.Before}, {"lately", d.Recent}} {
		fmt.Fprintf(w, "%-7s %s to %s: %d of %d decided payments declined, %s (%d more are open or were given up)\n", p.name, minute(p.Since), minute(p.Until),
			p.Declined, p.Decided, rate(p.Rate), p.Open)
	}
	if d.Before.Decided > 0 {
		verdict := "that may be chance"
		if d.Rise.Clear {
			verdict = "that is hardly chance"
		}
		fmt.Fprintf(w, "change  %+.1f percentage points, %+.1f %% of the rate before (%.1f standard errors: %s)\n", d.Rise.Points, d.Rise.Percent, d.Rise.Sigma, verdict)
	}
	if d.Recent.Declined > 0 {
		d.writeShares(w, "\nWho declined, by the outcome of the charge", d.Classes)
		d.writeShares(w, "\nWhy", d.Codes)
		d.writeRows(w)
	}
	fmt.Fprintf(w, "\nIntegration: %s\n", d.Integration.Words)
	for _, line := range d.Integration.Changed {
		fmt.Fprintf(w, "  changed    %s\n", line)
	}
	for _, line := range d.Integration.Same {
		fmt.Fprintf(w, "  as before  %s\n", line)
	}
	d.writeRemedies(w)
	fmt.Fprintf(w, "\nCause: %s\n", d.Cause)
}

func (d *Declines) writeShares(w io.Writer, title string, all []Share) {
	fmt.Fprintf(w, "%s (%d declined payments; at the rate before there would have been the number in brackets):\n", title, d.Recent.Declined)
	for _, s := range all {
		var by []string
		if len(s.By) > 1 { // several mean different things by one code
			for _, c := range classes {
				if s.By[c] > 0 {
					by = append(by, fmt.Sprintf("%s %d", c, s.By[c]))
				}
			}
		}
		line := fmt.Sprintf("  %5.1f %%  %4d of %d  [%.1f]  %-24s %s", s.Share, s.Count, s.Of, s.Before, s.Name, s.Words)
		if len(by) > 0 {
			line += " (" + strings.Join(by, ", ") + ")"
		}
		fmt.Fprintln(w, line)
	}
}

// writeRows shows of each property what matters: what was declined most, and what stands out.
func (d *Declines) writeRows(w io.Writer) {
	const shown = 6
	fmt.Fprintln(w, "\nBy what was paid with (declined of decided, lately and before):")
	for _, b := range d.By {
		for i, r := range b.Rows {
			if i >= shown && !r.StandsOut {
				continue
			}
			mark := ""
			if r.StandsOut {
				mark = "  stands out, mostly " + r.Reason
			}
			fmt.Fprintf(w, "  %-9s %-14s %5.1f %%  %3d of %-4d  before %5.1f %%  %3d of %-5d%s\n", b.By, r.Value, r.Rate, r.Declined, r.Decided, r.RateBefore, r.DeclinedBefore, r.DecidedBefore, mark)
		}
	}
}

func (d *Declines) writeRemedies(w io.Writer) {
	if len(d.Purchases) == 0 && d.Recovered == 0 {
		return
	}
	fmt.Fprintf(w, "\nWhat is unpaid: %s; %s paid after all.\n", plural(len(d.Purchases), "purchase"), verb(d.Recovered))
	for _, r := range d.Remedies {
		fmt.Fprintf(w, "  %4d of %d  %-13s %s: %s\n", r.Count, r.Of, r.Action, r.Words, sums(r.Amounts))
	}
	if len(d.Recommendations) > 0 {
		fmt.Fprintln(w, "\nWhat the figures suggest:")
	}
	for i, r := range slices.All(d.Recommendations) {
		fmt.Fprintf(w, "  %d. %s\n", i+1, r.Words)
	}
}

func verb(n int) string {
	switch n {
	case 0:
		return "none was"
	case 1:
		return "one was"
	}
	return fmt.Sprintf("%d were", n)
}
