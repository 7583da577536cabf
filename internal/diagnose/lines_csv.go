package diagnose

import (
	"context"
	"encoding/csv"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/till-pay/till/client"
)

// lineColumns head the file of lines. The zone of a time is in the name of its column.
var lineColumns = []string{"id", "type", "kind", "source", "payment_id", "payout", "state", "currency", "amount", "fee", "net", "difference", "source_currency", "source_amount",
	"exchange_rate", "created_at_utc", "available_on_utc", "reason", "description", "accepted", "accepted_note", "accepted_at_utc"}

// WriteLines writes balance transactions as CSV (RFC 4180), newest first, and says how many: those since a time, or of a payout.
func WriteLines(ctx context.Context, c *client.Client, q url.Values, w io.Writer) (n int, err error) {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(lineColumns); err != nil {
		return 0, err
	}
	err = Lines(ctx, c, q, func(l BookLine) error {
		n++
		row := []string{cell(l.ID), cell(l.Type), cell(l.Kind), cell(l.Source), cell(l.Payment), cell(l.Payout), cell(l.State), l.Currency, l.Amount, l.Fee, l.Net, l.Difference,
			l.SourceCurrency, l.SourceAmount, cell(l.ExchangeRate), l.CreatedAt.UTC().Format(time.RFC3339), l.AvailableOn.UTC().Format(time.DateOnly), cell(l.Reason), cell(l.Description)}
		return out.Write(append(row, l.acceptedCells()...))
	})
	if err != nil {
		return n, err
	}
	out.Flush()
	return n, out.Error()
}

// cell is a text as a spreadsheet may open it: what would begin a formula is set behind an apostrophe. Amounts are numbers, and stay as they are.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
