// Package cli is the commands: what a person types.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/fault"
)

// commands is the whole command line. Every flag can also be set in the environment, and in the file of --config: flag before environment before file.
type commands struct {
	Config  configFile       `name:"config" placeholder:"FILE" env:"TILL_CONFIG" help:"JSON file of flags: {\"addr\":\"127.0.0.1:9000\"}."`
	Version kong.VersionFlag `help:"Print the version."`

	Up       up       `cmd:"" help:"Start a sandbox, a till and a demo merchant, and take a first payment."`
	Serve    serve    `cmd:"" help:"Run till."`
	Sandbox  boxes    `cmd:"" help:"Run Stripe in a box: Stripe's API on your machine, with state, for any language's SDK."`
	Migrate  migrate  `cmd:"" help:"Bring the database up to this version, and stop."`
	Key      key      `cmd:"" help:"Make, list and revoke API keys; compose idempotency keys."`
	Events   events   `cmd:"" help:"Stripe's events: what came, what was missed, and bringing it in."`
	Messages messages `cmd:"" help:"What customers were told about their payments, or will be."`

	Export exports `cmd:"" help:"Tables for the accountant, as CSV: payments, refunds, payout lines."`
	Ledger ledgers `cmd:"" help:"The books: their chain of hashes, trial balance and closes."`
	Report reports `cmd:"" help:"Figures over a time: what was accepted, what it cost, what is in which currency."`

	Diagnose diagnoses `cmd:"" help:"Say why something happened, on any account: read over the API, change nothing."`
	Scenario scenarios `cmd:"" help:"Play support cases from beginning to end: stage, find, repair, letter."`

	Reconcile reconciles `cmd:"" help:"Say where each cent is: what of Stripe's balance nothing accounts for, a payout to its lines, the merchant's own ledger."`
	Balance   balances   `cmd:"" help:"Show what Stripe holds, as Stripe says it and as its balance transactions add up."`
}

const description = `Payments on Stripe, exactly once.

To see it run: "till up" needs no account, no network and no database. Every flag can be set in the environment too, as its help says.`

// console is where a command writes: answers to out, everything else to err.
type console struct {
	out, err io.Writer
	ctx      context.Context
}

// Main runs a command line and returns the exit status: 0 done, 1 failed, 2 not understood.
func Main(args []string, out, errs io.Writer) int {
	var c commands
	status := -1
	parser, err := kong.New(&c,
		kong.Name("till"), kong.Description(description), kong.UsageOnError(), kong.Writers(out, errs),
		kong.Vars{"version": version()}, kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Exit(func(s int) { status = s; panic(exit{}) }))
	if err != nil {
		fmt.Fprintln(errs, "till:", err)
		return 1
	}
	return guarded(&status, func() int { return run(parser, args, out, errs) })
}

// exit carries kong's wish to end, after --help, back to Main.
type exit struct{}

func guarded(status *int, f func() int) (ended int) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(exit); !ok {
				panic(p)
			}
			ended = *status
		}
	}()
	return f()
}

func run(parser *kong.Kong, args []string, out, errs io.Writer) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if len(args) == 2 && args[0] == "sandbox" && (args[1] == "--help" || args[1] == "-h") {
		args = []string{"sandbox", "run", args[1]} // whose flags it takes, and is asked for
	}
	parsed, err := parser.Parse(args)
	if file := (configError{}); errors.As(err, &file) {
		fmt.Fprintln(errs, "till:", oneLine(file.Error()))
		return 2
	}
	if err != nil {
		fmt.Fprintf(errs, "till: %v\nRun \"till --help\" for the commands, \"till COMMAND --help\" for one with an example.\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := parsed.Run(&console{out, errs, ctx}); err != nil {
		fmt.Fprintln(errs, "till:", plain(err))
		return 1
	}
	return 0
}

// plain is an error in one line, without its code, and with the place that was wrapped around it: people read it.
func plain(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		s := f.Message
		if f.Cause != nil {
			s += " (" + f.Cause.Error() + ")"
		}
		return oneLine(strings.Replace(err.Error(), f.Error(), s, 1))
	}
	return oneLine(err.Error())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}

// storage says where till keeps its books.
type storage struct {
	Data          string `placeholder:"DIR" env:"TILL_DATA" default:"till-data" help:"Folder of the SQLite database (${default})."`
	DB            string `name:"db" placeholder:"URL" env:"TILL_DB" help:"sqlite:PATH or postgres://…; the file till.db in the data folder where it is not given."`
	MasterKeyFile string `placeholder:"FILE" env:"TILL_MASTER_KEY_FILE" help:"The key that secrets are sealed with, outside the data folder; made at the first start. DIR.key where it is not given."`
}

// resolved are the database's URL and the master key's path.
func (s storage) resolved() (database, masterKey string) {
	dir := filepath.Clean(s.Data)
	database, masterKey = s.DB, s.MasterKeyFile
	if database == "" {
		database = "sqlite:" + filepath.Join(dir, "till.db")
	}
	if masterKey == "" {
		masterKey = dir + ".key"
	}
	return database, masterKey
}

// withoutPassword is a database's URL as it may be shown: where it is, not who asks.
func withoutPassword(database string) string {
	if strings.HasPrefix(database, "sqlite:") {
		return database
	}
	u, err := url.Parse(database)
	if err != nil {
		return "postgres"
	}
	return "postgres://" + u.Host + u.Path
}

// place is where the books are, as it may be shown.
func (s storage) place() string {
	database, _ := s.resolved()
	return withoutPassword(database)
}

// flags are what another command needs to open the same books. A database's URL may hold a password, so it is not repeated.
func (s storage) flags() string {
	if s.DB == "" {
		return "--data " + s.Data
	}
	_, masterKey := s.resolved()
	return "--db … --master-key-file " + masterKey
}

// open opens a till for a command that does not serve.
func (s storage) open(c *console) (*app.App, error) {
	database, masterKey := s.resolved()
	return app.Open(c.ctx, app.Config{Database: database, MasterKey: masterKey, NewMasterKey: true, Version: version(), Log: slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn}))})
}

// listen opens the address of a flag, and says in one line what stands against it.
func listen(what, flag, address string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, notHostPort(flag)
	}
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s for %s is in use; choose another port with %s, or 0 for any free one", address, what, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for %s (%s): %w", address, what, flag, cause(err))
	}
	return l, nil
}

func notHostPort(flag string) error {
	return fmt.Errorf("%s must be HOST:PORT, such as 127.0.0.1:8080", flag)
}

// cause is what stands against a network call, without the address, which our own sentence names.
func cause(err error) error {
	var call *net.OpError
	if errors.As(err, &call) {
		err = call.Err
	}
	var address *net.AddrError
	if errors.As(err, &address) {
		return errors.New(address.Err)
	}
	return err
}

// loopback refuses an address that other machines can reach.
func loopback(flag, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return notHostPort(flag)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s must be a loopback address, such as 127.0.0.1: this command is for one machine (till serve is for more)", flag)
	}
	return nil
}

// logger is the structured log of a running service. In JSON a duration is a number of milliseconds under a name that says so: slog's own
// is nanoseconds, which nobody who reads the log would guess.
func logger(w io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindDuration {
				return slog.Float64(a.Key+"_ms", float64(a.Value.Duration().Microseconds())/1000)
			}
			return a
		}}))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
