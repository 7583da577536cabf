package sandbox

import (
	"net/url"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// linkLife is how long an account link can be opened (recorded: expires_at is 300 seconds after created).
const linkLife = 300 * time.Second

// accountLinks let an account in to Stripe's form, once.
var accountLinks = &resource{
	Object:  "account_link",
	Path:    singleton,
	Private: func() any { return new(entrance) },
	Others:  map[string]func(*call) (appender, error){"POST /v1/account_links": createAccountLink},
}

// entrance is what an account link's object does not show.
type entrance struct {
	Refresh string // where the account is sent when the link is not good any more
	Return  string // and when it leaves the form
	Update  bool   `json:",omitempty"` // it may change what is there, and not only say what is missing
	Whole   bool   `json:",omitempty"` // it is asked for what will be due too
	Expires int64
	Session string `json:",omitempty"` // of the form, once the link was opened
	Closes  int64  `json:",omitempty"` // when that ends
	Left    bool   `json:",omitempty"` // the account has left the form
}

// linkKinds are the types of account links.
const (
	onboarding = "account_onboarding"
	updating   = "account_update"
)

// createAccountLink makes a link for an account that is connected.
func createAccountLink(c *call) (appender, error) {
	to, r, err := c.namedInParams()
	if err != nil {
		return nil, err
	}
	d := known[standing](r).Dossier
	kind := c.params.String("type")
	switch {
	case d == nil:
		return nil, refused("", "account", "The account %s has been onboarded already.", r.id)
	case kind == updating && d.Hosted:
		return nil, invalid("", "type", "You cannot create `account_update` type Account Links for this account. Valid types for this account are [\"account_onboarding\"].")
	case c.params.Has("collect") && c.params.Has("collection_options"):
		return nil, exclusive("collect", "collect", "collection_options")
	}
	for _, name := range []string{"refresh_url", "return_url"} {
		if c.params.String(name) == "" {
			return nil, invalid("parameter_missing", name, "Missing required param: %s.", name)
		}
		if !isWebAddress(c.params.String(name)) {
			return nil, invalid("url_invalid", name, "Not a valid URL")
		}
	}
	if !d.Linked {
		to.dossier().Linked = true
		to.reviewNew()
	}
	fields := c.params.String("collect") + c.params.String("collection_options", "fields")
	return to.makeLink(&entrance{Refresh: c.params.String("refresh_url"), Return: c.params.String("return_url"), Update: kind == updating, Whole: fields == "eventually_due"}), nil
}

// namedInParams is the connected account that the parameter account names, and the call on its behalf.
func (c *call) namedInParams() (*call, *record, error) {
	id := c.params.String("account")
	r := c.home.find("account", id)
	switch {
	case !c.isPlatform():
		return nil, nil, invalid("platform_account_required", "", "Only Stripe Connect platforms can work with other accounts.")
	case r == nil || known[standing](r).Left:
		return nil, nil, noAccess(secretKey+c.suffix, id)
	case id == c.home.account:
		return nil, nil, invalid("", "account", "The account %s is your own, and not one that is connected to it.", id)
	}
	return c.of(id), r, nil
}

// isWebAddress says whether text is an absolute address on the web.
func isWebAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && !strings.ContainsAny(text, " <>\"")
}

// makeLink makes a link. Its secret is its record's id.
func (c *call) makeLink(e *entrance) *record {
	e.Expires = c.now().Add(linkLife).Unix()
	r := c.secretRecord("account_link", e)
	r.object().Set("created", r.created).Set("expires_at", e.Expires).Set("url", c.base+setupPath+c.dossier().initial()+"/"+c.tag+"/"+c.account+"/"+r.id)
	c.insert(r)
	return r
}

// secretRecord starts an object that shows no id, and is found by a secret.
func (c *call) secretRecord(kind string, hidden any) *record {
	id := c.unused(func() string { return c.letters(32) })
	return &record{realm: c.realm, resource: kinds[kind], id: id, created: c.now().Unix(), working: spec.New(kind), hidden: hidden}
}

// initial is the letter of the account's type in addresses of Stripe's form.
func (d *dossier) initial() string {
	if d.Type == "none" || d.Type == "" {
		return "c"
	}
	return d.Type[:1]
}
