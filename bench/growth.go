package main

import (
	"context"
	"fmt"
	"time"
)

// The small world, and how much of each request is measured in a round: so many, but no longer than that.
const (
	fewCustomers = 1000
	grownCount   = 200
	grownLength  = 500 * time.Millisecond
	eras         = 10 // in which a world is filled, an hour of its clock apart
)

// crowd is a sandbox with customers.
type crowd struct {
	*server
	names    []string
	requests []*request
	samples  [][]sample // by request
}

// growth compares the latency of single requests in a small and in a large world, each in a process of its own.
func growth(ctx context.Context, s settings, r *report) error {
	var both [2]*crowd
	var began time.Duration
	for i, size := range []int64{fewCustomers, s.customers} {
		one, err := launch(ctx, sandboxCommand(s)...)
		if err != nil {
			return err
		}
		defer one.stop()
		start := time.Now()
		c := &crowd{server: one}
		if err := c.populate(ctx, size); err != nil {
			return err
		}
		began = time.Since(start)
		if err := c.prepare(size); err != nil {
			return err
		}
		both[i] = c
	}
	small, large := both[0], both[1]
	for range s.rounds {
		for i := range small.requests {
			for _, c := range both {
				if err := c.take(ctx, i); err != nil {
					return err
				}
			}
		}
	}
	held, err := total(large.addr)
	if err != nil {
		return err
	}
	now, _ := large.resident()
	reportGrowth(s, r, small, large, fmt.Sprintf("The large world was filled in %s (%s customers a second) and holds %s objects in %s MB.",
		began.Round(time.Second/10), thousands(int64(float64(s.customers)/began.Seconds())), thousands(held), megabytes(now)))
	return nil
}

// person is the customer of a number.
const person = "email=customer-" + numbered + "%40example.com&name=Jenny+Rosen&metadata[user]=" + numbered

// populate makes customers, in eras of the world's clock.
func (c *crowd) populate(ctx context.Context, size int64) error {
	make := post(c.addr, "/v1/customers", person)
	for range eras {
		if err := fill(ctx, c.addr, make, size/eras); err != nil {
			return err
		}
		if _, err := ask(c.addr, advance(c.addr, 3600)); err != nil {
			return err
		}
	}
	return holds(c.addr, "customer", size/eras*eras)
}

// prepare builds the requests: about the customer in the middle, and about the middle of the time.
func (c *crowd) prepare(size int64) error {
	email := fmt.Sprintf("customer-%010d@example.com", size/2)
	var found struct {
		Data []struct {
			ID      string
			Created int64
		}
	}
	if err := askFor(c.addr, get(c.addr, "/v1/customers?email="+email), &found); err != nil {
		return err
	}
	if len(found.Data) != 1 {
		return fmt.Errorf("%d customers have the email %s", len(found.Data), email)
	}
	middle := found.Data[0]
	for _, one := range []struct{ name, query string }{
		{"get", "/" + middle.ID},
		{"list", ""},
		{"list, limit=100&starting_after=", "?limit=100&starting_after=" + middle.ID},
		{"list, email=", "?email=" + email},
		{"list, email= of nobody", "?email=nobody@example.com"},
		{"list, created[gte]=", fmt.Sprint("?created[gte]=", middle.Created)},
		{"list, created[lt]=", fmt.Sprint("?created[lt]=", middle.Created-3600)},
		{"list, created[gte]= in the future", fmt.Sprint("?created[gte]=", middle.Created+1<<20)},
		{`search, email:"…"`, `/search?query=email:%22` + email + `%22`},
	} {
		c.names = append(c.names, one.name)
		c.requests = append(c.requests, get(c.addr, "/v1/customers"+one.query))
	}
	c.names = append(c.names, "create")
	c.requests = append(c.requests, post(c.addr, "/v1/customers", customerBody))
	c.samples = make([][]sample, len(c.requests))
	return nil
}

// take measures one kind of request over one connection.
func (c *crowd) take(ctx context.Context, i int) error {
	got, err := load(ctx, c.addr, c.requests[i], loading{connections: 1, count: grownCount, length: grownLength})
	if err != nil {
		return fmt.Errorf("%s: %w", c.names[i], err)
	}
	c.samples[i] = append(c.samples[i], got)
	return nil
}

func reportGrowth(s settings, r *report, small, large *crowd, words string) {
	t := table{title: "Growth", columns: append([]string{"customers", thousands(fewCustomers) + ": p50, p99 µs", thousands(s.customers) + ": p50, p99 µs"}, against[1:]...), after: []string{words}}
	for i, name := range small.names {
		few, many := small.samples[i], large.samples[i]
		verdict := goal{most: 1.5}.row(name, ratios(many, few, sample.half))
		t.rows = append(t.rows, append([]string{name, micros(median(column(few, sample.half))) + ", " + micros(median(column(few, sample.tail))),
			micros(median(column(many, sample.half))) + ", " + micros(median(column(many, sample.tail)))}, verdict[1:]...))
	}
	r.add(t)
}
