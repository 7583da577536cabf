package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxSparseDepth bounds how deep a sparse object nests. Stripe's objects, events with all that is expanded included, stay below a third.
const maxSparseDepth = 64

// ParseSparse reads the sparse form of an object of a shape and packs the object. What the shape does not declare, be it no longer,
// is dropped. Text that is not JSON and a value that is not of its field's sort are errors.
func ParseSparse(shape string, text []byte) ([]byte, error) {
	n, ok := number(shape)
	if !ok {
		return nil, fmt.Errorf("spec: there is no shape %q", shape)
	}
	p := parser{text: string(text)}
	o, err := p.object(n, nil)
	if err != nil {
		return nil, fmt.Errorf("spec: a sparse %s, byte %d: %w", shape, p.at, err)
	}
	if p.peek() != 0 || p.at < len(p.text) {
		return nil, fmt.Errorf("spec: a sparse %s, byte %d: there is more than one object", shape, p.at)
	}
	return o.Pack(make([]byte, 0, len(text)/2)), nil
}

// parser reads JSON from the front.
type parser struct {
	text  string
	at    int
	depth int
}

var errNoJSON = errors.New("this is not JSON")

// peek is the next byte that is not space, 0 at the end.
func (p *parser) peek() byte {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return c
		}
	}
	return 0
}

// skip takes the next byte if it is c.
func (p *parser) skip(c byte) bool {
	if p.peek() != c || p.at == len(p.text) {
		return false
	}
	p.at++
	return true
}

// each calls read at every element up to the closing byte, with its key where there are keys.
func (p *parser) each(open, shut byte, read func(key string) error) error {
	if !p.skip(open) {
		return errNoJSON
	}
	if p.depth++; p.depth > maxSparseDepth {
		return fmt.Errorf("it is nested more than %d deep", maxSparseDepth)
	}
	defer func() { p.depth-- }()
	if p.skip(shut) {
		return nil
	}
	for {
		key := ""
		if open == '{' {
			var err error
			if key, err = p.string(); err != nil {
				return err
			}
			if !p.skip(':') {
				return errNoJSON
			}
		}
		if err := read(key); err != nil {
			return err
		}
		if p.skip(shut) {
			return nil
		}
		if !p.skip(',') {
			return errNoJSON
		}
	}
}

// object reads an object of a shape. An object that names its own has that one; the declaration tells whether it may.
func (p *parser) object(shape uint16, decl *value) (*Object, error) {
	o := made(shape, 0)
	first := true
	return o, p.each('{', '}', func(name string) error {
		head := first
		first = false
		t := templateOf(o.shape)
		i, known := t.number(name)
		switch {
		case known:
			v, err := p.value(t.declares(i))
			if err == nil && !o.set(t, i, v) {
				err = fmt.Errorf("%s.%s cannot be %T", o.Shape(), name, v)
			}
			return err
		case name == sparseAbsent:
			return p.absent(o)
		case name == sparseShape && head && decl != nil:
			return p.shape(o)
		default:
			_, err := p.drop()
			return err
		}
	})
}

func (p *parser) shape(o *Object) error {
	name, err := p.string()
	if err != nil {
		return err
	}
	n, ok := number(name)
	if !ok {
		return fmt.Errorf("there is no shape %q", name)
	}
	o.shape = n
	return nil
}

// absent leaves out the fields of an object that are named.
func (p *parser) absent(o *Object) error {
	return p.each('[', ']', func(string) error {
		name, err := p.string()
		if err != nil {
			return err
		}
		t := templateOf(o.shape)
		if i, known := t.number(name); known && !o.set(t, i, Absent) {
			return fmt.Errorf("%s.%s cannot be left out", o.Shape(), name)
		}
		return nil
	})
}

// undeclared is what is declared of a value within one that may be any.
var undeclared = value{form: formAny, nullable: true}

