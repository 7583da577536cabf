package diagnose

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/money"
)

// Entry is a line of the merchant's own ledger.
type Entry struct {
	Row      int    // of the file
	Ref      string // till's id, an idempotency key, or Stripe's id
	Kind     string // Stripe's reporting category
	Amount   money.Money
	Fee      money.Money
	HasFee   bool
	Date     time.Time
	Payout   string // po_…; "" where the ledger does not say
	Note     string // what became of its payment, where no money moved
	hasClock bool   // the date has a time
}

// BadRow is a line of the file that says nothing that could be compared.
type BadRow struct {
	Row    int    `json:"row"`
	Reason string `json:"reason"`
}

// MerchantLedger is the file as it was read.
type MerchantLedger struct {
	Entries []Entry
	Bad     []BadRow // the first 100
	BadRows int      // all of them
	Fees    bool     // it has a column of fees
}

// The bounds of a ledger. What is kept of an entry is about 200 bytes, so that the largest takes some 50 MB.
const (
	mostEntries = 250_000
	mostLedger  = 64 << 20 // bytes
	mostBad     = 100
	longestCell = 255
)

// sign is how an amount of a kind moves the balance; a ledger may write it with or without its minus.
type sign int64

// ledgerKinds are the kinds of entries, as Stripe's reporting categories: what always adds is 1, what always takes -1, what does either 0.
var ledgerKinds = map[string]sign{"charge": 1, "refund": -1, "refund_failure": 1, "dispute": -1, "dispute_reversal": 1, "payout": -1, "payout_reversal": 1, "topup": 1, "topup_reversal": -1,
	"fee": 0, "tax": 0, "network_cost": 0, "other_adjustment": 0, "transfer": -1, "transfer_reversal": 1, "platform_earning": 1, "platform_earning_refund": -1, "charge_failure": -1,
	"partial_capture_reversal": -1}

// otherNames are what ledgers call the same.
var otherNames = map[string]string{"payment": "charge", "sale": "charge", "chargeback": "dispute", "adjustment": "other_adjustment", "top-up": "topup", "payout_failure": "payout_reversal",
	"application_fee": "platform_earning"}

// LedgerColumns are the columns that a ledger has, for --help.
const LedgerColumns = "reference (or id), kind, amount, currency, date; fee and payout where there are such"

// ReadLedger reads a merchant's ledger: CSV, separated by commas, semicolons or tabs, whose first line names the columns. A row that cannot be
// read is put aside with its reason, and the others are compared. Days are those of a zone.
func ReadLedger(r io.Reader, zone *time.Location) (*MerchantLedger, error) {
	bounded := &io.LimitedReader{R: r, N: mostLedger + 1}
	rows, semicolon, err := openCSV(bounded)
	if err != nil {
		return nil, err
	}
	head, err := rows.Read()
	if err != nil {
		return nil, errors.New("the ledger is empty, or no CSV: its first line names the columns " + LedgerColumns)
	}
	f, err := ledgerForm(head, zone, semicolon)
	if err != nil {
		return nil, err
	}
	all := &MerchantLedger{Fees: f.at["fee"] >= 0}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, bad := 0, ""
		var e Entry
		var wrong *csv.ParseError
		switch {
		case errors.As(err, &wrong):
			line, bad = wrong.StartLine, "it is not CSV: "+wrong.Err.Error()
		case err != nil:
			return nil, fmt.Errorf("the ledger: %w", err)
		default:
			line, _ = rows.FieldPos(0)
			e, bad = f.entry(row)
		}
		e.Row = line
		if bad != "" {
			all.refuse(line, bad)
			continue
		}
		if all.Entries = append(all.Entries, e); len(all.Entries) > mostEntries {
			return nil, fmt.Errorf("the ledger has more than %d entries: give it in parts", mostEntries)
		}
	}
	if bounded.N <= 0 {
		return nil, fmt.Errorf("the ledger is larger than %d MB: give it in parts", mostLedger>>20)
	}
	return all, nil
}

func (l *MerchantLedger) refuse(row int, reason string) {
	if l.BadRows++; len(l.Bad) < mostBad {
		l.Bad = append(l.Bad, BadRow{row, reason})
	}
}

// openCSV finds what separates the columns: whatever of comma, semicolon and tab is in the first line most often.
func openCSV(r io.Reader) (rows *csv.Reader, semicolon bool, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) { // as Excel writes it
		if _, err := in.Discard(3); err != nil {
			return nil, false, err
		}
	}
	peeked, _ := in.Peek(4096)
	first, _, _ := bytes.Cut(peeked, []byte("\n"))
	rows = csv.NewReader(in)
	rows.FieldsPerRecord, rows.TrimLeadingSpace, rows.ReuseRecord = -1, true, true
	most := bytes.Count(first, []byte(","))
	for _, by := range []rune{';', '\t'} {
		if n := bytes.Count(first, []byte(string(by))); n > most {
			most, rows.Comma = n, by
		}
	}
	return rows, rows.Comma == ';', nil
}

