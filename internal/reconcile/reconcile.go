// Package reconcile says where each cent is. It reads Stripe's balance transactions, writes them to the observed book, and holds each against what
// the expected book foretold of the same object of Stripe's:
//
//	          ┌──► matched       till foretold it, amount and fee
//	          │
//	open ─────┼──► explained     it is none of till's, and known for what it is
//	   asked  │
//	          ├──► waiting       it is of something of till's that is not at its end, as the refund that a bank still has
//	          │
//	          └──► unexplained   it differs from what was foretold, or nobody knows what it is
//	                    │
//	                    └──► accepted      somebody has looked at the difference, and says that it is right
//
// What is left of a line that nothing accounts for is its difference; of one that waits there is none, for it is known what it waits for. Their sum, with what was foretold and never came, is the remainder, which is
// always shown; what was accepted is a sum of its own beside it. Nothing here writes to the expected book: what till should have heard of is asked for at Stripe, and taken in by the room
// that it belongs to.
package reconcile

import (
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/dispute"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/payout"
	"github.com/till-pay/till/internal/refund"
)

// State is what a line was found to be.
type State string

// The states.
const (
	Open        State = "open" // to be looked into
	Matched     State = "matched"
	Explained   State = "explained"
	Waiting     State = "waiting"
	Unexplained State = "unexplained"
	Accepted    State = "accepted"
)

// Line is one of Stripe's balance transactions, and what it was found to be.
type Line struct {
	ID       string         `json:"id" example:"txn_…"`
	Type     string         `json:"type" doc:"Stripe's type." example:"charge"`
	Kind     string         `json:"kind" doc:"Stripe's reporting category, by which lines are matched." example:"charge"`
	Source   string         `json:"source" doc:"The object of Stripe's that moved the money, or empty." example:"ch_…"`
	Currency money.Currency `json:"currency" example:"EUR"`
	Amount   money.Money    `json:"amount" example:"50.00"`
	Fee      money.Money    `json:"fee" example:"1.00"`
	Net      money.Money    `json:"net" doc:"By how much the balance moved." example:"49.00"`
	// ExchangeRate is Stripe's own text: it is never computed with as a float.
	ExchangeRate   string         `json:"exchange_rate" doc:"At which Stripe converted, between minor units; empty where it did not."`
	SourceAmount   money.Money    `json:"source_amount" doc:"In the currency of the source, before Stripe converted it." example:"50.00"`
	SourceCurrency money.Currency `json:"source_currency" example:"EUR"`
	Description    string         `json:"description" doc:"Stripe's."`
	Payment        string         `json:"payment_id" doc:"The payment of till's that it is about, or empty."`
	Payout         string         `json:"payout" doc:"The automatic payout that paid it out, once Stripe has said so."`
	State          State          `json:"state" enum:"open,matched,explained,waiting,unexplained,accepted"`
	Reason         string         `json:"reason" doc:"Why, in words. Empty where it was matched, unless its amount and its fee differ from what was foretold and make up for each other."`
	Difference     money.Money    `json:"difference" doc:"What of its net nothing accounts for, and nobody has accepted." example:"0.00"`
	Acceptance     *Acceptance    `json:"acceptance" doc:"What was accepted of it, or null. Where the state is not accepted, it was another amount at that time."`
	CreatedAt      time.Time      `json:"created_at"`
	AvailableOn    time.Time      `json:"available_on"`

	scope   db.Scope
	account string
}

// Reconcile is the room.
type Reconcile struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Merchants *merchant.Merchants
	Payments  *payment.Payments
	Refunds   *refund.Refunds
	Disputes  *dispute.Disputes
	Payouts   *payout.Payouts
}
