package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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

// zero is the value that a field has from the start. Metadata is an empty map even where it may be null, as Stripe has it.
func (f *field) zero() any {
	v := &values[f.value]
	if v.nullable && !(f.name == "metadata" && v.form == formMap) {
		return nil
	}
	switch v.form {
	case formString, formID:
		return ""
	case formFixed:
		return words[v.ref]
	case formTrue:
		return true
	case formInteger:
		return int64(0)
	case formNumber:
		return float64(0)
	case formBoolean:
		return false
	case formObject:
		return build(unions[v.ref][0])
	case formList:
		return New("list")
	case formArray:
		return emptyArray(values[v.ref].form)
	case formMap:
		return emptyMap(values[v.ref].form)
	default:
		return map[string]any{}
	}
}

func emptyArray(of form) any {
	switch of {
	case formString, formFixed:
		return []string{}
	case formObject:
		return []*Object{}
	default:
		return []any{}
	}
}

func emptyMap(of form) any {
	switch of {
	case formString:
		return map[string]string{}
	case formInteger:
		return map[string]int64{}
	case formObject:
		return map[string]*Object{}
	default:
		return map[string]any{}
	}
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
	case nil, absent:
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

// takes tells whether v is of the declared sort.
func (d *value) takes(v any) bool {
	if v == nil {
		return d.nullable || d.form == formAny
	}
	switch d.form {
	case formAny:
		return true
	case formString, formFixed:
		_, ok := v.(string)
		return ok
	case formTrue, formBoolean:
		_, ok := v.(bool)
		return ok
	case formInteger:
		_, ok := v.(int64)
		return ok
	case formNumber:
		switch v.(type) {
		case float64, int64:
			return true
		}
		return false
	case formObject:
		o, ok := v.(*Object)
		return ok && slices.Contains(unions[d.ref], o.shape)
	case formID:
		if o, ok := v.(*Object); ok {
			return slices.Contains(unions[d.ref], o.shape)
		}
		_, ok := v.(string)
		return ok
	case formList:
		o, ok := v.(*Object)
		return ok && o.Shape() == "list"
	case formArray:
		switch v.(type) {
		case []any, []string, []*Object:
			return true
		}
		return false
	default:
		switch v.(type) {
		case map[string]string, map[string]int64, map[string]*Object, map[string]any:
			return true
		}
		return false
	}
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

func clone(v any) any {
	switch v := v.(type) {
	case *Object:
		return v.Clone()
	case []*Object:
		c := make([]*Object, len(v))
		for i := range v {
			c[i] = v[i].Clone()
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = clone(v[i])
		}
		return c
	case []string:
		return slices.Clone(v)
	case json.RawMessage:
		return slices.Clone(v)
	case map[string]string:
		return maps.Clone(v)
	case map[string]int64:
		return maps.Clone(v)
	case map[string]any:
		c := make(map[string]any, len(v))
		for k := range v {
			c[k] = clone(v[k])
		}
		return c
	case map[string]*Object:
		c := make(map[string]*Object, len(v))
		for k := range v {
			c[k] = v[k].Clone()
		}
		return c
	default:
		return v
	}
}

// Field is what a shape says of a field.
type Field struct {
	Name       string
	Nullable   bool
	Optional   bool     // may be left out
	List       bool     // a list object of Shapes
	Array      bool     // a plain array; Shapes are of its elements
	Map        bool     // free keys; Shapes are of its values
	Expandable bool     // an id that can be expanded to one of Shapes, or a list that is left out until it is expanded
	Shapes     []string // of a nested, listed or expandable object
}

// FieldOf is what a shape says of one field.
func FieldOf(shape, name string) (Field, bool) {
	n, ok := number(shape)
	if !ok {
		return Field{}, false
	}
	i, ok := shapes[n].field(name)
	if !ok {
		return Field{}, false
	}
	return describe(&shapes[n].fields[i]), true
}

// Fields are what a shape says of all its fields, in the order of rendering.
func Fields(shape string) []Field {
	n, ok := number(shape)
	if !ok {
		return nil
	}
	var all []Field
	for i := range shapes[n].fields {
		all = append(all, describe(&shapes[n].fields[i]))
	}
	return all
}

func describe(f *field) Field {
	v := &values[f.value]
	d := Field{Name: f.name, Nullable: v.nullable, Optional: !f.required}
	elem := v
	switch v.form {
	case formArray:
		d.Array, elem = true, &values[v.ref]
	case formMap:
		d.Map, elem = true, &values[v.ref]
	}
	switch elem.form {
	case formID:
		d.Expandable = true
		d.Shapes = names(elem.ref)
	case formList:
		d.List, d.Expandable = true, !f.required
		d.Shapes = names(elem.ref)
	case formObject:
		d.Shapes = names(elem.ref)
	}
	return d
}
