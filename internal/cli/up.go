package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	box "github.com/till-pay/till/sandbox"
)

type up struct {
	Addr           string   `env:"TILL_ADDR" default:"127.0.0.1:8080" help:"Where the API listens; port 0 picks a free one. Loopback only."`
	SandboxAddr    string   `env:"TILL_SANDBOX_ADDR" default:"127.0.0.1:12111" help:"Where the sandbox listens."`
	Data           string   `placeholder:"DIR" env:"TILL_DATA" help:"Keep the books here, with the master key in DIR.key; without it, and without --db, they are gone at the end."`
	DB             string   `name:"db" placeholder:"URL" env:"TILL_DB" help:"postgres://… in place of the SQLite file."`
	AllowWebhookTo []string `env:"TILL_ALLOW_WEBHOOK_TO" placeholder:"HOST:PORT" help:"Where webhooks may go besides this command's own receiver."`
	Clock          string   `env:"TILL_CLOCK" enum:"real,sandbox" default:"real" help:"sandbox: till lives in the time of the sandbox, so that both can be advanced by days."`
	Country        string   `env:"TILL_SANDBOX_COUNTRY" default:"US" help:"Where the account at the sandbox is, such as DE."`
	JSON           bool     `name:"json" help:"Print one JSON line on stdout when ready, for scripts."`
}

// Help is the end of --help.
func (up) Help() string {
	return `Nothing but this program is needed: no account, no network, no database. Example:

  till up
  till up --data ./demo --allow-webhook-to 127.0.0.1:3000
  till up --addr 127.0.0.1:0 --sandbox-addr 127.0.0.1:0 --json`
}

// ready is the JSON line.
type ready struct {
	API           string `json:"api"`
	Sandbox       string `json:"sandbox"`
	APIKey        string `json:"api_key"`
	MerchantID    string `json:"merchant_id"`
	WebhookSecret string `json:"webhook_secret"`
	SandboxKey    string `json:"sandbox_key"`
	ReadyMS       int64  `json:"ready_ms"`
}

// Run starts everything, takes a first payment, and keeps running.
func (u *up) Run(c *console) error {
	started := time.Now()
	for flag, address := range map[string]string{"--addr": u.Addr, "--sandbox-addr": u.SandboxAddr} {
		if err := loopback(flag, address); err != nil {
			return err
		}
	}
	if !slices.Contains(box.Countries(), u.Country) {
		return fmt.Errorf("--country is one of %s, not %q", strings.Join(box.Countries(), ", "), u.Country)
	}
	say := narrator{c.out}
	if u.JSON {
		say = narrator{c.err}
	}
	w, err := u.start(c)
	if err != nil {
		return err
	}
	defer w.stop()
	say.printf("\n  till          http://%s   (reference: /docs, metrics: /metrics)\n  sandbox       http://%s  (Stripe's API)\n  books         %s\n\n",
		w.api.Addr(), w.box.Addr(), w.books.place())
	d, err := newDemo(c.ctx, w)
	if err != nil {
		return fmt.Errorf("set up the demo merchant: %w", err)
	}
	took := time.Since(started)
	if err := d.firstPayment(c.ctx, say); err != nil {
		return err
	}
	say.printf(farewell, w.api.Addr(), d.key, w.box.Addr(), d.stripe, w.another())
	if u.Clock == "sandbox" {
		say.printf("%s", letAWeekPass)
	}
	say.printf("\nRunning. Ctrl-C stops.\n")
	if u.JSON {
		fmt.Fprintln(c.out, db.JSON(ready{"http://" + w.api.Addr().String(), "http://" + w.box.Addr().String(), d.key, d.merchant.ID, d.sink.secret, d.stripe, took.Milliseconds()}))
	}
	return w.wait(c.ctx)
}

const farewell = `
Try it, in another terminal:

  export TILL=http://%s TILL_API_KEY=%s
  export SANDBOX=http://%s KEY=%s

  curl -s $TILL/v1/payments -H "X-API-Key: $TILL_API_KEY" -H "Content-Type: application/json" \
    -H "Idempotency-Key: order-1" -d '{"amount":"12.50","currency":"EUR","provider":"stripe","payment_method":"pm_card_visa"}'

  curl -s $TILL/v1/payments -H "X-API-Key: $TILL_API_KEY"

Other test cards: pm_card_chargeDeclined, pm_card_visa_chargeDeclinedInsufficientFunds, pm_card_threeDSecure2Required (give a return_url).

Another shop:
  %s

Cut the line after Stripe's next charge, then pay again (docs/sandbox.md has more of that):
  curl -s $SANDBOX/_sandbox/faults -H "Authorization: Bearer $KEY" -d '{"kind":"cut","method":"POST","path":"/v1/payment_intents"}'
`

const letAWeekPass = `
Let a week pass, at Stripe and here:
  curl -s $SANDBOX/_sandbox/clock/advance -H "Authorization: Bearer $KEY" -d '{"seconds":604800}'
`

// another is the command that makes a key for another shop in these books.
func (w *world) another() string {
	program, err := os.Executable()
	if err != nil {
		program = "till"
	}
	return program + " key create --merchant \"Other shop\" " + w.books.flags()
}

