//go:build !race

package judge_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stripe/stripe-mock/embedded"
	"pgregory.net/rapid"

	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/spec"
)

// TestWhateverIsAsked makes requests by chance from what Stripe's document says of parameters, with values that suit and others. No
// reply is a failure of the sandbox's own, and every reply is as the document says.
func TestWhateverIsAsked(t *testing.T) {
	t.Parallel()
	j, err := court()
	if err != nil {
		t.Fatal(err)
	}
	doc := must[*openapi3.T](t)(openapi3.NewLoader().LoadFromData(embedded.OpenAPISpec))
	s := sandbox.NewServer()
	t.Cleanup(s.Close)
	ops := built(s)
	if len(ops) < 40 {
		t.Fatalf("only %d operations are built", len(ops))
	}
	worlds := 0
	rapid.Check(t, func(rt *rapid.T) {
		worlds++
		a := &asker{T: rt, doc: doc, sandbox: s, key: "sk_" + "test_random" + strconv.Itoa(worlds)}
		a.furnish()
		for range 20 {
			op := rapid.SampledFrom(ops).Draw(rt, "operation")
			path, form := a.path(op), a.form(op)
			reply := a.ask(op.Method(), path, form)
			if reply.Code == http.StatusInternalServerError {
				rt.Fatalf("%s %s %s: %s", op.Method(), path, form, reply.Body)
			}
			if err := j.Check(op.Method(), path, reply.Code, reply.Body.Bytes()); err != nil {
				rt.Fatalf("%v\n%s\n%s", err, form, reply.Body)
			}
		}
	})
}

// built are the operations that the sandbox has.
func built(s *sandbox.Server) (all []spec.Op) {
	a := &asker{sandbox: s, key: "sk_" + "test_built"}
	for _, op := range spec.Ops() {
		reply := a.ask(op.Method(), regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(op.Path(), "x_1"), "")
		if reply.Code != http.StatusNotImplemented {
			all = append(all, op)
		}
	}
	return all
}

// asker asks one world and remembers the ids that it has seen.
type asker struct {
	*rapid.T
	doc     *openapi3.T
	sandbox *sandbox.Server
	key     string
	ids     []string
}

var anID = regexp.MustCompile(`"((?:pi|seti|pm|ch|re|txn|cus|evt|we)_[0-9A-Za-z]{14,})"`)

func (a *asker) ask(method, path, form string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, nil)
	if method == http.MethodGet {
		r.URL.RawQuery = form
	} else {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form)), int64(len(form))
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	w := httptest.NewRecorder()
	a.sandbox.ServeHTTP(w, r)
	for _, found := range anID.FindAllStringSubmatch(w.Body.String(), -1) {
		if !slices.Contains(a.ids, found[1]) {
			a.ids = append(a.ids, found[1])
		}
	}
	return w
}

// furnish makes something of each kind.
func (a *asker) furnish() {
	const card = "amount=1000&currency=usd&confirm=true&payment_method_types[]=card&payment_method="
	for _, one := range [][2]string{
		{"/v1/customers", "payment_method=pm_card_visa"}, {"/v1/payment_intents", card + "pm_card_visa"}, {"/v1/refunds", "amount=100&payment_intent="}, {"/v1/payment_intents", card + "pm_card_visa&capture_method=manual"},
		{"/v1/payment_intents", card + "pm_card_threeDSecure2Required"}, {"/v1/setup_intents", "payment_method=pm_card_visa"}, {"/v1/webhook_endpoints", "url=http%3A%2F%2F127.0.0.1%3A1&enabled_events[]=topup.created"},
	} {
		if one[0] == "/v1/refunds" {
			one[1] += a.of("pi_")[0]
		}
		if reply := a.ask(http.MethodPost, one[0], one[1]); reply.Code != http.StatusOK {
			a.Fatalf("%s: %s", one, reply.Body)
		}
	}
}

// kinds are the prefixes of ids by the collections that hold them.
var kinds = map[string]string{"payment_intents": "pi_", "setup_intents": "seti_", "payment_methods": "pm_", "charges": "ch_", "refunds": "re_",
	"balance_transactions": "txn_", "customers": "cus_", "events": "evt_", "webhook_endpoints": "we_"}

// of are the ids with a prefix.
func (a *asker) of(prefix string) []string {
	return slices.DeleteFunc(slices.Clone(a.ids), func(id string) bool { return prefix == "" || !strings.HasPrefix(id, prefix) })
}

