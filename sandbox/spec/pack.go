package spec

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Pack appends the object in the form in which a store keeps it: its shape, then the number and value of each field that differs from
// the start, nested objects alike. Two objects that show the same have the same bytes, whether their lists and maps were set as ones
// of anys or of what is in them. The numbers are those of this build's tables: AppendSparse is for what must outlive it.
func (o *Object) Pack(dst []byte) []byte {
	t := templateOf(o.shape)
	t.needed(len(o.slots))
	dst = appendUvarint(dst, uint64(o.shape))
	for i := range o.slots {
		s := &o.slots[i]
		from := len(dst)
		dst = appendUvarint(dst, uint64(s.number))
		at := len(dst)
		if s.tag == tagLive {
			dst = appendPacked(dst, o.live[s.bits], t.declares(int(s.number)))
		} else {
			dst = s.appendPacked(dst, t.declares(int(s.number)))
		}
		if t.starts(s.number, dst[at:]) {
			dst = dst[:from]
		}
	}
	return dst
}

// starts tells whether a packed value is the one that the field has from the start.
func (t *template) starts(number uint16, packed []byte) bool {
	s := &t.start[number]
	if packed[0] != byte(s.tag) {
		return false
	}
	var is slot
	is.number = number
	r := reader{view(packed)}
	r.value(&is)
	return is == *s
}

// exact is up to where a float64 holds every integer.
const exact = 1 << 53

// appendPacked packs a slot that is not live, with its tag.
func (s *slot) appendPacked(dst []byte, decl *value) []byte {
	switch s.tag {
	case tagInteger:
		if f := float64(s.bits); decl != nil && decl.form == formNumber && -exact <= s.bits && s.bits <= exact {
			return appendFloat(dst, f)
		}
		return appendInteger(append(dst, byte(tagInteger)), s.bits)
	case tagNumber:
		return appendFloat(dst, s.float())
	case tagString:
		return appendText(append(dst, byte(tagString)), valid(s.text))
	}
	dst = append(dst, byte(s.tag))
	if s.tag < tagInteger {
		return dst
	}
	return appendText(dst, s.text)
}

// valid makes UTF-8 of a text, as rendering it does.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r) // each byte that is no UTF-8 counts as a replacement character
	}
	return b.String()
}

// appendPacked packs a value of any sort that Set takes, with its tag. The declaration says what a list or map without elements is
// of, and where integers are numbers; nil declares any.
func appendPacked(dst []byte, v any, decl *value) []byte {
	if s, scalar := slotOf(v); scalar {
		return s.appendPacked(dst, decl)
	}
	switch v := v.(type) {
	case *Object:
		dst, at := open(append(dst, byte(tagObject)))
		return shut(v.Pack(dst), at)
	case json.RawMessage:
		return appendText(append(dst, byte(tagRaw)), valid(string(v)))
	case []string:
		return packList(dst, v, decl)
	case []*Object:
		return packList(dst, v, decl)
	case []any:
		return packList(dst, v, decl)
	case map[string]string:
		return packMap(dst, v, decl)
	case map[string]int64:
		return packMap(dst, v, decl)
	case map[string]*Object:
		return packMap(dst, v, decl)
	case map[string]any:
		return packMap(dst, v, decl)
	}
	panic("spec: no way to pack a value") // Set lets in no other sort.
}

func packList[E any](dst []byte, list []E, decl *value) []byte {
	sort, of := decl.emptyList(), decl.element()
	if len(list) > 0 {
		switch common(len(list), func(i int) tag { return tagOf(list[i], of) }) {
		case tagString:
			sort = tagStrings
		case tagObject:
			sort = tagObjects
		default:
			sort = tagList
		}
	}
	dst, at := open(append(dst, byte(sort)))
	for _, v := range list {
		dst = packElement(dst, v, of, sort == tagList)
	}
	return shut(dst, at)
}

func packMap[V any](dst []byte, m map[string]V, decl *value) []byte {
	var few [8]string // Most maps are small.
	keys := few[:0]
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	sort, of := decl.emptyMap(), decl.element()
	if len(keys) > 0 {
		switch common(len(keys), func(i int) tag { return tagOf(m[keys[i]], of) }) {
		case tagString:
			sort = tagStringMap
		case tagInteger:
			sort = tagIntegerMap
		case tagObject:
			sort = tagObjectMap
		default:
			sort = tagMap
		}
	}
	dst, at := open(append(dst, byte(sort)))
	for _, key := range keys {
		dst = packElement(appendText(dst, valid(key)), m[key], of, sort == tagMap)
	}
	return shut(dst, at)
}

// common is the tag that all elements have, tagNull where they differ.
func common(n int, tagAt func(int) tag) tag {
	all := tagAt(0)
	for i := 1; i < n; i++ {
		if tagAt(i) != all {
			return tagNull
		}
	}
	return all
}

// tagOf is the tag of a value, where it is one with which collections go without tags.
func tagOf(v any, decl *value) tag {
	switch v := v.(type) {
	case string:
		return tagString
	case int, int64:
		if decl == nil || decl.form != formNumber {
			return tagInteger
		}
	case *Object:
		if v != nil {
			return tagObject
		}
	}
	return tagNull
}

// packElement packs an element, with its tag where the collection does not say it.
func packElement(dst []byte, v any, of *value, tagged bool) []byte {
	if tagged {
		return appendPacked(dst, v, of)
	}
	switch v := v.(type) {
	case string:
		return appendText(dst, valid(v))
	case int:
		return appendInteger(dst, int64(v))
	case int64:
		return appendInteger(dst, v)
	case *Object:
		dst, at := open(dst)
		return shut(v.Pack(dst), at)
	}
	panic("spec: no way to pack an element") // tagOf knows no other sort.
}

// element is what the elements of a list or map are declared to be.
func (d *value) element() *value {
	if d == nil || d.form != formArray && d.form != formMap {
		return nil
	}
	return &values[d.ref]
}

// open leaves room for the length of what follows, as a varint of one byte; shut makes more where more is needed.
func open(dst []byte) ([]byte, int) { return append(dst, 0), len(dst) + 1 }

func shut(dst []byte, at int) []byte {
	n := len(dst) - at
	if n < 0x80 {
		dst[at-1] = byte(n)
		return dst
	}
	var room [10]byte
	return slices.Replace(dst, at-1, at, appendUvarint(room[:0], uint64(n))...)
}
