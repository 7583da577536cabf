package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/money"
)

// A small made-up room: notes, with every kind of field that a real room has.

type note struct {
	ID     string            `json:"id" format:"uuid"`
	Title  string            `json:"title" example:"Milk"`
	Price  string            `json:"price" example:"1.20"`
	Author *author           `json:"author,omitempty"`
	Labels map[string]string `json:"labels"`
	Cost   money.Money       `json:"cost"`
	Fee    *money.Money      `json:"fee"`
	Editor *author           `json:"editor" doc:"Who changed it last; null where nobody did."`
	At     time.Time         `json:"at"`
}

type author struct {
	Name string `json:"name" maxLength:"10"`
	Age  int    `json:"age,omitempty" minimum:"1" maximum:"150"`
}

type createInput struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"255" doc:"Makes a repeat safe."`
	Body struct {
		Title  string            `json:"title" minLength:"1" maxLength:"20" doc:"What it is about." example:"Milk"`
		Price  api.Amount        `json:"price" doc:"What it costs."`
		Kind   string            `json:"kind,omitempty" enum:"plain,loud"`
		Loud   bool              `json:"loud,omitempty"`
		Email  string            `json:"email,omitempty" format:"email"`
		Link   string            `json:"link,omitempty" format:"uri"`
		Ref    string            `json:"ref,omitempty" format:"uuid"`
		Code   string            `json:"code,omitempty" pattern:"^[a-z]+$" patternDescription:"lower-case letters"`
		When   time.Time         `json:"when,omitzero"`
		Tags   []string          `json:"tags,omitempty" maxItems:"2"`
		Author *author           `json:"author,omitempty"`
		Labels map[string]string `json:"labels,omitempty" maxProperties:"2"`
	}
}

type listInput struct {
	api.PageInput
	api.MetadataFilter
	Title string    `query:"title" maxLength:"20" pattern:"^[^!]*$" patternDescription:"calm"`
	Loud  bool      `query:"loud"`
	Since time.Time `query:"since"`
}

type hookInput struct {
	Signature string `header:"Signature"`
	RawBody   []byte
}

type hookOutput struct {
	Body struct {
		Received int `json:"received"`
	}
}

type oneInput struct {
	ID string `path:"id" maxLength:"40"`
}

// room is what the endpoints have seen: what was refused at the door never gets here.
type room struct {
	*api.API
	log     *bytes.Buffer
	created []createInput
	listed  []listInput
	caller  api.Caller
}

const goodKey = "till_test_good"

func authenticate(_ context.Context, h http.Header) (api.Caller, error) {
	switch h.Get("X-API-Key") {
	case goodKey:
		return api.Caller{Scope: db.Scope{Merchant: "m", Mode: "test"}, KeyID: "k", Scopes: api.Scopes}, nil
	case "reader":
		return api.Caller{Scope: db.Scope{Merchant: "m", Mode: "test"}, Scopes: []string{api.PaymentsRead}}, nil
	case "":
		return api.Caller{}, fault.New(fault.APIKeyMissing, "X-API-Key", "Send an API key.")
	}
	return api.Caller{}, fault.New(fault.APIKeyInvalid, "X-API-Key", "This is not a key of ours.")
}

func newRoom(t testing.TB) *room {
	t.Helper()
	r := &room{log: &bytes.Buffer{}}
	r.API = api.New("1.2.3", authenticate, slog.New(slog.NewTextHandler(r.log, nil)))
	const read, write = api.PaymentsRead, api.PaymentsWrite
	api.Add(r.API, api.Operation{Method: "POST", Path: "/v1/notes", Summary: "Create a note", Tag: "Notes", Scope: write, Status: 201, Text: "Writes a `note`.\n\nNothing else."},
		func(_ context.Context, c api.Caller, in *createInput) (api.Reply[note], error) {
			r.caller, r.created = c, append(r.created, *in)
			return api.Reply[note]{Data: note{ID: id.New(), Title: in.Body.Title, Price: string(in.Body.Price), Author: in.Body.Author, Labels: in.Body.Labels, At: in.Body.When, Cost: money.FromMinor(120, "USD")},
				Replayed: in.Key == "again"}, nil
		})
	api.AddList(r.API, api.Operation{Method: "GET", Path: "/v1/notes", Summary: "List notes", Tag: "Notes", Scope: read},
		func(_ context.Context, _ api.Caller, in *listInput) (api.Page[note], error) {
			r.listed = append(r.listed, *in)
			_, err := in.Position()
			return api.Page[note]{}, err
		})
	api.Add(r.API, api.Operation{Method: "GET", Path: "/v1/notes/{id}", Summary: "Get a note", Tag: "Notes", Scope: read},
		func(ctx context.Context, _ api.Caller, in *oneInput) (api.Reply[note], error) {
			return api.Reply[note]{}, failures[in.ID](ctx)
		})
	api.AddRaw(r.API, api.Operation{Method: "POST", Path: "/v1/hook", Summary: "Take a hook", Tag: "Hooks", Open: true, MaxBody: 100},
		func(_ context.Context, in *hookInput) (*hookOutput, error) {
			out := &hookOutput{}
			out.Body.Received = len(in.RawBody)
			return out, nil
		})
	r.Handle("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	return r
}

// failures are what a handler may end in, by the id in the URL.
var failures = map[string]func(context.Context) error{
	"missing":  func(context.Context) error { return fault.New(fault.ResourceMissing, "id", "There is no such note.") },
	"moved":    func(context.Context) error { return fault.New(fault.StateConflict, "", "Try again.") },
	"away":     func(context.Context) error { return fault.New(fault.ProviderUnavailable, "", "Stripe is away.") },
	"crowded":  func(context.Context) error { return fault.New(fault.TooManyRequests, "", "Too many.") },
	"declined": func(context.Context) error { return fault.New(fault.CardDeclined, "", "Declined.") },
	"broken":   func(context.Context) error { return errors.New("the password is " + secret) },
	"slow":     func(context.Context) error { return context.DeadlineExceeded },
	"panic":    func(context.Context) error { panic("the password is " + secret) },
	"late": func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); !ok {
			return errors.New("a request without a deadline")
		}
		return fault.New(fault.ResourceMissing, api.RequestID(ctx), "The param is the request id.")
	},
}

// secret stands in requests where a value could be echoed, and must be in no answer.
const secret = "hunter2hunter2"

type answer struct {
	*httptest.ResponseRecorder
	t testing.TB
}

// do sends a request with a good key and JSON, unless the headers ("Name: value") say otherwise.
func (r *room) do(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	req := httptest.NewRequest(method, "/", strings.NewReader(body))
	path, query, _ := strings.Cut(target, "?")
	req.URL.Path, req.URL.RawQuery = path, query // as they are: httptest would refuse what a client may well send
	req.Header.Set("X-API-Key", goodKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "k1")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
		if value == "" {
			req.Header.Del(name)
		}
	}
	rec := httptest.NewRecorder()
	r.ServeHTTP(rec, req)
	return answer{rec, t}
}

func (a answer) ok(status int, into any) {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("status %d, want %d: %s", a.Code, status, a.Body)
	}
	if err := json.Unmarshal(a.Body.Bytes(), into); err != nil {
		a.t.Fatalf("%v: %s", err, a.Body)
	}
}

// refused checks an error to its last field. It returns the message.
func (a answer) refused(status int, code fault.Code, param string) string {
	a.t.Helper()
	var got struct {
		Success *bool
		Error   *struct {
			Code      fault.Code
			Message   string
			Param     *string
			RequestID string `json:"request_id"`
		}
	}
	d := json.NewDecoder(bytes.NewReader(a.Body.Bytes()))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil || d.More() || got.Success == nil || *got.Success || got.Error == nil || got.Error.Param == nil {
		a.t.Fatalf("not our form of an error (%v), status %d: %s", err, a.Code, a.Body)
	}
	e := got.Error
	if a.Code != status || e.Code != code || *e.Param != param {
		a.t.Errorf("%d %s %q, want %d %s %q: %s", a.Code, e.Code, *e.Param, status, code, param, e.Message)
	}
	if !strings.HasSuffix(e.Message, ".") || e.RequestID == "" || e.RequestID != a.Header().Get("X-Request-Id") {
		a.t.Errorf("no sentence, or a request id that is not the header's: %s", a.Body)
	}
	if a.Header().Get("Content-Type") != "application/json" || a.Header().Get("X-Content-Type-Options") != "nosniff" || a.Header().Get("Cache-Control") != "no-store" {
		a.t.Errorf("headers %v", a.Header())
	}
	if strings.Contains(a.Body.String(), secret) {
		a.t.Errorf("the answer echoes what was sent: %s", a.Body)
	}
	return e.Message
}
