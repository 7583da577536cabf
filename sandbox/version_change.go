package sandbox

import (
	"net/url"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// change is one of the changes of Stripe's API that clients of older versions must not see. The sandbox keeps and renders what the
// newest version has; for an older one, what was changed since is undone, the latest change first, as Stripe does it
// (stripe.com/blog/api-versioning). A change that only moves a default has no functions: whoever decides asks call.before.
type change struct {
	Version string // that introduced it, by its date
	Name    string // unique, such as "charge.refunds"
	What    string // how it is otherwise before, in a sentence
	Source  string // where that is known from

	Objects []string          // that down applies to, by their value of "object"
	Types   map[string]string // names of events, by those that the newest version has
	Params  []olderParam      // names of parameters that only older versions take
	Moved   moved             // paths that older versions have; nil is none

	// down makes of an object what it was before the change. The objects within it are still as in the newest version and have their
	// turn afterwards, those that down puts in among them.
	down func(*view, *tree)
}

// olderParam is a parameter as older versions take it.
type olderParam struct {
	path     string // of the operations, by what it begins with
	old, new string // names, or what they begin with before a bracket
	whole    bool   // nothing follows the name
}

// changelog is a source in Stripe's published list of changes.
func changelog(version, page string) string {
	return "docs.stripe.com/changelog/" + version + "/" + page
}

// changesSince are the changes that a version does not know, the latest first; nil for the newest version.
func changesSince(version string) []*change {
	date := dateOf(version)
	for n, c := range changes {
		if c.Version <= date {
			return changes[:n]
		}
	}
	return changes
}

// view is one rendering for an older version.
type view struct {
	call  *call     // to look up what the object does not say; nil where nothing can be
	older []*change // the latest first
	page  *tree     // the list that is the whole answer, if it is one
}

// browser says whether the reader is a web page, to which an intent shows less.
func (v *view) browser() bool { return v.call != nil && v.call.browser }

// walk brings an object, and all in it, to the older version. What customers' programs keep in objects is left as it is.
func (v *view) walk(t *tree) {
	if t.kind == '{' && !t.is("deleted", "true") {
		kind := t.string("object")
		for _, c := range v.older {
			if c.down != nil && slices.Contains(c.Objects, kind) {
				c.down(v, t)
			}
		}
		if kind == "event" {
			return // what is in it has the version of the event: see composeEventIn
		}
	}
	for i, value := range t.values {
		if value.kind != 0 && (t.kind == '[' || t.names[i] != "metadata") {
			v.walk(value)
		}
	}
}

// olderReply is an answer as the request's version has it.
type olderReply struct {
	call   *call
	object appender
}

// AppendJSON implements appender.
func (o olderReply) AppendJSON(dst []byte) []byte {
	t := parseTree(o.object.AppendJSON(nil))
	v := view{call: o.call, older: o.call.older, page: t}
	v.walk(t)
	return t.AppendJSON(dst)
}

// inVersion is the body of a refusal as the request's version has it, which may show an intent.
func (x *exchange) inVersion(body []byte) []byte {
	if len(x.older) == 0 {
		return body
	}
	t := parseTree(body)
	v := view{call: &call{realm: x.realm, version: x.version, older: x.older, browser: x.browser}, older: x.older}
	v.walk(t)
	return t.AppendJSON(nil)
}

// moved gives the path and the form that the newest version has for those of an older one.
type moved func(method, path, form string) (newPath, newForm string)

// newerRequest is the path and the form of a request as the newest version has them, but for the names of parameters.
func newerRequest(older []*change, method, path, form string) (newPath, newForm string) {
	for i := len(older) - 1; i >= 0; i-- { // the oldest first
		if older[i].Moved != nil {
			path, form = older[i].Moved(method, path, form)
		}
	}
	return path, form
}

// newerForm gives the parameters of a request the names that the newest version has.
func newerForm(older []*change, op spec.Op, form string) string {
	if len(older) == 0 || form == "" {
		return form
	}
	pairs := strings.Split(form, "&")
	for i := len(older) - 1; i >= 0; i-- { // the oldest first: what it renames may have been renamed again
		for _, p := range older[i].Params {
			if strings.HasPrefix(op.Path(), p.path) {
				p.rename(pairs)
			}
		}
	}
	return strings.Join(pairs, "&")
}

// rename gives the parameter its newer name wherever it is among the pairs of a form.
func (p olderParam) rename(pairs []string) {
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			continue
		}
		rest, named := strings.CutPrefix(plain, p.old)
		switch {
		case !named, rest != "" && rest[0] != '[', rest != "" && p.whole:
		default:
			pairs[i] = p.new + url.QueryEscape(rest) + "=" + value
		}
	}
}

// olderType is the name of a type of events before some changes.
func olderType(older []*change, kind string) string {
	for _, c := range older {
		if was := c.Types[kind]; was != "" {
			kind = was
		}
	}
	return kind
}
