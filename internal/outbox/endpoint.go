package outbox

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
)

// endpointView is an endpoint as a receiver needs it, to know what it should have heard.
type endpointView struct {
	ID            string          `json:"id" format:"uuid"`
	URL           string          `json:"url"`
	LastSequence  int64           `json:"last_sequence" doc:"The number of the last delivery; 0 before the first."`
	Checkpoint    *checkpointView `json:"checkpoint" doc:"The last one that was told; null before the first."`
	PreviousUntil *time.Time      `json:"previous_secret_until" doc:"Until then deliveries carry the signature of the secret before, too; null where only the present one signs."`
}

type checkpointView struct {
	Sequence int64     `json:"sequence" doc:"It states deliveries 1 to this."`
	Count    int64     `json:"count" doc:"How many those are: as many as sequence says, for there are no gaps."`
	Hash     string    `json:"hash" doc:"h(n) is the SHA-256, in hexadecimal, of h(n-1), a newline and the id of delivery n; h(0) is empty. This is h(sequence)."`
	At       time.Time `json:"at"`
}

func viewed(e merchant.Endpoint, now time.Time) endpointView {
	v := endpointView{ID: e.ID, URL: e.URL, LastSequence: e.NextSeq - 1, PreviousUntil: e.Overlap(now)}
	if c := e.Checkpoint; c.Sequence > 0 {
		v.Checkpoint = &checkpointView{c.Sequence, c.Sequence, c.Hash, c.At}
	}
	return v
}

// endpoints are those of a scope: one at most, as yet.
func (o *Outbox) endpoints(ctx context.Context, scope db.Scope) ([]endpointView, error) {
	e, err := o.Merchants.Endpoint(ctx, scope)
	if errors.Is(err, db.ErrNone) {
		return nil, nil
	}
	return []endpointView{viewed(e, o.Clock.Now())}, err
}

// pullInput asks for the messages of an endpoint.
type pullInput struct {
	ID     string `path:"id" maxLength:"60" doc:"The endpoint's id."`
	After  int64  `query:"after" minimum:"0" doc:"Only deliveries with a higher sequence; 0 for all." example:"120"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"100" doc:"Messages on a page."`
	Cursor string `query:"cursor" maxLength:"19" pattern:"^[0-9]+$" patternDescription:"page.next of the page before" doc:"page.next of the page before, which is the last sequence on it; it goes before after."`
}

// pull is a page of an endpoint's messages, in their order, whatever became of their deliveries.
func (o *Outbox) pull(ctx context.Context, scope db.Scope, in pullInput) (api.Page[message], error) {
	e, err := o.Merchants.Endpoint(ctx, scope)
	if errors.Is(err, db.ErrNone) || err == nil && e.ID != in.ID {
		return api.Page[message]{}, fault.New(fault.ResourceMissing, "id", "There is no such endpoint.")
	}
	if err != nil {
		return api.Page[message]{}, err
	}
	if in.Cursor != "" {
		if in.After, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil {
			return api.Page[message]{}, fault.New(fault.ParameterInvalid, "cursor", "The cursor is not one that this list gave.")
		}
	}
	found, err := told(ctx, o.DB, e, in.After, in.Limit+1) // the one too many tells whether more follow
	if err != nil || len(found) <= in.Limit {
		return api.Page[message]{Data: found}, err
	}
	found = found[:in.Limit]
	return api.Page[message]{Data: found, Next: strconv.FormatInt(found[len(found)-1].Sequence, 10)}, nil
}
