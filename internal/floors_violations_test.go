package internal_test

import (
	"strings"
	"testing"
)

// The checker sees what it is there to see: each made-up file is right, or wrong for the one reason beside it.
func TestViolationsAreSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, imports, wrong string }{
		{"internal/payment/create.go", "once card db money fault", ""},
		{"internal/once/once.go", "payment", "it is above"},
		{"internal/refund/create.go", "dispute", "they are neighbours"},
		{"internal/payment/create.go", "payment", "a room does not import itself"},
		{"internal/payment/create.go", "wallet", "no such room"},
		{"internal/wallet/wallet.go", "", "not on the plan"},
		{"internal/payment/create_test.go", "payment tilltest db/dbtest sandbox", ""},
		{"internal/payment/create_test.go", "refund", "a test stands on the floor of its room"},
		{"internal/payment/create.go", "tilltest", "for tests"},
		{"internal/payment/create.go", "db/dbtest", "for tests"},
		{"internal/tilltest/tilltest.go", "db/dbtest sandbox app", ""},
		{"internal/cli/up.go", "sandbox app", ""},
		{"internal/app/app.go", "sandbox", "the two meet over HTTP only"},
		{"internal/stripe/client.go", "sandbox/spec", "the two meet over HTTP only"},
		{"internal/stripe/client_test.go", "sandbox/spec", "a test meets the sandbox by its front door"},
		{"sandbox/charge.go", "money clock id sandbox/spec", ""},
		{"sandbox/charge.go", "fault", "the sandbox knows nothing of till"},
		{"sandbox/charge_test.go", "tilltest", "the sandbox knows nothing of till"},
		{"sandbox/spec/table.go", "sandbox", "it is above"},
		{"internal/payment/stripe_helpers.go", "", "a name that says nothing"},
		{"internal/common", "", "a name that says nothing"},
		{"docs/types.md", "", "a name that says nothing"},
		{"docs/going-live.md", "", ""},
	} {
		imports := []string{"fmt", "github.com/stripe/stripe-go/v85"}
		for _, room := range strings.Fields(c.imports) {
			if !strings.HasPrefix(room, "sandbox") {
				room = "internal/" + room
			}
			imports = append(imports, module+room)
		}
		if found := faults(c.file, imports); (len(found) > 0) != (c.wrong != "") {
			t.Errorf("%s importing %q: found %q, want %q", c.file, c.imports, found, c.wrong)
		}
	}
}
