package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/merchant"
)

// CheckpointType is the event that states what an endpoint should have heard. It is a delivery like every other: numbered, signed, retried.
const CheckpointType = "webhook.checkpoint"

// How often a checkpoint is told: an hour after the first news since the last one, or at once where there have been a hundred. So a merchant
// can prove within the hour that nothing is missing, a quiet one hears no more than one word in addition for each event, and a busy one
// one in a hundred. Chosen in November 2026; nothing depends on the figures.
const (
	checkpointWithin = time.Hour
	checkpointAfter  = 100 // deliveries
)

// How much one turn takes.
const (
	owingPerTurn = 100
	linksPerStep = 1000
)

// checkpoint is the data of the event: the hash of the ids of deliveries 1 to Sequence. Count says the same for those who count.
type checkpoint struct {
	Endpoint string `json:"endpoint_id"`
	Sequence int64  `json:"sequence"`
	Count    int64  `json:"count"`
	Hash     string `json:"hash"`
}

// chain is the hash of a delivery's id over the hash of all before it. It is what a merchant computes too (docs/webhooks.md).
func chain(before, event string) string {
	sum := sha256.Sum256([]byte(before + "\n" + event))
	return hex.EncodeToString(sum[:])
}

// owed is when the next checkpoint is due once events have been numbered. Checkpoints are no news: else each would call for the next.
func owed(was merchant.Endpoint, events []event.Event, now time.Time) time.Time {
	news := false
	for _, e := range events {
		news = news || e.Type != CheckpointType
	}
	switch since := was.NextSeq - 1 + int64(len(events)) - was.Checkpoint.Sequence; {
	case news && since >= checkpointAfter:
		return now
	case news && was.CheckpointDue.IsZero():
		return now.Add(checkpointWithin)
	}
	return was.CheckpointDue
}

// Checkpoint tells the checkpoints that are owed, and says whether more may be.
func (o *Outbox) Checkpoint(ctx context.Context) (more bool, err error) {
	scopes, err := owing(ctx, o.DB, o.Clock.Now(), owingPerTurn)
	if err != nil {
		return false, err
	}
	var trouble []error
	for _, scope := range scopes {
		behind, err := o.checkpoint(ctx, scope)
		if err != nil {
			trouble = append(trouble, err)
		}
		more = more || behind
	}
	return more || len(scopes) == owingPerTurn, errors.Join(trouble...)
}

// checkpoint tells one endpoint's checkpoint in one commit with its event. Where the chain is behind, it takes a step towards it instead.
func (o *Outbox) checkpoint(ctx context.Context, scope db.Scope) (behind bool, err error) {
	err = o.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		behind = false
		e, err := o.Merchants.Endpoint(ctx, scope)
		now := o.Clock.Now()
		if err != nil || e.CheckpointDue.IsZero() || e.CheckpointDue.After(now) {
			return nil, err // another node was first
		}
		if behind = e.ChainSeq < e.NextSeq-1; behind {
			older, err := unlinked(ctx, o.DB, e, linksPerStep)
			return []db.Change{link(e, older)}, err
		}
		says := event.New(scope, CheckpointType, e.ID, checkpoint{e.ID, e.ChainSeq, e.ChainSeq, e.Chain}, now)
		return []db.Change{state(e, now), event.Insert(says)}, nil
	})
	return behind, err
}
