// Package inbox is Stripe's events in: verify, keep, answer, and hand them to a room by a table.
//
//	request ──verify──► kept (one row per event id) ──► {"received":true}
//	                      │
//	                      └──apply──► applied │ tried again, with backoff │ given up, with the reason kept
//
// What Stripe could not deliver the sweep finds in Stripe's own list of events (sweep.go); from there on it goes the same way.
//
// Nothing is written before a signature is verified, and the verified secret alone says whose event it is.
package inbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/internal/task"
)

// Inbox takes in Stripe's events.
type Inbox struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Merchants *merchant.Merchants
	Handlers  Handlers
	// Wake makes the room's task run now. nil where nobody runs tasks.
	Wake func(task string)
	// Refused is told of each webhook that was refused, and of the check that it failed. nil where nobody counts.
	Refused func(check string)

	desk desk
}

// Handlers are the rooms that events are handed to; app fills them. An object that is not theirs changes nothing and is no error.
type Handlers struct {
	PaymentIntent  func(ctx context.Context, scope db.Scope, generation int64, seen stripe.PaymentIntent) error
	RefetchPayment func(ctx context.Context, scope db.Scope, generation int64, intent string) error
	Refund         func(ctx context.Context, scope db.Scope, generation int64, seen stripe.Refund) error
	RefetchRefunds func(ctx context.Context, scope db.Scope, generation int64, intent string) error
	Payout         func(ctx context.Context, scope db.Scope, generation int64, seen stripe.Payout) error
	RefetchPayout  func(ctx context.Context, scope db.Scope, generation int64, payout string) error
	Dispute        func(ctx context.Context, scope db.Scope, generation int64, seen stripe.Dispute, moved string) error
	RefetchDispute func(ctx context.Context, scope db.Scope, generation int64, dispute, moved string) error
	RefetchCard    func(ctx context.Context, scope db.Scope, generation int64, paymentMethod string) error
}

// Event is one of Stripe's events, as it is kept.
type Event struct {
	db.Scope
	ID         string
	Generation int64 // of the merchant's Stripe account
	Type       string
	Object     string    // the id of data.object; "" where it has none
	Payload    string    // the body as it came
	Verified   bool      // false: only a hint; its object is fetched, never trusted
	Attempts   int64     // tries to apply it, with the one that runs now
	Source     string    // how it came first
	CreatedAt  time.Time // when Stripe made it, to the second
}

// How an event comes.
const (
	FromWebhook = "webhook"
	FromSweep   = "sweep"
	FromRepair  = "repair"
	FromResend  = "resend"
)

// ApplyTask is the task that takes in what was kept and not applied yet.
const ApplyTask = "inbox.apply"

// Tasks is the due work of the room.
func (i *Inbox) Tasks() []task.Task {
	return []task.Task{{Name: ApplyTask, Every: time.Second, Run: i.apply}, {Name: SweepTask, Every: 10 * time.Second, Run: i.sweep}}
}

// Wait returns when every event in progress is applied, which is bounded.
func (i *Inbox) Wait() { i.desk.ended.Wait() }

// machine is the time that leases and repeats go by: what could not be applied is tried again however the clock stands.
func (i *Inbox) machine() time.Time { return i.Clock.Machine().Now() }

func (i *Inbox) wake() {
	if i.Wake != nil {
		i.Wake(ApplyTask)
	}
}
