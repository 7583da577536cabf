package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// changeable are the fields that a link of the type account_update offers beside what is missing.
var changeable = []string{"business_profile.name", "business_profile.url", "business_profile.support_phone", "individual.email", "individual.phone"}

// wanted are the fields that the form asks for.
func (v *visit) wanted() []string {
	due := v.dues("currently_due")
	if v.e.Whole {
		due = append(due, v.dues("eventually_due")...)
	}
	for _, one := range v.requirements("alternatives") {
		due = append(due, one.Get("alternative_fields_due").([]string)...)
	}
	if v.e.Update {
		for _, field := range changeable {
			if !strings.HasPrefix(field, "individual.") || v.account.text("business_type") == "individual" {
				due = append(due, field)
			}
		}
	}
	var all []string
	for _, field := range due {
		for part, whole := range withBirth {
			if strings.HasSuffix(field, part) {
				field = strings.TrimSuffix(field, part) + whole
			}
		}
		if !slices.Contains(all, field) {
			all = append(all, field)
		}
	}
	return all
}

// dues is a list of the account's requirements.
func (v *visit) dues(list string) []string {
	all, _ := v.account.object().Sub("requirements").Get(list).([]string)
	return slices.Clone(all)
}

// requirements are the objects of a list of the account's requirements.
func (v *visit) requirements(list string) []*spec.Object {
	all, _ := v.account.object().Sub("requirements").Get(list).([]*spec.Object)
	return all
}

// reasonOf is why a field is asked for again, "" where it is asked for the first time.
func (v *visit) reasonOf(field string) string {
	for _, one := range v.requirements("errors") {
		if one.String("requirement") == field {
			return one.String("reason")
		}
	}
	return ""
}

// mustBeSaid says whether the form cannot be sent without a field: all that are due now, but where there is another way.
func (v *visit) mustBeSaid(field string) bool {
	group := v.groupOf(field)
	if group == "owners" || group == "directors" || group == "executives" {
		return false
	}
	for _, one := range v.requirements("alternatives") {
		for _, list := range []string{"original_fields_due", "alternative_fields_due"} {
			if names, _ := one.Get(list).([]string); slices.Contains(names, field) {
				return false
			}
		}
	}
	return slices.Contains(v.dues("currently_due"), field)
}

// saidAlready is what a field says that is asked for again, as far as that is shown: no numbers of persons and companies.
func (v *visit) saidAlready(field string) string {
	path := strings.Split(field, ".")
	o := v.account.object()
	switch r := v.find("person", path[0]); {
	case r != nil:
		o, path = r.object(), path[1:]
	case path[0] == "individual" && v.individual() != nil:
		o, path = v.individual().object(), path[1:]
	case path[0] == "company":
		o, path = v.dossier().company(), path[1:]
	}
	if len(path) == 0 || labelOf(field).kind == "file" {
		return ""
	}
	text, _ := o.At(path...).(string)
	return text
}
