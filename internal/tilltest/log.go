package tilltest

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// Log keeps what a till logs, for tests that look into it and for those that fail.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String is all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// patience is how long a test waits for what should happen at once: the machine may be slow, and the race detector makes it slower.
const patience = time.Minute

// Until returns when holds does: for what happens in the background and tells nobody. It ends the test after a minute.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	late := time.After(patience)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("waited a minute for: %s", what)
		}
	}
}
