package sandbox

import (
	"crypto/subtle"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"
)

// dashboardPath is where accounts with the Express Dashboard see themselves: below it by the world's tag, the account, and the secret of a login
// link, and, once that was opened, of a session.
const dashboardPath = "/express/dashboard/"

// visitLife is how long the Dashboard stays open once its link was.
const visitLife = time.Hour

//go:embed dashboard.html
var dashboardSource string

var dashboardPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("dashboard").Parse(dashboardSource))
})

// dashboardView is what the Dashboard shows.
type dashboardView struct {
	Message          string
	Name, Account    string
	Charges, Payouts bool
	Missing          []string // in words
	Funds            []fundsView
	Paid             []payoutView
}

type fundsView struct{ Available, Pending string }

type payoutView struct{ Amount, Arrival, Status string }

// serveDashboard opens a login link, and shows the account.
func (s *Server) serveDashboard(w http.ResponseWriter, r *http.Request) {
	guardPage(w)
	view, to, status := dashboardView{Message: "This link is not, or no longer, good."}, "", http.StatusNotFound
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, dashboardPath), "/")
	s.mu.Lock()
	of := s.tags[parts[0]]
	s.mu.Unlock()
	if of != nil && len(parts) >= 3 && r.Method == http.MethodGet {
		_ = of.step(func() { // the next request tells of a failure
			c, l := of.loginOf(parts[1], parts[2])
			switch {
			case l == nil:
			case len(parts) == 3 && l.Session == "" && c.now().Unix() < l.Expires:
				l.Session, l.Closes = c.letters(32), c.now().Add(visitLife).Unix()
				to = r.URL.Path + "/" + l.Session
			case len(parts) == 4 && l.Session != "" && subtle.ConstantTimeCompare([]byte(parts[3]), []byte(l.Session)) == 1 && c.now().Unix() < l.Closes:
				view, status = c.dashboard(), http.StatusOK
			}
		})
	}
	if to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = dashboardPage().Execute(w, view) // a reader who has gone is no business of ours
}

// loginOf is a login link, and a call on behalf of its account; nil where there is none. The lock is held.
func (w *world) loginOf(account, secret string) (*call, *login) {
	of := w.connected[account]
	if of == nil || !of.standing().granted() {
		return nil, nil
	}
	r := of.find("login_link", secret)
	if r == nil {
		return nil, nil
	}
	return of.own(), private[login](r)
}

// shownPayouts is how many of the latest payouts the Dashboard shows.
const shownPayouts = 5

func (c *call) dashboard() dashboardView {
	o := c.accountRecord().object()
	v := dashboardView{Account: c.account, Charges: o.Bool("charges_enabled"), Payouts: o.Bool("payouts_enabled")}
	v.Name, _ = o.At("business_profile", "name").(string)
	due, _ := o.Sub("requirements").Get("currently_due").([]string)
	for _, field := range due {
		v.Missing = append(v.Missing, labelOf(field).text)
	}
	for _, currency := range c.books().currencies() {
		f := c.books().in(currency)
		of, _ := readCurrency(currency)
		v.Funds = append(v.Funds, fundsView{display(f.Available, of), display(f.pending(), of)})
	}
	all := c.all("payout")
	for i := len(all) - 1; i >= 0 && len(v.Paid) < shownPayouts; i-- {
		p := all[i].object()
		v.Paid = append(v.Paid, payoutView{display(p.Int("amount"), currencyOf(p)), time.Unix(p.Int("arrival_date"), 0).UTC().Format(time.DateOnly), p.String("status")})
	}
	return v
}
