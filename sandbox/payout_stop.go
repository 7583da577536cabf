package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// payoutStop is why Stripe does not pay out the world's own account, which takes payments all the same. What a connected account lacks is
// in its dossier; this one has none, and is stopped by the control API.
type payoutStop struct {
	Reason string   // as requirements[disabled_reason] says it
	Fields []string // what is asked for, or looked into
}

// stopReasons are those by which the control API stops payouts, in Stripe's words.
var stopReasons = []string{"requirements.past_due", "requirements.pending_verification", "under_review", "rejected.fraud", "rejected.other", "other"}

// defaultDemand is asked for where the control API names nothing.
const defaultDemand = "company.verification.document"

// readStop reads whether payouts are on. What is due, or looked into, has a name.
func readStop(next *standing, in accountView) error {
	switch {
	case in.Payouts == "" && len(in.Asked) > 0:
		return badControl("requirements go with payouts.")
	case in.Payouts == "":
		return nil
	case in.Payouts == "enabled" && len(in.Asked) == 0:
		next.Stop = nil
		return nil
	case !slices.Contains(stopReasons, in.Payouts):
		return badControl("payouts is enabled, without requirements, or one of " + strings.Join(stopReasons, ", ") + ".")
	case len(in.Asked) > maxDemands || slices.ContainsFunc(in.Asked, func(f string) bool { return f == "" || len(f) > 200 || strings.ContainsAny(f, " []") }):
		return badControl("requirements are at most 100 fields, such as " + defaultDemand + ".")
	}
	next.Stop = &payoutStop{Reason: in.Payouts, Fields: in.Asked}
	if len(in.Asked) == 0 && strings.HasPrefix(in.Payouts, "requirements.") {
		next.Stop.Fields = []string{defaultDemand}
	}
	return nil
}

// describe writes into the account's object that it is not paid out.
func (s *payoutStop) describe(o *spec.Object) {
	o.Set("payouts_enabled", false)
	needs := o.Sub("requirements").Set("disabled_reason", s.Reason)
	lists := past.lists()
	if s.Reason == "requirements.pending_verification" {
		lists = pending.lists()
	}
	for _, list := range lists {
		needs.Set(list, anyTexts(s.Fields))
	}
}

func anyTexts(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}
