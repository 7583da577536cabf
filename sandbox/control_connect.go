package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// What Stripe's staff does with a connected account, and what its owner does, is done here in their place:
//
//	GET  /_sandbox/connect   {"client_id":"ca_…","accounts":[…]}: what OAuth calls the platform, and the accounts with what they lack
//	POST /_sandbox/connect   {"account":"acct_…","action":"restrict","requirements":["business_profile.url"],"seconds":86400}
//
// The actions are
//
//	restrict          asks for requirements: at once, or within seconds; with a code and a reason where wanted
//	require_document  the same of the identity document of whoever the account is, or its representative
//	review            Stripe looks into the account, which is off meanwhile
//	reject            for good; reason is fraud, listed, other or terms_of_service
//	threshold         the account has reached the next threshold: what was due eventually is due within two weeks
//	clear             takes all of that back
//	complete          the owner has said all that is missing, and has been through Stripe's form
//	disconnect        the owner takes the platform's access away

// connectChange is a change as the control API takes it.
type connectChange struct {
	Account      string   `json:"account"`
	Action       string   `json:"action"`
	Requirements []string `json:"requirements,omitempty"`
	Code         string   `json:"code,omitempty"`
	Reason       string   `json:"reason,omitempty"`
	Seconds      int64    `json:"seconds,omitempty"`
}

// maxDemands bounds what is asked for of an account beside what all have to say.
const maxDemands = 100

// connectView is the platform's accounts as the control API shows them.
type connectView struct {
	ClientID string        `json:"client_id"`
	Accounts []accountLine `json:"accounts"`
}

type accountLine struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Country  string   `json:"country"`
	Charges  bool     `json:"charges_enabled"`
	Payouts  bool     `json:"payouts_enabled"`
	Disabled string   `json:"disabled_reason,omitempty"`
	Due      []string `json:"currently_due"`
	Deadline int64    `json:"current_deadline,omitempty"`
}

// showConnect answers GET /_sandbox/connect.
func showConnect(w *realm, _ *http.Request, _ []byte) (any, error) {
	v := connectView{Accounts: []accountLine{}}
	err := w.step(func() {
		v.ClientID = w.clientID()
		for r := range w.home.each("account") {
			if s := known[standing](r); s.Dossier != nil && !s.Left {
				v.Accounts = append(v.Accounts, lineOf(r))
			}
		}
	})
	return v, err
}

func lineOf(r *record) accountLine {
	o := r.look()
	l := accountLine{ID: r.id, Type: o.String("type"), Country: o.String("country"), Charges: o.Bool("charges_enabled"), Payouts: o.Bool("payouts_enabled"), Due: []string{}}
	needs := o.Sub("requirements")
	l.Disabled, l.Deadline = needs.String("disabled_reason"), needs.Int("current_deadline")
	if due, _ := needs.Get("currently_due").([]string); len(due) > 0 {
		l.Due = slices.Clone(due)
	}
	return l
}

// changeConnected answers POST /_sandbox/connect.
func changeConnected(w *realm, _ *http.Request, body []byte) (any, error) {
	var in connectChange
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	var line accountLine
	var refusal error
	err := w.step(func() {
		r := w.home.find("account", in.Account)
		if r == nil || known[standing](r).Dossier == nil || known[standing](r).Left {
			refusal = &errControl{http.StatusNotFound, "No account is connected that is called " + in.Account + "; GET /_sandbox/connect lists them."}
			return
		}
		if refusal = w.connected[r.id].own().steerAccount(r, in); refusal == nil {
			line = lineOf(r)
		}
	})
	if refusal != nil {
		return nil, refusal
	}
	return line, err
}

// steerAccount checks an action, and takes it.
func (c *call) steerAccount(r *record, in connectChange) error {
	d, before := c.dossier(), r.object().Clone()
	switch in.Action {
	case "restrict":
		if err := c.demand(d, in, in.Requirements); err != nil {
			return err
		}
	case "require_document":
		who := "individual"
		if one := c.individual(); entity(r.text("business_type")) == "company" {
			if one == nil {
				return badControl("The account " + r.id + " has no person yet whose document could be asked for.")
			}
			who = one.id
		}
		if err := c.demand(d, in, []string{who + ".verification.document"}); err != nil {
			return err
		}
	case "review":
		d.Review = true
	case "reject":
		if !slices.Contains([]string{"fraud", "listed", "other", "terms_of_service"}, in.Reason) {
			return badControl("reason is fraud, listed, other or terms_of_service.")
		}
		d.Rejected = in.Reason
	case "threshold":
		d.Reached, d.Deadline = true, c.now().Add(thresholds*24*time.Hour).Unix()
	case "clear":
		d.Asked, d.Review, d.Rejected, d.Reached, d.Deadline = nil, false, "", false, 0
	case "complete":
		d.Linked, d.Submitted, d.Established, d.Asked = true, true, true, nil
		if c.payoutAccount(r.text("default_currency")) == nil {
			c.addBank(r.text("default_currency"))
		}
	case "disconnect":
		c.depart(r)
		return nil
	default:
		return badControl("action is restrict, require_document, review, reject, threshold, clear, complete or disconnect.")
	}
	c.reviewSince(before)
	return nil
}

// demand asks for fields of an account.
func (c *call) demand(d *dossier, in connectChange, fields []string) error {
	switch {
	case len(fields) == 0 || len(fields)+len(d.Asked) > maxDemands:
		return badControl("requirements are 1 to 100 fields, such as business_profile.url.")
	case in.Seconds < 0 || time.Duration(in.Seconds) > maxAdvance/time.Second:
		return badControl("seconds are those until the deadline, ten years at most; 0 is at once.")
	case in.Code != "" && reasons[in.Code] == "" && in.Reason == "":
		return badControl("A code that the sandbox has no words for needs a reason.")
	}
	var asked []demand
	for _, field := range fields {
		if field == "" || strings.ContainsAny(field, " []") || len(field) > 200 {
			return badControl("A requirement is written as Stripe writes it: individual.verification.document.")
		}
		one := demand{Field: field, Code: in.Code, Reason: in.Reason, Does: everything}
		if one.Reason == "" {
			one.Reason = reasons[in.Code]
		}
		if in.Seconds > 0 {
			one.Until = c.now().Unix() + in.Seconds
		}
		asked = append(asked, one)
	}
	d.clear(fields)
	d.Asked = append(d.Asked, asked...)
	return nil
}
