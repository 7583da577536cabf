package merchant

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/stripe"
)

// Secret is a text that no log and no error may hold: it prints as "[secret]".
type Secret string

const masked = "[secret]"

// String implements fmt.Stringer.
func (Secret) String() string { return masked }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return masked }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText implements encoding.TextMarshaler, for JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// Credentials are what a merchant gives of its Stripe account.
type Credentials struct {
	SecretKey      Secret `json:"secret_key" maxLength:"300" doc:"sk_… or rk_…, of the same mode as the API key. Kept encrypted, never shown."`
	WebhookSecret  Secret `json:"webhook_secret,omitempty" maxLength:"300" doc:"whsec_…, of the endpoint at Stripe. Kept encrypted, never shown. Left out, it stays as it is."`
	PublishableKey string `json:"publishable_key,omitempty" maxLength:"300" doc:"pk_…, for front ends; GET /v1/config gives it out. Left out, it stays as it is."`
}

// ConfigureInput says which Stripe account a merchant uses from now on.
type ConfigureInput struct {
	Provider string      `json:"provider" enum:"stripe" doc:"The payment provider: stripe."`
	Stripe   Credentials `json:"stripe"`
	Register bool        `json:"register,omitempty" doc:"Create the webhook endpoint at Stripe, for the events that till takes in, and keep its secret."`
}

// Configured is what became of it: the provider as it stands, and what the merchant should know.
type Configured struct {
	Provider
	Notes []string
}

// mostGenerations bounds how often a merchant may turn to another account.
const mostGenerations = 100

// Configure takes in a merchant's Stripe credentials, once Stripe has said whose they are. A new key of the account in use takes the
// place of the old one; another account begins a generation. What is left out stays as it was with the same account.
// A refusal, of ours or of Stripe's, changes nothing.
func (m *Merchants) Configure(ctx context.Context, scope db.Scope, in ConfigureInput) (Configured, error) {
	in = in.trimmed()
	if err := m.check(scope, in); err != nil {
		return Configured{}, err
	}
	if m.Admit != nil {
		if err := m.Admit(ctx, scope, in.Stripe.SecretKey); err != nil {
			return Configured{}, err
		}
	}
	want := wish{Credentials: in.Stripe}
	notes, err := m.ask(ctx, scope, in.Register, &want)
	if err != nil {
		return Configured{}, err
	}
	if err := m.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) { return m.turnTo(ctx, scope, want) }); err != nil {
		return Configured{}, err
	}
	m.inbound.forget()
	if m.Turned != nil {
		m.Turned(ctx)
	}
	now, err := m.Provider(ctx, scope)
	if err != nil {
		return Configured{}, err
	}
	more, err := m.advice(ctx, now)
	return Configured{now, append(notes, more...)}, err
}

func (in ConfigureInput) trimmed() ConfigureInput {
	c := &in.Stripe
	c.SecretKey, c.WebhookSecret = Secret(strings.TrimSpace(string(c.SecretKey))), Secret(strings.TrimSpace(string(c.WebhookSecret)))
	c.PublishableKey = strings.TrimSpace(c.PublishableKey)
	return in
}

// The forms of what Stripe gives out.
var (
	secretKeyForm      = regexp.MustCompile(`^(sk|rk)_(test|live)_[A-Za-z0-9_]{1,245}$`)
	publishableKeyForm = regexp.MustCompile(`^pk_(test|live)_[A-Za-z0-9_]{1,245}$`)
	webhookSecretForm  = regexp.MustCompile(`^whsec_[A-Za-z0-9+/=_-]{1,245}$`)
)

// check refuses what needs no word of Stripe's. It never repeats a key, not even a publishable one: it may be a secret in the wrong field.
func (m *Merchants) check(scope db.Scope, in ConfigureInput) error {
	c := in.Stripe
	switch {
	case in.Provider != Name:
		return fault.New(fault.ParameterInvalid, "provider", "The provider must be stripe.")
	case !secretKeyForm.MatchString(string(c.SecretKey)):
		return fault.New(fault.ParameterInvalid, "stripe.secret_key", "This is not a secret key of Stripe's: they begin with sk_%s_ or rk_%s_.", scope.Mode, scope.Mode)
	case stripe.LiveKey(string(c.SecretKey)) != (scope.Mode == Live):
		return fault.New(fault.ProviderModeMismatch, "stripe.secret_key", "Your API key is one of %s mode: it takes a Stripe key that begins with sk_%s_ or rk_%s_.", scope.Mode, scope.Mode, scope.Mode)
	case c.PublishableKey != "" && !publishableKeyForm.MatchString(c.PublishableKey):
		return fault.New(fault.ParameterInvalid, "stripe.publishable_key", "This is not a publishable key of Stripe's: they begin with pk_%s_.", scope.Mode)
	case c.PublishableKey != "" && strings.HasPrefix(c.PublishableKey, "pk_live_") != (scope.Mode == Live):
		return fault.New(fault.ProviderModeMismatch, "stripe.publishable_key", "Your API key is one of %s mode: it takes a publishable key that begins with pk_%s_.", scope.Mode, scope.Mode)
	case c.WebhookSecret != "" && !webhookSecretForm.MatchString(string(c.WebhookSecret)):
		return fault.New(fault.ParameterInvalid, "stripe.webhook_secret", "This is not a signing secret of Stripe's: they begin with whsec_.")
	case in.Register && c.WebhookSecret != "":
		return fault.New(fault.ParameterInvalid, "register", "Give either stripe.webhook_secret, of an endpoint that you made, or register, to have one made.")
	case in.Register && m.PublicURL == "":
		return fault.New(fault.ParameterInvalid, "register", "This till does not know under which URL Stripe reaches it, so it cannot register an endpoint: its operator must start it with --public-url. Or make the endpoint yourself and give stripe.webhook_secret.")
	}
	if err := m.checkAddress(scope.Mode); err != nil {
		f, _ := fault.As(err)
		f.Param = "stripe.secret_key"
		return f
	}
	return nil
}

