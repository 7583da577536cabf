package spec

import (
	"encoding/json"
	"maps"
	"slices"
)

// takes tells whether v is of the declared sort.
func (d *value) takes(v any) bool {
	if s, scalar := slotOf(v); scalar {
		return d.takesTag(s.tag)
	}
	if o, ok := v.(*Object); ok {
		return d.takesShape(o.shape)
	}
	switch d.form {
	case formArray:
		return values[d.ref].takesList(v)
	case formMap:
		return values[d.ref].takesMap(v)
	case formAny:
		_, raw := v.(json.RawMessage)
		return raw || d.takesList(v) || d.takesMap(v)
	default:
		return false
	}
}

// takesTag tells whether a scalar, of which the tag says enough, is of the declared sort.
func (d *value) takesTag(t tag) bool {
	switch {
	case t == tagAbsent:
		return false
	case d.form == formAny:
		return true
	case t == tagNull:
		return d.nullable
	}
	switch d.form {
	case formString, formFixed, formID:
		return t == tagString
	case formTrue, formBoolean:
		return t == tagTrue || t == tagFalse
	case formInteger:
		return t == tagInteger
	case formNumber:
		return t == tagNumber || t == tagInteger
	default:
		return false
	}
}

// takesShape tells whether objects of a shape are of the declared sort.
func (d *value) takesShape(shape uint16) bool {
	switch d.form {
	case formAny:
		return true
	case formList:
		return shapes[shape].name == "list"
	case formObject, formID:
		return slices.Contains(unions[d.ref], shape)
	default:
		return false
	}
}

// takesList tells whether v is a list of what is declared.
func (d *value) takesList(v any) bool {
	switch v := v.(type) {
	case []string:
		return d.takesTag(tagString)
	case []*Object:
		return !slices.ContainsFunc(v, func(o *Object) bool { return o == nil || !d.takesShape(o.shape) })
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !d.takes(e) })
	default:
		return false
	}
}

// takesMap tells whether v is a map to what is declared.
func (d *value) takesMap(v any) bool {
	switch v := v.(type) {
	case map[string]string:
		return d.takesTag(tagString)
	case map[string]int64:
		return d.takesTag(tagInteger)
	case map[string]*Object:
		for _, o := range v {
			if o == nil || !d.takesShape(o.shape) {
				return false
			}
		}
		return true
	case map[string]any:
		for _, e := range v {
			if !d.takes(e) {
				return false
			}
		}
		return true
	default:
		return false
	}
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
