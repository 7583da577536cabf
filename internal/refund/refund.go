// Package refund is money back.
//
//	pending ──► completed ──► failed   (a bank may return a refund days later)
//	   └───────► failed
//
// A refund's claim sets its amount aside on the payment (refunding), so that refunds at once never exceed what was captured.
// Completing moves it to refunded; failing, however late, releases it. A refund made elsewhere, in Stripe's dashboard, is taken in too.
package refund

import (
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/payment"
)

// Status is where a refund stands.
type Status string

// The statuses.
const (
	Pending   Status = "pending"
	Completed Status = "completed"
	Failed    Status = "failed"
)

// Refund is one refund, from its row to its JSON.
type Refund struct {
	ID             string         `json:"id" format:"uuid"`
	PaymentID      string         `json:"payment_id" format:"uuid"`
	Status         Status         `json:"status" enum:"pending,completed,failed"`
	ProviderRef    string         `json:"provider_ref" example:"re_…" doc:"Stripe's refund; empty until Stripe has answered."`
	Amount         money.Money    `json:"amount" example:"10.00"`
	Currency       money.Currency `json:"currency" example:"USD"`
	Reason         string         `json:"reason"`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
	IdempotencyKey string         `json:"idempotency_key" doc:"Empty for a refund that was made outside till."`
	Origin         string         `json:"origin" enum:"till,outside" doc:"outside: made in Stripe's dashboard, or by another program."`
	Failure        *Failure       `json:"failure" doc:"Why it failed; null where it did not."`
	Attempts       int64          `json:"attempts" doc:"How often till has asked Stripe for this refund. It never means more than one refund."`
	Livemode       bool           `json:"livemode"`

	scope      db.Scope
	version    int64
	generation int64
	dueAt      time.Time
	left       bool // its money has left the balance at Stripe; where it failed since, it is back
}

// Failure is why a refund failed.
type Failure struct {
	Code    string `json:"code" example:"charge_disputed"`
	Message string `json:"message"`
}

// Refunds are all refunds.
type Refunds struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Once      *once.Once
	Merchants *merchant.Merchants
	Payments  *payment.Payments
}

// EventTypes are the types of event that this room tells.
var EventTypes = []string{"refund.completed", "refund.created", "refund.failed"}
