package sandbox

import (
	"maps"
	"slices"
	"sync"
)

// resources lists what this sandbox has, a line each. Adding one is: a file that declares it, a line here, a transcript in testdata.
var resources = []*resource{
	accountLinks,
	accountSessions,
	accounts,
	appleDomains,
	applicationFees,
	applications,
	balances,
	balanceSettings,
	bankAccounts,
	balanceTransactions,
	capabilities,
	cashBalances,
	cashTransactions,
	charges,
	confirmationTokens,
	countrySpecs,
	customers,
	customerSessions,
	disputes,
	earlyFraudWarnings,
	ephemeralKeys,
	events,
	exchangeRates,
	feeRefunds,
	fileLinks,
	files,
	mandates,
	paymentEvaluations,
	paymentIntents,
	mandateNotifications,
	loginLinks,
	methodConfigurations,
	paymentMethodDomains,
	paymentMethods,
	payoutCardAccounts,
	payouts,
	persons,
	radarRules,
	refunds,
	reviews,
	setupAttempts,
	setupIntents,
	sources,
	sourceTransactions,
	tokens,
	topups,
	transferReversals,
	transfers,
	valueListItems,
	valueLists,
	webhookEndpoints,
}

// The resources by the name of their objects, and who answers each operation by spec.Op.ID(). Resources refer to each other by name,
// so that each can be declared as one value; both tables are made with the first sandbox.
var (
	kinds     map[string]*resource
	due       map[string]func(*call, *record, string) // what can fall due, by "<object>.<name>"
	table     []handler
	tabulated sync.Once
)

func tabulate() {
	kinds = make(map[string]*resource, len(resources))
	due = map[string]func(*call, *record, string){}
	for _, r := range resources {
		kinds[r.Object] = r
		r.indexed = append(append(slices.Clone(r.Filters), r.Index...), slices.Sorted(maps.Keys(r.Keys))...)
		for name, do := range r.Due {
			due[r.Object+"."+name] = do
		}
	}
	tabulateMethods()
	tabulateSources()
	table = routes()
}
