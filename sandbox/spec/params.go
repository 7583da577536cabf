package spec

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Params are the parameters of a request, decoded and found right. A path names a field by the names on the way to it:
// p.String("payment_method_data", "type"). What was not given has zero values, and a nil *Params is empty.
type Params struct {
	name  string
	text  string // what was sent, where no fields or elements were
	kind  kind
	unset bool // sent as "", which means unset
	leaf  bool // a value was sent
	tree  bool // fields or elements were sent
	first *Params
	last  *Params
	next  *Params
}

// at follows a path, nil where nothing was given.
func (p *Params) at(path []string) *Params {
	for _, name := range path {
		p = p.kid(name)
	}
	return p
}

func (p *Params) kid(name string) *Params {
	if p == nil {
		return nil
	}
	for k := p.first; k != nil; k = k.next {
		if k.name == name {
			return k
		}
	}
	return nil
}

// Has tells whether the parameter was given at all, be it as "".
func (p *Params) Has(path ...string) bool { return p.at(path) != nil }

// Unset tells whether the parameter was given as "" to unset it.
func (p *Params) Unset(path ...string) bool {
	at := p.at(path)
	return at != nil && at.unset
}

// String is the text of a parameter; of a number or a boolean, the text that was sent.
func (p *Params) String(path ...string) string {
	if at := p.at(path); at != nil {
		return at.text
	}
	return ""
}

// Int is the value of an integer.
func (p *Params) Int(path ...string) int64 {
	at := p.at(path)
	if at == nil || at.kind != kindInteger {
		return 0
	}
	n, _ := strconv.ParseInt(at.text, 10, 64) // Decode has parsed it before; an unset one is 0.
	return n
}

// IsInt tells whether the value is an integer, for parameters that may be something else too, such as a range.
func (p *Params) IsInt(path ...string) bool {
	at := p.at(path)
	return at != nil && at.kind == kindInteger && !at.unset
}

// IsBool and IsNumber tell whether the value is a boolean, or a number that need not be whole.
func (p *Params) IsBool(path ...string) bool {
	at := p.at(path)
	return at != nil && at.kind == kindBoolean && !at.unset
}

func (p *Params) IsNumber(path ...string) bool {
	at := p.at(path)
	return at != nil && at.kind == kindNumber && !at.unset
}

// Bool is the value of a boolean.
func (p *Params) Bool(path ...string) bool {
	at := p.at(path)
	return at != nil && at.kind == kindBoolean && at.text == "true"
}

// Strings are the elements of a list of strings.
func (p *Params) Strings(path ...string) []string {
	at := p.at(path)
	if at == nil {
		return nil
	}
	var all []string
	for k := at.first; k != nil; k = k.next {
		all = append(all, k.text)
	}
	return all
}

// Map are the entries of a parameter with free keys, such as metadata; ok tells whether any were given. An entry with the value ""
// asks for its key to be removed. A map that is unset as a whole gives false here and true from Unset.
func (p *Params) Map(path ...string) (entries map[string]string, ok bool) {
	at := p.at(path)
	if at == nil || !at.tree {
		return nil, false
	}
	entries = map[string]string{}
	for k := at.first; k != nil; k = k.next {
		entries[k.name] = k.text
	}
	return entries, true
}

// Sub are the parameters within an object, nil where it was not given or was unset.
func (p *Params) Sub(path ...string) *Params {
	at := p.at(path)
	if at == nil || !at.tree {
		return nil
	}
	return at
}

// List are the elements of a list of objects.
func (p *Params) List(path ...string) []*Params {
	at := p.at(path)
	if at == nil {
		return nil
	}
	var all []*Params
	for k := at.first; k != nil; k = k.next {
		all = append(all, k)
	}
	return all
}

// Names are the names of the fields given within an object, in order of name.
func (p *Params) Names(path ...string) []string {
	at := p.at(path)
	if at == nil {
		return nil
	}
	var all []string
	for k := at.first; k != nil; k = k.next {
		all = append(all, k.name)
	}
	slices.Sort(all)
	return all
}

// Canonical is a text that two requests have in common exactly when they mean the same: whatever the order of their pairs, the
// escaping and the way of writing lists were.
func (p *Params) Canonical() string {
	if p == nil {
		return ""
	}
	return string(p.appendCanonical(nil))
}

func (p *Params) appendCanonical(dst []byte) []byte {
	if !p.tree {
		return strconv.AppendQuote(dst, p.plain())
	}
	kids := p.List()
	open, shut := byte('{'), byte('}')
	if p.kind == kindArray {
		open, shut = '[', ']'
	} else {
		slices.SortFunc(kids, func(a, b *Params) int { return strings.Compare(a.name, b.name) })
	}
	dst = append(dst, open)
	for i, k := range kids {
		if i > 0 {
			dst = append(dst, ',')
		}
		if p.kind != kindArray {
			dst = append(strconv.AppendQuote(dst, k.name), ':')
		}
		dst = k.appendCanonical(dst)
	}
	return append(dst, shut)
}

// plain is the value's text, of an integer the shortest.
func (p *Params) plain() string {
	if p.kind == kindInteger && !p.unset {
		return strconv.FormatInt(p.Int(), 10)
	}
	return p.text
}

// Form is what was given under a name as a form, from which Decode makes the same parameters.
func (p *Params) Form(name string) string {
	at := p.kid(name)
	if at == nil {
		return ""
	}
	return string(at.appendForm(nil, url.QueryEscape(name)))
}

func (p *Params) appendForm(dst []byte, key string) []byte {
	if !p.tree {
		if len(dst) > 0 {
			dst = append(dst, '&')
		}
		return append(append(append(dst, key...), '='), url.QueryEscape(p.plain())...)
	}
	for k := p.first; k != nil; k = k.next {
		dst = k.appendForm(dst, key+"["+url.QueryEscape(k.name)+"]")
	}
	return dst
}
