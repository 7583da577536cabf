package spec

import "fmt"

// Object is an object of Stripe's API. It has exactly the fields that its shape declares, and from the start all that Stripe shows.
// It keeps only what differs from that start, so that a new one is small; what it is made of besides appears as it is reached for.
// Therefore even reading an object may change how it is kept, and one goroutine at a time may use it.
type Object struct {
	shape uint16
	order []uint8 // the slots in order of number
	slots []slot  // what was set or reached for
	live  []any   // the values of slots with tagLive

	home room // that it was made in, if that can be used again; see Spent
}

// Most objects have few slots, and find room for them beside themselves.
type (
	tinyObject struct {
		Object
		at  [2]uint8
		few [2]slot
		own [1]any
	}
	smallObject struct {
		Object
		at  [6]uint8
		few [6]slot
		own [2]any
	}
	middleObject struct {
		Object
		at  [16]uint8
		few [16]slot
		own [4]any
	}
	largeObject struct {
		Object
		at  [32]uint8
		few [32]slot
		own [6]any
	}
)

// made is an object with room for so many slots, or for 32.
func made(shape uint16, room int) *Object {
	var o *Object
	switch {
	case room <= 2:
		r := new(tinyObject)
		o, r.order, r.slots, r.live = &r.Object, r.at[:0], r.few[:0], r.own[:0]
	case room <= 6:
		r := new(smallObject)
		o, r.order, r.slots, r.live = &r.Object, r.at[:0], r.few[:0], r.own[:0]
	case room <= 16:
		r := middleObjects.Get().(*middleObject)
		r.home = r
		o, r.order, r.slots, r.live = &r.Object, r.at[:0], r.few[:0], r.own[:0]
	default:
		r := largeObjects.Get().(*largeObject)
		r.home = r
		o, r.order, r.slots, r.live = &r.Object, r.at[:0], r.few[:0], r.own[:0]
	}
	o.shape = shape
	return o
}

type absent uint8

// Absent is the value of a field that is left out.
const Absent absent = 0

// Shapes lists the names of all shapes: Stripe's schemas, and list and search_result for its pages.
func Shapes() []string {
	all := make([]string, len(shapes))
	for i := range shapes {
		all[i] = shapes[i].name
	}
	return all
}

// New makes an object of a shape. Nullable fields are null; required ones are zero, empty or in turn New; optional ones are there
// if Stripe's fixtures show them. An unknown shape panics.
func New(shape string) *Object {
	n, ok := number(shape)
	if !ok {
		panic(fmt.Sprintf("spec: there is no shape %q", shape))
	}
	return made(n, templateOf(n).room())
}

// Shape is the name of the object's shape.
func (o *Object) Shape() string { return shapes[o.shape].name }

// Set gives a field a value: nil, a bool, an int or int64, a string, a finite float64, a slice of strings, of anys or of objects, a
// map, an *Object, or Absent. Nil leaves an optional field out that cannot be null. A field that the shape does not declare, and a
// value that is not of the field's sort, panic: either is a mistake in the program that any test meets.
func (o *Object) Set(field string, v any) *Object {
	t := templateOf(o.shape)
	i, ok := t.number(field)
	if !ok {
		panic(fmt.Sprintf("spec: %s has no field %q", o.Shape(), field))
	}
	if !o.set(t, i, v) {
		panic(fmt.Sprintf("spec: %s.%s cannot be %T %v", o.Shape(), field, v, v))
	}
	return o
}

// SetPacked gives a field the object that was packed, as Set with Unpack does, at the price of a copy.
func (o *Object) SetPacked(field string, packed []byte) *Object {
	body := string(packed)
	t := templateOf(o.shape)
	i, ok := t.number(field)
	if !ok || !t.declares(i).takesShape(shapeOf(body)) {
		panic(fmt.Sprintf("spec: %s.%s cannot be a packed %s", o.Shape(), field, shapes[shapeOf(body)].name))
	}
	o.put(t, slot{number: uint16(i), tag: tagObject, text: body})
	return o
}

// set is false where the value is not of the field's sort.
func (o *Object) set(t *template, i int, v any) bool {
	f := &t.shape.fields[i]
	decl := &values[f.value]
	s, scalar := slotOf(v)
	s.number = uint16(i)
	if scalar && s.tag == tagNull && !decl.nullable && !f.required {
		s.tag = tagAbsent
	}
	switch {
	case !scalar:
		if !decl.takes(v) {
			return false
		}
		o.place(t, s.number, v)
		return true
	case s.tag == tagAbsent:
		if f.required {
			return false
		}
	case !decl.takesTag(s.tag):
		return false
	}
	o.put(t, s)
	return true
}

