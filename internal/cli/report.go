package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

type reports struct {
	Currencies    reportCurrencies    `cmd:"" help:"What was accepted, what it cost and what the conversion cost, by currency and region."`
	Consolidation reportConsolidation `cmd:"" help:"What came into one currency week by week, and what would."`
}

// reporting is what all reports take.
type reporting struct {
	remote
	Since span   `default:"720h" placeholder:"30d" help:"How far back: 30d, 72h."`
	CSV   string `name:"csv" placeholder:"TABLE" help:"One of the report's tables as CSV, by its name. Times are UTC."`
	JSON  bool   `name:"json" help:"One JSON object."`
}

// sheet is one table of a report: a list in the answer, and what of its objects is shown.
type sheet struct {
	name    string // in the answer, and for --csv
	title   string // for people
	columns []column
}

type column struct{ head, path string }

// columns reads "head=path head=path"; an underscore in a head is a space.
func columns(spec string) (all []column) {
	for _, one := range strings.Fields(spec) {
		head, path, _ := strings.Cut(one, "=")
		all = append(all, column{strings.ReplaceAll(head, "_", " "), path})
	}
	return all
}

type reportCurrencies struct {
	reporting
	ChangedAt time.Time `placeholder:"TIME" help:"Part what was before this time from what was after it, such as 2026-11-01T00:00:00Z; since when local currencies are on, where it is not given."`
}

// Help is the end of --help.
func (reportCurrencies) Help() string {
	return `Its tables are regions, currencies, fees, pairs and balances. It reads only; an API key with payments:read will do. Example:

  export TILL=https://pay.example.com TILL_API_KEY=…
  till report currencies --since 60d --changed-at 2026-11-01T00:00:00Z
  till report currencies --csv pairs > pairs.csv`
}

var currencySheets = []sheet{
	{"regions", "Acceptance by the card's region, all currencies", columns(`region=region before=before before_%=before.acceptance after=after after_%=after.acceptance points=change all=whole all_%=whole.acceptance declined_%=whole.decline`)},
	{"currencies", "Acceptance by currency and region", columns(`currency=currency region=region charged=charged refunded=refunded before=before before_%=before.acceptance after=after after_%=after.acceptance all=whole all_%=whole.acceptance declined_%=whole.decline authenticated=whole.authenticated`)},
	{"fees", "Stripe's fees by currency and region", columns(`currency=currency settled_in=settled_in region=region charges=charges gross=gross fees=fees %=percent`)},
	{"pairs", "What each currency became, and what that cost", columns(`paid=from settled=to charges=charges paid=charged became=settled rate=spread.rate middle_rate=spread.middle below_%=spread.percent conversion=spread.cost fees=fees fees_%=fee_percent in_all=total_cost`)},
	{"balances", "Stripe's balance now", columns(`currency=currency available=available pending=pending`)},
}

// Run prints the report.
func (r *reportCurrencies) Run(c *console) error {
	q := url.Values{}
	if !r.ChangedAt.IsZero() {
		q.Set("changed_at", r.ChangedAt.UTC().Format(time.RFC3339))
	}
	return r.print(c, "/v1/reports/currencies", q, currencySheets, func(w io.Writer, data map[string]any) {
		if when := cell(data, "changed_at"); when != "" {
			fmt.Fprintf(w, "Before and after %s. It is measured: what else changed then, no figure here knows.\n", when)
		}
		if n := cell(data, "charges_not_booked"); n != "0" {
			fmt.Fprintf(w, "%s charges are in no fee and no pair yet: their balance transactions were not read (till reconcile).\n", n)
		}
		if why := cell(data, "balances_missing"); why != "" {
			fmt.Fprintln(w, why)
		}
	})
}

type reportConsolidation struct {
	reporting
	Currency string `placeholder:"GBP" help:"That all shall be in; your account's default one where it is not given."`
}

// Help is the end of --help.
func (reportConsolidation) Help() string {
	return `Its tables are weeks, legs and held. It reads only; an API key with payments:read will do. Example:

  export TILL=https://pay.example.com TILL_API_KEY=…
  till report consolidation --currency GBP --since 28d`
}

var consolidationSheets = []sheet{
	{"weeks", "By week", columns(`from=from to=to there=settled would_be_converted=would_be_converted in_all=total not_converted=not_converted paid_out=paid_out`)},
	{"legs", "By currency", columns(`week=week paid_in=paid_in settled_in=settled_in transactions=transactions gross=gross fees=fees net=net rate=exchange.rate middle_rate=exchange.middle below_%=exchange.percent basis=exchange.basis in_all=in_target`)},
	{"held", "Stripe's balance now", columns(`currency=currency available=available pending=pending rate=exchange.rate below_%=exchange.percent basis=exchange.basis in_all=in_target`)},
}

