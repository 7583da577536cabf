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
	ID            string
	URL           string
	NextSeq       int64      // the number of the next delivery
	Chain         string     // over the ids of deliveries 1 to ChainSeq
	ChainSeq      int64      // behind NextSeq-1 only where deliveries were numbered before there was a chain
	Checkpoint    Checkpoint // the last one that was told
	CheckpointDue time.Time  // when the next one is owed; zero where there is no news
	PreviousUntil time.Time  // until when deliveries are signed with the secret before as well; zero where there was no overlap
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Checkpoint is what a merchant was told: the hash of the ids of deliveries 1 to Sequence. It is zero before the first.
type Checkpoint struct {
	Sequence int64
	Hash     string
	At       time.Time
}

func (e Endpoint) place() string {
	return fmt.Sprintf("endpoints|secret|%s|%s|%s", e.Merchant, e.Mode, e.ID)
}

// previousPlace is a place of its own: a secret that was put aside cannot be put back by who can only write rows.
func (e Endpoint) previousPlace() string {
	return fmt.Sprintf("endpoints|previous_secret|%s|%s|%s", e.Merchant, e.Mode, e.ID)
}

// Overlap is until when the secret before still signs, or nil where it does not at this moment.
func (e Endpoint) Overlap(at time.Time) *time.Time {
	if !at.Before(e.PreviousUntil) {
		return nil
	}
	return &e.PreviousUntil
}

// Endpoint is where the merchant hears of events in one mode, or db.ErrNone.
func (m *Merchants) Endpoint(ctx context.Context, scope db.Scope) (Endpoint, error) {
	return findEndpoint(ctx, m.DB, scope)
}

// EndpointSecrets are what deliveries are signed with now: the secret, and in an overlap the one before it too. Each is whsec_ and the
// key's base64, as Standard Webhooks has it.
func (m *Merchants) EndpointSecrets(ctx context.Context, e Endpoint) ([]string, error) {
	sealed, err := findEndpointSecrets(ctx, m.DB, e.Scope, e.ID)
	if err != nil {
		return nil, err
	}
	secret, err := m.Sealer.Open(sealed.current, e.place())
	if err != nil || sealed.previous == "" || !m.Clock.Now().Before(sealed.previousUntil) {
		return []string{secret}, err
	}
	previous, err := m.Sealer.Open(sealed.previous, e.previousPlace())
	return []string{secret, previous}, err
}

// How long the secret before goes on signing: a day to deploy the new one in, where nobody says, and a week at most.
const (
	defaultOverlap = 24 // hours
	longestOverlap = 168
)

// ListenInput says where a merchant wants to hear of events.
type ListenInput struct {
	URL          string `json:"webhook_url,omitempty" maxLength:"2048" doc:"An https URL, without user name or password in it. May be left out with rotate_secret, where there is one already." example:"https://shop.example.com/webhooks"`
	RotateSecret bool   `json:"rotate_secret,omitempty" doc:"Make a new signing secret, which the answer holds."`
	OverlapHours *int64 `json:"overlap_hours,omitempty" minimum:"0" maximum:"168" doc:"With rotate_secret: for so many hours deliveries carry the signature of the old secret too; 24 where it is left out. 0 ends the old one at once, as after a leak. Only the newest two secrets ever sign: an overlap that is still running from before ends now." example:"24"`
}

// Listen sets the URL that the merchant's events go to. secret is the signing secret where it was made just now, and "" otherwise:
// it is given out once.
func (m *Merchants) Listen(ctx context.Context, scope db.Scope, in ListenInput) (e Endpoint, secret string, err error) {
	address, err := m.address(ctx, scope, in)
	if err != nil {
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
		e.UpdatedAt = after(was.UpdatedAt, now)
		if address != "" {
			e.URL = address
		}
		sealed, err := findEndpointSecrets(ctx, m.DB, scope, e.ID)
		if err == nil && in.RotateSecret {
			secret = newSecret()
			sealed, err = m.rotate(e, sealed, secret, in.overlap(), now)
		}
		if !now.Before(sealed.previousUntil) {
			sealed.previous, sealed.previousUntil = "", time.Time{} // what has ended is not kept
		}
		e.PreviousUntil = sealed.previousUntil
		return []db.Change{updateEndpoint(e, sealed, was.UpdatedAt)}, err
	})
	if err != nil {
		return Endpoint{}, "", err
	}
	return e, secret, nil
}

// rotate puts a new secret in the place of the current one, which becomes the one before it. A third there never is.
func (m *Merchants) rotate(e Endpoint, was sealedSecrets, secret string, overlap time.Duration, now time.Time) (is sealedSecrets, err error) {
	old, err := m.Sealer.Open(was.current, e.place())
	if err != nil {
		return was, err
	}
	is.previousUntil = now.Add(overlap)
	if is.current, err = m.Sealer.Seal(secret, e.place()); err != nil {
		return was, err
	}
	is.previous, err = m.Sealer.Seal(old, e.previousPlace())
	return is, err
}

func (in ListenInput) overlap() time.Duration {
	if in.OverlapHours == nil {
		return defaultOverlap * time.Hour
	}
	return time.Duration(*in.OverlapHours) * time.Hour
}

// address is the URL that was asked for, checked; "" where the one that is there stays.
func (m *Merchants) address(ctx context.Context, scope db.Scope, in ListenInput) (string, error) {
	switch {
	case in.OverlapHours != nil && !in.RotateSecret:
		return "", fault.New(fault.ParameterInvalid, "overlap_hours", "The field overlap_hours goes with rotate_secret.")
	case in.OverlapHours != nil && (*in.OverlapHours < 0 || *in.OverlapHours > longestOverlap):
		return "", fault.New(fault.ParameterInvalid, "overlap_hours", "The field overlap_hours is 0 to %d.", longestOverlap)
	}
	address := strings.TrimSpace(in.URL)
	if in.URL == "" && in.RotateSecret {
		if _, err := findEndpoint(ctx, m.DB, scope); !errors.Is(err, db.ErrNone) {
			return "", err
		}
	}
	if err := checkURL(address); err != nil {
		return "", err
	}
	return address, m.reachable(ctx, address)
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
