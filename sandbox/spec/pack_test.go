package spec

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anyObject is an object of any shape with fields at random, often of the shapes that hold the most.
func anyObject(t *rapid.T, depth int) *Object {
	n := rapid.IntRange(0, len(shapes)-1).Draw(t, "shape")
	if rapid.Bool().Draw(t, "rich") {
		n = named(rapid.SampledFrom([]string{"payment_intent", "charge", "event", "list", "customer", "price", "balance", "notification_event_data"}).Draw(t, "name"))
	}
	return objectOf(t, uint16(n), depth)
}

func named(shape string) int {
	n, _ := number(shape)
	return int(n)
}

func objectOf(t *rapid.T, shape uint16, depth int) *Object {
	o := made(shape, 0)
	change(t, o, depth)
	return o
}

// change gives some fields of an object other values, and looks at others.
func change(t *rapid.T, o *Object, depth int) {
	fields := shapes[o.shape].fields
	for range rapid.IntRange(0, min(len(fields), 12)).Draw(t, "changes") {
		f := &fields[rapid.IntRange(0, len(fields)-1).Draw(t, "field")]
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			o.Get(f.name)
		case 1:
			if !f.required {
				o.Set(f.name, Absent)
			}
		case 2:
			if sub := o.Sub(f.name); sub != nil && depth > 0 {
				change(t, sub, depth-1)
			}
		default:
			o.Set(f.name, valueOf(t, &values[f.value], depth))
		}
	}
}

var texts = rapid.SampledFrom([]string{"", "x", "usd", "a \"quoted\" <text> & more", "ü\u2028\n\t\x00\\", "id", "$shape", "a text of more than so many letters as fit into a length of one byte, which is why it goes on and on and on until it has more than that"})

// valueOf is any value that a declaration takes.
func valueOf(t *rapid.T, d *value, depth int) any {
	if d.nullable && rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return nil
	}
	switch d.form {
	case formString, formFixed:
		return texts.Draw(t, "text")
	case formTrue, formBoolean:
		return rapid.Bool().Draw(t, "truth")
	case formInteger:
		return integers(t)
	case formNumber:
		if rapid.Bool().Draw(t, "whole") {
			return integers(t)
		}
		return numbers(t)
	case formID, formObject:
		if depth == 0 && d.form == formID || d.form == formID && rapid.Bool().Draw(t, "id") {
			return texts.Draw(t, "text")
		}
		return objectOf(t, rapid.SampledFrom(unions[d.ref]).Draw(t, "shape"), max(0, depth-1))
	case formList:
		return objectOf(t, uint16(named("list")), max(0, depth-1))
	case formArray:
		return listFrom(t, &values[d.ref], depth-1)
	case formMap:
		return mapFrom(t, &values[d.ref], depth-1)
	default:
		return anything(t, depth-1)
	}
}

func integers(t *rapid.T) int64 {
	return rapid.OneOf(rapid.SampledFrom([]int64{0, 1, -1, 127, 128, 1 << 53, 1<<53 + 1, -1 << 63}), rapid.Int64()).Draw(t, "integer")
}

func numbers(t *rapid.T) float64 {
	f := rapid.OneOf(rapid.SampledFrom([]float64{0, 0.5, -2, 1e300}), rapid.Float64()).Draw(t, "number")
	if !finite(f) || f == 0 {
		return 0
	}
	return f
}

// anything is a value for a field that takes any.
func anything(t *rapid.T, depth int) any {
	sort := rapid.IntRange(0, 9).Draw(t, "sort")
	if depth <= 0 {
		sort %= 6
	}
	switch sort {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "truth")
	case 2:
		return integers(t)
	case 3:
		return numbers(t)
	case 4:
		return json.RawMessage(rapid.SampledFrom([]string{`{"b": [1, 2.50], "a":"<x>"}`, `"text"`, `null`, `{}`, "5"}).Draw(t, "raw"))
	case 5:
		return texts.Draw(t, "text")
	case 6:
		return anyObject(t, depth-1)
	case 7:
		return listFrom(t, &value{form: formAny, nullable: true}, depth-1)
	default:
		return mapFrom(t, &value{form: formAny, nullable: true}, depth-1)
	}
}

