package judge

import (
	"encoding/json"
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stripe/stripe-mock/embedded"
)

// fixtures gathers the fields that Stripe's fixtures show, by name of schema: of a resource those of its own fixture, of other
// objects those that all examples of it have. Examples without any field were cut down and show nothing.
func (j *Judge) fixtures() (map[string]map[string]bool, error) {
	var file struct {
		Resources map[string]map[string]any `json:"resources"`
	}
	if err := json.Unmarshal(embedded.OpenAPIFixtures, &file); err != nil {
		return nil, fmt.Errorf("judge: fixtures: %w", err)
	}
	shown := map[string]map[string]bool{}
	for name, example := range file.Resources {
		if ref := j.doc.Components.Schemas[name]; ref != nil {
			j.gather(shown, file.Resources, &openapi3.SchemaRef{Ref: prefix + name, Value: ref.Value}, example, true)
		}
	}
	return shown, nil
}

func (j *Judge) gather(shown map[string]map[string]bool, own map[string]map[string]any, ref *openapi3.SchemaRef, example any, top bool) {
	switch example := example.(type) {
	case []any:
		for _, v := range example {
			if ref.Value.Items != nil {
				j.gather(shown, own, ref.Value.Items, v, false)
			}
		}
	case map[string]any:
		name, s := j.resolve(ref, example)
		if own[name] != nil && !top || len(example) == 0 {
			return
		}
		if name != "" {
			shown[name] = meet(shown[name], s, example)
		}
		for field, v := range example {
			if p := s.Properties[field]; p != nil {
				j.gather(shown, own, p, v, false)
			}
		}
	}
}

// meet keeps of the fields so far those that the example has too, or takes the first example's.
func meet(so map[string]bool, s *openapi3.Schema, example map[string]any) map[string]bool {
	fields := map[string]bool{}
	for field := range example {
		if s.Properties[field] != nil && (so == nil || so[field]) {
			fields[field] = true
		}
	}
	return fields
}
