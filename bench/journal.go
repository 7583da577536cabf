package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
)

// journalConnections are over how many connections that is measured.
var journalConnections = []int{1, 64}

// journal measures what it costs to keep the sandbox's world on disk, by running one with and one without in turn.
func journal(ctx context.Context, s settings, r *report) error {
	help, err := exec.CommandContext(ctx, s.till, "sandbox", "run", "--help").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, help)
	}
	t := table{title: "Journal (till sandbox --data)", columns: []string{"POST /v1/payment_intents", "requests/s kept ÷ not kept", "p50 kept ÷ not kept", "p99 kept ÷ not kept", "p50 ms kept"}}
	if !bytes.Contains(help, []byte("--data")) {
		t.after = []string{"This build has no journal: `till sandbox` knows no --data."}
		r.add(t)
		return nil
	}
	dir, err := os.MkdirTemp("", "till-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var both [2]*contender
	for i, command := range [][]string{sandboxCommand(s), append(sandboxCommand(s), "--data", dir)} {
		one, err := launch(ctx, command...)
		if err != nil {
			return err
		}
		defer one.stop()
		both[i] = &contender{name: "sandbox", server: one, requests: []*request{pay(one.addr)}, advance: advance(one.addr, 60), samples: map[measured][]sample{}}
	}
	for range s.rounds {
		for _, connections := range journalConnections {
			for _, c := range both {
				if err := c.take(ctx, measured{0, connections}, s.length); err != nil {
					return err
				}
			}
		}
	}
	for _, connections := range journalConnections {
		kept, not := both[1].samples[measured{0, connections}], both[0].samples[measured{0, connections}]
		t.rows = append(t.rows, []string{fmt.Sprint(connections, " at once"), number(ratios(kept, not, sample.perSecond)), number(ratios(kept, not, sample.half)),
			number(ratios(kept, not, sample.tail)), ms(median(column(kept, sample.half)))})
	}
	r.add(t)
	return holds(both[1].addr, "payment_intent", both[1].answered(0))
}
