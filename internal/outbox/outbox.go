// Package outbox tells merchants what happened: it numbers the events of a merchant for its endpoint, signs them, delivers them
// at least once, tries again over days, and keeps a log.
//
//	event row ──Fan──▶ pending ──Deliver──▶ succeeded
//	(not fanned)         │  ▲                   │
//	                     ▼  └────Redeliver──────┤
//	                   failed ──────────────────┘
//
// Numbers are given after the commit that made the event true, so that hot endpoints do not serialise payments, and in one commit
// with the deliveries, so that they have no gaps. An order of arrival is not promised: sequence tells the receiver the order. Over the ids
// runs a chain of hashes, which checkpoints state: so a receiver can prove that it has heard everything, and find what it has not.
package outbox

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/task"
)

// The tasks of the room. FanTask is to be woken by a commit that wrote events (event.Topic).
const (
	FanTask     = "outbox.fan"
	DeliverTask = "outbox.deliver"
	// CheckpointTask states to merchants what they should have heard.
	CheckpointTask = "outbox.checkpoint"
)

// Outbox is the deliveries of all merchants.
type Outbox struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Merchants *merchant.Merchants
	Dialer    *Dialer
	// Wake makes a task of the room run now. nil where nobody runs tasks.
	Wake func(task string)
	// Timeout bounds one attempt, from finding the host to the end of the answer; 10 s where it is 0.
	Timeout time.Duration

	once   sync.Once
	client *http.Client
	desk   desk
	turns  sync.Mutex // one Deliver at a time, so that free places are counted once
	last   place      // the endpoint that the last turn ended with
}

// Tasks is the due work of the room.
func (o *Outbox) Tasks() []task.Task {
	return []task.Task{
		{Name: FanTask, Every: time.Second, Run: o.Fan},
		{Name: DeliverTask, Every: time.Second, Run: o.Deliver},
		{Name: CheckpointTask, Every: 10 * time.Second, Run: o.Checkpoint},
	}
}

// Wait returns when every attempt in progress has ended and is written down: within Timeout and the database's own bound.
func (o *Outbox) Wait() { o.desk.ended.Wait() }

func (o *Outbox) wake(task string) {
	if o.Wake != nil {
		o.Wake(task)
	}
}
