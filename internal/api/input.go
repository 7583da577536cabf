package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// MetadataFilter is embedded in the input of a list that can be filtered by metadata[key]=value.
type MetadataFilter struct {
	Metadata MetadataQuery `query:"metadata,deepObject,explode" doc:"metadata[key]=value: only objects that carry this pair; several pairs must all be there."`
}

// MetadataQuery is the pairs of a metadata filter.
type MetadataQuery map[string]string

// Schema implements huma.SchemaProvider. The bounds are those of Stripe's metadata (docs.stripe.com/api/metadata), and ten
// pairs in one filter.
func (MetadataQuery) Schema(huma.Registry) *huma.Schema {
	value := &huma.Schema{Type: huma.TypeString, MaxLength: ptr(500)}
	value.PrecomputeMessages() // huma does not do it for additional properties
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: value, MaxProperties: ptr(10)}
}

// Amount is a decimal number as the caller wrote it, as a JSON number or a string. It is never a float on its way to money.Parse.
// A field of it needs no example tag; one of its own is JSON: `example:"\"12.50\""`.
type Amount string

// UnmarshalJSON implements json.Unmarshaler.
func (a *Amount) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, (*string)(a))
	}
	if string(b) != "null" {
		*a = Amount(b)
	}
	return nil
}

// Schema implements huma.SchemaProvider.
func (Amount) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		OneOf:       []*huma.Schema{{Type: huma.TypeString, MinLength: ptr(1), MaxLength: ptr(24)}, {Type: huma.TypeNumber}},
		Description: "A decimal amount in the currency's main unit, as a string (safest) or a number: \"50.00\". Never rounded.",
		Examples:    []any{"50.00"},
	}
}

// decimal stands for money.Money in the OpenAPI document: its MarshalText writes a string.
type decimal string

// Schema implements huma.SchemaProvider.
func (decimal) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "decimal", Description: "In the currency's main unit, with all of its digits."}
}

func ptr[T any](v T) *T { return &v }
