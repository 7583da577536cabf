package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/diagnose"
)

type reconciles struct {
	remote
	Since     span   `placeholder:"30d" help:"How far back, of lines and of what was made outside till (30d); with --ledger, as far as the ledger goes."`
	Payout    string `placeholder:"po_…" help:"Show one payout to its lines."`
	CSV       string `name:"csv" placeholder:"FILE" help:"Write the lines as CSV; - is the standard output, and what is found goes to the standard error."`
	Ledger    string `placeholder:"FILE" help:"Compare with the merchant's own ledger, as CSV; - is the standard input."`
	Corrected string `placeholder:"FILE" help:"With --ledger: write the ledger as it should be."`
	Zone      string `default:"UTC" placeholder:"ZONE" help:"The time zone of the ledger's days, such as Europe/Berlin (${default})."`
	Repair    bool   `default:"true" negatable:"" help:"Ask Stripe about what nothing foretold, and take in what till should have heard of."`
	JSON      bool   `name:"json" help:"One JSON object."`

	Accept []string `placeholder:"txn_…" help:"First accept the differences of these lines, which takes them out of the remainder; several, separated by commas."`
	Note   string   `placeholder:"TEXT" help:"With --accept: why."`
}

// Help is the end of --help.
func (reconciles) Help() string {
	return `It has till read Stripe's balance transactions to the end, and always prints what nothing accounts for. The exit status is 0 where that is
0 in every currency and the ledger agrees, and 1 otherwise. What was read stays: after an error, repeat the command. It needs an API key with
payments:read and payments:write. Example:

  export TILL=https://pay.example.com TILL_API_KEY=…
  till reconcile --since 30d
  till reconcile --payout po_1…
  till reconcile --accept txn_1…,txn_3… --note "Stripe's price since 1 December"
  till reconcile --ledger ledger.csv --zone Europe/Berlin --corrected corrected.csv

A difference that is real, such as a price of Stripe's that has changed, stays in the remainder until somebody accepts it: it is a sum of its own
beside the remainder then, with the note. The books stay as they are, and where the difference becomes another one it is unexplained again.

The ledger is CSV, whose first line names its columns: ` + diagnose.LedgerColumns + `.
A reference is till's id of the payment or refund, its idempotency key, or Stripe's id. Refunds, disputes and payouts may be written with or without
their minus; a fee is in the currency of its row, where Stripe settles in that.

  reference,kind,amount,fee,currency,date
  order-1001,payment,49.00,0.99,EUR,2026-01-31
  re_3…,refund,10.00,,EUR,2026-02-02`
}

// errUneven ends a command whose finding has been printed.
var errUneven = errors.New("something is left over: it is named above")

// Run reconciles.
func (r *reconciles) Run(c *console) error {
	zone, err := r.check()
	if err != nil {
		return err
	}
	till, err := r.client()
	if err != nil {
		return err
	}
	ledger, err := r.ledger(zone)
	if err != nil {
		return err
	}
	if err := diagnose.Accept(c.ctx, till, r.Accept, r.Note); err != nil {
		return err
	}
	p := newProgress(c.err)
	found, err := diagnose.Reconcile(c.ctx, till, diagnose.ReconcileInput{Since: r.since(), Payout: r.Payout, Repair: r.Repair, Progress: p.show})
	p.end()
	if err != nil {
		return err
	}
	if ledger != nil {
		if err := found.AddLedger(c.ctx, till, ledger, time.Duration(r.Since), zone); err != nil {
			return err
		}
	}
	if err := errors.Join(r.writeCSV(c, till, found), r.writeCorrected(found)); err != nil {
		return err
	}
	if r.CSV == "-" {
		c = &console{c.err, c.err, c.ctx}
	}
	tell(c, r.JSON, found)
	if !found.Even() {
		return errUneven
	}
	return nil
}

// check refuses flags that do not go together.
func (r *reconciles) check() (*time.Location, error) {
	if r.Corrected != "" && r.Ledger == "" {
		return nil, errors.New("--corrected goes with --ledger: it is that ledger as it should be")
	}
	if (len(r.Accept) > 0) != (strings.TrimSpace(r.Note) != "") {
		return nil, errors.New("--accept and --note go together: which lines are accepted, and why")
	}
	zone, err := time.LoadLocation(r.Zone)
	if err != nil || r.Zone == "Local" {
		return nil, fmt.Errorf("--zone is the name of a time zone, such as UTC or Europe/Berlin, not %q", r.Zone)
	}
	return zone, nil
}

func (r *reconciles) since() time.Duration {
	if r.Since == 0 {
		return 30 * 24 * time.Hour
	}
	return time.Duration(r.Since)
}

