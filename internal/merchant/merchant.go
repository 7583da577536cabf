// Package merchant is who sells: merchants, their API keys, their Stripe credentials and where they hear of events.
//
// Everything that opens something is kept so that a copy of the database opens nothing: API keys as hashes, Stripe's secrets
// and our signing secrets as ciphertext under a master key that lives in a file elsewhere.
package merchant

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

// The modes: test money and live money never meet.
const (
	Test = "test"
	Live = "live"
)

// Merchants is the collection. It is safe for use by many goroutines.
type Merchants struct {
	DB     *db.DB
	Clock  clock.Clock
	Log    *slog.Logger
	Sealer *Sealer
	// Base is where Stripe is: stripe.APIBase, or the sandbox.
	Base string
	// HTTP reaches Stripe.
	HTTP *http.Client
	// PublicURL is where the world, Stripe above all, reaches this till, such as https://pay.example.com; "" where the operator has not said.
	PublicURL string
	// InboundEvents are the types of Stripe's events that the inbox takes in: what a webhook endpoint is registered for.
	InboundEvents func() []string
	// CheckURL says whether deliveries may go to a URL: its scheme, and every address that its host has.
	CheckURL func(ctx context.Context, url string) error
	// Admit refuses a Stripe key that this till cannot work with; nil admits all.
	Admit func(ctx context.Context, scope db.Scope, key Secret) error
	// Turned is called when a merchant's Stripe key has changed, before the merchant hears so. nil where nobody needs to know.
	Turned func(ctx context.Context)

	clients clients
	inbound inbound
}

// Merchant is one who sells.
type Merchant struct {
	ID        string
	Name      string
	CreatedAt time.Time
}

const longestName = 100

// CreateMerchant adds a merchant. Names are unique: people choose merchants by them on the command line.
func (m *Merchants) CreateMerchant(ctx context.Context, name string) (Merchant, error) {
	name = strings.TrimSpace(name)
	if err := checkName(name); err != nil {
		return Merchant{}, err
	}
	if id.Valid(name) {
		return Merchant{}, fault.New(fault.ParameterInvalid, "name", "A merchant's name cannot have the form of an id.")
	}
	made := Merchant{ID: id.New(), Name: name, CreatedAt: m.Clock.Now()}
	err := m.DB.Write(ctx, insertMerchant(made))
	if db.IsMoved(err) {
		return Merchant{}, fault.New(fault.ParameterInvalid, "name", "There is a merchant called %s already.", name)
	}
	if err != nil {
		return Merchant{}, err
	}
	return made, nil
}

// Find is the merchant of an id or a name.
func (m *Merchants) Find(ctx context.Context, idOrName string) (Merchant, error) {
	found, err := findMerchant(ctx, m.DB, strings.TrimSpace(idOrName))
	if errors.Is(err, db.ErrNone) {
		return Merchant{}, fault.New(fault.ResourceMissing, "merchant", "There is no merchant with this id or name.")
	}
	return found, err
}

// mostListed bounds List.
const mostListed = 10_000

// List are the merchants, oldest first, ten thousand at most: it is for the operator's commands, not for the API.
func (m *Merchants) List(ctx context.Context) ([]Merchant, error) {
	return listMerchants(ctx, m.DB, mostListed)
}

// checkName holds for names that people give: of merchants, and of keys.
func checkName(name string) error {
	switch {
	case name == "":
		return fault.New(fault.ParameterMissing, "name", "A name is required.")
	case utf8.RuneCountInString(name) > longestName:
		return fault.New(fault.ParameterInvalid, "name", "A name is at most %d characters long.", longestName)
	case !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl):
		return fault.New(fault.ParameterInvalid, "name", "A name is text in one line.")
	}
	return nil
}

func checkMode(mode string) error {
	if mode != Test && mode != Live {
		return fault.New(fault.ParameterInvalid, "mode", "The mode is test or live.")
	}
	return nil
}
