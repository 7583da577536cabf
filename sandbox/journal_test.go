package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// kept starts a sandbox that keeps its worlds in a folder.
func kept(t *testing.T, folder, key string, held *clock.Fake) *api {
	t.Helper()
	s := sandbox.NewServer(sandbox.WithClock(held))
	if err := s.Keep(folder); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return &api{t: t, server: server, key: key, clock: held}
}

func (a *api) sandbox() *sandbox.Server { return a.server.Config.Handler.(*sandbox.Server) }

// TestKept: a world is the same after a restart, and goes on as if there had been none.
func TestKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	hooks := newReceiver(t)
	a.subscribe(hooks, "charge.updated", "payment_intent.canceled")
	a.eventful()
	a.idle()
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":1}`)
	before := a.look()
	open := a.page(a.get("/v1/payment_intents/"+a.waiting(), ""))
	a.sandbox().Close()

	again := kept(t, folder, key, held)
	if after := again.look(); after != before {
		t.Errorf("after a restart:\n%s\nbefore:\n%s", after, before)
	}
	if replayed := again.post("/v1/customers", "name=once", "Idempotency-Key", "once"); replayed.header.Get("Idempotent-Replayed") != "true" {
		t.Error("the idempotency key is forgotten")
	}
	if shown := again.browse(http.MethodGet, strings.Replace(open, a.server.URL, again.server.URL, 1), nil); shown.StatusCode != http.StatusOK {
		t.Errorf("the hosted page answers %d after a restart", shown.StatusCode)
	}
	again.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":864000}`) // what was due before is due still
	hooks.next(t)
	if strings.Contains(again.get("/v1/payment_intents", "").raw, "requires_capture") {
		t.Error("the authorization did not expire after a restart")
	}
	again.idle()
	state := again.look()
	again.sandbox().Close()
	if last := kept(t, folder, key, held).look(); last != state {
		t.Errorf("another restart shows another world:\n%s\nbefore:\n%s", last, state)
	}
}

// waiting is the id of an intent that waits for its customer.
func (a *api) waiting() string {
	for _, item := range a.get("/v1/payment_intents", "limit=100").list("data") {
		if intent := item.(map[string]any); intent["status"] == "requires_action" {
			return intent["id"].(string)
		}
	}
	a.t.Fatal("no intent waits")
	return ""
}

// TestResetIsKept: a reset and a restore begin the file anew.
func TestResetIsKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	a.must("/v1/customers", "name=kept")
	a.steer(http.MethodPost, "/_sandbox/snapshots", `{"name":"one"}`)
	a.must("/v1/customers", "name=gone")
	a.steer(http.MethodPost, "/_sandbox/restore", `{"snapshot":"one"}`)
	a.must("/v1/customers", "name=new")
	a.sandbox().Close()
	again := kept(t, folder, key, held)
	if raw := again.get("/v1/customers", "").raw; !strings.Contains(raw, "kept") || !strings.Contains(raw, "new") || strings.Contains(raw, "gone") {
		t.Errorf("after a restart: %s", raw)
	}
	again.steer(http.MethodPost, "/_sandbox/reset", "")
	again.sandbox().Close()
	if raw := kept(t, folder, key, held).get("/v1/customers", "").raw; strings.Contains(raw, "cus_") {
		t.Errorf("after a reset and a restart: %s", raw)
	}
}

