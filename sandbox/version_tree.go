package sandbox

import (
	"slices"
	"strings"
)

// tree is a JSON value that can be changed and written again: its fields keep their order, and what is neither object nor list keeps
// its text as it was.
type tree struct {
	kind   byte     // '{', '[' or 0
	text   string   // where it is 0
	names  []string // of an object's fields
	values []*tree
}

// plain is a value by its JSON text.
func plain(text string) *tree { return &tree{text: text} }

// null is the value of a field that has none.
func null() *tree { return plain("null") }

// quoted is a text without anything that JSON would escape, such as an id.
func quoted(text string) *tree {
	if text == "" {
		return null()
	}
	return plain(`"` + text + `"`)
}

// parseTree reads JSON that this sandbox has written. Of anything else it makes something, and always ends.
func parseTree(json []byte) *tree {
	p := treeParser{rest: string(json)}
	return p.value(0)
}

// treeParser reads off what is left of a text.
type treeParser struct{ rest string }

// maxTree bounds how deep a tree is: nothing of this sandbox's comes near it.
const maxTree = 200

func (p *treeParser) value(depth int) *tree {
	p.skip()
	if p.rest == "" || depth > maxTree {
		p.rest = ""
		return null()
	}
	switch p.rest[0] {
	case '{', '[':
		return p.composite(depth)
	case '"':
		return plain(p.quotation())
	}
	n := strings.IndexAny(p.rest, ",]} \t\r\n")
	switch {
	case n < 0:
		n = len(p.rest)
	case n == 0: // no value at all
		p.rest = ""
		return null()
	}
	text := p.rest[:n]
	p.rest = p.rest[n:]
	return plain(text)
}

func (p *treeParser) skip() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// quotation is a text with its quotation marks.
func (p *treeParser) quotation() string {
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '"':
			text := p.rest[:i+1]
			p.rest = p.rest[i+1:]
			return text
		}
	}
	p.rest = ""
	return `""`
}

// composite is an object or a list.
func (p *treeParser) composite(depth int) *tree {
	t := &tree{kind: p.rest[0]}
	p.rest = p.rest[1:]
	for {
		p.skip()
		if p.rest == "" {
			return t
		}
		switch p.rest[0] {
		case '}', ']':
			p.rest = p.rest[1:]
			return t
		case ',':
			p.rest = p.rest[1:]
			continue
		}
		if t.kind == '{' {
			name := p.quotation()
			name = name[1 : len(name)-1]
			p.skip()
			p.rest = strings.TrimPrefix(p.rest, ":")
			t.names = append(t.names, name)
		}
		t.values = append(t.values, p.value(depth+1))
	}
}

// AppendJSON implements appender.
func (t *tree) AppendJSON(dst []byte) []byte {
	if t.kind == 0 {
		return append(dst, t.text...)
	}
	dst = append(dst, t.kind)
	for i, value := range t.values {
		if i > 0 {
			dst = append(dst, ',')
		}
		if t.kind == '{' {
			dst = append(append(append(dst, '"'), t.names[i]...), `":`...)
		}
		dst = value.AppendJSON(dst)
	}
	return append(dst, t.kind+2) // the closing one
}

// clone is a copy that shares nothing with the tree.
func (t *tree) clone() *tree {
	c := &tree{kind: t.kind, text: t.text, names: slices.Clone(t.names)}
	for _, value := range t.values {
		c.values = append(c.values, value.clone())
	}
	return c
}

// get is a field, nil where there is none.
func (t *tree) get(name string) *tree {
	if t == nil || t.kind != '{' {
		return nil
	}
	if i := slices.Index(t.names, name); i >= 0 {
		return t.values[i]
	}
	return nil
}

// has says whether there is a field, be it null.
func (t *tree) has(name string) bool { return t.get(name) != nil }

// at is what is at the end of a path, nil where the path breaks off.
func (t *tree) at(path ...string) *tree {
	for _, name := range path {
		t = t.get(name)
	}
	return t
}

// string is the text of a field, "" where it has none. What JSON escapes stays as it is.
func (t *tree) string(name string) string { return t.get(name).word() }

// word is a value's own text, "" where it is none.
func (t *tree) word() string {
	if t == nil || len(t.text) < 2 || t.text[0] != '"' {
		return ""
	}
	return t.text[1 : len(t.text)-1]
}

// is says whether a field has a value, given as JSON.
func (t *tree) is(name, text string) bool {
	value := t.get(name)
	return value != nil && value.kind == 0 && value.text == text
}

// set gives a field a value. A new one has its place in the order of names, behind id and object.
func (t *tree) set(name string, value *tree) {
	if i := slices.Index(t.names, name); i >= 0 {
		t.values[i] = value
		return
	}
	i := 0
	for i < len(t.names) && (t.names[i] == "id" || t.names[i] == "object" || t.names[i] < name) {
		i++
	}
	t.names, t.values = slices.Insert(t.names, i, name), slices.Insert(t.values, i, value)
}

// remove takes a field away and gives what it was, nil where there was none.
func (t *tree) remove(name string) *tree {
	if t == nil || t.kind != '{' {
		return nil
	}
	i := slices.Index(t.names, name)
	if i < 0 {
		return nil
	}
	was := t.values[i]
	t.names, t.values = slices.Delete(t.names, i, i+1), slices.Delete(t.values, i, i+1)
	return was
}

// rename gives a field, if it is there, another name and so another place.
func (t *tree) rename(from, to string) {
	if value := t.remove(from); value != nil {
		t.set(to, value)
	}
}

// equal compares values as they are written.
func (t *tree) equal(other *tree) bool {
	if t == nil || other == nil {
		return t == other
	}
	return t.kind == other.kind && t.text == other.text && slices.Equal(t.names, other.names) && slices.EqualFunc(t.values, other.values, (*tree).equal)
}
