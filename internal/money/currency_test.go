package money_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

var update = flag.Bool("update", false, "rewrite testdata/currencies.txt from the table; a review reads the difference")

// TestEveryCurrency freezes what is said of each currency: a wrong digit there charges a hundred times too much.
func TestEveryCurrency(t *testing.T) {
	t.Parallel()
	const file = "testdata/currencies.txt"
	var got strings.Builder
	fmt.Fprintln(&got, "# code digits scale step | minor units of \"1\" | \"1\" and the largest charge, written | least charge")
	for _, c := range money.Currencies() {
		one, err := money.Parse("1", c)
		if err != nil {
			t.Fatal(err)
		}
		least := "-"
		if minor, known := c.MinCharge(); known {
			least = money.FromMinor(minor, c).String()
		}
		largest := money.FromMinor(c.MaxCharge()/c.Step()*c.Step(), c)
		fmt.Fprintln(&got, c, c.Digits(), c.Scale(), c.Step(), "|", one.Minor, "|", one, largest, "|", least)
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("the table and %s differ (-file +table):\n%s", file, diff)
	}
}

// TestExceptions names every currency that has not two digits, apart from the table, so that a slip in one shows in the other.
func TestExceptions(t *testing.T) {
	t.Parallel()
	type shape struct {
		digits, scale int
		step          int64
	}
	exceptions := map[money.Currency]shape{}
	for s, codes := range map[shape]string{
		{0, 0, 1}:   "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF",
		{0, 2, 100}: "ISK UGX",
		{3, 3, 10}:  "BHD JOD KWD OMR TND",
	} {
		for code := range strings.FieldsSeq(codes) {
			exceptions[money.Currency(code)] = s
		}
	}
	for _, c := range money.Currencies() {
		want, ok := exceptions[c]
		if !ok {
			want = shape{2, 2, 1}
		}
		delete(exceptions, c)
		if got := (shape{c.Digits(), c.Scale(), c.Step()}); got != want {
			t.Errorf("%s: %+v; want %+v", c, got, want)
		}
		if parsed, err := money.ParseCurrency(c.Lower()); err != nil || parsed != c {
			t.Errorf("ParseCurrency(%q) = %q, %v", c.Lower(), parsed, err)
		}
		if least, known := c.MinCharge(); known != (least > 0) || least%c.Step() != 0 || least >= c.MaxCharge() {
			t.Errorf("%s: least charge %d, known %v", c, least, known)
		}
	}
	if len(exceptions) > 0 {
		t.Errorf("not in the table: %v", exceptions)
	}
}

func TestParseCurrency(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"usd", "USD", "Usd", "uSD"} {
		if c, err := money.ParseCurrency(s); err != nil || c != "USD" {
			t.Errorf("ParseCurrency(%q) = %q, %v", s, c, err)
		}
	}
	// The long s and the dotless i become ASCII in upper case; [{@ lie beside the letters; full-width letters look like them.
	for _, s := range []string{"", "US", "USDC", "usdx", "xxx", "XAU", " usd", "usd ", "u\u017fd", "\u0131ls", "us\x00", "U5D", "[s@", "{}~", "\uff35\uff33\uff24", "\u20ac", strings.Repeat("USD", 1000)} {
		if c, err := money.ParseCurrency(s); !fault.Is(err, fault.CurrencyUnknown) || c != "" {
			t.Errorf("ParseCurrency(%.20q) = %q, %v; want currency_unknown", s, c, err)
		}
	}
}

func TestChargeLimits(t *testing.T) {
	t.Parallel()
	for c, want := range map[money.Currency]int64{"USD": 99_999_999, "JPY": 99_999_999, "KWD": 99_999_999, "IDR": 999_999_999_999} {
		if got := c.MaxCharge(); got != want {
			t.Errorf("%s: largest charge %d; want %d", c, got, want)
		}
	}
	for c, want := range map[money.Currency]int64{"USD": 50, "GBP": 30, "JPY": 50, "HUF": 17500, "AED": 200, "KES": 0, "UGX": 0} {
		if got, known := c.MinCharge(); got != want || known != (want > 0) {
			t.Errorf("%s: least charge %d, known %v; want %d", c, got, known, want)
		}
	}
}
