package spec

import (
	wire "encoding/binary"
	"math"
	"unsafe"
)

// reader reads packed bytes from the front. They are always this package's own, so bytes that are not panic, with notPacked.
type reader struct{ rest string }

const notPacked = "spec: the bytes are no packed object"

// view reads packed bytes as a string without copying them. What is read must not outlive the call that was given them.
func view(packed []byte) string { return unsafe.String(unsafe.SliceData(packed), len(packed)) }

func (r *reader) uvarint() uint64 {
	if r.rest != "" && r.rest[0] < 0x80 {
		n := r.rest[0]
		r.rest = r.rest[1:]
		return uint64(n)
	}
	return r.long()
}

// long reads a varint of more than one byte.
func (r *reader) long() uint64 {
	var n uint64
	for i := 0; i < len(r.rest) && i < wire.MaxVarintLen64; i++ {
		c := r.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	panic(notPacked)
}

func (r *reader) integer() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		panic(notPacked)
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// text reads a length and as many bytes.
func (r *reader) text() string { return r.take(r.uvarint()) }

// value reads a value with its tag.
func (r *reader) value(s *slot) {
	s.tag = tag(r.take(1)[0])
	s.bits, s.text = 0, ""
	switch {
	case s.tag <= tagTrue:
	case s.tag == tagInteger:
		s.bits = r.integer()
	case s.tag == tagNumber:
		b := r.take(8)
		s.bits = int64(wire.LittleEndian.Uint64([]byte(b)))
	case s.tag < tagLive:
		s.text = r.text()
	default:
		panic(notPacked)
	}
}

// element reads the next value of a collection.
func (r *reader) element(of tag, s *slot) {
	switch of {
	case tagStrings, tagStringMap:
		*s = slot{tag: tagString, text: r.text()}
	case tagObjects, tagObjectMap:
		*s = slot{tag: tagObject, text: r.text()}
	case tagIntegerMap:
		*s = slot{tag: tagInteger, bits: r.integer()}
	default:
		r.value(s)
	}
}

// shape reads with which shape an object begins.
func (r *reader) shape() uint16 {
	n := r.uvarint()
	if n >= uint64(len(shapes)) {
		panic(notPacked)
	}
	return uint16(n)
}

// field reads the next field of an object, false at its end.
func (r *reader) field(t *template, s *slot) bool {
	if r.rest == "" {
		return false
	}
	n := r.uvarint()
	if n >= uint64(len(t.start)) {
		panic(notPacked)
	}
	s.number = uint16(n)
	r.value(s)
	return true
}

func shapeOf(body string) uint16 { return (&reader{body}).shape() }

func appendUvarint(dst []byte, n uint64) []byte { return wire.AppendUvarint(dst, n) }

func appendInteger(dst []byte, n int64) []byte {
	return wire.AppendUvarint(dst, uint64(n)<<1^uint64(n>>63))
}

func appendText(dst []byte, s string) []byte {
	return append(wire.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendFloat(dst []byte, f float64) []byte {
	return wire.LittleEndian.AppendUint64(append(dst, byte(tagNumber)), math.Float64bits(f))
}
