package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
)

// realm is the world as one account sees it: the objects that are the account's, its balance among them. The world's own account has one,
// and so has each account that is connected to it; the clock, the lock and the random numbers are the world's. What is said of one account
// is written as a function of its realm, and does not know which it is.
type realm struct {
	*world
	account string // acct_…
	methods string // pmc_…: which payment methods are switched on

	byID    map[string]*record
	shelves map[string]*shelf // by kind
}

// isHome says whether an account is the world's own, the platform of those that are connected to it.
func (w *world) isHome(account string) bool { return account == "" || account == w.home.account }

// realmOf is the realm of an account; nil where the world has no such account.
func (w *world) realmOf(account string) *realm {
	if w.isHome(account) {
		return w.home
	}
	return w.connected[account]
}

// accountName is the world's own account, for those who do not hold the lock.
func (w *world) accountName() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.home.account
}

// openRealm gives a connected account a realm, empty as yet.
func (w *world) openRealm(account string) *realm {
	if w.connected == nil {
		w.connected = map[string]*realm{}
	}
	made := &realm{world: w, account: account, methods: methodsOf(account)}
	w.connected[account] = made
	return made
}

// methodsOf is the id of the configuration of payment methods that a connected account has from its beginning.
func methodsOf(account string) string {
	name := sha256.Sum256([]byte("payment methods of " + account))
	return "pmc_" + account[len("acct_"):] + string(base62(nil, binary.BigEndian.Uint64(name[:]), 8))
}

// lookup is the record of an id in whichever realm it is; nil where there is none. It is for pages, whose addresses name no account.
func (w *world) lookup(id string) *record {
	if r := w.home.byID[id]; r != nil {
		return r
	}
	for _, one := range w.connected {
		if r := one.byID[id]; r != nil {
			return r
		}
	}
	return nil
}

// isPlatform says whether the realm is that of the world's own account.
func (w *realm) isPlatform() bool { return w == w.world.home }

// name is the account as data refer to it: nothing for the world's own, so that what was kept before there were others reads as it did.
func (w *realm) name() string {
	if w.isPlatform() {
		return ""
	}
	return w.account
}

// accountRecord is the account itself. Accounts are objects of the platform.
func (w *realm) accountRecord() *record { return w.home.byID[w.account] }

// of is the same call on behalf of another account, which must be one of the world's. What it does there it does as this request, and
// the parameters are the same ones.
func (c *call) of(account string) *call {
	other := *c
	other.realm = c.realmOf(account)
	return &other
}

// platform is the same call on behalf of the world's own account.
func (c *call) platform() *call { return c.of("") }

// connect opens a connected account: the record of the account itself, which is stored in the home realm, and in a realm of its own what
// every account has from its beginning.
func (c *call) connect(r *record, s *standing) *realm {
	r.hidden = s
	c.home.insert(r)
	made := c.openRealm(r.id)
	made.furnish()
	return made
}

// noAccess refuses an account that is not one of the world's, or no longer.
func noAccess(key, account string) error {
	return &apiError{status: http.StatusForbidden, kind: invalidRequest, code: "account_invalid",
		message: "The provided key '" + masked(key) + "' does not have access to account '" + account + "' (or that account does not exist). Application access may have been revoked."}
}

// admit finds the realm that a request is about: the platform's, or that of the account in its Stripe-Account header.
func (x *exchange) admit() error {
	account := x.request.Header.Get("Stripe-Account")
	if x.own != "" && account == "" {
		account = x.own
	}
	if x.own == "" && x.world.isHome(account) {
		return nil
	}
	to := x.world.connected[account]
	if to == nil || !to.standing().granted() || x.own != "" && x.own != account {
		key, _ := apiKey(x.request)
		return noAccess(key, account)
	}
	if x.request.Method != http.MethodGet && to.readOnly() {
		return &apiError{status: http.StatusForbidden, kind: invalidRequest, code: "oauth_not_supported",
			message: "This application does not have the required permissions for this endpoint on account '" + account + "'."}
	}
	to.dropOldEvents()
	x.realm = to
	return nil
}

// readOnly says whether the account has granted the platform no more than to look.
func (w *realm) readOnly() bool {
	d := w.standing().Dossier
	return d != nil && d.Grant != nil && d.Grant.ReadOnly
}
