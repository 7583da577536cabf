package diagnose_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/diagnose"
	"github.com/till-pay/till/internal/money"
)

const ledgerHead = "reference,kind,amount,fee,currency,date,payout\n"

func ledgerOf(t *testing.T, rows ...string) *diagnose.MerchantLedger {
	t.Helper()
	l, err := diagnose.ReadLedger(strings.NewReader(ledgerHead+strings.Join(rows, "\n")), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func at(day int) time.Time { return time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC) }

func cents(minor int64) money.Money { return money.FromMinor(minor, "EUR") }

// booked is what Stripe has in these tests: two payments, a refund and a dispute, in two payouts, and a payment in yen that settles in euros.
func booked() []diagnose.Booked {
	none := cents(0)
	return []diagnose.Booked{
		{Lines: []string{"txn_1"}, Kind: "charge", Source: "ch_1", Payment: "p1", Names: []string{"order-1", "pi_1"}, Amount: cents(5000), Fee: cents(100), From: cents(5000), Payout: "po_1", At: at(2)},
		{Lines: []string{"txn_2"}, Kind: "charge", Source: "ch_2", Payment: "p2", Names: []string{"order-2", "pi_2"}, Amount: cents(2000), Fee: cents(55), From: cents(2000), Payout: "po_2", At: at(9)},
		{Lines: []string{"txn_3"}, Kind: "refund", Source: "re_1", Payment: "p1", Names: []string{"r1"}, Amount: cents(-700), Fee: none, From: cents(-700), Payout: "po_2", At: at(9)},
		{Lines: []string{"txn_4", "txn_5"}, Kind: "dispute", Source: "du_1", Payment: "p2", Amount: cents(-2000), Fee: cents(2000), From: cents(-2000), Payout: "po_2", At: at(10)},
		{Lines: []string{"txn_6"}, Kind: "payout", Source: "po_1", Amount: cents(-4900), Fee: none, From: cents(-4900), Payout: "po_1", At: at(8)},
		{Lines: []string{"txn_8"}, Kind: "payout", Source: "po_3", Amount: cents(750), Fee: none, From: cents(750), Payout: "po_3", At: at(0)},
		{Lines: []string{"txn_7"}, Kind: "charge", Source: "ch_3", Payment: "p3", Names: []string{"order-3"}, Amount: cents(1800), Fee: cents(84), From: money.FromMinor(3000, "JPY"), At: at(12)},
	}
}

// whole is a ledger that says all of it.
var whole = []string{"order-1,payment,50.00,1.00,EUR,2026-01-02,", "pi_2,charge,20.00,0.55,EUR,2026-01-09,po_2", "re_1,refund,7.00,,EUR,2026-01-09,", "du_1,dispute,-20.00,20.00,EUR,2026-01-10,",
	"order-3,sale,3000,,JPY,2026-01-12T12:00:00Z,"}

// A ledger that says what Stripe says has nothing against it; what it says otherwise is named, once, with transaction and amount.
func TestCompareLedger(t *testing.T) {
	t.Parallel()
	put := func(n int, row string) []string {
		rows := slices.Clone(whole)
		rows[n] = row
		return rows
	}
	for name, c := range map[string]struct {
		rows []string
		want string // finding, transaction, difference
	}{
		"as it is":                             {whole, ""},
		"by other names":                       {[]string{"p1,payment,50.00,,EUR,2026-01-02,", "ch_2,charge,20.00,,EUR,2026-01-09,", "p1,refund,-7.00,,EUR,2026-01-09,", "txn_5,chargeback,20.00,,EUR,2026-01-11,", "p3,payment,18.00,,EUR,2026-01-13,"}, ""},
		"in its parts":                         {append(put(0, "order-1,payment,30.00,,EUR,2026-01-02,"), "order-1,payment,20.00,,EUR,2026-01-02,"), ""},
		"a dispute in its two lines":           {append(put(3, "du_1,dispute,20.00,5.00,EUR,2026-01-10,"), "du_1,dispute,0.00,15.00,EUR,2026-01-11,"), ""},
		"in parts with another fee":            {append(put(3, "du_1,dispute,20.00,5.00,EUR,2026-01-10,"), "du_1,dispute,0.00,14.00,EUR,2026-01-11,"), "fee_differs txn_4 -1.00 EUR"},
		"a payout the other way":               {append(slices.Clone(whole), "po_1,payout,49.00,,EUR,2026-01-08,", "po_2,payout,3.00,,EUR,2026-01-20,"), "only_in_ledger  -3.00 EUR"},
		"a payout that takes from the bank":    {append(slices.Clone(whole), "po_1,payout,49.00,,EUR,2026-01-08,", "po_3,payout,7.50,,EUR,2026-01-22,"), ""},
		"with the payout":                      {append(slices.Clone(whole), "po_1,payout,49.00,,EUR,2026-01-10,"), ""},
		"another amount":                       {put(0, "order-1,payment,49.00,1.00,EUR,2026-01-02,"), "amount_differs txn_1 -1.00 EUR"},
		"another fee":                          {put(0, "order-1,payment,50.00,0.90,EUR,2026-01-02,"), "fee_differs txn_1 -0.10 EUR"},
		"another amount and fee":               {put(0, "order-1,payment,49.00,0.90,EUR,2026-01-02,"), "amount_differs txn_1 -1.00 EUR; fee_differs txn_1 -0.10 EUR"},
		"another currency":                     {put(0, "order-1,payment,50.00,1.00,USD,2026-01-02,"), "currency_differs txn_1 50.00 USD"},
		"missing":                              {whole[1:], "only_at_stripe txn_1 -50.00 EUR"},
		"a refund missing":                     {append(slices.Clone(whole[:2]), whole[3:]...), "only_at_stripe txn_3 7.00 EUR"},
		"unknown at Stripe":                    {append(slices.Clone(whole), "order-9,payment,9.99,0.40,EUR,2026-01-05,"), "only_in_ledger  9.99 EUR"},
		"doubled":                              {append(slices.Clone(whole), whole[0]), "doubled txn_1 50.00 EUR"},
		"a refund doubled":                     {append(slices.Clone(whole), "p1,refund,7.00,,EUR,2026-01-09,"), "doubled txn_3 -7.00 EUR"},
		"dated in another payout":              {put(0, "order-1,payment,50.00,1.00,EUR,2026-01-09,"), "dated_in_another_payout txn_1 0.00 EUR"},
		"put into another payout":              {put(1, "pi_2,charge,20.00,0.55,EUR,2026-01-09,po_1"), "dated_in_another_payout txn_2 0.00 EUR"},
		"dated a day off, which may be a zone": {put(0, "order-1,payment,50.00,1.00,EUR,2026-01-03,"), ""},
		"in a payout before there is one":      {put(4, "order-3,sale,3000,,JPY,2026-01-09,"), "dated_in_another_payout txn_7 0 JPY"},
		"a kind that it is not":                {put(2, "re_1,payment,7.00,,EUR,2026-01-09,"), "only_at_stripe txn_3 7.00 EUR; only_in_ledger  7.00 EUR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := diagnose.CompareLedger(ledgerOf(t, c.rows...), booked(), at(1), at(31), time.UTC)
			var all []string
			for _, f := range got.Findings {
				all = append(all, fmt.Sprintf("%s %s %s %s", f.Finding, f.Transaction, f.Difference, f.Currency))
				if f.Words == "" || f.Kind == "" || f.At.IsZero() {
					t.Errorf("%+v", f)
				}
			}
			slices.Sort(all)
			if strings.Join(all, "; ") != c.want {
				t.Errorf("%q, not %q", strings.Join(all, "; "), c.want)
			}
			nothingUnnamed(t, got)
			againIsEven(t, got)
		})
	}
}

