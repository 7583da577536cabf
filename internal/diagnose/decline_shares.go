package diagnose

import (
	"cmp"
	"maps"
	"slices"

	"github.com/till-pay/till/internal/money"
)

// Share is a part of the recent declines. The shares of a list add up to 100 %: the largest remainders are rounded up.
type Share struct {
	Name  string  `json:"name"`
	Words string  `json:"words"`
	Count int     `json:"count"`
	Of    int     `json:"of"` // the denominator
	Share float64 `json:"share"`
	// Before is how many there would have been at the rate of the time before, to a tenth: what is above it is new.
	Before float64 `json:"expected"`
	// By is who said so: of each class how many. One code may come from several.
	By map[Class]int `json:"by,omitempty"`
}

// other is what is left of a list that is cut short.
const other = "other"

// mostCodes is how many codes are named, before "other".
const mostCodes = 7

// byClass parts the recent declines by who declined, the most frequent first.
func (d *Declines) byClass() (all []Share) {
	was := counted(d.Before.declined, func(p Payment) string { return string(p.class()) })
	is := counted(d.Recent.declined, func(p Payment) string { return string(p.class()) })
	for _, c := range classes {
		if n := is[string(c)]; n > 0 || was[string(c)] > 0 {
			all = append(all, Share{Name: string(c), Words: said[c], Count: n, Before: d.expected(was[string(c)])})
		}
	}
	return shared(all, d.Recent.Declined)
}

// byCode parts the recent declines by their codes; all codes beyond the most frequent are "other".
func (d *Declines) byCode() []Share {
	was, is := counted(d.Before.declined, Payment.code), map[string]*Share{}
	for _, p := range d.Recent.declined {
		s := is[p.code()]
		if s == nil {
			s = &Share{Name: p.code(), Words: words(p.code()), By: map[Class]int{}, Before: d.expected(was[p.code()])}
			is[p.code()] = s
		}
		s.Count++
		s.By[p.class()]++
	}
	var all []Share
	for _, s := range is {
		all = append(all, *s)
	}
	all = shared(all, d.Recent.Declined)
	if len(all) <= mostCodes+1 {
		return all
	}
	rest := Share{Name: other, Words: plural(len(all)-mostCodes, "other code"), By: map[Class]int{}}
	for _, s := range all[mostCodes:] {
		rest.Count += s.Count
		rest.Before += s.Before
		for c, n := range s.By {
			rest.By[c] += n
		}
	}
	rest.Before = tenth(rest.Before)
	return rated(append(all[:mostCodes:mostCodes], rest), d.Recent.Declined)
}

// expected is how many declines there would have been lately, had the rate of the time before gone on.
func (d *Declines) expected(before int) float64 {
	if d.Before.Decided == 0 {
		return 0
	}
	return tenth(float64(before) * float64(d.Recent.Decided) / float64(d.Before.Decided))
}

func counted(all []Payment, by func(Payment) string) map[string]int {
	n := map[string]int{}
	for _, p := range all {
		n[by(p)]++
	}
	return n
}

