//go:build !race

package judge_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/transcript"
)

// TestTranscripts plays the sandbox's transcripts and judges every reply, and every event that its webhooks deliver on the way. The
// sandbox's own tests compare the replies with the text.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text := must[[]byte](t)(os.ReadFile(file))
			w := setup(t, sandbox.WithClock(clock.NewFake(time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC))))
			hooks := w.listen(t)
			if _, err := transcript.New(w.plain, w.base, w.key).Play(t.Context(), string(text)); err != nil {
				t.Fatal(err)
			}
			hooks.holdAgainst(t, w)
		})
	}
}

// hooks are the events that webhooks have delivered, by id.
type hooks struct {
	secret     string // of the endpoint
	mu         sync.Mutex
	events     map[string]json.RawMessage
	signatures map[string]string
}

// listen subscribes to every type of event.
func (w *world) listen(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{events: map[string]json.RawMessage{}, signatures: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var event struct{ ID string }
		if bad := json.Unmarshal(body, &event); err != nil || bad != nil {
			t.Errorf("a webhook that is no event: %v %v %s", err, bad, body)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events[event.ID], h.signatures[event.ID] = body, r.Header.Get("Stripe-Signature")
	}))
	t.Cleanup(server.Close)
	endpoint := must[*stripe.WebhookEndpoint](t)(w.V1WebhookEndpoints.Create(t.Context(), &stripe.WebhookEndpointCreateParams{URL: &server.URL, EnabledEvents: strs("*")}))
	h.secret = endpoint.Secret
	return h
}

// holdAgainst waits until all is delivered and judges each event. But for the number of endpoints that it has yet to reach, it is the
// one that the API shows.
func (h *hooks) holdAgainst(t *testing.T, w *world) {
	t.Helper()
	w.idle(t)
	j, err := court()
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var shown struct {
		Data []json.RawMessage
		More bool `json:"has_more"`
	}
	w.read(t, "/v1/events?limit=100", &shown)
	if shown.More || len(shown.Data) != len(h.events) {
		t.Errorf("%d events were delivered; the API shows %d, and more: %t", len(h.events), len(shown.Data), shown.More)
	}
	for _, one := range shown.Data {
		var about struct{ ID, Type string }
		if err := json.Unmarshal(one, &about); err != nil {
			t.Fatal(err)
		}
		event := h.events[about.ID]
		if err := j.Object("event", event); err != nil {
			t.Errorf("%s as delivered: %v\n%.3000s", about.Type, err, event)
		}
		if _, err := webhook.ConstructEventWithOptions(event, h.signatures[about.ID], h.secret, webhook.ConstructEventOptions{IgnoreTolerance: true}); err != nil {
			t.Errorf("%s as delivered: %v", about.Type, err)
		}
		if was, is := settled(event), settled(one); was != is {
			t.Errorf("delivered was %s\nthe API shows %s", was, is)
		}
	}
}

var pending = regexp.MustCompile(`"pending_webhooks":\d+`)

// settled is an event without what its delivery changes.
func settled(event []byte) string {
	return pending.ReplaceAllString(string(event), `"pending_webhooks":0`)
}

// read gets JSON of the sandbox.
func (w *world) read(t *testing.T, path string, into any) {
	t.Helper()
	r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+path, nil))
	r.Header.Set("Authorization", "Bearer "+w.key)
	reply := must[*http.Response](t)(w.plain.Do(r))
	defer reply.Body.Close()
	if err := json.NewDecoder(reply.Body).Decode(into); err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", path, reply.Status, err)
	}
}

// idle waits until no webhook is on its way.
func (w *world) idle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		var state struct {
			Queued  int `json:"webhooks_queued"`
			Sending int `json:"webhooks_sending"`
		}
		if w.read(t, "/_sandbox/state", &state); state.Queued+state.Sending == 0 {
			return
		}
	}
	t.Fatal("webhooks are still on their way after a minute")
}
