package spec

// The tables are literals of plain values that point at each other by index, so that the linker lays them out and a process that
// starts has nothing to build. gen/ writes them into the *_gen.go files.

//go:generate go run ./gen

// kind is the sort of value that a parameter takes.
type kind uint8

const (
	kindAny     kind = iota // whatever was sent
	kindString              // text of at most max characters
	kindEnum                // one of enums[ref]
	kindInteger             // 64 bits
	kindNumber              // a decimal with or without a point
	kindDecimal             // a string that holds a decimal
	kindBoolean             // true or false
	kindObject              // the fields of objects[ref]
	kindMap                 // free keys with values of nodes[ref]
	kindArray               // elements of nodes[ref]
)

const (
	unsettable = 1 << iota // takes "", which unsets
	lenient                // Stripe marks the node as wider than the document says
	metadata               // a map under the limits of metadata
	currency               // text that names a currency
)

// node declares a parameter. Equal declarations share one node.
type node struct {
	kind kind
	flag uint8
	max  uint32 // characters; 0 for no limit
	ref  uint16
	alt  uint16 // the next variant of a union; 0 for none
}

// param is a field of an object of parameters. The fields of an object are in order of name.
type param struct {
	name     string
	node     uint16
	required bool
}

// route is a segment in the tree of paths. Its literal continuations are routes[from:to] in order of segment, its continuation
// with a parameter is routes[wild].
type route struct {
	segment  string
	from, to uint16
	wild     uint16 // 0 for none
	ops      [3]uint16
}

// The order of route.ops; an entry is the number of the operation plus one.
const (
	get = iota
	post
	remove
)

// page says how an operation's result is wrapped.
type page uint8

const (
	single page = iota
	listed
	found
	binary // not JSON
)

type operation struct {
	method  string
	path    string
	root    uint16 // objects[root] holds the parameters
	page    page
	results uint16 // unions[results], the shapes of the result or of its elements
}

// form is the sort of value that a field of an API object holds.
type form uint8

const (
	formAny     form = iota // any JSON value
	formString              //
	formFixed               // always the string words[ref]
	formTrue                // always true
	formInteger             //
	formNumber              // the rare float
	formBoolean             //
	formObject              // one of the shapes unions[ref]
	formID                  // an id, or when expanded one of the shapes unions[ref]
	formList                // a Stripe list of shapes unions[ref]
	formArray               // elements of values[ref]
	formMap                 // free keys with values of values[ref]
)

// value declares a field's value. Equal declarations share one.
type value struct {
	form     form
	nullable bool
	ref      uint16
}

// field is a field of a shape; id and object come first, the rest is in order of name.
type field struct {
	name     string
	value    uint16
	required bool // always there
	shown    bool // there from the start: required, or shown by Stripe's fixtures
}

type shape struct {
	name   string
	fields []field // in the order of rendering
}
