package proof

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// trial is one run of the matrix: a world in which one thing goes wrong. It is what the world takes for a test.
type trial struct {
	ctx    context.Context
	folder string

	mu       sync.Mutex
	failures []Failure
	log      []string
	cleanups []func()
	folders  int
	all      bool // what it leaves is kept, whatever it finds
	missed   bool // the process did not come to the point at which it was to die
}

// Failure is something that must not be.
type Failure struct {
	Verdict string `json:"verdict"` // doubled, lost, stuck, or broken where the proof itself did not work
	What    string `json:"what"`
}

// patience is how long a trial may take: what is not over by then is stuck. A dead node's deliveries are taken up after 25 s, an event that
// it held after a minute, and the machine may be busy.
const patience = 4 * time.Minute

// try runs a trial to its end. Its folder is kept where it fails.
func try(ctx context.Context, within time.Duration, folder string, do func(*trial)) *trial {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	t := &trial{ctx: ctx, folder: folder}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.found(broken, "%v", err)
		return t
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer t.clean()
		defer func() {
			if p := recover(); p != nil {
				t.found(broken, "panic: %v\n%s", p, debug.Stack())
			}
		}()
		do(t)
	}()
	<-ended
	return t
}

func (t *trial) clean() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		ended := make(chan struct{})
		go func() { // one that ends its goroutine does not keep the others from running
			defer close(ended)
			t.cleanups[i]()
		}()
		<-ended
	}
}

// keep writes down what a trial has found, or removes its folder.
func (t *trial) keep(again string) {
	if !t.Failed() && !t.all {
		_ = os.RemoveAll(t.folder)
		return
	}
	text := "Again: " + again + "\n\n"
	for _, f := range t.failures {
		text += f.Verdict + ": " + f.What + "\n"
	}
	for _, l := range t.log {
		text += "\n" + l + "\n"
	}
	_ = os.WriteFile(filepath.Join(t.folder, "report.txt"), []byte(text), 0o600)
}

// found notes what must not be, and goes on.
func (t *trial) found(verdict, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 20
	if len(t.failures) < most {
		t.failures = append(t.failures, Failure{verdict, fmt.Sprintf(format, args...)})
	}
}

// end ends the goroutine that found something beyond which there is no going on.
func (t *trial) end() { runtime.Goexit() }

// pause waits, and says whether there is time left.
func (t *trial) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.ctx.Done():
		return false
	}
}

// Helper implements T.
func (t *trial) Helper() {}

// Context implements T.
func (t *trial) Context() context.Context { return t.ctx }

// Cleanup implements T.
func (t *trial) Cleanup(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, do)
}

// TempDir implements T.
func (t *trial) TempDir() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.folders++
	dir := filepath.Join(t.folder, fmt.Sprint(t.folders))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(err)
	}
	return dir
}

// Logf implements T.
func (t *trial) Logf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log = append(t.log, fmt.Sprintf(format, args...))
}

// Errorf implements T.
func (t *trial) Errorf(format string, args ...any) { t.found(broken, format, args...) }

// Fatalf implements T.
func (t *trial) Fatalf(format string, args ...any) {
	t.found(broken, format, args...)
	t.end()
}

// Failed implements T.
func (t *trial) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.failures) > 0
}
