package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox/spec"
	"github.com/till-pay/till/sandbox/transcript"
)

// supported are the versions that a transcript shows, among them the oldest and the newest.
var supported = []string{"2014-05-19", "2015-01-26", "2015-02-18", "2017-01-27", "2018-11-08", "2020-08-27", "2022-11-15", "2023-10-16", "2024-06-20", "2025-03-31.basil", spec.Version}

// TestVersionTranscripts plays the same steps in each of these versions, to which the account is pinned.
func TestVersionTranscripts(t *testing.T) {
	t.Parallel()
	for _, version := range supported {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", "versions", version+".txt")
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
			if is != string(was) || !strings.Contains(is, `"api_version": "`+version+`"`) {
				t.Errorf("%s is not what the sandbox answers; look at the difference, then run the tests with -update:\n%s", file, firstDifference(string(was), is))
			}
		})
	}
}
