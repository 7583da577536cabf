package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stripe/stripe-mock/embedded"
)

// document is the part of Stripe's OpenAPI document that the tables are made of.
type document struct {
	Info struct {
		Version string `json:"version"`
	} `json:"info"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	Parameters []struct {
		In       string  `json:"in"`
		Name     string  `json:"name"`
		Required bool    `json:"required"`
		Schema   *schema `json:"schema"`
	} `json:"parameters"`
	RequestBody struct {
		Content map[string]struct {
			Schema *schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]struct {
			Schema *schema `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
}

type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Format               string             `json:"format"`
	Enum                 words              `json:"enum"`
	MaxLength            int                `json:"maxLength"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	Items                *schema            `json:"items"`
	AdditionalProperties json.RawMessage    `json:"additionalProperties"`
	AnyOf                []*schema          `json:"anyOf"`
	Nullable             bool               `json:"nullable"`
	Bypass               bool               `json:"x-stripeBypassValidation"`
	Expansion            *struct {
		OneOf []*schema `json:"oneOf"`
	} `json:"x-expansionResources"`
}

// words are the strings of an enumeration. The document has one other, the [true] of a stub's deleted, which becomes "true".
type words []string

func (w *words) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &[]bool{}) == nil {
		*w = words{"true"}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(w))
}

// load reads the document and the fixtures that stripe-mock carries.
func load() (*document, map[string]any, error) {
	doc := new(document)
	if err := json.Unmarshal(embedded.OpenAPISpec, doc); err != nil {
		return nil, nil, fmt.Errorf("specification: %w", err)
	}
	var fixtures struct {
		Resources map[string]any `json:"resources"`
	}
	if err := json.Unmarshal(embedded.OpenAPIFixtures, &fixtures); err != nil {
		return nil, nil, fmt.Errorf("fixtures: %w", err)
	}
	return doc, fixtures.Resources, nil
}

// values is the schema of an object's free keys: nil when keys are fixed, an untyped schema when anything goes.
func (s *schema) values() *schema {
	switch raw := string(s.AdditionalProperties); raw {
	case "", "false":
		return nil
	case "true":
		return &schema{}
	default:
		free := new(schema)
		if err := json.Unmarshal(s.AdditionalProperties, free); err != nil {
			panic(err) // The document was valid JSON a moment ago.
		}
		return free
	}
}

// list tells Stripe's page of objects apart from other inline objects.
func (s *schema) list() bool {
	object := s.Properties["object"]
	return object != nil && slices.Equal(object.Enum, []string{"list"}) && s.Properties["data"] != nil
}

// found is the page that a search answers.
func (s *schema) found() bool {
	object := s.Properties["object"]
	return object != nil && slices.Equal(object.Enum, []string{"search_result"})
}

// free tells the empty-string variant that Stripe writes for "may be unset".
func (s *schema) free() bool { return slices.Equal(s.Enum, []string{""}) }

func (s *schema) name() string { return strings.TrimPrefix(s.Ref, "#/components/schemas/") }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
