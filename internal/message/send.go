package message

import (
	"context"
	"errors"
	"log/slog"
	"net/textproto"
	"strconv"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/task"
)

// Task sends what is due. A till without a mail server has none: its messages stay queued.
func (s *Messages) Task() task.Task {
	return task.Task{Name: "message.send", Every: 5 * time.Second, Run: s.Send}
}

// Send sends some of what is due and says whether more may be. A message goes out at most once: it is claimed before, and one whose claim
// was left behind is not taken up again.
func (s *Messages) Send(ctx context.Context) (more bool, err error) {
	due, err := s.due(ctx)
	if err != nil {
		return false, err
	}
	for _, m := range due {
		if ctx.Err() != nil {
			return false, nil
		}
		if err := s.send(ctx, m); err != nil && !db.IsMoved(err) {
			return false, err
		}
	}
	return len(due) == batch, nil
}

func (s *Messages) send(ctx context.Context, m Message) error {
	now := s.Clock.Now()
	switch {
	case m.State == Sending: // the node that claimed it is gone
		return s.DB.Write(ctx, settle(m.ended(Unknown, "the node that sent it ended before it knew"), Sending, m.Attempts))
	case now.Sub(m.CreatedAt) > freshFor:
		return s.DB.Write(ctx, settle(m.ended(Expired, "it was not sent within three days"), Queued, m.Attempts))
	}
	if p, err := s.Payments.Get(ctx, m.scope, m.PaymentID); err != nil {
		return err
	} else if t, err := templateOf(m.Template); err == nil && !t.fit(p) {
		return s.DB.Write(ctx, settle(m.ended(Expired, "the payment is "+string(p.Status)+" by now"), Queued, m.Attempts))
	}
	if err := s.DB.Write(ctx, claim(m, s.Clock.Machine().Now().Add(lease))); err != nil {
		return err
	}
	m.Attempts++
	bounded, cancel := context.WithTimeout(ctx, patience)
	verdict, err := s.Mail.send(bounded, m)
	cancel()
	next := m.after(verdict, err, s.Clock.Now())
	s.Log.LogAttrs(ctx, slog.LevelInfo, "message", slog.String("message", m.ID), slog.String("merchant", m.scope.Merchant), slog.String("state", string(next.State)), slog.String("error", unnamed(err)))
	return s.DB.Write(context.WithoutCancel(ctx), settle(next, Sending, m.Attempts))
}

// after is a message after an attempt to send it: a pure function of what the mail server said.
func (m Message) after(v verdict, err error, at time.Time) Message {
	why := ""
	if err != nil {
		why = clip(err.Error())
	}
	switch {
	case v == taken:
		m = m.ended(Sent, "")
		m.SentAt = &at
	case v == perhaps:
		m = m.ended(Unknown, why)
	case v == refused || m.Attempts >= mostTries:
		m = m.ended(Failed, why)
	default:
		m.State, m.Error, m.dueAt = Queued, why, at.Add(backoff(m.Attempts))
	}
	return m
}

// ended is a message that is due no more.
func (m Message) ended(as State, why string) Message {
	m.State, m.Error, m.dueAt = as, why, time.Time{}
	return m
}

// unnamed is an error as it may be logged: a mail server's own words name the customer.
func unnamed(err error) string {
	var said *textproto.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &said):
		return "the mail server answered " + strconv.Itoa(said.Code)
	}
	return clip(err.Error())
}

func clip(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
