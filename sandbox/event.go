package sandbox

import (
	"encoding/json"
	"slices"
	"strings"
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
	Private: func() any { return new(announcement) },
	Compose: composeEvent,
	Due:     map[string]func(*call, *record, string){"deliver": deliverLater, "unpark": unpark},
}

// announcement is an event. Nothing of it is packed but what it is about, in bytes that it mostly shares with the record.
type announcement struct {
	Type     string          `json:"type"`
	Account  string          `json:"account,omitempty"` // whose it is, where that is not the world's own account
	Version  string          `json:"version"`
	About    snapshot        `json:"about"` // as it was
	Previous json.RawMessage `json:"previous,omitempty"`
	Lists    json.RawMessage `json:"lists,omitempty"`   // of the object, that older versions show unasked: see keepLists
	Request  string          `json:"request,omitempty"` // the id of the request that caused it
	Key      string          `json:"key,omitempty"`     // its Idempotency-Key
	Pending  int             `json:"pending,omitempty"` // endpoints that have not taken it
}

// text is a field of the event.
func (a *announcement) text(field string) string {
	if field == "type" {
		return a.Type
	}
	return ""
}

// composeEvent is the event as Stripe shows it: in the version that its account had when it happened.
func composeEvent(r *record) *spec.Object {
	return composeEventIn(r, r.hidden.(*announcement).Version)
}

// snapshot is a packed object. A journal has it by the names of its fields, with its shape.
type snapshot []byte

// MarshalJSON writes the shape and the fields that differ from those of a new object.
func (s snapshot) MarshalJSON() ([]byte, error) { return s.appendJSON(nil), nil }

func (s snapshot) appendJSON(dst []byte) []byte {
	dst = append(append(dst, `{"shape":"`...), spec.PackedShape(s)...)
	return append(spec.AppendSparse(append(dst, `","object":`...), s), '}')
}

// appendJSON implements selfWritten: there are many events.
func (a *announcement) appendJSON(dst []byte) []byte {
	rest := *a
	rest.About, rest.Previous = nil, nil
	text, _ := json.Marshal(&struct { // plain data
		*announcement
		About    *snapshot `json:"about,omitempty"`
		Previous *snapshot `json:"previous,omitempty"`
	}{announcement: &rest})
	dst = append(dst, text[:len(text)-1]...)
	if a.Previous != nil {
		dst = append(append(dst, `,"previous":`...), a.Previous...)
	}
	return append(a.About.appendJSON(append(dst, `,"about":`...)), '}')
}

// UnmarshalJSON reads what MarshalJSON has written.
func (s *snapshot) UnmarshalJSON(text []byte) error {
	var in struct {
		Shape  string          `json:"shape"`
		Object json.RawMessage `json:"object"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	packed, err := spec.ParseSparse(in.Shape, in.Object)
	*s = packed
	return err
}

func hasType(c *call, r *record) bool {
	return matchesType(c.params.String("type"), r.text("type"))
}

func hasOneType(c *call, r *record) bool {
	return slices.ContainsFunc(c.params.Strings("types"), func(pattern string) bool { return matchesType(pattern, r.text("type")) })
}

func hasBeenTaken(c *call, r *record) bool {
	return c.params.Bool("delivery_success") == (private[announcement](r).Pending == 0)
}

// emit announces what has happened to a record: the event is kept, and delivered to the endpoints that asked for its type.
func (c *call) emit(kind string, about *record) { c.emitWith(kind, about, nil) }

// emitUpdated announces a change with the old values of what has changed; without one, nothing is announced.
func (c *call) emitUpdated(kind string, about *record, before *spec.Object) {
	c.scratch = before.Pack(c.scratch[:0])
	c.emitChanged(kind, about, c.scratch)
}

// emitChanged is emitUpdated with a packed object.
func (c *call) emitChanged(kind string, about *record, before []byte) {
	if changed, any := spec.PackedPrevious(before, c.packedNow(about)); any {
		c.emitWith(kind, about, changed)
	}
}

func (c *call) emitWith(kind string, about *record, previous json.RawMessage) {
	c.refresh(about)
	both := &struct { // in one piece, because there are many
		record
		announcement
	}{record{realm: c.realm, resource: events, id: c.eventID(about), created: c.now().Unix()},
		announcement{Type: kind, Account: c.name(), Version: c.pinned(), About: c.packedNow(about), Previous: previous, Request: c.id, Key: c.key}}
	e := &both.record
	e.hidden = &both.announcement
	c.insert(e)
	c.dropOldEvents()
	c.keepLists(&both.announcement, about, c.post(e))
	c.emittedEvent()
}

// eventID makes the id of an event: events about payments share the beginning of the payment's id.
func (c *call) eventID(about *record) string {
	if strings.HasPrefix(about.id, "py") { // pyr_ is longer than the others
		if kin := about.object().String("payment_intent"); kin != "" {
			return c.newPaymentID("evt_", kin)
		}
		return c.newID("evt_")
	}
	switch about.resource.Object {
	case "payment_intent", "charge", "refund":
		return c.newPaymentID("evt_", "pi_"+about.id[3:]) // pi_, ch_ and re_ are of one length
	default:
		return c.newID("evt_")
	}
}

// dropOldEvents forgets what is older than Stripe keeps, and the oldest where there are too many.
func (w *realm) dropOldEvents() {
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
func (w *realm) own() *call { return &call{realm: w, version: spec.Version} }
