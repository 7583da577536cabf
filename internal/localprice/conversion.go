package localprice

import (
	"time"

	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
)

// conversionPrice is what Stripe takes for changing money, since a day, in hundredths of a percent below the middle rate.
type conversionPrice struct {
	country string // of the account; "" is every other
	since   string
	points  int64
	source  string
}

// conversionPrices are Stripe's standard prices. They differ by the account's country and not by the pair; what differs by pair is what each
// took in fact, which the report of currencies shows.
var conversionPrices = []conversionPrice{
	{"", "2020-01-01", 200, "stripe.com/gb/pricing and those of other countries, as published in 2024: 2 % where currencies are converted; recorded charges of accounts in CA, SG and EU agree"},
	{"US", "2020-01-01", 100, "stripe.com/pricing, as published in 2024: 1 % where currencies are converted"},
}

// ConversionPrice is how far below the middle rate Stripe is expected to convert for an account of a country on a day, in hundredths of a percent.
func ConversionPrice(country string, on time.Time) (points int64) {
	day := on.UTC().Format(time.DateOnly)
	for _, p := range conversionPrices {
		if (p.country == country || p.country == "") && p.since <= day {
			points = p.points
		}
	}
	return points
}

// cardFee is what Stripe is expected to take of a settled amount, by a card of a country. Prices are in the account's own currency: what settles in
// another is priced there, at the middle rate.
func cardFee(of Account, card money.Country, settled money.Money, q Quotes, now time.Time) (money.Money, bool) {
	if settled.Currency == of.Currency {
		return ledger.CardFee(of.Country, string(card), settled, now)
	}
	there, known := q.Between(settled.Currency, of.Currency)
	if !known {
		return money.Money{}, false
	}
	own, err := settled.Settled(of.Currency, there)
	if err != nil {
		return money.Money{}, false
	}
	fee, known := ledger.CardFee(of.Country, string(card), own, now)
	if !known {
		return money.Money{}, false
	}
	back, err := fee.Settled(settled.Currency, there.Inverse())
	return back, err == nil
}
