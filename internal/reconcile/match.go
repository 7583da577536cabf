package reconcile

import (
	"math/big"

	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
)

// movement is what the expected book says that one of Stripe's objects does to the balance.
type movement struct {
	key, kind, source, payment string
	currency                   money.Currency
	amount, fee                int64
	matched                    string
}

// group is all that was read and all that was foretold of one kind and source. Only together do they tell: a dispute may take a fee of its own later.
type group struct {
	lines []*Line // in order of making
	moves []movement
}

// priced says whether the expected book knows the price of an account's payments that settle in a currency.
type priced func(money.Currency) bool

// settle says of each line of a group what it is. asked says that Stripe was asked about the source and that it is not till's.
func (g group) settle(known priced) {
	if len(g.lines) == 0 {
		return
	}
	if len(g.moves) == 0 {
		for _, l := range g.lines {
			l.unforetold()
		}
		return
	}
	for _, l := range g.lines {
		l.State, l.Reason, l.Difference.Minor, l.Payment = Matched, "", 0, g.moves[0].payment
	}
	g.leave(g.compare(known))
}

// unforetold is a line that the expected book has nothing of.
func (l *Line) unforetold() {
	k, known := kinds[l.Kind]
	switch {
	case !known:
		l.Difference.Minor = 0
		group{lines: []*Line{l}}.leave(l.Net.Minor, "Stripe's reporting category "+l.Kind+" is not known to till.")
	case !k.foretold:
		l.State, l.Reason, l.Difference.Minor = Explained, k.words, 0
	case l.State == Matched, l.State == Accepted:
		l.State, l.Difference = Open, l.Net
	}
}

// compare is what of the nets was not foretold, in the currency that the lines settle in, and why.
func (g group) compare(known priced) (difference int64, reason string) {
	var was, fee, source, foretold, foretoldFee int64
	for _, l := range g.lines {
		was, fee, source = was+l.Amount.Minor, fee+l.Fee.Minor, source+l.SourceAmount.Minor
	}
	for _, m := range g.moves {
		foretold, foretoldFee = foretold+m.amount, foretoldFee+m.fee
	}
	l := g.lines[len(g.lines)-1]
	currency := g.moves[0].currency
	if currency != l.SourceCurrency {
		return was - fee, "It is in " + string(l.SourceCurrency) + ", and " + string(currency) + " was foretold."
	}
	missing := source - foretold
	if missing != 0 {
		reason = "Stripe moved " + shown(source, currency) + ", and " + shown(foretold, currency) + " was foretold."
	}
	if l.Currency != currency { // what nobody can foretell is at which rate
		if missing = converted(missing, l.ExchangeRate); missing == 0 {
			missing, reason = g.misconverted()
		}
		return missing, reason
	}
	if over := fee - foretoldFee; over != 0 && (foretoldFee != 0 || known(l.Currency)) {
		if missing -= over; reason == "" {
			reason = feeWords(fee, foretoldFee, l.Currency)
		}
	}
	return missing, reason
}

func feeWords(fee, foretold int64, c money.Currency) string {
	if foretold == 0 {
		return "Stripe took a fee of " + shown(fee, c) + ", and none was foretold."
	}
	return "Stripe took a fee of " + shown(fee, c) + ", and " + shown(foretold, c) + " was foretold."
}

// misconverted finds lines whose amount is not their source's at Stripe's own rate. The last minor unit is rounding.
func (g group) misconverted() (difference int64, reason string) {
	for _, l := range g.lines {
		off := l.Amount.Minor - converted(l.SourceAmount.Minor, l.ExchangeRate)
		if off < -1 || off > 1 {
			difference, reason = difference+off, "Stripe's amount is not what its exchange rate of "+l.ExchangeRate+" makes of "+shown(l.SourceAmount.Minor, l.SourceCurrency)+"."
		}
	}
	return difference, reason
}

// converted is an amount at a rate, rounded to the nearest minor unit; a half goes away from zero.
func converted(minor int64, text string) int64 {
	r := rate(text)
	if r == nil {
		return minor
	}
	r.Mul(r, new(big.Rat).SetInt64(minor))
	twice := new(big.Int).Mul(new(big.Int).Abs(r.Num()), big.NewInt(2))
	twice.Add(twice, r.Denom()).Quo(twice, new(big.Int).Mul(r.Denom(), big.NewInt(2)))
	if r.Sign() < 0 {
		twice.Neg(twice)
	}
	return twice.Int64()
}

func shown(minor int64, c money.Currency) string {
	return money.FromMinor(minor, c).String() + " " + string(c)
}

// knownPrices are those of an account in a country, which settles in its own currency.
func knownPrices(country string, own money.Currency) priced {
	return func(c money.Currency) bool { return c == own && ledger.Priced(country, c) }
}
