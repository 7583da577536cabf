package spec

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// PackedPrevious is what an event tells of a change as previous_attributes: the old values of what has changed between two states of
// an object, of nested objects and maps in part and of lists as a whole, and null for what was not there. It is false when nothing
// has changed.
func PackedPrevious(before, after []byte) (json.RawMessage, bool) {
	if bytes.Equal(before, after) {
		return nil, false
	}
	was, is := slot{tag: tagObject, text: view(before)}, slot{tag: tagObject, text: view(after)}
	old, changed := appendPrevious(nil, was, is)
	if !changed {
		return nil, false
	}
	return old, true
}

// appendPrevious appends the old value of what has changed, false and nothing when nothing has.
func appendPrevious(dst []byte, was, is slot) ([]byte, bool) {
	switch {
	case was == is:
		return dst, false
	case was.tag == tagObject && is.tag == tagObject && shapeOf(was.text) == shapeOf(is.text):
		return appendPreviousFields(dst, was, is)
	case was.tag == tagStringMap && is.tag == tagStringMap:
		return appendPreviousEntries(dst, was, is)
	case was.plain() && is.plain():
		if was.tag == tagNull && is.tag == tagAbsent {
			return dst, false
		}
		return was.appendOld(dst), true
	default:
		return appendPreviousJSON(dst, was, is)
	}
}

// plain tells whether slots with other contents are rendered otherwise. Of numbers, for one, that does not hold: 2 may be either sort.
func (s slot) plain() bool { return s.tag <= tagInteger || s.tag == tagString }

// appendPreviousFields compares objects of one shape.
func appendPreviousFields(dst []byte, was, is slot) ([]byte, bool) {
	old, now := newFields(was.text), newFields(is.text)
	begin := len(dst)
	for n := min(old.number(), now.number()); n < uint16(len(old.t.start)); n = min(old.number(), now.number()) {
		before, after := old.at(n), now.at(n)
		mark := len(dst)
		var changed bool
		dst = append(dst, old.t.key(n)...)
		if dst, changed = appendPrevious(dst, before, after); !changed {
			dst = dst[:mark]
		} else if name := old.t.shape.fields[n].name; name == "id" || name == "object" {
			return appendPreviousJSON(dst[:begin], was, is) // These two stand out of the order of names.
		}
	}
	return enclose(dst, begin)
}

// enclose makes a JSON object of members that each begin with a comma, false when there are none.
func enclose(dst []byte, begin int) ([]byte, bool) {
	if len(dst) == begin {
		return dst, false
	}
	dst[begin] = '{'
	return append(dst, '}'), true
}

// fields walks over the fields of a packed object.
type fields struct {
	t    *template
	r    reader
	next slot
	more bool
}

func newFields(body string) fields {
	f := fields{r: reader{body}}
	f.t = templateOf(f.r.shape())
	f.more = f.r.field(f.t, &f.next)
	return f
}

// number is that of the next field that differs from the start, past all fields where there is none.
func (f *fields) number() uint16 {
	if !f.more {
		return uint16(len(f.t.start))
	}
	return f.next.number
}

// at is a field, which number has not passed yet.
func (f *fields) at(n uint16) slot {
	if f.number() != n {
		return f.t.start[n]
	}
	s := f.next
	f.more = f.r.field(f.t, &f.next)
	return s
}

// appendPreviousEntries compares maps of texts, which are packed in order of key.
func appendPreviousEntries(dst []byte, was, is slot) ([]byte, bool) {
	begin := len(dst)
	old, now := newEntries(was.text), newEntries(is.text)
	for old.more || now.more {
		switch {
		case !now.more || old.more && old.key < now.key:
			dst = appendMember(dst, old.key, slot{tag: tagString, text: old.text})
			old.advance()
		case !old.more || now.key < old.key:
			dst = appendMember(dst, now.key, slot{tag: tagNull})
			now.advance()
		default:
			if old.text != now.text {
				dst = appendMember(dst, old.key, slot{tag: tagString, text: old.text})
			}
			old.advance()
			now.advance()
		}
	}
	return enclose(dst, begin)
}

func appendMember(dst []byte, key string, value slot) []byte {
	dst = append(appendOldText(append(dst, ','), key), ':')
	return value.appendOld(dst)
}

type entries struct {
	r         reader
	key, text string
	more      bool
}

func newEntries(body string) entries {
	e := entries{r: reader{body}}
	e.advance()
	return e
}

func (e *entries) advance() {
	if e.more = e.r.rest != ""; e.more {
		e.key = e.r.text()
		e.text = e.r.text()
	}
}

// appendOld appends a plain value as encoding/json writes it; what was not there is null.
func (s slot) appendOld(dst []byte) []byte {
	switch s.tag {
	case tagString:
		return appendOldText(dst, s.text)
	case tagInteger:
		return strconv.AppendInt(dst, s.bits, 10)
	case tagAbsent:
		return append(dst, "null"...)
	default:
		return s.appendJSON(dst)
	}
}

// appendOldText quotes a text as encoding/json does, which escapes HTML.
func appendOldText(dst []byte, text string) []byte {
	escaped, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text always has a JSON form
	}
	return append(dst, escaped...)
}

// appendPreviousJSON compares values of any sort as the JSON that they are shown as.
func appendPreviousJSON(dst []byte, was, is slot) ([]byte, bool) {
	if was.tag == tagAbsent {
		return append(dst, "null"...), true
	}
	old, now := was.decoded(), is.decoded()
	oldObject, one := old.(map[string]any)
	nowObject, two := now.(map[string]any)
	switch {
	case one && two:
		changed := differing(oldObject, nowObject)
		if len(changed) == 0 {
			return dst, false
		}
		old = changed
	case equalJSON(old, now):
		return dst, false
	}
	raw, err := json.Marshal(old)
	if err != nil {
		panic(err) // what was decoded has a JSON form
	}
	return append(dst, raw...), true
}

// decoded is what a reader of the JSON sees; nil where there is nothing.
func (s slot) decoded() (v any) {
	if s.tag == tagAbsent {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(s.appendJSON(nil)))
	d.UseNumber()
	_ = d.Decode(&v) // what an Object renders is always JSON
	return v
}

// differing holds the old values of changed keys: of objects in part, of lists as a whole.
func differing(old, now map[string]any) map[string]any {
	changed := map[string]any{}
	for key, was := range old {
		is := now[key]
		wasObject, one := was.(map[string]any)
		isObject, two := is.(map[string]any)
		if one && two {
			if inner := differing(wasObject, isObject); len(inner) > 0 {
				changed[key] = inner
			}
			continue
		}
		if !equalJSON(was, is) {
			changed[key] = was
		}
	}
	for key := range now {
		if _, had := old[key]; !had {
			changed[key] = nil
		}
	}
	return changed
}

func equalJSON(a, b any) bool {
	x, _ := json.Marshal(a) // both come from JSON
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}
