package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// maxRecords bounds how many objects a world holds.
const maxRecords = 5_000_000

// record is one stored object with what its resource knows of it beyond what the API shows.
type record struct {
	resource *resource
	id       string
	created  int64
	order    int64 // of making: lists are by it, newest first
	object   *spec.Object
	private  any
	gone     bool // deleted
}

// store holds a world's objects.
type store struct {
	byID   map[string]*record
	byKind map[string][]*record // in order of making; without the deleted ones
	last   int64                // order of the newest record
}

// insert keeps a new record.
func (w *world) insert(r *record) {
	if w.byID == nil {
		w.byID, w.byKind = map[string]*record{}, map[string][]*record{}
	}
	w.last++
	r.order = w.last
	w.byKind[r.resource.Object] = append(w.byKind[r.resource.Object], r)
	w.byID[r.id] = r
}

// remove takes a record off the lists. Its id stays known, for a stub and for the pages that begin after it.
func (w *world) remove(r *record) {
	r.gone = true
	all := w.byKind[r.resource.Object]
	at := place(all, r.order)
	w.byKind[r.resource.Object] = slices.Delete(all, at, at+1)
}

// all is every record of a kind that is not deleted, in order of making.
func (w *world) all(kind string) []*record { return w.byKind[kind] }

// find is the record of an id that is not deleted; nil when there is none.
func (w *world) find(kind, id string) *record {
	r := w.byID[id]
	if r == nil || r.resource.Object != kind || r.gone {
		return nil
	}
	return r
}

// full says whether the world can take no more objects.
func (w *world) full() bool { return len(w.byID) >= maxRecords }

// record starts a new object of a kind; it is not stored yet.
func (w *world) record(kind, id string) *record {
	r := &record{resource: kinds[kind], id: id, created: w.now().Unix(), object: spec.New(kind)}
	r.object.Set("id", id).Set("created", r.created)
	return r
}
