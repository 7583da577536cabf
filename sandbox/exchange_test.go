package sandbox_test

import (
	"testing"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/sandbox"
)

// TestRates: each currency that Stripe takes has a rate, and conversions are those that were recorded or can be reckoned by hand.
func TestRates(t *testing.T) {
	t.Parallel()
	for _, c := range money.Currencies() {
		if there, back := sandbox.Converted(1_000_000, "usd", c.Lower()), sandbox.Converted(1_000_000, c.Lower(), "usd"); there <= 0 || back < 0 {
			t.Errorf("a million minor units are %d %s, and back %d", there, c, back)
		}
	}
	for _, one := range []struct {
		amount   int64
		from, to string
		want     int64
	}{
		{10_000, "eur", "usd", 10_389},
		{10_000, "usd", "eur", 9626},
		{10_000, "usd", "jpy", 15_695}, // cents into yen, which have no hundredths
		{15_695, "jpy", "usd", 10_000},
		{1000, "kwd", "usd", 324}, // thousandths into cents
		{-10_000, "eur", "usd", -10_389},
		{50, "usd", "gbp", 40},
	} {
		if got := sandbox.Converted(one.amount, one.from, one.to); got != one.want {
			t.Errorf("%d %s are %d %s, want %d", one.amount, one.from, got, one.to, one.want)
		}
	}
}

// TestFees: fees that were recorded at Stripe, and shares by the country of the card.
func TestFees(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		country, settled, card string
		amount, want           int64
	}{
		{"US", "usd", "US", 1000, 59},
		{"US", "usd", "DE", 1000, 74},
		{"CA", "cad", "CA", 1356, 69},
		{"CA", "cad", "CA", 1342, 69},
		{"SG", "sgd", "US", 1297, 101},
		{"SG", "sgd", "US", 777, 80},
		{"SG", "sgd", "US", 130, 55},
		{"SG", "sgd", "US", 1583, 112},
		{"BR", "brl", "BR", 16_638, 703},
		{"BR", "brl", "BR", 3320, 171},
		{"DE", "eur", "FR", 10_000, 175}, // the Economic Area is one country for its cards
		{"DE", "eur", "GB", 10_000, 275},
		{"DE", "eur", "US", 10_000, 350},
		{"GB", "gbp", "IE", 10_000, 270},
		{"JP", "jpy", "US", 1000, 36},
		{"US", "eur", "US", 10_000, 319}, // thirty cents are 29 in euros
		{"US", "usd", "US", 20, 20},      // never more than the payment
	} {
		if got := sandbox.CardFee(one.country, one.settled, one.card, one.amount); got != one.want {
			t.Errorf("%+v costs %d", one, got)
		}
	}
}
