package merchant

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"sync"
	"time"

	"github.com/till-pay/till/internal/db"
)

// InboundSecret is what proves that an event comes from Stripe, and whose it is. Secret is "" where the merchant gave none:
// then an event is no more than a hint.
type InboundSecret struct {
	db.Scope
	Generation int64
	Secret     string
}

// String keeps the secret out of every log.
func (s InboundSecret) String() string {
	return "signing secret of " + s.Merchant + " (" + s.Mode + ")"
}

// GoString implements fmt.GoStringer.
func (s InboundSecret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s InboundSecret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler: a log writes what is inside a list as JSON.
func (s InboundSecret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

const (
	// mostShared is how many secrets an event on the shared URL is tried against.
	mostShared = 32
	// fresh is how long another node's change may stay unseen on the shared URL; Stripe sends again what was refused.
	fresh = 5 * time.Second
)

// inbound keeps the opened secrets of the shared URL for a moment: whoever posts there must not make us read and decrypt each time.
type inbound struct {
	mu    sync.Mutex
	kept  []InboundSecret
	until time.Time
}

// forget waits for a read in progress, so that it cannot keep what was changed meanwhile.
func (i *inbound) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.kept, i.until = nil, time.Time{}
}

// InboundSecrets are the signing secrets that an event on the shared URL may be made with, of all merchants: the first 32 that were
// set up, and a 33rd where there are more, as a sign of that. The list is shared: it is for reading.
func (m *Merchants) InboundSecrets(ctx context.Context) ([]InboundSecret, error) {
	i := &m.inbound
	i.mu.Lock()
	defer i.mu.Unlock()
	now := m.Clock.Machine().Now()
	if now.Before(i.until) {
		return i.kept, nil
	}
	rows, err := listInbound(ctx, m.DB, mostShared+1)
	if err != nil {
		return nil, err
	}
	found := make([]InboundSecret, 0, len(rows))
	for _, p := range rows {
		s, err := m.inboundSecret(p)
		if err != nil { // one merchant's broken row must not silence the others
			m.Log.LogAttrs(ctx, slog.LevelError, "signing secret left out", slog.Any("error", err))
			continue
		}
		found = append(found, s)
	}
	i.kept, i.until = found, now.Add(fresh)
	return found, nil
}

// InboundByToken are the signing secrets behind a merchant's own URL, the newest generation first; none where the token is wrong.
func (m *Merchants) InboundByToken(ctx context.Context, merchant, token string) ([]InboundSecret, error) {
	rows, err := listByMerchant(ctx, m.DB, merchant)
	if err != nil {
		return nil, err
	}
	var found []InboundSecret
	for _, p := range rows {
		if subtle.ConstantTimeCompare([]byte(p.WebhookToken), []byte(token)) != 1 {
			continue
		}
		s, err := m.inboundSecret(p)
		if err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, nil
}

// InboundOf are the signing secrets of one merchant in one mode, the newest generation first; of those without a secret, none.
func (m *Merchants) InboundOf(ctx context.Context, scope db.Scope) (found []InboundSecret, err error) {
	rows, err := listProviders(ctx, m.DB, scope)
	for _, p := range rows {
		if !p.HasWebhookSecret() {
			continue
		}
		s, err := m.inboundSecret(p)
		if err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, err
}

func (m *Merchants) inboundSecret(p Provider) (InboundSecret, error) {
	s := InboundSecret{Scope: p.Scope, Generation: p.Generation}
	if !p.HasWebhookSecret() {
		return s, nil
	}
	var err error
	s.Secret, err = m.Sealer.Open(p.webhookSecret, p.place("webhook_secret"))
	return s, err
}
