package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// loading says how a server is loaded: each connection sends its next request when its last is answered (a closed loop: a slow answer
// keeps its own connection waiting and nobody else), until the time is over or the number is sent, whichever is first. One of them may be 0.
type loading struct {
	connections int
	length      time.Duration
	count       int64
}

// maxLoading bounds what is told by number alone, and how long the last answers may take.
const (
	maxLoading = 5 * time.Minute
	lastAnswer = 30 * time.Second
)

// sample is what was measured in one loading.
type sample struct {
	took    []time.Duration // of each request, sorted
	elapsed time.Duration
	busy    time.Duration // the server's processor time for a request
}

func (s sample) perSecond() float64 { return float64(len(s.took)) / s.elapsed.Seconds() }

// half and tail are the latencies within which 50 and 99 of a hundred requests were answered.
func (s sample) half() time.Duration { return s.within(50) }
func (s sample) tail() time.Duration { return s.within(99) }

func (s sample) slowest() time.Duration { return s.within(100) }

// cost is the server's processor time for a request; 0 where the system does not say.
func (s sample) cost() time.Duration { return s.busy }

func (s sample) within(percent int) time.Duration {
	return s.took[min(len(s.took)-1, len(s.took)*percent/100)]
}

// load sends one request over and over. An answer that is no success ends it.
func load(ctx context.Context, addr string, r *request, l loading) (sample, error) {
	if l.length == 0 {
		l.length = maxLoading
	}
	if l.count == 0 {
		l.count = 1 << 60
	}
	d := &drive{ctx: ctx, addr: addr, request: r, began: time.Now(), length: l.length}
	d.left.Store(l.count)
	err := d.run(l.connections)
	s := sample{elapsed: time.Since(d.began), took: slices.Concat(d.took...)}
	slices.Sort(s.took)
	if err == nil && len(s.took) == 0 {
		err = errors.New("no request was answered")
	}
	return s, err
}

// drive is one loading under way.
type drive struct {
	ctx     context.Context
	addr    string
	request *request
	began   time.Time
	length  time.Duration
	left    atomic.Int64

	mu   sync.Mutex
	took [][]time.Duration
}

// more says whether another request is to be sent now.
func (d *drive) more(now time.Time) bool { return now.Sub(d.began) < d.length && d.left.Add(-1) >= 0 }

// add takes over what one sender has measured.
func (d *drive) add(took []time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.took = append(d.took, took)
}

// Fill's connections, and how many requests each sends before it reads their answers: to fill a world is no measurement.
const (
	fillers  = 4
	fillDeep = 32
)

// fill sends a numbered request so often, as fast as it goes.
func fill(ctx context.Context, addr string, r *request, count int64) error {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(count)
	errs := make([]error, fillers)
	for i := range fillers {
		wg.Go(func() {
			w, err := dial(addr, time.Now().Add(maxLoading))
			if err != nil {
				errs[i] = err
				return
			}
			defer w.Close()
			defer context.AfterFunc(ctx, func() { w.Close() })()
			for errs[i] == nil {
				n := left.Add(-fillDeep) + fillDeep
				if n <= 0 {
					return
				}
				errs[i] = w.batch(r, int(min(n, fillDeep)))
			}
		})
	}
	wg.Wait()
	return cmp.Or(errs...)
}

// batch sends n requests at once, then reads their answers.
func (w *wire) batch(r *request, n int) error {
	one := r.own()
	var all []byte
	for range n {
		r.number(one)
		all = append(all, one...)
	}
	if _, err := w.Write(all); err != nil {
		return err
	}
	for range n {
		if _, err := w.next(); err != nil {
			return err
		}
	}
	return nil
}
