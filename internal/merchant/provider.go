package merchant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/stripe"
)

// Name is the one provider that till speaks to.
const Name = "stripe"

// Provider is the Stripe account that a merchant uses in one mode, or used. Each time the merchant turns to another account the
// generation grows by one; payments, cards and calls remember under which generation they were made.
type Provider struct {
	db.Scope
	Generation      int64
	Account         string // acct_…
	Country         string // of the account, as ISO 3166 has it; "" where it was configured before till asked
	Currency        string // that the account settles in by default, in capitals; "" likewise
	PublishableKey  string // pk_…, or "" where none was given
	WebhookEndpoint string // we_…, where till registered the endpoint at Stripe itself
	WebhookToken    string // the secret part of the merchant's own URL for Stripe's webhooks
	CreatedAt       time.Time
	UpdatedAt       time.Time

	webhookURL    string // what the endpoint was registered with
	secretKey     string // sealed
	webhookSecret string // sealed, or "" where none was given
}

// HasWebhookSecret says whether Stripe's events to this account can be verified. Where they cannot, they are no more than hints.
func (p Provider) HasWebhookSecret() bool { return p.webhookSecret != "" }

// WebhookPath is the merchant's own URL for Stripe's webhooks, on this till.
func (p Provider) WebhookPath() string {
	return "/v1/webhooks/stripe/" + p.Merchant + "/" + p.WebhookToken
}

// place is where a sealed column of this generation stands.
func (p Provider) place(column string) string {
	return fmt.Sprintf("providers|%s|%s|%s|%d", column, p.Merchant, p.Mode, p.Generation)
}

// Provider is the account that a merchant uses now, in one mode.
func (m *Merchants) Provider(ctx context.Context, scope db.Scope) (Provider, error) {
	p, err := newestProvider(ctx, m.DB, scope)
	if errors.Is(err, db.ErrNone) {
		return Provider{}, providerUnset(scope)
	}
	return p, err
}

// Accounts are the Stripe accounts that a merchant uses or used in one mode: each under its newest generation, the one in use first.
func (m *Merchants) Accounts(ctx context.Context, scope db.Scope) (all []Provider, err error) {
	rows, err := listProviders(ctx, m.DB, scope)
	if err == nil && len(rows) == 0 {
		err = providerUnset(scope)
	}
	for _, p := range rows {
		if latestOf(all, p.Account) == nil {
			all = append(all, p)
		}
	}
	return all, err
}

// SameAccount says whether two generations are of one Stripe account: a merchant that left an account and came back has several of it.
func (m *Merchants) SameAccount(ctx context.Context, scope db.Scope, a, b int64) (bool, error) {
	if a == b {
		return true, nil
	}
	one, err := findProvider(ctx, m.DB, scope, a)
	if err == nil {
		var other Provider
		if other, err = findProvider(ctx, m.DB, scope, b); err == nil {
			return one.Account == other.Account, nil
		}
	}
	if errors.Is(err, db.ErrNone) {
		return false, nil
	}
	return false, err
}

func providerUnset(scope db.Scope) error {
	return fault.New(fault.ProviderUnset, "", "There are no Stripe credentials for %s mode yet: PUT /v1/merchant/providers first.", scope.Mode)
}

// Client speaks to Stripe with the credentials of one generation. Whether they have changed is asked each time, so that a new
// secret key is used at once on every node.
func (m *Merchants) Client(ctx context.Context, scope db.Scope, generation int64) (*stripe.Client, error) {
	if err := m.checkAddress(scope.Mode); err != nil {
		return nil, err
	}
	p, err := findProvider(ctx, m.DB, scope, generation)
	if errors.Is(err, db.ErrNone) {
		return nil, providerUnset(scope)
	}
	if err != nil {
		return nil, err
	}
	return m.clients.of(p, func() (*stripe.Client, error) {
		secret, err := m.Sealer.Open(p.secretKey, p.place("secret_key"))
		if err != nil {
			return nil, err
		}
		if stripe.LiveKey(secret) != (p.Mode == Live) {
			return nil, fault.New(fault.ProviderModeMismatch, "", "The stored secret key is not one of %s mode.", p.Mode)
		}
		return stripe.NewClient(m.base(), secret, m.HTTP), nil
	})
}

// TestKeys are the Stripe keys that merchants use in test mode now, each once; without those of the merchant except, which may be "".
// It looks at ten thousand merchants at most.
func (m *Merchants) TestKeys(ctx context.Context, except string) (keys []Secret, err error) {
	rows, err := listNewest(ctx, m.DB, Test, mostListed)
	if err != nil {
		return nil, err
	}
	for _, p := range rows {
		if p.Merchant == except {
			continue
		}
		opened, err := m.Sealer.Open(p.secretKey, p.place("secret_key"))
		if err != nil {
			return nil, err
		}
		if key := Secret(opened); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// clients keeps the clients of the accounts that are in use, so that a secret is opened once and connections are shared.
type clients struct {
	mu   sync.Mutex
	kept map[account]keptClient
}

type account struct {
	db.Scope
	generation int64
}

type keptClient struct {
	*stripe.Client
	madeFor time.Time // updated_at of the row
}

// mostClients bounds the cache; beyond it any entry makes room.
const mostClients = 1024

func (c *clients) of(p Provider, open func() (*stripe.Client, error)) (*stripe.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := account{p.Scope, p.Generation}
	if k, ok := c.kept[key]; ok && k.madeFor.Equal(p.UpdatedAt) {
		return k.Client, nil
	}
	made, err := open()
	if err != nil {
		return nil, err
	}
	if c.kept == nil {
		c.kept = map[account]keptClient{}
	}
	for other := range c.kept {
		if len(c.kept) < mostClients {
			break
		}
		delete(c.kept, other)
	}
	c.kept[key] = keptClient{made, p.UpdatedAt}
	return made, nil
}

func (m *Merchants) base() string { return strings.TrimRight(m.Base, "/") }

// checkAddress keeps live keys from every address but Stripe's own.
func (m *Merchants) checkAddress(mode string) error {
	if mode == Live && m.base() != stripe.APIBase {
		return fault.New(fault.ProviderAddress, "", "A live key is sent only to %s, and this till is set up to talk to another address.", stripe.APIBase)
	}
	return nil
}

// CheckLiveKeys refuses to start a till that holds live keys and talks to another address than Stripe's own.
func (m *Merchants) CheckLiveKeys(ctx context.Context) error {
	if m.base() == stripe.APIBase {
		return nil
	}
	live, err := anyLive(ctx, m.DB)
	if err != nil {
		return err
	}
	if live {
		return fmt.Errorf("the database holds live Stripe keys, which go to %s only, and this till is set up to talk to %s: set TILL_STRIPE_URL right, or use another database", stripe.APIBase, m.base())
	}
	return nil
}

// timeout bounds all that a request of ours asks of Stripe.
const timeout = 10 * time.Second
