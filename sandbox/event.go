package sandbox

import (
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
	c.refresh(about)
	if changed, any := spec.PackedPrevious(before.Pack(nil), about.object().Pack(nil)); any {
		c.emitWith(kind, about, changed)
	}
}

func (c *call) emitWith(kind string, about *record, previous json.RawMessage) {
	c.refresh(about)
	data := spec.New("notification_event_data").SetPacked("object", about.object().Pack(nil))
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
