// Package payout is money on its way from the Stripe balance to the bank.
//
//	pending ──► in_transit ──► paid ──► failed   (a bank may send a payout back days later)
//	   │            └────────► failed
//	   └──► cancelled
//
// Most payouts are made by Stripe's schedule, and till hears of them; a merchant may make one through till too.
package payout

import (
	"log/slog"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/once"
)

// Status is where a payout stands.
type Status string

// The statuses.
const (
	Pending   Status = "pending"
	InTransit Status = "in_transit"
	Paid      Status = "paid"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// Payouts are all payouts.
type Payouts struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Once      *once.Once
	Merchants *merchant.Merchants
}
