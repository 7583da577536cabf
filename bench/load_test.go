package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counting is a server that answers with a body of so many bytes and counts.
func counting(t *testing.T, bytes int) (addr string, answered *atomic.Int64) {
	answered = new(atomic.Int64)
	body := strings.Repeat("x", bytes)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answered.Add(1)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), answered
}

func TestLoadSendsWhatItCounts(t *testing.T) {
	t.Parallel()
	for _, l := range []loading{{connections: 1, count: 1}, {connections: 1, count: 7}, {connections: 5, count: 500}, {connections: 3, length: 20 * time.Millisecond}} {
		for _, size := range []int{0, 10, 5000, 300_000} {
			addr, answered := counting(t, size)
			got, err := load(t.Context(), addr, get(addr, "/"), l)
			if err != nil || int64(len(got.took)) != answered.Load() || l.count > 0 && answered.Load() != l.count {
				t.Errorf("%+v, %d bytes: %v; %d measured, %d answered", l, size, err, len(got.took), answered.Load())
			}
		}
	}
}

func TestLoadNumbersEachRequestOnce(t *testing.T) {
	t.Parallel()
	var seen sync.Map
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); len(body) != len(numbered) {
			w.WriteHeader(http.StatusBadRequest)
		} else if _, twice := seen.LoadOrStore(string(body), true); twice {
			w.WriteHeader(http.StatusConflict)
		}
	}))
	defer s.Close()
	addr := strings.TrimPrefix(s.URL, "http://")
	one := post(addr, "/", numbered)
	if _, err := load(t.Context(), addr, one, loading{connections: 4, count: 100}); err != nil {
		t.Error(err)
	}
	if err := fill(t.Context(), addr, one, 333); err != nil {
		t.Error(err)
	}
	if _, ok := seen.Load("0000000433"); !ok {
		t.Error("the last of 433 requests was not sent")
	}
}

func TestLoadEndsWithTheFirstRefusal(t *testing.T) {
	t.Parallel()
	var answered atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answered.Add(1) == 3 {
			http.Error(w, "no more", http.StatusTeapot)
		}
	}))
	defer s.Close()
	addr := strings.TrimPrefix(s.URL, "http://")
	if _, err := load(t.Context(), addr, get(addr, "/"), loading{connections: 1, count: 10}); err == nil || !strings.Contains(err.Error(), "418: no more") {
		t.Errorf("the error is %v", err)
	}
	if n := answered.Load(); n != 3 {
		t.Errorf("%d requests were sent, and the third was refused", n)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-release
	}))
	defer s.Close()
	defer close(release)
	addr := strings.TrimPrefix(s.URL, "http://")
	if _, err := load(ctx, addr, get(addr, "/"), loading{connections: 2, count: 10}); err == nil {
		t.Error("it did not end")
	}
}

func TestAskReadsALongAnswer(t *testing.T) {
	t.Parallel()
	addr, _ := counting(t, 1_000_000)
	body, err := ask(addr, get(addr, "/"))
	if err != nil || len(body) != 1_000_000 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}
