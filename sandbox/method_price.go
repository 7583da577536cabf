package sandbox

import "time"

// methodPrice is what Stripe takes for a payment of a kind other than cards, since a day. The share is in hundredths of a percent, the
// amounts in minor units of the currency.
type methodPrice struct {
	country  string // of the account; empty is any that has no row
	since    string // day since which the row is known to hold; the first of a country holds before it too
	currency string // of the amounts
	share    int64
	fixed    int64
	least    int64 // 0 is no bound
	most     int64 // 0 is no bound
	failure  int64 // for a payment that fails
	dispute  int64 // for a dispute
	source   string
}

// priceFor is the row that holds for an account's country on a day; one that costs nothing where there is none.
func (k *methodKind) priceFor(country string, at time.Time) methodPrice {
	if own := k.latest(country, at); own.source != "" {
		return own
	}
	return k.latest("", at)
}

// latest is the row of a country that a day falls under. The rows of a country are in order of time.
func (k *methodKind) latest(country string, at time.Time) (found methodPrice) {
	day := at.UTC().Format(time.DateOnly)
	for _, p := range k.price {
		if p.country == country && (found.source == "" || p.since <= day) {
			found = p
		}
	}
	return found
}

// in is an amount of the row in another currency.
func (p methodPrice) in(settled string, amount int64) int64 {
	if amount == 0 {
		return 0
	}
	amount, _ = exchanged(amount, p.currency, settled, middle)
	return amount
}

// fee is the price of a payment of an amount in the currency that it settles in; at most the amount.
func (p methodPrice) fee(amount int64, settled string) int64 {
	fee := max((amount*p.share+5000)/10_000+p.in(settled, p.fixed), p.in(settled, p.least))
	if p.most > 0 {
		fee = min(fee, p.in(settled, p.most))
	}
	return min(fee, amount)
}
