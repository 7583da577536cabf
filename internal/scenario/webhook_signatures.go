package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/client"
)

var webhookSignatures = Scenario{
	Number: "15", Title: "Webhook signature verification", first: "order-NL-501",
	Ticket: Ticket{
		From: "Nordlicht Tickets, Kiel", Contact: "Jonas", Priority: "Normal", Subject: "\"No signatures found matching the expected signature\", sometimes",
		Text: `Moin,

our proxy keeps a log of everything that comes to the webhook address. Some of it is accepted, some of it is
answered 400, and I cannot see the rule. One request even looks exactly like one that was fine a second before.

Before I change anything: I also have to rotate the signing secrets, ours at Stripe and the one with which you sign
to us, because a colleague has left. Last time we did that we lost events for half an hour, and nobody noticed until
a concert was oversold. Can this be done without losing one, and how would I know?

I attach the log of the proxy.

Jonas`,
	},
	Diagnosis: "till diagnose signature requests.jsonl",
	ByHand:    []string{"till diagnose signature --payload body.json --signature \"t=…,v1=…\""},
	Country:   "DE", History: 4 * time.Hour, Hears: true,
	begin: func(w *world) play { return &signatures{world: w} },
}

// signatures is scenario 15 while it is played.
type signatures struct {
	*world
	number   int // of the next order
	requests []request
	result   signaturesFound
}

// request is one line of the proxy's log, and what is true of it.
type request struct {
	forgery
	kind string
}

// signaturesFound is what till diagnose signature --json says.
type signaturesFound struct {
	Requests []struct {
		Line      int      `json:"line"`
		Valid     bool     `json:"valid"`
		Check     string   `json:"check"`
		Tampered  []string `json:"tampered"`
		Rewritten bool     `json:"rewritten"`
		ReplayOf  int      `json:"replay_of"`
		Why       string   `json:"why"`
	} `json:"requests"`
	Failed map[string]int `json:"failed"`
	Good   int            `json:"good"`
	Cause  string         `json:"cause"`
}

func (s *signatures) stage() (err error) {
	if s.front, err = openTap(s.now); err != nil {
		return err
	}
	defer func() {
		s.front.close()
		s.front = nil
		err = errors.Join(err, s.turnTo(s.base))
	}()
	if err := s.turnTo(s.base); err != nil {
		return err
	}
	for range 3 {
		if err := errors.Join(s.sell(), s.pass(time.Hour)); err != nil {
			return err
		}
	}
	old := s.front.all()
	if err := s.present(); err != nil {
		return err
	}
	for range 3 {
		if err := errors.Join(s.sell(), s.arrived()); err != nil {
			return err
		}
	}
	fresh := s.front.all()[len(old):]
	if len(old) < 3 || len(fresh) < 3 {
		return fmt.Errorf("the proxy kept %d and %d requests of Stripe's", len(old), len(fresh))
	}
	return s.log(old, fresh)
}

// sell takes a payment, of which Stripe then tells.
func (s *signatures) sell() error {
	s.number++
	order := fmt.Sprintf("NL-%d", 500+s.number)
	return s.call("POST", "/v1/payments", map[string]any{"amount": fmt.Sprintf("%d.00", 15+s.rand.IntN(80)), "currency": "EUR", "provider": "stripe", "payment_method": "pm_card_visa",
		"metadata": map[string]string{"order": order}}, nil, client.Key("order-"+order))
}

// log makes the proxy's log of what Stripe sent, and of what others made of it, and has till answer each.
func (s *signatures) log(old, fresh []forgery) error {
	kinds := []string{"as Stripe sent it", "hours old, sent again", "by another secret", "while a secret is rotated", "several signatures", "tampered", "written anew", "unsigned", "not an event", "of live mode", "sent again"}
	for _, f := range fresh {
		s.requests = append(s.requests, request{f, kinds[0]})
	}
	for _, kind := range kinds[1:] {
		n := 1
		if !s.own {
			n += s.rand.IntN(2)
		}
		for range n {
			at, err := s.now()
			if err != nil {
				return err
			}
			f := s.made(kind, old[s.rand.IntN(len(old))], fresh[s.rand.IntN(len(fresh))], at)
			f.ReceivedAt = at
			s.requests = append(s.requests, request{f, kind})
		}
	}
	s.rand.Shuffle(len(s.requests), func(i, j int) { s.requests[i], s.requests[j] = s.requests[j], s.requests[i] })
	answers := map[int]int{}
	for _, r := range s.requests {
		status, err := r.post(s.base + "/v1/webhooks/stripe")
		if err != nil {
			return err
		}
		answers[status]++
	}
	counts := map[string]int{}
	for _, r := range s.requests {
		counts[r.kind]++
	}
	for _, kind := range kinds {
		s.say.step("%d %s", counts[kind], kind)
	}
	s.say.step("till answers %d of these %d with 200 and %d with 400", answers[http.StatusOK], len(s.requests), answers[http.StatusBadRequest])
	return s.writeRequests(s.forgeries(""))
}

