package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// writeRequirements writes dues into an object of requirements, as far as they are of it; called says how it calls each, "" for those
// that are not of it.
func writeRequirements(o *spec.Object, dues []owed, called func(*owed) string) *spec.Object {
	lists := map[string][]string{"currently_due": {}, "eventually_due": {}, "past_due": {}, "pending_verification": {}}
	wrongs, others := []*spec.Object{}, []*spec.Object{}
	for i := range dues {
		d := &dues[i]
		name := called(d)
		if name == "" {
			continue
		}
		for _, list := range d.stage.lists() {
			lists[list] = append(lists[list], name)
		}
		if d.code != "" && d.stage >= currently {
			wrongs = append(wrongs, spec.New("account_requirements_error").Set("code", d.code).Set("reason", d.reason).Set("requirement", name))
		}
		if d.instead != "" && d.stage >= currently {
			others = append(others, spec.New("account_requirements_alternative").Set("original_fields_due", []string{name}).Set("alternative_fields_due", []string{d.instead}))
		}
	}
	for list, fields := range lists {
		if _, declared := spec.FieldOf(o.Shape(), list); declared {
			o.Set(list, fields)
		}
	}
	if _, declared := spec.FieldOf(o.Shape(), "alternatives"); declared {
		o.Set("alternatives", others)
	}
	return o.Set("errors", wrongs)
}

// lists are those in which a due field is.
func (s stage) lists() []string {
	switch s {
	case past:
		return []string{"past_due", "currently_due", "eventually_due"}
	case currently:
		return []string{"currently_due", "eventually_due"}
	case pending:
		return []string{"pending_verification"}
	default:
		return []string{"eventually_due"}
	}
}

// writeAccount writes what was reckoned into the account's object.
func (c *call) writeAccount(r *record, f *particulars, v *verdict, d *dossier) {
	o := r.object().Clone()
	o.Set("charges_enabled", v.charges).Set("payouts_enabled", v.payouts).Set("details_submitted", v.submitted)
	requirements := writeRequirements(nulled(spec.New("account_requirements")), v.dues, func(d *owed) string { return d.field })
	if at := deadline(v.dues); at > 0 {
		requirements.Set("current_deadline", at)
	}
	o.Set("requirements", requirements.Set("disabled_reason", orNull(v.disabled)))
	o.Set("future_requirements", writeRequirements(nulled(spec.New("account_future_requirements")), nil, nil))
	statuses := o.Sub("capabilities").Clone()
	for name := range d.Capability {
		statuses.Set(name, spec.Absent)
		if status := v.statuses[name]; status != "" {
			statuses.Set(name, status)
		}
	}
	o.Set("capabilities", statuses)
	settings := o.Sub("settings").Clone()
	c.standing().describePayouts(settings.Sub("payouts"))
	o.Set("settings", settings)
	c.writeOpen(o, d, entity(f.Kind))
	r.replace(o)
}

// writeOpen writes what the platform sees only while it is open to it.
func (c *call) writeOpen(o *spec.Object, d *dossier, kind string) {
	o.Set("company", spec.Absent).Set("individual", spec.Absent)
	outside := spec.New("list").Set("url", "/v1/accounts/"+c.account+"/external_accounts").Set("has_more", false)
	data := []*spec.Object{}
	for _, one := range slices.Backward(c.externalAccounts()) {
		if !one.gone && len(data) < defaultLimit {
			data = append(data, one.object().Clone())
		}
	}
	o.Set("external_accounts", outside.Set("data", data))
	if !d.open() {
		return
	}
	r := c.individual()
	if d.Company != nil || kind != "" {
		o.Set("company", companyOf(d, kind, r, o.String("country")))
	}
	if r != nil && kind == "individual" {
		o.Set("individual", r.object().Clone().Set("additional_tos_acceptances", spec.Absent))
	}
}

// companyOf is an account's company as it is shown. That of an account that is a person has the person's address and phone, and nobody
// missing (recorded, 2026).
func companyOf(d *dossier, kind string, of *record, country string) *spec.Object {
	o := d.company()
	if o.Sub("address") == nil {
		o.Set("address", nulled(spec.New("address")).Set("country", country))
	}
	for _, name := range []string{"directors_provided", "executives_provided", "owners_provided"} {
		o.Set(name, o.Bool(name) || kind == "individual")
	}
	if o.Set("tax_id_provided", d.TaxID != ""); o.String("name") == "" {
		o.Set("name", nil)
	}
	if of == nil || kind != "individual" {
		return o
	}
	if address := of.object().Sub("address"); address != nil && d.company().Sub("address") == nil {
		o.Set("address", address.Clone())
	}
	if phone := of.object().String("phone"); phone != "" && o.String("phone") == "" {
		o.Set("phone", phone)
	}
	return o
}