// TestTornJournal: what was cut short at the end is dropped; what is broken before it is refused, with its line.
func TestTornJournal(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	for i := range 3 {
		a.must("/v1/customers", fmt.Sprintf("name=number-%d-", i))
	}
	a.sandbox().Close()
	files, _ := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	text, err := os.ReadFile(files[0])
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], text[:len(text)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	again := kept(t, folder, key, held)
	if raw := again.get("/v1/customers", "").raw; !strings.Contains(raw, "number-1-") || strings.Contains(raw, "number-2-") {
		t.Errorf("after a torn line: %s", raw)
	}
	again.must("/v1/customers", "name=number-3-")
	again.sandbox().Close()
	last := kept(t, folder, key, held)
	if raw := last.get("/v1/customers", "").raw; !strings.Contains(raw, "number-1-") || !strings.Contains(raw, "number-3-") {
		t.Errorf("written to after a torn line: %s", raw)
	}
	last.sandbox().Close()
	if err := os.WriteFile(files[0], []byte(strings.Replace(string(text), `"records":[{`, `"records":[[`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sandbox.NewServer().Keep(folder); err == nil || !strings.Contains(err.Error(), "line ") || !strings.Contains(err.Error(), files[0]) {
		t.Errorf("a broken journal: %v", err)
	}
}

// TestEmptyJournal: a file in which not even the first line is whole is as none.
func TestEmptyJournal(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	account := a.get("/v1/account", "").text("id")
	a.sandbox().Close()
	files, _ := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err := os.WriteFile(files[0], []byte(`{"journal":`), 0o600); err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if again := kept(t, folder, key, held).get("/v1/account", "").text("id"); again != account {
		t.Errorf("the account is %s and was %s", again, account)
	}
}

func TestFolderIsForOne(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	a := kept(t, folder, newKey(t), clock.NewFake(start))
	if err := sandbox.NewServer().Keep(folder); err == nil || !strings.Contains(err.Error(), "in use by another sandbox") {
		t.Errorf("a second sandbox on the folder: %v", err)
	}
	a.sandbox().Close()
	second := sandbox.NewServer()
	if err := second.Keep(folder); err != nil {
		t.Errorf("once the first is closed: %v", err)
	}
	second.Close()
}

// TestDiskFull: what cannot be written is not acknowledged.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	a := kept(t, t.TempDir(), newKey(t), clock.NewFake(start))
	a.must("/v1/customers", "")
	sandbox.BreakJournal(a.sandbox(), a.key)
	if got := a.post("/v1/customers", ""); got.status != http.StatusInternalServerError || got.text("error.type") != "api_error" {
		t.Errorf("a customer that is not on disk: %d %s", got.status, got.raw)
	}
}

// killed is set for the process that TestKilled kills.
const killed = "TILL_SANDBOX_TEST_FOLDER"

// TestMain is the process that TestKilled kills, when it is one.
func TestMain(m *testing.M) {
	if folder := os.Getenv(killed); folder != "" {
		serveKilled(folder)
		return
	}
	os.Exit(m.Run())
}

func serveKilled(folder string) {
	s := sandbox.NewServer()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		err = s.Keep(folder)
	}
	if err == nil {
		fmt.Println(listener.Addr())
		limited, cancel := context.WithTimeout(context.Background(), time.Minute) // whatever becomes of the test
		defer cancel()
		err = s.Serve(limited, listener)
	}
	if err != nil {
		fmt.Println("failed:", err)
	}
}

// TestKilled: kill -9 in the midst of ten thousand writes, again and again, loses none that was acknowledged.
func TestKilled(t *testing.T) {
	t.Parallel()
	folder, key := t.TempDir(), newKey(t)
	written := &acknowledged{}
	const deaths, writes = 4, 12_000 // the last death is at seven eighths
	for death := range deaths {
		process, base := startKilled(t, folder)
		var callers sync.WaitGroup
		for caller := range 8 {
			callers.Go(func() {
				for n := 0; written.count() < writes*(death+1)/deaths && written.write(t, base, key, fmt.Sprintf("%d-%d-%d", death, caller, n)); n++ {
				}
			})
		}
		for written.count() < writes*(2*death+1)/(2*deaths) { // kill it half-way
			if t.Context().Err() != nil {
				t.Fatal("out of time")
			}
			written.wait()
		}
		if err := process.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = process.Wait() // it was killed
		callers.Wait()
	}
	process, base := startKilled(t, folder)
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	written.check(t, base, key)
}

func startKilled(t *testing.T, folder string) (*exec.Cmd, string) {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), killed+"="+folder)
	out, err := process.StdoutPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "failed") {
		t.Fatal(line, err)
	}
	return process, "http://" + strings.TrimSpace(line)
}

// acknowledged is what a sandbox has answered 200 to.
type acknowledged struct {
	mu    sync.Mutex
	names []string
	more  chan struct{}
}

func (w *acknowledged) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.names)
}

// wait returns when there is more, or soon.
func (w *acknowledged) wait() {
	w.mu.Lock()
	if w.more == nil {
		w.more = make(chan struct{})
	}
	more := w.more
	w.mu.Unlock()
	select {
	case <-more:
	case <-time.After(time.Second):
	}
}

func (w *acknowledged) write(t *testing.T, base, key, name string) bool {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/v1/customers", strings.NewReader("name="+name))
	if err != nil {
		t.Error(err)
		return false
	}
	r.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false // killed
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names = append(w.names, name)
	if w.more != nil {
		close(w.more)
		w.more = nil
	}
	return true
}

func (w *acknowledged) check(t *testing.T, base, key string) {
	t.Helper()
	there, after := map[string]bool{}, ""
	for {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/customers?limit=100"+after, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		page, err := readPage(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		for _, one := range page.Data {
			there[one.Name], after = true, "&starting_after="+one.ID
		}
		if !page.HasMore {
			break
		}
	}
	lost := 0
	for _, name := range w.names {
		if !there[name] {
			lost++
		}
	}
	t.Logf("%d acknowledged, %d there, %d lost", len(w.names), len(there), lost)
	if lost > 0 {
		t.Errorf("%d of %d acknowledged writes are lost", lost, len(w.names))
	}
}

type customerPage struct {
	Data []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"data"`
	HasMore bool `json:"has_more"`
}

func readPage(body io.Reader) (page customerPage, err error) {
	return page, json.NewDecoder(body).Decode(&page)
}
