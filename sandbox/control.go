package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The control API steers one world, the one that the Bearer key names. It speaks JSON:
//
//	GET  /_sandbox/clock            {"now":"2026-01-02T03:04:05Z","mode":"real","rate":1,"version":0}; see control_clock.go
//	POST /_sandbox/clock            {"mode":"frozen"}, {"mode":"real"} or {"mode":"faster","rate":60}, and "now" if it shall show another time
//	POST /_sandbox/clock/advance    {"seconds":N} or {"to":"2026-01-02T03:04:05Z"}
//	POST /_sandbox/faults           {"method":"POST","path":"/v1/refunds","nth":1,"kind":"cut"}; see chaos.go
//	DELETE /_sandbox/faults         forgets what was scripted and has not happened yet
//	POST /_sandbox/faults/release   lets go of held replies
//	GET  /_sandbox/events?type=T&nth=N&wait=SECONDS   the Nth event of a type, once it is there; see control_events.go
//	GET  /_sandbox/requests         the latest requests of the API, oldest first
//	GET  /_sandbox/state            how many objects of each kind there are, and what is under way
//
// Errors are {"error":{"message":…}}.

// maxControlBody bounds a request of the control API, in bytes.
const maxControlBody = 64 << 10

var controls = map[string]func(*world, *http.Request, []byte) (any, error){
	"GET /_sandbox/clock":           showClock,
	"POST /_sandbox/clock":          setClock,
	"POST /_sandbox/clock/advance":  advanceClock,
	"POST /_sandbox/faults":         scriptFault,
	"DELETE /_sandbox/faults":       forgetFaults,
	"POST /_sandbox/faults/release": releaseReplies,
	"GET /_sandbox/events":          awaitEvent,
	"GET /_sandbox/requests":        listRequests,
	"GET /_sandbox/state":           showState,
}

// errControl is a refusal of the control API.
type errControl struct {
	status  int
	message string
}

func (e *errControl) Error() string { return e.message }

func badControl(message string) error { return &errControl{http.StatusBadRequest, message} }

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	answer, err := s.control(w, r)
	status := http.StatusOK
	if err != nil {
		status = http.StatusInternalServerError
		if refusal := (*errControl)(nil); errors.As(err, &refusal) {
			status = refusal.status
		}
		answer = map[string]any{"error": map[string]string{"message": err.Error()}}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a caller who has gone is no business of ours
}

func (s *Server) control(out http.ResponseWriter, r *http.Request) (any, error) {
	do := controls[r.Method+" "+r.URL.Path]
	if do == nil {
		return nil, &errControl{http.StatusNotFound, "There is no " + r.Method + " " + r.URL.Path + " here."}
	}
	if foreign(r) {
		return nil, &errControl{http.StatusForbidden, "This is not for web pages of another origin."}
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	kind, suffix := parseKey(strings.TrimSpace(key))
	if !strings.EqualFold(scheme, "Bearer") || suffix == "" || kind == publishableKey {
		return nil, &errControl{http.StatusUnauthorized, "Name the world with its secret key: Authorization: Bearer sk_test_…"}
	}
	w, err := s.world(suffix, true)
	if err != nil {
		return nil, &errControl{http.StatusTooManyRequests, err.Error()}
	}
	body, err := io.ReadAll(http.MaxBytesReader(out, r.Body, maxControlBody))
	if err != nil {
		return nil, &errControl{http.StatusRequestEntityTooLarge, "The body could not be read, or is too large."}
	}
	return do(w, r, body)
}

// foreign says whether a browser sent the request from another page than one of the sandbox's own.
func foreign(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

// readControl reads a JSON object strictly.
func readControl(body []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badControl("The body is not the JSON that is expected here: " + err.Error())
	}
	if d.More() {
		return badControl("The body is more than one JSON value.")
	}
	return nil
}

func scriptFault(w *world, _ *http.Request, body []byte) (any, error) {
	f := &fault{}
	if err := readControl(body, f); err != nil {
		return nil, err
	}
	if wrong := f.check(); wrong != "" {
		return nil, badControl(wrong + ".")
	}
	w.script(f)
	return f, nil
}

func forgetFaults(w *world, _ *http.Request, _ []byte) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.api, w.webhook = nil, nil
	return map[string]any{}, nil
}

func releaseReplies(w *world, _ *http.Request, _ []byte) (any, error) {
	return map[string]int{"released": w.releaseHeld()}, nil
}

func showState(w *world, _ *http.Request, _ []byte) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.commit()
	w.settle()
	objects := map[string]int{}
	for kind, all := range w.shelves {
		if n := len(all.all) - all.gone; n > 0 {
			objects[kind] = n
		}
	}
	return map[string]any{
		"account":          w.account,
		"objects":          objects,
		"webhooks_queued":  w.queued,
		"webhooks_sending": w.sending,
		"webhooks_later":   w.later,
		"webhooks_dropped": w.dropped,
		"replies_held":     len(w.held),
		"fault_pending":    w.api != nil || w.webhook != nil,
	}, nil
}

// maxLogged bounds the log of a world's requests.
const maxLogged = 2000

// logged is one request of the API.
type logged struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Key    string    `json:"idempotency_key,omitempty"`
	Status int       `json:"status"`
	ID     string    `json:"request_id"`
}

// requestLog keeps the latest requests in a ring.
type requestLog struct {
	ring []logged
	next int
}

func (l *requestLog) add(one logged) {
	if len(l.ring) < maxLogged {
		l.ring = append(l.ring, one)
		return
	}
	l.ring[l.next] = one
	l.next = (l.next + 1) % maxLogged
}

func listRequests(w *world, _ *http.Request, _ []byte) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]logged, 0, len(w.log.ring))
	all = append(append(all, w.log.ring[w.log.next:]...), w.log.ring[:w.log.next]...)
	return map[string]any{"requests": all}, nil
}
