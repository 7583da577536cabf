package sandbox

import (
	"strings"
	"time"

	"github.com/till-pay/till/internal/money"
)

// price is what Stripe takes for a card payment to an account of a country, since a day. The shares are in hundredths of a percent.
type price struct {
	country  string
	since    string // day since which the row is known to hold; the first of a country holds before it too
	currency string // of fixed, and the account's own
	domestic int64  // with a card of the country; in the European Economic Area, of any country there
	near     int64  // with a British card in the Economic Area, and the other way round; elsewhere as foreign
	foreign  int64  // with any other card
	fixed    int64  // in minor units
	source   string
}

// Sources of prices. What is only published has not been held against recorded payments.
const (
	recordedPrice  = "recorded balance transactions, 2020 to 2026"
	publishedPrice = "stripe.com/<country>/pricing, as published in 2024; unconfirmed"
	partlyRecorded = "domestic or foreign share recorded, the other as published in 2024; unconfirmed"
)

// prices are Stripe's standard prices for cards, by the account's country.
var prices = []price{
	{"US", "2011-09-29", "usd", 290, 440, 440, 30, partlyRecorded},
	{"CA", "2020-01-01", "cad", 290, 370, 370, 30, partlyRecorded},
	{"SG", "2020-01-01", "sgd", 340, 390, 390, 50, partlyRecorded},
	{"BR", "2020-01-01", "brl", 399, 599, 599, 39, partlyRecorded},
	{"GB", "2024-01-01", "gbp", 150, 250, 325, 20, publishedPrice},
	{"AT", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"BE", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"DE", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"ES", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"FI", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"FR", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"IE", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"IT", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"LU", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"NL", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"PT", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"CY", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"EE", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"GR", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"HR", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"LT", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"LV", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"MT", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"SI", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"SK", "2024-01-01", "eur", 150, 250, 325, 25, publishedPrice},
	{"PL", "2024-01-01", "pln", 150, 250, 325, 100, publishedPrice},
	{"CZ", "2024-01-01", "czk", 150, 250, 325, 650, publishedPrice},
	{"HU", "2024-01-01", "huf", 150, 250, 325, 8500, publishedPrice},
	{"RO", "2024-01-01", "ron", 150, 250, 325, 100, publishedPrice},
	{"DK", "2024-01-01", "dkk", 150, 250, 325, 180, publishedPrice},
	{"SE", "2024-01-01", "sek", 150, 250, 325, 180, publishedPrice},
	{"NO", "2024-01-01", "nok", 240, 325, 325, 200, publishedPrice},
	{"CH", "2024-01-01", "chf", 290, 325, 325, 30, publishedPrice},
	{"AU", "2024-01-01", "aud", 170, 350, 350, 30, publishedPrice},
	{"NZ", "2024-01-01", "nzd", 265, 370, 370, 30, publishedPrice},
	{"HK", "2024-01-01", "hkd", 340, 390, 390, 235, publishedPrice},
	{"JP", "2024-01-01", "jpy", 360, 360, 360, 0, publishedPrice},
	{"MX", "2024-01-01", "mxn", 360, 410, 410, 300, publishedPrice},
}

// disputePrices are what Stripe takes of an account for a dispute, in the account's own currency.
var disputePrices = map[string]struct {
	amount int64
	source string
}{
	"US": {1500, recordedPrice},
	"CA": {1500, publishedPrice}, "AU": {2500, publishedPrice}, "GB": {2000, publishedPrice}, "SG": {1500, publishedPrice},
	"NZ": {2500, publishedPrice}, "BR": {5500, publishedPrice}, "JP": {1300, publishedPrice}, "HK": {8500, publishedPrice},
	"MX": {30000, publishedPrice}, "CH": {2000, publishedPrice}, "DK": {15000, publishedPrice}, "SE": {20000, publishedPrice},
	"NO": {20000, publishedPrice}, "PL": {9000, publishedPrice}, "CZ": {50000, publishedPrice}, "HU": {800000, publishedPrice}, "RO": {10000, publishedPrice},
}

// euroDispute is the price of a dispute where the account's own currency is the euro, in cents; as publishedPrice.
const euroDispute = 2000

// economicArea are the countries of the European Economic Area (EEA Agreement, as of 2020-02-01, without the United Kingdom).
const economicArea = " AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK "

func inEconomicArea(country string) bool { return strings.Contains(economicArea, " "+country+" ") }

// priceOf is the price that holds for a country on a day; nil where Stripe, or this sandbox, has no accounts. The rows of a country are
// in order of time.
func priceOf(country string, at time.Time) *price {
	var found *price
	day := at.UTC().Format(time.DateOnly)
	for i := range prices {
		if p := &prices[i]; p.country == country && (found == nil || p.since <= day) {
			found = p
		}
	}
	return found
}

// share is the part of the price that depends on the amount, by the country of the card.
func (p *price) share(card string) int64 {
	inside, own := inEconomicArea(card), inEconomicArea(p.country)
	switch {
	case card == p.country, inside && own:
		return p.domestic
	case own && card == "GB", p.country == "GB" && inside:
		return p.near
	default:
		return p.foreign
	}
}

// fee is the price of a payment of an amount in the currency that it settles in, rounded to the nearest minor unit; at most the amount.
// What is fixed is converted at the middle rate where the payment settles in another currency than the country's.
func (p *price) fee(amount int64, settled, card string) int64 {
	fixed, _ := exchanged(p.fixed, p.currency, settled, middle)
	return min((amount*p.share(card)+5000)/10_000+fixed, amount)
}

// cardFee is the fee of a payment to the world's account.
func (w *realm) cardFee(amount int64, settled, card string) int64 {
	return w.cardPrice().fee(amount, settled, card)
}

// disputeFee is what a dispute costs the world's account, in minor units of a currency in which it settles.
func (w *realm) disputeFee(settled string) int64 {
	country := w.standing().Country
	own, amount := priceOf(country, w.now()).currency, int64(euroDispute)
	if row, listed := disputePrices[country]; listed {
		amount = row.amount
	}
	amount, _ = exchanged(amount, own, settled, middle)
	return amount
}

// instantShare is Stripe's price of an instant payout in hundredths of a percent, and at least that of leastInstant US cents
// (stripe.com/pricing, as published in 2024; unconfirmed).
const (
	instantShare = 150
	leastInstant = 50
)

// instantFee is the price of an instant payout of an amount.
func instantFee(amount int64, currency string) int64 {
	least, _ := exchanged(leastInstant, "usd", currency, middle)
	return max((amount*instantShare+5000)/10_000, least)
}

// currencyCalled is a currency by its name in lower case, which is known to be one.
func currencyCalled(name string) money.Currency { return money.Currency(strings.ToUpper(name)) }
