package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/tilltest"
)

// marker stands in values, any of which may be a secret in the wrong place: it must come back in no refusal, and be in no log. The names of fields
// do come back, for the caller to find them.
const marker = "hunter2hunter2"

// schema is what is read of a schema in the OpenAPI document.
type schema struct {
	Ref                  string            `json:"$ref"`
	Type                 any               `json:"type"` // a string, or a list with "null" where null is allowed
	Properties           map[string]schema `json:"properties"`
	Required             []string          `json:"required"`
	Enum                 []any             `json:"enum"`
	MaxLength            int               `json:"maxLength"`
	MinLength            int               `json:"minLength"`
	Format               string            `json:"format"`
	OneOf                []schema          `json:"oneOf"`
	Items                *schema           `json:"items"`
	AdditionalProperties any               `json:"additionalProperties"`
}

type parameter struct {
	Name, In, Style string
	Required        bool
	Example         any
	Schema          schema
}

type document struct {
	Paths map[string]map[string]struct {
		Parameters  []parameter
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

func (d document) resolve(s schema) schema {
	for s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	return s
}

func (s schema) is(kind string) bool {
	list, _ := s.Type.([]any)
	return s.Type == kind || slices.Contains(list, any(kind))
}

// wrong are values that a field of this form must not take, as JSON. null is as good as left out, where that may be.
func (s schema) wrong(required bool) (all []string) {
	if !s.is("string") && len(s.OneOf) == 0 {
		all = append(all, `"`+marker+`"`)
	}
	if !s.is("number") && !s.is("integer") && len(s.OneOf) == 0 {
		all = append(all, `17`)
	}
	if !s.is("boolean") {
		all = append(all, `true`)
	}
	if !s.is("object") {
		all = append(all, `{"`+marker+`":1}`)
	}
	if required {
		all = append(all, `null`)
	}
	all = append(all, `["`+marker+`"]`)
	if s.is("string") {
		all = append(all, `"`+marker+`\u0000"`)
		if s.MaxLength > 0 {
			all = append(all, `"`+strings.Repeat("ä", s.MaxLength+1)+`"`)
		}
		if s.MinLength > 0 {
			all = append(all, `""`)
		}
		if len(s.Enum) > 0 {
			word, _ := s.Enum[0].(string)
			all = append(all, `"`+marker+`"`, `" `+word+`"`, `"`+strings.ToUpper(word)+`"`)
		}
	}
	return all
}

// samples are good bodies: what each operation takes before one thing in it is broken.
func samples(o things) map[string]body {
	return map[string]body{
		"POST /v1/ledger/closes": {"through": "2026-11-23"},
		"POST /v1/payments": {"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa", "return_url": "https://shop.example/", "capture_method": "manual",
			"customer": body{"email": "jane@example.com"}, "metadata": body{"a": "b"}, "description": "d", "statement_descriptor_suffix": "S1"},
		"PUT /v1/merchant/settings":                 {"duplicate_guard": body{"enabled": true, "minutes": 10}, "local_currencies": body{"enabled": true, "currencies": []string{"EUR"}}},
		"POST /v1/payments/{id}/capture":            {"amount": "1.00"},
		"PUT /v1/payouts/schedule":                  {"interval": "weekly", "weekly_payout_days": []string{"friday"}},
		"POST /v1/payments/cards":                   {"payment_method_id": "pm_card_visa", "customer_email": "jim@example.com", "customer_name": "Jim"},
		"POST /v1/messages":                         {"payment_id": o.failed, "template": "another_card", "to": "jane@example.com", "figures": body{"customer": "Jane"}},
		"POST /v1/refunds":                          {"payment_id": o.paid, "amount": "1.00", "reason": "duplicate"},
		"POST /v1/payouts":                          {"amount": "1.00", "currency": "USD", "method": "standard", "destination": "ba_1", "description": "Friday", "statement_descriptor": "SHOP"},
		"PUT /v1/merchant/providers":                {"provider": "stripe", "stripe": body{"secret_key": "sk_test_" + id.Hex(12)}},
		"POST /v1/reconciliation/runs":              {"repair": true},
		"POST /v1/reconciliation/lines/{id}/accept": {"note": "Stripe's price has changed."},
		"POST /v1/stripe/events/repair":             {"since": "72h", "until": tilltest.Start.Add(time.Hour).Format(time.RFC3339)},
		"POST /v1/stripe/signature":                 {"payload": "{}", "signature": "t=1,v1=0"},
		"PUT /v1/merchant/webhook":                  {"webhook_url": "https://shop.example/hook"},
	}
}

// trial sends bad requests and checks each answer.
type trial struct {
	*testing.T
	till *tilltest.Till
}

func (r trial) send(method, path, raw string, header ...string) tilltest.Answer {
	r.Helper()
	c := r.till.As(r.till.Shop).With("Idempotency-Key", id.New())
	for i := 0; i < len(header); i += 2 {
		c = c.With(header[i], header[i+1])
	}
	if raw == "" {
		return c.Do(method, path, nil)
	}
	return c.Do(method, path, raw)
}

// refuses checks that a request is a clear 4xx: a code, a sentence, the field that is wrong, and nothing of what was sent.
func (r trial) refuses(method, path, raw, param string, header ...string) {
	r.Helper()
	a := r.send(method, path, raw, header...)
	code, message := a.String("error", "code"), a.String("error", "message")
	if a.Status < 400 || a.Status > 499 || code == "" || code == "internal_error" || !strings.HasSuffix(message, ".") || a.At("success") != false {
		r.Errorf("%s %s %.300s: %d %s", method, path, raw, a.Status, a.Raw)
	}
	if got := a.String("error", "param"); param != "*" && got != param {
		r.Errorf("%s %s %.300s is about %q, want %q: %s", method, path, raw, got, param, a.Raw)
	}
	if strings.Contains(string(a.Raw), marker) {
		r.Errorf("%s %s %.300s is echoed: %s", method, path, raw, a.Raw)
	}
}

// set is a body with one field set to any JSON; at is its path.
func set(b body, at []string, raw string) string {
	var write func(v any, at []string) any
	write = func(v any, at []string) any {
		if len(at) == 0 {
			return json.RawMessage(raw)
		}
		m := map[string]any{}
		switch v := v.(type) {
		case body:
			maps.Copy(m, v)
		case map[string]any:
			maps.Copy(m, v)
		}
		m[at[0]] = write(m[at[0]], at[1:])
		return m
	}
	return db.JSON(write(b, at))
}

// fields breaks every field of a body, one at a time, in every way that its schema forbids.
func (r trial) fields(d document, s schema, method, path string, good body, at []string) {
	r.Helper()
	for name, field := range s.Properties {
		field, here := d.resolve(field), append(slices.Clone(at), name)
		for _, raw := range field.wrong(slices.Contains(s.Required, name)) {
			param := strings.Join(here, ".")
			if field.Items != nil && !field.Items.is("string") && strings.HasPrefix(raw, "[") {
				param += "[0]" // it is an element that is of another type
			}
			r.refuses(method, path, set(good, here, raw), param)
		}
		if len(field.Properties) > 0 {
			r.fields(d, field, method, path, good, here)
		}
		if field.AdditionalProperties != nil && field.AdditionalProperties != false {
			for _, raw := range []string{`1`, `true`, `{}`, `["x"]`} {
				r.refuses(method, path, set(good, append(here, "k"), raw), "*")
			}
		}
	}
	for _, name := range s.Required {
		bad := map[string]any{}
		if err := json.Unmarshal([]byte(set(good, append(slices.Clone(at), name), `null`)), &bad); err != nil {
			r.Fatal(err)
		}
		inner := bad
		for _, key := range at {
			inner = inner[key].(map[string]any)
		}
		delete(inner, name)
		r.refuses(method, path, db.JSON(bad), strings.Join(append(slices.Clone(at), name), "."))
	}
	r.refuses(method, path, set(good, append(slices.Clone(at), "unheard_of"), `"`+marker+`"`), strings.Join(append(slices.Clone(at), "unheard_of"), "."))
}

// bodies breaks a body as a whole.
func (r trial) bodies(method, path string, good body) {
	r.Helper()
	text := db.JSON(good)
	for _, raw := range []string{
		text[:len(text)-1], text + "}", text + text, `{"` + marker, `{`, `}`, `[]`, `[` + text + `]`, `"` + marker + `"`, `17`, `true`, `null`, `NaN`, ` `, "\xef\xbb\xbf" + text, `'` + text + `'`,
		"\xff\xfe", `{"half a pair \ud800":1}`, strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40), strings.Repeat(`[`, 5000), `{"a":1e99999}`, "{\"\\u0000\":1}",
		strings.Replace(text, "{", `{"nul":"`+marker+`\u0000",`, 1), "amount=50&currency=usd", "<?xml version=\"1.0\"?><a>" + marker + "</a>", `{"a":"` + strings.Repeat("x", 70<<10) + `"}`,
		strings.Replace(text, "{", "{"+db.JSON(firstKey(good))+":1,", 1), // a key twice
	} {
		r.refuses(method, path, raw, "*")
	}
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/jsonp", "nonsense"} {
		r.send(method, path, text, "Content-Type", kind).Refused(400, "content_type_unsupported", "")
	}
}

