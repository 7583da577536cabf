package spec_test

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/till-pay/till/sandbox/spec"
)

// decode reads parameters that are right.
func decode(t testing.TB, op, encoded string) *spec.Params {
	t.Helper()
	method, path, _ := strings.Cut(op, " ")
	p, err := operation(t, method, path).Decode(encoded)
	if err != nil {
		t.Fatalf("%s: %+v", encoded, err)
	}
	return p
}

func TestParams(t *testing.T) {
	t.Parallel()
	p := decode(t, "POST /v1/payment_intents/pi_1/confirm", "payment_method_data[type]=card&payment_method_data[card][exp_month]=7&payment_method_data[card][exp_year]=2040&payment_method_data[card][number]=4242424242424242&off_session=true&expand[]=customer&"+
		"expand[]=latest_charge&receipt_email=&return_url=https%3A%2F%2Fa.example&payment_method_data[metadata][k]=v&payment_method_data[metadata][gone]=&amount_details[line_items][0][quantity]=3&"+
		"amount_details[line_items][0][product_name]=Tea&amount_details[line_items][0][unit_cost]=5&shipping=")
	if !p.Has("payment_method_data", "card") || p.Has("payment_method_data", "link") || !p.Has("receipt_email") || p.Has("receipt_email", "x", "y") {
		t.Error("Has is wrong")
	}
	if !p.Unset("receipt_email") || !p.Unset("shipping") || p.Unset("return_url") || p.Unset("metadata") {
		t.Error("Unset is wrong")
	}
	if p.String("payment_method_data", "type") != "card" || p.String("return_url") != "https://a.example" || p.String("customer") != "" || p.String("off_session") != "true" {
		t.Error("String is wrong")
	}
	if p.Int("payment_method_data", "card", "exp_month") != 7 || p.Int("return_url") != 0 || p.Int("nothing") != 0 || p.IsInt("return_url") {
		t.Error("Int is wrong")
	}
	if !p.Bool("off_session") || p.Bool("use_stripe_sdk") || p.Bool("return_url") {
		t.Error("Bool is wrong")
	}
	if got := p.Strings("expand"); !slices.Equal(got, []string{"customer", "latest_charge"}) {
		t.Errorf("Strings gives %v", got)
	}
	got, ok := p.Map("payment_method_data", "metadata")
	if !ok || !maps.Equal(got, map[string]string{"k": "v", "gone": ""}) {
		t.Errorf("Map gives %v", got)
	}
	if m, ok := p.Map("shipping"); m != nil || ok {
		t.Errorf("the map of what is unset is %v", m)
	}
	card := p.Sub("payment_method_data", "card")
	if card.Int("exp_month") != 7 || p.Sub("shipping") != nil || p.Sub("shipping").Sub("address").String("city") != "" {
		t.Error("Sub is wrong")
	}
	if items := p.List("amount_details", "line_items"); len(items) != 1 || items[0].Int("quantity") != 3 || items[0].String("product_name") != "Tea" {
		t.Errorf("List gives %v", items)
	}
	if got := p.Names("payment_method_data"); !slices.Equal(got, []string{"card", "metadata", "type"}) {
		t.Errorf("Names gives %v", got)
	}
	var none *spec.Params
	if none.Has("a") || none.Canonical() != "" || none.List() != nil || none.Names() != nil || none.Strings() != nil || none.IsInt() {
		t.Error("nil parameters are something")
	}
}

func TestParamsOfAUnion(t *testing.T) {
	t.Parallel()
	exact, between := decode(t, "GET /v1/charges", "created=5"), decode(t, "GET /v1/charges", "created[gte]=5")
	if !exact.IsInt("created") || exact.Int("created") != 5 || between.IsInt("created") || between.Int("created", "gte") != 5 {
		t.Error("equality and range are mixed up")
	}
	if now := decode(t, "POST /v1/subscriptions", "customer=c&trial_end=now"); now.String("trial_end") != "now" || now.IsInt("trial_end") {
		t.Error("a word is taken as an integer")
	}
}

