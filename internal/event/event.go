// Package event is the merchant's story: what happened, in order, only ever added to. An event is written in the commit
// that made it true, and the outbox tells it from there.
package event

import (
	"context"
	"encoding/json"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
)

// Event is one fact of a merchant's story. Type is "noun.past", such as payment.completed.
type Event struct {
	db.Scope  `json:"-"`
	ID        string          `json:"id" format:"uuid"`
	Type      string          `json:"type" example:"payment.completed"`
	Object    string          `json:"object_id" doc:"The payment, refund, dispute or card that it is about."`
	Data      json.RawMessage `json:"data" doc:"The object as it was at that moment."`
	CreatedAt time.Time       `json:"created_at"`
}

// New is an event about an object as it stands at a moment.
func New(scope db.Scope, kind, object string, data any, at time.Time) Event {
	return Event{Scope: scope, ID: id.New(), Type: kind, Object: object, Data: json.RawMessage(db.JSON(data)), CreatedAt: at}
}

// Topic is what the database tells of when events were written.
const Topic = "events"

// Insert is the change that adds an event to the story.
func Insert(e Event) db.Change {
	return db.Change{
		SQL:  `insert into events (merchant, mode, id, type, object, data, created_at, fanned) values ($1, $2, $3, $4, $5, $6, $7, false)`,
		Args: []any{e.Merchant, e.Mode, e.ID, e.Type, e.Object, string(e.Data), db.Micros(e.CreatedAt)}, Rows: 1, Topic: Topic,
	}
}

const columns = `merchant, mode, id, type, object, data, created_at`

func scan(r db.Row) (Event, error) {
	var e Event
	var data string
	err := r.Scan(&e.Merchant, &e.Mode, &e.ID, &e.Type, &e.Object, &data, db.At(&e.CreatedAt))
	e.Data = json.RawMessage(data)
	return e, err
}

// Get is one event, or db.ErrNone.
func Get(ctx context.Context, q db.Querier, scope db.Scope, id string) (Event, error) {
	return db.One(ctx, q, scan, `select `+columns+` from events where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
}

// Unfanned are the oldest events that the outbox has not taken yet, at most limit of them.
func Unfanned(ctx context.Context, q db.Querier, scope db.Scope, limit int) ([]Event, error) {
	return db.All(ctx, q, scan, `select `+columns+` from events where merchant = $1 and mode = $2 and not fanned order by created_at, id limit $3`,
		scope.Merchant, scope.Mode, limit)
}

// UnfannedScopes are the merchants and modes that have events waiting for the outbox, at most limit of them.
func UnfannedScopes(ctx context.Context, q db.Querier, limit int) ([]db.Scope, error) {
	return db.All(ctx, q, func(r db.Row) (s db.Scope, err error) { return s, r.Scan(&s.Merchant, &s.Mode) },
		`select distinct merchant, mode from events where not fanned limit $1`, limit)
}

// Fanned is the change that marks an event as taken by the outbox. It misses where another node was first.
func Fanned(e Event) db.Change {
	return db.Change{
		SQL:  `update events set fanned = true where merchant = $1 and mode = $2 and id = $3 and not fanned`,
		Args: []any{e.Merchant, e.Mode, e.ID}, Rows: 1,
	}
}

// ListInput filters the story.
type ListInput struct {
	api.PageInput
	api.Between
	Type   string `query:"type" maxLength:"60" pattern:"^[a-z_]+\\.([a-z_.]+|\\*)$" patternDescription:"a type such as payment.completed, or payment.*" doc:"Only this type; payment.* for all of a noun." example:"payment.*"`
	Object string `query:"object_id" maxLength:"60" doc:"Only events about this object."`
}

// Events is the story as the API shows it.
type Events struct{ DB *db.DB }

// List is a page of the story, newest first.
func (s *Events) List(ctx context.Context, scope db.Scope, in ListInput) (api.Page[Event], error) {
	b := api.Select(columns, "events", scope)
	api.FilterType(b, in.Type)
	api.Filter(b, "object", in.Object)
	return api.Find(ctx, s.DB, b, in.PageInput, in.Between, scan, func(e Event) api.Position { return api.Position{At: e.CreatedAt, ID: e.ID} })
}

// Routes registers the room's endpoints.
func (s *Events) Routes(a *api.API) {
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/events", Summary: "List events", Tag: "Events", Scope: api.WebhooksRead,
		Text: "The merchant's story, newest first: every event that was or will be delivered."},
		func(ctx context.Context, c api.Caller, in *ListInput) (api.Page[Event], error) {
			return s.List(ctx, c.Scope, *in)
		})
}
