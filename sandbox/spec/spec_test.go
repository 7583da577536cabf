package spec_test

import (
	"encoding/json"
	"testing"

	"github.com/till-pay/till/sandbox/spec"
)

func TestEveryShapeIsBuiltAndRenders(t *testing.T) {
	t.Parallel()
	for _, name := range spec.Shapes() {
		if raw := spec.New(name).AppendJSON(nil); !json.Valid(raw) {
			t.Errorf("%s renders as %s", name, raw)
		}
	}
}
