package spec

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSparseRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := anyObject(t, 3)
		packed := o.Pack(nil)
		text := AppendSparse(nil, packed)
		if !json.Valid(text) || bytes.ContainsAny(text, "\n\r") {
			t.Fatalf("%s is not a line of JSON", text)
		}
		got, err := ParseSparse(o.Shape(), text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !bytes.Equal(got, packed) {
			t.Fatalf("%s\nis %s\nwant %s", text, AppendPackedJSON(nil, got), AppendPackedJSON(nil, packed))
		}
	})
}

func TestAppendSparse(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]*Object{
		`{}`: New("charge"),
		`{"id":"ch_1","amount":1000,"metadata":{"$shape":"x"}}`: New("charge").Set("id", "ch_1").Set("amount", 1000).Set("metadata", map[string]string{"$shape": "x"}),
		`{"outcome":{},"$absent":["description","review"]}`:     New("charge").Set("outcome", New("charge_outcome")).Set("review", Absent).Set("description", Absent),
		`{"customer":{"$shape":"deleted_customer","id":"c"}}`:   New("charge").Set("customer", New("deleted_customer").Set("id", "c")),
		`{"balance_transaction":{"exchange_rate":2.0}}`:         New("charge").Set("balance_transaction", New("balance_transaction").Set("exchange_rate", 2)),
		`{"object":{"$shape":"charge","amount":5}}`:             New("notification_event_data").Set("object", New("charge").Set("amount", 5)),
		`{"object":{"$json":"{\"a\": 1}"}}`:                     New("notification_event_data").Set("object", json.RawMessage(`{"a": 1}`)),
		`{"object":{"$map":{"$map":1,"a":2.5}}}`:                New("notification_event_data").Set("object", map[string]any{"$map": 1, "a": 2.5}),
	} {
		packed := o.Pack(nil)
		if got := string(AppendSparse(nil, packed)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got, err := ParseSparse(o.Shape(), []byte(" "+strings.ReplaceAll(want, ":{", " : { ")+"\n")); err != nil || !bytes.Equal(got, packed) {
			t.Errorf("%s is read as %q, %v", want, got, err)
		}
	}
}

func TestParseSparseDropsWhatIsUnknown(t *testing.T) {
	t.Parallel()
	got, err := ParseSparse("charge", []byte(`{"$shape":"x","paid_at":{"$shape":"gone","a":[{"b":null}]},"amount":5,"$absent":["gone","review"],"outcome":{"gone":1.5,"type":"authorized"}}`))
	want := New("charge").Set("amount", 5).Set("review", Absent).Set("outcome", New("charge_outcome").Set("type", "authorized")).Pack(nil)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %s, %v", AppendSparse(nil, got), err)
	}
}

func TestParseSparseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``: "not JSON", `{`: "not JSON", `[]`: "not JSON", `{"amount"}`: "not JSON", `{"amount":}`: "not JSON", `{"amount":01}`: "not JSON", `{"amount":1,}`: "not JSON",
		`{"amount":nul}`: "not JSON", `{"description":"a`: "not JSON", `{"description":"\x"}`: "not JSON", "{\"description\":\"\n\"}": "not JSON", `{"gone":[1 2]}`: "not JSON",
		`{} {}`: "more than one object", "{}\x00": "more than one object",
		`{"amount":"5"}`: "charge.amount cannot be string", `{"amount":5.0}`: "charge.amount cannot be float64", `{"amount":null}`: "charge.amount cannot be <nil>",
		`{"amount":9223372036854775808}`: "out of range", `{"paid":{"a":1}}`: "charge.paid cannot be map", `{"metadata":{"a":1}}`: "charge.metadata cannot be map",
		`{"outcome":[]}`: "charge.outcome cannot be []interface", `{"$absent":["amount"]}`: "charge.amount cannot be left out", `{"$absent":"review"}`: "not JSON",
		`{"customer":{"$shape":"charge"}}`: "charge.customer cannot be *spec.Object", `{"customer":{"$shape":"gone"}}`: `no shape "gone"`,
		`{"gone":` + strings.Repeat("[", 100_000): "nested more than",
	} {
		if got, err := ParseSparse("charge", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100s: got %q, %v", text, got, err)
		}
	}
	if _, err := ParseSparse("charges", []byte("{}")); err == nil {
		t.Error("there is a shape charges")
	}
	for _, text := range []string{`{"object":{"$json":"{"}}`, `{"object":{"$json":5}}`, `{"object":{"$map":5}}`, `{"object":1e999}`} {
		if got, err := ParseSparse("notification_event_data", []byte(text)); err == nil {
			t.Errorf("%s is read as %q", text, got)
		}
	}
}

// FuzzParseSparse holds that whatever is taken is an object, and that its sparse form is read as the same object.
func FuzzParseSparse(f *testing.F) {
	for _, seed := range []string{
		`{"id":"ch_1","amount":1000,"metadata":{"k":"v"},"outcome":{"risk_score":5},"$absent":["review"]}`, `{"customer":{"$shape":"customer","name":"\u00fc"}}`,
		`{"object":{"$shape":"charge"},"previous_attributes":{"a":[1,2.5,null,{"$json":"[]"},{"$map":{"$x":true}}]}}`, `{"data":[{"$shape":"charge"},1e3],"has_more":true}`, `{"a":[[[`,
	} {
		for _, shape := range []string{"charge", "notification_event_data", "list", "price"} {
			f.Add(uint16(named(shape)), seed)
		}
	}
	f.Fuzz(func(t *testing.T, n uint16, text string) {
		shape := shapes[int(n)%len(shapes)].name
		packed, err := ParseSparse(shape, []byte(text))
		if err != nil {
			return
		}
		sparse := AppendSparse(nil, packed)
		again, err := ParseSparse(shape, sparse)
		if err != nil || !bytes.Equal(packed, again) || !json.Valid(AppendPackedJSON(nil, packed)) {
			t.Fatalf("%s became %s: %v", text, sparse, err)
		}
	})
}

// FuzzUnpack holds that bytes of any origin either are an object or say that they are none.
func FuzzUnpack(f *testing.F) {
	f.Add(New("charge").Set("amount", 5).Set("metadata", map[string]string{"a": "b"}).Set("outcome", New("charge_outcome").Set("type", "x")).Pack(nil))
	f.Add(New("notification_event_data").Set("object", map[string]any{"a": []any{1, 2.5, "x", nil, json.RawMessage("1")}, "b": New("charge")}).Pack(nil))
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, packed []byte) {
		defer func() {
			if r := recover(); r != nil && r != notPacked {
				panic(r)
			}
		}()
		PackedGet(packed, "id")
		PackedGet(packed, "object", "id")
		AppendSparse(nil, packed)
		json := AppendPackedJSON(nil, packed)
		o := Unpack(packed)
		if got := o.AppendJSON(nil); !bytes.Equal(got, json) {
			t.Fatalf("%q is %s and %s", packed, json, got)
		}
		lookAt(o)
		o.AppendJSON(nil)
	})
}
