package cli

import (
	"errors"
	"fmt"

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
	shown, err := table[message.Message]{
		path: "/v1/messages", query: filters(map[string]string{"state": m.State, "template": m.Template, "payment_id": m.Payment}), limit: m.Limit, json: m.JSON,
		heads: "WRITTEN\tSTATE\tTO\tTEMPLATE\tAMOUNT\tPAYMENT\tERROR",
		row: func(one message.Message) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%s %s\t%s\t%.80s", second(one.CreatedAt), one.State, one.To, one.Template, one.Figures["amount"], one.Figures["currency"], one.PaymentID, orDash(one.Error))
		},
	}.print(c, till)
	if err == nil && shown == 0 && !m.JSON {
		fmt.Fprintln(c.err, "There are no such messages.")
	}
	return err
}