// wish is what shall be kept, once Stripe has spoken.
type wish struct {
	Credentials
	account  string
	country  string
	currency string
	endpoint string // we_…, registered just now
	url      string // what it was registered with
	token    string // of that url
}

// ask has Stripe say whose the key is, and make the webhook endpoint where that is wished.
func (m *Merchants) ask(ctx context.Context, scope db.Scope, register bool, want *wish) (notes []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client := stripe.NewClient(m.base(), string(want.SecretKey), m.HTTP)
	seen, err := client.Account(ctx)
	if err != nil {
		return nil, want.explain(err, "say whose this key is")
	}
	if !accountForm.MatchString(seen.ID) {
		return nil, fault.New(fault.ProviderUnavailable, "", "What answers at Stripe's address does not answer as Stripe does; nothing was changed.")
	}
	want.account, want.country, want.currency = seen.ID, seen.Country, strings.ToUpper(seen.DefaultCurrency)
	if !register {
		return nil, nil
	}
	return m.register(ctx, scope, client, want)
}

var accountForm = regexp.MustCompile(`^acct_[A-Za-z0-9_]{1,100}$`)

// register makes the webhook endpoint at Stripe. An endpoint that was registered for the same account and URL is kept: to repeat
// the call makes no second one.
func (m *Merchants) register(ctx context.Context, scope db.Scope, client *stripe.Client, want *wish) (notes []string, err error) {
	rows, err := listProviders(ctx, m.DB, scope)
	if err != nil {
		return nil, err
	}
	at := Provider{Scope: scope, WebhookToken: id.Hex(16)}
	if was := latestOf(rows, want.account); was != nil {
		at = *was
	}
	url := m.publicURL(at.WebhookPath())
	if at.WebhookEndpoint != "" && at.webhookURL == url && at.HasWebhookSecret() {
		return []string{"The webhook endpoint " + at.WebhookEndpoint + " was registered before and is kept. If it was deleted at Stripe, make one there by hand and give its secret as stripe.webhook_secret."}, nil
	}
	if at.WebhookEndpoint != "" {
		notes = append(notes, "The webhook endpoint "+at.WebhookEndpoint+" of before is not used any more: delete it at Stripe.")
	}
	key := "till-endpoint-" + id.New()
	made, err := client.CreateWebhookEndpoint(ctx, url, m.InboundEvents(), key)
	if stripe.Meaning(err) == stripe.Unknown && stripe.MayRepeat(err) {
		made, err = client.CreateWebhookEndpoint(ctx, url, m.InboundEvents(), key) // the same key: Stripe makes it once
	}
	if err != nil {
		return nil, want.explain(err, "create the webhook endpoint")
	}
	if made.ID == "" || !webhookSecretForm.MatchString(made.Secret) {
		return nil, fault.New(fault.ProviderUnavailable, "register", "Stripe's answer lacks the endpoint's signing secret; nothing was changed here. Delete the endpoint at Stripe and try again.")
	}
	want.WebhookSecret, want.endpoint, want.url, want.token = Secret(made.Secret), made.ID, url, at.WebhookToken
	return notes, nil
}

// explain puts Stripe's answer into our words. Stripe masks keys in its messages; what else might answer at its address need not.
func (w *wish) explain(err error, asked string) error {
	clean := func(s string) string { return strings.ReplaceAll(s, string(w.SecretKey), masked) }
	said, _ := stripe.As(err)
	switch stripe.Meaning(err) {
	case stripe.BadCredentials:
		return fault.New(fault.ProviderCredentials, "stripe.secret_key", "Stripe refuses this secret key; nothing was changed. Copy it again from Stripe's dashboard (Developers, API keys).")
	case stripe.Refused:
		return fault.New(fault.ProviderRefused, "", "Stripe refused to %s; nothing was changed. It says: %.500s", asked, clean(said.Message))
	}
	return fault.New(fault.ProviderUnavailable, "", "Stripe gave no clear answer when asked to %s; nothing was changed here. Try again.", asked).Because(errors.New(clean(err.Error())))
}

