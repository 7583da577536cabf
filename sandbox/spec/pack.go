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
	for _, i := range o.order {
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
		return packText(append(dst, byte(tagString)), s.text)
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
		return packObject(append(dst, byte(tagObject)), v)
	case json.RawMessage:
		return appendText(append(dst, byte(tagRaw)), valid(string(v)))
	case []string:
		return packList(dst, v, decl, tagStrings, packText)
	case []*Object:
		return packList(dst, v, decl, tagObjects, packObject)
	case []any:
		return packAnys(dst, v, decl)
	case map[string]string:
		return packMap(dst, v, decl, tagStringMap, packText)
	case map[string]int64:
		return packMap(dst, v, decl, tagIntegerMap, appendInteger)
	case map[string]*Object:
		return packMap(dst, v, decl, tagObjectMap, packObject)
	case map[string]any:
		return packAnyMap(dst, v, decl)
	}
	panic("spec: no way to pack a value") // Set lets in no other sort.
}

func packText(dst []byte, s string) []byte { return appendText(dst, valid(s)) }

func packObject(dst []byte, o *Object) []byte {
	dst, at := open(dst)
	return shut(o.Pack(dst), at)
}

func packList[E any](dst []byte, list []E, decl *value, sort tag, pack func([]byte, E) []byte) []byte {
	if len(list) == 0 {
		sort = decl.emptyList()
	}
	dst, at := open(append(dst, byte(sort)))
	for _, v := range list {
		dst = pack(dst, v)
	}
	return shut(dst, at)
}

// packAnys packs a list as the one of texts or objects that it may be.
func packAnys(dst []byte, list []any, decl *value) []byte {
	sort, of := tagList, decl.element()
	switch common(len(list), func(i int) tag { return tagOf(list[i], of) }) {
	case tagString:
		sort = tagStrings
	case tagObject:
		sort = tagObjects
	}
	return packList(dst, list, decl, sort, func(dst []byte, v any) []byte { return packElement(dst, v, of, sort == tagList) })
}

func packMap[V any](dst []byte, m map[string]V, decl *value, sort tag, pack func([]byte, V) []byte) []byte {
	if len(m) == 0 {
		sort = decl.emptyMap()
	}
	var few [8]string
	dst, at := open(append(dst, byte(sort)))
	for _, key := range keysOf(m, few[:0]) {
		dst = pack(packText(dst, key), m[key])
	}
	return shut(dst, at)
}

// packAnyMap packs a map as the one of texts, integers or objects that it may be.
func packAnyMap(dst []byte, m map[string]any, decl *value) []byte {
	sort, of := tagMap, decl.element()
	var few [8]string
	keys := keysOf(m, few[:0])
	switch common(len(keys), func(i int) tag { return tagOf(m[keys[i]], of) }) {
	case tagString:
		sort = tagStringMap
	case tagInteger:
		sort = tagIntegerMap
	case tagObject:
		sort = tagObjectMap
	}
	return packMap(dst, m, decl, sort, func(dst []byte, v any) []byte { return packElement(dst, v, of, sort == tagMap) })
}

// common is the tag that all elements have, tagNull where they differ or there are none.
func common(n int, tagAt func(int) tag) tag {
	if n == 0 {
		return tagNull
	}
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
		return packText(dst, v)
	case int:
		return appendInteger(dst, int64(v))
	case int64:
		return appendInteger(dst, v)
	case *Object:
		return packObject(dst, v)
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
