package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// Bounds of expansion: Stripe's depth, and how many paths one request may name.
const (
	maxExpandDepth = 4
	maxExpandPaths = 64
)

// expansion is the tree of the paths that a request wants expanded; nil is none.
type expansion struct{ fields map[string]*expansion }

func (e *expansion) at(name string) *expansion {
	if e == nil {
		return nil
	}
	return e.fields[name]
}

// wants says whether a path was named.
func (e *expansion) wants(name string) bool { return e.at(name) != nil }

// parseExpand reads the paths and refuses those that the operation's objects cannot expand, before anything happens.
func parseExpand(op spec.Op, paths []string, older []*change) (*expansion, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	if len(paths) > maxExpandPaths {
		return nil, invalid("", "expand", "At most %d properties can be expanded at once.", maxExpandPaths)
	}
	_, listed := op.ResultList()
	_, found := op.ResultSearch()
	root := &expansion{}
	for _, path := range paths {
		if err := checkExpand(op.Results(), path, listed || found); err != nil && (len(older) == 0 || !onlyOlder(path)) {
			return nil, err
		}
		at := root
		for _, name := range strings.Split(path, ".") {
			if at.fields == nil {
				at.fields = map[string]*expansion{}
			}
			if at.fields[name] == nil {
				at.fields[name] = &expansion{}
			}
			at = at.fields[name]
		}
	}
	return root, nil
}

// checkExpand refuses a path that leads nowhere. On a page, paths lead through "data".
func checkExpand(shapes []string, path string, page bool) error {
	segments := strings.Split(path, ".")
	if page {
		if segments[0] == "data" {
			segments = segments[1:]
		} else {
			if path == "total_count" {
				return nil
			}
			return cannotExpand(shapes, path, segments[0])
		}
	}
	if len(segments) > maxExpandDepth {
		return invalid("", "expand", "You cannot expand more than %d levels of a property. Property: %s", maxExpandDepth, path)
	}
	for i, name := range segments {
		fields := fieldsOf(shapes, name)
		if len(fields) == 0 {
			return invalid("", "expand", "This property cannot be expanded because it doesn't exist: %s.", path)
		}
		expands := slices.ContainsFunc(shapes, func(shape string) bool { return kinds[shape] != nil && kinds[shape].includes(name) })
		shapes = nil
		for _, f := range fields {
			expands = expands || f.Expandable || f.List // a list that is there anyway stays as it is
			shapes = append(shapes, f.Shapes...)
		}
		last := i == len(segments)-1
		if last && !expands || !last && len(shapes) == 0 {
			return invalid("", "expand", "This property cannot be expanded (%s).", path)
		}
		if !last && i+1 < len(segments) && segments[i+1] == "data" && fields[0].List {
			return checkExpandList(shapes, segments[i+2:], path)
		}
	}
	return nil
}

// includes says whether a field of the resource's objects is absent until it is expanded.
func (r *resource) includes(name string) bool {
	return r.Expands[name] != nil || r.Includes[name] != nil
}

// checkExpandList goes on below a list within an object; "data" alone does nothing and is allowed.
func checkExpandList(shapes, rest []string, path string) error {
	if len(rest) == 0 {
		return nil
	}
	if err := checkExpand(shapes, strings.Join(rest, "."), false); err != nil {
		return invalid("", "expand", "This property cannot be expanded (%s).", path)
	}
	return nil
}

// cannotExpand is the refusal of a path on a page that does not lead through "data".
func cannotExpand(shapes []string, path, first string) error {
	if path == "object" || path == "has_more" || path == "url" || path == "next_page" {
		return invalid("", "expand", "This property cannot be expanded (%s).", path)
	}
	if len(fieldsOf(shapes, first)) == 0 {
		return invalid("", "expand", "This property cannot be expanded because it doesn't exist: %s.", path)
	}
	return invalid("", "expand", "This property cannot be expanded (%s). You may want to try expanding 'data.%s' instead.", path, path)
}

// fieldsOf is what the shapes say of a field; those that have none say nothing.
func fieldsOf(shapes []string, name string) (all []spec.Field) {
	for _, shape := range shapes {
		if f, ok := spec.FieldOf(shape, name); ok {
			all = append(all, f)
		}
	}
	return all
}

// show is a record as the request wants to see it.
func (c *call) show(r *record) (appender, error) {
	c.refresh(r)
	if c.browser {
		return browserView(r), nil
	}
	if c.expand == nil && !c.showsMore(r) {
		return r, nil
	}
	return c.shown(r, c.expand), nil
}

// refresh brings up to date what time alone changes.
func (w *realm) refresh(r *record) {
	if r.resource.Refresh != nil {
		r.resource.Refresh(w, r)
	}
}

// expanded is a copy of a record's object in which the ids of the tree are replaced by their objects.
func (c *call) expanded(r *record, e *expansion) *spec.Object {
	c.refresh(r)
	shown := r.object().Clone()
	for name, list := range r.resource.Expands {
		if e.wants(name) || c.before(r.resource.Until[name]) {
			shown.Set(name, list(c, r))
		}
	}
	for name, of := range r.resource.Includes {
		if e.wants(name) {
			shown.Set(name, of(c, r))
		}
	}
	if e == nil {
		return shown
	}
	c.expandObject(shown, e)
	return shown
}

func (c *call) expandObject(o *spec.Object, e *expansion) {
	for name, below := range e.fields {
		switch value := o.Get(name).(type) {
		case string:
			c.expandID(o, name, value, below)
		case *spec.Object:
			c.expandObject(value, below)
		case []*spec.Object:
			for _, one := range value {
				c.expandObject(one, below)
			}
		}
	}
}

// expandID replaces an id by its object. Text in a field that is no id stays.
func (c *call) expandID(o *spec.Object, name, id string, below *expansion) {
	f, ok := spec.FieldOf(o.Shape(), name)
	if !ok || !f.Expandable {
		return
	}
	r := c.byID[id]
	if r == nil && len(c.connected) > 0 {
		r = c.lookup(id) // an object of one account names those of another
	}
	if r == nil {
		return
	}
	if r.gone {
		if shape := "deleted_" + r.resource.Object; slices.Contains(f.Shapes, shape) {
			o.Set(name, spec.New(shape).Set("id", r.id).Set("deleted", true))
		}
		return
	}
	if slices.Contains(f.Shapes, r.resource.Object) {
		if r.realm != c.realm {
			c = c.of(r.realm.account)
		}
		o.Set(name, c.expanded(r, below))
	} else if r.resource.Object == "payment_method" && isSource(r) && slices.Contains(f.Shapes, "card") { // a customer's default_source
		o.Set(name, r.asCard())
	}
}