// world is everything that till up runs.
type world struct {
	app    *app.App
	api    net.Listener
	box    net.Listener
	stripe string // the demo merchant's key, which names its world in the sandbox
	sink   *sink
	books  storage
	fresh  string // the folder of the books where it goes away at the end
	ended  chan error
	cancel context.CancelFunc
	failed chan error
}

// start opens the sockets first, so that a port in use is told before anything is written.
func (u *up) start(c *console) (_ *world, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	w := &world{failed: make(chan error, 1), ended: make(chan error, 1), cancel: cancel, stripe: "sk_test_" + id.Hex(16)}
	defer func() {
		if err != nil {
			cancel()
			w.clear()
		}
	}()
	if err := w.listen(u); err != nil {
		return nil, err
	}
	if w.books, w.fresh, err = u.books(); err != nil {
		return nil, err
	}
	go func() { w.failed <- box.NewServer(box.WithAccount(u.Country)).Serve(ctx, w.box) }()
	database, masterKey := w.books.resolved()
	w.app, err = app.Open(c.ctx, app.Config{Database: database, StripeURL: "http://" + w.box.Addr().String(), MasterKey: masterKey, NewMasterKey: true,
		PublicURL: "http://" + w.api.Addr().String(), AllowWebhookTo: append(u.AllowWebhookTo, w.sink.Addr().String()), Version: version(), Serves: true,
		Log: logger(io.Discard, "text"), FollowSandbox: u.Clock == "sandbox", ClockKey: w.stripe})
	if err != nil {
		return nil, err
	}
	w.run(ctx)
	return w, nil
}

func (w *world) listen(u *up) (err error) {
	if w.api, err = listen("the API", "--addr", u.Addr); err != nil {
		return err
	}
	if w.box, err = listen("the sandbox", "--sandbox-addr", u.SandboxAddr); err != nil {
		w.api.Close()
		return err
	}
	w.sink, err = newSink()
	return err
}

// books says where the books are and where their key is: with --data the key is DIR.key; with --db alone it is kept for the next run in the
// user's own configuration folder; otherwise both are in a fresh folder, which goes away at the end.
func (u *up) books() (s storage, fresh string, err error) {
	if u.Data == "" && u.DB != "" {
		if home, err := os.UserConfigDir(); err == nil {
			sum := sha256.Sum256([]byte(u.DB))
			return storage{DB: u.DB, MasterKeyFile: filepath.Join(home, "till", "up-"+hex.EncodeToString(sum[:8])+".key")}, "", nil
		}
	}
	if u.Data != "" {
		return storage{Data: u.Data, DB: u.DB}, "", nil
	}
	if fresh, err = os.MkdirTemp("", "till-up-"); err != nil {
		return s, "", fmt.Errorf("make a folder for the books: %w", err)
	}
	if s = (storage{Data: filepath.Join(fresh, "data"), DB: u.DB}); u.DB != "" {
		fresh = "" // that database outlives us, so its key must
	}
	return s, fresh, nil
}

// run serves the API with its admin endpoints on the same address.
func (w *world) run(ctx context.Context) {
	w.app.ServeAdminOnAPI()
	w.app.Start()
	go func() {
		w.ended <- serveUntil(ctx, logger(io.Discard, "text"), listening{w.api, app.Server(w.app.API)})
	}()
}

// wait returns when the user or a failure ends it.
func (w *world) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-w.failed:
		return err
	case err := <-w.ended:
		return err
	}
}

func (w *world) stop() {
	closeApp(w.app)
	w.cancel()
	w.sink.Close()
	w.clear()
}

// clear removes books that nobody asked to keep.
func (w *world) clear() {
	if w.fresh != "" {
		os.RemoveAll(w.fresh)
	}
}

// narrator tells a person what happens.
type narrator struct{ to io.Writer }

func (n narrator) printf(format string, args ...any) { fmt.Fprintf(n.to, format, args...) }

// demo is the demo merchant: what a developer sets up by hand, done through the same public API.
type demo struct {
	world    *world
	merchant merchant.Merchant
	key      string
	stripe   string
	sink     *sink
	http     *http.Client
}

const demoName = "Demo"

func newDemo(ctx context.Context, w *world) (*demo, error) {
	d := &demo{world: w, sink: w.sink, stripe: w.stripe, http: &http.Client{Timeout: 30 * time.Second}}
	m := w.app.Merchants
	var err error
	if d.merchant, err = m.Find(ctx, demoName); isMissing(err) {
		d.merchant, err = m.CreateMerchant(ctx, demoName)
	}
	if err != nil {
		return nil, err
	}
	if _, d.key, err = m.CreateKey(ctx, merchant.KeyInput{Merchant: d.merchant.ID, Mode: merchant.Test, Name: "till up", Scopes: api.Scopes}); err != nil {
		return nil, err
	}
	provider := map[string]any{"provider": "stripe", "register": true, "stripe": map[string]string{"secret_key": d.stripe}}
	if _, err := d.call(ctx, "PUT", "/v1/merchant/providers", "", provider); err != nil {
		return nil, err
	}
	said, err := d.call(ctx, "PUT", "/v1/merchant/webhook", "", map[string]any{"webhook_url": d.sink.url(), "rotate_secret": true})
	if err != nil {
		return nil, err
	}
	d.sink.expect(text(said, "secret"))
	return d, nil
}