func firstKey(b body) string { return slices.Sorted(maps.Keys(b))[0] }

// TestBadBodies breaks every body of the OpenAPI document: no server error, no echo, nothing written.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		o := furnish(t, till)
		d, r := read(t, till), trial{t, till}
		good := samples(o)
		was := rows(t, till, nil)
		for path, methods := range d.Paths {
			for name, op := range methods {
				content, operation := op.RequestBody.Content["application/json"], strings.ToUpper(name)+" "+path
				if content.Schema.Ref == "" && content.Schema.Properties == nil {
					continue
				}
				sample := good[operation]
				if sample == nil {
					t.Errorf("%s takes a body, and no sample of it is here", operation)
					continue
				}
				delete(good, operation)
				at := strings.Replace(path, "{id}", o.held, 1)
				r.bodies(strings.ToUpper(name), at, sample)
				r.fields(d, d.resolve(content.Schema), strings.ToUpper(name), at, sample, nil)
				if diff := difference(was, rows(t, till, nil)); diff != "" {
					t.Fatalf("%s wrote, although it refused:\n%s", operation, diff)
				}
			}
		}
		for operation := range good {
			t.Errorf("%s takes no body", operation)
		}
		sound(t, till)
	})
}

// sound checks the log after bad requests: no panic, no failure of ours, nothing of what was sent.
func sound(t *testing.T, till *tilltest.Till) {
	t.Helper()
	log := till.Log.String()
	for _, no := range []string{"panic", "level=ERROR", "internal_error", marker} {
		if i := strings.Index(log, no); i >= 0 {
			t.Errorf("the log has %q: %.400s", no, log[max(0, i-200):])
		}
	}
}

