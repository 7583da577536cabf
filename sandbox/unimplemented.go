package sandbox

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// notImplemented is the code of the 501 that stands for whatever of Stripe's is not built here. docs/sandbox.md documents it.
const notImplemented = "sandbox_not_implemented"

// aboutCoverage is where the documentation says what the sandbox leaves out.
const aboutCoverage = "https://github.com/till-pay/till/blob/main/docs/sandbox.md#what-it-does-not-do"

// unbuilt says that something of Stripe's is not built here. Clients are told not to try again.
func unbuilt(format string, values ...any) error {
	return &apiError{status: http.StatusNotImplemented, kind: apiFailure, code: notImplemented, header: noRetry,
		message: "This sandbox does not implement " + fmt.Sprintf(format, values...) + "."}
}

// noOperation says that an operation of Stripe's is not built here, and what is nearest to it.
func noOperation(op spec.Op) error {
	e := unbuilt("%s", op).(*apiError)
	near := nearest(op)
	e.message += " The nearest that it has is " + near.String()
	if family(near) != family(op) {
		e.message += ", of another family"
	}
	e.message += ". The command till sandbox coverage lists all that it has."
	return e
}

// instead says what takes the place of a family of which nothing is built, where paths do not tell; of any other it is the first line.
var instead = map[string]string{
	"":              "POST /v1/payment_intents",
	"subscriptions": "POST /v1/setup_intents",
}

// nearest is the operation with behaviour that is most like one without: of the same collection first, then of the same family, then
// one whose path has a word in common, then what instead names.
func nearest(op spec.Op) (near spec.Op) {
	best := 0
	for _, one := range spec.Ops() {
		if table[one.ID()] == nil {
			continue
		}
		if n := likeness(op, one); n > best {
			best, near = n, one
		}
	}
	if best > 0 {
		return near
	}
	of := family(op)
	if instead[of] == "" {
		of = ""
	}
	method, path, _ := strings.Cut(instead[of], " ")
	near, _, _ = spec.Match(method, path) // TestUnknownAndUnbuilt holds that it is there
	return near
}

// likeness is 0 for operations that have nothing in common, and greater the more they have.
func likeness(a, b spec.Op) int {
	shared := 0
	for _, word := range words(a) {
		if slices.Contains(words(b), word) {
			shared++
		}
	}
	n := 10 * shared
	switch {
	case collection(a) == collection(b):
		n += 1000
	case family(a) == family(b):
		n += 500
	case shared == 0:
		return 0
	}
	if a.Method() == b.Method() {
		n += 5
	}
	if path.Base(a.Path()) == path.Base(b.Path()) { // both cancel, say
		n += 3
	}
	apart := strings.Count(a.Path(), "/") - strings.Count(b.Path(), "/")
	return n - min(max(apart, -apart), 4)
}

// collection is the beginning of a path, up to the first id.
func collection(op spec.Op) string {
	begin, _, _ := strings.Cut(op.Path(), "/{")
	return begin
}

// family is the first word of a path that says what an operation is about: charges, issuing. The operations of Stripe's test helpers
// belong to what they help with.
func family(op spec.Op) string {
	_, path, _ := strings.Cut(strings.TrimPrefix(op.Path(), "/"), "/") // without the version
	path = strings.TrimPrefix(path, "test_helpers/")
	first, _, _ := strings.Cut(path, "/")
	return first
}

// words are the words of a path that say what an operation is about, in the singular.
func words(op spec.Op) (all []string) {
	for _, part := range strings.Split(op.Path(), "/")[2:] {
		if strings.HasPrefix(part, "{") {
			continue
		}
		for _, word := range strings.Split(part, "_") {
			if word = strings.TrimSuffix(word, "s"); !slices.Contains(generic, word) {
				all = append(all, word)
			}
		}
	}
	return all
}

// generic are the words that paths of all sorts have.
var generic = []string{"test", "helper", "search", "cancel", "session", "setting", "item", "line", "history", "account", "detail", "method", "transaction"}
