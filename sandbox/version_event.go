package sandbox

import (
	"encoding/json"

	"github.com/till-pay/till/sandbox/spec"
)

// composeEventIn is an event as it is in a version of the API, but for what version the reader has: what it is about, with the values
// from before, is as an object of that version is.
func composeEventIn(r *record, version string) *spec.Object {
	a := r.hidden.(*announcement)
	data := spec.New("notification_event_data")
	older := changesSince(version)
	kind := a.Type
	if len(older) > 0 {
		about, previous := r.olderData(version, older)
		data.Set("object", about)
		if previous != nil {
			data.Set("previous_attributes", previous)
		}
		kind = olderType(older, kind)
	} else {
		data.SetPacked("object", a.About)
		if a.Previous != nil {
			data.Set("previous_attributes", a.Previous)
		}
	}
	origin := spec.New("notification_event_request")
	if a.Request != "" {
		origin.Set("id", a.Request)
	}
	if a.Key != "" {
		origin.Set("idempotency_key", a.Key)
	}
	o := spec.New("event").Set("id", r.id).Set("created", r.created).Set("api_version", version).Set("data", data)
	if a.Account != "" {
		o.Set("account", a.Account)
	}
	return o.Set("pending_webhooks", a.Pending).Set("request", origin).Set("type", kind)
}

// olderData is what an event is about, and of that what was otherwise before, in an older version. What was otherwise before is found
// by comparing the two states in that version, for there other fields may differ.
func (r *record) olderData(version string, older []*change) (about, previous json.RawMessage) {
	a := r.hidden.(*announcement)
	is := parseTree(spec.AppendPackedJSON(nil, a.About))
	if a.Lists != nil {
		until, lists := kinds[spec.PackedShape(a.About)].Until, parseTree(a.Lists)
		for i, name := range lists.names {
			if dateOf(version) < until[name] {
				is.set(name, lists.values[i])
			}
		}
	}
	v := view{call: r.realm.own(), older: older}
	if a.Previous == nil {
		v.walk(is)
		return is.AppendJSON(nil), nil
	}
	was := is.clone()
	was.restore(parseTree(a.Previous))
	if refunds := was.get("refunds").elements(); a.Type == "charge.refunded" && len(refunds) > 0 { // the latest is what has happened
		was.get("refunds").set("data", &tree{kind: '[', values: refunds[1:]})
	}
	v.walk(was)
	v.walk(is)
	changed := is.previous(was, older[len(older)-1].Version <= wholeLists)
	if changed == nil {
		changed = &tree{kind: '{'}
	}
	return is.AppendJSON(nil), changed.AppendJSON(nil)
}

// wholeLists is the version since which previous_attributes have lists as a whole.
const wholeLists = "2017-05-25"

// restore puts the old values of an event into the new state.
func (t *tree) restore(old *tree) {
	for i, name := range old.names {
		was, is := old.values[i], t.get(name)
		if is != nil && is.kind == '{' && was.kind == '{' && !was.has("id") && !was.has("object") {
			is.restore(was)
			continue
		}
		t.set(name, was)
	}
}

// previous are the fields of an older state that are otherwise now, with what they were; nil where there are none. Of nested objects it
// is the fields that differ, and of lists all, or before 2017-05-25 those elements that differ.
func (t *tree) previous(was *tree, whole bool) *tree {
	changed := &tree{kind: '{'}
	for i, name := range was.names {
		old, now := was.values[i], t.get(name)
		switch {
		case old.equal(now) || now == nil && old.text == "null":
		case now != nil && old.kind == '{' && now.kind == '{' && old.string("id") == now.string("id") && old.string("object") == now.string("object"):
			if within := now.previous(old, whole); within != nil {
				changed.set(name, within)
			}
		case now != nil && old.kind == '[' && now.kind == '[' && !whole:
			changed.set(name, old.without(now))
		default:
			changed.set(name, old)
		}
	}
	for _, name := range t.names {
		if !was.has(name) {
			changed.set(name, null())
		}
	}
	if len(changed.names) == 0 {
		return nil
	}
	return changed
}

// without are the elements of a list that another has not in the same place.
func (t *tree) without(other *tree) *tree {
	rest := &tree{kind: '['}
	for i, value := range t.values {
		if i >= len(other.values) || !value.equal(other.values[i]) {
			rest.values = append(rest.values, value)
		}
	}
	return rest
}

// eventBody is an event as it is delivered to an endpoint, in the endpoint's version.
func eventBody(event, endpoint *record, pending int) []byte {
	version := endpoint.text("api_version")
	if version == "" {
		version = event.hidden.(*announcement).Version
	}
	o := composeEventIn(event, version).Set("pending_webhooks", pending)
	if older := changesSince(version); len(older) > 0 {
		c := event.realm.own()
		c.version, c.older = version, older
		return olderReply{c, o}.AppendJSON(nil)
	}
	return o.AppendJSON(nil)
}

// keepLists keeps with an event the lists that its object has in older versions, as they are now, if it is to be shown in one of them.
func (c *call) keepLists(a *announcement, about *record, version string) {
	if len(about.resource.Until) == 0 || len(changesSince(version)) == 0 {
		return
	}
	at := *c
	at.version, at.expand = version, nil
	if !at.showsMore(about) {
		return
	}
	shown := parseTree(at.shown(about, nil).AppendJSON(nil))
	lists := &tree{kind: '{'}
	for name := range about.resource.Until {
		if list := shown.get(name); list != nil {
			lists.set(name, list)
		}
	}
	a.Lists = lists.AppendJSON(nil)
}
