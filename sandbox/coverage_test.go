package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/spec"
	"github.com/till-pay/till/sandbox/transcript"
)

// TestCoverage plays every transcript and holds coverage.txt against what the operations did, refused and announced in them. It is not
// parallel, for with -update the test of the transcripts rewrites what it reads.
func TestCoverage(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	seen := &witness{operations: map[string]*deeds{}}
	var playing sync.WaitGroup
	for _, file := range files {
		playing.Go(func() { seen.play(t, file) })
	}
	playing.Wait()
	var is strings.Builder
	for _, name := range slices.Sorted(maps.Keys(seen.operations)) {
		fmt.Fprintf(&is, "%s\t%s\n", name, seen.operations[name])
	}
	was, err := os.ReadFile("coverage.txt")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("coverage.txt", []byte(is.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if is.String() != string(was) {
		t.Errorf("coverage.txt is not what the transcripts show; look at the difference, then run the tests with -update:\n%s", firstDifference(string(was), is.String()))
	}
	for _, o := range sandbox.Operations() {
		if d := seen.operations[o.Name]; d != nil && len(d.events) > 0 && !o.Announces {
			t.Errorf("%s is on the list of those that Stripe announces by no event, and has announced %s", o.Name, d)
		}
	}
}

// witness notes what each operation does in transcripts.
type witness struct {
	mu         sync.Mutex
	operations map[string]*deeds
}

// deeds is what one operation was seen to do.
type deeds struct {
	done     bool
	refusals map[string]bool
	events   map[string]bool
}

func (d *deeds) String() string {
	done := "-"
	if d.done {
		done = "done"
	}
	return done + "\t" + strings.Join(slices.Sorted(maps.Keys(d.refusals)), " ") + "\t" + strings.Join(slices.Sorted(maps.Keys(d.events)), " ")
}

func (w *witness) of(op string) *deeds {
	d := w.operations[op]
	if d == nil {
		d = &deeds{refusals: map[string]bool{}, events: map[string]bool{}}
		w.operations[op] = d
	}
	return d
}

// play plays a transcript and notes which events its requests have caused.
func (w *witness) play(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return
	}
	box := sandbox.New(t, sandbox.WithStart(start), sandbox.WithRate(0))
	log := &requestLog{witness: w, operations: map[string]string{}}
	if _, err := transcript.New(&http.Client{Transport: log}, box.URL, box.Key).Play(t.Context(), string(text)); err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	events := box.Events("")
	for _, account := range box.ConnectedAccounts() {
		events = append(events, box.As(account.ID).Events("")...)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range events {
		if op := log.operations[e.Request]; op != "" {
			w.of(op).events[e.Type] = true
		}
	}
}

// requestLog notes the operations of requests, by the ids of the requests.
type requestLog struct {
	witness    *witness
	operations map[string]string
}

// RoundTrip sends a request and notes what came of it.
func (l *requestLog) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	op, _, ok := spec.Match(r.Method, r.URL.EscapedPath())
	if err != nil || !ok {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	var refusal struct{ Error struct{ Type, Code string } }
	if answer.StatusCode >= 400 {
		err = json.Unmarshal(body, &refusal)
	}
	l.operations[answer.Header.Get("Request-Id")] = op.String()
	l.witness.mu.Lock()
	defer l.witness.mu.Unlock()
	switch d := l.witness.of(op.String()); {
	case answer.StatusCode < 300:
		d.done = true
	case answer.StatusCode >= 500: // a fault, or not built
	case refusal.Error.Code != "":
		d.refusals[refusal.Error.Code] = true
	default:
		d.refusals[refusal.Error.Type] = true
	}
	return answer, err
}

// TestFamilies: the totals are the sums, and every operation of Stripe's document is counted once.
func TestFamilies(t *testing.T) {
	t.Parallel()
	families, totals := sandbox.Coverage()
	var sum sandbox.Family
	for _, f := range families {
		sum.Operations += f.Operations
		sum.Built += f.Built
		sum.Implemented += f.Implemented
		sum.Events.Done += f.Events.Done
		if f.Implemented > f.Built || f.Built > f.Operations || f.Events.Done > f.Events.Of || f.Refusals.Of > f.Built || f.Transitions.Of != f.Built {
			t.Errorf("%+v cannot be", f)
		}
	}
	if sum.Operations != len(spec.Ops()) || totals.Operations != sum.Operations || totals.Built != sum.Built || totals.Implemented != sum.Implemented || totals.Events.Done != sum.Events.Done {
		t.Errorf("the totals are %+v, the sums %+v", totals, sum)
	}
	if totals.Implemented < 20 {
		t.Errorf("only %d operations are implemented", totals.Implemented)
	}
}
