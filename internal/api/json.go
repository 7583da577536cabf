package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/till-pay/till/internal/fault"
)

// format is how bodies are read and written. What it reads has passed strict.
var format = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return err
		}
		_, _ = w.Write(b.Bytes()) // a client that has left is no failure of ours
		return nil
	},
	Unmarshal: json.Unmarshal,
}

const deepest = 16

// strict refuses a document that is no JSON, and the traps of those that are: a key given twice (which of two amounts did you
// mean?), a number that no number can hold, deep nesting, and what PostgreSQL cannot store: NUL and bytes that are no UTF-8.
// It names places, never values: a body holds secrets.
func strict(data []byte) error {
	if !utf8.Valid(data) {
		return fault.New(fault.BodyInvalid, "", "The body is not UTF-8 text.")
	}
	var syntax *json.SyntaxError
	if err := json.Unmarshal(data, &json.RawMessage{}); errors.As(err, &syntax) {
		return fault.New(fault.BodyInvalid, "", "The body is not well-formed JSON: it breaks off or goes wrong at byte %d.", syntax.Offset)
	} else if err != nil {
		return fault.New(fault.BodyInvalid, "", "The body is not well-formed JSON.").Because(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return value(d, "", 0)
}

// value walks one value of a well-formed document; at names its place.
func value(d *json.Decoder, at string, depth int) error {
	if depth > deepest {
		return fault.New(fault.BodyInvalid, clip(at), "The body is nested deeper than %d levels.", deepest)
	}
	token, err := d.Token()
	if err != nil {
		return fault.New(fault.BodyInvalid, "", "The body is not well-formed JSON.").Because(err)
	}
	switch t := token.(type) {
	case string:
		return text(t, at)
	case json.Number:
		if _, err := strconv.ParseFloat(t.String(), 64); err != nil {
			return fault.New(fault.ParameterInvalid, clip(at), "The field %s is not a number that anything can hold.", clip(at))
		}
	case json.Delim:
		if t == '{' {
			return object(d, at, depth)
		}
		for i := 0; d.More(); i++ {
			if err := value(d, fmt.Sprintf("%s[%d]", at, i), depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func object(d *json.Decoder, at string, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		place := key
		if at != "" {
			place = at + "." + key
		}
		if err := text(key, at); err != nil {
			return err
		}
		if seen[key] {
			return fault.New(fault.BodyInvalid, clip(place), "The field %s is there twice.", clip(place))
		}
		seen[key] = true
		if err := value(d, place, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func text(s, at string) error {
	if strings.ContainsRune(s, 0) {
		return fault.New(fault.BodyInvalid, clip(at), "The body holds the NUL character.")
	}
	return nil
}
