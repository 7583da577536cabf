package main

import "slices"

// sighting counts, for one shape, the examples seen in the fixtures, the fields that they had and the types that they said to be of.
type sighting struct {
	examples int
	fields   map[string]int
	kinds    map[string]bool
}

// always are optional fields that Stripe shows although its fixtures lack them: real objects recorded since have them every time.
var always = map[string][]string{
	"charge":           {"radar_options"},
	"checkout.session": {"optional_items"},
	"customer":         {"customer_account"},
	"price":            {"recurring"}, // The fixture is of a price that is paid once, where Stripe shows null.
	"setup_intent":     {"customer_account", "managed_payments"},
	"shipping":         {"address", "name"},
}

// sightings walks every fixture along its schema. A resource is judged by its own fixture alone, because where it is embedded in
// another Stripe's fixtures cut it down to what the document requires.
func sightings(schemas map[string]*schema, fixtures map[string]any) map[string]sighting {
	w := watcher{schemas: schemas, fixtures: fixtures, seen: map[string]sighting{}}
	for _, name := range sorted(fixtures) {
		if schemas[name] != nil {
			w.object(name, fixtures[name], true)
		}
	}
	return w.seen
}

type watcher struct {
	schemas  map[string]*schema
	fixtures map[string]any
	seen     map[string]sighting
}

func (w watcher) object(name string, example any, own bool) {
	fields, ok := example.(map[string]any)
	s := w.schemas[name]
	if !ok || s.Properties == nil {
		return
	}
	if _, resource := w.fixtures[name]; resource && !own {
		return
	}
	if len(fields) == 0 {
		return // The fixtures cut objects down to what is required: of what is optional this says nothing.
	}
	at := w.seen[name]
	if at.fields == nil {
		at.fields, at.kinds = map[string]int{}, map[string]bool{}
	}
	at.examples++
	if kind, ok := fields["type"].(string); ok {
		at.kinds[kind] = true
	}
	for f, v := range fields {
		at.fields[f]++
		if p := s.Properties[f]; p != nil {
			w.value(p, v)
		}
	}
	w.seen[name] = at
}

func (w watcher) value(s *schema, example any) {
	switch example := example.(type) {
	case map[string]any:
		if s.Ref != "" {
			w.object(s.name(), example, false)
			return
		}
		var refs []*schema
		for _, v := range s.AnyOf {
			if v.Ref != "" {
				refs = append(refs, v)
			}
		}
		if i := slices.IndexFunc(refs, func(ref *schema) bool { return w.declares(ref.name(), example) }); i >= 0 {
			w.object(refs[i].name(), example, false)
		}
	case []any:
		if s.Items != nil {
			for _, v := range example {
				w.value(s.Items, v)
			}
		}
	}
}

// declares tells whether an example has only fields that a schema declares.
func (w watcher) declares(name string, example map[string]any) bool {
	for f := range example {
		if w.schemas[name].Properties[f] == nil {
			return false
		}
	}
	return true
}

// shown tells whether an optional field is there from the start.
func (g *shapes) shown(shape, name string, s *schema) bool {
	return slices.Contains(always[shape], name) || g.evident(shape, name, s)
}

// evident tells whether the fixtures show a field. They do not speak for a list, which waits to be asked for by expansion, nor for
// the part of a union that its type names, for only that one part may be there. Others are shown when every example has them, or,
// where there is no example, when they may at least be null.
func (g *shapes) evident(shape, name string, s *schema) bool {
	if s.list() || g.part(shape, name) {
		return false
	}
	at, ok := g.seen[shape]
	if !ok {
		return s.Nullable
	}
	return at.fields[name] == at.examples
}

// part tells whether the field is the details that go with one value of the shape's type.
func (g *shapes) part(shape, name string) bool {
	kind := g.schemas[shape].Properties["type"]
	return kind != nil && (slices.Contains(kind.Enum, name) || g.seen[shape].kinds[name])
}
