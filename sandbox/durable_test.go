package sandbox_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// TestFullDisk: what a full disk does not take is not acknowledged, and nothing is written behind it once there is room again, so that
// what was acknowledged before can be read.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	a.must("/v1/customers", "name=before")
	empty, err := sandbox.FillDisk(a.sandbox(), key)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.post("/v1/customers", "name=while"); got.status != http.StatusInternalServerError || !strings.Contains(got.text("error.message"), "could not write") {
		t.Errorf("%d %s", got.status, got.raw)
	}
	empty()
	for range 3 {
		a.post("/v1/customers", "name=after").wants(t, http.StatusInternalServerError, nil)
	}
	a.sandbox().Close()
	again := kept(t, folder, key, held)
	again.get("/v1/customers", "").wants(t, http.StatusOK, map[string]any{"data.0.name": "before", "data.1": nil})
	again.must("/v1/customers", "name=next")
}

// TestNoRoomToRestore: where the world that comes back cannot be written, the file still tells of the one that was.
func TestNoRoomToRestore(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	a.must("/v1/customers", "name=one")
	moved := folder + "-moved"
	if err := os.Rename(folder, moved); err != nil {
		t.Fatal(err)
	}
	if got := a.control(http.MethodPost, "/_sandbox/reset", ""); got.status != http.StatusInternalServerError {
		t.Errorf("a reset that cannot be kept: %d %v", got.status, got.body)
	}
	if err := os.Rename(moved, folder); err != nil {
		t.Fatal(err)
	}
	a.post("/v1/customers", "name=two").wants(t, http.StatusInternalServerError, nil)
	a.sandbox().Close()
	kept(t, folder, key, held).get("/v1/customers", "").wants(t, http.StatusOK, map[string]any{"data.0.name": "one", "data.1": nil})
}

// TestLinesAreBounded: neither a step in which much falls due nor a world that is written anew makes a line that is longer than can be
// read again; and what a killed process has left half written is cleared away.
func TestLinesAreBounded(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	for i := range 1200 {
		a.post("/v1/payment_intents", "amount=1000&currency=usd&confirm=true&capture_method=manual&payment_method_types[]=card&payment_method=pm_card_visa", "Idempotency-Key", fmt.Sprint(i))
	}
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":864000}`) // every authorization expires
	lines := func() (all [][]byte) {
		files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range bytes.Split(text, []byte("\n")) {
			if keys := bytes.Count(line, []byte(`"at":"`)); keys > 1000 || keys == 0 && len(line) > 2<<20 {
				t.Errorf("a line has %d bytes and %d keys", len(line), keys)
			}
			all = append(all, line)
		}
		return all
	}
	lines()
	a.steer(http.MethodPost, "/_sandbox/snapshots", `{"name":"all"}`)
	a.steer(http.MethodPost, "/_sandbox/restore", `{"snapshot":"all"}`)
	if n := len(lines()); n > 100 {
		t.Errorf("a world that was written anew has %d lines", n)
	}
	before := a.look()
	a.sandbox().Close()
	half := filepath.Join(folder, "new-123")
	if err := os.WriteFile(half, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := kept(t, folder, key, held)
	if after := again.look(); after != before {
		t.Error("a restart shows another world")
	}
	repeat := again.post("/v1/payment_intents", "amount=1000&currency=usd&confirm=true&capture_method=manual&payment_method_types[]=card&payment_method=pm_card_visa", "Idempotency-Key", "1199")
	if repeat.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("the key is forgotten: %s", repeat.raw)
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Error("half a journal is still there")
	}
}

// TestParkedIsKept: a delivery that waits for others to go first is not lost with the process.
func TestParkedIsKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	hooks := newReceiver(t)
	a.subscribe(hooks, "customer.created")
	a.script(`{"kind":"reordered","behind":5,"seconds":60}`)
	made := a.must("/v1/customers", "").text("id")
	a.later("1")
	a.sandbox().Close()
	again := kept(t, folder, key, held)
	again.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":61}`)
	if got := hooks.next(t); !bytes.Contains(got.body, []byte(made)) {
		t.Errorf("%s", got.body)
	}
	again.later("0")
	if n := len(hooks.got); n != 0 {
		t.Errorf("%d more deliveries", n)
	}
}

// TestSnapshotOfDelivery: what is under way when a snapshot is taken has not arrived in it, and is sent when it comes back.
func TestSnapshotOfDelivery(t *testing.T) {
	t.Parallel()
	a := bare(t)
	var asked atomic.Int64
	came, answer := make(chan struct{}, 10), make(chan struct{})
	hooks := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		came <- struct{}{}
		if asked.Add(1) == 1 {
			<-answer
		}
	}))
	t.Cleanup(hooks.Close)
	a.must("/v1/webhook_endpoints", "enabled_events[]=customer.created&url="+escaped(hooks.URL))
	a.must("/v1/customers", "")
	<-came
	a.steer(http.MethodPost, "/_sandbox/snapshots", `{"name":"under-way"}`)
	close(answer)
	a.idle()
	pending := func() string { return a.get("/v1/events", "type=customer.created").text("data.0.pending_webhooks") }
	if got := pending(); got != "0" {
		t.Errorf("%s endpoints have not taken the event", got)
	}
	a.steer(http.MethodPost, "/_sandbox/restore", `{"snapshot":"under-way"}`)
	select {
	case <-came:
	case <-time.After(10 * time.Second):
		t.Fatal("after restoring, it is not sent")
	}
	a.idle()
	if got := pending(); got != "0" || asked.Load() != 2 {
		t.Errorf("after restoring: %s endpoints have not taken the event, which was sent %d times", got, asked.Load())
	}
}

// TestAccountOfFork: what a world remembers of test cards goes with the account that it was.
func TestAccountOfFork(t *testing.T) {
	t.Parallel()
	a := bare(t)
	b := a.beside("b")
	print := func() string {
		return b.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa&expand[]=payment_method").text("payment_method.card.fingerprint")
	}
	own := print()
	b.steer(http.MethodPost, "/_sandbox/reset", "")
	a.steer(http.MethodPost, "/_sandbox/fork", `{"to":"`+b.key+`"}`)
	if forked := print(); forked == own {
		t.Error("in a fork of another account, a card has the fingerprint that it had before")
	}
	b.steer(http.MethodPost, "/_sandbox/reset", "")
	if again := print(); again != own {
		t.Errorf("after a reset the fingerprint is %s, and was %s", again, own)
	}
}

// TestLogOfLongNames: the log keeps the beginning of what is long.
func TestLogOfLongNames(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.post("/v1/"+strings.Repeat("p", 20_000), "", "Idempotency-Key", strings.Repeat("k", 20_000))
	if n := len(a.control(http.MethodGet, "/_sandbox/requests", "").raw); n > 6000 {
		t.Errorf("one request takes %d bytes of the log", n)
	}
}
