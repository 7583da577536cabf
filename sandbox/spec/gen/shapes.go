package main

import (
	"fmt"
	"slices"
	"strings"
)

// shapes gathers the tables of API objects.
type shapes struct {
	schemas       map[string]*schema
	seen          map[string]sighting
	names         []string
	numbers       map[string]int
	values        pool
	unions, words pool
}

func newShapes(schemas map[string]*schema, fixtures map[string]any) *shapes {
	g := &shapes{schemas: schemas, numbers: map[string]int{}, seen: sightings(schemas, fixtures)}
	for _, name := range sorted(schemas) {
		if schemas[name].Properties != nil || schemas[name].Type == "object" {
			g.names = append(g.names, name)
		}
	}
	// Pages are written out in the document wherever they occur; here each is a shape of its own.
	g.names = append(g.names, "list", "search_result")
	slices.Sort(g.names)
	for i, name := range g.names {
		g.numbers[name] = i
	}
	return g
}

// union numbers the set of shapes that the schemas stand for; a polymorphic schema stands for its members.
func (g *shapes) union(refs []*schema) int {
	row := "{"
	for _, n := range g.members(refs) {
		row += fmt.Sprintf("%d, ", n)
	}
	return g.unions.number(row + "}")
}

func (g *shapes) members(refs []*schema) []int {
	var all []int
	for _, ref := range refs {
		if n, ok := g.numbers[ref.name()]; ok {
			all = append(all, n)
			continue
		}
		target := g.schemas[ref.name()]
		if target == nil || target.AnyOf == nil {
			panic(fmt.Sprintf("%q is neither an object nor a union of objects", ref.Ref))
		}
		all = append(all, g.members(target.AnyOf)...)
	}
	return all
}

// value numbers the declaration of a field's value.
func (g *shapes) value(s *schema) int {
	form, ref := g.form(s)
	row := "form: " + form
	if s.Nullable {
		row += ", nullable: true"
	}
	if ref != 0 {
		row += fmt.Sprintf(", ref: %d", ref)
	}
	return g.values.number("{" + row + "}")
}

func (g *shapes) form(s *schema) (string, int) {
	var refs []*schema
	for _, v := range s.AnyOf {
		if v.Ref != "" {
			refs = append(refs, v)
		}
	}
	switch {
	case s.Ref != "":
		return "formObject", g.union([]*schema{s})
	case s.AnyOf != nil && len(refs) == len(s.AnyOf):
		return "formObject", g.union(refs)
	case s.AnyOf != nil && len(refs) == len(s.AnyOf)-1 && s.AnyOf[0].Type == "string":
		return "formID", g.union(refs)
	case s.Type == "boolean" && len(s.Enum) == 1:
		return "formTrue", 0
	case len(s.Enum) == 1:
		return "formFixed", g.words.number(fmt.Sprintf("%q", s.Enum[0]))
	case s.Type == "string":
		return "formString", 0
	case s.Type == "integer":
		return "formInteger", 0
	case s.Type == "number":
		return "formNumber", 0
	case s.Type == "boolean":
		return "formBoolean", 0
	case s.Type == "array":
		return "formArray", g.value(s.Items)
	case s.Type == "object" && s.list():
		return "formList", g.union(g.elements(s))
	case s.Type == "object" && s.values() != nil && s.values().Type == "" && s.values().Ref == "" && s.values().AnyOf == nil:
		return "formAny", 0
	case s.Type == "object" && s.values() != nil:
		return "formMap", g.value(s.values())
	case s.Type == "object" && s.Properties == nil:
		return "formAny", 0
	default:
		panic(fmt.Sprintf("field of no known sort: %+v", s))
	}
}

// elements is what a page holds.
func (g *shapes) elements(s *schema) []*schema {
	items := s.Properties["data"].Items
	if items.AnyOf != nil {
		return items.AnyOf
	}
	return []*schema{items}
}

// result says how a reply is wrapped and numbers the shapes in it.
func (g *shapes) result(op *operation) (string, int) {
	body, ok := op.Responses["200"].Content["application/json"]
	switch s := body.Schema; {
	case !ok:
		return "binary", g.union(nil)
	case s.list():
		return "listed", g.union(g.elements(s))
	case s.found():
		return "found", g.union(g.elements(s))
	case s.AnyOf != nil:
		return "single", g.union(s.AnyOf)
	default:
		return "single", g.union([]*schema{s})
	}
}

// rows are the shapes with their fields.
func (g *shapes) rows() []string {
	var rows []string
	for _, name := range g.names {
		row := fmt.Sprintf("{%q, []field{", name)
		switch name {
		case "list", "search_result":
			row += g.page(name)
		default:
			s := g.schemas[name]
			for _, f := range inOrder(sorted(s.Properties)) {
				row += g.field(name, f, s)
			}
		}
		rows = append(rows, row+"}}")
	}
	return rows
}

func (g *shapes) field(shape, name string, s *schema) string {
	p := s.Properties[name]
	required := slices.Contains(s.Required, name)
	return fmt.Sprintf("{%q, %d, %t, %t}, ", name, g.value(p), required, required || g.shown(shape, name, p))
}

// page writes the fields that every page of the kind has.
func (g *shapes) page(object string) string {
	row := fmt.Sprintf("{%q, %d, true, true}, ", "object", g.value(&schema{Type: "string", Enum: []string{object}}))
	row += fmt.Sprintf("{%q, %d, true, true}, ", "data", g.value(&schema{Type: "array", Items: &schema{Type: "object"}}))
	row += fmt.Sprintf("{%q, %d, true, true}, ", "has_more", g.value(&schema{Type: "boolean"}))
	if object == "search_result" {
		row += fmt.Sprintf("{%q, %d, false, true}, ", "next_page", g.value(&schema{Type: "string", Nullable: true}))
		row += fmt.Sprintf("{%q, %d, false, false}, ", "total_count", g.value(&schema{Type: "integer"}))
	}
	return row + fmt.Sprintf("{%q, %d, true, true}, ", "url", g.value(&schema{Type: "string"}))
}

// inOrder puts id and object first, as Stripe renders them.
func inOrder(names []string) []string {
	rank := func(name string) int {
		switch name {
		case "id":
			return 0
		case "object":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(names, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names
}
