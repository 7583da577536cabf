package ledger

import (
	"strings"
	"time"

	"github.com/till-pay/till/internal/money"
)

// cardPrice is what Stripe takes for a card payment to an account of a country, since a day. The shares are in hundredths of a percent.
type cardPrice struct {
	country  string
	since    string // the day from which the row holds; the first of a country holds before it too
	currency money.Currency
	domestic int64 // with a card of the country; in the European Economic Area, of any country there
	near     int64 // with a British card in the Economic Area, and the other way round; elsewhere as foreign
	foreign  int64 // with any other card
	fixed    int64 // in minor units of currency
	dispute  int64 // for a dispute, in the same
}

// cardPrices are Stripe's standard prices (stripe.com/<country>/pricing, as published in 2024). An account with prices of its own is told
// by its balance transactions: the difference is named, per payment.
var cardPrices = []cardPrice{
	{"US", "2011-09-29", "USD", 290, 440, 440, 30, 1500},
	{"CA", "2020-01-01", "CAD", 290, 370, 370, 30, 1500},
	{"SG", "2020-01-01", "SGD", 340, 390, 390, 50, 1500},
	{"BR", "2020-01-01", "BRL", 399, 599, 599, 39, 5500},
	{"GB", "2024-01-01", "GBP", 150, 250, 325, 20, 2000},
	{"AT", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"BE", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"DE", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"ES", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"FI", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"FR", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"IE", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"IT", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"LU", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"NL", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"PT", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"CY", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"EE", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"GR", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"HR", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"LT", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"LV", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"MT", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"SI", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"SK", "2024-01-01", "EUR", 150, 250, 325, 25, 2000},
	{"PL", "2024-01-01", "PLN", 150, 250, 325, 100, 9000},
	{"CZ", "2024-01-01", "CZK", 150, 250, 325, 650, 50000},
	{"HU", "2024-01-01", "HUF", 150, 250, 325, 8500, 800000},
	{"RO", "2024-01-01", "RON", 150, 250, 325, 100, 10000},
	{"DK", "2024-01-01", "DKK", 150, 250, 325, 180, 15000},
	{"SE", "2024-01-01", "SEK", 150, 250, 325, 180, 20000},
	{"NO", "2024-01-01", "NOK", 240, 325, 325, 200, 20000},
	{"CH", "2024-01-01", "CHF", 290, 325, 325, 30, 2000},
	{"AU", "2024-01-01", "AUD", 170, 350, 350, 30, 2500},
	{"NZ", "2024-01-01", "NZD", 265, 370, 370, 30, 2500},
	{"HK", "2024-01-01", "HKD", 340, 390, 390, 235, 8500},
	{"JP", "2024-01-01", "JPY", 360, 360, 360, 0, 1300},
	{"MX", "2024-01-01", "MXN", 360, 410, 410, 300, 30000},
}

// economicArea are the countries of the European Economic Area (EEA Agreement, as of 2020-02-01, without the United Kingdom).
const economicArea = " AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK "

// instantShare is Stripe's price of an instant payout in hundredths of a percent (stripe.com/pricing, as published in 2024).
const instantShare = 150

// leastInstant is the least that an instant payout costs, in minor units.
var leastInstant = map[money.Currency]int64{"USD": 50}

func inEconomicArea(country string) bool { return strings.Contains(economicArea, " "+country+" ") }

// priceOf is the price of an account of a country on a day; nil where none is known.
func priceOf(country string, at time.Time) (found *cardPrice) {
	day := at.UTC().Format(time.DateOnly)
	for i := range cardPrices {
		if p := &cardPrices[i]; p.country == country && (found == nil || p.since <= day) {
			found = p
		}
	}
	return found
}

func (p *cardPrice) share(card string) int64 {
	inside, own := inEconomicArea(card), inEconomicArea(p.country)
	switch {
	case card == p.country, inside && own:
		return p.domestic
	case own && card == "GB", p.country == "GB" && inside:
		return p.near
	}
	return p.foreign
}

// CardFee is what Stripe is expected to take of a card payment, in the currency in which it settles, by the countries of the account and of
// the card. It is not known where the account's country is not in the table or the payment settles in another currency than its own.
func CardFee(account, card string, settled money.Money, at time.Time) (fee money.Money, known bool) {
	p := priceOf(account, at)
	if p == nil || card == "" || p.currency != settled.Currency {
		return none(settled), false
	}
	return money.FromMinor(min((settled.Minor*p.share(card)+5000)/10_000+p.fixed, settled.Minor), settled.Currency), true
}

// DisputeFee is what Stripe is expected to take for a dispute. It is not known where the account's country is not in the table, or the
// dispute is settled in another currency than the account's.
func DisputeFee(account string, currency money.Currency, at time.Time) (fee money.Money, known bool) {
	p := priceOf(account, at)
	if p == nil || p.currency != currency {
		return money.Money{Currency: currency}, false
	}
	return money.FromMinor(p.dispute, currency), true
}

// InstantFee is what Stripe is expected to take for an instant payout. The least price is known in some currencies only.
func InstantFee(payout money.Money) money.Money {
	return money.FromMinor(max((payout.Minor*instantShare+5000)/10_000, leastInstant[payout.Currency]), payout.Currency)
}

// Priced says whether the fees of an account's payments that settle in a currency are foretold.
func Priced(account string, settled money.Currency) bool {
	p := priceOf(account, time.Now())
	return p != nil && p.currency == settled
}
