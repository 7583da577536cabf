package spec

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds on what Decode reads. The widest request that Stripe documents, an intent with 200 line items of a dozen fields, keeps
// well below them.
const (
	maxBytes = 1 << 20
	maxPairs = 4096
	maxDepth = 12
	maxIndex = 1000
)

// parse reads form-encoded pairs into a tree that knows nothing of the operation yet. Of pairs for one place the last counts.
func parse(encoded string) (*Params, *Error) {
	if len(encoded) > maxBytes {
		return nil, &Error{Message: fmt.Sprintf("Invalid request: the parameters are longer than %d bytes.", maxBytes)}
	}
	n := strings.Count(encoded, "&") + 1
	if n > maxPairs {
		return nil, &Error{Message: fmt.Sprintf("Invalid request: there are more than %d parameters.", maxPairs)}
	}
	n += strings.Count(encoded, "[") + strings.Count(encoded, "%5B") // each leads to one node more, at most
	f := builder{slab: make([]Params, 0, min(n, maxSlab)+1)}
	root := f.grow("")
	root.tree = true
	for encoded != "" {
		var pair string
		pair, encoded, _ = strings.Cut(encoded, "&")
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		key, fine := unescape(key)
		value, also := unescape(value)
		if !fine || !also {
			return nil, &Error{Message: "Invalid request: the parameters are not form-encoded UTF-8."}
		}
		if err := f.insert(root, key, value); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// maxSlab is how many nodes are made at a time.
const maxSlab = 256

// builder makes the nodes of a tree, many at a time.
type builder struct{ slab []Params }

func (f *builder) grow(name string) *Params {
	if len(f.slab) == cap(f.slab) {
		f.slab = make([]Params, 0, maxSlab)
	}
	f.slab = append(f.slab, Params{name: name})
	return &f.slab[len(f.slab)-1]
}

func (f *builder) add(p *Params, name string) *Params {
	k := f.grow(name)
	if p.last == nil {
		p.first = k
	} else {
		p.last.next = k
	}
	p.last = k
	return k
}

// insert puts a value at the place that a key such as a[b][0][c] names.
func (f *builder) insert(root *Params, key, value string) *Error {
	name, rest := head(key)
	at := f.step(root, name, rest)
	for depth := 1; rest != ""; depth++ {
		if depth > maxDepth {
			return &Error{Message: fmt.Sprintf("Invalid request: a parameter is nested more than %d deep.", maxDepth)}
		}
		if at.leaf {
			return clash(key)
		}
		at.tree = true
		name, rest = segment(rest)
		at = f.step(at, name, rest)
	}
	if at.tree {
		return clash(key)
	}
	at.text, at.leaf = value, true
	return nil
}

// clash refuses what can be written in a form but not in JSON, a=1 beside a[b]=2.
func clash(key string) *Error {
	return &Error{Param: key, Message: fmt.Sprintf("Invalid request: part of %s is given both as a value and by its fields.", key)}
}

// step is the place called name within p. An empty name, written a[]=v, is always a new element; with fields after it, as in
// a[][b]=v, it is a new element once the last one has that field.
func (f *builder) step(p *Params, name, rest string) *Params {
	if name == "" && p.tree {
		if last := p.last; rest != "" && last != nil && last.name == "" && !last.holds(rest) {
			return last
		}
		return f.add(p, "")
	}
	if p.last != nil && p.last.name == name { // The pairs of one object mostly stand together.
		return p.last
	}
	if k := p.kid(name); k != nil {
		return k
	}
	return f.add(p, name)
}

// holds tells whether the rest of a key leads to something.
func (p *Params) holds(rest string) bool {
	for rest != "" && p != nil {
		var name string
		name, rest = segment(rest)
		p = p.kid(name)
	}
	return p != nil
}

// head splits a key into its name and its brackets. A key with crooked brackets is all name, and so unknown to any operation.
func head(key string) (name, brackets string) {
	i := strings.IndexByte(key, '[')
	if i <= 0 || key[len(key)-1] != ']' {
		return key, ""
	}
	for rest := key[i:]; rest != ""; {
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 || strings.IndexByte(rest[1:end], '[') >= 0 {
			return key, ""
		}
		rest = rest[end+1:]
	}
	return key[:i], key[i:]
}

// segment takes the first bracket off straight brackets.
func segment(brackets string) (name, rest string) {
	end := strings.IndexByte(brackets, ']')
	return brackets[1:end], brackets[end+1:]
}

// unescape undoes form encoding; false where an escape is broken or the text is no UTF-8.
func unescape(s string) (string, bool) {
	plain := true
	for i := range len(s) {
		if s[i] == '%' || s[i] == '+' || s[i] >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi > 15 || lo > 15 {
				return "", false
			}
			b = append(b, hi<<4|lo)
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b), utf8.Valid(b)
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