// value reads a value; whether it is what is declared is for the caller to see.
func (p *parser) value(decl *value) (any, error) {
	switch c := p.peek(); {
	case c == '"':
		return p.string()
	case c == '[':
		return p.list(decl.element())
	case c == '{':
		return p.braces(decl)
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	switch rest := p.text[p.at:]; {
	case strings.HasPrefix(rest, "null"):
		p.at += len("null")
		return nil, nil
	case strings.HasPrefix(rest, "true"):
		p.at += len("true")
		return true, nil
	case strings.HasPrefix(rest, "false"):
		p.at += len("false")
		return false, nil
	}
	return nil, errNoJSON
}

func (p *parser) list(of *value) (any, error) {
	if of == nil {
		of = &undeclared
	}
	all := []any{}
	err := p.each('[', ']', func(string) error {
		v, err := p.value(of)
		all = append(all, v)
		return err
	})
	return all, err
}

func (p *parser) mapOf(of *value) (any, error) {
	if of == nil {
		of = &undeclared
	}
	all := map[string]any{}
	err := p.each('{', '}', func(key string) error {
		v, err := p.value(of)
		all[key] = v
		return err
	})
	return all, err
}

// braces reads an object, a map or raw JSON, whichever the declaration or else the first name says.
func (p *parser) braces(decl *value) (any, error) {
	switch {
	case decl.keyed():
		return p.mapOf(decl.element())
	case decl.form == formObject, decl.form == formID, decl.form == formList:
		shape, _ := decl.implies()
		return p.object(shape, decl)
	}
	switch p.firstName() {
	case sparseShape:
		return p.object(0, decl)
	case sparseJSON:
		return p.raw()
	case sparseMap:
		var inner any
		err := p.each('{', '}', func(string) (err error) {
			inner, err = p.mapOf(nil)
			return err
		})
		return inner, err
	default:
		return p.mapOf(nil)
	}
}

// firstName is the first name in the braces that come next, "" where there is none.
func (p *parser) firstName() string {
	at := p.at
	defer func() { p.at = at }()
	p.at++
	if p.peek() != '"' {
		return ""
	}
	name, _ := p.string()
	return name
}

func (p *parser) raw() (any, error) {
	var raw json.RawMessage
	err := p.each('{', '}', func(string) error {
		text, err := p.string()
		raw = json.RawMessage(text)
		if err == nil && !json.Valid(raw) {
			err = errNoJSON
		}
		return err
	})
	return raw, err
}

// number reads an integer, or a float64 where there is a point or an exponent.
func (p *parser) number() (any, error) {
	from := p.at
	for p.at < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.at]) >= 0 {
		p.at++
	}
	text := p.text[from:p.at]
	if !json.Valid([]byte(text)) {
		return nil, errNoJSON
	}
	if strings.ContainsAny(text, ".eE") {
		return strconv.ParseFloat(text, 64)
	}
	return strconv.ParseInt(text, 10, 64)
}

// string reads a text in quotes.
func (p *parser) string() (string, error) {
	if p.peek() != '"' {
		return "", errNoJSON
	}
	plain := true
	for i := p.at + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			quoted := p.text[p.at : i+1]
			p.at = i + 1
			if plain {
				return quoted[1 : len(quoted)-1], nil
			}
			return unquote(quoted)
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			return "", errNoJSON
		}
	}
	return "", errNoJSON
}

func unquote(quoted string) (s string, err error) {
	if json.Unmarshal([]byte(quoted), &s) != nil {
		return "", errNoJSON
	}
	return s, nil
}

// drop reads a value of any sort and forgets it.
func (p *parser) drop() (any, error) {
	switch p.peek() {
	case '{':
		return nil, p.each('{', '}', func(string) error { _, err := p.drop(); return err })
	case '[':
		return nil, p.each('[', ']', func(string) error { _, err := p.drop(); return err })
	default:
		return p.value(&undeclared)
	}
}
