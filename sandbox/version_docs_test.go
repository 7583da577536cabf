package sandbox_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// TestVersionsAreDocumented holds the table in docs/sandbox.md against the list of changes.
func TestVersionsAreDocumented(t *testing.T) {
	const file, head = "../docs/sandbox.md", "\n| since | before it |\n|---|---|\n"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), head)
	was, after, ended := strings.Cut(rest, "\nParameters may")
	if !found || !ended {
		t.Fatalf("%s has no table of versions", file)
	}
	var is strings.Builder
	for _, c := range sandbox.Changes() {
		fmt.Fprintf(&is, "| %s | %s |\n", c.Version, c.What)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+head+is.String()+"\nParameters may"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if was != is.String() {
		t.Errorf("the table of versions in %s is not the list of changes; run the tests with -update:\n%s", file, firstDifference(was, is.String()))
	}
}
