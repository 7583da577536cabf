package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/till-pay/till/internal/id"
)

// house is a throw-away world's processes: a sandbox and a till, on this machine only, and the folder and books that go away with them.
type house struct {
	program string
	dir     string
	books   *books
	box     *process
	till    *process
	boxURL  string
	world   string // the Stripe key that opens the sandbox's world
	hears   string // HOST:PORT where the merchant's own server may hear webhooks
}

// openHouse starts the sandbox, whose clock stands at a time in the past: what is staged happens between then and now.
func openHouse(ctx context.Context, program, database, country string, seed uint64, from time.Time) (h *house, err error) {
	h = &house{program: program, world: "sk_test_" + id.Hex(16)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.dir, err = os.MkdirTemp("", "till-scenario-"); err != nil {
		return h, fmt.Errorf("make a folder for the throw-away world: %w", err)
	}
	if h.books, err = newBooks(ctx, h.dir, database); err != nil {
		return h, err
	}
	h.box, h.boxURL, err = start(ctx, program, h.dir, nil, boxAddress, "sandbox", "--addr", "127.0.0.1:0", "--clock", "frozen", "--country", country,
		"--at", from.UTC().Format(time.RFC3339), "--seed", fmt.Sprint(seed))
	return h, err
}

// boxAddress reads the line in which the sandbox says where it is.
func boxAddress(line string) string {
	_, rest, ok := strings.Cut(line, "Stripe in a box: ")
	if !ok {
		return ""
	}
	at, _, _ := strings.Cut(rest, " ")
	return at
}

// tillAddress reads the line of the log in which till says where it is.
func tillAddress(line string) string {
	var l struct{ Msg, API string }
	if json.Unmarshal([]byte(line), &l) != nil || l.Msg != "till is ready" {
		return ""
	}
	return l.API
}

// environment says where the books are. A database's URL may hold a password, which a command line would show to others.
func (h *house) environment() []string {
	return []string{"TILL_DB=" + h.books.url, "TILL_MASTER_KEY_FILE=" + filepath.Join(h.dir, "master.key")}
}

// serve starts till, in the sandbox's time ("sandbox") or in that of the machine ("real"), and returns where it is.
func (h *house) serve(ctx context.Context, clock string) (base string, err error) {
	args := []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--stripe-url", h.boxURL, "--clock", clock, "--log-format", "json"}
	if h.hears != "" {
		args = append(args, "--allow-webhook-to", h.hears)
	}
	h.till, base, err = start(ctx, h.program, h.dir, append(h.environment(), "TILL_CLOCK_KEY="+h.world), tillAddress, args...)
	return base, err
}

// apiKey makes an API key as an operator does.
func (h *house) apiKey(ctx context.Context, merchant, name, scopes string) (string, error) {
	out, err := command(ctx, h.program, h.dir, append(plainEnvironment(h.dir), h.environment()...), "key", "create", "--merchant", merchant, "--name", name, "--scopes", scopes)
	return strings.TrimSpace(out), err
}

// close ends what runs, and removes what was written.
func (h *house) close() error {
	if h.till != nil {
		h.till.stop()
	}
	if h.box != nil {
		h.box.stop()
	}
	var dropped, removed error
	if h.books != nil {
		dropped = h.books.close()
	}
	if h.dir != "" {
		removed = os.RemoveAll(h.dir)
	}
	http.DefaultClient.CloseIdleConnections()
	return errors.Join(dropped, removed)
}
