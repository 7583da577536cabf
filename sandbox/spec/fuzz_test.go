package spec_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/till-pay/till/sandbox/spec"
)

// FuzzDecode holds that Decode never panics, gives either parameters or a refusal with words, and that what it gives keeps its
// meaning when it is read.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"amount=2000&currency=usd&payment_method_types[]=card&metadata[order]=1",
		"payment_method_data[type]=card&payment_method_data[card][number]=4242424242424242",
		"expand[0]=a&expand[]=b&expand[00]=c", "a[b]=1&a=2", "[]=1&[a]=2&a[=3&a]=4&a[]]=5&a[[]]=6", "items[][price]=a&items[][price]=b&items[][quantity]=1", "%zz=%",
		"metadata[a][b]=1&metadata=&metadata[]=2", "created[gte]=1&created=2", "off_session=&shipping[address]=",
	} {
		f.Add(uint16(0), seed)
		f.Add(uint16(300), seed)
	}
	ops := spec.Ops()
	f.Fuzz(func(t *testing.T, n uint16, encoded string) {
		op := ops[int(n)%len(ops)]
		p, err := op.Decode(encoded)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v and %v", p, err)
		}
		if err != nil {
			if err.Message == "" || len(err.Message) > 100_000 {
				t.Fatalf("%+.200v", err)
			}
			return
		}
		once, again := p.Canonical(), p.Canonical()
		if once != again || p.Unset("metadata") && p.Sub("metadata") != nil {
			t.Fatal("the parameters are not of one mind")
		}
		for _, name := range p.Names() {
			p.Int(name)
			p.Map(name)
			p.Strings(name)
		}
	})
}

// FuzzString holds the rendering of text against encoding/json.
func FuzzString(f *testing.F) {
	for _, seed := range []string{"", "plain", "\"\\/<>&\u2028", "\x00\x1f\x7f", "\xff\xc0é", "😀"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(s); err != nil {
			t.Fatal(err)
		}
		var plain, got string
		var o struct{ Name string }
		if err := json.Unmarshal(want.Bytes(), &plain); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(spec.New("customer").Set("name", s).AppendJSON(nil), &o); err != nil {
			t.Fatal(err)
		}
		if got = o.Name; got != plain {
			t.Fatalf("%q is rendered as %q, encoding/json has %q", s, got, plain)
		}
	})
}
