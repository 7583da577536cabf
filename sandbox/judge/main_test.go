//go:build !race

package judge_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain fails when a full run of the journeys leaves an exception of the judge's without a reply that needs it.
func TestMain(m *testing.M) {
	status := m.Run()
	if run := flag.Lookup("test.run"); status == 0 && run.Value.String() == "" && !testing.Short() {
		j, err := court()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if idle := j.Unneeded(); len(idle) > 0 {
			fmt.Println("no reply needs these exceptions:", idle)
			status = 1
		}
	}
	os.Exit(status)
}