func (r *reconciles) ledger(zone *time.Location) (*diagnose.MerchantLedger, error) {
	if r.Ledger == "" {
		return nil, nil
	}
	in := os.Stdin
	if r.Ledger != "-" {
		file, err := os.Open(r.Ledger)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	l, err := diagnose.ReadLedger(in, zone)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Ledger, err)
	}
	return l, nil
}

func (r *reconciles) writeCSV(c *console, till *client.Client, found *diagnose.Reconciliation) error {
	if r.CSV == "" {
		return nil
	}
	q := url.Values{"since": {found.Since.UTC().Format(time.RFC3339)}}
	if r.Payout != "" {
		q = url.Values{"payout": {r.Payout}}
	}
	return toFile(r.CSV, c.out, func(w io.Writer) error {
		n, err := diagnose.WriteLines(c.ctx, till, q, w)
		if err == nil && r.CSV != "-" {
			fmt.Fprintf(c.err, "%s written to %s\n", plural(n, "line", "lines"), r.CSV)
		}
		return err
	})
}

func (r *reconciles) writeCorrected(found *diagnose.Reconciliation) error {
	if r.Corrected == "" {
		return nil
	}
	return toFile(r.Corrected, nil, found.Ledger.WriteCorrected)
}

// toFile writes a file that only its owner reads; "-" is the standard output, where there is one.
func toFile(path string, out io.Writer, write func(io.Writer) error) error {
	if path == "-" && out != nil {
		return write(out)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

type balances struct {
	remote
	JSON bool `name:"json" help:"One JSON object."`
}

// Help is the end of --help.
func (balances) Help() string {
	return `It asks Stripe what it holds, and prints that beside what its balance transactions add up to. The exit status is 1 where both differ, or where
something is unexplained. Example:

  export TILL=https://pay.example.com TILL_API_KEY=…
  till balance`
}

// Run prints the balance on both sides.
func (b *balances) Run(c *console) error {
	till, err := b.client()
	if err != nil {
		return err
	}
	found, err := fetchBalance(c.ctx, till)
	if err != nil {
		return err
	}
	if b.JSON {
		fmt.Fprintln(c.out, db.JSON(found))
	} else {
		found.write(c.out)
	}
	if !found.even() {
		return errUneven
	}
	return nil
}

type sides struct {
	Stripe string `json:"stripe"`
	Till   string `json:"till"`
}

type balance struct {
	Account string    `json:"account"`
	AsOf    time.Time `json:"as_of"`
	Funds   []struct {
		Currency  string `json:"currency"`
		Available sides  `json:"available"`
		Pending   sides  `json:"pending"`
		Total     sides  `json:"total"`
		Days      []struct {
			On     string `json:"on"`
			Amount string `json:"amount"`
		} `json:"days"`
		InFlight  string `json:"in_flight"`
		Drift     string `json:"drift"`
		Remainder string `json:"remainder"`
		Accepted  string `json:"accepted"`
	} `json:"funds"`
	Items    []diagnose.BookItem `json:"items"`
	Accepted []diagnose.BookLine `json:"accepted_lines"`
}

func fetchBalance(ctx context.Context, till *client.Client) (b balance, err error) {
	return b, till.Call(ctx, "GET", "/v1/balance", nil, &b)
}

func (b balance) even() bool {
	for _, f := range b.Funds {
		if diagnose.Nonzero(f.Drift) || diagnose.Nonzero(f.Remainder) {
			return false
		}
	}
	return true
}

func (b balance) write(w io.Writer) {
	fmt.Fprintf(w, "%s, %s\n\n", b.Account, b.AsOf.UTC().Format("2006-01-02 15:04 UTC"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tSTRIPE\tTILL\tDRIFT\tIN FLIGHT\tUNEXPLAINED\tACCEPTED\t")
	for _, f := range b.Funds {
		fmt.Fprintf(t, "%s available\t%s\t%s\t\t\t\t\t\n", f.Currency, f.Available.Stripe, f.Available.Till)
		fmt.Fprintf(t, "%s pending\t%s\t%s\t\t\t\t\t\n", f.Currency, f.Pending.Stripe, f.Pending.Till)
		for _, d := range f.Days {
			fmt.Fprintf(t, "available on %s\t\t%s\t\t\t\t\t\n", d.On, d.Amount)
		}
		fmt.Fprintf(t, "%s total\t%s\t%s\t%s\t%s\t%s\t%s\t\n", f.Currency, f.Total.Stripe, f.Total.Till, f.Drift, f.InFlight, f.Remainder, f.Accepted)
	}
	_ = t.Flush() // to w, whose failures are its owner's
	for _, i := range b.Items {
		fmt.Fprintf(w, "  %s %s  %s %s  %s\n", i.Amount, i.Currency, i.Kind, i.Source, i.Reason)
	}
	diagnose.WriteAccepted(w, b.Accepted)
}
