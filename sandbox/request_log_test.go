package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestRequestLog: its filters, what it keeps of parameters, and that it shows nothing secret.
func TestRequestLog(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/customers", "name=Ada&metadata[order]=7")
	a.post("/v1/payment_methods", "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card%5Bcvc%5D=123")
	a.post("/v1/payment_intents", "amount=x", "Idempotency-Key", "order-7")
	a.post("/v1/customers", "description="+a.key+"&name="+strings.Repeat("n", 5000))
	a.get("/v1/customers", "limit=3")
	log := func(query string) (all []map[string]any) {
		for _, one := range a.control(http.MethodGet, "/_sandbox/requests"+query, "").list("requests") {
			all = append(all, one.(map[string]any))
		}
		return all
	}
	all := log("")
	if len(all) != 5 || all[0]["form"] != "name=Ada&metadata[order]=7" || all[4]["form"] != "limit=3" {
		t.Fatalf("%v", all)
	}
	if form := all[1]["form"].(string); form != "type=card&card[number]=***&card[exp_month]=12&card[exp_year]=2034&card%5Bcvc%5D=***" {
		t.Errorf("a card is logged as %s", form)
	}
	if form := all[3]["form"].(string); !strings.HasPrefix(form, "description=***&name=nnn") || len(form) > 2000 {
		t.Errorf("a key is logged: %s", form)
	}
	if all[2]["code"] != "parameter_invalid_integer" || all[2]["idempotency_key"] != "order-7" {
		t.Errorf("a refusal is logged as %v", all[2])
	}
	for query, want := range map[string]int{
		"?path=/v1/customers": 3, "?path=/v1/payment*": 2, "?method=GET": 1, "?status=4xx": 2, "?status=200": 3, "?status=2xx&method=POST": 2, "?limit=2": 2,
		"?key=order-7": 1, "?path=/v1/payment_intents/{id}": 0, "?since=" + all[1]["request_id"].(string): 3, "?since=req_long_ago": 5,
	} {
		if got := log(query); len(got) != want {
			t.Errorf("%s gives %d requests, want %d", query, len(got), want)
		}
	}
	if got := log("?limit=1"); got[0]["request_id"] != all[4]["request_id"] {
		t.Error("a limit leaves the latest")
	}
	for _, wrong := range []string{"?limit=0", "?limit=x", "?limit=2001", "?status=ok", "?colour=red"} {
		if got := a.control(http.MethodGet, "/_sandbox/requests"+wrong, ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, got.status)
		}
	}
}

// TestRequestLogIsBounded: the oldest requests go first.
func TestRequestLogIsBounded(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/customers", "")
	for range 2000 {
		a.get("/v1/balance", "")
	}
	if all := a.control(http.MethodGet, "/_sandbox/requests", "").list("requests"); len(all) != 2000 || all[0].(map[string]any)["method"] != "GET" {
		t.Errorf("%d requests, the first %v", len(all), all[0])
	}
}
