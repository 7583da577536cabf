package main

import "slices"

// sighting counts, for one shape, the examples seen in the fixtures and the fields that they had.
type sighting struct {
	examples int
	fields   map[string]int
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
	at := w.seen[name]
	if at.fields == nil {
		at.fields = map[string]int{}
	}
	at.examples++
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
		if len(refs) == 1 {
			w.object(refs[0].name(), example, false)
		}
	case []any:
		if s.Items != nil {
			for _, v := range example {
				w.value(s.Items, v)
			}
		}
	}
}

// shown tells whether an optional field is there from the start. A list is not: it waits to be asked for by expansion. Nor is the
// part of a union that its type names, for only that one part may be there. Others are there when every example has them, or,
// where there is no example, when they may at least be null.
func (g *shapes) shown(shape, name string, s *schema) bool {
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
	return kind != nil && slices.Contains(kind.Enum, name)
}