// find is the slot of a field, nil where it has none, and at which place in the order it is or would be.
func (o *Object) find(number uint16) (*slot, int) {
	lo, hi := 0, len(o.order)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch s := &o.slots[o.order[mid]]; {
		case s.number == number:
			return s, mid
		case s.number < number:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return nil, lo
}

// put keeps a slot, unless the field has that value from the start anyway.
func (o *Object) put(t *template, s slot) {
	old, at := o.find(s.number)
	switch {
	case old == nil && s == t.start[s.number]:
	case old == nil:
		o.insert(t, at, s)
	default:
		if old.tag == tagLive {
			o.forget(int(old.bits))
		}
		*old = s
	}
}

func (o *Object) insert(t *template, at int, s slot) {
	if len(o.slots) == cap(o.slots) {
		t.needed(len(o.slots) + 1)
	}
	o.order = append(o.order, 0)
	copy(o.order[at+1:], o.order[at:])
	o.order[at] = uint8(len(o.slots))
	o.slots = append(o.slots, s)
}

// place keeps a value that its holder may change.
func (o *Object) place(t *template, number uint16, v any) {
	old, at := o.find(number)
	if old != nil && old.tag == tagLive {
		o.live[old.bits] = v
		return
	}
	s := slot{number: number, tag: tagLive, bits: int64(len(o.live))}
	o.live = append(o.live, v)
	if old != nil {
		*old = s
		return
	}
	o.insert(t, at, s)
}

func (o *Object) forget(n int) {
	o.live[n] = nil
	if n == len(o.live)-1 {
		o.live = o.live[:n]
	}
}

// peek is the slot of a field that is declared.
func (o *Object) peek(field string) (s slot, ok bool) {
	if o == nil {
		return slot{}, false
	}
	t := templateOf(o.shape)
	i, ok := t.number(field)
	if !ok {
		return slot{}, false
	}
	if s, _ := o.find(uint16(i)); s != nil {
		return *s, true
	}
	return t.start[i], true
}

// Get is a field's value, with integers as int64; nil where it is null, left out or not declared. Objects, maps and lists are the
// object's own: who changes them changes the object.
func (o *Object) Get(field string) any {
	s, ok := o.peek(field)
	if !ok {
		return nil
	}
	if s.tag == tagLive {
		return o.live[s.bits]
	}
	v := s.value()
	if s.mutable() {
		o.place(templateOf(o.shape), s.number, v)
	}
	return v
}

// Has tells whether the field is there, be it null.
func (o *Object) Has(field string) bool {
	s, ok := o.peek(field)
	return ok && s.tag != tagAbsent
}

// String is the text of a field, "" where it has none.
func (o *Object) String(field string) string {
	if s, _ := o.peek(field); s.tag == tagString {
		return s.text
	}
	return ""
}

// Int is the number in a field, 0 where it has none.
func (o *Object) Int(field string) int64 {
	if s, _ := o.peek(field); s.tag == tagInteger {
		return s.bits
	}
	return 0
}

// Bool is the truth of a field, false where it has none.
func (o *Object) Bool(field string) bool {
	s, _ := o.peek(field)
	return s.tag == tagTrue
}

// Sub is the object in a field, nil where it has none.
func (o *Object) Sub(field string) *Object {
	if s, _ := o.peek(field); s.tag != tagLive && s.tag != tagObject {
		return nil
	}
	sub, _ := o.Get(field).(*Object)
	return sub
}

// Map is the map of strings in a field, nil where it has none.
func (o *Object) Map(field string) map[string]string {
	m, _ := o.Get(field).(map[string]string)
	return m
}

// At is the value at the end of a path through nested objects, nil where the path breaks off.
func (o *Object) At(path ...string) any {
	if len(path) == 0 {
		return o
	}
	for _, name := range path[:len(path)-1] {
		o = o.Sub(name)
	}
	return o.Get(path[len(path)-1])
}

// Clone is a copy that shares nothing with the object that could change.
func (o *Object) Clone() *Object {
	if o == nil {
		return nil
	}
	c := made(o.shape, len(o.slots))
	c.order, c.slots = append(c.order, o.order...), append(c.slots, o.slots...)
	for _, v := range o.live {
		c.live = append(c.live, clone(v))
	}
	return c
}