// TestCanonicalHoldsTheMeaning: the same pairs in any order, escaped in any way, have one text, and another value has another.
func TestCanonicalHoldsTheMeaning(t *testing.T) {
	t.Parallel()
	keys := []string{
		"name", "email", "metadata[a]", "metadata[b c]", "address[city]", "address[line1]", "tax[ip_address]", "expand[0]", "expand[1]",
		"invoice_settings[rendering_options][template]", "preferred_locales[0]",
	}
	rapid.Check(t, func(t *rapid.T) {
		chosen := rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 1, len(keys), rapid.ID).Draw(t, "keys")
		pairs := make([]string, len(chosen))
		for i, k := range chosen {
			pairs[i] = url.QueryEscape(k) + "=" + url.QueryEscape(rapid.StringMatching(`[a-zäß&=+%\[\]"]{1,8}`).Draw(t, k))
		}
		op, _, _ := spec.Match("POST", "/v1/customers")
		p, err := op.Decode(strings.Join(pairs, "&"))
		if err != nil {
			t.Fatalf("%v: %+v", pairs, err)
		}
		other := rapid.Permutation(pairs).Draw(t, "order")
		for i := range other {
			key, value, _ := strings.Cut(other[i], "=")
			plain, _ := url.QueryUnescape(key)
			other[i] = strings.ReplaceAll(plain, " ", "+") + "=" + strings.ReplaceAll(value, "+", "%20")
		}
		q, err := op.Decode(strings.Join(other, "&"))
		if err != nil || q.Canonical() != p.Canonical() {
			t.Fatalf("%v and %v mean %s and %s (%v)", pairs, other, p.Canonical(), q.Canonical(), err)
		}
		at := rapid.IntRange(0, len(pairs)-1).Draw(t, "at")
		other = slices.Clone(pairs)
		other[at] += "z"
		if r, err := op.Decode(strings.Join(other, "&")); err != nil || r.Canonical() == p.Canonical() {
			t.Fatalf("%v and %v mean the same", pairs, other)
		}
	})
}

// TestCanonicalIsNotFooled: what is text in one request and structure in another differs.
func TestCanonicalIsNotFooled(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, encoded := range []string{
		"metadata[a]=1&metadata[b]=2", "metadata[a]=1%22%2C%22b%22%3A%222", "metadata[a]=", "metadata=", "metadata[a]=1", "name=1", "expand[]=1&expand[]=2", "expand[]=1%22%2C%222",
		"expand[]=2&expand[]=1", "email=", "",
	} {
		text := decode(t, "POST /v1/customers", encoded).Canonical()
		if twin, ok := seen[text]; ok {
			t.Errorf("%q and %q mean %s", encoded, twin, text)
		}
		seen[text] = encoded
	}
}

// TestEveryOperationTakesWhatItDeclares gives every operation a plausible value for each parameter at its first level, one at a time.
func TestEveryOperationTakesWhatItDeclares(t *testing.T) {
	t.Parallel()
	for _, op := range spec.Ops() {
		for _, name := range op.Names() {
			taken := false
			for _, value := range []string{"=1", "=x", "=true", "[0]=x", "[x]=x", "=usd", "=1.5", "="} {
				_, err := op.Decode(url.QueryEscape(name) + strings.Replace(value, "x", "x"+strconv.Itoa(op.ID()), 1))
				taken = taken || err == nil || err.Param != name && !strings.HasPrefix(err.Param, name+"[")
			}
			if !taken && !closed(op, name) {
				t.Errorf("%s takes no value for %s", op, name)
			}
		}
	}
}

// closed tells whether a parameter takes nothing simple: it is one word of a list, or an object with fields that it requires. What
// it says to nonsense then proves that it is known.
func closed(op spec.Op, name string) bool {
	_, err := op.Decode(name + "=%00")
	if err == nil {
		return false
	}
	return strings.HasPrefix(err.Message, "Invalid "+name+": must be one of ") || err.Message == "Invalid object" || err.Message == "Invalid array"
}