func read(t *testing.T, till *tilltest.Till) (d document) {
	t.Helper()
	if err := json.Unmarshal(till.Get("/openapi.json").Want(200).Raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBadParameters breaks every parameter of the OpenAPI document: in the path and in the query.
func TestBadParameters(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		o := furnish(t, till)
		d, r := read(t, till), trial{t, till}
		good := samples(o)
		was := rows(t, till, nil)
		for path, methods := range d.Paths {
			for name, op := range methods {
				method, raw := strings.ToUpper(name), ""
				if b := good[strings.ToUpper(name)+" "+path]; b != nil {
					raw = db.JSON(b)
				}
				open := strings.HasPrefix(path, "/v1/webhooks/stripe")
				at := strings.NewReplacer("{id}", o.held, "{merchant_id}", till.Shop.Merchant, "{token}", "t").Replace(path)
				if strings.Contains(path, "{") {
					for _, bad := range []string{"nonsense", strings.ToUpper(o.held), o.held + "x", "%00", "%ff", "%0d%0aX-Evil:%201", "'%20or%20'1'='1", "%f0%9f%92%b3", "..%2f..%2fetc", strings.Repeat("a", 3000),
						"00000000-0000-0000-0000-000000000000", "{" + o.held + "}", "-1", "1e309"} {
						r.refuses(method, strings.NewReplacer("{id}", bad, "{merchant_id}", bad, "{token}", bad).Replace(path), raw, "*")
					}
				}
				for _, query := range []string{"unheard_of=" + marker, "%00=1", "%ff=1", "a=%zz", "limit[]=1", "__proto__[x]=1", ";"} {
					r.refuses(method, at+"?"+query, raw, "*")
				}
				for _, p := range op.Parameters {
					if p.In == "query" && !open {
						r.query(d, method, at+"?"+others(op.Parameters, p.Name), raw, p)
					}
				}
				if diff := difference(was, rows(t, till, nil)); diff != "" {
					t.Fatalf("%s %s wrote, although it refused:\n%s", method, path, diff)
				}
			}
		}
		sound(t, till)
	})
}

// others are the parameters that a query must have beside one, with their examples.
func others(all []parameter, but string) (query string) {
	for _, p := range all {
		if p.In == "query" && p.Required && p.Name != but {
			query += fmt.Sprintf("%s=%v&", p.Name, p.Example)
		}
	}
	return query
}

