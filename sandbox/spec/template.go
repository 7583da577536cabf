package spec

import (
	"math"
	"sync"
	"sync/atomic"
)

// template is what objects of a shape have in common. Templates are made when a shape is first used and then kept, so that a process
// starts at once; whoever comes at the same time may make the same one twice.
type template struct {
	shape     *shape
	start     []slot // what each field is from the start
	index     index
	json      string // ,"name":value of each field that is shown from the start
	at        []int  // where in json each field begins; one more than there are fields
	keys      string // ,"name": of each field
	keyAt     []int
	described func() []Field
	most      atomic.Uint32 // slots that an object had when it was packed
}

var templates [len(shapes)]atomic.Pointer[template]

func templateOf(n uint16) *template {
	if t := templates[n].Load(); t != nil {
		return t
	}
	return newTemplate(n)
}

// newTemplate ends, because no shape requires itself, not even by way of others: the tests make every one.
func newTemplate(n uint16) *template {
	s := &shapes[n]
	if len(s.fields) > math.MaxUint8 {
		panic("spec: an Object numbers its slots with a byte")
	}
	t := &template{shape: s, start: make([]slot, len(s.fields)), index: newIndex(len(s.fields))}
	var json, keys []byte
	for i := range s.fields {
		f := &s.fields[i]
		t.index.add(f.name, i)
		t.at, t.keyAt = append(t.at, len(json)), append(t.keyAt, len(keys))
		key := `,"` + f.name + `":` // Names of fields need no escaping.
		keys = append(keys, key...)
		t.start[i] = slot{number: uint16(i), tag: tagAbsent}
		if f.shown {
			t.start[i] = f.start(i)
			json = t.start[i].appendJSON(append(json, key...))
		}
	}
	t.json, t.keys = string(json), string(keys)
	t.at, t.keyAt = append(t.at, len(json)), append(t.keyAt, len(keys))
	t.described = sync.OnceValue(s.describe)
	templates[n].CompareAndSwap(nil, t)
	return templates[n].Load()
}

func (s *shape) describe() []Field {
	all := make([]Field, len(s.fields))
	for i := range s.fields {
		all[i] = describe(&s.fields[i])
	}
	return all
}

// number finds a field.
func (t *template) number(field string) (int, bool) {
	return t.index.find(field)
}

func (t *template) declares(i int) *value { return &values[t.shape.fields[i].value] }

// key is ,"name": of a field.
func (t *template) key(i uint16) string { return t.keys[t.keyAt[i]:t.keyAt[i+1]] }

// room is for how many slots a new object has room: for as many as others of its shape came to need.
func (t *template) room() int { return int(t.most.Load()) }

// needed notes how many slots an object came to need.
func (t *template) needed(n int) {
	if n > int(t.most.Load()) {
		t.most.Store(uint32(n))
	}
}

// start is the value that a field has from the start. Metadata is an empty map even where it may be null, as Stripe has it.
func (f *field) start(i int) slot {
	v := &values[f.value]
	s := slot{number: uint16(i)}
	if v.nullable && !(f.name == "metadata" && v.form == formMap) {
		return s
	}
	switch v.form {
	case formString, formID:
		s.tag = tagString
	case formFixed:
		s.tag, s.text = tagString, words[v.ref]
	case formTrue:
		s.tag = tagTrue
	case formInteger:
		s.tag = tagInteger
	case formNumber:
		s.tag = tagNumber
	case formBoolean:
		s.tag = tagFalse
	case formObject:
		s.tag, s.text = tagObject, string(appendUvarint(nil, uint64(unions[v.ref][0])))
	case formList:
		n, _ := number("list")
		s.tag, s.text = tagObject, string(appendUvarint(nil, uint64(n)))
	case formArray:
		s.tag = v.emptyList()
	default:
		s.tag = v.emptyMap()
	}
	return s
}

// emptyList is the sort of a list without elements, as the field declares it; nil declares any.
func (d *value) emptyList() tag {
	if d == nil || d.form != formArray {
		return tagList
	}
	switch values[d.ref].form {
	case formString, formFixed:
		return tagStrings
	case formObject:
		return tagObjects
	default:
		return tagList
	}
}

// emptyMap is the sort of a map without entries, as the field declares it; nil declares any.
func (d *value) emptyMap() tag {
	if d == nil || d.form != formMap {
		return tagMap
	}
	switch values[d.ref].form {
	case formString:
		return tagStringMap
	case formInteger:
		return tagIntegerMap
	case formObject:
		return tagObjectMap
	default:
		return tagMap
	}
}

// number finds a shape.
func number(name string) (uint16, bool) {
	i, ok := shapeIndex().find(name)
	return uint16(i), ok
}

var shapeIndex = sync.OnceValue(func() index {
	x := newIndex(len(shapes))
	for i := range shapes {
		x.add(shapes[i].name, i)
	}
	return x
})

// index finds numbers by name: a table of some places for each name, in which a name that finds its place taken stands behind.
type index []entry

type entry struct {
	name   string
	number int
	taken  bool
}

func newIndex(n int) index {
	size := 4
	for size < 3*n {
		size *= 2
	}
	return make(index, size)
}

// place is where a name belongs: by its length and by letters in which names differ.
func (x index) place(name string) uint32 {
	n := uint(len(name))
	if n == 0 {
		return 0
	}
	h := uint32(n)*0x9e3779b1 ^ uint32(name[0])*0x85ebca6b ^ uint32(name[n/2])*0xc2b2ae35 ^ uint32(name[n-1])*0x27d4eb2f ^ uint32(name[n/4])*0x165667b1
	return h >> 13
}

func (x index) add(name string, number int) {
	at := x.place(name)
	for x[at&uint32(len(x)-1)].taken {
		at++
	}
	x[at&uint32(len(x)-1)] = entry{name, number, true}
}

func (x index) find(name string) (int, bool) {
	for at := x.place(name); ; at++ {
		switch e := &x[at&uint32(len(x)-1)]; {
		case !e.taken:
			return 0, false
		case e.name == name:
			return e.number, true
		}
	}
}
