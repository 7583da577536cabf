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
func (o Op) Decode(encoded string) (*Params, *Error) { return o.decode(encoded, false) }

// decode is strict where it must go by the tables alone, without what extra.go adds.
func (o Op) decode(encoded string, strict bool) (*Params, *Error) {
	p, err := parse(encoded)
	if err != nil {
		return nil, err
	}
	c := checker{op: o, strict: strict}
	p.kind = kindObject
	c.fields(p, node{kind: kindObject, ref: operations[o].root})
	if len(c.unknown) > 0 {
		return nil, c.refusal()
	}
	if c.err != nil {
		return nil, c.err
	}
	return p, nil
}

// refusal names the unknown parameters; for a single one it proposes the name that was probably meant.
func (c *checker) refusal() *Error {
	e := &Error{Code: "parameter_unknown", Param: c.unknown[0]}
	switch {
	case len(c.unknown) > 1:
		e.Message = "Received unknown parameters: " + strings.Join(c.unknown, ", ")
	case c.meant != "":
		e.Message = "Received unknown parameter: " + c.unknown[0] + ". Did you mean " + c.meant + "?"
	default:
		e.Message = "Received unknown parameter: " + c.unknown[0]
	}
	return e
}

// checker holds a tree against what an operation declares.
type checker struct {
	op      Op
	strict  bool // goes by the tables alone
	names   [maxDepth + 1]string
	depth   int
	unknown []string
	meant   string // what was probably meant by the first unknown
	err     *Error // the first
}

// trail is the names on the way to where the checker is.
func (c *checker) trail() []string { return c.names[:c.depth] }

// param is the bracket form of where the checker is, or of the field called name there.
func (c *checker) param(name ...string) string {
	var b strings.Builder
	for i, n := range slices.Concat(c.trail(), name) {
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
func (c *checker) fields(p *Params, n node) {
	fields := objects[n.ref]
	for k := p.first; k != nil; k = k.next {
		decl, ok := lookup(fields, k.name)
		if !ok {
			decl, ok = c.beyond(k.name)
		}
		switch {
		case ok:
			c.enter(k, decl)
		case n.flag&lenient != 0:
			k.setAny()
		default:
			c.reject(k.name, fields)
		}
	}
	for i := range fields {
		if f := &fields[i]; f.required && c.err == nil && p.kid(f.name) == nil {
			name := c.param(f.name)
			c.err = &Error{Code: "parameter_missing", Param: name, Message: "Missing required param: " + name + "."}
		}
	}
}

// reject notes an unknown field.
func (c *checker) reject(name string, fields []param) {
	whole := c.param(name)
	if len(c.unknown) == maxUnknown || slices.Contains(c.unknown, whole) {
		return
	}
	if len(c.unknown) == 0 {
		if near := nearest(name, fields); near != "" {
			c.meant = c.param(near)
		}
	}
	c.unknown = append(c.unknown, whole)
}

// nearest is the field whose name is a few letters from the one given.
func nearest(name string, fields []param) string {
	if len(name) > 60 {
		return ""
	}
	best, least := "", len(name)/4+1
	for i := range fields {
		if d := distance(name, fields[i].name); d <= least && (best == "" || d < least) {
			best, least = fields[i].name, d
		}
	}
	return best
}

// distance counts the letters to insert, drop or change to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
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
	c.names[c.depth] = p.name // parse lets nothing in that is deeper
	c.depth++
	c.check(p, n)
	c.depth--
}
