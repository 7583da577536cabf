// Package proof holds proofs that need whole processes: till as it is shipped, and till with points at which it can be told to die.
//
// The kill matrix (Prove; `make prove` runs it) stages worlds, each a merchant with its Stripe account, its own server and its database;
// lets a merchant's orders happen in them; and meanwhile kills till before or after one of its reads and writes, or breaks what it stands
// on. Then a judge looks from every side at what has become of the orders: what till says, what Stripe has, what the ledger holds, and
// what the merchant heard.
package proof

import "context"

// T is what a world needs of whoever stages it: a test, or a trial of the matrix.
type T interface {
	Helper()
	Context() context.Context
	Cleanup(do func())
	TempDir() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
}
