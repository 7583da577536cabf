package payout

import (
	"fmt"
	"time"

	"github.com/till-pay/till/internal/money"
)

// minimumKept: the account's own settings keep more in the balance than is there, so its schedule pays out nothing. What stays when a payout
// has left the minimum is as it should be.
func minimumKept(f Facts, d Diagnosis) *finding {
	const quiet = 2 * day
	if f.Minimum.Unread != "" || f.Payouts.Unread != "" || f.schedule().Interval == "manual" {
		return nil
	}
	for _, p := range f.Payouts.Value {
		if f.At.Sub(time.Unix(p.Created, 0)) < quiet {
			return nil // money moves
		}
	}
	for _, m := range d.Money {
		least := money.FromMinor(f.Minimum.Value[m.Currency.Lower()], m.Currency)
		if m.Available.Minor <= 0 || m.Available.Minor >= least.Minor {
			continue
		}
		return &finding{SystemSide, "minimum_balance", fmt.Sprintf("Neither Stripe nor the bank refuses anything. The account's settings keep a minimum of %s in the balance, and %s are available: the schedule pays out only what is above.", sum(least), sum(m.Available)),
			f.after(Merchant, "Lower the minimum balance, or take it away: Stripe Dashboard, Settings, Payouts, Minimum balance.")}
	}
	return nil
}
