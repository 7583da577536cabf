package spec

import (
	"fmt"
	"sort"
)

// Object is an object of Stripe's API. It has exactly the fields that its shape declares, and from the start all that Stripe shows.
type Object struct {
	shape  uint16
	values []any // by number of field
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

// number finds a shape.
func number(name string) (uint16, bool) {
	i, ok := sort.Find(len(shapes), func(i int) int {
		switch {
		case name < shapes[i].name:
			return -1
		case name > shapes[i].name:
			return 1
		}
		return 0
	})
	return uint16(i), ok
}

// New makes an object of a shape. Nullable fields are null; required ones are zero, empty or in turn New; optional ones are there
// if Stripe's fixtures show them. An unknown shape panics.
func New(shape string) *Object {
	n, ok := number(shape)
	if !ok {
		panic(fmt.Sprintf("spec: there is no shape %q", shape))
	}
	return build(n)
}

// build ends, because no shape requires itself, not even by way of others: the tests build every one.
func build(n uint16) *Object {
	fields := shapes[n].fields
	o := &Object{shape: n, values: make([]any, len(fields))}
	for i := range fields {
		f := &fields[i]
		if !f.shown {
			o.values[i] = Absent
			continue
		}
		o.values[i] = f.zero()
	}
	return o
}

// Shape is the name of the object's shape.
func (o *Object) Shape() string { return shapes[o.shape].name }

// field finds the number of a field.
func (o *Object) field(name string) (int, bool) { return shapes[o.shape].field(name) }

func (s *shape) field(name string) (int, bool) {
	for i := range s.fields {
		if s.fields[i].name == name {
			return i, true
		}
	}
	return 0, false
}

// Set gives a field a value: nil, a bool, an int or int64, a string, a float64, a slice of strings, of anys or of objects, a map, an
// *Object, or Absent. Nil leaves an optional field out that cannot be null. A field that the shape does not declare, and a value
// that is not of the field's sort, panic: either is a mistake in the program that any test meets.
func (o *Object) Set(field string, v any) *Object {
	i, ok := o.field(field)
	if !ok {
		panic(fmt.Sprintf("spec: %s has no field %q", o.Shape(), field))
	}
	f := &shapes[o.shape].fields[i]
	decl := &values[f.value]
	switch x := v.(type) {
	case int:
		v = int64(x)
	case *Object:
		if x == nil {
			v = nil
		}
	}
	if v == nil && !decl.nullable && !f.required {
		v = Absent
	}
	if v == Absent && f.required || v != Absent && !decl.takes(v) {
		panic(fmt.Sprintf("spec: %s.%s cannot be %T %v", o.Shape(), field, v, v))
	}
	o.values[i] = v
	return o
}

// Get is a field's value, with integers as int64; nil where it is null, left out or not declared.
func (o *Object) Get(field string) any {
	if o == nil {
		return nil
	}
	i, ok := o.field(field)
	if !ok || o.values[i] == Absent {
		return nil
	}
	return o.values[i]
}

// Has tells whether the field is there, be it null.
func (o *Object) Has(field string) bool {
	if o == nil {
		return false
	}
	i, ok := o.field(field)
	return ok && o.values[i] != Absent
}

// String is the text of a field, "" where it has none.
func (o *Object) String(field string) string {
	s, _ := o.Get(field).(string)
	return s
}

// Int is the number in a field, 0 where it has none.
func (o *Object) Int(field string) int64 {
	n, _ := o.Get(field).(int64)
	return n
}

// Bool is the truth of a field, false where it has none.
func (o *Object) Bool(field string) bool {
	b, _ := o.Get(field).(bool)
	return b
}

// Sub is the object in a field, nil where it has none.
func (o *Object) Sub(field string) *Object {
	s, _ := o.Get(field).(*Object)
	return s
}

// Map is the map of strings in a field, nil where it has none.
func (o *Object) Map(field string) map[string]string {
	m, _ := o.Get(field).(map[string]string)
	return m
}

// At is the value at the end of a path through nested objects, nil where the path breaks off.
func (o *Object) At(path ...string) any {
	var v any = o
	for _, name := range path {
		o, ok := v.(*Object)
		if !ok {
			return nil
		}
		v = o.Get(name)
	}
	return v
}

// Clone is a copy that shares nothing with the object that could change.
func (o *Object) Clone() *Object {
	if o == nil {
		return nil
	}
	c := &Object{shape: o.shape, values: make([]any, len(o.values))}
	for i, v := range o.values {
		c.values[i] = clone(v)
	}
	return c
}
