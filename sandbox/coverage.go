package sandbox

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/till-pay/till/sandbox/spec"
)

// Operation is one of the operations in Stripe's document, with what the sandbox has of it. The evidence comes from the transcripts in
// testdata, whose every answer is compared to the byte and held against Stripe's document: TestCoverage plays them and writes the file
// coverage.txt down.
type Operation struct {
	Name       string   `json:"operation"`  // POST /v1/refunds
	Family     string   `json:"family"`     // refunds
	Built      bool     `json:"built"`      // it has behaviour; all others answer 501
	Transition bool     `json:"transition"` // it is tested to do what it is for: a read to answer, any other to change the state
	Refusals   []string `json:"refusals"`   // the codes with which it is tested to refuse, or types where there is no code
	Events     []string `json:"events"`     // the types of events that it is tested to announce
	Refuses    bool     `json:"refuses"`    // a refusal is to be tested: not of a read that names no object
	Announces  bool     `json:"announces"`  // an event is to be tested: not of a read, nor where Stripe sends none
}

// Implemented says whether the operation has behaviour and all that applies to it is tested: a transition, a refusal, an event.
func (o Operation) Implemented() bool {
	return o.Built && o.Transition && (len(o.Refusals) > 0 || !o.Refuses) && (len(o.Events) > 0 || !o.Announces)
}

// silent are the operations that change something and of which Stripe sends no event, by the types of events in its document and by
// its recorded traffic; a family stands for all its operations.
var silent = []string{
	"account_links",
	"account_sessions",
	"apple_pay",
	"customer_sessions",
	"ephemeral_keys",
	"payment_method_configurations",
	"payment_method_domains",
	"radar",
	"webhook_endpoints",
	"POST /v1/accounts/{account}/login_links",
	"POST /v1/file_links",
	"POST /v1/file_links/{link}",
	"POST /v1/payment_intents/{intent}",
	"POST /v1/payment_methods",
	"POST /v1/setup_intents/{intent}",
	"POST /v1/test_helpers/confirmation_tokens",
	"POST /v1/tokens",
	"POST /v1/topups/{topup}",
	"POST /v1/transfers/{transfer}/reversals/{id}",
}

//go:embed coverage.txt
var evidence string

// Operations are all operations of Stripe's document, in its order.
func Operations() []Operation {
	tabulated.Do(tabulate)
	seen := evidenceByOperation()
	var all []Operation
	for _, op := range spec.Ops() {
		reads := op.Method() == "GET"
		o := Operation{
			Name: op.String(), Family: family(op), Built: table[op.ID()] != nil,
			Refuses:   !reads || strings.Contains(op.Path(), "{"),
			Announces: !reads && !slices.Contains(silent, op.String()) && !slices.Contains(silent, family(op)),
		}
		if found, ok := seen[o.Name]; ok && o.Built {
			o.Transition, o.Refusals, o.Events = found.Transition, found.Refusals, found.Events
		}
		all = append(all, o)
	}
	return all
}

// evidenceByOperation reads coverage.txt: a line each, of an operation, whether it did what it is for, its refusals and its events,
// between tabs.
var evidenceByOperation = sync.OnceValue(func() map[string]Operation {
	all := map[string]Operation{}
	for line := range strings.Lines(evidence) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) == 4 {
			all[cells[0]] = Operation{Transition: cells[1] == "done", Refusals: strings.Fields(cells[2]), Events: strings.Fields(cells[3])}
		}
	}
	return all
})

// Family is the operations of which the sandbox has something and of which it has not, whose paths begin alike. Of the last three
// numbers each counts among those that are built and to which it applies.
type Family struct {
	Name        string `json:"family"`
	Operations  int    `json:"operations"` // in Stripe's document
	Built       int    `json:"built"`
	Implemented int    `json:"implemented"`
	Transitions Tested `json:"transitions"`
	Refusals    Tested `json:"refusals"`
	Events      Tested `json:"events"`
}

// Tested is how many of something are tested, of how many.
type Tested struct {
	Done int `json:"done"`
	Of   int `json:"of"`
}

// Coverage is what the sandbox has of Stripe's API, by family, and the totals of all families.
func Coverage() (families []Family, totals Family) {
	at := map[string]int{}
	for _, o := range Operations() {
		i, known := at[o.Family]
		if !known {
			i = len(families)
			at[o.Family] = i
			families = append(families, Family{Name: o.Family})
		}
		families[i].count(o)
		totals.count(o)
	}
	slices.SortFunc(families, func(a, b Family) int { return strings.Compare(a.Name, b.Name) })
	totals.Name = "total"
	return families, totals
}

func (f *Family) count(o Operation) {
	f.Operations++
	if !o.Built {
		return
	}
	f.Built++
	if o.Implemented() {
		f.Implemented++
	}
	f.Transitions.count(true, o.Transition)
	f.Refusals.count(o.Refuses, len(o.Refusals) > 0)
	f.Events.count(o.Announces, len(o.Events) > 0)
}

func (t *Tested) count(applies, done bool) {
	if applies {
		t.Of++
		if done {
			t.Done++
		}
	}
}