// nothingUnnamed fails where a difference of the sums is not that of the findings.
func nothingUnnamed(t *testing.T, got *diagnose.Compared) {
	t.Helper()
	for _, s := range got.Sums {
		if diagnose.Nonzero(s.Remainder) || !got.Agrees() && len(got.Sums) == 0 {
			t.Errorf("%+v", s)
		}
	}
}

// againIsEven compares the corrected ledger: it agrees.
func againIsEven(t *testing.T, got *diagnose.Compared) {
	t.Helper()
	var out bytes.Buffer
	if err := got.WriteCorrected(&out); err != nil {
		t.Fatal(err)
	}
	l, err := diagnose.ReadLedger(bytes.NewReader(out.Bytes()), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if again := diagnose.CompareLedger(l, booked(), at(1), at(31), time.UTC); !again.Agrees() || len(again.Sums) == 0 {
		t.Errorf("the corrected ledger still differs: %+v %+v\n%s", again.Findings, again.Bad, &out)
	}
}

// Only what was made in the time in question must be in the ledger, and payouts only where it keeps any.
func TestCompareLedgerInItsTime(t *testing.T) {
	t.Parallel()
	got := diagnose.CompareLedger(ledgerOf(t, whole[1:]...), booked(), at(9), at(31), time.UTC)
	if !got.Agrees() || fmt.Sprint(got.LeftOut) != "[]" {
		t.Errorf("%+v", got)
	}
	got = diagnose.CompareLedger(ledgerOf(t, whole...), booked(), at(1), at(31), time.UTC)
	if !got.Agrees() || fmt.Sprint(got.LeftOut) != "[payout]" {
		t.Errorf("%+v", got)
	}
	got = diagnose.CompareLedger(ledgerOf(t, append(slices.Clone(whole), "po_9,payout,1.00,,EUR,2026-01-10,")...), booked(), at(1), at(31), time.UTC)
	if len(got.Findings) != 2 || got.Findings[0].Transaction != "txn_6" {
		t.Errorf("%+v", got.Findings)
	}
}

// A row that cannot be read is put aside with its number and a reason; a file that is none is refused.
func TestReadLedger(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		ledgerHead + "a,payment,1.00,,EUR,2026-01-02,\n\"x":                                                   "1 [{3 it is not CSV",
		ledgerHead + ",payment,1.00,,EUR,2026-01-02,":                                                         "0 [{2 it has no reference}]",
		ledgerHead + "a,present,1.00,,EUR,2026-01-02,":                                                        "0 [{2 its kind \"present\" is none of",
		ledgerHead + "a,payment,1.005,,EUR,2026-01-02,":                                                       "0 [{2 its amount \"1.005\" is no amount in EUR, such as 49.00}]",
		ledgerHead + "a,payment,1e3,,EUR,2026-01-02,":                                                         "0 [{2 its amount",
		ledgerHead + "a,payment,99999999999999,,EUR,2026-01-02,":                                              "0 [{2 its amount",
		ledgerHead + "a,payment,100,.5,EUR,2026-01-02,":                                                       "0 [{2 its fee",
		ledgerHead + "a,payment,1.00,,EURO,2026-01-02,":                                                       "0 [{2 its currency \"EURO\" is not one}]",
		ledgerHead + "a,payment,1.00,,EUR,02.01.2026,":                                                        "0 [{2 its date",
		ledgerHead + "a,payment,1.00":                                                                         "0 [{2 it has no ",
		ledgerHead + strings.Repeat("a", 256) + ",payment,1,,EUR,2026-01-02,\n\nb,payment,1,,EUR,2026-01-02,": "1 [{2 its reference is longer than 255 characters}]",
		"\xef\xbb\xbfDate;Currency;Amount;Kind;ID;note\n2026-01-02;eur;'-1,50;refund;=a;x":                    "1 []",
		"date\tcurrency\tamount\tkind\tid\n2026-01-02 10:00:00\tJPY\t150\tTop-Up\tb":                          "1 []",
	} {
		l, err := diagnose.ReadLedger(strings.NewReader(text), time.UTC)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := fmt.Sprintf("%d %v", len(l.Entries), l.Bad); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
	}
	for text, says := range map[string]string{"": "empty", "reference,kind\n": `no column "amount"`, "kind,amount,currency,date\n": `no column "reference"`} {
		if _, err := diagnose.ReadLedger(strings.NewReader(text), time.UTC); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever a file holds, each of its rows is an entry or is put aside, its amounts have the sign of their kind, and what is compared with it adds up.
func FuzzReadLedger(f *testing.F) {
	f.Add(ledgerHead + strings.Join(whole, "\n"))
	f.Add("id;kind;amount;currency;date\na;fee;-0,30;EUR;2026-01-02\n\"b\nc\";refund;1;JPY;2026-01-02T00:00:00+02:00")
	f.Add("\xef\xbb\xbfid\tkind\tamount\tcurrency\tdate\n'=a\ttax\t1.000\tKWD\t2026-01-02 10:00")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := diagnose.ReadLedger(strings.NewReader(text), time.UTC)
		if err != nil {
			return
		}
		for _, e := range l.Entries {
			if e.Ref == "" || e.Kind == "" || e.Date.IsZero() || e.Row < 1 || e.Kind == "refund" && e.Amount.Minor > 0 || e.Kind == "charge" && e.Amount.Minor < 0 {
				t.Errorf("%+v", e)
			}
		}
		got := diagnose.CompareLedger(l, booked(), at(1), at(31), time.UTC)
		nothingUnnamed(t, got)
		againIsEven(t, got)
	})
}

// A day that begins at 1:00, because clocks are put forward at midnight, is that day and not the one before.
func TestADayWithoutMidnight(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	l, err := diagnose.ReadLedger(strings.NewReader("reference,kind,amount,currency,date\norder-1,payment,50.00,USD,2027-09-05\n"), zone)
	if err != nil || len(l.Entries) != 1 || l.Entries[0].Date.Format(time.RFC3339) != "2027-09-05T01:00:00-03:00" {
		t.Errorf("%v: %+v", err, l)
	}
}
