package sandbox

import (
	"regexp"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// oldestVersion is the oldest version of Stripe's API that is answered in. Versions before it are refused, because their changes are
// not in the list, and a shape that is half theirs would mislead.
const oldestVersion = "2014-05-19"

var versionForm = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(\.[a-z]+)?(;.*)?$`)

// wrongVersion says what is wrong with a version; empty is nothing. Any date is taken, for what lies between two versions has the
// shape of the earlier one, and a version that is newer than the sandbox that of the sandbox's.
func wrongVersion(version string) string {
	shown := strings.ToValidUTF8(version[:min(len(version), 200)], "")
	switch {
	case len(version) > 200 || !versionForm.MatchString(version):
		return "Invalid Stripe API version: " + shown + ". You must use an API version in the form of YYYY-MM-DD, such as '" + spec.Version + "'."
	case dateOf(version) < oldestVersion:
		return "Invalid Stripe API version: " + shown + ". This sandbox answers in versions from " + oldestVersion + " to " + spec.Version + ": what was otherwise before is not in its list of changes."
	}
	return ""
}

// dateOf is the date of a well-formed version, without the name of its release and without betas.
func dateOf(version string) string { return version[:len("2006-01-02")] }

// readVersion finds the version that the request asks for: its own, or the account's.
func (x *exchange) readVersion() error {
	x.version = x.request.Header.Get("Stripe-Version")
	if x.version == "" {
		x.version = x.world.pinned()
	} else if wrong := wrongVersion(x.version); wrong != "" {
		x.version = ""
		return &apiError{status: 400, kind: invalidRequest, message: wrong}
	}
	x.older = changesSince(x.version)
	return nil
}

// pinned is the version of the world's own account, for requests that name none. It is that of the accounts connected to it too, and
// the one in which events are. The lock need not be held: most requests ask, and would wait for it a second time.
func (w *world) pinned() string {
	if version := w.apiVersion.Load(); version != nil {
		return *version
	}
	return spec.Version
}

// pin makes the version that the account has from now on that of requests which name none.
func (w *world) pin() {
	if version := w.home.standing().Version; version != "" {
		w.apiVersion.Store(&version)
		return
	}
	w.apiVersion.Store(nil)
}

// before says whether the request's version is older than a date.
func (c *call) before(date string) bool { return dateOf(c.version) < date }

// outdated is what Stripe says of a request in an older version, so recorded in 2026.
func outdated(version string) string {
	return "You are using an outdated API version (" + version + "). We recommend upgrading to the latest API version, " + spec.Version + ". See https://docs.stripe.com/upgrades"
}