// turnTo is what has to change so that the merchant uses the account of the wish. All generations of that account get the
// credentials: what was paid under them must stay refundable after the old key has ended.
func (m *Merchants) turnTo(ctx context.Context, scope db.Scope, want wish) ([]db.Change, error) {
	rows, err := listProviders(ctx, m.DB, scope)
	if err != nil {
		return nil, err
	}
	if want, err = m.inherit(want, latestOf(rows, want.account)); err != nil {
		return nil, err
	}
	now := m.Clock.Now()
	var changes []db.Change
	for _, was := range rows {
		if was.Account != want.account {
			continue
		}
		p, err := m.sealed(was, want)
		if err != nil {
			return nil, err
		}
		p.UpdatedAt = after(was.UpdatedAt, now)
		changes = append(changes, updateProvider(p, was.UpdatedAt))
	}
	if len(rows) > 0 && rows[0].Account == want.account {
		return changes, nil
	}
	if len(rows) >= mostGenerations {
		return nil, fault.New(fault.ParameterInvalid, "stripe.secret_key", "This merchant has turned to another Stripe account %d times; that is as often as it may. Make another merchant.", len(rows))
	}
	p, err := m.sealed(Provider{Scope: scope, Generation: int64(len(rows)) + 1, Account: want.account, WebhookToken: want.token, CreatedAt: now, UpdatedAt: now}, want)
	return append(changes, insertProvider(p)), err
}

// inherit fills what the wish leaves open with what was kept for the same account.
func (m *Merchants) inherit(want wish, was *Provider) (wish, error) {
	if was == nil {
		if want.token == "" {
			want.token = id.Hex(16)
		}
		return want, nil
	}
	if want.token != "" && want.token != was.WebhookToken {
		return wish{}, fault.New(fault.StateConflict, "register", "Another request set up this account at the same moment. Try again, and delete the endpoint %s at Stripe.", want.endpoint)
	}
	want.token = was.WebhookToken
	if want.PublishableKey == "" {
		want.PublishableKey = was.PublishableKey
	}
	if want.WebhookSecret == "" && was.HasWebhookSecret() {
		kept, err := m.Sealer.Open(was.webhookSecret, was.place("webhook_secret"))
		if err != nil {
			return wish{}, err
		}
		want.WebhookSecret, want.endpoint, want.url = Secret(kept), was.WebhookEndpoint, was.webhookURL
	}
	return want, nil
}

// sealed is a generation with the credentials of the wish.
func (m *Merchants) sealed(p Provider, want wish) (Provider, error) {
	p.Country, p.Currency = want.country, want.currency
	p.PublishableKey, p.WebhookEndpoint, p.webhookURL, p.webhookSecret = want.PublishableKey, want.endpoint, want.url, ""
	var err error
	if p.secretKey, err = m.Sealer.Seal(string(want.SecretKey), p.place("secret_key")); err != nil {
		return Provider{}, err
	}
	if want.WebhookSecret != "" {
		p.webhookSecret, err = m.Sealer.Seal(string(want.WebhookSecret), p.place("webhook_secret"))
	}
	return p, err
}

// advice is what the merchant should know of how Stripe's events reach it.
func (m *Merchants) advice(ctx context.Context, p Provider) ([]string, error) {
	if !p.HasWebhookSecret() {
		return []string{"There is no webhook secret yet. Until there is one, Stripe's events cannot be verified: those sent to webhook_url are taken as hints and looked up, those sent to the shared URL are refused."}, nil
	}
	first, err := listInbound(ctx, m.DB, mostShared)
	if err != nil {
		return nil, err
	}
	for _, other := range first {
		if other.Scope == p.Scope && other.Generation == p.Generation {
			return nil, nil
		}
	}
	return []string{"Have Stripe send its events to webhook_url: the shared URL /v1/webhooks/stripe serves the first merchants of this till only, and there are too many by now."}, nil
}

// latestOf is the newest generation of an account, or nil.
func latestOf(rows []Provider, account string) *Provider {
	for i := range rows {
		if rows[i].Account == account {
			return &rows[i]
		}
	}
	return nil
}

// publicURL is a path of ours as the world reaches it, or the path alone where nobody has said.
func (m *Merchants) publicURL(path string) string { return strings.TrimRight(m.PublicURL, "/") + path }

// after is now, but always later than before: a time of change that tells two changes apart guards the second.
func after(before, now time.Time) time.Time {
	if now.After(before) {
		return now
	}
	return before.Add(time.Microsecond)
}
