package sandbox

import (
	"github.com/till-pay/till/sandbox/spec"
)

// rejections are the reasons for which a platform rejects an account.
var rejections = map[string]string{"fraud": "fraud", "terms_of_service": "terms_of_service", "other": "other"}

// rejectAccount refuses an account for good.
func rejectAccount(c *call) (appender, error) {
	to, r, err := c.endable()
	if err != nil {
		return nil, err
	}
	reason := rejections[c.params.String("reason")]
	switch {
	case reason == "":
		return nil, invalid("", "reason", "Invalid reason: must be one of fraud, terms_of_service, or other")
	case to.dossier().Hosted && to.dossier().Dashboard == "full":
		return nil, invalid("not_allowed_on_standard_account", "", "You cannot reject the account %s: accounts that answer to Stripe themselves are not rejected by their platform.", r.id)
	case c.params.Has("payouts_action"):
		return nil, unbuilt("the parameter payouts_action of %s", c.op)
	}
	before := r.object().Clone()
	to.dossier().Rejected = reason
	to.reviewSince(before)
	return c.show(r)
}

// unrejectAccount takes that back.
func unrejectAccount(c *call) (appender, error) {
	to, r, err := c.endable()
	if err != nil {
		return nil, err
	}
	if to.dossier().Rejected == "" {
		return nil, refused("", "", "The account %s is not rejected.", r.id)
	}
	before := r.object().Clone()
	to.dossier().Rejected = ""
	to.reviewSince(before)
	return c.show(r)
}

// endable is a connected account that the sandbox has not made up.
func (c *call) endable() (*call, *record, error) {
	to, r, err := c.connectedRecord()
	if err == nil && known[standing](r).Dossier == nil {
		err = refused("", "", "You cannot do this to the account %s.", r.id)
	}
	return to, r, err
}

// deleteAccount ends a connected account that holds no money. One that answers to Stripe itself is not its platform's to delete.
func deleteAccount(c *call) (appender, error) {
	to, r, err := c.endable()
	if err != nil {
		return nil, err
	}
	if d := to.dossier(); d.Dashboard == "full" {
		return nil, refused("", "", "You cannot delete the account %s, which has access to the Stripe Dashboard; it can be disconnected by OAuth instead.", r.id)
	}
	for _, currency := range to.books().currencies() {
		if of := to.books().in(currency); of.Available+of.pending() != 0 {
			return nil, refused("", "", "You cannot delete the account %s: its balance is not zero.", r.id)
		}
	}
	to.depart(r)
	c.home.remove(r)
	return spec.New("deleted_account").Set("id", r.id).Set("deleted", true), nil
}

// depart ends the platform's access to an account.
func (c *call) depart(r *record) {
	c.standingToChange().Left = true
	c.emit("account.application.deauthorized", c.applicationRecord())
}

// applications is the platform as connected accounts know it.
var applications = &resource{Object: "application", Path: singleton}

// applicationRecord is the platform as an application, for events to tell of.
func (c *call) applicationRecord() *record {
	id := c.clientID()
	if r := c.home.byID[id]; r != nil {
		return r
	}
	r := c.home.establish("application", id, nil)
	r.object().Set("id", id).Set("name", applicationName)
	return r
}
