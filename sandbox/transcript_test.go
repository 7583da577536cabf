package sandbox_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/transcript"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata from what the sandbox answers")

// TestTranscripts plays each file of testdata against a sandbox of its own and compares the answers.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			was, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := bare(t)
			is, err := transcript.New(a.server.Client(), a.server.URL, a.key).Play(t.Context(), string(was))
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(file, []byte(is), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if is != string(was) {
				t.Errorf("%s is not what the sandbox answers; look at the difference, then run the tests with -update:\n%s", file, firstDifference(string(was), is))
			}
		})
	}
}

// TestEachResourceHasATranscript holds the list of resources, and of kinds of payment methods, against the files, both ways.
func TestEachResourceHasATranscript(t *testing.T) {
	t.Parallel()
	names := append(sandbox.ResourceNames(), sandbox.MethodKinds()...)
	for _, name := range names {
		if _, err := os.Stat("testdata/" + name + ".txt"); err != nil {
			t.Errorf("resource %s has no transcript: %v", name, err)
		}
	}
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".txt"); !slices.Contains(names, name) {
			t.Errorf("%s belongs to no resource", file)
		}
	}
	if !slices.IsSorted(names) && len(names) == 0 {
		t.Error("there are no resources")
	}
}

func firstDifference(was, is string) string {
	a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n  file:    %s\n  sandbox: %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("one has %d lines, the other %d", len(a), len(b))
}

// TestTranscriptsAreNotEmpty keeps a transcript from shrinking to nothing by -update.
func TestTranscriptsAreNotEmpty(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), fmt.Sprintf("< %d\n", http.StatusOK)) {
			t.Errorf("%s has no success in it", file)
		}
		if strings.Contains(string(text), "An unknown error occurred in the sandbox") {
			t.Errorf("%s has a failure of the sandbox's own in it", file)
		}
	}
}
