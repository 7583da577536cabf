// Package judge holds the sandbox against what Stripe publishes: its OpenAPI document and its fixtures, read with another library
// than the sandbox's own. It is for tests alone: it takes a second to load, and ten under the race detector.
//
// The document by itself proves little, for most fields are optional in it and objects are open. So an object must also have the
// fields that Stripe's fixtures show, it must have no other than the declared ones, and what an event carries is held against the
// schema of its own. Where Stripe itself is otherwise, exceptions.go says so.
package judge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stripe/stripe-mock/embedded"
)

// Judge knows Stripe's document. It is safe for use by many goroutines.
type Judge struct {
	doc       *openapi3.T
	resources map[string]*openapi3.Schema // by the name that their field object has
	shown     map[string]map[string]bool  // by name of schema: the fields that the fixtures show
	used      []atomic.Bool               // by number of exception
	browser   bool                        // the replies were asked for with a publishable key
}

// ForBrowser is the judge of replies to requests with a publishable key, to which Stripe shows less.
func (j *Judge) ForBrowser() *Judge {
	b := *j
	b.browser = true
	return &b
}

// New loads the document. It refuses to outside of tests.
func New() (*Judge, error) {
	if !testing.Testing() {
		return nil, errors.New("judge: this is for tests only")
	}
	doc, err := openapi3.NewLoader().LoadFromData(embedded.OpenAPISpec)
	if err != nil {
		return nil, fmt.Errorf("judge: %w", err)
	}
	doc.Servers = nil
	for _, w := range words {
		field := doc.Components.Schemas[w.shape].Value.Properties[w.field].Value
		field.Enum = append(field.Enum, w.also...)
	}
	j := &Judge{doc: doc, resources: map[string]*openapi3.Schema{}, used: make([]atomic.Bool, len(exceptions))}
	for name, ref := range doc.Components.Schemas {
		if named, ok := objectName(ref.Value); ok && named == name {
			j.resources[name] = ref.Value
		}
	}
	j.shown, err = j.fixtures()
	return j, err
}

// objectName is the one word that a schema allows as object.
func objectName(s *openapi3.Schema) (string, bool) {
	p := s.Properties["object"]
	if p == nil || len(p.Value.Enum) != 1 {
		return "", false
	}
	name, ok := p.Value.Enum[0].(string)
	return name, ok
}

// Check holds a reply to a request against the document. The path is without its query.
func (j *Judge) Check(method, path string, status int, body []byte) error {
	if err := j.check(method, path, status, body); err != nil {
		return fmt.Errorf("%s %s: %d: %w", method, path, status, err)
	}
	return nil
}

func (j *Judge) check(method, path string, status int, body []byte) error {
	var reply any
	if err := decode(body, &reply); err != nil {
		return err
	}
	op := j.operation(method, path)
	var answers *openapi3.Responses
	switch {
	case op != nil:
		answers = op.Responses
	case status < 400:
		return errors.New("no such operation of Stripe's")
	default: // An unknown URL is refused as everything is; the document has the same error everywhere.
		answers = j.doc.Paths.Value("/v1/balance").Get.Responses
	}
	answer := answers.Value(fmt.Sprint(status))
	if answer == nil {
		answer = answers.Default()
	}
	if answer == nil {
		return errors.New("the document has no such answer")
	}
	content := answer.Value.Content["application/json"]
	if content == nil {
		return errors.New("the document has no JSON here")
	}
	return j.visit("", content.Schema, reply)
}

// Object holds an object against the schema of a shape.
func (j *Judge) Object(shape string, raw []byte) error {
	ref := j.doc.Components.Schemas[shape]
	if ref == nil {
		return fmt.Errorf("no shape of Stripe's is called %q", shape)
	}
	var object any
	if err := decode(raw, &object); err != nil {
		return err
	}
	return j.visit(shape, ref, object)
}

// decode reads exactly one JSON value.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("no JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// Judges says whether a reply to a path is one of those that the document describes: not the contents of a file, which are no JSON.
func Judges(path string) bool {
	return strings.HasPrefix(path, "/v1/") && !(strings.HasPrefix(path, "/v1/files/") && strings.HasSuffix(path, "/contents"))
}

// operation finds the operation of a path. Of several templates the one with the fewest parameters is meant.
func (j *Judge) operation(method, path string) *openapi3.Operation {
	var best *openapi3.Operation
	least := 1 << 30
	for template, item := range j.doc.Paths.Map() {
		op := item.GetOperation(method)
		if n, ok := fits(template, path); ok && op != nil && n < least {
			best, least = op, n
		}
	}
	return best
}

// fits counts the parameters that a template takes to be path.
func fits(template, path string) (params int, ok bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return 0, false
	}
	for i := range want {
		switch {
		case strings.HasPrefix(want[i], "{") && got[i] != "":
			params++
		case want[i] != got[i]:
			return 0, false
		}
	}
	return params, true
}

// Transport is an http.RoundTripper that holds every reply to /v1 that comes through next against the document, and reports what is
// wrong with it. The reply goes on unchanged.
func (j *Judge) Transport(next http.RoundTripper, report func(error)) http.RoundTripper {
	return transport{j, next, report}
}

type transport struct {
	judge  *Judge
	next   http.RoundTripper
	report func(error)
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	reply, err := t.next.RoundTrip(r)
	if err != nil || !Judges(r.URL.Path) {
		return reply, err
	}
	body, err := io.ReadAll(reply.Body)
	_ = reply.Body.Close() // It has been read to its end.
	if err != nil {
		return nil, err
	}
	judge := t.judge
	if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer pk_") {
		judge = judge.ForBrowser()
	}
	if err := judge.Check(r.Method, r.URL.EscapedPath(), reply.StatusCode, body); err != nil {
		t.report(fmt.Errorf("%w\n%.3000s", err, body))
	}
	reply.Body = io.NopCloser(bytes.NewReader(body))
	return reply, nil
}
