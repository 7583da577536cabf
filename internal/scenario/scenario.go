// Package scenario plays support cases from beginning to end: a world is staged in which the trouble happens, its cause is found by the
// commands that any merchant has, it is repaired, and a letter says what happened in words that the merchant understands.
//
//	stage    the world, by plain HTTP: Stripe's API to the sandbox, till's API with a key
//	find     another process, with the address of till and an API key: till diagnose … --json
//	repair   through till's API and its commands
//	letter   from the figures that were found, none of which is written here
//
// Stage and diagnosis share nothing but the API. A case succeeds only if the cause was found, the repair is verified, and what till says
// was taken and sent back is what Stripe says, in every currency.
package scenario

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// DefaultSeed stages a case with its own figures; every other seed stages another world of the same kind.
const DefaultSeed = 1

// Scenario is one support case.
type Scenario struct {
	Number string
	Title  string
	Ticket Ticket
	// Diagnosis is the command that finds the cause, for whoever works the case by hand.
	Diagnosis string
	ByHand    []string      // the commands that follow
	Country   string        // of the merchant's Stripe account
	History   time.Duration // how far in the past its story begins
	Hears     bool          // the merchant's own server hears till
	first     string        // the key of its first payment, where a second staging would only repeat the payments of the first
	begin     func(*world) play
}

// Ticket is the case as it came in.
type Ticket struct {
	From     string // the merchant
	Contact  string // to whom the answer goes
	Priority string
	Subject  string
	Text     string
}

// play is a case while it is played, with what it remembers from one act to the next.
type play interface {
	// stage makes the world in which the trouble has happened.
	stage() error
	// find has the cause found, and compares it with what was staged.
	find() (Cause, error)
	// repair puts it right, and proves that it is.
	repair() error
	// letter tells the merchant.
	letter() string
}

// Cause is what was found.
type Cause struct {
	Found   bool           `json:"found"`
	Words   string         `json:"words"`
	Figures map[string]any `json:"figures"`
}

var all = []Scenario{declinedPayments, missedWebhooks, stoppedPayouts, manyCurrencies, duplicateCharges, webhookSignatures, balanceReconciliation}

// All are the cases that can be played, by number.
func All() []Scenario { return slices.Clone(all) }

// Find is a case by its number: "02" or "2".
func Find(number string) (Scenario, error) {
	var known []string
	for _, s := range all {
		if strings.TrimLeft(s.Number, "0") == strings.TrimLeft(number, "0") {
			return s, nil
		}
		known = append(known, s.Number)
	}
	return Scenario{}, fmt.Errorf("there is no scenario %q: there are %s (till scenario list)", number, strings.Join(known, ", "))
}

// chance is the generator of a seed and a case: the same seed stages the same world.
func chance(seed uint64, number string) *rand.Rand {
	var n uint64
	for _, c := range number {
		n = n*10 + uint64(c-'0')
	}
	return rand.New(rand.NewPCG(seed, n))
}
