package diagnose

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/till-pay/till/internal/money"
)

// findingWords are the kinds of findings in words.
var findingWords = map[string]string{AmountDiffers: "another amount", FeeDiffers: "another fee", CurrencyDiffers: "another currency", OtherPayout: "in another payout",
	OnlyInLedger: "only in the ledger", OnlyAtStripe: "only at Stripe", Doubled: "more than once"}

// Write tells it to a person. Sums and remainder are printed always.
func (c *Compared) Write(w io.Writer) {
	fmt.Fprintf(w, "\nThe merchant's ledger, %s to %s, days in %s: %d entries, %d as at Stripe, %d differences\n\n", c.From.Format(time.DateOnly), c.Until.Add(-time.Second).Format(time.DateOnly), c.Zone,
		c.Entries, c.Equal, len(c.Findings))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range c.Findings {
		row := "-"
		if f.Row > 0 {
			row = "row " + strconv.Itoa(f.Row)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s %s\t%s\t%s\t%s\n", row, findingWords[f.Finding], f.Kind, f.Difference, f.Currency, cmp.Or(f.Reference, "-"), cmp.Or(f.Transaction, "no transaction"), f.Words)
	}
	_ = t.Flush() // to w, whose failures are its owner's
	for _, b := range c.Bad {
		fmt.Fprintf(w, "  row %d cannot be read: %s\n", b.Row, b.Reason)
	}
	if more := c.BadRows - len(c.Bad); more > 0 {
		fmt.Fprintf(w, "  … and %d more rows that cannot be read\n", more)
	}
	if len(c.LeftOut) > 0 {
		fmt.Fprintf(w, "  Not compared, for the ledger has none: %s\n", strings.Join(c.LeftOut, ", "))
	}
	fmt.Fprintln(w)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "  \tLEDGER\tFEES\tSTRIPE\tFEES\tDIFFERENCE\tNAMED\tREMAINDER\t")
	for _, s := range c.Sums {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", s.Currency, s.Ledger, s.LedgerFees, s.Stripe, s.StripeFees, s.Difference, s.Named, s.Remainder)
	}
	_ = t.Flush()
}

// WriteCorrected writes the ledger as it should be, as CSV that can be compared again, with what was changed in words.
func (c *Compared) WriteCorrected(w io.Writer) error {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write([]string{"reference", "kind", "amount", "fee", "currency", "date", "payout", "transaction", "correction", "date_zone"}); err != nil {
		return err
	}
	for i := range c.pairs {
		if row := c.pairs[i].corrected(zone); row != nil {
			if err := out.Write(append(row, c.Zone)); err != nil {
				return err
			}
		}
	}
	for _, b := range c.extra {
		fee := ""
		if b.From.Currency == b.Fee.Currency {
			fee = b.Fee.String()
		}
		if err := out.Write([]string{first(b.Source, b.Lines[0]), b.Kind, b.From.String(), fee, string(b.From.Currency), b.At.In(zone).Format(time.RFC3339), b.Payout, b.Lines[0], "Added: " + cmp.Or(b.Words, "the ledger had no entry of it."), c.Zone}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// corrected is the row that an entry should be; nil where there should be none.
func (p *pair) corrected(zone *time.Location) []string {
	e, b := p.entry, p.booked
	if b == nil || p.doubled {
		return nil
	}
	amount, fee, date, payout := e.Amount, "", e.Date.In(zone).Format(time.DateOnly), e.Payout
	if e.hasClock {
		date = e.Date.In(zone).Format(time.RFC3339)
	}
	if theirs, _ := b.amountIn(e.Amount.Currency); !p.split() {
		amount = theirs
	}
	if e.HasFee {
		fee = p.rightFee(amount)
	}
	if len(p.wrong) > 0 {
		date, payout = b.At.In(zone).Format(time.RFC3339), b.Payout
	}
	return []string{cell(e.Ref), e.Kind, amount.String(), fee, string(amount.Currency), date, cell(first(payout, b.Payout)), b.Lines[0], strings.Join(p.wrong, " ")}
}

// rightFee is Stripe's, where the ledger could know it: in the currency of the entry.
func (p *pair) rightFee(amount money.Money) string {
	if p.booked.Fee.Currency == amount.Currency {
		return p.booked.Fee.String()
	}
	return ""
}
