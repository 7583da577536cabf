package sandbox

import (
	"net/http"
	"time"
)

// ConnectedAccount is how an account stands that is connected to a world.
type ConnectedAccount struct {
	ID             string   `json:"id"`
	Type           string   `json:"type"`
	Country        string   `json:"country"`
	ChargesEnabled bool     `json:"charges_enabled"`
	PayoutsEnabled bool     `json:"payouts_enabled"`
	DisabledReason string   `json:"disabled_reason"`
	CurrentlyDue   []string `json:"currently_due"`
	Deadline       int64    `json:"current_deadline"` // in seconds since 1970; 0 is none
}

// Restrict asks for requirements of a connected account, as Stripe's staff does: at once, which switches the account off, or by a deadline
// on the world's clock. Each stays until what it names is given anew.
func (w *World) Restrict(account string, within time.Duration, requirements ...string) ConnectedAccount {
	w.t.Helper()
	return w.steerAccount(connectChange{Account: account, Action: "restrict", Requirements: requirements, Seconds: int64(within / time.Second)})
}

// RequireDocument asks for the identity document of whoever a connected account is, or represents it: at once, or by a deadline.
func (w *World) RequireDocument(account string, within time.Duration) ConnectedAccount {
	w.t.Helper()
	return w.steerAccount(connectChange{Account: account, Action: "require_document", Seconds: int64(within / time.Second)})
}

// RejectAccount rejects a connected account as Stripe does; the reason is fraud, listed, other or terms_of_service.
func (w *World) RejectAccount(account, reason string) ConnectedAccount {
	w.t.Helper()
	return w.steerAccount(connectChange{Account: account, Action: "reject", Reason: reason})
}

// ReachThreshold lets a connected account reach the next threshold: what it had to say eventually is due within two weeks.
func (w *World) ReachThreshold(account string) ConnectedAccount {
	w.t.Helper()
	return w.steerAccount(connectChange{Account: account, Action: "threshold"})
}

// ClearAccount takes back what Restrict, RequireDocument, RejectAccount and ReachThreshold have done.
func (w *World) ClearAccount(account string) ConnectedAccount {
	w.t.Helper()
	return w.steerAccount(connectChange{Account: account, Action: "clear"})
}

// CompleteAccount lets a connected account have said all that it has to, and have been through Stripe's form.
func (w *World) CompleteAccount(account string) ConnectedAccount {
	w.t.Helper()
	return w.steerAccount(connectChange{Account: account, Action: "complete"})
}

// Disconnect takes the platform's access to an account away, as the account's owner does.
func (w *World) Disconnect(account string) {
	w.t.Helper()
	w.steerAccount(connectChange{Account: account, Action: "disconnect"})
}

func (w *World) steerAccount(in connectChange) (line ConnectedAccount) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/connect", in, &line)
	return line
}

// ConnectedAccounts are the accounts that are connected to the world.
func (w *World) ConnectedAccounts() []ConnectedAccount {
	w.t.Helper()
	return w.connect().Accounts
}

// ClientID is what OAuth calls the world's own account: ca_…
func (w *World) ClientID() string {
	w.t.Helper()
	return w.connect().ClientID
}

func (w *World) connect() (all struct {
	ClientID string `json:"client_id"`
	Accounts []ConnectedAccount
}) {
	w.t.Helper()
	w.Control(http.MethodGet, "/_sandbox/connect", nil, &all)
	return all
}
