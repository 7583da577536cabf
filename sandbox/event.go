package sandbox

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Events are kept for thirty days, as at Stripe, and no more than so many of them.
const (
	eventLife = 30 * 24 * time.Hour
	maxEvents = 100_000
)

var events = &resource{
	Object:  "event",
	Path:    "/v1/events",
	Prefix:  "evt_",
	Matches: map[string]func(*call, *record) bool{"type": hasType, "types": hasOneType, "delivery_success": hasBeenTaken},
	Index:   []string{"type"},
	Due:     map[string]func(*call, *record, string){"deliver": deliverLater, "unpark": unpark},
}

func hasType(c *call, r *record) bool {
	return matchesType(c.params.String("type"), r.object().String("type"))
}

func hasOneType(c *call, r *record) bool {
	return slices.ContainsFunc(c.params.Strings("types"), func(pattern string) bool { return matchesType(pattern, r.object().String("type")) })
}

func hasBeenTaken(c *call, r *record) bool {
	return c.params.Bool("delivery_success") == (r.object().Int("pending_webhooks") == 0)
}

// emit announces what has happened to a record: the event is kept, and delivered to the endpoints that asked for its type.
func (c *call) emit(kind string, about *record) { c.emitWith(kind, about, nil) }

// emitUpdated announces a change with the old values of what has changed; without one, nothing is announced.
func (c *call) emitUpdated(kind string, about *record, before *spec.Object) {
	if changed := previous(before, about.object()); changed != nil {
		c.emitWith(kind, about, changed)
	}
}

func (c *call) emitWith(kind string, about *record, previous json.RawMessage) {
	c.refresh(about)
	data := spec.New("notification_event_data").Set("object", json.RawMessage(c.render(about.object())))
	if previous != nil {
		data.Set("previous_attributes", previous)
	}
	origin := spec.New("notification_event_request")
	if c.id != "" {
		origin.Set("id", c.id)
	}
	if c.key != "" {
		origin.Set("idempotency_key", c.key)
	}
	e := c.record("event", c.eventID(about))
	e.object().Set("api_version", spec.Version).Set("data", data).Set("request", origin).Set("type", kind)
	c.insert(e)
	c.dropOldEvents()
	c.post(e)
	c.emittedEvent()
}

// eventID makes the id of an event: events about payments share the beginning of the payment's id.
func (c *call) eventID(about *record) string {
	switch about.resource.Object {
	case "payment_intent", "charge", "refund":
		return c.newPaymentID("evt_", "pi_"+about.id[3:]) // pi_, ch_ and re_ are of one length
	default:
		return c.newID("evt_")
	}
}

// dropOldEvents forgets what is older than Stripe keeps, and the oldest where there are too many.
func (w *world) dropOldEvents() {
	all, dropped := w.all("event"), 0
	since := w.now().Add(-eventLife).Unix()
	for dropped < len(all) && (len(all)-dropped > maxEvents || all[dropped].created < since) {
		dropped++
	}
	if dropped > 0 {
		w.forget("event", dropped)
	}
}

// own is a call of the sandbox's own, for what happens without a request: events it causes name none.
func (w *world) own() *call { return &call{world: w, version: spec.Version} }

// previous is the old values of what differs between two states of an object, as JSON; nil when nothing does.
func previous(before, after *spec.Object) json.RawMessage {
	old, now := before.AppendJSON(nil), after.AppendJSON(nil)
	if bytes.Equal(old, now) {
		return nil
	}
	changed := differing(decoded(old), decoded(now))
	raw, err := json.Marshal(changed)
	if err != nil || len(changed) == 0 {
		return nil
	}
	return raw
}

func decoded(raw []byte) (m map[string]any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	_ = d.Decode(&m) // what an Object renders is always JSON
	return m
}

// differing holds the old values of changed keys: of objects in part, of lists as a whole.
func differing(old, now map[string]any) map[string]any {
	changed := map[string]any{}
	for key, was := range old {
		is := now[key]
		wasObject, one := was.(map[string]any)
		isObject, two := is.(map[string]any)
		if one && two {
			if inner := differing(wasObject, isObject); len(inner) > 0 {
				changed[key] = inner
			}
			continue
		}
		if !equalJSON(was, is) {
			changed[key] = was
		}
	}
	for key := range now {
		if _, had := old[key]; !had {
			changed[key] = nil
		}
	}
	return changed
}

func equalJSON(a, b any) bool {
	x, _ := json.Marshal(a) // both come from JSON
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}
