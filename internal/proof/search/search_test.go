//go:build !race

package search

import (
	"errors"
	"strings"
	"testing"
)

// Every story with one fault at any point, and those that are small with two; make prove searches them all with two.
func TestNothingIsLostDoubledOrStuck(t *testing.T) {
	t.Parallel()
	tell := func(r Report) { t.Log(r) }
	if err := Run(1, tell); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"payment", "refund", "refund, refused for a dispute", delivery} {
		if err := one(name, "", 2, tell); err != nil {
			t.Error(err)
		}
	}
}

// The search finds what it is there to find: each bug that is planted, and what it does.
func TestPlantedBugsAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bug, story string
		faults     int
		what       string
	}{
		{"settle before send", "payment", 1, "nothing good can follow"},
		{"missing guard", "payment, captured or cancelled later", 1, "the ledger holds 5000, the payment 0"},
		{"key dropped", "payment", 2, "the card was charged twice"},
		{"key dropped", "refund", 2, "the money went back twice"},
		{"no sweep", "refund, pending first", 1, "nothing good can follow"},
		{"look too early", "payment", 2, "the payment is called failed and its money is taken"},
		{"send however late", "payment", 2, "the payment is called failed and its money is taken"},
		{"number without a guard", delivery, 1, "the numbers have a gap or a double"},
		{"succeed unheard", delivery, 1, "a delivery is called succeeded that nobody heard"},
	} {
		t.Run(c.bug+"/"+c.story, func(t *testing.T) {
			t.Parallel()
			err := one(c.story, c.bug, c.faults, func(r Report) { t.Log(r) })
			var flaw *Flaw
			if !errors.As(err, &flaw) || !strings.Contains(flaw.What, c.what) {
				t.Fatalf("found: %v", err)
			}
			t.Log(flaw)
		})
	}
}
