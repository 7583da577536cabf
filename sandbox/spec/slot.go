package spec

import (
	"encoding/json"
	"math"
)

// tag is the sort of value that a slot holds, and with which it begins when packed.
type tag uint8

const (
	tagNull tag = iota
	tagAbsent
	tagFalse
	tagTrue
	tagInteger    // zigzag, as a varint
	tagNumber     // the eight bytes of a float64
	tagString     // from here on: the length, and as many bytes
	tagRaw        // JSON
	tagObject     // the shape, then number and value of each field that differs from the start
	tagStrings    // length and text of each
	tagObjects    // length and object of each
	tagList       // values with their tags
	tagStringMap  // in order of key: length and key, length and text
	tagIntegerMap // as above, with zigzag varints
	tagObjectMap  // as above, with objects
	tagMap        // as above, with values with their tags
	tagLive       // never packed: a value that its holder may change
)

// slot is the value of one field. Texts are kept as they are; composite values are kept packed until somebody reaches for them.
type slot struct {
	number uint16
	tag    tag
	bits   int64  // an integer; the bits of a float64; of tagLive, where in live the value is
	text   string // what follows the length when packed
}

// mutable tells whether the value, once taken out, is one that its holder may change.
func (s *slot) mutable() bool {
	switch s.tag {
	case tagStrings, tagObjects, tagList:
		return s.text != ""
	}
	return s.tag >= tagRaw && s.tag < tagLive
}

// slotOf is the slot for a scalar; false where the value is none.
func slotOf(v any) (s slot, scalar bool) {
	switch v := v.(type) {
	case nil:
		return slot{tag: tagNull}, true
	case absent:
		return slot{tag: tagAbsent}, true
	case bool:
		if v {
			return slot{tag: tagTrue}, true
		}
		return slot{tag: tagFalse}, true
	case int:
		return slot{tag: tagInteger, bits: int64(v)}, true
	case int64:
		return slot{tag: tagInteger, bits: v}, true
	case float64:
		return slot{tag: tagNumber, bits: int64(math.Float64bits(v))}, finite(v)
	case string:
		return slot{tag: tagString, text: v}, true
	case *Object:
		return slot{tag: tagNull}, v == nil
	default:
		return slot{}, false
	}
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func (s *slot) float() float64 { return math.Float64frombits(uint64(s.bits)) }

// value is what a slot holds, as Get gives it. Texts and objects share the memory of the slot.
func (s *slot) value() any {
	switch s.tag {
	case tagNull, tagAbsent:
		return nil
	case tagFalse:
		return false
	case tagTrue:
		return true
	case tagInteger:
		return s.bits
	case tagNumber:
		return s.float()
	case tagString:
		return s.text
	case tagRaw:
		return json.RawMessage(s.text)
	case tagObject:
		return unpack(s.text)
	case tagStrings:
		return listOf(s.text, readText)
	case tagObjects:
		return listOf(s.text, readObject)
	case tagList:
		return listOf(s.text, readValue)
	case tagStringMap:
		return mapOf(s.text, readText)
	case tagIntegerMap:
		return mapOf(s.text, readInteger)
	case tagObjectMap:
		return mapOf(s.text, readObject)
	case tagMap:
		return mapOf(s.text, readValue)
	}
	panic(notPacked)
}

func listOf[E any](body string, read func(reader) (E, reader)) []E {
	all := []E{}
	for r := (reader{body}); r.rest != ""; {
		var e E
		e, r = read(r)
		all = append(all, e)
	}
	return all
}

func mapOf[V any](body string, read func(reader) (V, reader)) map[string]V {
	all := map[string]V{}
	for r := (reader{body}); r.rest != ""; {
		key := r.text()
		all[key], r = read(r)
	}
	return all
}

func readText(r reader) (string, reader) {
	s := r.text()
	return s, r
}

func readInteger(r reader) (int64, reader) {
	n := r.integer()
	return n, r
}

func readObject(r reader) (*Object, reader) {
	body := r.text()
	return unpack(body), r
}

func readValue(r reader) (any, reader) {
	var s slot
	r.value(&s)
	return s.value(), r
}
