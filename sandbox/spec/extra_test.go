package spec

import (
	"strings"
	"testing"
)

// operationOf finds an operation by its method and template.
func operationOf(t *testing.T, name string) Op {
	t.Helper()
	for _, o := range Ops() {
		if o.String() == name {
			return o
		}
	}
	t.Fatalf("there is no operation %s", name)
	return 0
}

// about tells whether a refusal is of the parameter that the pair gives.
func about(err *Error, pair string) bool {
	key, _, _ := strings.Cut(pair, "=")
	return err != nil && strings.HasPrefix(key, err.Param)
}

func TestEveryExtraIsNeeded(t *testing.T) {
	t.Parallel()
	for _, e := range extras {
		if e.reason == "" {
			t.Errorf("%s has no reason", e.example)
		}
		for _, name := range e.ops {
			o := operationOf(t, name)
			if _, err := o.decode(e.example, true); !about(err, e.example) {
				t.Errorf("%s takes %s by the tables alone", o, e.example)
			}
			if _, err := o.Decode(e.example); about(err, e.example) {
				t.Errorf("%s refuses %s: %v", o, e.example, err)
			}
		}
	}
}

func TestEveryBlankIsNeeded(t *testing.T) {
	t.Parallel()
	o := operationOf(t, "POST /v1/customers")
	for _, b := range blanks {
		if _, err := o.decode(b.example, true); err == nil || err.Code != "parameter_invalid_empty" {
			t.Errorf("by the tables alone %s gives %v", b.example, err)
		}
		p, err := o.Decode(b.example)
		if err != nil {
			t.Fatalf("%s: %v", b.example, err)
		}
		name, _, _ := strings.Cut(b.example, "=")
		if name == "email" && !p.Unset("email") {
			t.Errorf("%s does not unset", b.example)
		}
	}
}
