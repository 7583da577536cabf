package sandbox

import "time"

// loginLife is how long a login link can be opened; unconfirmed. It is good once.
const loginLife = 5 * time.Minute

// loginLinks let the owner of an account with the Express Dashboard in, once.
var loginLinks = &resource{
	Object:  "login_link",
	Path:    singleton,
	Private: func() any { return new(login) },
	Others:  map[string]func(*call) (appender, error){"POST /v1/accounts/x_1/login_links": createLoginLink},
}

// login is what a login link's object does not show.
type login struct {
	Expires int64
	Session string `json:",omitempty"` // of the Dashboard, once the link was opened
	Closes  int64  `json:",omitempty"`
}

func createLoginLink(c *call) (appender, error) {
	to, r, err := c.connectedRecord()
	if err != nil {
		return nil, err
	}
	d := known[standing](r).Dossier
	switch {
	case d == nil || d.Dashboard != "express":
		return nil, refused("", "", "Cannot create an edit link for the account %s, which is not an Express account.", r.id)
	case !r.flag("details_submitted"):
		return nil, refused("", "", "Cannot create a login link for an account that has not completed onboarding.")
	}
	made := to.secretRecord("login_link", &login{Expires: c.now().Add(loginLife).Unix()})
	made.object().Set("created", made.created).Set("url", c.base+dashboardPath+c.tag+"/"+r.id+"/"+made.id)
	to.insert(made)
	return made, nil
}
