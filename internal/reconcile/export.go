package reconcile

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a machine may lack it

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

// pageOfExport is how many objects an export reads at a time.
const pageOfExport = 500

// ExportInput says which days, and where a day begins.
type ExportInput struct {
	From     string `query:"from" format:"date" maxLength:"10" doc:"From the beginning of this day." example:"2026-11-01"`
	To       string `query:"to" format:"date" maxLength:"10" doc:"Through the end of this day." example:"2026-11-30"`
	TimeZone string `query:"time_zone" maxLength:"64" default:"UTC" doc:"Where a day begins, and all times are shown: a name of the IANA time zone database." example:"Europe/Berlin"`
}

// period is what an ExportInput asks for.
type period struct {
	api.Between
	zone *time.Location
	name string // of the file, after what it holds
}

func (in ExportInput) period() (p period, err error) {
	if p.zone, err = time.LoadLocation(in.TimeZone); err != nil || in.TimeZone == "Local" || in.TimeZone == "" {
		return p, fault.New(fault.ParameterInvalid, "time_zone", "time_zone is a name of the IANA time zone database, such as Europe/Berlin or UTC.")
	}
	p.name = strings.ReplaceAll(in.TimeZone, "/", "-") + ".csv"
	for _, day := range []struct {
		param, value string
		days         int
		to           *time.Time
	}{{"to", in.To, 1, &p.Until}, {"from", in.From, 0, &p.Since}} {
		if day.value == "" {
			continue
		}
		d, err := time.Parse(time.DateOnly, day.value)
		if err != nil {
			return p, fault.New(fault.ParameterInvalid, day.param, "%s is a day such as 2026-11-30.", day.param)
		}
		*day.to = clock.Midnight(d.Year(), d.Month(), d.Day()+day.days, p.zone) // not 24 hours: some days have 23 or 25
		p.name = day.param + "-" + day.value + "-" + p.name
	}
	if in.From != "" && in.To != "" && !p.Since.Before(p.Until) {
		return p, fault.New(fault.ParameterInvalid, "from", "from is a day after to: the table would be empty.")
	}
	return p, nil
}

// day and moment are a time in the period's zone; the moment says how far that is from UTC.
func (p period) day(t time.Time) string { return t.In(p.zone).Format(time.DateOnly) }

func (p period) moment(t time.Time) string { return t.In(p.zone).Format(time.RFC3339) }

func (p period) title(title string) string { return title + " (" + p.zone.String() + ")" }

// exports registers the tables for accountants.
func (s *Reconcile) exports(a *api.API) {
	const text = " A CSV file, sent as it is read, the newest first. Amounts are decimals of the currency beside them; the header and the name of the file say in which time zone a day begins."
	api.AddCSV(a, api.Operation{Method: "GET", Path: "/v1/exports/payments", Summary: "Export payments", Tag: "Exports", Scope: api.PaymentsRead,
		Text: "Every payment by the time it was made, with what Stripe settled for it: gross, fee and net in the currency of the balance, as Stripe's balance transactions say, once they were read; before, the fee that Stripe named with the charge." + text},
		func(_ context.Context, c api.Caller, in *ExportInput) (api.CSV, error) {
			return s.exportPayments(c.Scope, *in)
		})
	api.AddCSV(a, api.Operation{Method: "GET", Path: "/v1/exports/refunds", Summary: "Export refunds", Tag: "Exports", Scope: api.PaymentsRead,
		Text: "Every refund by the time it was made, with what Stripe took off the balance for it; one that failed later has both balance transactions, and their sum." + text},
		func(_ context.Context, c api.Caller, in *ExportInput) (api.CSV, error) {
			return s.exportRefunds(c.Scope, *in)
		})
	api.AddCSV(a, api.Operation{Method: "GET", Path: "/v1/exports/payout_lines", Summary: "Export payout lines", Tag: "Exports", Scope: api.PaymentsRead,
		Text: "Every balance transaction that Stripe has paid out, with its payout, by the time it was made. The payout's own line is there too: the nets of an automatic payout sum to zero." + text},
		func(_ context.Context, c api.Caller, in *ExportInput) (api.CSV, error) {
			return s.exportPayoutLines(c.Scope, *in)
		})
}

// walk reads a list page by page, and hands on each page.
func walk[T any](ctx context.Context, page func(api.PageInput) (api.Page[T], error), see func([]T) error) error {
	for in := (api.PageInput{Limit: pageOfExport}); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := page(in)
		if err == nil {
			err = see(p.Data)
		}
		if err != nil || p.Next == "" {
			return err
		}
		in.Cursor = p.Next
	}
}

// settled is what Stripe's balance transactions say of one object: their sum, which is nothing where none was read.
type settled struct {
	gross, fee money.Money
	lines      []string
	last       Line
}

// inOrder is the order in which Stripe made lines.
func inOrder(a, b Line) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
}

// settledOf are the sums of the lines of some kinds, by source. Lines in another currency than the first are not added to it.
func (s *Reconcile) settledOf(ctx context.Context, scope db.Scope, sources []string, kinds ...string) (map[string]settled, error) {
	lines, err := s.linesOf(ctx, scope, slices.DeleteFunc(sources, func(source string) bool { return source == "" }))
	slices.SortFunc(lines, inOrder)
	all := map[string]settled{}
	for _, l := range lines {
		t := all[l.Source]
		if !slices.Contains(kinds, l.Kind) || len(t.lines) > 0 && t.last.Currency != l.Currency {
			continue
		}
		t.gross = money.FromMinor(t.gross.Minor+l.Amount.Minor, l.Currency)
		t.fee = money.FromMinor(t.fee.Minor+l.Fee.Minor, l.Currency)
		t.lines, t.last = append(t.lines, l.ID), l
		all[l.Source] = t
	}
	return all, err
}

// paidBy is the payout of a line, or "".
func paidBy(l Line) string {
	if l.Payout == byHand {
		return ""
	}
	return l.Payout
}

// cells are what settledTitles names.
func (t settled) cells(p period) []string {
	if len(t.lines) == 0 {
		return make([]string, len(settledTitles(p)))
	}
	net := money.FromMinor(t.gross.Minor-t.fee.Minor, t.gross.Currency)
	return []string{string(t.gross.Currency), t.gross.String(), t.fee.String(), net.String(), t.last.ExchangeRate, p.day(t.last.AvailableOn), strings.Join(t.lines, " "), paidBy(t.last)}
}

func settledTitles(p period) []string {
	return []string{"settled_currency", "gross", "fee", "net", "exchange_rate", p.title("available_on"), "balance_transactions", "payout"}
}
