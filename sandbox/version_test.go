package sandbox_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/spec"
	"github.com/till-pay/till/sandbox/transcript"
)

// TestVersionsAreInvertible: what the sandbox answers to all transcripts, brought to an older version and back, is what it was, by
// each change alone and by all of a version.
func TestVersionsAreInvertible(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			replies, s, suffix := recordedReplies(t, file)
			for _, reply := range replies {
				comparesAlike(t, reply)
				for _, names := range setsOfChanges(reply) {
					older := sandbox.Down(s, suffix, reply, names...)
					back, want := sandbox.Up(older, names...), sandbox.Without(reply, names...)
					if !sameJSON(t, back, want) {
						t.Fatalf("%v, and back:\n%s\nwas\n%s\nolder\n%s", names, back, want, older)
					}
				}
			}
		})
	}
}

// comparesAlike holds that comparing the two states of an event gives the previous_attributes that it has, so that comparing them in an
// older version gives those of that version.
func comparesAlike(t *testing.T, reply []byte) {
	t.Helper()
	var data struct {
		Previous json.RawMessage `json:"previous_attributes"`
	}
	if json.Unmarshal(reply, &data) != nil || data.Previous == nil {
		return
	}
	if got := sandbox.Previous(reply); !sameJSON(t, got, data.Previous) {
		t.Errorf("%s\nwant %s", got, data.Previous)
	}
}

// setsOfChanges are the changes that concern a reply one by one, and all since each version.
func setsOfChanges(reply []byte) (all [][]string) {
	var since []string
	changes := sandbox.Changes()
	for i, c := range changes {
		since = append(since, c.Name)
		if slices.ContainsFunc(c.Objects, func(kind string) bool { return bytes.Contains(reply, []byte(`"object":"`+kind+`"`)) }) {
			all = append(all, []string{c.Name})
		}
		if i+1 == len(changes) || changes[i+1].Version != c.Version {
			all = append(all, slices.Clone(since))
		}
	}
	return all
}

// recordedReplies plays a transcript and gives what was answered, with what events are about as replies of their own.
func recordedReplies(t *testing.T, file string) (all [][]byte, s *sandbox.Server, suffix string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a := bare(t)
	keeper := &keeper{of: a.server.Client().Transport}
	if _, err := transcript.New(&http.Client{Transport: keeper}, a.server.URL, a.key).Play(t.Context(), string(text)); err != nil {
		t.Fatal(err)
	}
	events := a.get("/v1/events", "limit=100")
	for _, event := range events.list("data") {
		data, err := json.Marshal(event.(map[string]any)["data"])
		if err != nil {
			t.Fatal(err)
		}
		keeper.replies = append(keeper.replies, data)
	}
	return keeper.replies, a.server.Config.Handler.(*sandbox.Server), strings.TrimPrefix(a.key, "sk_"+"test_")
}

// keeper keeps what was answered under /v1/.
type keeper struct {
	of      http.RoundTripper
	replies [][]byte
}

func (k *keeper) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := k.of.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasSuffix(r.URL.Path, "/contents") {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	k.replies = append(k.replies, body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, err
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var one, other any
	if err := json.Unmarshal(a, &one); err != nil {
		t.Fatalf("%v: %s", err, a)
	}
	if err := json.Unmarshal(b, &other); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return reflect.DeepEqual(one, other)
}

// TestChangesAreWhole: each change says what, where it is known from and how it is undone, once.
func TestChangesAreWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	last := spec.Version
	for _, c := range sandbox.Changes() {
		if c.What == "" || c.Source == "" || seen[c.Name] || c.Renders != c.Inverted || c.Renders != (len(c.Objects) > 0) {
			t.Errorf("the change %q of %s is not whole, or there are two", c.Name, c.Version)
		}
		if _, err := time.Parse(time.DateOnly, c.Version); err != nil || c.Version > last || c.Version <= sandbox.OldestVersion {
			t.Errorf("the change %q has the version %s after %s", c.Name, c.Version, last)
		}
		seen[c.Name], last = true, c.Version
	}
	for _, name := range sandbox.Inverses() {
		if !seen[name] {
			t.Errorf("there is an inverse of %q, and no such change", name)
		}
	}
}

// TestWrongVersions: what is no version, or one whose changes are not known, is refused in words that help.
func TestWrongVersions(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for version, message := range map[string]string{
		"2019-2-19":                             "Invalid Stripe API version: 2019-2-19. You must use an API version in the form of YYYY-MM-DD",
		"newest":                                "Invalid Stripe API version: newest.",
		"2013-07-05":                            "Invalid Stripe API version: 2013-07-05. This sandbox answers in versions from " + sandbox.OldestVersion,
		"2020-08-27" + strings.Repeat(";", 300): "Invalid Stripe API version: 2020-08-27;",
	} {
		got := a.do(http.MethodGet, "/v1/balance", "", "Stripe-Version", version)
		got.wants(t, http.StatusBadRequest, map[string]any{"error.type": "invalid_request_error"})
		if said := got.text("error.message"); !strings.HasPrefix(said, message) {
			t.Errorf("%s: %s", version, said)
		}
	}
	for _, version := range []string{sandbox.OldestVersion, "2016-01-01", "2099-01-01", "2020-08-27; orders_beta=v4", "2025-03-31.basil"} {
		got := a.do(http.MethodGet, "/v1/balance", "", "Stripe-Version", version)
		got.wants(t, http.StatusOK, map[string]any{"object": "balance"})
		if echoed := got.header.Get("Stripe-Version"); echoed != version {
			t.Errorf("%s is echoed as %s", version, echoed)
		}
	}
	a.post("/v1/webhook_endpoints", "url=http://127.0.0.1:1&enabled_events[]=*&api_version=2011-01-01").wants(t, http.StatusBadRequest, map[string]any{"error.param": "api_version"})
	a.control(http.MethodPost, "/_sandbox/account", `{"api_version":"2011-01-01"}`).wants(t, http.StatusBadRequest, nil)
}
