package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/scenario"
)

type scenarios struct {
	List  scenarioList  `cmd:"" help:"List the support cases that can be played."`
	Run   scenarioRun   `cmd:"" help:"Play a case in a throw-away world: stage it, find its cause, repair it, write the letter."`
	Stage scenarioStage `cmd:"" help:"Stage a case in a sandbox and a till that run, to be worked by hand."`
}

type scenarioList struct {
	JSON bool `name:"json" help:"One JSON object a line."`
}

// Run lists the cases.
func (l *scenarioList) Run(c *console) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	if !l.JSON {
		fmt.Fprintln(w, "NR\tCASE\tMERCHANT\tPRIORITY")
	}
	for _, s := range scenario.All() {
		if l.JSON {
			fmt.Fprintln(c.out, db.JSON(map[string]string{"scenario": s.Number, "title": s.Title, "merchant": s.Ticket.From, "priority": s.Ticket.Priority, "diagnosis": s.Diagnosis}))
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Number, s.Title, s.Ticket.From, s.Ticket.Priority)
	}
	return w.Flush()
}

type scenarioRun struct {
	Number string `arg:"" name:"nr" help:"The case, from till scenario list: 02."`
	Seed   uint64 `placeholder:"N" default:"1" help:"Stage another world of the same kind; 1 (the default) has the case's own figures."`
	DB     string `name:"db" placeholder:"URL" help:"postgres://…: keep the books in a schema of its own there, which goes away; an SQLite file that goes away where it is not given."`
	JSON   bool   `name:"json" help:"Print one JSON line at the end, for scripts; the transcript goes nowhere."`
}

// Help is the end of --help.
func (scenarioRun) Help() string {
	return `It starts a sandbox and a till of its own on this machine, and ends them. The exit status is 0 only if the cause was found, the
repair is verified, and nothing is left over between till's books and Stripe's, in any currency. Example:

  till scenario run 02
  till scenario run 11 --seed 7 --json`
}

// errUnsolved ends a run that came to its end without a solution; the transcript says why.
var errUnsolved = errors.New("the case is not solved")

// Run plays the case.
func (r *scenarioRun) Run(c *console) error {
	s, err := scenario.Find(r.Number)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, which plays the sandbox and the till: %w", err)
	}
	var out io.Writer
	if !r.JSON {
		out = c.out
	}
	result, err := scenario.Run(c.ctx, scenario.Config{Program: program, Database: r.DB, Out: out}, s, r.Seed)
	if r.JSON {
		fmt.Fprintln(c.out, db.JSON(result))
	}
	if err == nil && !result.Succeeded() {
		err = errUnsolved
	}
	return err
}

type scenarioStage struct {
	remote
	Number    string `arg:"" name:"nr" help:"The case, from till scenario list: 02."`
	Seed      uint64 `placeholder:"N" default:"1" help:"Stage another world of the same kind; 1 (the default) has the case's own figures."`
	StripeURL string `placeholder:"URL" env:"SANDBOX" default:"http://127.0.0.1:12111" help:"The sandbox."`
	StripeKey string `placeholder:"sk_test_…" env:"KEY" required:"" help:"The Stripe key whose world it is staged in: the one that till's merchant uses."`
	Out       string `placeholder:"DIR" default:"." help:"Where the files go that the merchant hands over."`
}

// Help is the end of --help.
func (scenarioStage) Help() string {
	return `For a till that lives in the sandbox's time. Example, with the lines to export that till up prints:

  till up --clock sandbox
  till scenario stage 02

It says then by which commands the case is worked.`
}

// Run stages the case.
func (s *scenarioStage) Run(c *console) error {
	found, err := scenario.Find(s.Number)
	if err != nil {
		return err
	}
	for flag, url := range map[string]string{"--stripe-url": s.StripeURL, "--url": s.URL} {
		if err := absolute(flag, url); err != nil {
			return err
		}
	}
	key := os.Getenv("TILL_API_KEY")
	if _, err := s.client(); err != nil { // it says what is missing
		return err
	}
	return scenario.Stage(c.ctx, scenario.Place{Till: s.URL, TillKey: key, Stripe: s.StripeURL, StripeKey: s.StripeKey, Dir: s.Out, Out: c.out}, found, s.Seed)
}
