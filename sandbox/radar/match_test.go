package radar_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox/radar"
)

// facts are those of a payment of 20.50 dollars with an American card, of which the country of the address is not known.
func facts() *radar.Facts {
	known := map[string]radar.Value{
		":amount_in_usd:":    {Type: radar.Number, Number: 20_500_000},
		":risk_score:":       radar.NumberValue(64),
		":risk_level:":       radar.TextValue("normal"),
		":card_country:":     {Type: radar.Country, Text: "US"},
		":email:":            radar.TextValue("Ada@Example.com"),
		":card_fingerprint:": radar.TextValue("aBc"),
		":is_recurring:":     radar.BoolValue(true),
		":is_checkout:":      radar.BoolValue(false),
		"::age::":            radar.TextValue("22"),
		"::tea::":            radar.TextValue("Oolong"),
	}
	lists := map[string][]string{"emails": {"ada@example.com"}, "prints": {"aBc"}, "scores": {"64"}}
	return &radar.Facts{
		Of: func(o radar.Operand) radar.Value { return known[o.String()] },
		Listed: func(alias, value string, exact bool) bool {
			for _, one := range lists[alias] {
				if one == value || !exact && strings.EqualFold(one, value) {
					return true
				}
			}
			return false
		},
	}
}

// TestMatch: what matches, and what does not.
func TestMatch(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]bool{
		`:amount_in_usd: = 20.5`: true, `:amount_in_usd: > 20.5`: false, `:amount_in_usd: >= 20.5`: true, `:amount_in_usd: < 20.500001`: true, `:amount_in_usd: != 20`: true,
		`:risk_score: IN (1, 64)`: true, `:risk_score: IN (1, 65)`: false, `:risk_score: IN @scores`: true,
		`:risk_level: = 'NORMAL'`: true, `:risk_level: != 'normal'`: false,
		`:card_country: = 'us'`: true, `:card_country: IN ('DE', 'PL')`: false,
		`:email: INCLUDES 'a@ex'`: true, `:email: LIKE '%@example.com'`: true, `:email: LIKE 'ada%.%'`: true, `:email: LIKE '%b%'`: false, `:email: LIKE 'ada'`: false,
		`:email: LIKE 'ada@example.com%com'`: false, `:email: IN @emails`: true, `:email: IN @none`: false,
		`:card_fingerprint: = 'aBc'`: true, `:card_fingerprint: = 'abc'`: false, `:card_fingerprint: IN @prints`: true,
		`:is_recurring:`: true, `NOT :is_recurring:`: false, `:is_checkout:`: false, `:is_off_session:`: false, `NOT :is_off_session:`: true,
		`::age:: < 30`: true, `::age:: = '22'`: true, `::age:: = 22`: true, `::tea:: < 30`: false, `::tea:: > 30`: false, `::tea:: = 'oolong'`: true,
		// What is not known is equal to nothing, and unequal to nothing.
		`:billing_address_country: = 'US'`: false, `:billing_address_country: != 'US'`: false, `NOT (:billing_address_country: = 'US')`: true,
		`is_missing(:billing_address_country:)`: true, `is_missing(:card_country:)`: false, `:card_country: != :billing_address_country:`: false,
		`:billing_address_country: IN @emails`: false, `::none:: INCLUDES ''`: false,
		// NOT binds more tightly than AND, and AND than OR.
		`:is_recurring: OR :is_recurring: AND :is_checkout:`: true, `(:is_recurring: OR :is_recurring:) AND :is_checkout:`: false,
		`NOT :is_checkout: AND :is_recurring:`: true, `NOT (:is_checkout: OR :is_recurring:)`: false,
	} {
		r, err := radar.Parse("Block if " + condition)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		if got := r.Match(facts()); got != want {
			t.Errorf("%s is %v", condition, got)
		}
	}
}

// TestPrintedRulesAreTheSame: random conditions, however deep, mean the same when they are printed and read again.
func TestPrintedRulesAreTheSame(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		text := "Review if " + randomCondition(random, 4)
		r, err := radar.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := radar.Parse(r.String())
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%s is printed as %s, which is read as %v, %v", text, r, again, err)
		}
		if r.Match(facts()) != again.Match(facts()) {
			t.Fatalf("%s and %s do not match the same", text, again)
		}
	}
}

func randomCondition(random *rand.Rand, depth int) string {
	simple := []string{":is_recurring:", ":is_checkout:", ":risk_score: > 50", "::tea:: LIKE '%o\\'%'", ":email: IN @emails", "is_missing(:ip_country:)", ":card_country: IN ('US','DE')"}
	switch n := random.IntN(6); {
	case depth == 0 || n == 0:
		return simple[random.IntN(len(simple))]
	case n == 1:
		return fmt.Sprintf("NOT %s", randomCondition(random, depth-1))
	case n < 4:
		return fmt.Sprintf("(%s) and (%s)", randomCondition(random, depth-1), randomCondition(random, depth-1))
	default:
		return fmt.Sprintf("(%s || %s)", randomCondition(random, depth-1), randomCondition(random, depth-1))
	}
}

// TestAttributes: all have a type, and each is read by its name.
func TestAttributes(t *testing.T) {
	t.Parallel()
	all := radar.Attributes()
	if len(all) < 250 {
		t.Fatalf("there are only %d attributes", len(all))
	}
	for _, a := range all {
		if a.Type == 0 || strings.ContainsAny(a.Name, "{},") {
			t.Errorf("%+v is no attribute", a)
		}
		if _, err := radar.Parse("Block if is_missing(:" + a.Name + ":)"); err != nil {
			t.Error(err)
		}
	}
}