// Run prints the report.
func (r *reportConsolidation) Run(c *console) error {
	q := url.Values{}
	if r.Currency != "" {
		q.Set("currency", r.Currency)
	}
	return r.print(c, "/v1/reports/consolidation", q, consolidationSheets, func(w io.Writer, data map[string]any) {
		fmt.Fprintf(w, "All in %s. applied: Stripe has converted it, at this rate. estimated: nobody has; it is the middle rate less Stripe's standard price.\n", cell(data, "currency"))
		if why := cell(data, "balances_missing"); why != "" {
			fmt.Fprintln(w, why)
		}
	})
}

// print asks for a report and prints it as was wished. remarks are for people, before the tables.
func (r *reporting) print(c *console, path string, q url.Values, sheets []sheet, remarks func(io.Writer, map[string]any)) error {
	if r.CSV != "" && r.JSON {
		return errors.New("--csv and --json do not go together")
	}
	only := slices.IndexFunc(sheets, func(s sheet) bool { return s.name == r.CSV })
	if r.CSV != "" && only < 0 {
		return fmt.Errorf("there is no table %q in this report: its help names them", r.CSV)
	}
	raw, err := r.ask(c, path, q)
	if err != nil {
		return err
	}
	if r.JSON {
		fmt.Fprintln(c.out, string(raw))
		return nil
	}
	data := map[string]any{}
	read := json.NewDecoder(bytes.NewReader(raw))
	read.UseNumber() // large counts stay what they are
	if err := read.Decode(&data); err != nil {
		return err
	}
	data["legs"] = legsOf(data)
	if r.CSV != "" {
		return sheets[only].csv(c.out, data)
	}
	fmt.Fprintf(c.out, "From %s to %s.\n", cell(data, "since"), cell(data, "until"))
	remarks(c.out, data)
	for _, s := range sheets {
		s.write(c.out, data)
	}
	return nil
}

// ask asks for a report of the time that ends now: by the clock of till, which may be another than ours.
func (r *reporting) ask(c *console, path string, q url.Values) (raw json.RawMessage, err error) {
	till, err := r.client()
	if err != nil {
		return nil, err
	}
	q.Set("last", time.Duration(r.Since).String())
	return raw, till.Call(c.ctx, "GET", path+"?"+q.Encode(), nil, &raw)
}

// legsOf are the legs of all weeks, each with its week.
func legsOf(data map[string]any) (all []any) {
	weeks, _ := data["weeks"].([]any)
	for _, w := range weeks {
		week, _ := w.(map[string]any)
		legs, _ := week["legs"].([]any)
		for _, l := range legs {
			if leg, ok := l.(map[string]any); ok {
				leg["week"] = week["from"]
				all = append(all, leg)
			}
		}
	}
	return all
}

// rows are the table's cells.
func (s sheet) rows(data map[string]any) (rows [][]string) {
	all, _ := data[s.name].([]any)
	for _, one := range all {
		object, _ := one.(map[string]any)
		var row []string
		for _, c := range s.columns {
			row = append(row, cell(object, c.path))
		}
		rows = append(rows, row)
	}
	return rows
}

func (s sheet) heads() (heads []string) {
	for _, c := range s.columns {
		heads = append(heads, c.head)
	}
	return heads
}

func (s sheet) write(out io.Writer, data map[string]any) {
	rows := s.rows(data)
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n\n", s.title)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  "+strings.ToUpper(strings.Join(s.heads(), "\t")))
	for _, row := range rows {
		for i := range row {
			if row[i] == "" {
				row[i] = "–"
			}
		}
		fmt.Fprintln(w, "  "+strings.Join(row, "\t"))
	}
	_ = w.Flush() // to the same place as all else
}

func (s sheet) csv(out io.Writer, data map[string]any) error {
	w := csv.NewWriter(out)
	_ = w.Write(s.heads())
	_ = w.WriteAll(s.rows(data))
	return w.Error()
}

// cell is a value inside an object, as people read it: a tally is "accepted of decided", amounts with their currencies are a list.
func cell(object map[string]any, path string) string {
	var v any = object
	for _, part := range strings.Split(path, ".") {
		inside, _ := v.(map[string]any)
		v = inside[part]
	}
	switch v := v.(type) {
	case nil:
		return ""
	case map[string]any:
		return fmt.Sprintf("%v of %v", v["accepted"], decided(v))
	case []any:
		var all []string
		for _, one := range v {
			amount, _ := one.(map[string]any)
			all = append(all, fmt.Sprintf("%v %v", amount["amount"], amount["currency"]))
		}
		return strings.Join(all, ", ")
	default:
		return fmt.Sprint(v)
	}
}

// decided is the whole of a tally's rates.
func decided(tally map[string]any) (n int64) {
	for _, part := range []string{"accepted", "declined"} {
		if count, ok := tally[part].(json.Number); ok {
			one, _ := count.Int64()
			n += one
		}
	}
	return n
}
