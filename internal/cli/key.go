package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
)

type key struct {
	Create keyCreate `cmd:"" help:"Make an API key; it is shown this once."`
	List   keyList   `cmd:"" help:"List the merchants and their API keys."`
	Revoke keyRevoke `cmd:"" help:"Revoke an API key, at once and for good."`

	Compose keyCompose `cmd:"" help:"Print the idempotency key that parts such as agency, booking and action make."`
}

type keyCreate struct {
	storage
	Merchant string   `required:"" placeholder:"NAME" help:"The merchant's name or id; a new name makes a new merchant."`
	Mode     string   `enum:"test,live" default:"test" help:"test or live."`
	Name     string   `placeholder:"TEXT" default:"API key" help:"What the key is for."`
	Scopes   []string `placeholder:"A,B" help:"payments:read, payments:write, payouts:write, merchant:read, merchant:write, webhooks:read; all where it is not given."`
}

// Help is the end of --help.
func (keyCreate) Help() string {
	return "Example:\n\n  till key create --merchant \"My shop\" --mode test --scopes payments:read,payments:write"
}

// Run prints the key on stdout, alone, so that a script can take it.
func (k *keyCreate) Run(c *console) error {
	a, err := k.open(c)
	if err != nil {
		return err
	}
	defer a.DB.Close()
	scopes := k.Scopes
	if len(scopes) == 0 {
		scopes = api.Scopes
	}
	if _, err := merchant.CheckScopes(scopes); err != nil { // before a new merchant is made
		return err
	}
	m, err := a.Merchants.Find(c.ctx, k.Merchant)
	if isMissing(err) {
		if m, err = a.Merchants.CreateMerchant(c.ctx, k.Merchant); err == nil {
			fmt.Fprintf(c.err, "New merchant %s (%s) in %s.\n", m.Name, m.ID, k.place())
		}
	}
	if err != nil {
		return err
	}
	made, secret, err := a.Merchants.CreateKey(c.ctx, merchant.KeyInput{Merchant: m.ID, Mode: k.Mode, Name: k.Name, Scopes: scopes})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "API key %s of %s, %s mode, scopes %s. It is not shown again:\n", made.ID, m.Name, k.Mode, strings.Join(made.Scopes, " "))
	fmt.Fprintln(c.out, secret)
	return nil
}

func isMissing(err error) bool {
	return errors.Is(err, db.ErrNone) || fault.Is(err, fault.ResourceMissing)
}

type keyList struct {
	storage
	Merchant string `placeholder:"NAME" help:"The merchant's name or id; all merchants where it is not given."`
	JSON     bool   `name:"json" help:"One JSON object a line."`
}

// Help is the end of --help.
func (keyList) Help() string {
	return "Example:\n\n  till key list\n  till key list --merchant \"My shop\""
}

// Run lists the keys of both modes.
func (k *keyList) Run(c *console) error {
	a, err := k.open(c)
	if err != nil {
		return err
	}
	defer a.DB.Close()
	merchants, err := k.merchants(c, a)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	if !k.JSON && len(merchants) > 0 {
		fmt.Fprintln(w, "MERCHANT\tID\tMODE\tNAME\tENDS IN\tSCOPES\tCREATED\tREVOKED")
	}
	for _, m := range merchants {
		keys, err := keysOf(c, a, m)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if k.JSON {
				fmt.Fprintln(c.out, db.JSON(shown(m, key)))
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t…%s\t%s\t%s\t%s\n", m.Name, key.ID, key.Mode, key.Name, key.Hint, strings.Join(key.Scopes, " "), minute(key.CreatedAt), minute(key.RevokedAt))
		}
		if len(keys) == 0 && !k.JSON {
			fmt.Fprintf(w, "%s\tno API keys: till key create --merchant %q makes one\n", m.Name, m.Name)
		}
	}
	return w.Flush()
}

func minute(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02 15:04")
}

// merchants are those to list.
func (k *keyList) merchants(c *console, a *app.App) ([]merchant.Merchant, error) {
	if k.Merchant != "" {
		m, err := find(c, a, k.Merchant)
		return []merchant.Merchant{m}, err
	}
	all, err := a.Merchants.List(c.ctx)
	if err == nil && len(all) == 0 {
		fmt.Fprintf(c.err, "There are no merchants in %s yet. Make one: till key create --merchant \"My shop\"\n", k.place())
	}
	return all, err
}

// shown is a key as --json prints it.
func shown(m merchant.Merchant, k merchant.Key) any {
	var revoked *time.Time
	if !k.RevokedAt.IsZero() {
		revoked = &k.RevokedAt
	}
	return struct {
		Merchant  string     `json:"merchant"`
		ID        string     `json:"id"`
		Mode      string     `json:"mode"`
		Name      string     `json:"name"`
		EndsIn    string     `json:"ends_in"`
		Scopes    []string   `json:"scopes"`
		CreatedAt time.Time  `json:"created_at"`
		RevokedAt *time.Time `json:"revoked_at"`
	}{m.Name, k.ID, k.Mode, k.Name, k.Hint, k.Scopes, k.CreatedAt, revoked}
}

func find(c *console, a *app.App, name string) (merchant.Merchant, error) {
	m, err := a.Merchants.Find(c.ctx, name)
	if isMissing(err) {
		return m, fmt.Errorf("there is no merchant %q: till key list shows all, till key create --merchant %q makes one", name, name)
	}
	return m, err
}

// keysOf are a merchant's keys of both modes.
func keysOf(c *console, a *app.App, m merchant.Merchant) (all []merchant.Key, err error) {
	for _, mode := range []string{merchant.Test, merchant.Live} {
		keys, err := a.Merchants.Keys(c.ctx, db.Scope{Merchant: m.ID, Mode: mode})
		if err != nil {
			return nil, err
		}
		all = append(all, keys...)
	}
	return all, nil
}

type keyRevoke struct {
	storage
	Merchant string `required:"" placeholder:"NAME" help:"The merchant's name or id."`
	ID       string `arg:"" help:"The key's id, from till key list."`
}

// Help is the end of --help.
func (keyRevoke) Help() string {
	return "Example:\n\n  till key revoke --merchant \"My shop\" 019a…"
}

// Run revokes a key of either mode.
func (k *keyRevoke) Run(c *console) error {
	a, err := k.open(c)
	if err != nil {
		return err
	}
	defer a.DB.Close()
	m, err := find(c, a, k.Merchant)
	if err != nil {
		return err
	}
	keys, err := keysOf(c, a, m)
	if err != nil {
		return err
	}
	for _, found := range keys {
		if found.ID != k.ID {
			continue
		}
		if _, err := a.Merchants.RevokeKey(c.ctx, found.Scope, k.ID); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "Revoked %s. Requests with it are refused from now on.\n", k.ID)
		return nil
	}
	return fmt.Errorf("%s has no API key %s", k.Merchant, k.ID)
}
