package sandbox

import "sync"

// resources lists what this sandbox has, a line each. Adding one is: a file that declares it, a line here, a transcript in testdata.
var resources = []*resource{
	accounts,
	balances,
	balanceTransactions,
	charges,
	customers,
	events,
	paymentIntents,
	paymentMethods,
	refunds,
	setupAttempts,
	setupIntents,
	webhookEndpoints,
}

// The resources by the name of their objects, and who answers each operation by spec.Op.ID(). Resources refer to each other by name,
// so that each can be declared as one value; both tables are made with the first sandbox.
var (
	kinds     map[string]*resource
	table     []handler
	tabulated sync.Once
)

func tabulate() {
	kinds = make(map[string]*resource, len(resources))
	for _, r := range resources {
		kinds[r.Object] = r
	}
	table = routes()
}
