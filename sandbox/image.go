package sandbox

import (
	"container/heap"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"
)

// image is everything that a world is at one moment, as plain data that nothing changes any more. A snapshot is an image that has a
// name, a fork is a world made from one, and the journal begins with one.
type image struct {
	account, methods string
	made             time.Time
	now              time.Time
	rate             int64
	random           []byte
	born, last       int64
	order            uint64

	records []imaged // in order of making; what they refer to is shared with the world and never changed in place
	agenda  agenda
	keys    []attempt // oldest first
	rules   *rules
	log     ring[logged]
	mail    []delivery // not yet sent
	dropped int
}

// imaged is a record, and in which account's realm it is; that of the world's own account has no name.
type imaged struct {
	record
	account string
}

// name tells a record from all others. Ids alone do not: each account has one balance.
func (r *imaged) name() string { return r.account + " " + r.id }

// image takes one of the world. The lock is held.
func (w *world) image() *image {
	w.commit()
	random, _ := w.random.MarshalBinary() // never fails
	m := &image{account: w.home.account, methods: w.home.methods, made: w.made, now: w.now(), rate: w.rate, random: random, born: w.born, last: w.last, order: w.order,
		agenda: slices.Clone(w.agenda), rules: copied(w.rules()),
		log: ring[logged]{kept: w.log.all()}, dropped: w.dropped}
	m.records = make([]imaged, 0, w.stored)
	m.take(w.home)
	for _, one := range w.connected {
		m.take(one)
	}
	slices.SortFunc(m.records, func(a, b imaged) int { return int(a.order - b.order) })
	for _, a := range w.once.order {
		if w.once.keys[a.key] == a {
			m.keys = append(m.keys, *a)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.boxes)) {
		m.mail = append(m.mail, w.boxes[id].underway...) // nobody has taken them yet
		for _, waiting := range w.boxes[id].queue {
			m.mail = append(m.mail, waiting.delivery)
		}
		for _, waiting := range w.boxes[id].parked {
			m.mail = append(m.mail, waiting.Delivery)
		}
	}
	return m
}

// take adds the records of a realm.
func (m *image) take(of *realm) {
	for _, r := range of.byID {
		row := record{resource: r.resource, id: r.id, created: r.created, order: r.order, packed: r.packed, hidden: copied(r.hidden), gone: r.gone}
		m.records = append(m.records, imaged{row, of.name()})
	}
}

// become makes the world what an image shows, in place of what it is. The lock is held.
func (w *world) become(m *image) {
	w.era++
	h := w.home // it stays the same: requests on their way to the lock have it already
	h.account, h.methods, h.byID, h.shelves = m.account, m.methods, nil, nil
	w.connected = nil
	w.made, w.born = m.made, m.born
	w.random = rand.NewChaCha8([32]byte{})
	_ = w.random.UnmarshalBinary(m.random) // it comes from MarshalBinary
	w.base, w.anchor, w.rate, w.latest = m.now, w.sandbox.clock.Now(), m.rate, m.now
	w.agenda, w.order = slices.Clone(m.agenda), m.order
	heap.Init(&w.agenda)
	w.obey(copied(m.rules))
	w.log = ring[logged]{kept: m.log.all()}
	w.becomeRecords(m)
	w.pin()
	w.likes = nil // they are of the account that the world was
	w.once = idempotency{keys: make(map[string]*attempt, len(m.keys))}
	for _, a := range m.keys {
		a.held = false // whoever waited for it is not in this world
		w.once.keys[a.key] = &a
		w.once.order = append(w.once.order, &a)
	}
	for _, box := range w.boxes {
		box.queue = nil // its workers end
	}
	w.mailroom = mailroom{dropped: m.dropped, quiet: w.quiet}
	for _, a := range m.agenda {
		if a.What == "event.deliver" {
			w.later++
		}
	}
	for _, d := range m.mail {
		w.push(w.mailbox(d.Endpoint), d)
	}
	w.clockChanged()
}

// becomeRecords fills the store from an image.
func (w *world) becomeRecords(m *image) {
	w.store = store{last: m.last, stored: len(m.records)}
	w.home.byID = make(map[string]*record, len(m.records))
	all := slices.Clone(m.records)
	for i := range all {
		r := &all[i].record
		of := w.realmOf(all[i].account)
		if of == nil {
			of = w.openRealm(all[i].account)
		}
		r.realm, r.hidden = of, copied(r.hidden)
		if of.byID == nil {
			of.byID = map[string]*record{}
		}
		of.byID[r.id] = r
		if r.gone {
			continue
		}
		s := of.shelf(r.resource.Object)
		s.all = append(s.all, r)
		s.index(r, nil)
		r.keys = nil
	}
}

// copied is a copy of plain data that shares nothing with it which could change. Text and bytes are never changed in place.
func copied[T any](v T) T {
	var out T
	if from := reflect.ValueOf(&v).Elem(); from.IsValid() {
		reflect.ValueOf(&out).Elem().Set(copiedValue(from))
	}
	return out
}

func copiedValue(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return v
		}
		if v.Kind() == reflect.Interface {
			return copiedValue(v.Elem())
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(copiedValue(v.Elem()))
		return p
	case reflect.Struct:
		s := reflect.New(v.Type()).Elem()
		s.Set(v)
		for i := range v.NumField() {
			if s.Field(i).CanSet() {
				s.Field(i).Set(copiedValue(v.Field(i)))
			}
		}
		return s
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			return v
		}
		s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			s.Index(i).Set(copiedValue(v.Index(i)))
		}
		return s
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		m := reflect.MakeMapWithSize(v.Type(), v.Len())
		for at := v.MapRange(); at.Next(); {
			m.SetMapIndex(at.Key(), copiedValue(at.Value()))
		}
		return m
	default:
		return v
	}
}
