// Package payout is money on its way from the Stripe balance to the bank.
//
//	pending ──► in_transit ──► paid ──► failed   (a bank may send a payout back days later)
//	   │            └────────► failed
//	   └──► cancelled
//
// Most payouts are made by Stripe's schedule, and till hears of them; a merchant may make one through till too. A payout leaves the balance
// when Stripe makes it, and comes back to the balance when it fails or is cancelled: both are booked in the commit that learns of them.
package payout

import (
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
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

// Payout is one payout, from its row to its JSON.
type Payout struct {
	ID             string         `json:"id" format:"uuid"`
	ProviderRef    string         `json:"provider_ref" example:"po_…" doc:"Stripe's payout; empty until Stripe has answered."`
	Status         Status         `json:"status" enum:"pending,in_transit,paid,failed,cancelled"`
	Amount         money.Money    `json:"amount" example:"1250.00" doc:"Below zero where Stripe takes money from the bank account."`
	Currency       money.Currency `json:"currency" example:"EUR"`
	Fee            money.Money    `json:"fee" example:"0.00" doc:"What Stripe is expected to take on top, of an instant payout."`
	Automatic      bool           `json:"automatic" doc:"Made by Stripe's schedule."`
	Method         string         `json:"method" enum:"standard,instant"`
	Destination    string         `json:"destination" example:"ba_…" doc:"The bank account or debit card at Stripe; empty where the default one was left to Stripe and it has not answered."`
	Description    string         `json:"description"`
	Descriptor     string         `json:"statement_descriptor" doc:"What the bank statement shows."`
	ArrivalDate    *time.Time     `json:"arrival_date" doc:"When Stripe expects it at the bank."`
	TraceID        string         `json:"trace_id" doc:"By which the bank finds the payment; empty as long as Stripe has none."`
	Reconciled     bool           `json:"reconciled" doc:"Stripe's list of what an automatic payout paid out is ready."`
	OriginalPayout string         `json:"original_payout" doc:"The payout that this one takes back, at Stripe."`
	ReversedBy     string         `json:"reversed_by" doc:"The payout that takes this one back, at Stripe."`
	Failure        *Failure       `json:"failure" doc:"Why it failed; null where it did not."`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
	PaidAt         *time.Time     `json:"paid_at" doc:"When till learnt that it was paid. A bank may send it back for some days after."`
	ReturnedAt     *time.Time     `json:"returned_at" doc:"When the money came back to the balance, of a payout that failed or was cancelled: as Stripe tells, or when till learnt of it."`
	IdempotencyKey string         `json:"idempotency_key" doc:"Empty for a payout that was not made through till."`
	Origin         string         `json:"origin" enum:"till,outside" doc:"outside: made by Stripe's schedule, in its dashboard, or by another program."`
	Attempts       int64          `json:"attempts" doc:"How often till has asked Stripe for this payout. It never means more than one payout."`
	Livemode       bool           `json:"livemode"`

	scope      db.Scope
	version    int64
	generation int64
	dueAt      time.Time
}

// Failure is why a payout failed, and what to do.
type Failure struct {
	Code    string `json:"code" example:"account_closed" doc:"Stripe's: of the failure, or of its refusal to make the payout."`
	Message string `json:"message" doc:"Stripe's own words."`
	Meaning string `json:"meaning" doc:"The code in plain words."`
	Side    Side   `json:"side" enum:"stripe_side,bank_side,system_side"`
	Who     string `json:"who" enum:"merchant,merchant's bank,stripe" doc:"Who must act."`
	Action  string `json:"action" doc:"What exactly is to be done."`
}

// Payouts are all payouts.
type Payouts struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Once      *once.Once
	Merchants *merchant.Merchants
}

// EventTypes are the types of event that this room tells.
var EventTypes = []string{"payout.cancelled", "payout.created", "payout.failed", "payout.paid"}
