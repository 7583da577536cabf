package tilltest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/till-pay/till/internal/tilltest"
)

func TestTranscripts(t *testing.T) {
	t.Parallel()
	tilltest.Transcripts(t, "testdata/*.txt")
}

// Every operation of the document is in a transcript that shows it at work, and the document of the whole till is valid.
func TestEveryOperationHasATranscript(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(tilltest.New(t).Get("/openapi.json").Want(200).Raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for path, item := range document.Paths.Map() {
		for method := range item.Operations() {
			request := regexp.MustCompile("(?m)^> " + method + " " + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, `[^/?\s]+`) + `(?:\?.*)?$`)
			if !request.MatchString(all.String()) {
				t.Errorf("no transcript shows %s %s", method, path)
			}
		}
	}
}
