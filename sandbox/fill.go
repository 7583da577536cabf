package sandbox

import "github.com/till-pay/till/sandbox/spec"

// Limits of metadata are the specification's; Decode has held them for one request, but an update adds to what is there.
const maxMetadata = spec.MetadataKeys

// fill stores the parameters that are taken as they are, and the metadata.
func (c *call) fill(r *record) error {
	if err := c.fillMetadata(r.object()); err != nil {
		return err
	}
	for _, name := range r.resource.Plain {
		if c.params.Has(name) {
			set(r.object(), name, c.params)
		}
	}
	return nil
}

// fillMetadata merges the request's metadata into an object's, which has some, if none, from its beginning.
func (c *call) fillMetadata(o *spec.Object) error {
	if _, declared := spec.FieldOf(o.Shape(), "metadata"); declared && !c.params.Has("metadata") && o.Get("metadata") == nil {
		o.Set("metadata", map[string]string{})
	}
	return mergeMetadata(o, c.params)
}

// mergeMetadata merges: a key with an empty value is removed, an empty metadata removes all.
func mergeMetadata(o *spec.Object, p *spec.Params) error {
	given, ok := p.Map("metadata")
	switch {
	case p.Unset("metadata"):
		o.Set("metadata", map[string]string{})
		return nil
	case !ok:
		return nil
	}
	merged := make(map[string]string, len(given))
	for key, value := range o.Map("metadata") {
		merged[key] = value
	}
	for key, value := range given {
		if value == "" {
			delete(merged, key)
			continue
		}
		merged[key] = value
	}
	if len(merged) > maxMetadata {
		return invalid("", "metadata", "Metadata can have at most %d keys; this would make %d.", maxMetadata, len(merged))
	}
	o.Set("metadata", merged)
	return nil
}

// set stores one parameter in the field of the same name: text, a number, a list of texts, or an object of such.
func set(o *spec.Object, name string, params *spec.Params) {
	field, declared := spec.FieldOf(o.Shape(), name)
	if !declared {
		return // the parameter only steers what happens
	}
	switch {
	case params.Unset(name):
		o.Set(name, nil)
	case field.Array && len(field.Shapes) > 0:
		var all []*spec.Object
		for _, one := range params.List(name) {
			all = append(all, nested(spec.New(field.Shapes[0]), one))
		}
		o.Set(name, all)
	case field.Array:
		o.Set(name, params.Strings(name))
	case len(field.Shapes) > 0 && !field.Expandable:
		into := o.Sub(name)
		if into == nil {
			into = spec.New(field.Shapes[0])
		} else {
			into = into.Clone()
		}
		o.Set(name, nested(into, params.Sub(name)))
	case params.IsInt(name):
		o.Set(name, params.Int(name))
	default:
		o.Set(name, params.String(name))
	}
}

// nested fills an object within an object. What may be null and was not given is null, as Stripe shows such objects whole.
func nested(o *spec.Object, params *spec.Params) *spec.Object {
	for _, name := range params.Names() {
		set(o, name, params)
	}
	for _, f := range spec.Fields(o.Shape()) {
		if f.Nullable && !f.List && !o.Has(f.Name) {
			o.Set(f.Name, nil)
		}
	}
	return o
}
