package outbox

import (
	"slices"
	"time"
)

// What follows is the twin of the deliveries' table in memory, for the model checker (internal/proof/search): what each statement of store.go
// makes of a row. A test holds the two together.

// Numbered is the row of an event's delivery as fan writes it.
func Numbered(id, event string, sequence int64, now time.Time) Delivery {
	return Delivery{ID: id, EventID: event, Sequence: sequence, Status: Pending, CreatedAt: now, NextAttemptAt: &now}
}

// MayNumber says whether a node that read an endpoint's next number, and events as not numbered, may still number them: all of that must be
// so when it writes. numbered is how each of those events stands now.
func MayNumber(read, next int64, numbered ...bool) bool {
	return read == next && !slices.Contains(numbered, true)
}

// Settled is a row after an attempt that was decided from was. It misses, and leaves the row, where another attempt was written first, or
// the delivery has ended.
func Settled(row, was Delivery, a Attempt, now time.Time) (Delivery, bool) {
	if row.Attempts != was.Attempts || row.Status != Pending {
		return row, false
	}
	return row.After(a, now), true
}

// Renewed is a row after its delivery was asked for again. Whoever is sending it holds its lease, and then nothing changes.
func Renewed(row Delivery, leased bool, now time.Time) Delivery {
	if leased {
		return row
	}
	if row.Status != Pending {
		row.Retries = 0
	}
	row.Status, row.EndedAt, row.NextAttemptAt = Pending, nil, &now
	return row
}
