package api

import (
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

const securityScheme = "apiKey"

// document is the frame of the OpenAPI document, and what huma is to do without being asked: nothing.
func document(version string, n *names) huma.Config {
	config := huma.DefaultConfig("till", version)
	config.Info.Description = "Payments on Stripe, exactly once: charge, capture, refund, save cards, and hear about all of it by signed webhooks."
	config.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	config.DocsPath, config.OpenAPIPath, config.SchemasPath = "", "", "" // docs.go serves ours
	config.CreateHooks = nil                                             // no "$schema" in our bodies
	config.Formats = map[string]huma.Format{contentType: format}
	config.DefaultFormat = contentType
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", n.schema)
	config.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[money.Money](), reflect.TypeFor[decimal]())
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		securityScheme: {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "A key made by `till key create`: till_test_… or till_live_…"},
	}
	return config
}

// refusals are the errors that an endpoint may answer, one response per status with the codes that have it.
func (a *API) refusals(o Operation) map[string]*huma.Response {
	may := map[int]bool{http.StatusBadRequest: true, http.StatusUnprocessableEntity: true, http.StatusTooManyRequests: true,
		http.StatusInternalServerError: true, http.StatusServiceUnavailable: true}
	may[http.StatusUnauthorized], may[http.StatusForbidden] = !o.Open, o.Scope != ""
	writes := o.Method != http.MethodGet
	may[http.StatusNotFound] = writes || strings.Contains(o.Path, "{") // a body may name what is not there, too
	may[http.StatusConflict], may[http.StatusRequestEntityTooLarge] = writes, writes && o.Method != http.MethodDelete
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[failure](), true, "")
	all := map[string]*huma.Response{}
	for _, c := range fault.Codes {
		s := status(c.Code, c.Kind)
		if !may[s] {
			continue
		}
		r := all[strconv.Itoa(s)]
		if r == nil {
			r = &huma.Response{Description: http.StatusText(s) + ":", Content: map[string]*huma.MediaType{contentType: {Schema: schema}}}
			all[strconv.Itoa(s)] = r
		}
		r.Description += " " + string(c.Code)
	}
	return all
}

// names gives every operation and schema of the document its name: what a person would call it, and none twice.
type names struct {
	current    string // the operation that is being registered, in CamelCase
	operations map[string]bool
	schemas    map[reflect.Type]string
	taken      map[string]bool
}

func newNames() *names {
	return &names{operations: map[string]bool{}, schemas: map[reflect.Type]string{}, taken: map[string]bool{}}
}

// operation begins an operation: "Capture a payment" is CapturePayment. Two of one name are a mistake of the program.
func (n *names) operation(summary string) {
	n.current = ""
	for _, word := range strings.FieldsFunc(summary, func(r rune) bool { return !('a' <= r|0x20 && r|0x20 <= 'z') }) {
		switch word {
		case "a", "an", "the", "s":
		default:
			n.current += title(word)
		}
	}
	if n.current == "" || n.operations[n.current] {
		panic(fmt.Sprintf("api: no operation, or two, can be called %q", summary))
	}
	n.operations[n.current] = true
}

func (n *names) id() string { return strings.ToLower(n.current[:1]) + n.current[1:] }

// generic is how reflect names an instance of our envelopes.
var generic = regexp.MustCompile(`^(envelope|listEnvelope)\[(?:.*?(\w+)\.)?(\w+)\]$`)

// schema names a type as huma meets it. hint is what huma would call a type that has no name.
func (n *names) schema(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return "" // only structs have a place of their own in the document
	}
	if name, ok := n.schemas[t]; ok {
		return name
	}
	room, name := n.plain(t, hint)
	if n.taken[name] {
		name = title(room) + name
	}
	for i, plain := 2, name; n.taken[name]; i++ {
		name = plain + strconv.Itoa(i)
	}
	n.schemas[t], n.taken[name] = name, true
	return name
}

// plain is a type's name and its room, which parts it from a namesake. Bodies and types without a name are called after the operation.
func (n *names) plain(t reflect.Type, hint string) (room, name string) {
	room, name = t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:], t.Name()
	m := generic.FindStringSubmatch(name)
	isBody := strings.HasSuffix(hint, "Body") || strings.HasSuffix(hint, "Request")
	ends := func(suffixes ...string) bool {
		return slices.ContainsFunc(suffixes, func(s string) bool { return name == "" && strings.HasSuffix(hint, s) })
	}
	switch {
	case m != nil && m[1] == "envelope":
		return m[2], title(m[3]) + "Reply"
	case m != nil:
		return m[2], title(m[3]) + "List"
	case isBody && (strings.HasSuffix(name, "Body") || strings.HasSuffix(name, "Input")), ends("InputBody", "Request"):
		return room, n.current + "Request"
	case strings.Contains(name, "["), ends("Body", "Response"):
		return room, n.current + "Reply"
	case name == "" && strings.Contains(hint, "["):
		return room, n.current + "Data"
	case name == "":
		return room, title(strings.TrimSuffix(hint, "Struct"))
	}
	return room, title(name)
}

// tidy mends what huma says of an endpoint's schemas, once its validation messages are made. A field may be null where its Go type
// is a pointer that is always written: huma knows that of plain values only. And patternDescription is no word of JSON Schema.
func (n *names) tidy(op *huma.Operation, schemas map[string]*huma.Schema) {
	for _, p := range op.Parameters {
		p.Schema.PatternDescription = ""
	}
	for t, name := range n.schemas {
		s := schemas[name]
		if s == nil {
			continue
		}
		for _, f := range reflect.VisibleFields(t) {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			p := s.Properties[name]
			if p == nil {
				continue
			}
			p.PatternDescription = ""
			switch {
			case f.Type.Kind() != reflect.Pointer, strings.Contains(options, "omit"):
			case p.Ref != "":
				s.Properties[name] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: p.Description}
			case p.Type != "":
				p.Nullable = true
			}
		}
	}
}

func title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
