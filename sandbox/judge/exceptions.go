package judge

// fault is what would be complained of.
type fault string

const (
	undeclared fault = "undeclared" // a field that the document does not declare
	missing    fault = "missing"    // a field that the fixtures show
)

// exception is a field that Stripe has, or has not, other than the document and the fixtures say.
type exception struct {
	fault        fault
	shape, field string
	reason       string
}

var exceptions = []exception{
	{missing, "account", "external_accounts", "By its description it is returned only to a platform that controls the account, and so not to an account that asks for itself."},
	{missing, "charge", "refunds", "The fixture is of an old version: since 2022-11-15 a charge's refunds are there only when they are expanded."},
}

// excuse tells whether an exception is made.
func (j *Judge) excuse(f fault, shape, field string) bool {
	for i, e := range exceptions {
		if e.fault == f && e.shape == shape && e.field == field {
			j.used[i].Store(true)
			return true
		}
	}
	return false
}

// Unneeded lists the exceptions that no reply has needed so far.
func (j *Judge) Unneeded() []string {
	var all []string
	for i, e := range exceptions {
		if !j.used[i].Load() {
			all = append(all, string(e.fault)+" "+e.shape+"."+e.field)
		}
	}
	return all
}