// form is where the columns are.
type form struct {
	at           map[string]int
	zone         *time.Location
	decimalComma bool
}

func ledgerForm(head []string, zone *time.Location, decimalComma bool) (form, error) {
	f := form{map[string]int{}, zone, decimalComma}
	var names []string
	for _, name := range head {
		names = append(names, strings.ToLower(strings.TrimSpace(name)))
	}
	for _, name := range []string{"reference", "kind", "amount", "currency", "date", "fee", "payout"} {
		f.at[name] = slices.Index(names, name)
	}
	if f.at["reference"] < 0 {
		f.at["reference"] = slices.Index(names, "id")
	}
	for _, name := range []string{"reference", "kind", "amount", "currency", "date"} {
		if f.at[name] < 0 {
			return f, fmt.Errorf("the ledger has no column %q; its first line names the columns %s", name, LedgerColumns)
		}
	}
	return f, nil
}

// entry reads a row; bad says why it cannot be read.
func (f form) entry(row []string) (e Entry, bad string) {
	cells := map[string]string{}
	for name, at := range f.at {
		if at < 0 {
			continue
		}
		if at >= len(row) {
			if name == "fee" || name == "payout" {
				continue
			}
			return e, "it has no " + name
		}
		if cells[name] = strings.Clone(strings.TrimPrefix(strings.TrimSpace(row[at]), "'")); len(cells[name]) > longestCell {
			return e, fmt.Sprintf("its %s is longer than %d characters", name, longestCell)
		}
	}
	e.Ref, e.Payout, e.Kind = cells["reference"], cells["payout"], kindNamed(cells["kind"])
	if e.Ref == "" {
		return e, "it has no reference"
	}
	if _, known := ledgerKinds[e.Kind]; !known {
		return e, fmt.Sprintf("its kind %q is none of charge, refund, refund_failure, dispute, dispute_reversal, payout, payout_reversal, topup, fee, adjustment or another of Stripe's reporting categories", e.Kind)
	}
	c, err := money.ParseCurrency(cells["currency"])
	if err != nil {
		return e, fmt.Sprintf("its currency %q is not one", cells["currency"])
	}
	if e.Amount, bad = f.money("amount", cells["amount"], c); bad != "" {
		return e, bad
	}
	if s := ledgerKinds[e.Kind]; s != 0 && (e.Amount.Minor < 0) != (s < 0) {
		e.Amount.Minor = -e.Amount.Minor
	}
	if cells["fee"] != "" {
		e.HasFee = true
		if e.Fee, bad = f.money("fee", cells["fee"], c); bad != "" {
			return e, bad
		}
	}
	e.Date, e.hasClock, bad = f.date(cells["date"])
	return e, bad
}

func kindNamed(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, " ", "_"))
	if other := otherNames[s]; other != "" {
		return other
	}
	return s
}

func (f form) money(name, text string, c money.Currency) (money.Money, string) {
	if f.decimalComma && strings.Count(text, ",") == 1 && !strings.Contains(text, ".") {
		text = strings.Replace(text, ",", ".", 1)
	}
	m, err := signed(text, c)
	if err != nil {
		return m, fmt.Sprintf("its %s %q is no amount in %s, such as %s", name, text, c, money.FromMinor(4900, c))
	}
	return m, ""
}

func (f form) date(text string) (at time.Time, hasClock bool, bad string) {
	for n, layout := range []string{time.DateOnly, time.RFC3339, time.DateTime, "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, text, f.zone); err == nil && at.Year() >= 1970 && at.Year() < 2200 {
			if n == 0 { // a day, which may have no 0:00
				noon := at.Add(12 * time.Hour)
				return clock.Midnight(noon.Year(), noon.Month(), noon.Day(), f.zone), false, ""
			}
			return at, true, ""
		}
	}
	return at, false, fmt.Sprintf("its date %q is not written as 2026-01-31 or 2026-01-31T12:00:00Z", text)
}

// longestAmount bounds the digits of an amount, so that sums of many stay whole.
const longestAmount = 13

// signed reads an amount that may be below nothing, and one of Stripe's that is no step of what can be charged, as a fee may be.
func signed(text string, c money.Currency) (money.Money, error) {
	digits, minus := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" || len(whole) > longestAmount || len(fraction) > c.Scale() {
		return money.Money{Currency: c}, fmt.Errorf("%q is no amount in %s", text, c)
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", c.Scale()-len(fraction)), 10, 64)
	if minus {
		minor = -minor
	}
	return money.FromMinor(minor, c), err
}
