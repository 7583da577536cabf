package transcript_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox/transcript"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got := transcript.Parse(`
# A remark.
> POST /v1/refunds/{re_1}
> Idempotency-Key: a=b: c
> metadata[a b]=c=d: {x_1}
> expand[]=charge
< 200
{"id": "> re_1"}

> POST /_sandbox/clock/advance
> {"seconds":2}
< 200
{}

> GET /v1/refunds
> as browser

# Only a remark.
`)
	want := []transcript.Step{
		{Kept: []string{"# A remark.", "> POST /v1/refunds/{re_1}", "> Idempotency-Key: a=b: c", "> metadata[a b]=c=d: {x_1}", "> expand[]=charge"},
			Method: "POST", Path: "/v1/refunds/{re_1}", Header: [][2]string{{"Idempotency-Key", "a=b: c"}}, Form: "metadata%5Ba+b%5D=c%3Dd%3A+{x_1}&expand%5B%5D=charge"},
		{Kept: []string{"> POST /_sandbox/clock/advance", `> {"seconds":2}`}, Method: "POST", Path: "/_sandbox/clock/advance", JSON: `{"seconds":2}`},
		{Kept: []string{"> GET /v1/refunds", "> as browser"}, Method: "GET", Path: "/v1/refunds", Browser: true},
		{Kept: []string{"# Only a remark."}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// TestPlay: ids get names by which later requests call them, nulls are left out, and the texts are kept.
func TestPlay(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Idempotent-Replayed", r.Header.Get("Idempotency-Key"))
		fmt.Fprintf(w, `{"id":"cus_aaaaaaaaaaaaaa","path":%q,"query":%q,"key":%q,"none":null,"empty":{"none":null}}`, r.URL.Path, r.URL.RawQuery, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}))
	t.Cleanup(server.Close)
	key := "sk_" + "test_x"
	got, err := transcript.New(server.Client(), server.URL, key).Play(t.Context(), "> GET /v1/customers\n> limit=1\n\n# Again.\n> GET /v1/customers/{cus_1}\n> Idempotency-Key: k\n> as browser\n< 500\nx")
	want := `> GET /v1/customers
> limit=1
< 200
{
  "id": "cus_1",
  "path": "/v1/customers",
  "query": "limit=1",
  "key": "` + key + `",
  "empty": {}
}

# Again.
> GET /v1/customers/{cus_1}
> Idempotency-Key: k
> as browser
< 200
< Idempotent-Replayed: k
{
  "id": "cus_1",
  "path": "/v1/customers/cus_1",
  "query": "",
  "key": "pk` + strings.TrimPrefix(key, "sk") + `",
  "empty": {}
}
`
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
	for name, script := range map[string]string{"a name that nothing has": "> GET /v1/customers/{cus_9}", "no path": "> GET http://[::1"} {
		if _, err := transcript.New(server.Client(), server.URL, key).Play(t.Context(), script); err == nil {
			t.Errorf("%s is played", name)
		}
	}
}
