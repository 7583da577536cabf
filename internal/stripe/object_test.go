package stripe_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/till-pay/till/internal/stripe"
)

// A field that Stripe expands is read in both its forms, and null is neither.
func TestExpandableFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, json string
		want       stripe.PaymentIntent
	}{
		{"absent", `{"id":"pi_1"}`, stripe.PaymentIntent{ID: "pi_1"}},
		{"null", `{"id":"pi_1","latest_charge":null,"last_payment_error":null,"next_action":null}`, stripe.PaymentIntent{ID: "pi_1"}},
		{"id", `{"id":"pi_1","latest_charge":"ch_1"}`, stripe.PaymentIntent{ID: "pi_1", LatestCharge: stripe.Ref[stripe.Charge]{ID: "ch_1"}}},
		{"object", `{"id":"pi_1","latest_charge":{"id":"ch_1","amount":5,"payment_intent":"pi_1","balance_transaction":"txn_1"}}`,
			stripe.PaymentIntent{ID: "pi_1", LatestCharge: stripe.Ref[stripe.Charge]{ID: "ch_1", Object: &stripe.Charge{ID: "ch_1", Amount: 5,
				PaymentIntent: stripe.Ref[struct{}]{ID: "pi_1"}, BalanceTransaction: stripe.Ref[stripe.BalanceTransaction]{ID: "txn_1"}}}}},
		{"object in an object", ` { "id":"pi_1", "latest_charge" : { "id":"ch_1","balance_transaction":{"id":"txn_1","fee":175,"net":4825,"currency":"usd"} } } `,
			stripe.PaymentIntent{ID: "pi_1", LatestCharge: stripe.Ref[stripe.Charge]{ID: "ch_1", Object: &stripe.Charge{ID: "ch_1",
				BalanceTransaction: stripe.Ref[stripe.BalanceTransaction]{ID: "txn_1", Object: &stripe.BalanceTransaction{ID: "txn_1", Fee: 175, Net: 4825, Currency: "usd"}}}}}},
	} {
		var got stripe.PaymentIntent
		if err := json.Unmarshal([]byte(c.json), &got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	for _, bad := range []string{`{"latest_charge":5}`, `{"latest_charge":["ch_1"]}`, `{"latest_charge":true}`, `{"amount":1.5}`, `{"amount":"5"}`, `{"amount":1e30}`} {
		var pi stripe.PaymentIntent
		if err := json.Unmarshal([]byte(bad), &pi); err == nil {
			t.Errorf("%s was read as %+v", bad, pi)
		}
	}
}

func TestKeysByMode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		prefix     string
		live, test bool
	}{{"sk_live_", true, false}, {"rk_live_", true, false}, {"sk_test_", false, true}, {"rk_test_", false, true}, {"pk_live_", false, false}, {"pk_test_", false, false}, {"whsec_", false, false}, {"SK_LIVE_", false, false}, {"", false, false}} {
		if key := c.prefix + strings.Repeat("a", 8); stripe.LiveKey(key) != c.live || stripe.TestKey(key) != c.test {
			t.Errorf("%s: live %v, test %v", c.prefix, stripe.LiveKey(key), stripe.TestKey(key))
		}
	}
}

const event = `{"id":"evt_1","object":"event","type":"payment_intent.succeeded","account":"acct_1","created":1700000000,"livemode":true,"data":{"object":{"id":"pi_1"}},"unknown":[1,{}]}`

func TestParseEvent(t *testing.T) {
	t.Parallel()
	e, err := stripe.ParseEvent([]byte(event))
	want := stripe.Event{ID: "evt_1", Type: "payment_intent.succeeded", Account: "acct_1", Created: 1700000000, Livemode: true, Object: json.RawMessage(`{"id":"pi_1"}`), Body: json.RawMessage(event)}
	if diff := cmp.Diff(want, e); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"", "{", "[]", "null", `"evt"`, "{}", event[:len(event)-1], event + "x",
		strings.Replace(event, `"evt_1"`, `""`, 1), strings.Replace(event, `"evt_1"`, `5`, 1), strings.Replace(event, `"evt_1"`, `"`+strings.Repeat("e", 256)+`"`, 1),
		strings.Replace(event, `"object":"event"`, `"object":"charge"`, 1), strings.Replace(event, `"payment_intent.succeeded"`, `""`, 1),
		strings.Replace(event, `{"object":{"id":"pi_1"}}`, `{}`, 1), strings.Replace(event, `{"object":{"id":"pi_1"}}`, `null`, 1),
		strings.Replace(event, `1700000000`, `1e99`, 1), strings.Replace(event, `true`, `"true"`, 1),
		strings.Replace(event, `"payment_intent.succeeded"`, `"`+strings.Repeat("t", 256)+`"`, 1),
	} {
		if e, err := stripe.ParseEvent([]byte(bad)); err == nil {
			t.Errorf("%.80s was read as %+v", bad, e)
		}
	}
}

// Whatever comes, an event that is read has an id, a type and an object, within their bounds.
func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(event))
	f.Add([]byte(`{"object":"event","id":"evt_1","type":"t","data":{"object":null}}`))
	f.Add([]byte(`{"ID":"evt_1","OBJECT":"event","Type":"t","data":{"object":[]},"data":{}}`))
	f.Add([]byte(`{"id":"\ud800","object":"event","type":"\u0000","data":{"object":0}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := stripe.ParseEvent(body)
		if err != nil {
			if e.ID != "" || e.Object != nil {
				t.Errorf("%+v beside %v", e, err)
			}
			return
		}
		if e.ID == "" || e.Type == "" || len(e.ID) > 255 || len(e.Type) > 255 || !json.Valid(e.Object) {
			t.Errorf("%+v", e)
		}
	})
}

// Whatever comes, a field is read as its id, as its object, or as neither; and reading what was read gives the same.
func FuzzRef(f *testing.F) {
	for _, s := range []string{`"ch_1"`, `null`, `{"id":"ch_1","amount":5}`, `{"id":null}`, `{}`, `5`, `""`, `{"id":{"id":"x"}}`, `"\u0000"`, ` "ch_1"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var r stripe.Ref[stripe.Charge]
		if err := json.Unmarshal(body, &r); err != nil {
			var syntax *json.SyntaxError
			if json.Valid(body) == errors.As(err, &syntax) {
				t.Errorf("%s: %v", body, err)
			}
			return
		}
		if r.Object != nil && r.Object.ID != r.ID {
			t.Errorf("%s: id %q beside %q", body, r.ID, r.Object.ID)
		}
		text, err := json.Marshal(r.ID)
		if err != nil {
			t.Fatal(err)
		}
		var again stripe.Ref[stripe.Charge]
		if err := json.Unmarshal(text, &again); err != nil || again.ID != r.ID || again.Object != nil {
			t.Errorf("%s: %+v, %v", text, again, err)
		}
	})
}
