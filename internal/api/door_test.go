package api_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/fault"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for _, path := range []string{"/v1", "/v1/note", "/v1/notes/", "/v1/notes/a/b", "//v1/notes", "/v1//notes", "/v1/../v1/notes", "/v1/./notes", "/V1/notes", "/v1/notes/" + "\xff", "/v1/notes/a\x00b", "/docs/", "/openapi.yaml", "/" + secret} {
		r.do(t, "GET", path, "").refused(404, fault.RouteUnknown, "")
	}
	for _, method := range []string{"DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", strings.ToUpper(secret)} {
		a := r.do(t, method, "/v1/notes", "")
		a.refused(405, fault.MethodNotAllowed, "")
		if allow := a.Header().Get("Allow"); allow != "GET, POST" {
			t.Errorf("Allow: %q", allow)
		}
	}
	if a := r.do(t, "GET", "/healthz", "", "X-API-Key: "); a.Body.String() != "ok" || a.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := r.do(t, "GET", "/", "", "X-API-Key: "); a.Code != 200 || a.Body.String() != `{"name":"till","version":"1.2.3","docs":"/docs","openapi":"/openapi.json"}`+"\n" || a.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v %s", a.Code, a.Header(), a.Body)
	}
	r.do(t, "POST", "/", good).refused(405, fault.MethodNotAllowed, "")
	if a := r.do(t, "HEAD", "/v1/notes", ""); a.Code != 200 {
		t.Errorf("HEAD: %d", a.Code)
	}
}

func TestKeysAndScopes(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.do(t, "GET", "/v1/notes", "", "X-API-Key: ").refused(401, fault.APIKeyMissing, "X-API-Key")
	r.do(t, "POST", "/v1/notes?x="+secret, "{"+secret, "X-API-Key: "+secret, "Content-Type: text/plain").refused(401, fault.APIKeyInvalid, "X-API-Key")
	if message := r.do(t, "POST", "/v1/notes", good, "X-API-Key: reader").refused(403, fault.ScopeMissing, ""); !strings.Contains(message, api.PaymentsWrite) {
		t.Errorf("which scope? %s", message)
	}
	if len(r.created) != 0 {
		t.Error("it reached the room")
	}
	if a := r.do(t, "GET", "/v1/notes", "", "X-API-Key: reader"); a.Code != 200 {
		t.Errorf("%s", a.Body)
	}
	if a := r.do(t, "POST", "/v1/hook", "x", "X-API-Key: "); a.Code != 200 || a.Body.String() != `{"received":1}`+"\n" {
		t.Errorf("an open call without a key: %s", a.Body)
	}
	r.do(t, "POST", "/v1/hook?a=b", "x").refused(400, fault.ParameterUnknown, "a")
}

// The line of a request says whose it was and what was refused, and is counted under its route; what was sent is in neither.
func TestTheLineOfARequest(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	var counted []string
	r.Answered = func(route string, status int, took time.Duration) {
		counted = append(counted, fmt.Sprint(route, " ", status, " ", took > 0))
	}
	for _, c := range []struct{ method, target, key, says, counts string }{
		{"GET", "/v1/notes", goodKey, `method=GET route="GET /v1/notes" status=200 merchant=m took=`, "GET /v1/notes 200 true"},
		{"GET", "/v1/notes/missing", goodKey, `route="GET /v1/notes/{id}" status=404 merchant=m code=resource_missing took=`, "GET /v1/notes/{id} 404 true"},
		{"POST", "/v1/notes", "reader", `status=403 merchant=m code=scope_missing took=`, "POST /v1/notes 403 true"},
		{"POST", "/v1/notes", secret, `status=401 code=api_key_invalid took=`, "POST /v1/notes 401 true"},
		{"GET", "/v1/notes?" + secret + "=1", goodKey, `status=400 merchant=m code=parameter_unknown took=`, "GET /v1/notes 400 true"},
		{"GET", "/" + secret, goodKey, `route="" status=404 code=route_unknown took=`, " 404 true"},
		{"POST", "/v1/hook", "", `route="POST /v1/hook" status=200 took=`, "POST /v1/hook 200 true"},
	} {
		r.log.Reset()
		r.do(t, c.method, c.target, "{}", "X-API-Key: "+c.key)
		if line := r.log.String(); !strings.Contains(line, c.says) || strings.Contains(line, secret) || strings.Count(line, "\n") != 1 {
			t.Errorf("%s %s: %s; it should say %s", c.method, c.target, line, c.says)
		}
		if last := counted[len(counted)-1]; last != c.counts {
			t.Errorf("%s %s: counted as %q", c.method, c.target, last)
		}
	}
}

