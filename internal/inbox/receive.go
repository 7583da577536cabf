package inbox

import (
	"context"
	"encoding/json"
	"log/slog"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
)

// ReceiveInput is an event on the URL that all merchants share.
type ReceiveInput struct {
	Signature string `header:"Stripe-Signature" doc:"Made by Stripe with the endpoint's secret."`
	RawBody   []byte
}

// ReceiveOwnInput is an event on a merchant's own URL.
type ReceiveOwnInput struct {
	Merchant string `path:"merchant_id" maxLength:"36"`
	Token    string `path:"token" maxLength:"64"`
	ReceiveInput
}

// Received is the answer that Stripe waits for.
type Received struct {
	Body struct {
		Received bool `json:"received"`
	}
}

// Receive takes an event on the shared URL: the secret that verifies it says whose it is.
func (i *Inbox) Receive(ctx context.Context, in *ReceiveInput) (*Received, error) {
	secrets, err := i.Merchants.InboundSecrets(ctx)
	if err != nil {
		return nil, err
	}
	const most = 32 // of the secrets tried for each request; PUT /v1/merchant/providers tells later merchants to use their own URL
	if len(secrets) > most {
		secrets = secrets[:most]
	}
	by, refused := verify(in.Signature, in.RawBody, i.oldest(), secrets)
	if refused != nil {
		return nil, i.refused(ctx, "", refused)
	}
	return i.keep(ctx, by, in.RawBody, true)
}

// ReceiveOwn takes an event on a merchant's own URL. Where that merchant has no secret, the URL's token lets a hint in: its object is fetched from Stripe.
func (i *Inbox) ReceiveOwn(ctx context.Context, in *ReceiveOwnInput) (*Received, error) {
	secrets, err := i.Merchants.InboundByToken(ctx, in.Merchant, in.Token)
	if err != nil {
		return nil, err
	}
	if len(secrets) == 0 {
		return nil, fault.New(fault.RouteUnknown, "", "There is no such URL.")
	}
	for _, s := range secrets {
		if s.Secret == "" {
			continue
		}
		by, refused := verify(in.Signature, in.RawBody, i.oldest(), secrets)
		if refused != nil {
			return nil, i.refused(ctx, in.Merchant, refused)
		}
		return i.keep(ctx, by, in.RawBody, true)
	}
	return i.keep(ctx, secrets, in.RawBody, false)
}

// refused leaves a trace: somebody may be trying to have an order marked as paid.
func (i *Inbox) refused(ctx context.Context, merchant string, why *refusal) error {
	i.Log.LogAttrs(ctx, slog.LevelWarn, "a webhook is not proved to be Stripe's", slog.String("request_id", api.RequestID(ctx)), slog.String("merchant", merchant), slog.Any("error", why.fault))
	i.count(why.check)
	return why.fault
}

// count counts a refusal in memory: nothing is written for what is not proved.
func (i *Inbox) count(check string) {
	if i.Refused != nil {
		i.Refused(check)
	}
}

// The forms of Stripe's names. They keep out of the database, and of URLs, what is not one.
var (
	idForm   = regexp.MustCompile(`^[A-Za-z0-9_]{1,255}$`)
	typeForm = regexp.MustCompile(`^[a-z0-9_.]{1,255}$`)
)

// keep writes an event once for each merchant whose it is, answers, and has it applied. Only Stripe's own faults are 4xx: for ours it
// must try again.
func (i *Inbox) keep(ctx context.Context, by []merchant.InboundSecret, body []byte, verified bool) (*Received, error) {
	seen, owners, refused := eventFor(by, body)
	if refused != nil {
		i.count(refused.check)
		return nil, refused.fault
	}
	e := eventOf(seen)
	e.Verified, e.Source = verified, FromWebhook
	for scope, generation := range owners {
		e.Scope, e.Generation = scope, generation
		api.Concerns(ctx, scope.Merchant)
		if _, err := i.take(ctx, e, concerns(seen)); err != nil {
			return nil, err
		}
	}
	out := &Received{}
	out.Body.Received = true
	return out, nil
}

// eventFor reads the event in a body, and says whose it is of those whose secrets proved it.
func eventFor(by []merchant.InboundSecret, body []byte) (seen stripe.Event, owners map[db.Scope]int64, refused *refusal) {
	seen, err := stripe.ParseEvent(body)
	if err != nil || !wellFormed(seen) {
		return seen, nil, &refusal{checkBody, fault.New(fault.BodyInvalid, "", "Webhook Error: the body is not one of Stripe's events.")}
	}
	if owners = ownersOf(by, seen.Livemode); len(owners) == 0 {
		return seen, nil, &refusal{checkMode, fault.New(fault.WebhookSignature, "livemode", "Webhook Error: the event is of the other mode.")}
	}
	return seen, owners, nil
}

// eventOf is an event as it is kept, but for whose it is and how it came.
func eventOf(seen stripe.Event) Event {
	var object struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(seen.Object, &object) != nil || !idForm.MatchString(object.ID) {
		object.ID = "" // of no kind that a room takes
	}
	return Event{ID: seen.ID, Type: seen.Type, Object: object.ID, Payload: string(seen.Body), CreatedAt: time.Unix(seen.Created, 0).UTC()}
}

// wellFormed says that what was read as an event can be kept as one.
func wellFormed(seen stripe.Event) bool {
	const latest = 1 << 35 // the year 3058: microseconds of it still fit
	return utf8.Valid(seen.Body) && idForm.MatchString(seen.ID) && typeForm.MatchString(seen.Type) && seen.Created >= 0 && seen.Created < latest
}

// concerns says whether an event is one that a room takes in. An event of a connected account is not: its objects are another's, whoever
// signed for them, and may carry any id of ours in their metadata.
func concerns(seen stripe.Event) bool {
	return handlers[seen.Type] != nil && seen.Account == ""
}

// ownersOf are the scopes of the event's mode, each with the newest of its generations that proved it.
func ownersOf(by []merchant.InboundSecret, live bool) map[db.Scope]int64 {
	owners := map[db.Scope]int64{}
	for _, s := range by {
		if live == (s.Mode == merchant.Live) {
			owners[s.Scope] = max(owners[s.Scope], s.Generation)
		}
	}
	return owners
}

// take keeps an event, and what else goes with a new one, and begins to apply it where there is a free place; otherwise the task finds it.
// fresh is false where it was kept before, which changes nothing.
func (i *Inbox) take(ctx context.Context, e Event, concerns bool, also ...db.Change) (fresh bool, err error) {
	if !concerns {
		return i.insert(ctx, e, settled, also...)
	}
	if i.desk.reserve(1) == 0 {
		fresh, err := i.insert(ctx, e, waiting, also...)
		if fresh {
			i.desk.behind.Store(true)
			i.wake()
		}
		return fresh, err
	}
	e.Attempts = 1
	fresh, err = i.insert(ctx, e, leased, also...)
	if !fresh || err != nil {
		i.desk.release(1)
		return false, err
	}
	i.start(ctx, e)
	return true, nil
}
