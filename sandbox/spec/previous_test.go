package spec

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// previousByJSON is the same by way of the JSON of both states as a whole.
func previousByJSON(before, after []byte) json.RawMessage {
	old, now := slot{tag: tagObject, text: string(before)}, slot{tag: tagObject, text: string(after)}
	changed := differing(old.decoded().(map[string]any), now.decoded().(map[string]any))
	if len(changed) == 0 {
		return nil
	}
	raw, err := json.Marshal(changed)
	if err != nil {
		panic(err)
	}
	return raw
}

// TestPackedPrevious changes objects at random, also back and forth and into others.
func TestPackedPrevious(t *testing.T) {
	t.Parallel()
	some := 0
	rapid.Check(t, func(t *rapid.T) {
		o := anyObject(t, 3)
		before := o.Pack(nil)
		if rapid.IntRange(0, 9).Draw(t, "other") == 0 {
			o = anyObject(t, 3)
		} else {
			change(t, o, 3)
		}
		after := o.Pack(nil)
		want := previousByJSON(before, after)
		got, changed := PackedPrevious(before, after)
		if !bytes.Equal(got, want) || changed != (want != nil) {
			t.Fatalf("got  %s\nwant %s\nfrom %s\nto   %s", got, want, AppendPackedJSON(nil, before), AppendPackedJSON(nil, after))
		}
		if changed {
			some++
		}
	})
	if some == 0 {
		t.Error("nothing ever changed")
	}
}

func TestPackedPreviousTells(t *testing.T) {
	t.Parallel()
	charge := func() *Object {
		return New("charge").Set("id", "ch_1").Set("description", "<b>").Set("metadata", map[string]string{"a": "1", "b": "2"}).Set("transfer", "tr_1")
	}
	for want, change := range map[string]func(*Object){
		``:                                        func(o *Object) { o.Set("description", nil).Set("description", "<b>").Sub("billing_details") },
		`{"description":"\u003cb\u003e"}`:         func(o *Object) { o.Set("description", nil) },
		`{"metadata":{"a":"1","c":null}}`:         func(o *Object) { o.Set("metadata", map[string]string{"b": "2", "c": "3"}) },
		`{"billing_details":{"name":null}}`:       func(o *Object) { o.Sub("billing_details").Set("name", "A") },
		`{"amount":0,"id":"ch_1","outcome":null}`: func(o *Object) { o.Set("id", "ch_2").Set("amount", 5).Set("outcome", New("charge_outcome")) },
		`{"transfer":"tr_1"}`:                     func(o *Object) { o.Set("transfer", nil) },
		`{"refunds":null}`:                        func(o *Object) { o.Set("refunds", New("list")) },
		`{"paid":false}`:                          func(o *Object) { o.Set("paid", true).Set("review", Absent) },
	} {
		o := charge()
		change(o)
		if got, changed := PackedPrevious(charge().Pack(nil), o.Pack(nil)); string(got) != want || changed != (want != "") {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