// path fills in what the path names, mostly with an id of the right kind.
func (a *asker) path(op spec.Op) string {
	parts := strings.Split(op.Path(), "/")
	for i, part := range parts {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		parts[i] = rapid.SampledFrom(append(a.of(kinds[parts[i-1]]), "x", "pm_card_visa")).Draw(a.T, part)
	}
	return strings.Join(parts, "/")
}

// form writes parameters that the document declares for the operation.
func (a *asker) form(op spec.Op) string {
	declared := a.doc.Paths.Value(op.Path()).GetOperation(op.Method())
	var pairs []string
	for _, p := range declared.Parameters {
		if p.Value.In == "query" && (p.Value.Required || rapid.IntRange(0, 5).Draw(a.T, p.Value.Name) == 1) {
			a.write(&pairs, p.Value.Name, p.Value.Schema.Value, 0)
		}
	}
	if declared.RequestBody != nil {
		if content := declared.RequestBody.Value.Content["application/x-www-form-urlencoded"]; content != nil {
			a.fields(&pairs, "", content.Schema.Value, 0)
		}
	}
	return strings.Join(pairs, "&")
}

// fields writes the required fields of an object and some of the others.
func (a *asker) fields(pairs *[]string, at string, s *openapi3.Schema, depth int) {
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		chance := max(5, len(names))
		if strings.Contains(" card charge confirm customer exp_month exp_year number payment_intent payment_method type ", " "+name+" ") {
			chance = 1
		}
		if slices.Contains(s.Required, name) || rapid.IntRange(0, chance).Draw(a.T, name) == 1 {
			whole := name
			if at != "" {
				whole = at + "[" + name + "]"
			}
			a.write(pairs, whole, s.Properties[name].Value, depth+1)
		}
	}
}

// write writes a parameter with a value that suits its declaration, mostly.
func (a *asker) write(pairs *[]string, at string, s *openapi3.Schema, depth int) {
	put := func(value string) { *pairs = append(*pairs, url.QueryEscape(at)+"="+url.QueryEscape(value)) }
	kind := ""
	if s.Type != nil {
		kind = (*s.Type)[0]
	}
	switch {
	case depth > 6:
	case len(s.AnyOf) > 0:
		a.write(pairs, at, rapid.SampledFrom(s.AnyOf).Draw(a.T, at).Value, depth+1)
	case len(s.Enum) > 0:
		put(fmt.Sprint(rapid.SampledFrom(s.Enum).Draw(a.T, at)))
	case kind == "object" && len(s.Properties) > 0:
		a.fields(pairs, at, s, depth)
	case kind == "object":
		a.write(pairs, at+"[k]", &openapi3.Schema{Type: &openapi3.Types{"string"}}, depth+1)
	case kind == "array":
		for i := range rapid.IntRange(1, 2).Draw(a.T, at) {
			a.write(pairs, at+"["+strconv.Itoa(i)+"]", s.Items.Value, depth+1)
		}
	case kind == "boolean":
		put(rapid.SampledFrom([]string{"true", "false", "true", "yes"}).Draw(a.T, at))
	case kind == "integer":
		put(rapid.SampledFrom([]string{"500", "1000", "500", "1000", "12", "2040", "99999999", "9223372036854775807", "1767614400", "-1", "0"}).Draw(a.T, at))
	default:
		put(a.text(at))
	}
}

// text is a text that the name of its parameter asks for, or any.
func (a *asker) text(at string) string {
	some := []string{"x", "", "ä€😀", "1.5", strings.Repeat("a", 501), `"},{`, "\x00"}
	for _, words := range [][]string{
		{"currency", "usd", "eur", "jpy"}, {"payment_method", "pm_card_visa", "pm_card_chargeDeclined", "pm_card_threeDSecure2Required"}, {"return_url", "https://shop.example.com"},
		{"url", "http://127.0.0.1:1"}, {"type", "card"}, {"number", "4242424242424242"}, {"token", "tok_visa"}, {"customer"}, {"charge"}, {"payment_intent"}, {"setup_intent"},
		{"query", `status:"succeeded"`, `amount>1 AND -currency:"usd"`, `metadata["k"]:"x"`, `email:null`},
		{"0", "data", "data.customer", "customer", "payment_method", "latest_charge.balance_transaction", "charge", "payment_intent", "balance_transaction.source"}, // of expand
	} {
		if name := words[0]; at == name || strings.HasSuffix(at, "["+name+"]") {
			fit := slices.Concat(words[1:], a.of(kinds[name+"s"]))
			for range 4 {
				some = append(some, fit...)
			}
		}
	}
	return rapid.SampledFrom(append(some, a.ids...)).Draw(a.T, at)
}
