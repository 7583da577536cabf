package merchant

import (
	"context"
	"errors"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
)

// Settings are what a merchant has chosen in one mode. All is off until it is chosen.
type Settings struct {
	DuplicateGuard DuplicateGuard `json:"duplicate_guard"`
}

// DuplicateGuard holds a payment back that looks like one made a little before under another key, and asks the merchant.
type DuplicateGuard struct {
	Enabled bool  `json:"enabled" example:"true" doc:"Hold a payment of the same customer, amount and card as one made shortly before under another key."`
	Minutes int64 `json:"minutes,omitempty" minimum:"1" maximum:"1440" default:"10" example:"10" doc:"How long shortly is, from when the earlier payment was made, or released where it was held."`
}

// Within is how long after a payment another one like it is held: no time where the guard is off.
func (g DuplicateGuard) Within() time.Duration {
	if !g.Enabled {
		return 0
	}
	return time.Duration(g.Minutes) * time.Minute
}

// defaults are the settings of a merchant that has chosen nothing.
var defaults = Settings{DuplicateGuard{Enabled: false, Minutes: 10}}

// Settings are what the merchant has chosen, asked anew each time: a choice holds at once on every node.
func (m *Merchants) Settings(ctx context.Context, scope db.Scope) (Settings, error) {
	s, err := findSettings(ctx, m.DB, scope)
	if errors.Is(err, db.ErrNone) {
		return defaults, nil
	}
	return s, err
}

// Choose keeps what the merchant has chosen.
func (m *Merchants) Choose(ctx context.Context, scope db.Scope, s Settings) (Settings, error) {
	return s, m.DB.Write(ctx, saveSettings(scope, s, m.Clock.Now()))
}

func findSettings(ctx context.Context, q db.Querier, s db.Scope) (Settings, error) {
	return db.One(ctx, q, func(r db.Row) (x Settings, err error) {
		return x, r.Scan(&x.DuplicateGuard.Enabled, &x.DuplicateGuard.Minutes)
	}, `select duplicate_guard, duplicate_minutes from merchant_settings where merchant = $1 and mode = $2`, s.Merchant, s.Mode)
}

func saveSettings(scope db.Scope, s Settings, at time.Time) db.Change {
	return db.Change{
		SQL: `insert into merchant_settings (merchant, mode, duplicate_guard, duplicate_minutes, updated_at) values ($1, $2, $3, $4, $5)
			on conflict (merchant, mode) do update set duplicate_guard = excluded.duplicate_guard, duplicate_minutes = excluded.duplicate_minutes, updated_at = excluded.updated_at`,
		Args: []any{scope.Merchant, scope.Mode, s.DuplicateGuard.Enabled, s.DuplicateGuard.Minutes, db.Micros(at)}, Rows: 1,
	}
}

type settingsInput struct{ Body Settings }

func (m *Merchants) settingsRoutes(a *api.API, tag string) {
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/merchant/settings", Summary: "Show the settings", Tag: tag, Scope: api.MerchantRead,
		Text: "What the merchant has chosen in the key's mode; the defaults where nothing was chosen."},
		func(ctx context.Context, c api.Caller, _ *nothing) (api.Reply[Settings], error) {
			s, err := m.Settings(ctx, c.Scope)
			return api.Reply[Settings]{Data: s}, err
		})
	api.Add(a, api.Operation{Method: "PUT", Path: "/v1/merchant/settings", Summary: "Change the settings", Tag: tag, Scope: api.MerchantWrite,
		Text: "For the key's mode; it holds at once. With the duplicate guard on, a payment that looks like an earlier one waits with the status `held` until you release or cancel it."},
		func(ctx context.Context, c api.Caller, in *settingsInput) (api.Reply[Settings], error) {
			s, err := m.Choose(ctx, c.Scope, in.Body)
			return api.Reply[Settings]{Data: s}, err
		})
}