// writePersons writes what was reckoned into the persons, and tells of those that have changed: was is what they were before this
// request, where it has changed them.
func (c *call) writePersons(f *particulars, v *verdict, was map[string]*spec.Object) {
	for _, r := range c.people() {
		before := was[r.id]
		if before == nil {
			before = r.object().Clone()
		}
		prefix := r.id + "."
		if entity(f.Kind) == "individual" {
			prefix = "individual."
		}
		o := r.object().Clone()
		o.Set("requirements", writeRequirements(spec.New("person_requirements"), v.dues, func(d *owed) string {
			if name, of := strings.CutPrefix(d.field, prefix); of {
				return name
			}
			return ""
		}))
		o.Set("future_requirements", writeRequirements(spec.New("person_future_requirements"), nil, nil))
		o.Set("verification", f.verification(o.Sub("verification"), r.id))
		r.replace(o)
		if r.created < f.Now || was[r.id] != nil {
			c.emitUpdated("person.updated", r, before)
		}
	}
}

// verification is how far a person is verified.
func (f *particulars) verification(was *spec.Object, id string) *spec.Object {
	o := spec.New("legal_entity_person_verification")
	identity, document := f.Checks[id+"/identity"], f.Checks[id+"/document"]
	status, code := "unverified", ""
	switch {
	case f.waiting(id):
		status = "pending"
	case document.Done && document.Found.Code == "", identity.Done && identity.Found.Code == "" && document.Of == "":
		status = "verified"
	case document.Done:
		code = "document_failed_other"
	case identity.Done:
		code = "failed_keyed_identity"
	}
	if address, proof := f.Checks[id+"/address"], f.Checks[id+"/additional_document"]; status == "verified" && address.Found.Code != "" && (!proof.Done || proof.Found.Code != "") {
		status = "unverified"
	}
	o.Set("status", status)
	if code != "" {
		o.Set("details_code", code).Set("details", reasons["verification_failed_keyed_identity"])
	}
	for name, check := range map[string]check{"document": document, "additional_document": f.Checks[id+"/additional_document"]} {
		paper := nulled(spec.New("legal_entity_person_verification_document"))
		if had := was.Sub(name); had != nil {
			paper.Set("front", had.Get("front")).Set("back", had.Get("back"))
		}
		if check.Done && check.Found.Code != "" {
			paper.Set("details_code", "document_failed_other").Set("details", reasons[check.Found.Code])
		}
		o.Set(name, paper)
	}
	return o
}

// waiting says whether something of a person is being looked into.
func (f *particulars) waiting(id string) bool {
	for name, one := range f.Checks {
		if strings.HasPrefix(name, id+"/") && !one.Done {
			return true
		}
	}
	return false
}

// writeBanks writes into bank accounts what is asked for of their owners.
func (c *call) writeBanks(f *particulars, v *verdict) {
	for _, r := range c.externalAccounts() {
		one := f.Checks[r.id+"/bank"]
		if r.gone || r.resource.Object != "bank_account" || one.Of == "" || bankOwners[one.Of].Code == "" {
			continue
		}
		dues := []owed{}
		for _, d := range v.dues {
			if strings.HasPrefix(d.field, "documents.bank_account_ownership_verification.") {
				dues = append(dues, d)
			}
		}
		r.object().Set("requirements", writeRequirements(spec.New("external_account_requirements"), dues, func(d *owed) string { return d.field }))
	}
}

// writeCapabilities writes what was reckoned into the capabilities, and returns those that have changed.
func (c *call) writeCapabilities(f *particulars, v *verdict, d *dossier) (changed []*record) {
	for _, name := range capabilityNames(d) {
		is, r := d.Capability[name], c.capability(name)
		before := r.object().Pack(nil)
		status := v.statuses[name]
		if status == "" {
			status = unrequested
		}
		o := r.object().Clone().Set("requested", is.Wanted).Set("status", status).Set("requested_at", nil)
		if is.Wanted {
			o.Set("requested_at", is.At)
		}
		var dues []owed
		if is.Wanted {
			dues = v.dues
		}
		of := classOf(name)
		requirements := writeRequirements(nulled(spec.New("account_capability_requirements")), dues, func(d *owed) string {
			if d.does&of == 0 {
				return ""
			}
			return d.field
		})
		o.Set("requirements", requirements.Set("disabled_reason", orNull(f.whyInactive(name, v))))
		o.Set("future_requirements", writeRequirements(nulled(spec.New("account_capability_future_requirements")), nil, nil))
		r.replace(o)
		if r.order == 0 {
			c.insert(r)
		}
		is.Status = status
		d.Capability[name] = is
		if string(before) != string(o.Pack(nil)) {
			changed = append(changed, r)
		}
	}
	return changed
}

// capabilityNames are those that were ever requested, in order of name.
func capabilityNames(d *dossier) (all []string) {
	for name := range d.Capability {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
