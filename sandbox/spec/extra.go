package spec

import "slices"

// extra is something that Stripe takes although its published document lacks it.
type extra struct {
	paths  []string // operations, method and path
	within []string // the names on the way to the object; * for any
	name   string   // a field of that object, declared by is or like
	is     node
	like   *place
	word   string // or a word more for the enumeration at within
	reason string
}

// place is where a declaration is found that a field is like.
type place struct {
	op   string
	path []string
}

var extras = []extra{}

// beyond finds a field that the tables lack among the extras.
func (c *checker) beyond(name string) (node, bool) {
	for i := range c.extras {
		e := &c.extras[i]
		if e.name != name || !c.here(e) {
			continue
		}
		if e.like != nil {
			return e.like.node()
		}
		return e.is, true
	}
	return node{}, false
}

// beyondWord tells whether an enumeration takes a word that the tables lack.
func (c *checker) beyondWord(word string) bool {
	return slices.ContainsFunc(c.extras, func(e extra) bool { return e.word == word && c.here(&e) })
}

func (c *checker) here(e *extra) bool {
	return slices.EqualFunc(e.within, c.trail, func(want, name string) bool { return want == "*" || want == name }) &&
		slices.Contains(e.paths, c.op.String())
}

func (at *place) node() (node, bool) {
	for _, o := range Ops() {
		if o.String() != at.op {
			continue
		}
		n := node{kind: kindObject, ref: operations[o].root}
		for _, name := range at.path {
			var ok bool
			if n, ok = lookup(objects[n.ref], name); !ok {
				return node{}, false
			}
		}
		return n, true
	}
	return node{}, false
}
