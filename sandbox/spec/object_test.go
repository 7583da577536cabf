package spec_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/till-pay/till/sandbox/spec"
)

func TestEveryShapeIsBuiltAndRenders(t *testing.T) {
	t.Parallel()
	if n := len(spec.Shapes()); n < 1000 {
		t.Fatalf("there are %d shapes", n)
	}
	for _, name := range spec.Shapes() {
		o := spec.New(name)
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatalf("%s renders as %s", name, raw)
		}
		for _, f := range spec.Fields(name) {
			v, there := m[f.Name]
			if there != o.Has(f.Name) || !there && !f.Optional || there && v == nil && !f.Nullable {
				t.Errorf("%s.%s is %v, there %t, for %+v", name, f.Name, v, there, f)
			}
			delete(m, f.Name)
		}
		if len(m) > 0 {
			t.Errorf("%s renders what it does not declare: %v", name, m)
		}
	}
}

// TestObjectsNameThemselves holds for every resource, since the document fixes the field object.
func TestObjectsNameThemselves(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"payment_intent", "charge", "customer", "event", "list", "search_result", "checkout.session", "deleted_customer"} {
		o := spec.New(name)
		if got, want := o.String("object"), strings.TrimPrefix(name, "deleted_"); got != want || o.Shape() != name {
			t.Errorf("%s says that it is %q, of shape %q", name, got, o.Shape())
		}
	}
	if !spec.New("deleted_customer").Bool("deleted") {
		t.Error("a deleted customer is not deleted")
	}
}

func TestNewShows(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"payment_intent.amount": true, "payment_intent.latest_charge": true, "payment_intent.next_action": true, "payment_intent.hooks": false,
		"charge.refunds": false, "charge.transfer": false, "charge.radar_options": true, "charge.balance_transaction": true,
		"customer.cash_balance": false, "customer.sources": false, "customer.tax": false, "customer.address": true, "customer.customer_account": true,
		"payment_method.card": false, "payment_method_details.card": false, "token.card": false, "payment_method.billing_details": true,
		"list.data": true, "search_result.next_page": true, "search_result.total_count": false, "price.recurring": true, "price.tiers": false,
	} {
		shape, field, _ := strings.Cut(name, ".")
		if spec.New(shape).Has(field) != want {
			t.Errorf("%s is there: %t", name, !want)
		}
	}
}

