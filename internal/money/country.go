package money

import (
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/fault"
)

// Country is an ISO 3166-1 alpha-2 code in upper case, such as "PL".
type Country string

// ParseCountry reads a two-letter code, in any case, of a country with a currency of its own or of others.
// It fails with fault.CountryUnknown, whose Param is left to the caller.
func ParseCountry(s string) (Country, error) {
	c := Country(strings.ToUpper(s))
	if _, listed := countries[c]; len(s) != 2 || !listed {
		return "", fault.New(fault.CountryUnknown, "", "A country is an ISO 3166 code of two letters, such as PL.")
	}
	return c, nil
}

// Countries lists every country that ParseCountry takes, in alphabetical order.
func Countries() []Country {
	all := make([]Country, 0, len(countries))
	for c := range countries {
		all = append(all, c)
	}
	slices.Sort(all)
	return all
}

// Currency is what people of a country pay in on a day; charged is false where Stripe takes no charges in it.
func (c Country) Currency(on time.Time) (pays Currency, charged bool) {
	pays = countries[c]
	day := on.UTC().Format(time.DateOnly)
	for _, change := range changes {
		if change.country == c && day < change.since {
			pays = change.before
			break // they are in order of time: the first that lies ahead says what holds
		}
	}
	return pays, pays.listed()
}

// economicArea are the countries of the European Economic Area (EEA Agreement, as of 1 February 2020, without the United Kingdom).
const economicArea = " AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK "

// InEconomicArea says whether a country is one of the European Economic Area.
func (c Country) InEconomicArea() bool {
	return len(c) == 2 && strings.Contains(economicArea, " "+string(c)+" ")
}

// Authenticates says whether cards of the country are under the law on strong customer authentication where the merchant is too: the second
// Payment Services Directive in the Economic Area, and the regulations of 2017 that took it over in the United Kingdom.
func (c Country) Authenticates() bool { return c == "GB" || c.InEconomicArea() }
