package sandbox

import (
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// What objects of older versions of Stripe's API show unasked. Clients that were written for them read it, so it is there for them.

// Versions with which lists went out of objects, to be asked for by expand since (docs.stripe.com/upgrades).
const (
	withSources = "2020-08-27" // before it, customers show their sources, subscriptions and tax ids
	withCharges = "2022-11-15" // before it, charges show their refunds, and intents their charges
)

// showsMore says whether the request's version has lists in a record's object that later ones have not.
func (c *call) showsMore(r *record) bool {
	for _, until := range r.resource.Until {
		if c.before(until) {
			return true
		}
	}
	return false
}

// olderIntent is a PaymentIntent with its charges, a field that the shape of later versions lacks.
type olderIntent struct{ intent, charges *spec.Object }

// AppendJSON implements appender.
func (o olderIntent) AppendJSON(dst []byte) []byte {
	dst = o.intent.AppendJSON(dst)
	dst = append(dst[:len(dst)-1], `,"charges":`...)
	return append(o.charges.AppendJSON(dst), '}')
}

// shown is a record's object as the request's version and its expansion want it.
func (c *call) shown(r *record, e *expansion) appender {
	o := c.expanded(r, e)
	if r.resource.Object != "payment_intent" || !c.before(withCharges) {
		return o
	}
	return olderIntent{o, c.chargesOf(r.id, e.at("latest_charge"))}
}

// chargesOf are the latest charges of an intent.
func (c *call) chargesOf(intent string, e *expansion) *spec.Object {
	all := c.having("charge", "payment_intent", intent)
	data := []*spec.Object{}
	for i := len(all) - 1; i >= 0 && len(data) < defaultLimit; i-- {
		data = append(data, c.expanded(all[i], e))
	}
	list := spec.New("list").Set("url", "/v1/charges?payment_intent="+intent).Set("has_more", len(all) > len(data))
	return list.Set("data", data)
}

// newerPaths are the paths to be expanded by the names that the newest version has: what older ones expand in an intent's charges is
// in its latest charge.
func newerPaths(version string, op spec.Op, paths []string) []string {
	if dateOf(version) < "2015-02-18" {
		paths = renamedPaths(paths, "default_card", "default_source")
	}
	if dateOf(version) >= withCharges || !strings.HasPrefix(op.Path(), "/v1/payment_intents") {
		return paths
	}
	newer := make([]string, len(paths))
	for i, path := range paths {
		page, rest := "", path
		if below, listed := strings.CutPrefix(path, "data."); listed {
			page, rest = "data.", below
		}
		switch below, in := strings.CutPrefix(rest, "charges.data."); {
		case in:
			rest = "latest_charge." + below
		case rest == "charges" || rest == "charges.data":
			rest = "latest_charge"
		}
		newer[i] = page + rest
	}
	return newer
}

// renamedPaths are paths with another name for one of their fields.
func renamedPaths(paths []string, from, to string) []string {
	newer := make([]string, len(paths))
	for i, path := range paths {
		fields := strings.Split(path, ".")
		for n, name := range fields {
			if name == from {
				fields[n] = to
			}
		}
		newer[i] = strings.Join(fields, ".")
	}
	return newer
}

// onlyOlder says whether a path leads to a field that charges and intents have in older versions alone. There it is an object already,
// or null, but for the dispute of a charge: see chargeSource.
func onlyOlder(path string) bool {
	fields := strings.Split(path, ".")
	if len(fields) > maxExpandDepth {
		return false
	}
	for _, name := range fields {
		switch name {
		case "card", "destination", "dispute", "invoice", "order", "source":
			return true
		}
	}
	return false
}