func TestRenderingIsStripes(t *testing.T) {
	t.Parallel()
	o := spec.New("customer").Set("id", "cus_1").Set("name", "<Jörg> & \"Söhne\"\\\n\r\t\x00\x1f\u2028\xff!").
		Set("metadata", map[string]string{"b": "2", "a": "1"}).Set("preferred_locales", []string{"de", "fr"}).
		Set("invoice_credit_balance", map[string]int64{"usd": -5}).Set("delinquent", false).Set("balance", -12)
	raw := string(o.AppendJSON([]byte("x")))
	for _, want := range []string{
		`x{"id":"cus_1","object":"customer","address":null,"balance":-12,`, `"metadata":{"a":"1","b":"2"}`, `"preferred_locales":["de","fr"]`,
		`"invoice_credit_balance":{"usd":-5}`, `"delinquent":false`, "\"name\":\"<Jörg> & \\\"Söhne\\\"\\\\\\n\\r\\t\\u0000\\u001f\u2028\ufffd!\"",
	} {
		if !strings.Contains(raw, want) {
			t.Errorf("%s\nlacks %s", raw, want)
		}
	}
	list := spec.New("list").Set("url", "/v1/customers").Set("data", []*spec.Object{spec.New("deleted_customer")})
	if got, want := string(list.AppendJSON(nil)), `{"object":"list","data":[{"id":"","object":"customer","deleted":true}],"has_more":false,"url":"/v1/customers"}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestStringsRenderAsEncodingJSONReadsThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "text"))
		var got struct{ Name string }
		if err := json.Unmarshal(spec.New("customer").Set("name", s).AppendJSON(nil), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); strings.ReplaceAll(got.Name, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Fatalf("%q became %q", s, got.Name)
		}
	})
}

func TestSetAndGet(t *testing.T) {
	t.Parallel()
	charge := spec.New("charge").Set("amount", 5).Set("customer", "cus_1").Set("metadata", map[string]string{"k": "v"}).
		Set("payment_method_details", spec.New("payment_method_details").Set("card", spec.New("payment_method_details_card").Set("last4", "4242")))
	intent := spec.New("payment_intent").Set("latest_charge", charge)
	if charge.Int("amount") != 5 || charge.String("customer") != "cus_1" || charge.Map("metadata")["k"] != "v" || charge.Bool("paid") {
		t.Errorf("got %s", charge.AppendJSON(nil))
	}
	if got := intent.At("latest_charge", "payment_method_details", "card", "last4"); got != "4242" {
		t.Errorf("last4 is %v", got)
	}
	if intent.At("latest_charge", "customer", "name") != nil || intent.At("latest_charge", "nothing") != nil || intent.Sub("review").Sub("x") != nil {
		t.Error("a path that breaks off leads somewhere")
	}
	if charge.Set("transfer", "tr_1").Set("transfer", nil).Has("transfer") {
		t.Error("nil does not leave out what cannot be null")
	}
	if charge.Set("description", nil); !charge.Has("description") || charge.Set("description", spec.Absent).Has("description") {
		t.Error("nil is not null or Absent is not left out")
	}
	var none *spec.Object
	if charge.Set("outcome", none).Get("outcome") != nil || none.Clone() != nil || none.Int("amount") != 0 || none.Has("id") {
		t.Error("a nil object is something")
	}
	event := spec.New("event")
	event.Sub("data").Set("object", json.RawMessage(`{"id":"ch_1"}`)).Set("previous_attributes", map[string]any{"amount": int64(1), "list": []any{nil, true}})
	if spec.New("notification_event_data").Set("previous_attributes", nil).Has("previous_attributes") {
		t.Error("nil does not leave out what may be anything")
	}
	if got := string(event.Sub("data").AppendJSON(nil)); got != `{"object":{"id":"ch_1"},"previous_attributes":{"amount":1,"list":[null,true]}}` {
		t.Errorf("got %s", got)
	}
}

func TestSetPanics(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(){
		"no such shape":         func() { spec.New("payment_intents") },
		"no such field":         func() { spec.New("charge").Set("paid_at", 1) },
		"null where none is":    func() { spec.New("charge").Set("amount", nil) },
		"absent where required": func() { spec.New("charge").Set("amount", spec.Absent) },
		"text for a number":     func() { spec.New("charge").Set("amount", "5") },
		"number for a text":     func() { spec.New("charge").Set("currency", 5) },
		"float for money":       func() { spec.New("charge").Set("amount", 5.0) },
		"text for a truth":      func() { spec.New("charge").Set("paid", "true") },
		"text for an object":    func() { spec.New("charge").Set("outcome", "fine") },
		"wrong object":          func() { spec.New("charge").Set("customer", spec.New("charge")) },
		"object for a list":     func() { spec.New("charge").Set("refunds", spec.New("refund")) },
		"text for an array":     func() { spec.New("payment_intent").Set("payment_method_types", "card") },
		"text for a map":        func() { spec.New("charge").Set("metadata", "k=v") },
		"no number":             func() { spec.New("balance_transaction").Set("exchange_rate", math.NaN()) },
		"no number anywhere":    func() { spec.New("event").Sub("data").Set("object", []any{math.Inf(1)}) },
		"nil among objects":     func() { spec.New("list").Set("data", []*spec.Object{nil}) },
		"unrenderable":          func() { spec.New("event").Sub("data").Set("object", struct{}{}) },
		"unrenderable within":   func() { spec.New("event").Sub("data").Set("object", map[string]any{"a": []any{uint8(1)}}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			set()
		}()
	}
}

func TestFieldOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]spec.Field{
		"payment_intent.amount":         {Name: "amount", Optional: true},
		"payment_intent.id":             {Name: "id"},
		"payment_intent.latest_charge":  {Name: "latest_charge", Nullable: true, Optional: true, Expandable: true, Shapes: []string{"charge"}},
		"payment_intent.customer":       {Name: "customer", Nullable: true, Optional: true, Expandable: true, Shapes: []string{"customer", "deleted_customer"}},
		"payment_intent.next_action":    {Name: "next_action", Nullable: true, Optional: true, Shapes: []string{"payment_intent_next_action"}},
		"charge.refunds":                {Name: "refunds", Nullable: true, Optional: true, List: true, Expandable: true, Shapes: []string{"refund"}},
		"customer.sources":              {Name: "sources", Optional: true, List: true, Expandable: true, Shapes: []string{"bank_account", "card", "source"}},
		"invoice.lines":                 {Name: "lines", List: true, Shapes: []string{"line_item"}},
		"payment_intent.metadata":       {Name: "metadata", Optional: true, Map: true},
		"price.currency_options":        {Name: "currency_options", Optional: true, Map: true, Shapes: []string{"currency_option"}},
		"balance.available":             {Name: "available", Array: true, Shapes: []string{"balance_amount"}},
		"subscription.discounts":        {Name: "discounts", Array: true, Expandable: true, Shapes: []string{"discount"}},
		"charge.billing_details":        {Name: "billing_details", Shapes: []string{"billing_details"}},
		"customer.cash_balance":         {Name: "cash_balance", Nullable: true, Optional: true, Shapes: []string{"cash_balance"}},
		"payment_intent.amount_details": {Name: "amount_details", Optional: true, Shapes: []string{"payment_flows_amount_details", "payment_flows_amount_details_client"}},
	} {
		shape, field, _ := strings.Cut(name, ".")
		got, ok := spec.FieldOf(shape, field)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, name := range []string{"payment_intent.nothing", "nothing.id"} {
		shape, field, _ := strings.Cut(name, ".")
		if f, ok := spec.FieldOf(shape, field); ok {
			t.Errorf("%s is %+v", name, f)
		}
	}
}

// TestCloneIsIndependent fills objects at random, clones them, changes the original all over and looks at the clone.
func TestCloneIsIndependent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shapes := []string{"payment_intent", "event", "list", "customer", "price", "balance"}
		if rapid.Bool().Draw(t, "any shape") {
			shapes = spec.Shapes()
		}
		o := spec.New(rapid.SampledFrom(shapes).Draw(t, "shape"))
		fill(t, o, 2)
		before := o.AppendJSON(nil)
		if !json.Valid(before) {
			t.Fatalf("%s renders as %s", o.Shape(), before)
		}
		c := o.Clone()
		spoil(o)
		if after := c.AppendJSON(nil); !bytes.Equal(before, after) {
			t.Fatalf("the clone changed from\n%s\nto\n%s", before, after)
		}
	})
}

// fill gives the fields of an object values at random, to the given depth of nesting.
func fill(t *rapid.T, o *spec.Object, depth int) {
	for _, f := range spec.Fields(o.Shape()) {
		switch {
		case rapid.IntRange(0, 2).Draw(t, "skip") == 0:
		case f.List:
			o.Set(f.Name, spec.New("list").Set("data", []*spec.Object{part(t, f, depth)}))
		case f.Array && f.Shapes != nil:
			o.Set(f.Name, []*spec.Object{part(t, f, depth)})
		case f.Map && f.Shapes != nil:
			o.Set(f.Name, map[string]*spec.Object{"k": part(t, f, depth)})
		case f.Name == "metadata":
			o.Set(f.Name, map[string]string{"k": "v"})
		case o.Shape() == "notification_event_data":
			o.Set(f.Name, map[string]any{"k": []any{int64(1), "v", []string{"w"}}})
		case f.Shapes != nil && depth > 0:
			o.Set(f.Name, part(t, f, depth))
		}
	}
}

func part(t *rapid.T, f spec.Field, depth int) *spec.Object {
	o := spec.New(rapid.SampledFrom(f.Shapes).Draw(t, f.Name))
	if depth > 0 {
		fill(t, o, depth-1)
	}
	return o
}

// spoil changes everything that an object holds, in place.
func spoil(o *spec.Object) {
	for _, f := range spec.Fields(o.Shape()) {
		switch v := o.Get(f.Name).(type) {
		case *spec.Object:
			spoil(v)
		case []*spec.Object:
			for _, e := range v {
				spoil(e)
			}
			clear(v)
		case map[string]any:
			if list, ok := v["k"].([]any); ok {
				list[2].([]string)[0] = "spoilt"
				clear(list)
			}
			clear(v)
		case map[string]string:
			v["spoilt"] = "x"
		case map[string]*spec.Object:
			for _, e := range v {
				spoil(e)
			}
			clear(v)
		case string:
			o.Set(f.Name, v+"spoilt")
		}
	}
}
