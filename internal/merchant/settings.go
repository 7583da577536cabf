package merchant

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

// Settings are what a merchant has chosen in one mode. All is off until it is chosen.
type Settings struct {
	DuplicateGuard  DuplicateGuard  `json:"duplicate_guard"`
	LocalCurrencies LocalCurrencies `json:"local_currencies"`
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

// LocalCurrencies lets customers pay in the currency of their country.
type LocalCurrencies struct {
	Enabled    bool             `json:"enabled" example:"true" doc:"GET /v1/local_price gives prices in the currency of the customer's country; switched off, it gives every price as it is."`
	Currencies []money.Currency `json:"currencies,omitempty" maxItems:"150" nullable:"false" doc:"To charge in, such as EUR and PLN; none given is every one that Stripe charges. Who pays in another is asked for your own price."`
	Since      *time.Time       `json:"since,omitempty" readOnly:"true" doc:"When it was switched on: reports part there what was before from what was after."`
}

// Charges says whether customers are charged in a currency.
func (l LocalCurrencies) Charges(c money.Currency) bool {
	return len(l.Currencies) == 0 || slices.Contains(l.Currencies, c)
}

// defaults are the settings of a merchant that has chosen nothing.
var defaults = Settings{DuplicateGuard: DuplicateGuard{Enabled: false, Minutes: 10}}

// Settings are what the merchant has chosen, asked anew each time: a choice holds at once on every node.
func (m *Merchants) Settings(ctx context.Context, scope db.Scope) (Settings, error) {
	s, err := findSettings(ctx, m.DB, scope)
	if errors.Is(err, db.ErrNone) {
		return defaults, nil
	}
	return s, err
}

// Choice is what a merchant chooses anew: what is nil stays as it is.
type Choice struct {
	DuplicateGuard  *DuplicateGuard  `json:"duplicate_guard,omitempty"`
	LocalCurrencies *LocalCurrencies `json:"local_currencies,omitempty"`
}

// Choose keeps what the merchant has chosen, and returns all that holds then.
func (m *Merchants) Choose(ctx context.Context, scope db.Scope, c Choice) (Settings, error) {
	if l := c.LocalCurrencies; l != nil {
		for i, one := range l.Currencies {
			known, err := money.ParseCurrency(string(one))
			if f, bad := fault.As(err); bad {
				return Settings{}, fault.New(f.Code, "local_currencies.currencies", "%s", f.Message)
			}
			l.Currencies[i] = known
		}
	}
	if err := m.DB.Write(ctx, saveSettings(scope, c, m.Clock.Now())); err != nil {
		return Settings{}, err
	}
	return m.Settings(ctx, scope)
}

func findSettings(ctx context.Context, q db.Querier, s db.Scope) (Settings, error) {
	return db.One(ctx, q, func(r db.Row) (x Settings, err error) {
		err = r.Scan(&x.DuplicateGuard.Enabled, &x.DuplicateGuard.Minutes, &x.LocalCurrencies.Enabled, db.Document(&x.LocalCurrencies.Currencies), db.MaybeAt(&x.LocalCurrencies.Since))
		return x, err
	}, `select duplicate_guard, duplicate_minutes, local_currencies, local_chosen, local_since from merchant_settings where merchant = $1 and mode = $2`, s.Merchant, s.Mode)
}

// saveSettings writes what was chosen beside what stays. Since when local currencies are on is kept while they stay on.
func saveSettings(scope db.Scope, c Choice, at time.Time) db.Change {
	guard, local, since := defaults.DuplicateGuard, defaults.LocalCurrencies, time.Time{}
	sql := `insert into merchant_settings (merchant, mode, duplicate_guard, duplicate_minutes, local_currencies, local_chosen, local_since, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (merchant, mode) do update set updated_at = excluded.updated_at`
	if c.DuplicateGuard != nil {
		guard, sql = *c.DuplicateGuard, sql+`, duplicate_guard = excluded.duplicate_guard, duplicate_minutes = excluded.duplicate_minutes`
	}
	if c.LocalCurrencies != nil {
		if local = *c.LocalCurrencies; local.Enabled {
			since = at
		}
		sql += `, local_currencies = excluded.local_currencies, local_chosen = excluded.local_chosen,
			local_since = case when excluded.local_currencies and merchant_settings.local_currencies then merchant_settings.local_since else excluded.local_since end`
	}
	return db.Change{SQL: sql, Args: []any{scope.Merchant, scope.Mode, guard.Enabled, guard.Minutes, local.Enabled, db.JSON(append([]money.Currency{}, local.Currencies...)),
		db.Micros(since), db.Micros(at)}, Rows: 1}
}

type settingsInput struct{ Body Choice }

func (m *Merchants) settingsRoutes(a *api.API, tag string) {
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/merchant/settings", Summary: "Show the settings", Tag: tag, Scope: api.MerchantRead,
		Text: "What the merchant has chosen in the key's mode; the defaults where nothing was chosen."},
		func(ctx context.Context, c api.Caller, _ *nothing) (api.Reply[Settings], error) {
			s, err := m.Settings(ctx, c.Scope)
			return api.Reply[Settings]{Data: s}, err
		})
	api.Add(a, api.Operation{Method: "PUT", Path: "/v1/merchant/settings", Summary: "Change the settings", Tag: tag, Scope: api.MerchantWrite,
		Text: "For the key's mode; it holds at once, and what is left out stays as it is. With the duplicate guard on, a payment that looks like an earlier one waits with the status `held` until you release or cancel it. " +
			"With local currencies on, `GET /v1/local_price` gives prices in the currency of a customer's country."},
		func(ctx context.Context, c api.Caller, in *settingsInput) (api.Reply[Settings], error) {
			s, err := m.Choose(ctx, c.Scope, in.Body)
			return api.Reply[Settings]{Data: s}, err
		})
}
