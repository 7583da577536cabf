package cli

import (
	"fmt"

	box "github.com/till-pay/till/sandbox"
)

// boxes is the sandbox and what there is to know about it. It runs where no other command is given.
type boxes struct {
	Run      sandbox  `cmd:"" default:"withargs" help:"Serve Stripe's API until Ctrl-C; the word run can be left out."`
	Coverage coverage `cmd:"" help:"What it has of Stripe's API, by family."`
}

// Help is the end of --help.
func (boxes) Help() string {
	return sandbox{}.Help() + "\n\nIts flags: till sandbox run --help."
}

type sandbox struct {
	Addr string `env:"TILL_SANDBOX_ADDR" default:"127.0.0.1:12111" help:"Where it listens; loopback only."`
}

// Help is the end of --help.
func (sandbox) Help() string {
	return `Any key of the form sk_test_… opens a world of its own. Example, with curl and with Node:

  curl http://127.0.0.1:12111/v1/payment_intents -u sk_test_mine: -d amount=1000 -d currency=usd -d payment_method=pm_card_visa -d confirm=true -d "payment_method_types[]=card"

  const stripe = require('stripe')('sk_test_mine', {protocol: 'http', host: '127.0.0.1', port: 12111})`
}

// Run serves until it is told to stop.
func (s *sandbox) Run(c *console) error {
	if err := loopback("--addr", s.Addr); err != nil {
		return err
	}
	l, err := listen("the sandbox", "--addr", s.Addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "Stripe in a box: http://%s (any key sk_test_… opens a world of its own; Ctrl-C stops)\n", l.Addr())
	return box.NewServer().Serve(c.ctx, l)
}