func (r trial) query(d document, method, at, raw string, p parameter) {
	r.Helper()
	s, name := d.resolve(p.Schema), p.Name
	if p.Style == "deepObject" {
		name += "[k]"
	}
	bad := []string{"", "%00", "%ff", marker + "%00"}
	switch {
	case s.is("integer"), s.is("boolean"), s.Format == "date-time", len(s.Enum) > 0:
		bad = append(bad, marker, "1.5x", "'%20or%20'1'='1", "99999999999999999999999", "NaN")
	}
	if s.MaxLength > 0 {
		bad = append(bad, strings.Repeat("x", s.MaxLength+1))
	}
	for _, value := range bad {
		r.refuses(method, at+name+"="+value, raw, name)
	}
	r.refuses(method, at+name+"=1&"+name+"=2", raw, name)
}

// What a schema cannot say.
func TestBadPayments(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		r := trial{t, till}
		was := rows(t, till, nil)
		many := body{}
		for i := range 41 {
			many[string(rune('a'+i%26))+string(rune('a'+i/26))] = "1"
		}
		good := body{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa"}
		for _, c := range []struct {
			field string
			value any
			param string
		}{
			{"metadata", many, "metadata"}, {"metadata", body{strings.Repeat("k", 41): "1"}, "metadata"}, {"metadata", body{"": "1"}, "metadata"}, {"metadata", body{"a[b]": "1"}, "metadata"},
			{"metadata", body{"till_id": marker}, "metadata"}, {"metadata", body{"a": strings.Repeat("v", 501)}, "metadata"}, {"metadata", body{"a": ""}, "metadata"},
			{"return_url", "javascript:alert(1)", "return_url"}, {"return_url", "/back", "return_url"}, {"return_url", "https://", "return_url"}, {"return_url", "https://u:" + marker + "@shop.example/", "return_url"},
			{"return_url", "http://shop.example/\r\nX: y", "return_url"}, {"return_url", "data:text/html," + marker, "return_url"}, {"return_url", "https://%zz/", "return_url"},
			{"amount", json.RawMessage("1e309"), "amount"}, {"amount", json.RawMessage("-5"), "amount"}, {"amount", "1e2", "amount"}, {"amount", json.RawMessage("1e2"), "amount"}, {"amount", "NaN", "amount"},
			{"amount", "0", "amount"}, {"amount", "50.001", "amount"}, {"amount", "1000000.00", "amount"}, {"amount", strings.Repeat("9", 24), "amount"}, {"amount", "50,00", "amount"},
			{"currency", "XYZ", "currency"}, {"currency", "us1", "currency"}, {"currency", "\u202eusd", "currency"}, {"provider", "paypal", "provider"}, {"capture_method", "later", "capture_method"},
			{"saved_card_id", "x", "payment_method"}, {"statement_descriptor_suffix", strings.Repeat("S", 23), "statement_descriptor_suffix"},
			{"Amount", "50.00", "Amount"}, {"AMOUNT", "50.00", "AMOUNT"}, {"payment_method", "", "payment_method"},
		} {
			b := body{}
			maps.Copy(b, good)
			b[c.field] = c.value
			r.refuses("POST", "/v1/payments", db.JSON(b), c.param)
		}
		for _, key := range []string{"", strings.Repeat("k", 256), "a\xffb"} {
			r.refuses("POST", "/v1/payments", db.JSON(good), "Idempotency-Key", "Idempotency-Key", key)
		}
		// Who has no key, or another's, is not listened to at all.
		for _, key := range []string{"", marker, strings.Repeat("k", 5000), till.Shop.StripeKey, till.Shop.Key[:len(till.Shop.Key)-1], till.Shop.Key + "x", strings.ToUpper(till.Shop.Key), "' or 1=1 --", "till_test_", "\xff"} {
			a := till.As(tilltest.Shop{Key: key}).With("Idempotency-Key", id.New()).Do("POST", "/v1/payments", "{"+marker)
			if a.Status != 401 && a.Status != 431 || strings.Contains(string(a.Raw), marker) || key == till.Shop.StripeKey && a.String("error", "code") != "stripe_key_as_api_key" {
				t.Errorf("key %.30q: %d %s", key, a.Status, a.Raw)
			}
		}
		if diff := difference(was, rows(t, till, nil)); diff != "" {
			t.Errorf("refused requests wrote:\n%s", diff)
		}
		sound(t, till)
	})
}
