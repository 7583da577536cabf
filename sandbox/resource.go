package sandbox

import (
	"net/http"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// resource declares one kind of Stripe object: where it lives, and the few functions that truly behave. Retrieving, listing with
// pages and filters, searching, metadata, expansion, events, and the errors of objects that are not there come from the engine.
//
// A function refuses before it changes anything: what it has changed stays.
type resource struct {
	Object string // shape in the specification and value of "object": payment_intent
	Path   string // of the collection: /v1/payment_intents
	Prefix string // of ids: pi_

	Event string                            // what types of events begin with; empty is Object
	Noun  string                            // how "No such …" calls it; empty is Object
	Param string                            // the param of that error when the id is in the path; empty is "id"
	NewID func(*realm, *spec.Params) string // empty makes ids of the current form

	// Plain parameters are stored as they are given, at creation, update and verbs, in the field of the same name. Takes are the others
	// that the functions below look at. Any other parameter that Stripe knows is refused with a 501 that names it, rather than ignored.
	Plain []string
	Takes []string

	Create func(*call, *record) error // checks the parameters and fills the new object in; nil: there is no creation
	Made   func(*call, *record) error // what follows once the object is stored and announced
	Update func(*call, *record) error // checks and makes changes beyond Plain and metadata; nil: there is no update
	Delete func(*call, *record) error // nil: there is no deletion
	Verbs  verbs

	Filters  []string                             // parameters of the list that the field of the same name must equal; they are indexed
	Index    []string                             // further fields of text by which records are looked up: see world.having
	Keys     map[string]func(*record) string      // what else records are looked up by: it never changes, and is read off without touching the record
	Matches  map[string]func(*call, *record) bool // further filters, by parameter
	Search   []string                             // fields that the query language knows, beside created and metadata
	Searched map[string]func(*record) any         // further fields, which are not read off the object

	Announces []string                                     // the events that the engine emits: created, updated, deleted
	Refresh   func(*realm, *record)                        // brings up to date what time alone changes; nil is nothing
	Expands   map[string]func(*call, *record) *spec.Object // list fields that are absent until expanded
	Includes  map[string]func(*call, *record) any          // other fields that are absent until expanded
	Until     map[string]string                            // versions before which such a list, or what shown adds, is there unasked
	Browser   []string                                     // GET and the verbs that a publishable key may use with a client secret
	Stub      bool                                         // a deleted object still answers with a stub
	Find      func(*call, string) (*record, error)         // finds what is named in the path, for ids that are made on sight
	Others    map[string]func(*call) (appender, error)     // further operations, by method and path

	Due     map[string]func(c *call, r *record, detail string) // what falls due for a record, by name: see world.in; r is nil where there is none
	Compose func(*record) *spec.Object                         // makes the object of a record of which nothing is kept but what is private; changes to it are lost
	Sealed  bool                                               // what is private of a record never changes once it is stored
	Private func() any                                         // a pointer to an empty value of what records know beyond their objects; nil is nothing

	indexed []string // Filters, Index and Keys
}

// verbs are the operations POST <path>/<id>/<verb>.
type verbs map[string]func(*call, *record) error

// appender is whatever can write itself as JSON.
type appender interface{ AppendJSON(dst []byte) []byte }

// handler answers one operation under the world's lock.
type handler func(*call) (appender, error)

func (r *resource) noun() string {
	if r.Noun != "" {
		return r.Noun
	}
	return r.Object
}

func (r *resource) announces(what string) bool { return slices.Contains(r.Announces, what) }

// none is for a resource whose creation or update has nothing to do beyond what the engine does.
func none(*call, *record) error { return nil }

// routes says who answers each operation, by spec.Op.ID(); nil where nobody does.
func routes() []handler {
	table := make([]handler, len(spec.Ops()))
	set := func(method, path string, h handler) {
		op, _, ok := spec.Match(method, path)
		if !ok {
			panic("sandbox: no operation " + method + " " + path + " in Stripe's specification")
		}
		table[op.ID()] = h
	}
	for _, r := range resources {
		r.routes(set)
	}
	return table
}

// one stands for any id in the path of a route.
const one = "/x_1"

func (r *resource) routes(set func(method, path string, h handler)) {
	if r.Path != "" && r.Path != singleton {
		set("GET", r.Path+one, r.retrieve)
		set("GET", r.Path, r.list)
	}
	if r.Create != nil && r.Path != singleton {
		set("POST", r.Path, r.create)
	}
	if r.Update != nil && r.Path != singleton {
		set("POST", r.Path+one, r.update)
	}
	if r.Delete != nil {
		set("DELETE", r.Path+one, r.remove)
	}
	if r.Search != nil {
		set("GET", r.Path+"/search", r.search)
	}
	for name, verb := range r.Verbs {
		set("POST", r.Path+one+"/"+name, func(c *call) (appender, error) { return r.verb(c, name, verb) })
	}
	for where, other := range r.Others {
		method, path, _ := strings.Cut(where, " ")
		set(method, path, other)
	}
}

// singleton is the Path of a resource that has no collection; its operations are among Others.
const singleton = "-"

// named finds the record of a kind that the path names first.
func (c *call) named(kind string) (*record, error) { return kinds[kind].named(c) }

// named finds the record that the path names.
func (r *resource) named(c *call) (*record, error) {
	id := c.path[0].Value
	if r.Find != nil {
		return r.Find(c, id)
	}
	if found := c.find(r.Object, id); found != nil {
		return found, nil
	}
	return nil, r.notFound(id)
}

func (r *resource) notFound(id string) error {
	param := r.Param
	if param == "" {
		param = "id"
	}
	return &apiError{status: http.StatusNotFound, kind: invalidRequest, code: "resource_missing", param: param, message: "No such " + r.noun() + ": '" + id + "'"}
}

func (r *resource) create(c *call) (appender, error) {
	if err := r.takes(c); err != nil {
		return nil, err
	}
	n := c.newRecord(r)
	if err := c.fill(n); err != nil {
		return nil, err
	}
	if err := r.Create(c, n); err != nil {
		return nil, err
	}
	c.insert(n)
	if r.announces("created") {
		c.emit(r.event("created"), n)
	}
	if r.Made != nil {
		if err := r.Made(c, n); err != nil {
			return nil, err
		}
	}
	return c.show(n)
}

// newRecord starts an object with an id of the resource's form.
func (c *call) newRecord(r *resource) *record {
	if r.NewID != nil {
		return c.record(r.Object, r.NewID(c.realm, c.params))
	}
	return c.record(r.Object, c.newID(r.Prefix))
}

// event is the type of an event about the resource.
func (r *resource) event(what string) string {
	if r.Event != "" {
		return r.Event + "." + what
	}
	return r.Object + "." + what
}

func (r *resource) retrieve(c *call) (appender, error) {
	if gone := c.byID[c.path[0].Value]; gone != nil && gone.gone && r.Stub && gone.resource == r {
		return gone.stub(), nil
	}
	found, err := r.named(c)
	if err != nil {
		return nil, err
	}
	if err := r.allowBrowser(c, "GET", found); err != nil {
		return nil, err
	}
	return c.show(found)
}

func (r *resource) update(c *call) (appender, error) {
	found, err := r.named(c)
	if err != nil {
		return nil, err
	}
	if err := r.takes(c); err != nil {
		return nil, err
	}
	before := found.object()
	err = c.changing(found, func() error {
		if err := c.fill(found); err != nil {
			return err
		}
		return r.Update(c, found)
	})
	if err != nil {
		return nil, err
	}
	if r.announces("updated") {
		c.emitUpdated(r.event("updated"), found, before)
	}
	return c.show(found)
}

// changing makes changes on a copy of a record's object, which takes the object's place if none was refused.
func (c *call) changing(r *record, change func() error) error {
	was := r.object()
	r.replace(was.Clone())
	if err := change(); err != nil {
		r.replace(was)
		return err
	}
	return nil
}

func (r *resource) remove(c *call) (appender, error) {
	found, err := r.named(c)
	if err != nil {
		return nil, err
	}
	if err := r.Delete(c, found); err != nil {
		return nil, err
	}
	c.realm.remove(found)
	if r.announces("deleted") {
		c.emit(r.event("deleted"), found)
	}
	return found.stub(), nil
}

func (r *resource) verb(c *call, name string, do func(*call, *record) error) (appender, error) {
	found, err := r.named(c)
	if err != nil {
		return nil, err
	}
	if err := r.allowBrowser(c, name, found); err != nil {
		return nil, err
	}
	if err := r.takes(c); err != nil {
		return nil, err
	}
	if err := do(c, found); err != nil {
		return nil, err
	}
	return c.show(found)
}

// takes refuses parameters that nothing here looks at.
func (r *resource) takes(c *call) error {
	for _, name := range c.params.Names() {
		known := name == "expand" || name == "metadata" || name == "client_secret" && len(r.Browser) > 0
		if !known && !slices.Contains(r.Plain, name) && !slices.Contains(r.Takes, name) && !c.params.Unset(name) {
			return unbuilt("the parameter %s of %s", name, c.op)
		}
	}
	return nil
}

// allowBrowser checks the client secret that a publishable key needs.
func (r *resource) allowBrowser(c *call, what string, found *record) error {
	if !slices.Contains(r.Browser, what) {
		return nil
	}
	return c.ownedByBrowser(found)
}

// stub is what is left to say of a deleted object.
func (r *record) stub() appender {
	return spec.New("deleted_"+r.resource.Object).Set("id", r.id).Set("deleted", true)
}
