package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a world's logs: how many entries each keeps, and how many bytes of a request's parameters.
const (
	maxLogged     = 2000
	maxLoggedForm = 2000
)

// ring keeps the latest of what is added to it.
type ring[T any] struct {
	kept []T
	next int // where the next one goes, once it is full
}

func (l *ring[T]) add(one T) {
	if len(l.kept) < maxLogged {
		l.kept = append(l.kept, one)
		return
	}
	l.kept[l.next] = one
	l.next = (l.next + 1) % maxLogged
}

// all is a copy of what is kept, oldest first.
func (l *ring[T]) all() []T { return slices.Concat(l.kept[l.next:], l.kept[:l.next]) }

// logged is one request of the API.
type logged struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Form   string    `json:"form,omitempty"` // the parameters as they were sent, at most so many bytes of them, without what is secret
	Key    string    `json:"idempotency_key,omitempty"`
	Status int       `json:"status"` // 0 is no answer
	Code   string    `json:"code,omitempty"`
	Fault  string    `json:"fault,omitempty"` // the id of the rule that struck it
	ID     string    `json:"request_id"`
}

// log adds the request to the world's log. The lock is held.
func (x *exchange) log(form string, status int, code string) {
	one := logged{At: x.world.now(), Method: x.request.Method, Path: shortened(x.request.URL.Path), Form: loggedForm(form), Key: shortened(x.key), Status: status, Code: code, ID: x.id}
	if x.fault != nil {
		one.Fault = x.fault.ID
	}
	x.world.log.add(one)
}

// shortened is the beginning of a text, a part of its own, so that what is logged does not hold on to what is long.
func shortened(text string) string {
	if len(text) > maxLoggedForm {
		return strings.Clone(text[:maxLoggedForm])
	}
	return text
}

// secretParams are parameters whose values no log shows, by what their names hold.
var secretParams = []string{"number", "iban", "cvc", "secret", "password", "token"}

// loggedForm is what the log keeps of a request's parameters.
func loggedForm(form string) string {
	form = shortened(form)
	if !slices.ContainsFunc(secretParams, func(name string) bool { return strings.Contains(form, name) }) && !strings.Contains(form, "_test_") {
		return form
	}
	pairs := strings.Split(form, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if value != "" && secretPair(name, value) {
			pairs[i] = name + "=***"
		}
	}
	return strings.Join(pairs, "&")
}

func secretPair(name, value string) bool {
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	value, _ = url.QueryUnescape(value)
	return slices.ContainsFunc(secretParams, func(part string) bool { return strings.Contains(name, part) }) ||
		slices.ContainsFunc([]string{secretKey, restrictedKey, publishableKey}, func(kind string) bool { return strings.HasPrefix(value, kind) })
}

// listRequests shows the log, oldest first: of those that match method, path, status and key, the latest after the request "since".
func listRequests(w *realm, r *http.Request, _ []byte) (any, error) {
	q, limit, err := readFilters(r, "method", "path", "status", "key", "since", "limit")
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	all := w.log.all()
	w.mu.Unlock()
	if since := q.Get("since"); since != "" {
		at := slices.IndexFunc(all, func(one logged) bool { return one.ID == since })
		all = all[at+1:] // all of them when it is so old that it is not here any more
	}
	all = slices.DeleteFunc(all, func(one logged) bool {
		return !has(q, "method", one.Method) || !matchesPath(q.Get("path"), one.Path) || !hasStatus(q.Get("status"), one.Status) || !has(q, "key", one.Key)
	})
	return map[string]any{"requests": all[max(0, len(all)-limit):]}, nil
}

// listDeliveries shows the tries to deliver webhooks, oldest first: of those that match event, type, endpoint and status, the latest.
func listDeliveries(w *realm, r *http.Request, _ []byte) (any, error) {
	q, limit, err := readFilters(r, "event", "type", "endpoint", "status", "limit")
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	all := w.attempts.all()
	w.mu.Unlock()
	all = slices.DeleteFunc(all, func(one attempted) bool {
		kind := q.Get("type")
		return !has(q, "event", one.Event) || !has(q, "endpoint", one.Endpoint) || kind != "" && !matchesType(kind, one.Type) || !hasStatus(q.Get("status"), one.Status)
	})
	return map[string]any{"attempts": all[max(0, len(all)-limit):]}, nil
}

// readFilters reads the query of a log; limit is how many entries are shown at most.
func readFilters(r *http.Request, known ...string) (q url.Values, limit int, err error) {
	q, limit = r.URL.Query(), maxLogged
	for name := range q {
		if !slices.Contains(known, name) {
			return nil, 0, badControl("The filters are " + strings.Join(known, ", ") + ".")
		}
	}
	if s := q.Get("status"); s != "" && (len(s) > 3 || strings.Trim(strings.TrimSuffix(s, "xx"), "0123456789") != "") {
		return nil, 0, badControl("status is a number, or a class such as 4xx.")
	}
	if q.Get("limit") != "" {
		if limit, err = strconv.Atoi(q.Get("limit")); err != nil || limit < 1 || limit > maxLogged {
			return nil, 0, badControl("limit is 1 to " + strconv.Itoa(maxLogged) + ".")
		}
	}
	return q, limit, nil
}

func has(q url.Values, name, value string) bool { return q.Get(name) == "" || q.Get(name) == value }

// hasStatus holds a status against "429" or "4xx".
func hasStatus(wanted string, status int) bool {
	if class, many := strings.CutSuffix(wanted, "xx"); many {
		return class == strconv.Itoa(status/100)
	}
	return wanted == "" || wanted == strconv.Itoa(status)
}
