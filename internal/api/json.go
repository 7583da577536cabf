package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// strictJSON is JSON without its traps: a key given twice is refused (which of two amounts did you mean?), as is anything
// after the document, deep nesting, and the NUL character, which PostgreSQL cannot store.
var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		if err := strict(data); err != nil {
			return err
		}
		return json.Unmarshal(data, v)
	},
}

const deepest = 16

// strict walks a document once and refuses the traps.
func strict(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := value(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the document")
	}
	return nil
}

func value(d *json.Decoder, depth int) error {
	if depth > deepest {
		return fmt.Errorf("it is nested deeper than %d", deepest)
	}
	t, err := d.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("it ends too early")
		}
		return err
	}
	switch t := t.(type) {
	case string:
		return text(t)
	case json.Delim:
		if t == '{' {
			return object(d, depth)
		}
		for d.More() {
			if err := value(d, depth+1); err != nil {
				return err
			}
		}
		_, err := d.Token()
		return err
	}
	return nil
}

func object(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if err := text(key); err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("the key %q is there twice", clip(key))
		}
		seen[key] = true
		if err := value(d, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func text(s string) error {
	if strings.ContainsRune(s, 0) {
		return errors.New("a string holds the NUL character")
	}
	return nil
}

func parseQuery(r *http.Request) (url.Values, error) { return url.ParseQuery(r.URL.RawQuery) }
