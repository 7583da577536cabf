package sandbox

import (
	"slices"
	"strings"
)

// The statuses of capabilities, and what an account may do.
const (
	active      = "active"
	inactive    = "inactive"
	inPending   = "pending"
	unrequested = "unrequested"
)

// classOf is what a capability lets an account do. Those that are neither of these need no more than the account as a whole.
func classOf(capability string) class {
	switch {
	case capability == "transfers":
		return takesTransfers
	case strings.HasSuffix(capability, "_payments"):
		return takesPayments
	default:
		return takesPayments | takesTransfers
	}
}

// statusOf is the status of a capability that is requested.
func (f *particulars) statusOf(name string, v *verdict) string {
	of := classOf(name)
	switch {
	case f.Rejected != "" || f.listed() || f.Review:
		return inactive
	case of&takesPayments != 0 && v.paused:
		return inactive
	case v.lacks(of):
		return inactive
	case f.Has[name] != active && v.waits(of):
		return inPending
	default:
		return active
	}
}

// lacks says whether something is past due without which a class of things is not done; waits whether something of it is looked into.
func (v *verdict) lacks(of class) bool {
	return slices.ContainsFunc(v.dues, func(d owed) bool { return d.stage == past && d.does&of != 0 })
}

func (v *verdict) waits(of class) bool {
	return slices.ContainsFunc(v.dues, func(d owed) bool { return d.stage == pending && d.does&of != 0 })
}

// listed says whether somebody of the account is on a list of sanctions.
func (f *particulars) listed() bool {
	for _, one := range f.Checks {
		if one.Done && one.Found.Listed {
			return true
		}
	}
	return false
}

// flags are charges_enabled and payouts_enabled. Anything that is past due stops payouts, and what stops payouts alone leaves charges on. An account that
// has asked for transfers alone counts as enabled for charges (recorded, 2024 to 2026).
func (f *particulars) flags(v *verdict) (charges, payouts bool) {
	some, payments := false, false
	for _, name := range f.Wants {
		is := v.statuses[name] == active
		some = some || is
		if classOf(name) == takesPayments {
			payments = true
			charges = charges || is
		}
	}
	if !payments {
		charges = some
	}
	return charges, some && !v.lacks(everything) && (f.wasPaidOut() || !v.waits(everything))
}

// wasPaidOut says whether the account could be paid out before: what is looked into then does not stop it.
func (f *particulars) wasPaidOut() bool {
	for _, name := range f.Wants {
		if f.Has[name] == active && classOf(name)&takesPayments != 0 {
			return true
		}
	}
	return false
}

// detailed says whether the account has submitted its details: through Stripe's form, or, where the platform asks, by the agreement and
// the name of whoever it is.
func (f *particulars) detailed(v *verdict) bool {
	if f.Hosted {
		return f.Submitted
	}
	named := f.Said["company.name"] != ""
	if entity(f.Kind) == "individual" {
		named = len(f.Persons) > 0 && f.Persons[0].Said["first_name"] != ""
	}
	return f.Kind != "" && named && f.Said["tos_acceptance.date"] != ""
}

// disabled is why the account may not do all that it has asked for.
func (f *particulars) disabled(v *verdict) string {
	switch {
	case f.Rejected != "":
		return "rejected." + f.Rejected
	case f.listed():
		return "listed"
	case f.Review:
		return "under_review"
	case v.lacks(everything):
		return "requirements.past_due"
	case v.charges && v.payouts:
		return ""
	case len(f.Wants) == 0:
		return "action_required.requested_capabilities"
	case v.waits(everything):
		return "requirements.pending_verification"
	default:
		return ""
	}
}

// next is the nearest time at which something that is looked into is found, or a deadline passes.
func (f *particulars) next(v *verdict) (at int64) {
	sooner := func(t int64) {
		if t > f.Now && (at == 0 || t < at) {
			at = t
		}
	}
	for _, one := range f.Checks {
		if !one.Done {
			sooner(one.Due)
		}
	}
	for _, d := range v.dues {
		sooner(d.until)
	}
	return at
}

// deadline is that of the account: the nearest of what is due and has one.
func deadline(dues []owed) (at int64) {
	for _, d := range dues {
		if d.stage == currently && d.until > 0 && (at == 0 || d.until < at) {
			at = d.until
		}
	}
	return at
}

// whyInactive is the reason that a capability gives.
func (f *particulars) whyInactive(name string, v *verdict) string {
	switch {
	case v.statuses[name] != inactive:
		return ""
	case f.Rejected != "":
		return "rejected.other"
	case f.Review || f.listed():
		return "pending.review"
	case classOf(name)&takesPayments != 0 && v.paused:
		return "paused.inactivity"
	default:
		return "requirements.fields_needed"
	}
}
