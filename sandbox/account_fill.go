package sandbox

import (
	"strconv"

	"github.com/till-pay/till/sandbox/spec"
)

// merge lays parameters over an object, field by field: what is not given stays, what is given as "" becomes null. Parameters that have no
// field of their name are for others to look at.
func merge(o *spec.Object, p *spec.Params) {
	for _, name := range p.Names() {
		field, declared := spec.FieldOf(o.Shape(), name)
		switch {
		case !declared || name == "metadata":
		case p.Unset(name) && len(field.Shapes) > 0 && !field.Expandable && !field.Nullable:
			o.Set(name, spec.New(field.Shapes[0]))
		case p.Unset(name):
			o.Set(name, nil)
		case field.Array:
			o.Set(name, p.Strings(name))
		case len(field.Shapes) > 0 && !field.Expandable:
			into := o.Sub(name)
			if into == nil {
				into = nulled(spec.New(field.Shapes[0]))
			} else {
				into = into.Clone()
			}
			merge(into, p.Sub(name))
			o.Set(name, into)
		default:
			o.Set(name, valueOf(p, name))
		}
	}
}

// valueOf is a parameter as a field takes it.
func valueOf(p *spec.Params, name string) any {
	switch {
	case p.IsInt(name):
		return p.Int(name)
	case p.IsBool(name):
		return p.Bool(name)
	case p.IsNumber(name):
		n, _ := strconv.ParseFloat(p.String(name), 64) // Decode has parsed it before
		return n
	default:
		return p.String(name)
	}
}

// nulled is a new object with null in every field that may be null, as Stripe shows objects whole.
func nulled(o *spec.Object) *spec.Object {
	for _, f := range spec.Fields(o.Shape()) {
		if f.Nullable && !f.List {
			o.Set(f.Name, nil)
		}
	}
	return o
}

// flatten writes what an object says under the names that requirements have: text, numbers, what is true, and the ids of files.
func flatten(o *spec.Object, prefix string, into map[string]string) {
	if o == nil {
		return
	}
	for _, f := range spec.Fields(o.Shape()) {
		switch v := o.Get(f.Name).(type) {
		case string:
			if v != "" {
				into[prefix+f.Name] = v
			}
		case int64:
			into[prefix+f.Name] = strconv.FormatInt(v, 10)
		case float64:
			into[prefix+f.Name] = strconv.FormatFloat(v, 'f', -1, 64)
		case bool:
			if v {
				into[prefix+f.Name] = "true"
			}
		case *spec.Object:
			flatten(v, prefix+f.Name+".", into)
		}
	}
}

// given are the names of all parameters, as requirements write them.
func given(p *spec.Params, prefix string) (all []string) {
	for _, name := range p.Names() {
		if sub := p.Sub(name); sub != nil && len(sub.Names()) > 0 && sub.Names()[0] != "" {
			all = append(all, given(sub, prefix+name+".")...)
			continue
		}
		if !p.Unset(name) {
			all = append(all, prefix+name)
		}
	}
	return all
}
