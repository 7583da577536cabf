package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/message"
)

type serve struct {
	storage
	Addr           string   `env:"TILL_ADDR" default:"127.0.0.1:8080" help:"Where the API listens."`
	AdminAddr      string   `env:"TILL_ADMIN_ADDR" default:"127.0.0.1:8081" help:"Where /healthz, /readyz and /metrics are; keep it private."`
	StripeURL      string   `env:"TILL_STRIPE_URL" placeholder:"URL" help:"A sandbox in place of Stripe: http://127.0.0.1:12111. Live keys are refused then."`
	PublicURL      string   `env:"TILL_PUBLIC_URL" placeholder:"URL" help:"Where Stripe reaches this till, for PUT /v1/merchant/providers with register."`
	AllowWebhookTo []string `env:"TILL_ALLOW_WEBHOOK_TO" placeholder:"HOST:PORT" help:"Private addresses, or ranges such as 10.1.0.0/16, that merchants' webhooks may go to, besides the public internet."`
	SMTPURL        string   `name:"smtp-url" env:"TILL_SMTP_URL" placeholder:"URL" help:"The mail server for messages to customers: smtp://user:password@host:587?from=shop@example.com. Better in the environment, for it holds a password. Without it messages are only kept."`
	Clock          string   `env:"TILL_CLOCK" enum:"real,sandbox" default:"real" help:"sandbox: live in the time of the sandbox's world, which can be advanced by days. For a sandbox on this machine only."`
	LogFormat      string   `env:"TILL_LOG_FORMAT" enum:"text,json" default:"text" help:"text or json."`
}

// Help is the end of --help.
func (serve) Help() string {
	return `Example, with PostgreSQL and Stripe itself:

  export TILL_DB=postgres://till@localhost/till TILL_MASTER_KEY_FILE=/etc/till/master.key
  till key create --merchant "My shop" --mode test
  till serve --addr 0.0.0.0:8080 --public-url https://pay.example.com

With SQLite, "till sandbox" in another terminal, and your own server on port 3000 to hear webhooks:

  till serve --stripe-url http://127.0.0.1:12111 --public-url http://127.0.0.1:8080 --allow-webhook-to 127.0.0.1:3000

With "--clock sandbox" besides, a week that you let pass in the sandbox passes here too. The world is that of the merchants' Stripe key;
where they use several, TILL_CLOCK_KEY in the environment says whose.

It stops on SIGTERM or Ctrl-C after the requests in flight; a call to Stripe that is cut is taken up by the next start.`
}

// Run serves until it is told to stop.
func (s *serve) Run(c *console) error {
	for flag, url := range map[string]string{"--stripe-url": s.StripeURL, "--public-url": s.PublicURL} {
		if err := absolute(flag, url); err != nil {
			return err
		}
	}
	var mail *message.Mail
	if s.SMTPURL != "" {
		var err error
		if mail, err = message.ParseMail(s.SMTPURL); err != nil {
			return fmt.Errorf("--smtp-url: %w", err)
		}
	}
	log := logger(c.err, s.LogFormat)
	api, err := listen("the API", "--addr", s.Addr)
	if err != nil {
		return err
	}
	defer api.Close()
	admin, err := listen("the admin endpoints", "--admin-addr", s.AdminAddr)
	if err != nil {
		return err
	}
	defer admin.Close()
	database, masterKey := s.resolved()
	a, err := app.Open(c.ctx, app.Config{Database: database, StripeURL: s.StripeURL, MasterKey: masterKey, NewMasterKey: true, PublicURL: s.PublicURL,
		AllowWebhookTo: s.AllowWebhookTo, Mail: mail, Version: version(), Log: log, Serves: true, FollowSandbox: s.Clock == "sandbox", ClockKey: os.Getenv("TILL_CLOCK_KEY")})
	if err != nil {
		return err
	}
	a.Start()
	defer closeApp(a)
	if s.PublicURL == "" {
		log.Warn("no --public-url: till cannot register its webhook endpoint at Stripe, and hears of changes there late")
	}
	log.Info("till is ready", "version", version(), "api", "http://"+api.Addr().String(), "docs", "http://"+api.Addr().String()+"/docs",
		"admin", "http://"+admin.Addr().String(), "database", s.place(), "stripe", a.Merchants.Base)
	return serveUntil(c.ctx, log, listening{api, app.Server(a.API)}, listening{admin, app.Server(a.Admin())})
}

// absolute refuses what is not the whole address of a server. An address that is not given is well.
func absolute(flag, address string) error {
	u, err := url.Parse(address)
	if address == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" {
		return nil
	}
	return fmt.Errorf("%s must be a whole http or https URL, such as https://pay.example.com", flag)
}

// listening is a server and the socket that it answers on.
type listening struct {
	net.Listener
	server *http.Server
}

// grace is how long requests in flight may take when the process is told to stop: a payment waits ten seconds at most.
const grace = 15 * time.Second

// serveUntil answers on every socket until ctx ends, then lets the requests in flight finish.
func serveUntil(ctx context.Context, log *slog.Logger, all ...listening) error {
	failed := make(chan error, len(all))
	for _, l := range all {
		go func() {
			if err := l.server.Serve(l.Listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serving %s: %w", l.Addr(), err)
			}
		}()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("stopping: finishing the requests in flight")
	}
	limited, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for _, l := range all {
		if down := l.server.Shutdown(limited); down != nil {
			log.Warn("requests were cut", "address", l.Addr().String(), "error", down)
		}
	}
	return err
}

func closeApp(a *app.App) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	a.Close(ctx)
}

type migrate struct {
	storage
}

// Help is the end of --help.
func (migrate) Help() string {
	return "Example:\n\n  till migrate --db postgres://till@localhost/till\n\ntill serve does this by itself; nodes that start together take turns."
}

// Run migrates and stops.
func (m *migrate) Run(c *console) error {
	a, err := m.open(c)
	if err != nil {
		return err
	}
	defer a.DB.Close()
	fmt.Fprintln(c.out, "The database is up to date.")
	return nil
}
