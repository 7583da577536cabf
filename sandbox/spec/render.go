package spec

import (
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MarshalJSON renders the object as AppendJSON does.
func (o *Object) MarshalJSON() ([]byte, error) { return o.AppendJSON(nil), nil }

// AppendJSON appends the object as JSON: id and object first, then the other fields in order of name; maps in order of key.
func (o *Object) AppendJSON(dst []byte) []byte {
	if o == nil {
		return append(dst, "null"...)
	}
	p := printer{dst: dst, t: templateOf(o.shape), begin: len(dst)}
	for _, i := range o.order {
		s := &o.slots[i]
		p.field(s)
		switch s.tag {
		case tagAbsent:
		case tagLive:
			p.dst = appendValue(p.dst, o.live[s.bits])
		default:
			p.dst = s.appendJSON(p.dst)
		}
	}
	return p.end()
}

// AppendPackedJSON appends a packed object as Unpack and AppendJSON would, without making the object.
func AppendPackedJSON(dst, packed []byte) []byte { return appendBody(dst, view(packed)) }

func appendBody(dst []byte, body string) []byte {
	r := reader{body}
	p := printer{dst: dst, t: templateOf(r.shape()), begin: len(dst)}
	var s slot
	for r.field(p.t, &s) {
		p.field(&s)
		if s.tag != tagAbsent {
			p.dst = s.appendJSON(p.dst)
		}
	}
	return p.end()
}

// printer renders an object: what is as it was from the start is copied from the template, where it stands ready.
type printer struct {
	dst   []byte
	t     *template
	begin int // where in dst the object begins
	next  int // the first field that is not rendered yet
}

// field renders what comes before a field, and its name.
func (p *printer) field(s *slot) {
	p.upTo(int(s.number))
	p.next = int(s.number) + 1
	if s.tag != tagAbsent {
		p.dst = append(p.dst, p.t.key(s.number)...)
	}
}

func (p *printer) upTo(n int) {
	if n < p.next {
		panic(notPacked)
	}
	p.dst = append(p.dst, p.t.json[p.t.at[p.next]:p.t.at[n]]...)
}

// end renders the rest. The comma before the first field gives way to the brace.
func (p *printer) end() []byte {
	p.upTo(len(p.t.start))
	if len(p.dst) == p.begin {
		return append(p.dst, "{}"...)
	}
	p.dst[p.begin] = '{'
	return append(p.dst, '}')
}

// appendJSON renders a slot that is neither absent nor live.
func (s slot) appendJSON(dst []byte) []byte {
	switch s.tag {
	case tagNull:
		return append(dst, "null"...)
	case tagFalse:
		return append(dst, "false"...)
	case tagTrue:
		return append(dst, "true"...)
	case tagInteger:
		return strconv.AppendInt(dst, s.bits, 10)
	case tagNumber:
		return strconv.AppendFloat(dst, s.float(), 'f', -1, 64)
	case tagString:
		return appendString(dst, s.text)
	case tagRaw:
		return append(dst, s.text...)
	case tagObject:
		return appendBody(dst, s.text)
	case tagStrings, tagObjects, tagList:
		dst = s.appendElements(append(dst, '['), false)
		return append(dst, ']')
	case tagStringMap, tagIntegerMap, tagObjectMap, tagMap:
		dst = s.appendElements(append(dst, '{'), true)
		return append(dst, '}')
	}
	panic(notPacked)
}

func (s *slot) appendElements(dst []byte, keyed bool) []byte {
	r := reader{s.text}
	for sep := false; r.rest != ""; sep = true {
		if sep {
			dst = append(dst, ',')
		}
		if keyed {
			dst = append(appendString(dst, r.text()), ':')
		}
		var e slot
		r.element(s.tag, &e)
		dst = e.appendJSON(dst)
	}
	return dst
}

func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return appendString(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case bool:
		return strconv.AppendBool(dst, v)
	case *Object:
		return v.AppendJSON(dst)
	case []*Object:
		return appendList(dst, v, appendObject)
	case []string:
		return appendList(dst, v, appendString)
	case []any:
		return appendList(dst, v, appendValue)
	case map[string]string:
		return appendMap(dst, v, appendString)
	case map[string]int64:
		return appendMap(dst, v, appendInt)
	case map[string]*Object:
		return appendMap(dst, v, appendObject)
	case map[string]any:
		return appendMap(dst, v, appendValue)
	case float64:
		return strconv.AppendFloat(dst, v, 'f', -1, 64)
	case json.RawMessage:
		return append(dst, v...)
	default:
		panic("spec: no way to render a value") // Set lets in no other sort.
	}
}

func appendList[E any](dst []byte, list []E, render func([]byte, E) []byte) []byte {
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = render(dst, v)
	}
	return append(dst, ']')
}

func appendMap[V any](dst []byte, m map[string]V, render func([]byte, V) []byte) []byte {
	dst = append(dst, '{')
	var few [8]string
	for i, key := range keysOf(m, few[:0]) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = render(append(appendString(dst, key), ':'), m[key])
	}
	return append(dst, '}')
}

// keysOf appends the keys of a map in order. Most maps are small, so the room for a few can be given.
func keysOf[V any](m map[string]V, keys []string) []string {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

func appendObject(dst []byte, o *Object) []byte { return o.AppendJSON(dst) }

const hex = "0123456789abcdef"

// appendString appends s quoted. HTML is not escaped; bytes that are no UTF-8 become the replacement character.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[from:i]...)
				dst = append(dst, "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}
