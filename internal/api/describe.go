package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const refPrefix = "#/components/schemas/"

// field is a line of a table in the reference. A field of an object inside is named with its path: customer.email.
type field struct {
	Name, In, Form, Text string
	Required             bool
}

// resolve is what a reference names, and its name. Of an object that may be null it is the object.
func (r *reference) resolve(s *huma.Schema) (resolved *huma.Schema, ref string) {
	if len(s.AnyOf) > 0 {
		s = s.AnyOf[0]
	}
	if ref = s.Ref; ref != "" {
		s = r.doc.Components.Schemas.SchemaFromRef(ref)
	}
	return s, ref
}

// properties are an object's, in the order of the Go struct: the document's own map has none.
func (r *reference) properties(s *huma.Schema, ref string) []string {
	if ref == "" {
		return slices.Sorted(maps.Keys(s.Properties))
	}
	var names []string
	t := r.doc.Components.Schemas.TypeFromRef(ref)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if s.Properties[name] != nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (r *reference) fieldsOf(s *huma.Schema) []field {
	resolved, ref := r.resolve(s)
	return r.fields(resolved, ref, "")
}

func (r *reference) fields(s *huma.Schema, ref, prefix string) []field {
	var all []field
	for _, name := range r.properties(s, ref) {
		p := s.Properties[name]
		all = append(all, r.field(prefix+name, p, slices.Contains(s.Required, name)))
		inner, dots := p, "."
		if p.Items != nil {
			inner, dots = p.Items, "[]."
		}
		if inside, ref := r.resolve(inner); len(inside.Properties) > 0 && strings.Count(prefix, ".") < 4 {
			all = append(all, r.fields(inside, ref, prefix+name+dots)...)
		}
	}
	return all
}

func (r *reference) field(name string, s *huma.Schema, required bool) field {
	return field{Name: name, Form: r.form(s), Text: s.Description, Required: required}
}

var formats = map[string]string{"date-time": "time (RFC 3339)", "uuid": "UUID", "uri": "URL", "email": "email address", "decimal": "decimal string"}

// form is a field's type and rules in a few words.
func (r *reference) form(s *huma.Schema) string {
	t, _ := r.resolve(s)
	words := []string{t.Type}
	switch {
	case formats[t.Format] != "":
		words[0] = formats[t.Format]
	case len(t.OneOf) > 0:
		words[0] = "decimal, as string or number"
	case t.Items != nil:
		words[0] = "list of " + r.form(t.Items)
	case t.Type == huma.TypeObject && len(t.Properties) == 0:
		words[0] = "object of strings"
	case t.Type == "":
		words[0] = "any JSON"
	}
	if len(t.Enum) > 0 {
		words = append(words, "one of "+strings.Trim(fmt.Sprint(t.Enum), "[]"))
	}
	for _, bound := range []struct {
		form  string
		value any
	}{{"at least %v", number(t.Minimum)}, {"at most %v", number(t.Maximum)}, {"at most %v characters", number(t.MaxLength)}, {"at most %v", number(t.MaxItems)}, {"default %v", s.Default}} {
		if bound.value != nil {
			words = append(words, fmt.Sprintf(bound.form, bound.value))
		}
	}
	if t.Nullable || len(s.AnyOf) > 0 {
		words = append(words, "or null")
	}
	return strings.Join(words, ", ")
}

func number[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// curl is a request as a person would type it. Its optional fields are those that carry an example.
func (r *reference) curl(o Operation, op *huma.Operation) string {
	path, query := o.Path, url.Values{}
	lines := []string{}
	if !o.Open {
		lines = append(lines, `-H "X-API-Key: $TILL_API_KEY"`)
	}
	for _, p := range op.Parameters {
		example := strings.Trim(r.example(p.Schema, p.Name), `"`)
		switch {
		case p.In == "path":
			path = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(example), 1)
		case p.In == "query" && len(p.Schema.Examples) > 0:
			query.Set(p.Name, example)
		case p.In == "header" && (p.Required || len(p.Schema.Examples) > 0):
			lines = append(lines, fmt.Sprintf(`-H "%s: %s"`, p.Name, example))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if op.RequestBody != nil && op.RequestBody.Content[contentType] != nil {
		body := strings.ReplaceAll(r.example(op.RequestBody.Content[contentType].Schema, ""), "'", `'\''`)
		lines = append(lines, `-H "Content-Type: application/json"`, "-d '"+body+"'")
	}
	first := `curl "$TILL` + path + `"`
	if implied := http.MethodGet; o.Method != implied {
		first = "curl -X " + o.Method + ` "$TILL` + path + `"`
	}
	return strings.Join(append([]string{first}, lines...), " \\\n  ")
}

// example is a value of a schema as indented JSON: what the field's own example says, else something of its form. It shows
// the fields that are always there and those that have an example.
func (r *reference) example(s *huma.Schema, name string) string {
	var b strings.Builder
	r.write(&b, s, name, "\n")
	return b.String()
}

func (r *reference) write(b *strings.Builder, s *huma.Schema, name, indent string) {
	t, ref := r.resolve(s)
	switch {
	case len(s.Examples) > 0:
		b.WriteString(plain(s.Examples[0], indent))
	case len(s.AnyOf) > 0 || t.Nullable && t.Items == nil:
		b.WriteString("null")
	case t.Items != nil:
		b.WriteString("[" + indent + "  ")
		r.write(b, t.Items, name, indent+"  ")
		b.WriteString(indent + "]")
	case t.Type == huma.TypeObject && len(t.Properties) == 0:
		b.WriteString("{}")
	case t.Type == huma.TypeObject:
		comma := "{"
		for _, p := range r.properties(t, ref) {
			if property := t.Properties[p]; slices.Contains(t.Required, p) || len(property.Examples) > 0 {
				b.WriteString(comma + indent + "  " + plain(p, "") + ": ")
				r.write(b, property, p, indent+"  ")
				comma = ","
			}
		}
		if comma == "{" {
			b.WriteString("{}")
			return
		}
		b.WriteString(indent + "}")
	default:
		b.WriteString(plain(scalar(t, name), ""))
	}
}

// samples stand in for fields without an example, by name or by format: together they show a payment that went well.
var samples = map[string]string{
	"uuid": "01992f6e-8d4b-7c31-9a75-2f6c1e0b4d83", "date-time": "2026-01-31T09:30:00Z", "uri": "https://shop.example/till", "email": "jenny@example.com",
	"id": "01992f6e-8d4b-7c31-9a75-2f6c1e0b4d83", "decimal": "50.00", "refunding": "0.00", "refunded": "0.00", "Idempotency-Key": "order-1042", "idempotency_key": "order-1042", "currency": "USD",
	"status": "completed", "saved_card_id": "", "description": "", "statement_descriptor_suffix": "", "return_url": "", "reference": "", "reason": "",
	"last_error": "", "error": "", "name": "My shop", "account": "acct_…", "secret_key": "sk_test_…", "publishable_key": "pk_test_…", "url": "https://shop.example/till",
	"webhook_url": "https://pay.example/v1/webhooks/stripe/…", "webhook_endpoint": "we_…",
	"payment_id": "01992f6e-8d4b-7c31-9a75-2f6c1e0b4d83", "object_id": "01992f6e-8d4b-7c31-9a75-2f6c1e0b4d83",
}

func scalar(t *huma.Schema, name string) any {
	sample, known := samples[name]
	switch {
	case t.Default != nil:
		return t.Default
	case known && slices.Contains(t.Enum, any(sample)):
		return sample
	case len(t.Enum) > 0:
		return t.Enum[0]
	case len(t.Examples) > 0:
		return t.Examples[0]
	case t.Type == huma.TypeBoolean:
		return false
	case t.Type == huma.TypeInteger, t.Type == huma.TypeNumber:
		return 1
	case t.Type == "":
		return struct{}{}
	case known:
		return sample
	}
	return cmp.Or(samples[t.Format], name)
}

// plain is a value as JSON, its lines indented as the place where it stands.
func plain(v any, indent string) string {
	b, err := json.MarshalIndent(v, strings.TrimPrefix(indent, "\n"), "  ")
	if err != nil {
		panic(err)
	}
	return string(b)
}
