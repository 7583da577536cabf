package cli

import (
	"time"

	"github.com/till-pay/till/internal/diagnose"
)

type diagnoseDeclines struct {
	remote
	Since  span `default:"7d" placeholder:"7d" help:"The time in question: the last 7d, 72h."`
	Before span `default:"30d" placeholder:"30d" help:"The time before it, to compare with."`
	JSON   bool `name:"json" help:"One JSON object."`
}

// Help is the end of --help.
func (diagnoseDeclines) Help() string {
	return `It reads only; an API key with payments:read will do, and with merchant:read it also knows where the account is. Who declined is
told by the outcome of each charge (type and network_status), never by the decline code. Example:

  export TILL=https://pay.example.com TILL_API_KEY=…
  till diagnose declines --since 7d --before 30d`
}

// Run compares what was declined lately with the time before.
func (d *diagnoseDeclines) Run(c *console) error {
	till, err := d.client()
	if err != nil {
		return err
	}
	found, err := diagnose.FindDeclines(c.ctx, till, diagnose.DeclinesInput{Since: time.Duration(d.Since), Before: time.Duration(d.Before)})
	if err != nil {
		return err
	}
	tell(c, d.JSON, found)
	return nil
}
