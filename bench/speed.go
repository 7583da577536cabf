package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// What is measured, and over how many connections.
var (
	measuredRequests    = []string{"POST /v1/payment_intents", "GET /v1/customers/{id}"}
	measuredConnections = []int{1, 16, 64}
)

// measured is one kind of measurement: an index of measuredRequests, and the connections.
type measured struct{ request, connections int }

// contender is one of the servers that are measured in turn.
type contender struct {
	name string
	*server
	requests []*request
	advance  *request // lets happen what falls due later because of the requests; nil where nothing does
	samples  map[measured][]sample
}

// take loads the server once. What the requests leave to be done later counts as if it were done at once: a charge is booked two seconds
// after it is made, when something else would be measured.
func (c *contender) take(ctx context.Context, m measured, length time.Duration) error {
	c.rest(ctx)
	before := c.busy()
	got, err := load(ctx, c.addr, c.requests[m.request], loading{connections: m.connections, length: length})
	if err != nil {
		return fmt.Errorf("%s: %s: %w", c.name, measuredRequests[m.request], err)
	}
	if c.advance != nil {
		later := time.Now()
		if _, err := ask(c.addr, c.advance); err != nil {
			return err
		}
		got.elapsed += time.Since(later)
	}
	got.busy = (c.busy() - before) / time.Duration(len(got.took))
	c.samples[m] = append(c.samples[m], got)
	return nil
}

// answered is how many requests of a kind the server was measured with.
func (c *contender) answered(request int) (total int64) {
	for m, samples := range c.samples {
		for _, s := range samples {
			if m.request == request {
				total += int64(len(s.took))
			}
		}
	}
	return total
}

// ring is hello, which does nothing and so shows what net/http allows, stripe-mock, and the sandbox.
type ring struct{ hello, mock, box *contender }

func (r ring) all() []*contender { return []*contender{r.hello, r.mock, r.box} }

// speed compares requests a second and latencies.
func speed(ctx context.Context, s settings, r *report) error {
	var in ring
	for _, p := range []struct {
		place   **contender
		name    string
		command []string
	}{{&in.hello, "hello", helloCommand()}, {&in.mock, "stripe-mock", mockCommand(s)}, {&in.box, "sandbox", sandboxCommand(s)}} {
		one, err := launch(ctx, p.command...)
		if err != nil {
			return err
		}
		defer one.stop()
		*p.place = &contender{name: p.name, server: one}
	}
	if err := in.prepare(ctx, s); err != nil {
		return err
	}
	before, err := objects(in.box.addr)
	if err != nil {
		return err
	}
	if err := in.rounds(ctx, s); err != nil {
		return err
	}
	in.report(s, r)
	return holds(in.box.addr, "payment_intent", before["payment_intent"]+in.box.answered(0))
}

// prepare builds the requests and gets every server warm. Hello's answers are as long as the sandbox's.
func (in ring) prepare(ctx context.Context, s settings) error {
	id, err := customer(in.box.addr)
	if err != nil {
		return err
	}
	in.box.advance = advance(in.box.addr, 60)
	sizes := make([]int, len(measuredRequests))
	for _, c := range []*contender{in.mock, in.box} {
		c.requests = []*request{pay(c.addr), get(c.addr, "/v1/customers/"+id)}
		for i, one := range c.requests {
			body, err := ask(c.addr, one)
			if err != nil {
				return err
			}
			sizes[i] = len(body)
		}
	}
	in.hello.requests = []*request{post(in.hello.addr, fmt.Sprint("/", sizes[0]), payBody), get(in.hello.addr, fmt.Sprint("/", sizes[1]))}
	for _, c := range in.all() {
		c.samples = map[measured][]sample{}
		for i := range measuredRequests {
			if err := c.take(ctx, measured{i, 16}, s.length); err != nil {
				return err
			}
		}
		clear(c.samples)
	}
	return nil
}

// rounds takes every measurement as often as it is to be taken. Who is first in a round is last in the next.
func (in ring) rounds(ctx context.Context, s settings) error {
	order := in.all()
	for range s.rounds {
		for i := range measuredRequests {
			for _, connections := range measuredConnections {
				for _, c := range order {
					if err := c.take(ctx, measured{i, connections}, s.length); err != nil {
						return err
					}
				}
			}
		}
		slices.Reverse(order)
	}
	return nil
}

// goals of the speed, by what is measured: of the rate and of the 99th percentile, beside stripe-mock's.
var (
	rateGoals = map[measured]goal{{0, 64}: {least: 3}, {1, 64}: {least: 3}}
	tailGoals = map[measured]goal{{0, 64}: {most: 1.0 / 5}}
)

func (in ring) report(s settings, r *report) {
	figures := table{title: "Requests", columns: []string{"", "connections", "server", "requests/s", "p50 ms", "p99 ms", "slowest ms", "processor µs a request"}}
	compared := table{title: "Requests, beside stripe-mock", columns: against}
	for i, what := range measuredRequests {
		for _, connections := range measuredConnections {
			m := measured{i, connections}
			for _, c := range in.all() {
				figures.rows = append(figures.rows, c.row(what, m))
			}
			what := fmt.Sprintf("%s, %d at once", what, connections)
			ours, mocks := in.box.samples[m], in.mock.samples[m]
			compared.rows = append(compared.rows,
				rateGoals[m].row(what+": requests/s", ratios(ours, mocks, sample.perSecond)),
				tailGoals[m].row(what+": p99", ratios(ours, mocks, sample.tail)),
				goal{}.row(what+": processor time a request", ratios(ours, mocks, sample.cost)),
				goal{}.row(what+": requests/s, beside hello", ratios(ours, in.hello.samples[m], sample.perSecond)))
		}
	}
	figures.before = fmt.Sprintf("%d rounds of %s each, interleaved; medians.", s.rounds, s.length)
	r.add(compared)
	r.add(figures)
}

func (c *contender) row(what string, m measured) []string {
	all := c.samples[m]
	return []string{what, fmt.Sprint(m.connections), c.name, thousands(int64(median(column(all, sample.perSecond)))),
		ms(median(column(all, sample.half))), ms(median(column(all, sample.tail))), ms(median(column(all, sample.slowest))),
		micros(median(column(all, sample.cost)))}
}
