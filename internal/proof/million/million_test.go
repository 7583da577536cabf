package main

import (
	"testing"

	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/proof"
)

// The short version: a till process is killed in the middle of its reading, and the next one goes on.
func TestSomeThousandLinesWithADeath(t *testing.T) {
	t.Parallel()
	binary, err := proof.Program(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	dbtest.EachURL(t, func(t *testing.T, url string) {
		const lines, fresh = 5000, 100
		f, err := trial(t.Context(), "", url, t.TempDir(), binary, lines, fresh)
		if err != nil {
			t.Fatal(err)
		}
		if f.again > 2 { // the page that was written, and of which the dead one had not heard, or the one that was on its way
			t.Errorf("%d pages were asked for again after the death", f.again)
		}
		if f.peak > 128<<20 {
			t.Errorf("it took %d MB", f.peak>>20)
		}
	})
}
