package money

import (
	"strings"
	"testing"
)

// No country is in two regions: what it counts for must not hang on chance.
func TestNoCountryIsInTwoRegions(t *testing.T) {
	t.Parallel()
	seen := map[string]Region{}
	for region, all := range regions {
		for _, c := range strings.Fields(all) {
			if other, twice := seen[c]; twice || Country(c).InEconomicArea() {
				t.Errorf("%s is in %s, and in %s or the Economic Area", c, region, other)
			}
			if _, listed := countries[Country(c)]; !listed {
				t.Errorf("%s is no country", c)
			}
			seen[c] = region
		}
	}
}
