package sandbox

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
)

// Snapshot keeps the world as it is under a name; Restore with that name brings it back. Names are letters, digits, dots, dashes and
// underscores. A name that is given again is overwritten.
func (w *World) Snapshot(name string) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/snapshots", map[string]string{"name": name}, nil)
}

// Restore makes the world what it was when a snapshot was taken: its objects, clock, open deadlines and random numbers.
func (w *World) Restore(name string) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/restore", map[string]string{"snapshot": name}, nil)
}

// Reset makes the world what it was before its first request.
func (w *World) Reset() {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/reset", struct{}{}, nil)
}

// Fork is a second world that is the same as this one, ids and all, under a key of its own; from here on each goes its own way. Its
// webhooks go where those of this world go.
func (w *World) Fork() *World {
	w.t.Helper()
	fork := Open(w.t, w.URL, w.Key+"_"+strconv.FormatUint(rand.Uint64(), 36))
	w.Control(http.MethodPost, "/_sandbox/fork", map[string]string{"to": fork.Key}, nil)
	return fork
}

// Difference is how another state differs from a world. Each list ends at a thousand.
type Difference struct {
	Added     []string `json:"added"`   // ids that only the other has
	Removed   []string `json:"removed"` // ids that only this world has
	Changed   []Change `json:"changed"`
	Truncated bool     `json:"truncated"` // there are more than are listed
}

// Change is an object that both states have, with the fields in which they differ, as they are in each.
type Change struct {
	ID     string          `json:"id"`
	Object string          `json:"object"` // payment_intent
	Here   json.RawMessage `json:"here"`
	There  json.RawMessage `json:"there"`
}

// Diff is how another world of the same sandbox, such as a fork, differs from this one.
func (w *World) Diff(other *World) Difference {
	w.t.Helper()
	return w.diff(map[string]string{"with": other.Key})
}

// DiffSnapshot is how a snapshot of this world differs from what the world is now.
func (w *World) DiffSnapshot(name string) Difference {
	w.t.Helper()
	return w.diff(map[string]string{"snapshot": name})
}

func (w *World) diff(with map[string]string) (d Difference) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/diff", with, &d)
	return d
}
