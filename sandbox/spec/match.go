// Package spec is what Stripe's published OpenAPI document says of its API, as tables: which operations there are, which
// parameters each takes and which fields the objects of its answers have. Nothing is parsed when a process starts.
//
// Match finds the operation of a request, Op.Decode reads its parameters and refuses bad ones in Stripe's words, and New makes
// objects that have every field that Stripe shows.
package spec

import (
	"net/url"
	"strings"
)

// Op is an operation of the API, a method on a path.
type Op uint16

// PathParam is a parameter in the path of a request. Its name is the one that a 404 gives as param, such as intent.
type PathParam struct{ Name, Value string }

// Ops lists all operations in order of path.
func Ops() []Op {
	all := make([]Op, len(operations))
	for i := range all {
		all[i] = Op(i)
	}
	return all
}

// ID is the operation's place in Ops. It changes from one version of the tables to the next.
func (o Op) ID() int { return int(o) }

// Method is GET, POST or DELETE.
func (o Op) Method() string { return operations[o].method }

// Path is the path's template, such as /v1/payment_intents/{intent}/confirm.
func (o Op) Path() string { return operations[o].path }

func (o Op) String() string { return o.Method() + " " + o.Path() }

// Names are the names of the parameters that the operation takes, in order, without those of its path.
func (o Op) Names() []string {
	var all []string
	for _, p := range objects[operations[o].root] {
		all = append(all, p.name)
	}
	return all
}

// Result is the shape of the object that the operation answers with, the first where it may be one of several, and "" where the
// answer is a page (see ResultList and ResultSearch) or no JSON.
func (o Op) Result() string {
	if operations[o].page != single {
		return ""
	}
	return o.first()
}

// Results are all the shapes that the answer, or an element of its page, may have. Where a deleted object is answered with a stub,
// the stub's shape is among them.
func (o Op) Results() []string { return names(operations[o].results) }

// ResultList is the shape of the elements where the answer is a list.
func (o Op) ResultList() (item string, ok bool) {
	if operations[o].page != listed {
		return "", false
	}
	return o.first(), true
}

// ResultSearch is the shape of the elements where the answer is a search_result.
func (o Op) ResultSearch() (item string, ok bool) {
	if operations[o].page != found {
		return "", false
	}
	return o.first(), true
}

func (o Op) first() string {
	if of := unions[operations[o].results]; len(of) > 0 {
		return shapes[of[0]].name
	}
	return ""
}

// Match finds the operation of a request by its method and its path, escaped or not. A literal segment beats a parameter, so that
// /v1/payment_intents/search is no payment_intent.
func Match(method, path string) (Op, []PathParam, bool) {
	var column int
	switch method {
	case "GET":
		column = get
	case "POST":
		column = post
	case "DELETE":
		column = remove
	default:
		return 0, nil, false
	}
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return 0, nil, false
	}
	number := walk(&routes[0], column, rest)
	if number == 0 {
		return 0, nil, false
	}
	op := Op(number - 1)
	return op, op.pathParams(rest), true
}

// walk goes down the tree of paths along rest and returns the number of the operation plus one, or 0. It goes no deeper than the
// tree does.
func walk(at *route, column int, rest string) uint16 {
	segment, rest, more := strings.Cut(rest, "/")
	if segment == "" {
		return 0
	}
	if next := literal(at, segment); next != nil {
		if number := arrive(next, column, rest, more); number != 0 {
			return number
		}
	}
	if at.wild == 0 {
		return 0
	}
	return arrive(&routes[at.wild], column, rest, more)
}

func arrive(at *route, column int, rest string, more bool) uint16 {
	if more {
		return walk(at, column, rest)
	}
	return at.ops[column]
}

func literal(at *route, segment string) *route {
	lo, hi := int(at.from), int(at.to)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch c := strings.Compare(segment, routes[mid].segment); {
		case c == 0:
			return &routes[mid]
		case c < 0:
			hi = mid
		default:
			lo = mid + 1
		}
	}
	return nil
}

// pathParams takes the parameters out of a path, without its leading slash, that the operation is known to match.
func (o Op) pathParams(path string) []PathParam {
	template := operations[o].path[1:]
	n := strings.Count(template, "{")
	if n == 0 {
		return nil
	}
	params := make([]PathParam, 0, n)
	for template != "" {
		var name, value string
		name, template, _ = strings.Cut(template, "/")
		value, path, _ = strings.Cut(path, "/")
		if name[0] != '{' {
			continue
		}
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
		params = append(params, PathParam{Name: name[1 : len(name)-1], Value: value})
	}
	return params
}

func names(union uint16) []string {
	of := unions[union]
	if len(of) == 0 {
		return nil
	}
	all := make([]string, len(of))
	for i, n := range of {
		all[i] = shapes[n].name
	}
	return all
}