// The body of a caller without a key is not read.
func TestNothingIsReadBeforeTheKey(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	req := httptest.NewRequest("POST", "/v1/notes", untouchable{t})
	rec := httptest.NewRecorder()
	r.ServeHTTP(rec, req)
	answer{rec, t}.refused(401, fault.APIKeyMissing, "X-API-Key")
}

type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, errors.New("read")
}

func TestFailures(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for what, c := range map[string]struct {
		status int
		code   fault.Code
		param  string
		logged bool
	}{
		"missing":  {404, fault.ResourceMissing, "id", false},
		"moved":    {409, fault.StateConflict, "", false},
		"declined": {422, fault.CardDeclined, "", false},
		"crowded":  {429, fault.TooManyRequests, "", false},
		"away":     {503, fault.ProviderUnavailable, "", true},
		"slow":     {503, fault.DatabaseUnavailable, "", true},
		"broken":   {500, fault.InternalError, "", true},
		"panic":    {500, fault.InternalError, "", true},
	} {
		r.log.Reset()
		a := r.do(t, "GET", "/v1/notes/"+what, "")
		a.refused(c.status, c.code, c.param)
		lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
		last := lines[len(lines)-1]
		if (len(lines) == 2) != c.logged || !strings.Contains(last, "msg=request") || !strings.Contains(last, `route="GET /v1/notes/{id}"`) {
			t.Errorf("%s: log %q", what, lines)
		}
		if id := a.Header().Get("X-Request-Id"); strings.Count(r.log.String(), id) != len(lines) {
			t.Errorf("%s: not every line has the request id: %q", what, lines)
		}
		if after := a.Header().Get("Retry-After"); (after == "1") != (c.status == 429 || c.status == 503) {
			t.Errorf("%s: Retry-After %q", what, after)
		}
	}
	a := r.do(t, "GET", "/v1/notes/late", "")
	a.refused(404, fault.ResourceMissing, a.Header().Get("X-Request-Id"))
}

// A panic after the first byte must not end as a whole answer: the connection is cut.
func TestPanicInTheMiddle(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.Handle("GET /half", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic("of it")
	}))
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("ended in %v", p)
		}
	}()
	r.do(t, "GET", "/half", "")
	t.Error("it ended as if all were well")
}

func TestEveryKindHasItsStatus(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for _, c := range fault.Codes {
		s := api.Status(c.Code, c.Kind)
		if s < 400 || s > 599 || (s >= 500) != (c.Kind == fault.Internal || c.Kind == fault.Unavailable) {
			t.Errorf("%s answers %d", c.Code, s)
		}
		seen[s] = true
	}
	if len(seen) != 11 { // ten kinds, and 405
		t.Errorf("%d statuses", len(seen))
	}
}

