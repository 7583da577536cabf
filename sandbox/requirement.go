package sandbox

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// What an account has to say, and what it may do, is a function of what is known of it: particulars.reckon. Nothing here touches the world.

// particulars is what is known of an account.
type particulars struct {
	Country   string
	Kind      string            // business type, empty where it is not known
	Recipient bool              // the recipient's service agreement
	Hosted    bool              // Stripe asks the account itself, and not the platform
	Submitted bool              // the account has been through Stripe's form
	Ready     bool              // the account was Stripe's before it was connected: it has said all that there is to say
	Said      map[string]string // what was said, by the name of the field
	Persons   []personFacts     // in order of making
	Wants     []string          // the capabilities that are requested, in order of name
	Has       map[string]string // the status of those that there were before
	Checks    map[string]check  // what was looked into
	Asked     []demand          // what Stripe's staff has asked for, or a threshold
	Rejected  string            // fraud, listed, other, terms_of_service
	Review    bool              // Stripe's staff is looking into it
	Reached   bool              // the account has reached the next threshold
	Deadline  int64             // of what that has made due
	Now       int64
}

// personFacts is what is known of a person.
type personFacts struct {
	ID    string
	Roles []string // representative, owner, director, executive
	Said  map[string]string
}

// check is something that is being looked into, or was.
type check struct {
	Of    string // what was said
	Done  bool
	Found finding // where it is done
	Due   int64   // when it will be
}

// demand is a field that is asked for beside what all accounts have to say, until it is given anew.
type demand struct {
	Field  string
	Code   string `json:",omitempty"` // of an error that says why
	Reason string `json:",omitempty"`
	Until  int64  `json:",omitempty"` // a deadline; 0 is at once
	Does   class  // what the account cannot do once that has passed
}

// owed is a field in the requirements of an account.
type owed struct {
	field   string
	stage   stage
	until   int64
	does    class
	code    string
	reason  string
	instead string
}

// stage is how much is made of a due field.
type stage uint8

const (
	eventually stage = iota
	pending
	currently
	past
)

// verdict is what an account has to say, and may do.
type verdict struct {
	dues      []owed            // in order of field, each field once
	statuses  map[string]string // of the capabilities that are requested
	charges   bool
	payouts   bool
	submitted bool
	disabled  string // the reason, empty for none
	paused    bool   // its methods of payment are, for inactivity
	next      int64  // when time alone will change this; 0 is never
}

// reckon is the function.
func (f *particulars) reckon() *verdict {
	v := &verdict{statuses: map[string]string{}}
	all := append(f.missing(), f.found()...)
	for _, d := range f.Asked {
		all = append(all, owed{field: d.Field, stage: f.stageOf(d.Until), until: d.Until, does: d.Does, code: d.Code, reason: d.Reason})
	}
	v.dues = settled(all)
	for _, one := range f.Checks {
		v.paused = v.paused || one.Done && one.Found.Paused
	}
	for _, name := range f.Wants {
		v.statuses[name] = f.statusOf(name, v)
	}
	v.charges, v.payouts = f.flags(v)
	v.submitted = f.detailed(v)
	v.disabled = f.disabled(v)
	v.next = f.next(v)
	return v
}

// stageOf is the stage of a field with a deadline.
func (f *particulars) stageOf(until int64) stage {
	if until > f.Now {
		return currently
	}
	return past
}

// settled is each field once, as what weighs most, in order of name.
func settled(all []owed) []owed {
	by := map[string]owed{}
	for _, d := range all {
		was, there := by[d.field]
		switch {
		case !there || d.stage > was.stage:
			d.does |= was.does
			by[d.field] = d
		default:
			was.does |= d.does
			by[d.field] = was
		}
	}
	kept := slices.Collect(maps.Values(by))
	slices.SortFunc(kept, func(a, b owed) int { return cmp.Compare(a.field, b.field) })
	return kept
}

// missing is what all accounts have to say and this one has not said.
func (f *particulars) missing() (all []owed) {
	if f.Ready {
		return nil
	}
	for i := range needs {
		n := &needs[i]
		if !n.concerns(f.Country, f.Kind, f.Recipient) || n.instead != "" && f.Said[n.instead] != "" {
			continue
		}
		d := owed{stage: past, does: n.does, instead: n.instead}
		if n.later {
			d.stage = eventually
			if f.Reached {
				d.stage, d.until = f.stageOf(f.Deadline), f.Deadline
			}
		}
		for _, field := range strings.Fields(n.fields) {
			all = append(all, f.lacking(field, d)...)
		}
	}
	return all
}