// alike is a declaration of what elements that may be anything have in common, or of nothing.
func alike(t *rapid.T, d *value) *value {
	if d.form != formAny {
		return d
	}
	return rapid.SampledFrom([]*value{d, {form: formString}, {form: formInteger}, {form: formObject, ref: oneShape()}}).Draw(t, "alike")
}

// oneShape is a set of shapes with a single one in it.
func oneShape() uint16 {
	return uint16(slices.IndexFunc(unions[:], func(of []uint16) bool { return len(of) == 1 }))
}

// listFrom is a list as one of anys, or as narrow as its elements allow.
func listFrom(t *rapid.T, d *value, depth int) any {
	list, d := []any{}, alike(t, d)
	for range rapid.IntRange(0, 3).Draw(t, "elements") {
		list = append(list, valueOf(t, d, depth))
	}
	if rapid.Bool().Draw(t, "wide") {
		return list
	}
	if all, ok := narrow[string](slices.Values(list)); ok && d.takes("") {
		return all
	}
	if all, ok := narrow[*Object](slices.Values(list)); ok {
		return all
	}
	return list
}

func mapFrom(t *rapid.T, d *value, depth int) any {
	m, d := map[string]any{}, alike(t, d)
	for range rapid.IntRange(0, 3).Draw(t, "entries") {
		m[texts.Draw(t, "key")] = valueOf(t, d, depth)
	}
	if rapid.Bool().Draw(t, "wide") {
		return m
	}
	keys := slices.Sorted(maps.Keys(m))
	if all, ok := narrowMap[string](m, keys); ok && d.takes("") {
		return all
	}
	if all, ok := narrowMap[int64](m, keys); ok && d.takes(int64(0)) {
		return all
	}
	if all, ok := narrowMap[*Object](m, keys); ok {
		return all
	}
	return m
}

func narrow[E any](of func(func(any) bool)) ([]E, bool) {
	all := []E{}
	for v := range of {
		e, ok := v.(E)
		if !ok {
			return nil, false
		}
		all = append(all, e)
	}
	return all, true
}

func narrowMap[V any](m map[string]any, keys []string) (map[string]V, bool) {
	all := map[string]V{}
	for _, key := range keys {
		v, ok := m[key].(V)
		if !ok {
			return nil, false
		}
		all[key] = v
	}
	return all, true
}

// TestPackedFormKeepsTheMeaning: what is packed renders as before, unpacks to the same, and packs to the same bytes again, whether it
// was looked at in between or not.
func TestPackedFormKeepsTheMeaning(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := anyObject(t, 3)
		want := o.AppendJSON(nil)
		packed := o.Pack(nil)
		if got := AppendPackedJSON([]byte("x"), packed)[1:]; !bytes.Equal(got, want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		u := Unpack(packed)
		if got := u.AppendJSON(nil); !bytes.Equal(got, want) {
			t.Fatalf("unpacked\n%s\nwant\n%s", got, want)
		}
		if got := u.Pack(nil); !bytes.Equal(got, packed) {
			t.Fatalf("packed again\n%q\nwant\n%q", got, packed)
		}
		lookAt(u)
		if got := u.AppendJSON(nil); !bytes.Equal(got, want) {
			t.Fatalf("looked at\n%s\nwant\n%s", got, want)
		}
		if got := u.Pack(nil); !bytes.Equal(got, packed) {
			t.Fatalf("looked at and packed\n%q\nwant\n%q", got, packed)
		}
		if u.Shape() != o.Shape() || PackedShape(packed) != o.Shape() {
			t.Fatalf("a %s became a %s", o.Shape(), u.Shape())
		}
	})
}

// lookAt reaches for everything in an object.
func lookAt(o *Object) {
	for i := range shapes[o.shape].fields {
		switch v := o.Get(shapes[o.shape].fields[i].name).(type) {
		case *Object:
			lookAt(v)
		case []*Object:
			for _, e := range v {
				lookAt(e)
			}
		}
	}
}

