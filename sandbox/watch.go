package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Event is one of Stripe's events.
type Event struct {
	ID       string
	Type     string // payment_intent.succeeded
	Created  time.Time
	Object   json.RawMessage // what it is about, as it was then
	Previous json.RawMessage // the old values of what changed, of the types that end with updated; nil otherwise
	Request  string          // the id of the request that caused it; empty where time did
	JSON     json.RawMessage // the whole event
}

// UnmarshalJSON reads an event of Stripe's.
func (e *Event) UnmarshalJSON(text []byte) error {
	var in struct {
		ID      string
		Type    string
		Created int64
		Data    struct {
			Object   json.RawMessage
			Previous json.RawMessage `json:"previous_attributes"`
		}
		Request struct{ ID string }
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*e = Event{ID: in.ID, Type: in.Type, Created: time.Unix(in.Created, 0).UTC(), Object: in.Data.Object, Previous: in.Data.Previous,
		Request: in.Request.ID, JSON: slices.Clone(text)}
	return nil
}

// Event waits for the nth event of a type, counted from 1 since the world began, and gives it. After within, of real time and a
// minute at most, it ends the test and says what has happened instead.
func (w *World) Event(kind string, nth int, within time.Duration) Event {
	w.t.Helper()
	q := url.Values{"type": {kind}, "nth": {strconv.Itoa(nth)}, "wait": {strconv.FormatFloat(min(within, maxAwait).Seconds(), 'f', 3, 64)}}
	var answer struct {
		Event *Event
		Seen  map[string]int
	}
	w.Control(http.MethodGet, "/_sandbox/events?"+q.Encode(), nil, &answer)
	if answer.Event == nil {
		w.t.Fatalf("sandbox: no event %s (number %d) within %s; there were: %s", kind, nth, within, counted(answer.Seen))
		return Event{}
	}
	return *answer.Event
}

func counted(seen map[string]int) string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, fmt.Sprintf("%s ×%d", kind, seen[kind]))
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// maxEventPages bounds how many pages of events are read.
const maxEventPages = 1000

// Events are the events of a type, oldest first; of every type where kind is empty.
func (w *World) Events(kind string) []Event {
	w.t.Helper()
	q := url.Values{"limit": {strconv.Itoa(maxLimit)}}
	if kind != "" {
		q.Set("type", kind)
	}
	var all []Event
	for range maxEventPages {
		var page struct {
			Data []Event
			More bool `json:"has_more"`
		}
		if status := w.Call(http.MethodGet, "/v1/events", q, &page); status != http.StatusOK {
			w.t.Fatalf("sandbox: the list of events answers %d", status)
		}
		all = append(all, page.Data...)
		if !page.More {
			break
		}
		q.Set("starting_after", all[len(all)-1].ID)
	}
	slices.Reverse(all)
	return all
}

// Endpoint is a webhook endpoint of the world.
type Endpoint struct {
	ID     string // we_…
	URL    string
	Secret string // whsec_…, with which deliveries are signed
}

// Subscribe makes a webhook endpoint for types of events; none is every type.
func (w *World) Subscribe(to string, types ...string) Endpoint {
	w.t.Helper()
	if len(types) == 0 {
		types = []string{"*"}
	}
	var made struct {
		Endpoint
		Error struct{ Message string }
	}
	form := url.Values{"url": {to}, "enabled_events[]": types}
	if status := w.Call(http.MethodPost, "/v1/webhook_endpoints", form, &made); status != http.StatusOK {
		w.t.Fatalf("sandbox: no webhook endpoint for %s: %s", to, made.Error.Message)
	}
	return made.Endpoint
}

// Deliver starts a server on a loopback port until the test ends and has types of events delivered to it; none is every type. The
// handler is made with the endpoint's secret, so that it can check signatures as in production.
func (w *World) Deliver(handler func(secret string) http.Handler, types ...string) Endpoint {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatalf("sandbox: no port to listen on: %v", err)
	}
	endpoint := w.Subscribe("http://"+l.Addr().String()+"/", types...)
	server := &http.Server{Handler: handler(endpoint.Secret), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute}
	go func() { _ = server.Serve(l) }() // ends with Close
	w.t.Cleanup(func() {
		limited, cancel := context.WithTimeout(context.Background(), deliveryTimeout)
		defer cancel()
		_ = server.Shutdown(limited)
		_ = server.Close()
	})
	return endpoint
}
