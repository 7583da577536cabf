package spec

import "strings"

// Unpack is the object that was packed. What is nested in it stays packed until somebody reaches for it. Bytes that Pack did not
// write may panic, here or later, and say that they are no packed object.
func Unpack(packed []byte) *Object { return unpack(string(packed)) }

// unpack makes an object that shares the memory of its packed form.
func unpack(body string) *Object {
	r := reader{body}
	shape := r.shape()
	t := templateOf(shape)
	room := t.room()
	if r.rest == "" {
		room = 0
	}
	o := made(shape, room)
	var s slot
	for r.field(t, &s) {
		n := len(o.slots)
		if n > 0 && o.slots[n-1].number >= s.number {
			panic(notPacked)
		}
		o.order, o.slots = append(o.order, uint8(n)), append(o.slots, s)
	}
	return o
}

// PackedGet is At for a packed object. What it gives shares nothing with the packed bytes.
func PackedGet(packed []byte, path ...string) any {
	if len(path) == 0 {
		return Unpack(packed)
	}
	s := slot{tag: tagObject, text: view(packed)}
	for _, name := range path {
		if s.tag != tagObject || !lookupPacked(s.text, name, &s) {
			return nil
		}
	}
	s.text = strings.Clone(s.text)
	return s.value()
}

// PackedString is the text of a packed object's field, "" where it has none.
func PackedString(packed []byte, field string) string {
	var s slot
	if !lookupPacked(view(packed), field, &s) || s.tag != tagString {
		return ""
	}
	return strings.Clone(s.text)
}

// PackedShape is the name of a packed object's shape.
func PackedShape(packed []byte) string { return shapes[shapeOf(view(packed))].name }

// lookupPacked finds a field in what follows the tag and length of an object, false where the shape does not declare it.
func lookupPacked(body, field string, s *slot) bool {
	r := reader{body}
	t := templateOf(r.shape())
	i, ok := t.number(field)
	if !ok {
		return false
	}
	for r.field(t, s) && int(s.number) <= i {
		if int(s.number) == i {
			return true
		}
	}
	*s = t.start[i]
	return true
}
