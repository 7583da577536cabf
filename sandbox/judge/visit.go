package judge

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

const prefix = "#/components/schemas/"

// visit holds a value against a schema, first with kin-openapi, then by the fields of all objects within. at says where the value is.
func (j *Judge) visit(at string, ref *openapi3.SchemaRef, value any) error {
	var all []error
	if err := validate(ref.Value, value); err != nil {
		all = append(all, j.complaints(at, err)...)
	}
	return errors.Join(append(all, j.fields(at, ref, value)...)...)
}

func validate(s *openapi3.Schema, value any) error {
	return s.VisitJSON(value, openapi3.VisitAsResponse(), openapi3.MultiErrors())
}

// complaints are kin-openapi's, in short. Of an object that is none of a union's it tells what is wrong with it as the one that it
// means to be.
func (j *Judge) complaints(at string, err error) []error {
	var several openapi3.MultiError
	if errors.As(err, &several) {
		var all []error
		for _, one := range several {
			all = append(all, j.complaints(at, one)...)
		}
		return all
	}
	var bad *openapi3.SchemaError
	if !errors.As(err, &bad) {
		return []error{err}
	}
	where := join(at, strings.Join(bad.JSONPointer(), "."))
	if object, ok := bad.Value.(map[string]any); ok && bad.SchemaField == "anyOf" {
		if _, meant := j.resolve(&openapi3.SchemaRef{Value: bad.Schema}, object); meant != bad.Schema {
			if err := validate(meant, object); err != nil {
				return j.complaints(where, err)
			}
		}
	}
	return []error{fmt.Errorf("%s: %s (%v)", where, bad.Reason, shorten(bad.Value))}
}

func shorten(v any) string {
	s := fmt.Sprint(v)
	return s[:min(len(s), 200)]
}

func join(at, name string) string {
	if at == "" || name == "" {
		return at + name
	}
	return at + "." + name
}

// fields complains of undeclared and missing fields, in the value and in all objects within.
func (j *Judge) fields(at string, ref *openapi3.SchemaRef, value any) []error {
	switch value := value.(type) {
	case map[string]any:
		return j.object(at, ref, value)
	case []any:
		if ref.Value.Items == nil {
			return nil
		}
		var all []error
		for i, v := range value {
			all = append(all, j.fields(fmt.Sprintf("%s[%d]", at, i), ref.Value.Items, v)...)
		}
		return all
	default:
		return nil
	}
}

func (j *Judge) object(at string, ref *openapi3.SchemaRef, value map[string]any) []error {
	name, s := j.resolve(ref, value)
	if free := s.AdditionalProperties; s.Properties == nil && (free.Schema != nil || free.Has != nil && *free.Has) {
		return j.free(at, s, value)
	}
	if name == "notification_event_data" {
		return j.payload(at, value)
	}
	var all []error
	for _, field := range slices.Sorted(maps.Keys(value)) {
		if p := s.Properties[field]; p != nil {
			all = append(all, j.fields(join(at, field), p, value[field])...)
			if j.browser && excepted(unseen, name, field) >= 0 {
				all = append(all, fmt.Errorf("%s: a publishable key does not see this field of %s", join(at, field), name))
			}
		} else if !j.excuse(undeclared, name, field) {
			all = append(all, fmt.Errorf("%s: the document declares no such field of %s", join(at, field), name))
		}
	}
	for _, field := range slices.Sorted(maps.Keys(j.shown[name])) {
		if _, ok := value[field]; !ok && !j.excuse(missing, name, field) && !(j.browser && j.excuse(unseen, name, field)) {
			all = append(all, fmt.Errorf("%s: lacks %s, which Stripe's fixtures of %s show", at, field, name))
		}
	}
	return all
}

// free visits the values of an object whose keys are anyone's.
func (j *Judge) free(at string, s *openapi3.Schema, value map[string]any) []error {
	if s.AdditionalProperties.Schema == nil {
		return nil
	}
	var all []error
	for _, key := range slices.Sorted(maps.Keys(value)) {
		all = append(all, j.fields(join(at, key), s.AdditionalProperties.Schema, value[key])...)
	}
	return all
}

// payload holds what an event carries against the schema of its own, which the document leaves open.
func (j *Judge) payload(at string, data map[string]any) []error {
	object, _ := data["object"].(map[string]any)
	name, _ := object["object"].(string)
	s := j.resources[name]
	if s == nil {
		return []error{fmt.Errorf("%s.object: no resource is called %q", at, name)}
	}
	var all []error
	if err := j.visit(join(at, "object"), &openapi3.SchemaRef{Ref: prefix + name, Value: s}, object); err != nil {
		all = append(all, err)
	}
	before, _ := data["previous_attributes"].(map[string]any)
	for _, field := range slices.Sorted(maps.Keys(before)) {
		if s.Properties[field] == nil {
			all = append(all, fmt.Errorf("%s.previous_attributes: %s has no field %s", at, name, field))
		}
	}
	for _, field := range slices.Sorted(maps.Keys(data)) {
		if field != "object" && field != "previous_attributes" {
			all = append(all, fmt.Errorf("%s: an event's data has no %s", at, field))
		}
	}
	return all
}

// resolve finds the schema that an object is of, and its name: the one that a reference names or, among the variants of a union, the
// one whose word for object it bears, else the one that suits it best.
func (j *Judge) resolve(ref *openapi3.SchemaRef, value map[string]any) (string, *openapi3.Schema) {
	if len(ref.Value.AnyOf) == 0 {
		return strings.TrimPrefix(ref.Ref, prefix), ref.Value
	}
	best, most := ref, -1
	for _, variant := range ref.Value.AnyOf {
		for _, leaf := range leaves(variant) {
			if n := suits(leaf.Value, value); n > most {
				best, most = leaf, n
			}
		}
	}
	return strings.TrimPrefix(best.Ref, prefix), best.Value
}

// leaves are the variants that are no unions themselves.
func leaves(ref *openapi3.SchemaRef) []*openapi3.SchemaRef {
	if len(ref.Value.AnyOf) == 0 {
		return []*openapi3.SchemaRef{ref}
	}
	var all []*openapi3.SchemaRef
	for _, variant := range ref.Value.AnyOf {
		all = append(all, leaves(variant)...)
	}
	return all
}

// suits counts what speaks for a value's being of a schema: its word for object, its being deleted, its fields.
func suits(s *openapi3.Schema, value map[string]any) int {
	if len(s.Properties) == 0 {
		return -1
	}
	n := 0
	if name, ok := objectName(s); ok && value["object"] == name {
		n += 1000
	}
	_, stub := s.Properties["deleted"]
	if _, gone := value["deleted"]; stub == gone {
		n += 500
	}
	for field := range value {
		if s.Properties[field] != nil {
			n++
		}
	}
	return n
}
