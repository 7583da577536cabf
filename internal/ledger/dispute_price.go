package ledger

import (
	"time"

	"github.com/till-pay/till/internal/money"
)

// How Stripe's prices for disputes have changed (docs.stripe.com/disputes/how-disputes-work, May 2026). The fee for receiving one was given
// back with a dispute that was won in a balance transaction of 2023, and kept in one of December 2024; when that changed is not known, and the
// row begins with the year. Countering one has a price of its own since June 2025, of which the day is not known: the same amount, which is
// given back with a dispute that is won.
const (
	receivedKeptSince = "2024-01-01" // but not in Mexico
	counteredSince    = "2025-06-01" // but not in Mexico and Japan
)

// DisputeFeeKept says whether Stripe keeps its fee for a dispute that was raised on a day although the dispute is won.
func DisputeFeeKept(account string, at time.Time) bool {
	return account != "MX" && at.UTC().Format(time.DateOnly) >= receivedKeptSince
}

// CounterFee is what Stripe is expected to take for answering a dispute, beside its fee for the dispute. It is not known where that is not.
func CounterFee(account string, currency money.Currency, at time.Time) (fee money.Money, known bool) {
	fee, known = DisputeFee(account, currency, at)
	if account == "MX" || account == "JP" || at.UTC().Format(time.DateOnly) < counteredSince {
		fee.Minor = 0
	}
	return fee, known
}
