package spec

import (
	"strconv"
	"strings"
)

// The sparse form of an object is JSON of those fields that differ from the start, by name, so that it outlives the tables that it
// was written with. What JSON alone does not tell stands under names that no field has:
const (
	sparseShape  = "$shape"  // the shape of an object where its place allows for several
	sparseAbsent = "$absent" // the names of fields that are left out although they are there from the start
	sparseJSON   = "$json"   // alone in an object: the text of a json.RawMessage
	sparseMap    = "$map"    // alone in an object: a map with keys that look like these
)

// AppendSparse appends the sparse form of a packed object, on one line. ParseSparse reads it.
func AppendSparse(dst, packed []byte) []byte { return appendSparseObject(dst, view(packed), false) }

func appendSparseObject(dst []byte, body string, told bool) []byte {
	r := reader{body}
	shape := r.shape()
	t := templateOf(shape)
	begin := len(dst)
	if told {
		dst = appendString(appendSparseName(dst, sparseShape), shapes[shape].name)
	}
	left := 0
	for s := (slot{}); r.field(t, &s); {
		if s.tag == tagAbsent {
			left++
			continue
		}
		dst = s.appendSparse(append(dst, t.key(s.number)...), t.declares(int(s.number)))
	}
	if left > 0 {
		dst = appendSparseAbsent(appendSparseName(dst, sparseAbsent), body)
	}
	if len(dst) == begin {
		return append(dst, "{}"...)
	}
	dst[begin] = '{'
	return append(dst, '}')
}

// appendSparseName appends a comma, which the brace of the object overwrites if it is the first, and the name.
func appendSparseName(dst []byte, name string) []byte {
	return append(appendString(append(dst, ','), name), ':')
}

// appendSparseAbsent lists the fields of an object that are left out, of which there is one at least.
func appendSparseAbsent(dst []byte, body string) []byte {
	r := reader{body}
	t := templateOf(r.shape())
	begin := len(dst)
	for s := (slot{}); r.field(t, &s); {
		if s.tag == tagAbsent {
			dst = appendString(append(dst, ','), t.shape.fields[s.number].name)
		}
	}
	dst[begin] = '['
	return append(dst, ']')
}

// appendSparse appends a value that is not absent. The declaration is nil for one within a value that may be any.
func (s slot) appendSparse(dst []byte, decl *value) []byte {
	switch s.tag {
	case tagNumber:
		return appendSparseNumber(dst, s.float())
	case tagRaw:
		dst = append(dst, `{"`+sparseJSON+`":`...)
		return append(appendString(dst, s.text), '}')
	case tagObject:
		_, implied := decl.implies()
		return appendSparseObject(dst, s.text, !implied)
	case tagStrings, tagObjects, tagList:
		dst = s.appendSparseElements(append(dst, '['), decl.element(), false)
		return append(dst, ']')
	case tagStringMap, tagIntegerMap, tagObjectMap, tagMap:
		wrapped := !decl.keyed() && s.looksSparse()
		if wrapped {
			dst = append(dst, `{"`+sparseMap+`":`...)
		}
		dst = append(s.appendSparseElements(append(dst, '{'), decl.element(), true), '}')
		if wrapped {
			dst = append(dst, '}')
		}
		return dst
	default:
		return s.appendJSON(dst)
	}
}

// appendSparseNumber writes a float64 so that it is not taken for an integer.
func appendSparseNumber(dst []byte, f float64) []byte {
	from := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	if !strings.ContainsAny(view(dst[from:]), ".e") {
		dst = append(dst, ".0"...)
	}
	return dst
}

func (s slot) appendSparseElements(dst []byte, of *value, keyed bool) []byte {
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
		dst = e.appendSparse(dst, of)
	}
	return dst
}

// looksSparse tells whether a map has keys that ParseSparse would take for its own.
func (s slot) looksSparse() bool {
	r := reader{s.text}
	for r.rest != "" {
		if strings.HasPrefix(r.text(), "$") {
			return true
		}
		var e slot
		r.element(s.tag, &e)
	}
	return false
}

// implies is the shape of an object where the declaration leaves no other, and otherwise the first that it names.
func (d *value) implies() (shape uint16, alone bool) {
	switch {
	case d == nil:
		return 0, false
	case d.form == formList:
		n, _ := number("list")
		return n, true
	case d.form == formObject, d.form == formID:
		return unions[d.ref][0], len(unions[d.ref]) == 1
	default:
		return 0, false
	}
}

// keyed tells whether the declaration is of a map.
func (d *value) keyed() bool { return d != nil && d.form == formMap }
