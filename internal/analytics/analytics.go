// Package analytics is what a merchant's figures say: reports over what other rooms have written. It writes nothing and decides nothing.
//
// A rate is only ever shown with what it was counted over. What was before and after a day is measured, and nothing is foretold from it.
package analytics

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/localprice"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
)

// Reports are all reports.
type Reports struct {
	DB        *db.DB
	Clock     clock.Clock
	Merchants *merchant.Merchants
	Prices    *localprice.Prices
}

// Span is the time that a report is about.
type Span struct {
	Since time.Time `query:"since" doc:"From this time on (RFC 3339); 30 days before until, where it is left out."`
	Until time.Time `query:"until" doc:"Before this time (RFC 3339); now where it is left out."`
	Last  string    `query:"last" maxLength:"20" example:"720h" doc:"In place of since: how long before until, such as 720h."`
}

const (
	usualSpan   = 30 * 24 * time.Hour
	longestSpan = 366 * 24 * time.Hour
)

// within fills in what is left out, and refuses what is too long or the wrong way round.
func (s Span) within(now time.Time) (Span, error) {
	if s.Until.IsZero() {
		s.Until = now
	}
	long := usualSpan
	if s.Last != "" {
		var err error
		if long, err = time.ParseDuration(s.Last); err != nil || !s.Since.IsZero() {
			return s, fault.New(fault.ParameterInvalid, "last", "Give since, or last: a time such as 720h.")
		}
	}
	if s.Since.IsZero() {
		s.Since = s.Until.Add(-long)
	}
	switch took := s.Until.Sub(s.Since); {
	case took <= 0:
		return s, fault.New(fault.ParameterInvalid, "since", "A report is about a time that begins before it ends.")
	case took > longestSpan:
		return s, fault.New(fault.ParameterInvalid, "since", "A report is about a year at most.")
	}
	return s, nil
}

// account is the merchant's Stripe account, and what it settles in by default.
func (s *Reports) account(ctx context.Context, scope db.Scope) (merchant.Provider, money.Currency, error) {
	p, err := s.Merchants.Provider(ctx, scope)
	return p, money.Currency(p.Currency), err
}
