package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/huandu/go-sqlbuilder"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/fault"
)

// The statuses of a delivery. Succeeded and failed are ends that a redelivery leaves again.
const (
	Pending   = "pending"
	Succeeded = "succeeded"
	Failed    = "failed"
)

// Delivery is one event on its way to an endpoint. Sequence counts the endpoint's deliveries from 1 without gaps.
type Delivery struct {
	db.Scope       `json:"-"`
	ID             string     `json:"id" format:"uuid"`
	Sequence       int64      `json:"sequence" doc:"Counts this endpoint's deliveries from 1, without gaps."`
	EventID        string     `json:"event_id" format:"uuid" doc:"Sent as webhook-id: the same on every attempt."`
	Type           string     `json:"type" example:"payment.completed"`
	Status         string     `json:"status" enum:"pending,succeeded,failed"`
	Attempts       int64      `json:"attempts" doc:"How many were made, redeliveries included."`
	NextAttemptAt  *time.Time `json:"next_attempt_at" doc:"null where it has ended."`
	LastStatusCode int64      `json:"last_status_code" doc:"The HTTP status of the last attempt; 0 where no answer came."`
	LastError      string     `json:"last_error" doc:"Why the last attempt failed; empty where it did not."`
	CreatedAt      time.Time  `json:"created_at"`
	EndedAt        *time.Time `json:"ended_at" doc:"null while it is pending."`
	Log            []Attempt  `json:"attempt_log" nullable:"false" doc:"The last 20 attempts, oldest first."`

	// Retries counts attempts since it was last asked for: the place in the schedule.
	Retries int64 `json:"-"`

	endpoint string
}

func (d Delivery) place() place { return place{d.Scope, d.endpoint} }

// Attempt is one request and what came of it.
type Attempt struct {
	Number     int64     `json:"attempt"`
	StartedAt  time.Time `json:"started_at"`
	DurationMS int64     `json:"duration_ms"`
	StatusCode int64     `json:"status_code" doc:"0 where no answer came."`
	Error      string    `json:"error" doc:"Empty where it succeeded."`

	took time.Duration
}

// After is a pending delivery after one more attempt, whatever it was before: it has succeeded, is due again by the schedule, or has failed
// where that ends. It is pure; settle writes it.
func (d Delivery) After(a Attempt, now time.Time) Delivery {
	wait, again := next(d.ID, d.Retries)
	d.Attempts, d.Retries = d.Attempts+1, d.Retries+1
	d.EndedAt, d.NextAttemptAt = &now, nil
	switch {
	case a.Error == "":
		d.Status = Succeeded
	case again:
		due := now.Add(wait).Truncate(time.Microsecond) // what a column holds
		d.Status, d.EndedAt, d.NextAttemptAt = Pending, nil, &due
	default:
		d.Status = Failed
	}
	d.LastStatusCode, d.LastError = a.StatusCode, a.Error
	return d
}

// ListInput filters deliveries.
type ListInput struct {
	api.PageInput
	api.Between
	Status string `query:"status" enum:"pending,succeeded,failed" doc:"Only deliveries that stand so."`
	Type   string `query:"event_type" maxLength:"60" pattern:"^[a-z_]+\\.([a-z_.]+|\\*)$" patternDescription:"a type such as payment.completed, or payment.*" doc:"Only this type of event; payment.* for all of a noun." example:"payment.*"`
	Event  string `query:"event_id" maxLength:"60" doc:"Only the delivery of this event: the webhook-id that you were sent."`
	Object string `query:"object_id" maxLength:"60" doc:"Only deliveries about this payment, refund or card."`
}

// List is a page of deliveries, newest first, each with its log.
func (o *Outbox) List(ctx context.Context, scope db.Scope, in ListInput) (api.Page[Delivery], error) {
	b := api.Select(columns, "deliveries", scope)
	api.Filter(b, "status", in.Status)
	api.FilterType(b, in.Type)
	filterEvent(b, scope, in)
	page, err := api.Find(ctx, o.DB, b, in.PageInput, in.Between, scan, func(d Delivery) api.Position { return api.Position{At: d.CreatedAt, ID: d.ID} })
	if err != nil {
		return api.Page[Delivery]{}, err
	}
	page.Data, err = withLogs(ctx, o.DB, scope, page.Data)
	return page, err
}

// filterEvent narrows the list to the event, or to those about an object. It names the endpoint, of which a scope has one, for that is how
// the index on events of deliveries begins; and it joins across, which for SQLite means in this order: from the object's few events.
func filterEvent(b *sqlbuilder.SelectBuilder, scope db.Scope, in ListInput) {
	own := "merchant = " + b.Var(scope.Merchant) + " and mode = " + b.Var(scope.Mode)
	if in.Object != "" {
		b.From("(select d.* from (select merchant, mode, id from events where " + own + " and object = " + b.Var(in.Object) + ") e cross join deliveries d" +
			" where d.merchant = e.merchant and d.mode = e.mode and d.event = e.id and d.endpoint = (select id from endpoints where " + own + ")) deliveries")
	}
	if in.Event != "" {
		b.Where("endpoint = (select id from endpoints where "+own+")", b.Equal("event", in.Event))
	}
}

// Get is one delivery with its log.
func (o *Outbox) Get(ctx context.Context, scope db.Scope, id string) (Delivery, error) {
	d, err := api.Get(ctx, scope, id, "delivery", o.find)
	if err != nil {
		return Delivery{}, err
	}
	found, err := withLogs(ctx, o.DB, scope, []Delivery{d})
	if err != nil {
		return Delivery{}, err
	}
	return found[0], nil
}

// Redeliver makes a delivery again, under the same sequence and event id: one that has ended gets the whole schedule anew, one that is
// pending is due now.
func (o *Outbox) Redeliver(ctx context.Context, scope db.Scope, id string) (Delivery, error) {
	if err := o.DB.Write(ctx, renew(scope, id, o.Clock.Now(), o.Clock.Machine().Now())); err != nil {
		return Delivery{}, err
	}
	d, err := o.Get(ctx, scope, id)
	if err == nil {
		o.wake(DeliverTask)
	}
	return d, err
}

// TestType is the event that a merchant sends itself to try its endpoint.
const TestType = "webhook.test"

// Test writes a test event, which then goes the way of every other.
func (o *Outbox) Test(ctx context.Context, scope db.Scope) (event.Event, error) {
	endpoint, err := o.Merchants.Endpoint(ctx, scope)
	if errors.Is(err, db.ErrNone) {
		return event.Event{}, fault.New(fault.WebhookUnset, "", "There is no webhook URL yet: PUT /v1/merchant/webhook first.")
	}
	if err != nil {
		return event.Event{}, err
	}
	e := event.New(scope, TestType, endpoint.ID, map[string]string{"message": "This is a test of your webhook endpoint."}, o.Clock.Now())
	return e, o.DB.Write(ctx, event.Insert(e))
}
