package inbox

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
)

// Told is one of Stripe's events as the API shows it.
type Told struct {
	ID         string     `json:"id" example:"evt_…"`
	Type       string     `json:"type" example:"payment_intent.succeeded"`
	ObjectID   string     `json:"object_id" doc:"The object of Stripe's that it is about; empty where it has no id."`
	CreatedAt  time.Time  `json:"created_at" doc:"When Stripe made it, to the second."`
	ReceivedAt time.Time  `json:"received_at" doc:"When it was kept here."`
	AppliedAt  *time.Time `json:"applied_at" doc:"When it was taken in; null where it was not yet."`
	Source     string     `json:"source" enum:"webhook,sweep,repair,resend" doc:"How it came first: by webhook, or found in Stripe's list by the sweep, a repair or a resend."`
	Verified   bool       `json:"verified" doc:"It is proved to be Stripe's. Where it is not, it is only a hint, and its object is asked for."`
	Attempts   int64      `json:"attempts" doc:"How often it was tried to take it in."`
	Error      string     `json:"error" doc:"Why the last attempt failed; empty where it did not."`
}

const toldColumns = `id, type, object, created_at, received_at, applied_at, source, verified, attempts, error`

func scanTold(r db.Row) (t Told, err error) {
	err = r.Scan(&t.ID, &t.Type, &t.ObjectID, db.At(&t.CreatedAt), db.At(&t.ReceivedAt), db.MaybeAt(&t.AppliedAt), &t.Source, &t.Verified, &t.Attempts, &t.Error)
	t.Error = shown(t.Error)
	return t, err
}

// shown is the first line of what is kept of a failure: the rest is a trace of ours.
func shown(failure string) string {
	line, _, _ := strings.Cut(failure, "\n")
	return line
}

// ListInput filters Stripe's events.
type ListInput struct {
	api.PageInput
	api.Between
	Type   string `query:"type" maxLength:"100" pattern:"^[a-z0-9_]+\\.([a-z0-9_.]+|\\*)$" patternDescription:"a type such as payment_intent.succeeded, or refund.*" doc:"Only this type; refund.* for all of an object." example:"payment_intent.*"`
	Object string `query:"object_id" maxLength:"255" doc:"Only events about this object of Stripe's: pi_…, re_…, ch_…"`
	Source string `query:"source" enum:"webhook,sweep,repair,resend" doc:"Only events that came this way."`
}

// List is a page of Stripe's events as they are kept, the newest first by when Stripe made them.
func (i *Inbox) List(ctx context.Context, scope db.Scope, in ListInput) (api.Page[Told], error) {
	b := api.Select(toldColumns, "stripe_events", scope)
	api.FilterType(b, in.Type)
	api.Filter(b, "object", in.Object)
	api.Filter(b, "source", in.Source)
	return api.Find(ctx, i.DB, b, in.PageInput, in.Between, scanTold, func(t Told) api.Position { return api.Position{At: t.CreatedAt, ID: t.ID} })
}

// Get is one of Stripe's events as it is kept.
func (i *Inbox) Get(ctx context.Context, scope db.Scope, id string) (Told, error) {
	t, err := db.One(ctx, i.DB, scanTold, `select `+toldColumns+` from stripe_events where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
	if errors.Is(err, db.ErrNone) {
		return Told{}, fault.New(fault.ResourceMissing, "id", "There is no such event of Stripe's here.")
	}
	return t, err
}
