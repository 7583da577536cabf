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
	List   keyList   `cmd:"" help:"List a merchant's API keys."`
	Revoke keyRevoke `cmd:"" help:"Revoke an API key, at once and for good."`
}

type keyCreate struct {
	storage
	Merchant string   `required:"" placeholder:"NAME" help:"The merchant's name or id; a new name makes a new merchant."`
	Mode     string   `enum:"test,live" default:"test" help:"test or live."`
	Name     string   `placeholder:"TEXT" default:"API key" help:"What the key is for."`
	Scopes   []string `placeholder:"A,B" help:"payments:read, payments:write, merchant:read, merchant:write, webhooks:read; all where it is not given."`
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
	Merchant string `required:"" placeholder:"NAME" help:"The merchant's name or id."`
	JSON     bool   `name:"json" help:"One JSON object a line."`
}

// Help is the end of --help.
func (keyList) Help() string { return "Example:\n\n  till key list --merchant \"My shop\"" }

// Run lists the keys of both modes.
func (k *keyList) Run(c *console) error {
	a, err := k.open(c)
	if err != nil {
		return err
	}
	defer a.DB.Close()
	keys, err := keysOf(c, a, k.Merchant)
	if err != nil {
		return err
	}
	if k.JSON {
		for _, k := range keys {
			fmt.Fprintln(c.out, db.JSON(shown(k)))
		}
		return nil
	}
	if len(keys) == 0 {
		fmt.Fprintf(c.err, "%s has no API keys. Make one: till key create --merchant %q\n", k.Merchant, k.Merchant)
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tMODE\tNAME\tENDS IN\tSCOPES\tCREATED\tREVOKED")
	for _, k := range keys {
		revoked := "-"
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.Format("2006-01-02 15:04")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t…%s\t%s\t%s\t%s\n", k.ID, k.Mode, k.Name, k.Hint, strings.Join(k.Scopes, " "), k.CreatedAt.Format("2006-01-02 15:04"), revoked)
	}
	return w.Flush()
}

// shown is a key as --json prints it.
func shown(k merchant.Key) any {
	var revoked *time.Time
	if !k.RevokedAt.IsZero() {
		revoked = &k.RevokedAt
	}
	return struct {
		ID        string     `json:"id"`
		Mode      string     `json:"mode"`
		Name      string     `json:"name"`
		EndsIn    string     `json:"ends_in"`
		Scopes    []string   `json:"scopes"`
		CreatedAt time.Time  `json:"created_at"`
		RevokedAt *time.Time `json:"revoked_at"`
	}{k.ID, k.Mode, k.Name, k.Hint, k.Scopes, k.CreatedAt, revoked}
}

func keysOf(c *console, a *app.App, name string) ([]merchant.Key, error) {
	m, err := a.Merchants.Find(c.ctx, name)
	if isMissing(err) {
		return nil, fmt.Errorf("there is no merchant %q; till key create --merchant %q makes one", name, name)
	}
	if err != nil {
		return nil, err
	}
	var all []merchant.Key
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
	keys, err := keysOf(c, a, k.Merchant)
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
