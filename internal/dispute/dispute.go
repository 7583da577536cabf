// Package dispute is money contested: a bank asks for its cardholder's money back.
//
//	inquiry     warning_needs_response ──► warning_under_review ──► warning_closed
//	                     └──────── escalates ───────┤
//	                                                ▼
//	chargeback                               needs_response ──► under_review ──► won
//	                                                └──────────────────┴──────► lost ──► won (rarely, and late)
//	prevented   over before it was a dispute
//
//	its money   nothing ──► withdrawn ──► reinstated
//
// Those are two machines. The status is Stripe's word for the case; the money leaves the balance when a chargeback begins and comes back when
// it is won, and Stripe tells that by events of its own. An inquiry moves nothing. Where the two contradict each other, the books follow the
// money, and the dispute says so.
//
// All of it is learnt from Stripe, and nothing is asked of it here. A dispute of what is no payment of ours is not kept.
package dispute

import (
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/payment"
)

// Status is where a dispute stands: Stripe's own words.
type Status string

// The statuses (docs.stripe.com/api/disputes/object).
const (
	InquiryOpen     Status = "warning_needs_response"
	InquiryReviewed Status = "warning_under_review"
	InquiryClosed   Status = "warning_closed"
	Prevented       Status = "prevented"
	NeedsResponse   Status = "needs_response"
	UnderReview     Status = "under_review"
	Lost            Status = "lost"
	Won             Status = "won"
)

// Dispute is one dispute of a payment, from its row to its JSON.
type Dispute struct {
	ID          string         `json:"id" format:"uuid"`
	PaymentID   string         `json:"payment_id" format:"uuid"`
	Status      Status         `json:"status" enum:"warning_needs_response,warning_under_review,warning_closed,needs_response,under_review,won,lost,prevented" doc:"Stripe's. Those that begin with warning are of an inquiry, which moves no money."`
	ProviderRef string         `json:"provider_ref" example:"du_…" doc:"Stripe's dispute."`
	Amount      money.Money    `json:"amount" example:"50.00" doc:"What is contested; it may be less than the payment, or more."`
	Currency    money.Currency `json:"currency" example:"USD"`
	Reason      string         `json:"reason" example:"product_not_received" doc:"Why, as Stripe sorts the reasons of the networks."`
	NetworkCode string         `json:"network_reason_code" example:"13.1" doc:"The reason in the network's own words; empty where Stripe gives none."`
	CaseType    string         `json:"case_type" example:"chargeback" doc:"chargeback, inquiry, compliance, block or resolution; empty where it was no card."`
	Withdrawn   money.Money    `json:"withdrawn" doc:"What Stripe has taken out of the balance for it."`
	Reinstated  money.Money    `json:"reinstated" doc:"What of that has come back."`
	Fee         money.Money    `json:"fee" doc:"What Stripe keeps for it, by its price list: the fee for the dispute and that for answering it, less what comes back with a dispute that is won. 0 where the price is not known."`
	Discrepancy string         `json:"discrepancy" doc:"Where the status and the money contradict each other, how; else empty."`
	Evidence    Evidence       `json:"evidence"`
	OpenedAt    time.Time      `json:"opened_at" doc:"When the bank raised it, by Stripe."`
	CreatedAt   time.Time      `json:"created_at" doc:"When till heard of it."`
	UpdatedAt   time.Time      `json:"updated_at"`
	Livemode    bool           `json:"livemode"`

	scope      db.Scope
	version    int64 // 0 of one that is not kept yet
	generation int64
	received   int64 // Stripe's fee for the dispute
	countered  int64 // its fee for answering
	returned   int64 // what of these has come back
	answered   bool  // evidence has been sent for it as a chargeback
	inquired   int64 // how often evidence had been sent before it was a chargeback; unknown until Stripe has shown it waiting for an answer
}

// Evidence is what the bank waits for, and has been sent.
type Evidence struct {
	DueBy       *time.Time `json:"due_by" doc:"Until when an answer is taken; null where there is nobody to answer to."`
	PastDue     bool       `json:"past_due"`
	Given       bool       `json:"given" doc:"Evidence is there, sent or not."`
	Submissions int64      `json:"submissions" doc:"How often evidence has been sent to the bank."`
}

// unknown is the inquired of a dispute that has not been seen as a chargeback that waits for an answer.
const unknown = -1

// Disputes are all disputes.
type Disputes struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Merchants *merchant.Merchants
	Payments  *payment.Payments
}

// EventTypes are the types of event that this room tells.
var EventTypes = []string{"dispute.closed", "dispute.funds_reinstated", "dispute.funds_withdrawn", "dispute.lost", "dispute.opened", "dispute.updated", "dispute.won"}
