//go:build !race

package judge_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestJudgeFindsFault spoils replies that were right, each in one way.
func TestJudgeFindsFault(t *testing.T) {
	t.Parallel()
	w := setup(t)
	j, err := court()
	if err != nil {
		t.Fatal(err)
	}
	intent := w.made(t, "POST /v1/payment_intents", paid+"pm_card_visa")
	fetch := func(path string) string {
		r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), "GET", w.base+path, nil))
		r.Header.Set("Authorization", "Bearer "+w.key)
		reply := must[*http.Response](t)(w.plain.Do(r))
		defer reply.Body.Close()
		return string(must[[]byte](t)(io.ReadAll(reply.Body)))
	}
	one, list, events := fetch("/v1/payment_intents/"+intent+"?expand[]=latest_charge"), fetch("/v1/payment_intents"), fetch("/v1/events?type=payment_intent.succeeded")
	for name, c := range map[string]struct {
		path         string
		status       int
		body         string
		old, new     string // replaced once
		complainedOf string
	}{
		"no JSON":               {"/v1/balance", 200, "x", "", "", "no JSON"},
		"two values":            {"/v1/payment_intents/x", 200, one + one, "", "", "more than one"},
		"no operation":          {"/v1/payment", 200, one, "", "", "no such operation"},
		"another object":        {"/v1/charges/x", 200, one, "", "", "object"},
		"undeclared":            {"/v1/payment_intents/x", 200, one, `"amount":`, `"amuont":1,"amount":`, "amuont: the document declares no such field of payment_intent"},
		"undeclared within":     {"/v1/payment_intents/x", 200, one, `"last4":`, `"last5":"4","last4":`, "last5: the document declares no such field"},
		"nothing":               {"/v1/payment_intents/x", 200, one, "", "", ""},
		"lacking a field":       {"/v1/payment_intents/x", 200, one, `"canceled_at":null,`, ``, "lacks canceled_at"},
		"lacking one within":    {"/v1/payment_intents/x", 200, one, `"receipt_url":`, `"receipt_number":`, "latest_charge: lacks receipt_url"},
		"lacking one required":  {"/v1/payment_intents/x", 200, one, `"livemode":false,`, ``, "livemode"},
		"null":                  {"/v1/payment_intents/x", 200, one, `"currency":"usd"`, `"currency":null`, "currency"},
		"text for a number":     {"/v1/payment_intents/x", 200, one, `"amount":1000`, `"amount":"1000"`, "amount"},
		"fraction":              {"/v1/payment_intents/x", 200, one, `"amount":1000`, `"amount":10.5`, "amount"},
		"unknown word":          {"/v1/payment_intents/x", 200, one, `"status":"succeeded"`, `"status":"paid"`, "latest_charge.status"},
		"in a list":             {"/v1/payment_intents", 200, list, `"amount":`, `"amuont":1,"amount":`, "data[0].amuont"},
		"no list":               {"/v1/payment_intents", 200, one, "", "", "data"},
		"in an event":           {"/v1/events", 200, events, `"amount":`, `"amuont":1,"amount":`, "data[0].data.object.amuont"},
		"event of nothing":      {"/v1/events", 200, events, `"object":"payment_intent"`, `"object":"payment"`, `no resource is called "payment"`},
		"event with more":       {"/v1/events", 200, events, `"data":{"object":`, `"data":{"extra":1,"object":`, "no extra"},
		"attributes of nothing": {"/v1/events", 200, events, `"data":{"object":`, `"data":{"previous_attributes":{"amuont":1},"object":`, "no field amuont"},
		"error without a type":  {"/v1/balance", 400, `{"error":{"message":"x"}}`, "", "", "type"},
		"error of another type": {"/v1/balance", 400, `{"error":{"type":"bad"}}`, "", "", "type"},
		"error with more":       {"/v1/balance", 400, `{"error":{"type":"api_error","reason":"x"}}`, "", "", "reason"},
		"an error":              {"/v1/balance", 400, `{"error":{"type":"api_error","message":"x"}}`, "", "", ""},
		"unknown URL":           {"/v1/x", 404, `{"error":{"type":"invalid_request_error","message":"x"}}`, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := strings.Replace(c.body, c.old, c.new, 1)
			if c.old != "" && !strings.Contains(c.body, c.old) {
				t.Fatalf("there is nothing to spoil in %s", c.body)
			}
			err := j.Check("GET", c.path, c.status, []byte(body))
			if (err != nil) != (c.complainedOf != "") || err != nil && !strings.Contains(err.Error(), c.complainedOf) {
				t.Errorf("the judge says %v, not %q", err, c.complainedOf)
			}
		})
	}
}

// TestForBrowser: what a publishable key must not see is missing in its replies, and only in those.
func TestForBrowser(t *testing.T) {
	t.Parallel()
	w := setup(t)
	j, err := court()
	if err != nil {
		t.Fatal(err)
	}
	_, _, intent := w.send(t, "POST /v1/payment_intents", "amount=1000&currency=usd")
	whole := must[[]byte](t)(json.Marshal(intent))
	if err := j.ForBrowser().Check("GET", "/v1/payment_intents/x", 200, whole); err == nil || !strings.Contains(err.Error(), "metadata: a publishable key does not see") {
		t.Errorf("of a whole intent the judge says %v", err)
	}
	delete(intent, "metadata")
	part := must[[]byte](t)(json.Marshal(intent))
	if err := j.Check("GET", "/v1/payment_intents/x", 200, part); err == nil || !strings.Contains(err.Error(), "lacks metadata") {
		t.Errorf("of a part of an intent the judge says %v", err)
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	j, err := court()
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Object("deleted_customer", []byte(`{"id":"cus_1","object":"customer","deleted":true}`)); err != nil {
		t.Error(err)
	}
	for shape, raw := range map[string]string{
		"deleted_customer": `{"id":"cus_1","object":"customer"}`,
		"customer":         `{"id":"cus_1","object":"customer"}`,
		"address":          `{"city":"Dublin","planet":"Earth"}`,
		"nothing":          `{}`,
	} {
		if err := j.Object(shape, []byte(raw)); err == nil {
			t.Errorf("%s is taken for a %s", raw, shape)
		}
	}
}

// TestTransport: a reply that is found wrong is reported and goes on unchanged, and what is not of the API is let through.
func TestTransport(t *testing.T) {
	t.Parallel()
	j, err := court()
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"object":"balance"}`
	for path, wrong := range map[string]bool{"/v1/balance": true, "/_sandbox/state": false} {
		var reported []error
		client := http.Client{Transport: j.Transport(answer(body), func(err error) { reported = append(reported, err) })}
		reply := must[*http.Response](t)(client.Get("http://sandbox.example" + path))
		got := must[[]byte](t)(io.ReadAll(reply.Body))
		if reply.Body.Close(); string(got) != body || (len(reported) > 0) != wrong {
			t.Errorf("%s gives %s and %v", path, got, reported)
		}
	}
	client := http.Client{Transport: j.Transport(answer(""), func(err error) { t.Error(err) })}
	if reply, err := client.Get("http://sandbox.example/v1/balance"); err == nil {
		reply.Body.Close()
		t.Error("a broken connection is whole")
	}
}

// answer answers everything alike; an empty one is a broken connection.
type answer string

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	if a == "" {
		return nil, errors.New("broken")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a)))}, nil
}
