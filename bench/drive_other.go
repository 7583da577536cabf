//go:build !linux

package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// run lets every connection send from a goroutine of its own. This costs the machine more than what is done on Linux.
func (d *drive) run(connections int) error {
	var wg sync.WaitGroup
	errs := make([]error, connections)
	for i := range connections {
		w, err := dial(d.addr, d.began.Add(d.length+lastAnswer))
		if err != nil {
			errs[i] = err
			break
		}
		defer w.Close()
		defer context.AfterFunc(d.ctx, func() { w.Close() })()
		wg.Go(func() { errs[i] = d.send(w) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// send sends over one connection.
func (d *drive) send(w *wire) error {
	var took []time.Duration
	defer func() { d.add(took) }()
	one := d.request.own()
	for last := time.Now(); d.more(last); {
		d.request.number(one)
		if _, err := w.Write(one); err != nil {
			return err
		}
		if _, err := w.next(); err != nil {
			return err
		}
		now := time.Now()
		took = append(took, now.Sub(last))
		last = now
	}
	return nil
}
