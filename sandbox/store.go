package sandbox

import (
	"bytes"
	"iter"
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// maxRecords bounds how many objects a world holds.
const maxRecords = 5_000_000

// record is one stored object with what its resource knows of it beyond what the API shows. Records refer to each other by id, and
// what they hold is plain data: a world is copied, compared and written to disk as it is. Between two steps of the world a record is
// packed; a step unpacks those that it looks into, and its commit packs them again.
type record struct {
	realm    *realm // where it lives
	resource *resource
	id       string
	created  int64
	order    int64        // of making: lists are by it, newest first; 0 until it is stored
	packed   []byte       // as of the last commit; never changed in place
	working  *spec.Object // unpacked since then, or nil
	hidden   any          // a pointer to what the API does not show: plain data with exported fields; see private
	keys     []string     // under which it is indexed, beside resource.indexed; nil once packed says so
	gone     bool         // deleted
	touched  bool         // since the last commit
}

// object is the record's object, to read and to change.
func (r *record) object() *spec.Object {
	if r.working == nil {
		r.touch()
		r.working = r.made()
	}
	return r.working
}

// made is the object anew.
func (r *record) made() *spec.Object {
	if r.resource.Compose != nil {
		return r.resource.Compose(r)
	}
	return spec.Unpack(r.packed)
}

// form is the packed object of a record that is not being changed.
func (r *record) form() []byte {
	if r.resource.Compose != nil {
		return r.resource.Compose(r).Pack(nil)
	}
	return r.packed
}

// replace puts another object in the place of the record's.
func (r *record) replace(o *spec.Object) {
	r.touch()
	r.working = o
}

// text is a field of the object as it stands. It costs little, for looking through many records.
func (r *record) text(field string) string {
	if r.working != nil {
		return r.working.String(field)
	}
	return r.committed(field)
}

// committed is a field of the object as of the last commit.
func (r *record) committed(field string) string {
	if r.resource.Compose != nil {
		return r.hidden.(interface{ text(field string) string }).text(field)
	}
	return spec.PackedString(r.packed, field)
}

// AppendJSON implements appender.
func (r *record) AppendJSON(dst []byte) []byte {
	if r.working != nil {
		return r.working.AppendJSON(dst)
	}
	if r.resource.Compose != nil {
		return r.resource.Compose(r).AppendJSON(dst)
	}
	return spec.AppendPackedJSON(dst, r.packed)
}

// number is text for a whole number.
func (r *record) number(field string) int64 {
	if r.working != nil {
		return r.working.Int(field)
	}
	n, _ := spec.PackedGet(r.packed, field).(int64)
	return n
}

// flag is text for a field that is true or false.
func (r *record) flag(field string) bool {
	if r.working != nil {
		return r.working.Bool(field)
	}
	is, _ := spec.PackedGet(r.packed, field).(bool)
	return is
}

// key is what the record is indexed by under a name.
func (r *record) key(name string) string {
	if of := r.resource.Keys[name]; of != nil {
		return of(r)
	}
	return r.text(name)
}

// private is what the resource knows of a record beyond its object; nil where it is of another sort.
func private[T any](r *record) *T {
	r.touch()
	p, _ := r.hidden.(*T)
	return p
}

// known is private for a look that does not touch the record.
func known[T any](r *record) *T {
	p, _ := r.hidden.(*T)
	return p
}

func (r *record) touch() {
	if !r.touched {
		r.touched = true
		w := r.realm.world
		w.touched = append(w.touched, r)
	}
}

// store is what a world knows of its objects as a whole; its realms hold them.
type store struct {
	last    int64     // order of the newest record
	stored  int       // records
	touched []*record // since the last commit

	committed   int64   // order of the newest record then
	packing     []byte  // for packing into
	announced   *record // that was packed last, and as what
	announcedAs []byte
	spent       spec.Spent // objects that nobody will look at again
	slab        []byte     // what is left of the latest piece of memory that packed objects are laid into
	room, left  []string   // for the keys of records that were never packed, and what is left of it in this step
}

// Packed objects are laid side by side into pieces of memory of so many bytes, which spares the garbage collector most of them. A piece
// lives as long as anything in it.
const (
	slabSize = 8 << 10
	maxLaid  = slabSize / 4 // what is longer has memory of its own
)

// lay copies a packed object to where it stays.
func (w *world) lay(packed []byte) []byte {
	if len(packed) > maxLaid {
		return bytes.Clone(packed)
	}
	if len(packed) > len(w.slab) {
		w.slab = make([]byte, slabSize)
	}
	n := copy(w.slab, packed)
	laid := w.slab[:n:n]
	w.slab = w.slab[n:]
	return laid
}

// shelf is the records of a kind in order of making, and indexes of them.
type shelf struct {
	all     []*record
	gone    int                             // of them, deleted
	indexes map[string]map[string][]*record // field, value: in order of making

	postings []*postings // what searches have asked for
}

func (w *realm) shelf(kind string) *shelf {
	s := w.shelves[kind]
	if s == nil {
		if w.shelves == nil {
			w.shelves = map[string]*shelf{}
		}
		s = &shelf{indexes: map[string]map[string][]*record{}}
		w.shelves[kind] = s
	}
	return s
}

// insert keeps a new record.
func (w *realm) insert(r *record) {
	if w.byID == nil {
		w.byID = map[string]*record{}
	}
	w.last++
	w.stored++
	r.order = w.last
	s := w.shelf(r.resource.Object)
	s.all = append(s.all, r)
	w.byID[r.id] = r
	r.touch()
	s.index(r, nil)
}

// index brings the indexes up to what the record says now, from what they say: what the record said when it was packed so, or, of one
// that never was, what its keys say.
func (s *shelf) index(r *record, was []byte) {
	first := r.keys == nil
	if first && was == nil {
		r.keys = r.realm.roomFor(len(r.resource.indexed))
	}
	for i, field := range r.resource.indexed {
		old, now := "", r.key(field)
		switch {
		case first && was != nil && r.resource.Keys[field] != nil:
			old = now // it never changes
		case first && was != nil:
			old = spec.PackedString(was, field)
		case first:
			r.keys = append(r.keys, now)
		default:
			old, r.keys[i] = r.keys[i], now
		}
		if old == now {
			continue
		}
		s.unindex(r, field, old)
		if now != "" {
			s.enter(r, field, now)
		}
	}
}

// roomFor is room for so many keys until the next commit.
func (w *world) roomFor(n int) []string {
	if len(w.left) < n {
		w.room = make([]string, max(n, 64))
		w.left = w.room
	}
	keys := w.left[:0:n]
	w.left = w.left[n:]
	return keys
}

// enter puts a record in its place among those of the same value.
func (s *shelf) enter(r *record, field, value string) {
	of := s.indexes[field]
	if of == nil {
		of = map[string][]*record{}
		s.indexes[field] = of
	}
	same := of[value]
	if len(same) == 0 || same[len(same)-1].order < r.order {
		of[value] = append(same, r)
		return
	}
	of[value] = slices.Insert(same, place(same, r.order), r)
}

func (s *shelf) unindex(r *record, field, value string) {
	same := s.indexes[field][value]
	at := place(same, r.order)
	switch {
	case at >= len(same) || same[at] != r:
	case len(same) == 1:
		delete(s.indexes[field], value)
	case at == 0: // the oldest go first, where many go
		same[0] = nil
		s.indexes[field][value] = same[1:]
	default:
		s.indexes[field][value] = slices.Delete(same, at, at+1)
	}
}

// unindexAll takes a record out of every index.
func (s *shelf) unindexAll(r *record) {
	for i, field := range r.resource.indexed {
		value := ""
		if r.keys != nil {
			value = r.keys[i]
		} else if of := r.resource.Keys[field]; of != nil {
			value = of(r)
		} else {
			value = r.committed(field)
		}
		s.unindex(r, field, value)
	}
	r.keys = nil
}

// remove takes a record off the lists. Its id stays known, for a stub and for the pages that begin after it.
func (w *realm) remove(r *record) {
	r.touch()
	r.gone = true
	s := w.shelf(r.resource.Object)
	s.unindexAll(r)
	s.repost(r, r.packed, nil)
	if s.gone++; s.gone > len(s.all)/2 { // so that removing one costs the same however many there are
		s.all = slices.DeleteFunc(s.all, func(r *record) bool { return r.gone })
		s.gone = 0
	}
}

// forget drops the oldest records of a kind, ids and all.
func (w *realm) forget(kind string, n int) {
	s := w.shelf(kind)
	for i, r := range s.all[:n] {
		s.unindexAll(r)
		s.repost(r, r.packed, nil)
		delete(w.byID, r.id)
		w.stored--
		s.all[i] = nil
	}
	s.all = s.all[n:]
}

// commit ends a step in the life of the world: the records that it has changed are packed, indexed and written to the journal.
func (w *world) commit() {
	for i, r := range w.touched {
		w.touched[i] = nil
		r.touched = false
		if r.order != 0 {
			w.commitRecord(r)
		}
	}
	w.touched = w.touched[:0]
	w.committed, w.announced, w.announcedAs = w.last, nil, nil
	w.spent.Release() // only now, because one may be in another that was packed after it
	clear(w.room[:len(w.room)-len(w.left)])
	w.left = w.room
}

// packedNow is the packed form of a record as it stands: the one that it or its latest event has, if that is the same.
func (w *world) packedNow(r *record) []byte {
	if r.working == nil {
		return r.form()
	}
	w.packing = r.working.Pack(w.packing[:0])
	switch {
	case bytes.Equal(w.packing, r.packed):
		return r.packed
	case w.announced != r || !bytes.Equal(w.packing, w.announcedAs):
		w.announced, w.announcedAs = r, w.lay(w.packing)
	}
	return w.announcedAs
}

func (w *world) commitRecord(r *record) {
	changed := r.gone || r.hidden != nil && !r.resource.Sealed
	if r.working != nil && r.resource.Compose == nil {
		was := r.packed
		r.packed = w.packedNow(r)
		if r.order > w.committed || !bytes.Equal(r.packed, was) {
			changed = true
			if !r.gone {
				s := r.realm.shelves[r.resource.Object]
				s.index(r, was)
				s.repost(r, was, r.packed)
			}
		}
	}
	if r.working != nil {
		w.spent.Add(r.working)
	}
	r.working, r.keys = nil, nil
	if changed && w.journal != nil {
		w.journal.record(r)
	}
}

// all is every record of a kind, in order of making, the deleted ones among them.
func (w *realm) all(kind string) []*record { return w.shelf(kind).all }

// count is how many records of a kind there are.
func (w *realm) count(kind string) int {
	s := w.shelf(kind)
	return len(s.all) - s.gone
}

// each is every record of a kind that is not deleted, in order of making.
func (w *realm) each(kind string) iter.Seq[*record] {
	return func(yield func(*record) bool) {
		for _, r := range w.all(kind) {
			if !r.gone && !yield(r) {
				return
			}
		}
	}
}

// having is the records of a kind whose field, which is among resource.Filters or resource.Index, has a value; in order of making. It is
// what commits have indexed: a change of this request does not show. The slice must not be kept while records change.
func (w *realm) having(kind, field, value string) []*record {
	if value == "" {
		return nil
	}
	return w.shelf(kind).indexes[field][value]
}

// find is the record of an id that is not deleted; nil when there is none.
func (w *realm) find(kind, id string) *record {
	r := w.byID[id]
	if r == nil || r.resource.Object != kind || r.gone {
		return nil
	}
	return r
}

// full says whether the world can take no more objects.
func (w *world) full() bool { return w.stored >= maxRecords }

// record starts a new object of a kind; it is not stored yet.
func (w *realm) record(kind, id string) *record {
	r := &record{realm: w, resource: kinds[kind], id: id, created: w.now().Unix(), working: spec.New(kind)}
	r.working.Set("id", id).Set("created", r.created)
	return r
}
