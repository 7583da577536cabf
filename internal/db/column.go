package db

import (
	"encoding/json"
	"fmt"
	"time"
)

// Micros is a time as a column holds it: UTC microseconds, or NULL for the zero time.
func Micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// At scans a column of microseconds into t; NULL becomes the zero time.
func At(t *time.Time) *Stamp { return &Stamp{t} }

// Stamp is what At scans through.
type Stamp struct{ t *time.Time }

// Scan implements sql.Scanner.
func (s *Stamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*s.t = time.Time{}
	case int64:
		*s.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time column holds a %T", v)
	}
	return nil
}

// MaybeMicros is a time that may not be set, as a column holds it.
func MaybeMicros(t *time.Time) any {
	if t == nil {
		return nil
	}
	return Micros(*t)
}

// MaybeAt scans a column of microseconds into t; NULL becomes nil.
func MaybeAt(t **time.Time) *MaybeStamp { return &MaybeStamp{t} }

// MaybeStamp is what MaybeAt scans through.
type MaybeStamp struct{ t **time.Time }

// Scan implements sql.Scanner.
func (s *MaybeStamp) Scan(v any) error {
	*s.t = nil
	if v == nil {
		return nil
	}
	*s.t = new(time.Time)
	return At(*s.t).Scan(v)
}

// JSON is a value as a text column holds it. It panics on a value that JSON cannot hold, which is a programming error.
func JSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Document scans a text column of JSON into v; NULL and "" leave v alone.
func Document(v any) *Text { return &Text{v} }

// Text is what Document scans through.
type Text struct{ v any }

// Scan implements sql.Scanner.
func (d *Text) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			return nil
		}
		return json.Unmarshal([]byte(v), d.v)
	default:
		return fmt.Errorf("a document column holds a %T", v)
	}
}
