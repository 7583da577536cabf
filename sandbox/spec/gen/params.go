package main

import (
	"fmt"
	"slices"
)

// pool numbers rows of a table by their text, so that equal rows share a number.
type pool struct {
	rows    []string
	numbers map[string]int
}

func (p *pool) number(row string) int {
	if n, ok := p.numbers[row]; ok {
		return n
	}
	if p.numbers == nil {
		p.numbers = map[string]int{}
	}
	n := len(p.rows)
	if n > 1<<16-1 {
		panic("a table outgrew its 16-bit index")
	}
	p.rows, p.numbers[row] = append(p.rows, row), n
	return n
}

// node is a row of the nodes table before it is text.
type node struct {
	kind string
	flag []string
	max  int
	ref  int
	alt  int
}

func (n node) row() string {
	row := "kind: " + n.kind
	if len(n.flag) > 0 {
		row += ", flag: " + n.flag[0]
		for _, f := range n.flag[1:] {
			row += " | " + f
		}
	}
	for _, part := range []struct {
		name  string
		value int
	}{{"max", n.max}, {"ref", n.ref}, {"alt", n.alt}} {
		if part.value != 0 {
			row += fmt.Sprintf(", %s: %d", part.name, part.value)
		}
	}
	return "{" + row + "}"
}

// params gathers the tables of parameters.
type params struct {
	nodes, objects, enums pool
}

// node numbers the declaration of one parameter called name.
func (g *params) node(name string, s *schema) int {
	variants, unset := []*schema{s}, false
	if s.AnyOf != nil {
		unset = slices.ContainsFunc(s.AnyOf, (*schema).free)
		variants = slices.DeleteFunc(slices.Clone(s.AnyOf), (*schema).free)
	}
	number := 0
	for i, v := range slices.Backward(variants) {
		n := g.variant(name, v)
		n.alt = number
		if i == 0 && unset && !slices.Contains(n.flag, "unsettable") {
			n.flag = append(n.flag, "unsettable")
		}
		if s.Bypass && n.kind != "kindEnum" && !slices.Contains(n.flag, "lenient") {
			n.flag = append(n.flag, "lenient")
		}
		slices.Sort(n.flag)
		number = g.nodes.number(n.row())
	}
	return number
}

func (g *params) variant(name string, s *schema) node {
	n := node{max: s.MaxLength}
	switch {
	case len(s.Enum) > 0:
		words := slices.DeleteFunc(slices.Clone(s.Enum), func(w string) bool { return w == "" })
		if len(words) < len(s.Enum) {
			n.flag = append(n.flag, "unsettable")
		}
		n.kind, n.max, n.ref = "kindEnum", 0, g.enums.number(fmt.Sprintf("%#v", []string(words))[len("[]string"):])
	case s.Type == "string" && s.Format == "binary":
		n.kind = "kindAny"
	case s.Type == "string" && s.Format == "decimal":
		n.kind = "kindDecimal"
	case s.Type == "string":
		n.kind = "kindString"
		if s.Format == "currency" {
			n.flag = append(n.flag, "currency")
		}
	case s.Type == "integer":
		n.kind = "kindInteger"
	case s.Type == "number":
		n.kind = "kindNumber"
	case s.Type == "boolean":
		n.kind = "kindBoolean"
	case s.Type == "array":
		n.kind, n.ref = "kindArray", g.node(name, s.Items)
	case s.Type == "object" && s.values() != nil:
		n.kind, n.ref = "kindMap", g.node("", s.values())
		if name == "metadata" {
			n.flag = append(n.flag, "metadata")
		}
	case s.Type == "object":
		n.kind, n.ref = "kindObject", g.object(s)
	default:
		panic(fmt.Sprintf("parameter %s is of no known sort: %+v", name, s))
	}
	return n
}

// object numbers a set of fields.
func (g *params) object(s *schema) int {
	row := "{"
	for _, name := range sorted(s.Properties) {
		row += fmt.Sprintf("{%q, %d, %t}, ", name, g.node(name, s.Properties[name]), slices.Contains(s.Required, name))
	}
	return g.objects.number(row + "}")
}

// root numbers the parameters of an operation: those of its query and those of its body, whichever it has.
func (g *params) root(op *operation) int {
	all := schema{Properties: map[string]*schema{}}
	for _, p := range op.Parameters {
		if p.In == "query" {
			all.Properties[p.Name] = p.Schema
			if p.Required {
				all.Required = append(all.Required, p.Name)
			}
		}
	}
	for _, body := range op.RequestBody.Content {
		for name, s := range body.Schema.Properties {
			all.Properties[name] = s
		}
		all.Required = append(all.Required, body.Schema.Required...)
	}
	return g.object(&all)
}
