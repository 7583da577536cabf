package spec

import (
	"fmt"
	"slices"
	"strings"
)

// Error is a refusal of parameters, answered with status 400 and type invalid_request_error.
type Error struct{ Code, Param, Message string }

func (e *Error) Error() string { return e.Message }

// Decode reads the form-encoded parameters of a request, be they its query or its body, and refuses with Stripe's words what the
// operation does not take. Unknown parameters are refused first, all at once; then what has a wrong value or is missing.
func (o Op) Decode(encoded string) (*Params, *Error) { return o.decode(encoded, extras) }

func (o Op) decode(encoded string, beyond []extra) (*Params, *Error) {
	p, err := parse(encoded)
	if err != nil {
		return nil, err
	}
	c := checker{op: o, extras: beyond}
	p.kind = kindObject
	c.fields(p, operations[o].root)
	switch len(c.unknown) {
	case 0:
		if c.err != nil {
			return nil, c.err
		}
		return p, nil
	case 1:
		return nil, &Error{Code: "parameter_unknown", Param: c.unknown[0], Message: "Received unknown parameter: " + c.unknown[0]}
	default:
		return nil, &Error{Code: "parameter_unknown", Param: c.unknown[0], Message: "Received unknown parameters: " + strings.Join(c.unknown, ", ")}
	}
}

// checker holds a tree against what an operation declares.
type checker struct {
	op      Op
	extras  []extra
	trail   []string // names on the way to where it is
	unknown []string
	err     *Error // the first
}

// param is the bracket form of where the checker is, or of the field called name there.
func (c *checker) param(name ...string) string {
	var b strings.Builder
	for i, n := range append(c.trail[:len(c.trail):len(c.trail)], name...) {
		if i == 0 {
			b.WriteString(n)
			continue
		}
		b.WriteString("[" + n + "]")
	}
	return b.String()
}

func (c *checker) refuse(code, message string, args ...any) {
	if c.err == nil {
		c.err = &Error{Code: code, Param: c.param(), Message: fmt.Sprintf(message, args...)}
	}
}

// fields checks the fields of an object.
func (c *checker) fields(p *Params, object uint16) {
	for k := p.first; k != nil; k = k.next {
		n, ok := lookup(objects[object], k.name)
		if !ok {
			n, ok = c.beyond(k.name)
		}
		if !ok {
			if name := c.param(k.name); len(c.unknown) < maxUnknown && !slices.Contains(c.unknown, name) {
				c.unknown = append(c.unknown, name)
			}
			continue
		}
		c.enter(k, n)
	}
	for i := range objects[object] {
		if f := &objects[object][i]; f.required && c.err == nil && p.kid(f.name) == nil {
			name := c.param(f.name)
			c.err = &Error{Code: "parameter_missing", Param: name, Message: "Missing required param: " + name + "."}
		}
	}
}

// maxUnknown bounds how many unknown parameters one refusal names.
const maxUnknown = 20

func lookup(fields []param, name string) (node, bool) {
	lo, hi := 0, len(fields)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch c := strings.Compare(name, fields[mid].name); {
		case c == 0:
			return nodes[fields[mid].node], true
		case c < 0:
			hi = mid
		default:
			lo = mid + 1
		}
	}
	return node{}, false
}

func (c *checker) enter(p *Params, n node) {
	c.trail = append(c.trail, p.name)
	c.check(p, n)
	c.trail = c.trail[:len(c.trail)-1]
}
