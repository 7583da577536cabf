package spec

import (
	"encoding/json"
	"maps"
	"slices"
)

// takes tells whether v is of the declared sort.
func (d *value) takes(v any) bool {
	if v == nil {
		return d.nullable || d.form == formAny
	}
	switch d.form {
	case formString, formFixed:
		return is[string](v)
	case formTrue, formBoolean:
		return is[bool](v)
	case formInteger:
		return is[int64](v) || is[int](v)
	case formNumber:
		return finiteFloat(v) || is[int64](v) || is[int](v)
	case formObject:
		return d.takesObject(v)
	case formID:
		return is[string](v) || d.takesObject(v)
	case formList:
		o, ok := v.(*Object)
		return ok && o.Shape() == "list"
	case formArray:
		return !is[json.RawMessage](v) && values[d.ref].takesEach(v, false)
	case formMap:
		return values[d.ref].takesEach(v, true)
	default:
		return d.takesAny(v)
	}
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

func (d *value) takesObject(v any) bool {
	o, ok := v.(*Object)
	return ok && o != nil && slices.Contains(unions[d.ref], o.shape)
}

// takesEach tells whether v is a collection, keyed or not, of what is declared.
func (d *value) takesEach(v any, keyed bool) bool {
	switch v := v.(type) {
	case []string:
		return !keyed && d.takes("")
	case []*Object:
		return !keyed && all(v, d)
	case []any:
		return !keyed && all(v, d)
	case map[string]string:
		return keyed && d.takes("")
	case map[string]int64:
		return keyed && d.takes(int64(0))
	case map[string]*Object:
		return keyed && allIn(v, d)
	case map[string]any:
		return keyed && allIn(v, d)
	default:
		return false
	}
}

func all[E any](elements []E, d *value) bool {
	for _, e := range elements {
		if !d.takes(e) {
			return false
		}
	}
	return true
}

func allIn[E any](elements map[string]E, d *value) bool {
	for _, e := range elements {
		if !d.takes(e) {
			return false
		}
	}
	return true
}

// takesAny tells whether v can be rendered.
func (d *value) takesAny(v any) bool {
	switch v := v.(type) {
	case string, bool, int, int64, json.RawMessage:
		return true
	case float64:
		return finite(v)
	case *Object:
		return v != nil
	}
	return d.takesEach(v, true) || d.takesEach(v, false)
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

func finiteFloat(v any) bool {
	f, ok := v.(float64)
	return ok && finite(f)
}
