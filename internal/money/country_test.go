package money_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

// TestEveryCountry freezes what people of each country pay in: a wrong row there asks them for somebody else's money.
func TestEveryCountry(t *testing.T) {
	t.Parallel()
	const file = "testdata/countries.txt"
	var got strings.Builder
	fmt.Fprintln(&got, "# country currency | - where Stripe takes no charges in it | law on strong customer authentication")
	for _, c := range money.Countries() {
		pays, charged := c.Currency(time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))
		_, err := money.ParseCurrency(string(pays))
		if (err == nil) != charged {
			t.Errorf("%s pays in %s: charged %v, %v", c, pays, charged, err)
		}
		fmt.Fprintln(&got, c, pays, "|", map[bool]string{true: "charged", false: "-"}[charged], "|", map[bool]string{true: "SCA", false: "-"}[c.Authenticates()])
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

func TestACurrencyHasItsDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		country, day string
		pays         money.Currency
	}{
		{"HR", "2022-12-31", "HRK"}, {"HR", "2023-01-01", "EUR"}, {"BG", "2025-12-31", "BGN"}, {"BG", "2026-01-01", "EUR"},
		{"CW", "2025-03-30", "ANG"}, {"CW", "2025-03-31", "XCG"}, {"EE", "2010-12-31", "EEK"}, {"PL", "1999-01-01", "PLN"}, {"KE", "2026-11-28", "KES"}, {"JP", "2026-11-28", "JPY"},
	} {
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if pays, _ := money.Country(c.country).Currency(day); pays != c.pays {
			t.Errorf("%s on %s pays in %s, not %s", c.country, c.day, pays, c.pays)
		}
	}
}

func TestParseCountry(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]money.Country{"PL": "PL", "ke": "KE", "gB": "GB", "XK": "XK"} {
		if c, err := money.ParseCountry(in); err != nil || c != want {
			t.Errorf("%s: %s, %v", in, c, err)
		}
	}
	for _, in := range []string{"", "P", "POL", "ZZ", "EU", "P1", "ſe"} {
		if c, err := money.ParseCountry(in); !fault.Is(err, fault.CountryUnknown) || c != "" {
			t.Errorf("%q: %q, %v", in, c, err)
		}
	}
}

// Every country is in one region, and the regions hold nothing else.
func TestEveryCountryHasARegion(t *testing.T) {
	t.Parallel()
	for _, c := range money.Countries() {
		if c.Region() == money.Nowhere {
			t.Errorf("%s is nowhere", c)
		}
	}
	for c, want := range map[money.Country]money.Region{"GB": money.UnitedKingdom, "PL": money.EconomicArea, "CH": money.OtherEurope, "US": money.NorthAmerica, "BR": money.LatinAmerica,
		"JP": money.AsiaPacific, "AU": money.AsiaPacific, "KW": money.MiddleEast, "KE": money.Africa, "": money.Nowhere, "ZZ": money.Nowhere, "P": money.Nowhere} {
		if got := c.Region(); got != want {
			t.Errorf("%q is in %s, not %s", c, got, want)
		}
	}
}
