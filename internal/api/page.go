package api

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

// PageInput are the parameters of every list: newest first, by time and id.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"Objects on a page."`
	Cursor string `query:"cursor" maxLength:"120" doc:"page.next of the page before."`
}

// Position is a place in a list: the last object seen. The zero Position is the start.
type Position struct {
	At time.Time
	ID string
}

// IsStart says that nothing was seen yet.
func (p Position) IsStart() bool { return p.ID == "" }

// Position reads the cursor.
func (in PageInput) Position() (Position, error) {
	if in.Cursor == "" {
		return Position{}, nil
	}
	bad := fault.New(fault.ParameterInvalid, "cursor", "The cursor is not one that a list of ours gave.")
	raw, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil {
		return Position{}, bad
	}
	var micros int64
	var last string
	if n, err := fmt.Sscanf(string(raw), "%d %s", &micros, &last); err != nil || n != 2 || !id.Valid(last) {
		return Position{}, bad
	}
	return Position{time.UnixMicro(micros).UTC(), last}, nil
}

// Page is one page of a list. Next is empty on the last one.
type Page[T any] struct {
	Data []T
	Next string
}

// NewPage cuts what a store found to a page: a store is asked for one more than the limit, and that one tells whether more follow.
func NewPage[T any](in PageInput, found []T, position func(T) Position) Page[T] {
	if len(found) <= in.Limit {
		return Page[T]{Data: found}
	}
	found = found[:in.Limit]
	last := position(found[len(found)-1])
	return Page[T]{found, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", last.At.UnixMicro(), last.ID))}
}

// MetadataFilter is embedded in the input of a list that can be filtered by metadata[key]=value.
type MetadataFilter struct {
	Metadata MetadataQuery `query:"metadata,deepObject" doc:"metadata[key]=value: objects that carry this pair."`
}

// MetadataQuery is the pairs of a metadata filter.
type MetadataQuery map[string]string

// Schema implements huma.SchemaProvider.
func (MetadataQuery) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeString}}
}

// Amount is a decimal number as the caller wrote it, as a JSON number or a string. It is never a float on its way to money.Parse.
type Amount string

// UnmarshalJSON implements json.Unmarshaler.
func (a *Amount) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s != "null" {
		*a = Amount(s)
	}
	return nil
}

// MarshalText writes an amount as a string.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a), nil }

// Schema implements huma.SchemaProvider.
func (Amount) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		OneOf:       []*huma.Schema{{Type: huma.TypeString, MinLength: ptr(1), MaxLength: ptr(24)}, {Type: huma.TypeNumber}},
		Description: "A decimal amount in the currency's main unit, as a string (safest) or a number: \"50.00\". Never rounded.",
		Examples:    []any{"50.00"},
	}
}

func ptr[T any](v T) *T { return &v }

