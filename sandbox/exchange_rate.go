package sandbox

import (
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/sandbox/spec"
)

// Rates do not move: they are those of one day for as long as the sandbox lives, so that what is converted can be foretold.
// What a charge is converted at is two percent below the middle; refunds and what else goes the other way are converted at the middle,
// as was recorded.
var (
	middle     = big.NewRat(1, 1)
	chargeRate = big.NewRat(98, 100)
)

// rateDigits is how many significant digits Stripe gives a rate.
const rateDigits = 6

var exchangeRates = &resource{
	Object: "exchange_rate",
	Path:   singleton,
	Others: map[string]func(*call) (appender, error){
		"GET /v1/exchange_rates":     listExchangeRates,
		"GET /v1/exchange_rates/x_1": showExchangeRate,
	},
}

// perEuro is how many units of a currency a euro is worth.
var perEuro = sync.OnceValue(func() map[money.Currency]*big.Rat {
	all := map[money.Currency]*big.Rat{"EUR": middle}
	for currency, rate := range euroRates {
		all[currency] = ratOf(rate)
	}
	for currency, rate := range dollarRates {
		all[currency] = new(big.Rat).Mul(ratOf(rate), all["USD"])
	}
	return all
})

func ratOf(decimal string) *big.Rat {
	r, ok := new(big.Rat).SetString(decimal)
	if !ok {
		panic("sandbox: " + decimal + " is no exchange rate")
	}
	return r
}

// majorRate is how many units of one currency a unit of another is worth.
func majorRate(from, to money.Currency) *big.Rat {
	return significant(new(big.Rat).Quo(perEuro()[to], perEuro()[from]))
}

// minorRate multiplies minor units of one currency into minor units of another, both in lower case, at a part of the middle rate.
func minorRate(from, to string, part *big.Rat) *big.Rat {
	a, b := currencyCalled(from), currencyCalled(to)
	r := new(big.Rat).Quo(perEuro()[b], perEuro()[a])
	r.Mul(r, part).Mul(r, powerOfTen(b.Scale()-a.Scale()))
	return significant(r)
}

func powerOfTen(n int) *big.Rat {
	if n < 0 {
		return new(big.Rat).Inv(powerOfTen(-n))
	}
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
}

// significant rounds a positive rate to six significant digits. Rates are between 10⁻¹² and 10¹².
func significant(r *big.Rat) *big.Rat {
	least, shift := powerOfTen(rateDigits-1), 0
	scaled := new(big.Rat).Set(r)
	for ; scaled.Cmp(least) < 0 && shift < 24; shift++ {
		scaled.Mul(scaled, powerOfTen(1))
	}
	for most := powerOfTen(rateDigits); scaled.Cmp(most) >= 0 && shift > -24; shift-- {
		scaled.Mul(scaled, powerOfTen(-1))
	}
	return new(big.Rat).Mul(new(big.Rat).SetInt(rounded(scaled)), powerOfTen(-shift))
}

// rounded is the integer nearest to r; a half goes away from zero.
func rounded(r *big.Rat) *big.Int {
	twice := new(big.Int).Mul(new(big.Int).Abs(r.Num()), big.NewInt(2))
	twice.Add(twice, r.Denom()).Quo(twice, new(big.Int).Mul(r.Denom(), big.NewInt(2)))
	if r.Sign() < 0 {
		twice.Neg(twice)
	}
	return twice
}

// convert gives an amount in minor units at a rate, rounded to the nearest minor unit.
func convert(amount int64, rate *big.Rat) int64 {
	return rounded(new(big.Rat).Mul(new(big.Rat).SetInt64(amount), rate)).Int64()
}

// exchanged gives an amount of one currency in another, both in lower case; the rate is nil where they are the same.
func exchanged(amount int64, from, to string, part *big.Rat) (int64, *big.Rat) {
	if from == to {
		return amount, nil
	}
	rate := minorRate(from, to, part)
	return convert(amount, rate), rate
}

// shown is a rate as the API shows it.
func shown(rate *big.Rat) float64 {
	f, _ := rate.Float64()
	return f
}

// payable are the currencies that Stripe pays out, in lower case and alphabetical order: those for which it publishes a least charge.
var payable = sync.OnceValue(func() (all []string) {
	for _, c := range money.Currencies() {
		if _, known := c.MinCharge(); known {
			all = append(all, c.Lower())
		}
	}
	return all
})

func exchangeRate(of string) *spec.Object {
	rates := map[string]any{}
	for _, to := range money.Currencies() {
		rates[to.Lower()] = shown(majorRate(currencyCalled(of), to))
	}
	return spec.New("exchange_rate").Set("id", of).Set("rates", rates)
}

func showExchangeRate(c *call) (appender, error) {
	id := strings.ToLower(c.path[0].Value)
	if !slices.Contains(payable(), id) {
		return nil, kinds["exchange_rate"].notFound(c.path[0].Value)
	}
	return exchangeRate(id), nil
}

// listExchangeRates pages through currencies: their names are the cursors, and a page holds all where no limit is given.
func listExchangeRates(c *call) (appender, error) {
	all := payable()
	from, to, limit := 0, len(all), len(all)
	if c.params.Has("limit") {
		limit = int(min(max(c.params.Int("limit"), 1), int64(len(all))))
	}
	for _, name := range []string{"starting_after", "ending_before"} {
		if !c.params.Has(name) {
			continue
		}
		at := slices.Index(all, c.params.String(name))
		switch {
		case at < 0:
			return nil, missingIn(name, "exchange_rate", c.params.String(name))
		case name == "starting_after":
			from = at + 1
		case from > 0:
			return nil, invalid("", "starting_after", "Received both starting_after and ending_before parameters. Please pass in only one.")
		default:
			to = at
			from = max(to-limit, 0)
		}
	}
	end := min(from+limit, to)
	p := &page{object: "list", data: make([]appender, 0, limit), url: "/v1/exchange_rates", total: -1}
	p.more = end < to
	if c.params.Has("ending_before") {
		p.more = from > 0
	}
	for _, of := range all[from:end] {
		p.data = append(p.data, exchangeRate(of))
	}
	return p, nil
}
