package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Recommendation is what the figures suggest. It is only there where they do.
type Recommendation struct {
	Name    string            `json:"name"`
	Words   string            `json:"words"`
	Count   int               `json:"count"`
	Of      int               `json:"of"`
	Amounts map[string]string `json:"amounts"` // by currency: of purchases that it may still save
}

// Below these a recommendation would be about single customers.
const (
	fewestAdvised = 3
	leastShare    = 5.0 // per cent
)

// recommend says what would help, that which may save most first.
func (d *Declines) recommend(m merchant) []Recommendation {
	all := []Recommendation{}
	for _, r := range []Recommendation{d.anotherCard(), d.newData(), d.onceMore(), d.savedLater(), d.bySEPA(), d.authenticate(), d.aboveLimit(), d.rules()} {
		if r.Count >= fewestAdvised && percent(r.Count, r.Of) >= leastShare {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b Recommendation) int { return cmp.Compare(b.Count*a.Of, a.Count*b.Of) })
	return append(all, d.abroad(m)...)
}

// open counts the unpaid purchases for which something holds. words are completed with the figures.
func (d *Declines) open(name string, holds func(Purchase) bool, words string) Recommendation {
	r := Recommendation{Name: name, Of: len(d.Purchases), Amounts: map[string]string{}}
	for _, p := range d.Purchases {
		if holds(p) {
			r.Count++
			_ = total(r.Amounts, p.amount) // as in remedies
		}
	}
	r.Words = fmt.Sprintf("%s: %d of %d unpaid purchases (%s), worth %s.", words, r.Count, r.Of, rate(percent(r.Count, r.Of)), sums(r.Amounts))
	return r
}

func (d *Declines) anotherCard() Recommendation {
	return d.open("another_card", func(p Purchase) bool { return p.Class == Issuer && (p.Action == AnotherCard || p.Action == RetryLater) },
		"Ask for another card in the moment of the decline, and by a message afterwards")
}

func (d *Declines) newData() Recommendation {
	return d.open("update_card", func(p Purchase) bool { return p.Action == UpdateCard }, "Ask for the card's data again, for what was typed or saved is out of date")
}

func (d *Declines) onceMore() Recommendation {
	return d.open("retry_technical", func(p Purchase) bool { return p.Action == RetryNow }, "Try the same card once more after a minute where no bank said no")
}

func (d *Declines) savedLater() Recommendation {
	return d.open("retry_saved_cards", func(p Purchase) bool { return p.Action == RetryLater && p.Saved }, "Try saved cards again three days later, when there may be money on them")
}

func (d *Declines) authenticate() Recommendation {
	return d.open("authenticate", func(p Purchase) bool { return p.Class == Secure }, "Bring the customer to the bank's page (3-D Secure) and say that it must be finished there")
}

// sepa are the countries of the SEPA schemes (European Payments Council, list of SEPA scheme countries, 2025). A debit is in euro, whatever
// the country's own money.
const sepa = " AD AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MT NL NO PL PT RO SE SI SK SM VA "

// bySEPA is for carts in euro alone: an account in zloty or francs cannot be debited so.
func (d *Declines) bySEPA() Recommendation {
	countries := map[string]int{}
	fits := func(p Purchase) bool {
		return p.Class == Issuer && p.Currency == "EUR" && p.Country != "" && strings.Contains(sepa, " "+p.Country+" ")
	}
	for _, p := range d.Purchases {
		if fits(p) {
			countries[p.Country]++
		}
	}
	return d.open("sepa_debit", fits, "Offer SEPA Direct Debit beside cards for carts in euro ("+most(countries, 6)+"; it is slow, and can be returned for eight weeks)")
}

// most names the most frequent of some values.
func most(of map[string]int, n int) string {
	var names []string
	for name := range of {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) })
	return strings.Join(names[:min(n, len(names))], ", ")
}

// large is from which amount authentication is worth its trouble: 500 units of a currency with decimals.
const large = 50000

// aboveLimit asks for 3-D Secure on large amounts, where banks decline these more often without it.
func (d *Declines) aboveLimit() Recommendation {
	r := Recommendation{Name: "3ds_above_500", Of: d.Recent.Declined, Amounts: map[string]string{}}
	big := func(p Payment) bool { return p.Amount.Minor >= large && p.Paid.ThreeDSecure == "" }
	decided := 0
	for _, p := range d.Recent.decided {
		decided += one(big(p))
		if big(p) && p.declined() && p.class() == Issuer {
			r.Count++
			_ = total(r.Amounts, p.Amount) // as in remedies
		}
	}
	if rise(d.Recent.Declined-r.Count, d.Recent.Decided-decided, r.Count, decided).Sigma < hardlyChance {
		r.Count = 0 // they are not declined more often than others
	}
	r.Words = fmt.Sprintf("Ask for 3-D Secure from 500 on: banks declined %d of %d such payments without it (%s), against %s of all.", r.Count, decided, rate(percent(r.Count, decided)), rate(d.Recent.Rate))
	return r
}

// rules looks at what Radar stopped: customers who have paid before are the ones that it may be wrong about.
func (d *Declines) rules() Recommendation {
	paid := map[string]bool{}
	for _, p := range slices.Concat(d.Before.decided, d.Recent.decided) {
		if p.approved() && p.Customer != "" {
			paid[p.Customer] = true
		}
	}
	r := Recommendation{Name: "radar_rules", Of: d.Recent.Declined, Amounts: map[string]string{}}
	known := 0
	for _, p := range d.Recent.declined {
		if p.class() == Radar {
			r.Count++
			known += one(paid[p.Customer])
			_ = total(r.Amounts, p.Amount) // as in remedies
		}
	}
	r.Words = fmt.Sprintf("Look at Radar's rules: it stopped %d of %d declined payments (%s), %d of them of customers who have paid you before. Begin with those, and do not try the others again.",
		r.Count, r.Of, rate(percent(r.Count, r.Of)), known)
	return r
}

// abroad names the countries whose cards stand out, where the account is elsewhere.
func (d *Declines) abroad(m merchant) (all []Recommendation) {
	home := m.Provider.Country
	for _, b := range d.By {
		for _, row := range b.Rows {
			if b.By != "country" || !row.StandsOut || home == "" || len(row.Value) != 2 || row.Value == home || !d.banksOf(row) {
				continue
			}
			all = append(all, Recommendation{Name: "local_" + row.Value, Count: row.Declined, Of: row.Decided, Amounts: map[string]string{},
				Words: fmt.Sprintf("Charge cards from %s in their own currency, or through an acquirer there: %d of %d were declined (%s), mostly %s (%d of %d); your account is in %s, so to their banks these are foreign payments.",
					row.Value, row.Declined, row.Decided, rate(row.Rate), row.Reason, row.ReasonCount, row.Declined, home)})
		}
	}
	return all
}

// banksOf says whether it is the banks of a country that make it stand out: what Radar stops there is no reason for an acquirer.
func (d *Declines) banksOf(country Row) bool {
	n := 0
	for _, p := range d.Recent.declined {
		n += one(p.Paid.Country == country.Value && p.class() == Issuer)
	}
	return rise(d.Recent.Declined-country.Declined, d.Recent.Decided-country.Decided, n, country.Decided).Sigma >= hardlyChance
}