// lacking is a field as the account, or those of its persons who have the role, lack it.
func (f *particulars) lacking(field string, d owed) (all []owed) {
	role, of, _ := strings.Cut(field, ".")
	add := func(name string) {
		one := d
		one.field = name
		all = append(all, one)
	}
	switch role {
	case "representative", "owners", "directors", "executives":
	default:
		if f.Said[field] == "" && (field != "company.owners_provided" || !f.owned()) {
			add(field)
		}
		return all
	}
	role = strings.TrimSuffix(role, "s")
	if entity(f.Kind) == "individual" && role == "representative" {
		if len(f.Persons) == 0 || f.Persons[0].Said[of] == "" {
			add("individual." + of)
		}
		return all
	}
	someone := false
	for i := range f.Persons {
		p := &f.Persons[i]
		if slices.Contains(p.Roles, role) {
			someone = true
			if p.Said[of] == "" {
				add(p.ID + "." + of)
			}
		}
	}
	if !someone && f.Said["company."+role+"s_provided"] == "" {
		add(field)
	}
	return all
}

// owned says whether the persons own all of the company, so that no other owner can be missing (recorded).
func (f *particulars) owned() bool {
	sum := 0.0
	for i := range f.Persons {
		if slices.Contains(f.Persons[i].Roles, "owner") {
			share, _ := strconv.ParseFloat(f.Persons[i].Said["relationship.percent_ownership"], 64)
			sum += share
		}
	}
	return sum >= 100
}

// found is what looking into what was said has made of it.
func (f *particulars) found() (all []owed) {
	for _, name := range slices.Sorted(maps.Keys(f.Checks)) {
		one := f.Checks[name]
		subject, what := f.subject(name)
		if !one.Done {
			for _, field := range f.uncertain(subject, what) {
				all = append(all, owed{field: subject + field, stage: pending, does: takesPayments})
			}
			continue
		}
		if f.proved(name) {
			continue
		}
		for _, field := range strings.Fields(one.Found.Fields) {
			all = append(all, owed{field: subject + field, stage: past, does: one.Found.Does, code: one.Found.Code, reason: reasons[one.Found.Code]})
		}
	}
	return all
}

// proofs are the documents that stand for what could not be verified otherwise; they beat it.
var proofs = map[string]string{
	"identity": "document", "address": "additional_document", "company.tax_id": "company.document", "company.name": "company.document", "company.address": "company.document",
}

// proved says whether a document shows what was not found otherwise, or may: it is being looked into.
func (f *particulars) proved(name string) bool {
	of, what, someone := strings.Cut(name, "/")
	by := proofs[name]
	if someone {
		by = of + "/" + proofs[what]
	}
	one, there := f.Checks[by]
	return there && (!one.Done || one.Found.Code == "")
}

// subject takes the name of a check apart: whose it is, as fields begin, and of what.
func (f *particulars) subject(name string) (of, what string) {
	id, what, someone := strings.Cut(name, "/")
	switch {
	case !someone:
		return "", name
	case what == "bank":
		return "", what
	case entity(f.Kind) == "individual":
		return "individual.", what
	default:
		return id + ".", what
	}
}

// uncertain are the fields that may be asked for again while something is looked into. Only accounts in the United States show them, and
// wait for it with payments; elsewhere the account is ready at once, and its person pending (recorded in US, CA and SE, 2024 to 2026).
func (f *particulars) uncertain(subject, what string) (all []string) {
	if f.Country != "US" {
		return nil
	}
	said := func(field string) bool { return f.sayOf(subject, field) != "" }
	for _, field := range strings.Fields(uncertainties[what]) {
		if field == "verification.document" || said(field) && (field != "ssn_last_4" || !said("id_number")) {
			all = append(all, field)
		}
	}
	return all
}

// sayOf is what was said in a field of whom it is about.
func (f *particulars) sayOf(subject, field string) string {
	if subject == "" {
		return f.Said[field]
	}
	for i := range f.Persons {
		if subject == "individual." || subject == f.Persons[i].ID+"." {
			return f.Persons[i].Said[field]
		}
	}
	return ""
}

// uncertainties are fields by what is looked into; what is not here is looked into without a word (recorded, May 2024 to October 2026).
var uncertainties = map[string]string{
	"identity":        "id_number ssn_last_4 verification.document",
	"address":         "address.city address.line1 address.postal_code address.state",
	"document":        "verification.document",
	"company.tax_id":  "company.tax_id",
	"company.address": "company.address.city company.address.line1 company.address.postal_code company.address.state",
}