// TestPackedBytesAreOfOneMind: lists and maps of anys pack as those of texts, integers and objects do, and a value that the field has
// from the start as if it had never been set.
func TestPackedBytesAreOfOneMind(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := anyObject(t, 2)
		packed := o.Pack(nil)
		wide := New(o.Shape())
		for i := range shapes[o.shape].fields {
			f := &shapes[o.shape].fields[i]
			if !o.Has(f.name) {
				wide.Set(f.name, Absent)
				continue
			}
			wide.Set(f.name, widened(o.Get(f.name)))
		}
		if got := wide.Pack(nil); !bytes.Equal(got, packed) {
			t.Fatalf("got  %q\nwant %q", got, packed)
		}
	})
}

func widened(v any) any {
	switch v := v.(type) {
	case []string, []*Object:
		r := reflect.ValueOf(v)
		all := []any{}
		for i := range r.Len() {
			all = append(all, r.Index(i).Interface())
		}
		return all
	case map[string]string, map[string]int64, map[string]*Object:
		r := reflect.ValueOf(v)
		all := map[string]any{}
		for _, key := range r.MapKeys() {
			all[key.String()] = r.MapIndex(key).Interface()
		}
		return all
	default:
		return v
	}
}

func TestPackedGet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		packed := anyObject(t, 3).Pack(nil)
		o := Unpack(packed)
		for i := range shapes[o.shape].fields {
			name := shapes[o.shape].fields[i].name
			got, want := PackedGet(packed, name), o.Get(name)
			if !same(got, want) || PackedString(packed, name) != o.String(name) {
				t.Fatalf("%s.%s is %v, want %v", o.Shape(), name, got, want)
			}
			sub := o.Sub(name)
			if sub == nil {
				continue
			}
			for j := range shapes[sub.shape].fields {
				inner := shapes[sub.shape].fields[j].name
				if got, want := PackedGet(packed, name, inner), o.At(name, inner); !same(got, want) {
					t.Fatalf("%s.%s.%s is %v, want %v", o.Shape(), name, inner, got, want)
				}
			}
		}
		if PackedGet(packed, "nothing") != nil || PackedGet(packed, "id", "x") != nil || PackedString(packed, "nothing") != "" {
			t.Fatal("there is something where nothing is")
		}
	})
}

func same(a, b any) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && bytes.Equal(appendPacked(nil, a, nil), appendPacked(nil, b, nil))
}

// TestUnpackedObjectsAreTheirOwn: neither changes to the packed bytes nor to another object unpacked from them show.
func TestUnpackedObjectsAreTheirOwn(t *testing.T) {
	t.Parallel()
	o := New("charge").Set("id", "ch_1").Set("metadata", map[string]string{"k": "v"}).Set("outcome", New("charge_outcome").Set("type", "authorized"))
	packed := o.Pack(nil)
	one, other, text := Unpack(packed), Unpack(packed), PackedString(packed, "id")
	metadata := PackedGet(packed, "metadata").(map[string]string)
	one.Map("metadata")["k"] = "w"
	one.Sub("outcome").Set("type", "blocked")
	one.Sub("billing_details").Set("name", "A")
	clear(packed)
	if text != "ch_1" || metadata["k"] != "v" || !bytes.Equal(other.AppendJSON(nil), o.AppendJSON(nil)) {
		t.Errorf("got %s", other.AppendJSON(nil))
	}
	if one.At("outcome", "type") != "blocked" || one.Map("metadata")["k"] != "w" || one.At("billing_details", "name") != "A" {
		t.Errorf("got %s", one.AppendJSON(nil))
	}
}

func TestSetPacked(t *testing.T) {
	t.Parallel()
	charge := New("charge").Set("id", "ch_1").Set("amount", 5)
	data := New("notification_event_data").SetPacked("object", charge.Pack(nil))
	if got, want := data.Pack(nil), New("notification_event_data").Set("object", charge).Pack(nil); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if data.At("object", "amount") != int64(5) {
		t.Errorf("got %s", data.AppendJSON(nil))
	}
	defer func() {
		if recover() == nil {
			t.Error("a charge is taken for a customer")
		}
	}()
	New("charge").SetPacked("customer", charge.Pack(nil))
}
