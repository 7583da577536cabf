// Package payment is money in.
//
//	            ┌────────────► failed ───────┐ (a failed intent stays payable at Stripe until resolve_by)
//	            │                            ▼
//	pending ────┼── authorized ────────► completed
//	  ▲         │       │
//	  │ release └───────┴──► cancelled
//	held ────────────────────────┘ (cancelled unsent, by the merchant or at resolve_by)
//
// A payment begins as pending, or as held where the duplicate guard takes it for another one again (guard.go): nothing of a held one is at
// Stripe, and only the merchant's release sends it. completed, failed and cancelled are ends: the first one reached stays, except that money seen at Stripe always wins.
// Unknown is pending, never failed. refunded is an amount beside the status, and a status only as it is shown.
package payment

import (
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/card"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/customer"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/once"
)

// Status is where a payment stands.
type Status string

// The statuses. Refunded is only ever shown: a completed payment all of whose money went back.
const (
	Pending    Status = "pending"
	Held       Status = "held"
	Authorized Status = "authorized"
	Completed  Status = "completed"
	Failed     Status = "failed"
	Cancelled  Status = "cancelled"
	Refunded   Status = "refunded"
)

// Payment is one payment, from its row to its JSON.
type Payment struct {
	ID         string         `json:"id" format:"uuid"`
	MerchantID string         `json:"merchant_id" format:"uuid"`
	Amount     money.Money    `json:"amount" example:"50.00"`
	Currency   money.Currency `json:"currency" example:"USD"`
	Provider   string         `json:"provider" example:"stripe"`
	Status     Status         `json:"status" enum:"pending,held,authorized,completed,failed,cancelled,refunded"`
	// ProviderRef is empty until Stripe has answered.
	ProviderRef    string    `json:"provider_ref" example:"pi_…" doc:"Stripe's PaymentIntent."`
	IdempotencyKey string    `json:"idempotency_key"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
	Livemode       bool      `json:"livemode"`

	Captured  money.Money  `json:"captured" doc:"What was taken from the card."`
	Refunding money.Money  `json:"refunding" doc:"What refunds that have not ended may still send back."`
	Refunded  money.Money  `json:"refunded" doc:"What was sent back."`
	Disputed  money.Money  `json:"disputed" doc:"What chargebacks have taken and not given back. While there is any, nothing of the payment can be refunded. An inquiry takes nothing."`
	Fee       *money.Money `json:"fee" doc:"Stripe's fee, once known; null before, and where Stripe settles in another currency."`
	Net       *money.Money `json:"net" doc:"Captured less the fee, once known."`

	CaptureMethod string            `json:"capture_method" enum:"automatic,manual"`
	PaymentMethod string            `json:"payment_method" example:"pm_…"`
	SavedCardID   string            `json:"saved_card_id" doc:"The saved card that was charged, or empty."`
	Customer      Customer          `json:"customer"`
	Description   string            `json:"description"`
	Suffix        string            `json:"statement_descriptor_suffix"`
	Metadata      map[string]string `json:"metadata" nullable:"false"`
	ReturnURL     string            `json:"return_url"`

	Card    *Card    `json:"card" doc:"The card that was charged; null until Stripe has described it, which for a decline is a moment later."`
	Outcome *Verdict `json:"outcome" doc:"What the bank, the network and Radar made of the charge; null until it is known, and where no charge was made."`

	Failure    *Failure    `json:"failure" doc:"Why the last try failed; null where none did."`
	NextAction *NextAction `json:"next_action" doc:"What the payer must do; null where nothing."`
	Held       *Hold       `json:"held" doc:"Why the duplicate guard held it back; null where it did not. It stays after a release, as a record."`
	Attempts   int64       `json:"attempts" doc:"How often till has asked Stripe for this payment; more than 1 after time-outs and outages. It never means more than one charge."`
	ResolveBy  time.Time   `json:"resolve_by" doc:"An open payment is ended by then."`

	scope            db.Scope
	version          int64
	generation       int64 // of the merchant's Stripe account
	capturing        int64 // a capture of this much is on its way
	cancelling       bool
	chargeRef        string
	providerStatus   string
	providerCustomer string
	dueAt            time.Time // when the sweep must look
	likeness         string    // what a duplicate of it would share (guard.go); "" where the guard was off
	cardFingerprint  string    // Stripe's name for the card's number; "" where it was not asked for
	accountCountry   string    // of the merchant's Stripe account when the payment was made; "" where it was not known
}

// Customer is who pays, as far as the merchant said.
type Customer struct {
	ID        string `json:"id" doc:"A customer of till's, known from a saved card; or empty."`
	Email     string `json:"email"`
	Reference string `json:"reference" doc:"The merchant's own name for the customer."`
}

// Failure is why a try failed. Codes are Stripe's (docs.stripe.com/error-codes, /declines/codes).
type Failure struct {
	Code        string `json:"code" example:"card_declined"`
	DeclineCode string `json:"decline_code" example:"insufficient_funds"`
	Message     string `json:"message"`
	Advice      string `json:"advice" enum:"try_again_later,confirm_card_data,do_not_try_again," doc:"What the card network advises; do_not_try_again is fined when ignored."`
}

// NextAction is what the payer must do: usually a visit to the bank's 3-D Secure page.
type NextAction struct {
	Type         string `json:"type" example:"redirect_to_url"`
	URL          string `json:"url" doc:"Where to send the payer; empty where Stripe.js must act."`
	ClientSecret string `json:"client_secret" doc:"For Stripe.js; it is of use for this payment only."`
}

// Shown is the payment as the outside sees it: with refunded as a status.
func (p Payment) Shown() Payment {
	if p.Status == Completed && p.Captured.Positive() && p.Refunded == p.Captured {
		p.Status = Refunded
	}
	return p
}

// Scope is whose payment it is.
func (p Payment) Scope() db.Scope { return p.scope }

// Generation is the merchant's Stripe account that the payment belongs to: only that account's credentials may touch it.
func (p Payment) Generation() int64 { return p.generation }

// Charge is Stripe's charge that took the money, or "".
func (p Payment) Charge() string { return p.chargeRef }

// Payments are all payments.
type Payments struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Once      *once.Once
	Merchants *merchant.Merchants
	Cards     *card.Cards
	Customers *customer.Customers
}

// resolveWithin is how long a payment may stay open: a payer has a day for the bank's page, and for another try after a decline.
const resolveWithin = 24 * time.Hour