// made is one request of a kind, from one of Stripe's.
func (s *signatures) made(kind string, old, f forgery, at time.Time) forgery {
	other := "whsec_" + s.letters(32)
	switch kind {
	case "hours old, sent again":
		old.check = "timestamp"
		return old
	case "by another secret":
		f.Signature, f.check = signed(f.Payload, at, other), "signature"
	case "while a secret is rotated":
		f.Signature = signed(f.Payload, at, other, s.secret)
	case "several signatures":
		f.Signature = signed(f.Payload, at, other, other, s.secret) + ",v0=" + strings.Repeat("0", 64)
	case "tampered":
		f.Payload, f.check = changed(f.Payload, func(object map[string]any) { object["amount"] = 1 }), "signature"
	case "written anew":
		f.Payload, f.check = indented(f.Payload), "signature"
	case "unsigned":
		f.Signature, f.check = "", "header"
	case "not an event":
		f.Payload = `{"hello":"world"}`
		f.Signature, f.check = signed(f.Payload, at, s.secret), "body"
	case "of live mode":
		f.Payload = strings.Replace(f.Payload, `"livemode":false`, `"livemode":true`, -1)
		f.Signature, f.check = signed(f.Payload, at, s.secret), "mode"
	}
	return f
}

// changed is an event with another object in it.
func changed(payload string, change func(object map[string]any)) string {
	var event map[string]any
	_ = json.Unmarshal([]byte(payload), &event) // Stripe's own
	change(event["data"].(map[string]any)["object"].(map[string]any))
	text, _ := json.Marshal(event)
	return string(text)
}

// indented is the same JSON in other bytes.
func indented(payload string) string {
	var event any
	_ = json.Unmarshal([]byte(payload), &event) // Stripe's own
	text, _ := json.MarshalIndent(event, "", "  ")
	return string(text)
}

// forgeries are the requests whose check is to fail, or "all" of them by ""; "good" are those that are well signed.
func (s *signatures) forgeries(which string) (all []forgery) {
	for _, r := range s.requests {
		if which == "" || (which == "good") == (r.check == "") {
			all = append(all, r.forgery)
		}
	}
	return all
}

func (s *signatures) find() (Cause, error) {
	command := strings.Fields(strings.TrimPrefix(webhookSignatures.Diagnosis, "till "))
	if err := s.show(s.reader, command...); err != nil {
		return Cause{}, err
	}
	if err := s.ask(s.reader, &s.result, command...); err != nil {
		return Cause{}, err
	}
	return Cause{Found: s.right(), Words: s.result.Cause, Figures: map[string]any{"requests": len(s.result.Requests), "well_signed": s.result.Good, "failed_by_check": s.result.Failed}}, nil
}

// right says whether the check that fails, and the tampering and replays, are named for every request.
func (s *signatures) right() bool {
	if len(s.result.Requests) != len(s.requests) {
		return false
	}
	for n, v := range s.result.Requests {
		r := s.requests[n]
		first := slices.IndexFunc(s.requests, func(o request) bool { return o.Payload == r.Payload && o.Signature == r.Signature && r.Signature != "" })
		replay := first >= 0 && first < n
		switch {
		case v.Line != n+1, v.Valid != (r.check == ""), v.Check != r.check, (len(v.Tampered) > 0) != (r.kind == "tampered"), v.Rewritten != (r.kind == "written anew"):
			return false
		case replay != (v.ReplayOf > 0):
			return false
		}
	}
	return true
}
