package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// dossier is what Stripe knows of a connected account beyond what the account's object shows.
type dossier struct {
	Type        string               // standard, express, custom or none
	Hosted      bool                 // Stripe asks the account itself for what it needs, and not the platform
	Dashboard   string               // full, express or none
	Linked      bool                 `json:",omitempty"` // the account has been sent to Stripe's form: it has its own say from then on
	Submitted   bool                 `json:",omitempty"` // and has been through it
	Established bool                 `json:",omitempty"` // it was Stripe's before it was connected: nothing is missing
	Grant       *grant               `json:",omitempty"` // by OAuth
	Company     snapshot             `json:",omitempty"` // as the object's field company; whether it is shown is another matter
	TaxID       string               `json:",omitempty"`
	VatID       string               `json:",omitempty"`
	Documents   map[string][]string  `json:",omitempty"` // files of the parameter documents, by its fields
	Capability  map[string]requested // by name, those that are requested and those that were
	Checks      map[string]check     `json:",omitempty"`
	Asked       []demand             `json:",omitempty"`
	Rejected    string               `json:",omitempty"`
	Review      bool                 `json:",omitempty"`
	Reached     bool                 `json:",omitempty"` // the next threshold
	Deadline    int64                `json:",omitempty"` // of what that has made due
	Appointed   int64                `json:",omitempty"` // when the account is looked at next
}

// requested is a capability that was requested once.
type requested struct {
	Wanted bool
	At     int64 // since when
	Status string
}

// dossier is the account's, to change.
func (w *realm) dossier() *dossier { return w.standingToChange().Dossier }

// company is the object of the account's company, to look at; keepCompany puts another in its place.
func (d *dossier) company() *spec.Object {
	if d.Company == nil {
		return spec.New("legal_entity_company")
	}
	return spec.Unpack(d.Company)
}

func (d *dossier) keepCompany(o *spec.Object) { d.Company = o.Pack(nil) }

// wanted are the capabilities that are requested, in order of name.
func (d *dossier) wanted() (all []string) {
	for name, one := range d.Capability {
		if one.Wanted {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// open says whether the platform sees and says what the account and its persons are: it always does where it asks for it, and otherwise
// until the account is sent to Stripe's form (docs.stripe.com/api/accounts/object).
func (d *dossier) open() bool { return !d.Hosted || !d.Linked }

// clear takes away what has been asked for of fields that were given now.
func (d *dossier) clear(given []string) {
	d.Asked = slices.DeleteFunc(d.Asked, func(one demand) bool {
		return slices.ContainsFunc(given, func(field string) bool { return covers(field, one.Field) })
	})
	if len(d.Asked) == 0 {
		d.Asked = nil
	}
}

// covers says whether a parameter that was given is a field, or within it.
func covers(given, field string) bool {
	return given == field || len(given) > len(field) && given[:len(field)] == field && given[len(field)] == '.'
}
