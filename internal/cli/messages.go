package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"text/tabwriter"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/message"
)

type messages struct {
	remote
	State    string `placeholder:"STATE" help:"Only these: queued, sending, sent, failed, unknown or expired."`
	Template string `placeholder:"NAME" help:"Only messages from this template."`
	Payment  string `placeholder:"ID" help:"Only messages about this payment."`
	Limit    int    `placeholder:"N" default:"50" help:"So many at most, newest first (${default})."`
	JSON     bool   `name:"json" help:"One JSON object a line, with the whole text."`
}

// Help is the end of --help.
func (messages) Help() string {
	return `What was told to customers about their payments, or waits to be: POST /v1/messages writes one. Example:

  till messages --state queued
  till messages --payment 01a1fd10-… --json`
}

// Run lists the messages.
func (m *messages) Run(c *console) error {
	till, err := m.client()
	if err != nil {
		return err
	}
	if m.Limit < 1 {
		return errors.New("--limit must be 1 or more")
	}
	q := url.Values{"limit": {strconv.Itoa(min(m.Limit, 100))}}
	for name, value := range map[string]string{"state": m.State, "template": m.Template, "payment_id": m.Payment} {
		if value != "" {
			q.Set(name, value)
		}
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	shown := 0
	err = client.Each(c.ctx, till, "/v1/messages", q, func(one message.Message) error {
		if shown == m.Limit {
			return errEnough
		}
		if shown++; m.JSON {
			fmt.Fprintln(c.out, db.JSON(one))
			return nil
		}
		if shown == 1 {
			fmt.Fprintln(w, "WRITTEN\tSTATE\tTO\tTEMPLATE\tAMOUNT\tPAYMENT\tERROR")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s %s\t%s\t%.80s\n", second(one.CreatedAt), one.State, one.To, one.Template, one.Figures["amount"], one.Figures["currency"], one.PaymentID, orDash(one.Error))
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if shown == 0 && !m.JSON {
		fmt.Fprintln(c.err, "There are no such messages.")
	}
	return w.Flush()
}