func TestCrowd(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.SetCrowd(1)
	enter, leave := make(chan struct{}), make(chan struct{})
	api.Add(r.API, api.Operation{Method: "GET", Path: "/v1/wait", Summary: "Wait"}, func(context.Context, api.Caller, *struct{}) (api.Reply[note], error) {
		close(enter)
		<-leave
		return api.Reply[note]{}, nil
	})
	first := make(chan int)
	go func() { first <- r.do(t, "GET", "/v1/wait", "").Code }()
	<-enter
	if a := r.do(t, "GET", "/v1/notes", ""); a.Header().Get("Retry-After") != "1" {
		t.Errorf("headers %v", a.Header())
	} else {
		a.refused(429, fault.TooManyRequests, "")
	}
	if a := r.do(t, "GET", "/healthz", ""); a.Code != 200 {
		t.Errorf("a crowd hides the health: %d", a.Code)
	}
	close(leave)
	if code := <-first; code != 200 {
		t.Errorf("the first ended in %d", code)
	}
	if a := r.do(t, "GET", "/v1/notes", ""); a.Code != 200 {
		t.Errorf("after the crowd: %s", a.Body)
	}
}

func TestTwoOperationsOfOneName(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "Create the note") {
			t.Errorf("ended in %q", p)
		}
	}()
	api.Add(r.API, api.Operation{Method: "PUT", Path: "/v1/notes", Summary: "Create the note"}, func(context.Context, api.Caller, *struct{}) (api.Reply[note], error) {
		return api.Reply[note]{}, nil
	})
	t.Error("two operations have one name")
}

func FuzzBody(f *testing.F) {
	r := newRoom(f)
	r.API = api.New("", authenticate, slog.New(slog.DiscardHandler))
	var taken createInput
	api.Add(r.API, api.Operation{Method: "POST", Path: "/v1/notes", Summary: "Create a note"}, func(_ context.Context, _ api.Caller, in *createInput) (api.Reply[note], error) {
		taken = *in
		return api.Reply[note]{Status: 201}, nil
	})
	for _, body := range []string{good, `{"title":"a","title":"b"}`, `{"a":{"b":[1e309,-0,"\ud800\u0000"]}}`, "\xff", `[[[[`, `{"title":"Milk","price":1e-7,"author":{"name":"a","age":1e18}}`} {
		f.Add([]byte(body), "application/json")
		f.Add([]byte(body), "text/plain;a=b")
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		taken = createInput{}
		a := r.do(t, "POST", "/v1/notes", string(body), "Content-Type: "+contentType)
		switch {
		case a.Code >= 500:
			t.Errorf("%d: %s", a.Code, a.Body)
		case a.Code == 201 && (taken.Body.Title == "" || taken.Body.Price == "" || strings.ContainsRune(taken.Body.Title, 0)):
			t.Errorf("%q became %+v", body, taken.Body)
		case a.Code != 201 && !slices.Contains([]int{400, 413}, a.Code):
			t.Errorf("%d: %s", a.Code, a.Body)
		}
	})
}

func FuzzURL(f *testing.F) {
	r := newRoom(f)
	r.API = api.New("", authenticate, slog.New(slog.DiscardHandler))
	var taken *listInput
	api.AddList(r.API, api.Operation{Method: "GET", Path: "/v1/notes", Summary: "List notes"}, func(_ context.Context, _ api.Caller, in *listInput) (api.Page[note], error) {
		taken = in
		_, err := in.Position()
		return api.Page[note]{}, err
	})
	for _, query := range []string{"limit=5&metadata[a]=b", "metadata[[=&&", "cursor=MSAx", "%", "since=2026-01-31T09:30:00Z&loud=1", "limit&limit=1"} {
		f.Add("/v1/notes", query)
		f.Add("/v1//notes/%", query)
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		taken = nil
		a := r.do(t, "GET", path+"?"+query, "")
		if a.Code >= 500 {
			t.Errorf("%d: %s", a.Code, a.Body)
		}
		if taken == nil || a.Code != 200 {
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil || (values.Get("title") != taken.Title) || (len(values["metadata[a]"]) == 1) != (taken.Metadata["a"] != "") {
			t.Errorf("%q became %+v", query, taken)
		}
	})
}
