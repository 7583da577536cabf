package diagnose

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"

	"github.com/till-pay/till/client"
)

// Accept accepts the differences of lines, one after the other. Those before one that is refused stay accepted: repeated, it changes nothing of them.
func Accept(ctx context.Context, c *client.Client, lines []string, note string) error {
	for _, line := range lines {
		if err := c.Call(ctx, "POST", "/v1/reconciliation/lines/"+url.PathEscape(line)+"/accept", map[string]any{"note": note}, nil); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}

// WriteAccepted tells of lines whose difference somebody has accepted: of the newest hundred, as the API lists them.
func WriteAccepted(w io.Writer, lines []BookLine) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprint(w, "\nAccepted, and not in the remainder:\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		if a := l.Acceptance; a != nil {
			fmt.Fprintf(t, "  %s\t%s %s\t%s\t%s\t%s\t%s Accepted %s with the API key %s: %s\n", l.CreatedAt.UTC().Format("2006-01-02 15:04"), a.Amount, l.Currency, l.Kind, cmp.Or(l.Source, "-"), l.ID,
				l.Reason, a.At.UTC().Format("2006-01-02 15:04"), a.Key, a.Note)
		}
	}
	_ = t.Flush() // to w, whose failures are its owner's
	if len(lines) == itemsShown {
		fmt.Fprintf(w, "  … and older ones: these are the newest %d. GET /v1/reconciliation/lines?state=accepted lists them.\n", len(lines))
	}
}

// acceptedWords say that a line's difference is accepted.
func (l BookLine) acceptedWords() string {
	if l.State != "accepted" || l.Acceptance == nil {
		return ""
	}
	return " Accepted: " + l.Acceptance.Note
}

// acceptedCells are what the file of lines says of what is accepted now.
func (l BookLine) acceptedCells() []string {
	if l.State != "accepted" || l.Acceptance == nil {
		return []string{"", "", ""}
	}
	return []string{l.Acceptance.Amount, cell(l.Acceptance.Note), l.Acceptance.At.UTC().Format("2006-01-02T15:04:05Z")}
}
