package merchant

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

// Endpoint is where a merchant hears of events. Its deliveries are numbered without gaps from 1.
type Endpoint struct {
	db.Scope
	ID        string
	URL       string
	NextSeq   int64 // the number of the next delivery
	CreatedAt time.Time
	UpdatedAt time.Time
}

func (e Endpoint) place() string {
	return fmt.Sprintf("endpoints|secret|%s|%s|%s", e.Merchant, e.Mode, e.ID)
}

// Endpoint is where the merchant hears of events in one mode, or db.ErrNone.
func (m *Merchants) Endpoint(ctx context.Context, scope db.Scope) (Endpoint, error) {
	return findEndpoint(ctx, m.DB, scope)
}

// EndpointSecret is what deliveries are signed with: whsec_ and the key's base64, as Standard Webhooks has it.
func (m *Merchants) EndpointSecret(ctx context.Context, e Endpoint) (string, error) {
	sealed, err := findEndpointSecret(ctx, m.DB, e.Scope, e.ID)
	if err != nil {
		return "", err
	}
	return m.Sealer.Open(sealed, e.place())
}

// ListenInput says where a merchant wants to hear of events.
type ListenInput struct {
	URL          string `json:"webhook_url" maxLength:"2048" doc:"An https URL, without user name or password in it." example:"https://shop.example.com/webhooks"`
	RotateSecret bool   `json:"rotate_secret,omitempty" doc:"Make a new signing secret; the old one ends at once."`
}

// Listen sets the URL that the merchant's events go to. secret is the signing secret where it was made just now, and "" otherwise:
// it is given out once.
func (m *Merchants) Listen(ctx context.Context, scope db.Scope, in ListenInput) (e Endpoint, secret string, err error) {
	address := strings.TrimSpace(in.URL)
	if err := checkURL(address); err != nil {
		return Endpoint{}, "", err
	}
	if err := m.reachable(ctx, address); err != nil {
		return Endpoint{}, "", err
	}
	err = m.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		was, err := findEndpoint(ctx, m.DB, scope)
		now := m.Clock.Now()
		switch {
		case errors.Is(err, db.ErrNone):
			e, secret = Endpoint{Scope: scope, ID: id.New(), URL: address, NextSeq: 1, CreatedAt: now, UpdatedAt: now}, newSecret()
			sealed, err := m.Sealer.Seal(secret, e.place())
			return []db.Change{insertEndpoint(e, sealed)}, err
		case err != nil:
			return nil, err
		}
		e, secret = was, ""
		e.URL, e.UpdatedAt = address, after(was.UpdatedAt, now)
		sealed, err := findEndpointSecret(ctx, m.DB, scope, e.ID)
		if in.RotateSecret && err == nil {
			secret = newSecret()
			sealed, err = m.Sealer.Seal(secret, e.place())
		}
		return []db.Change{updateEndpoint(e, sealed, was.UpdatedAt)}, err
	})
	if err != nil {
		return Endpoint{}, "", err
	}
	return e, secret, nil
}

// newSecret is a signing secret in the form of Standard Webhooks: a key of 24 bytes.
func newSecret() string { return "whsec_" + base64.StdEncoding.EncodeToString(id.Secret(24)) }

const longestURL = 2048

// checkURL refuses what is no web address, whatever it leads to.
func checkURL(address string) error {
	bad := func(why string) error { return fault.New(fault.ParameterInvalid, "webhook_url", "%s", why) }
	u, err := url.Parse(address)
	switch {
	case address == "":
		return fault.New(fault.ParameterMissing, "webhook_url", "The field webhook_url is required.")
	case len(address) > longestURL:
		return bad("The webhook URL is longer than 2048 characters.")
	case err != nil, u.Hostname() == "", u.Opaque != "":
		return bad("The webhook URL is not a whole URL, such as https://shop.example.com/webhooks.")
	case u.Scheme != "https" && u.Scheme != "http":
		return bad("The webhook URL must begin with https://.")
	case u.User != nil:
		return bad("The webhook URL must not hold a user name or password; deliveries prove themselves by their signature.")
	case u.Fragment != "" || strings.Contains(address, "#"):
		return bad("The webhook URL must not hold a fragment (#…).")
	}
	return nil
}

// reachable asks whether deliveries may go there: the scheme, and every address of the host.
func (m *Merchants) reachable(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := m.CheckURL(ctx, address)
	if err == nil {
		return nil
	}
	f, ok := fault.As(err)
	if !ok {
		f = fault.New(fault.WebhookAddress, "", "Deliveries may not go to this webhook URL, or its host is not known.").Because(err)
	}
	told := *f
	told.Param = "webhook_url"
	return &told
}