// shared orders parts of a whole, the greatest first, and says their shares.
func shared(all []Share, whole int) []Share {
	slices.SortFunc(all, func(a, b Share) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return rated(all, whole)
}

// rated says the shares of parts that make up a whole. They are tenths of a per cent, divided as money is, so that nothing is lost.
func rated(all []Share, whole int) []Share {
	if all == nil {
		all = []Share{}
	}
	weights := make([]int64, len(all))
	for i, s := range all {
		weights[i], all[i].Of = int64(s.Count), whole
	}
	tenths, err := money.FromMinor(1000, "EUR").Split(weights...)
	if err != nil { // there is nothing to divide
		return all
	}
	for i := range all {
		all[i].Share = float64(tenths[i].Minor) / 10
	}
	return all
}

// Breakdown is the rate of declines by one property of payments.
type Breakdown struct {
	By   string `json:"by"` // brand, country, funding, amount, currency
	Rows []Row  `json:"rows"`
}

// Row is the payments with one value of a property.
type Row struct {
	Value          string  `json:"value"`
	Decided        int     `json:"decided"` // lately
	Declined       int     `json:"declined"`
	Rate           float64 `json:"rate"`
	DecidedBefore  int     `json:"decided_before"`
	DeclinedBefore int     `json:"declined_before"`
	RateBefore     float64 `json:"rate_before"`
	Reason         string  `json:"reason"`       // its most frequent code
	ReasonCount    int     `json:"reason_count"` // of Declined
	// StandsOut says that its rate is above that of all others by more than chance.
	StandsOut bool `json:"stands_out"`
}

// properties are what declines are broken down by.
var properties = []struct {
	name string
	of   func(Payment) string
}{
	{"brand", func(p Payment) string { return first(p.Paid.Brand, "not known") }},
	{"country", func(p Payment) string { return first(p.Paid.Country, "not known") }},
	{"funding", func(p Payment) string { return first(p.Paid.Funding, "not known") }},
	{"amount", band},
	{"currency", func(p Payment) string { return string(p.Amount.Currency) }},
}

const mostRows = 30

func (d *Declines) breakdowns() (all []Breakdown) {
	for _, property := range properties {
		rows := map[string]*Row{}
		row := func(p Payment) *Row {
			v := property.of(p)
			if rows[v] == nil {
				rows[v] = &Row{Value: v}
			}
			return rows[v]
		}
		for _, p := range d.Before.decided {
			row(p).DecidedBefore++
		}
		for _, p := range d.Before.declined {
			row(p).DeclinedBefore++
		}
		for _, p := range d.Recent.decided {
			row(p).Decided++
		}
		for _, p := range d.Recent.declined {
			row(p).Declined++
		}
		b := Breakdown{By: property.name, Rows: []Row{}}
		for _, v := range slices.Sorted(maps.Keys(rows)) {
			b.Rows = append(b.Rows, d.rated(*rows[v], property.of))
		}
		slices.SortStableFunc(b.Rows, func(a, b Row) int { return cmp.Compare(b.Declined, a.Declined) })
		b.Rows = b.Rows[:min(len(b.Rows), mostRows)]
		all = append(all, b)
	}
	return all
}

// rated fills in the rates of a row, its main reason, and whether it stands out among the others.
func (d *Declines) rated(r Row, of func(Payment) string) Row {
	r.Rate, r.RateBefore = percent(r.Declined, r.Decided), percent(r.DeclinedBefore, r.DecidedBefore)
	reasons := map[string]int{}
	for _, p := range d.Recent.declined {
		if of(p) == r.Value {
			reasons[p.code()]++
		}
	}
	for _, code := range slices.Sorted(maps.Keys(reasons)) {
		if reasons[code] > r.ReasonCount {
			r.Reason, r.ReasonCount = code, reasons[code]
		}
	}
	const fewest, strict = 5, 2.58 // one in two hundred: several values are looked at
	others := rise(d.Recent.Declined-r.Declined, d.Recent.Decided-r.Decided, r.Declined, r.Decided)
	r.StandsOut = r.Declined >= fewest && others.Sigma >= strict
	return r
}

// bands are the amounts that are told apart, in units of each payment's own currency; of one without decimals, a hundred count as one.
var bands = []struct {
	below int64 // minor units at two decimals
	name  string
}{{1000, "below 10"}, {5000, "10 to 50"}, {10000, "50 to 100"}, {50000, "100 to 500"}, {100000, "500 to 1000"}}

func band(p Payment) string {
	minor := p.Amount.Minor
	if p.Amount.Currency.Digits() == 3 {
		minor /= 10
	}
	for _, b := range bands {
		if minor < b.below {
			return b.name
		}
	}
	return "1000 and more"
}
