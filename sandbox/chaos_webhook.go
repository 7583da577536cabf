package sandbox

import (
	"encoding/json"
	"slices"
	"time"
)

// dispatch sends a delivery on its way, or on another way where a fault says so. What goes wrong is decided here, in the step that
// causes the delivery, so that it does not depend on how quickly earlier ones were taken.
func (w *world) dispatch(d delivery, event *record) {
	f := w.mishap(d, event)
	if f == nil {
		w.enqueue(d)
		return
	}
	switch d.Spared = true; f.Kind {
	case lost:
		w.attempts.add(attempted{At: w.now(), Event: d.Event, Type: event.text("type"), Endpoint: d.Endpoint, Fault: lost})
		w.reached(event)
	case doubled:
		w.enqueue(d)
		w.enqueue(d)
	case delayed:
		w.enqueueIn(time.Duration(f.Seconds)*time.Second, d)
	case reordered:
		w.park(d, f)
	case corrupted:
		d.Corrupt = true
		w.enqueue(d)
	}
}

// mishap is the fault whose turn it is with a delivery, if any.
func (w *world) mishap(d delivery, event *record) *fault {
	if d.Spared || len(w.faults) == 0 {
		return nil
	}
	kind := event.text("type")
	met, _, _ := w.meets(true, func(f *fault) bool {
		return (f.Event == "" || matchesType(f.Event, kind)) && (f.Endpoint == "" || f.Endpoint == d.Endpoint)
	})
	return met
}

// parked is a delivery that waits until others of its endpoint have gone first.
type parked struct {
	Delivery delivery
	Behind   int // how many are still to go
}

// park sets a delivery aside. Where too few others come, it goes when its time is over.
func (w *world) park(d delivery, f *fault) {
	box := w.mailbox(d.Endpoint)
	if len(box.parked) >= maxQueue {
		w.dropped++
		return
	}
	w.number(&d)
	if w.journal != nil {
		w.journal.line.Mail = append(w.journal.line.Mail, d)
	}
	box.parked = append(box.parked, parked{d, f.Behind})
	w.later++
	detail, _ := json.Marshal(d) // plain text and numbers
	w.home.in(time.Duration(f.Seconds)*time.Second, "event.unpark", nil, string(detail))
}

// overtaken counts a delivery that goes before those that are parked, and lets go of those that have waited for the last of theirs.
func (w *world) overtaken(box *mailbox) {
	free := make([]delivery, 0, 1)
	box.parked = slices.DeleteFunc(box.parked, func(p parked) bool {
		if p.Behind == 1 {
			free = append(free, p.Delivery)
		}
		return p.Behind == 1
	})
	for i := range box.parked {
		box.parked[i].Behind--
	}
	for _, d := range free {
		w.later--
		w.push(box, d)
	}
}

// unpark lets go of a parked delivery whose time is over; it may have gone before.
func unpark(c *call, _ *record, detail string) {
	var d delivery
	if json.Unmarshal([]byte(detail), &d) != nil {
		return
	}
	box := c.mailbox(d.Endpoint)
	i := slices.IndexFunc(box.parked, func(p parked) bool { return p.Delivery == d })
	if i < 0 {
		return
	}
	box.parked = slices.Delete(box.parked, i, i+1)
	c.later--
	c.push(box, d)
}
