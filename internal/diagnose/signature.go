package diagnose

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/client"
)

// Received is a request that came to a webhook endpoint, as its log or a proxy before it has it.
type Received struct {
	Payload    string    `json:"payload"`              // the body, byte for byte
	Signature  string    `json:"signature"`            // the header Stripe-Signature; "" where it had none
	ReceivedAt time.Time `json:"received_at,omitzero"` // when it came, where that is known: its age is judged by then
}

// The bounds of what is read.
const (
	mostReceived = 1_000
	longestLine  = 1 << 20
)

// ReadReceived reads requests, one JSON object a line: {"payload":"…","signature":"t=…,v1=…","received_at":"2026-01-05T12:00:00Z"}.
func ReadReceived(r io.Reader) (all []Received, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var one Received
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&one); err != nil {
			return nil, fmt.Errorf(`line %d is not {"payload":"…","signature":"t=…,v1=…"}: %w`, n, err)
		}
		if len(all) == mostReceived {
			return nil, fmt.Errorf("these are more than %d requests: take the suspicious ones", mostReceived)
		}
		all = append(all, one)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("a line is longer than %d bytes: no event of Stripe's is", longestLine)
	}
	return all, lines.Err()
}

// Signatures is the verdict on each request.
type Signatures struct {
	Check    string         `json:"check"`
	Requests []Verdict      `json:"requests"`
	Failed   map[string]int `json:"failed"` // by the check that failed
	Good     int            `json:"good"`
	Cause    string         `json:"cause"`
}

// Verdict is what one request's signature is worth, and why.
type Verdict struct {
	Line       int        `json:"line"` // from 1
	Event      string     `json:"event"`
	Type       string     `json:"type"`
	Valid      bool       `json:"valid"`
	Check      string     `json:"check"` // header, signature, timestamp, mode, body; "" where all passed
	Signatures int        `json:"signatures"`
	SignedAt   *time.Time `json:"signed_at"`
	Age        int64      `json:"age_seconds"` // when it came where that is known, and now otherwise
	Tampered   []string   `json:"tampered"`    // what was changed in a body whose signature belongs to another line
	Rewritten  bool       `json:"rewritten"`   // the same JSON in other bytes, under the signature of another line
	ReplayOf   int        `json:"replay_of"`   // the line of which this is the same request again; 0 is none
	Kept       bool       `json:"kept"`        // till has this event
	Applied    *time.Time `json:"applied_at"`
	Why        string     `json:"why"`
	Advice     string     `json:"advice"`
}

// checked is what till says of a signature.
type checked struct {
	Valid       bool       `json:"valid"`
	Check       string     `json:"check"`
	Explanation string     `json:"explanation"`
	SignedAt    *time.Time `json:"signed_at"`
	Age         *int64     `json:"age_seconds"`
}

// kept is one of Stripe's events as till has it.
type kept struct {
	ID        string     `json:"id"`
	Type      string     `json:"type"`
	Object    string     `json:"object_id"`
	CreatedAt time.Time  `json:"created_at"`
	AppliedAt *time.Time `json:"applied_at"`
	Source    string     `json:"source"`
}

// CheckSignatures asks till of each request which check fails, and compares the requests with each other. Nothing is written.
func CheckSignatures(ctx context.Context, c *client.Client, all []Received) (*Signatures, error) {
	s := &Signatures{Check: "signature", Requests: []Verdict{}, Failed: map[string]int{}}
	for n, r := range all {
		v, err := judge(ctx, c, n+1, r)
		if err != nil {
			return nil, err
		}
		s.Requests = append(s.Requests, v)
	}
	for n := range s.Requests {
		v := &s.Requests[n]
		compare(v, all, s.Requests)
		if v.Valid {
			s.Good++
		} else {
			s.Failed[v.Check]++
		}
		v.Advice = advice(*v)
	}
	s.Cause = s.cause()
	return s, nil
}

func judge(ctx context.Context, c *client.Client, line int, r Received) (Verdict, error) {
	v := Verdict{Line: line, Signatures: strings.Count(r.Signature, "v1="), Tampered: []string{}}
	var said checked
	if err := c.Call(ctx, "POST", "/v1/stripe/signature", r.asked(), &said); err != nil {
		return v, err
	}
	v.Valid, v.Check, v.Why, v.SignedAt = said.Valid, said.Check, said.Explanation, said.SignedAt
	if said.Age != nil {
		v.Age = *said.Age
	}
	v.asOf(r.ReceivedAt)
	var event struct {
		ID, Type string
		Data     struct{ Object struct{ ID string } }
	}
	if json.Unmarshal([]byte(r.Payload), &event) != nil {
		return v, nil
	}
	v.Event, v.Type = clip(event.ID), clip(event.Type)
	return v, v.find(ctx, c, event.Data.Object.ID)
}

func (r Received) asked() any {
	return map[string]string{"payload": r.Payload, "signature": r.Signature}
}

// tolerance is how old a signature may be when it comes (docs.stripe.com/webhooks: five minutes).
const tolerance = 5 * time.Minute

// asOf judges the age by when the request came: a log that is read days later holds nothing but old signatures.
func (v *Verdict) asOf(came time.Time) {
	if came.IsZero() || v.SignedAt == nil {
		return
	}
	age := came.Sub(*v.SignedAt)
	v.Age = int64(age / time.Second)
	switch {
	case v.Check == "timestamp" && age <= tolerance:
		v.Valid, v.Check, v.Why = true, "", "The signature was good when it came; it is only old by now."
	case age > tolerance && (v.Valid || v.Check == "timestamp"):
		v.Valid, v.Check = false, "timestamp"
		v.Why = fmt.Sprintf("The signature is right, and was %s old when it came: more than the five minutes that are allowed.", age.Round(time.Second))
	}
}

// find looks whether till has the event, by the object that it is about.
func (v *Verdict) find(ctx context.Context, c *client.Client, object string) error {
	if v.Event == "" || object == "" || len(object) > 255 {
		return nil
	}
	found := errors.New("found")
	err := client.Each(ctx, c, "/v1/stripe/events", url.Values{"object_id": {object}}, func(e kept) error {
		if e.ID != v.Event {
			return nil
		}
		v.Kept, v.Applied = true, e.AppliedAt
		return found
	})
	if errors.Is(err, found) {
		return nil
	}
	return err
}

// compare finds what one request alone does not tell: that it is another's signature over a changed body, or another again.
func compare(v *Verdict, all []Received, verdicts []Verdict) {
	mine := all[v.Line-1]
	if mine.Signature == "" {
		return
	}
	for n, other := range all {
		if mine.Signature != other.Signature || v.Check != "signature" || verdicts[n].Check == "signature" {
			continue
		}
		if v.Tampered = changes(other.Payload, mine.Payload); len(v.Tampered) > 0 {
			v.Why += fmt.Sprintf(" The same signature is right for the body of line %d, so this body was changed: %s.", n+1, strings.Join(v.Tampered, "; "))
		} else {
			v.Rewritten = true
			v.Why += fmt.Sprintf(" The same signature is right for the body of line %d, which is the same JSON in other bytes: something wrote it anew before it was checked.", n+1)
		}
		break
	}
	for n, other := range all[:v.Line-1] {
		if mine.Signature == other.Signature && mine.Payload == other.Payload {
			v.ReplayOf = n + 1
			v.Why += fmt.Sprintf(" It is the request of line %d again.", n+1)
			return
		}
	}
}

const mostChanges = 5

// changes are the fields in which one JSON body differs from another, and how; none where they are the same.
func changes(from, to string) []string {
	var a, b any
	if json.Unmarshal([]byte(from), &a) != nil || json.Unmarshal([]byte(to), &b) != nil {
		return []string{"it is not the same text"}
	}
	all := differ("", a, b)
	slices.Sort(all)
	return all[:min(len(all), mostChanges)]
}

func differ(path string, a, b any) (all []string) {
	one, isOne := a.(map[string]any)
	two, isTwo := b.(map[string]any)
	if isOne && isTwo {
		for name := range two {
			if _, was := one[name]; !was {
				all = append(all, differ(path+"."+name, nil, two[name])...)
			}
		}
		for name := range one {
			all = append(all, differ(path+"."+name, one[name], two[name])...)
		}
		return all
	}
	if reflect.DeepEqual(a, b) {
		return nil
	}
	was, _ := json.Marshal(a) // it was JSON
	is, _ := json.Marshal(b)
	return []string{fmt.Sprintf("%s from %s to %s", strings.TrimPrefix(path, "."), clip(string(was)), clip(string(is)))}
}

func clip(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// advice is what to do about it.
func advice(v Verdict) string {
	switch {
	case v.Valid && v.ReplayOf > 0:
		return "Nothing: an event is applied once, however often it comes."
	case v.Valid && v.Signatures > 1:
		return "Nothing: a secret is being rotated, and one of the signatures is by the one that till has."
	case v.Valid && !v.Kept && v.Event != "":
		return "Nothing is wrong with the signature, but till does not have the event: till events missed --since 72h."
	case v.Valid:
		return "Nothing."
	case v.Check == "header":
		return "Refuse it: it was not signed by Stripe, or a proxy drops the header Stripe-Signature."
	case v.Check == "timestamp":
		return "Refuse it: somebody sends an old request again. If it is Stripe's own, set the clock of this machine right."
	case v.Check == "mode":
		return "Send events of test mode to an endpoint of test mode, and live ones to a live one."
	case v.Check == "body":
		return "Refuse it: this is not one of Stripe's events."
	case v.Rewritten:
		return "Check the body as it came, byte for byte, before anything parses it and writes it anew."
	case len(v.Tampered) > 0:
		return "Refuse it, and look at what stands between Stripe and you."
	case v.Kept:
		return "The event is a real one that till has: its signature is by another endpoint's secret, or the body was changed. Give the secret of this endpoint: PUT /v1/merchant/providers."
	}
	return "Refuse it, unless it is by a secret that till does not have yet: compare the endpoint's secret in Stripe's Dashboard."
}

func (s *Signatures) cause() string {
	if len(s.Requests) == 0 {
		return "There was nothing to check."
	}
	var parts []string
	for _, check := range []string{"header", "signature", "timestamp", "mode", "body"} {
		if n := s.Failed[check]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s by the %s", plural(n, "failure"), map[string]string{"header": "header: unsigned or unreadable", "signature": "signature: another secret, or a changed body",
				"timestamp": "timestamp: too old", "mode": "mode", "body": "body"}[check]))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("All of %s are well signed.", plural(len(s.Requests), "request"))
	}
	return fmt.Sprintf("%s, of which %d are well signed; %s.", sentence(plural(len(s.Requests), "request")), s.Good, strings.Join(parts, "; "))
}

// Write tells it to a person.
func (s *Signatures) Write(w io.Writer) {
	for _, v := range s.Requests {
		verdict := "good"
		if !v.Valid {
			verdict = "fails: " + v.Check
		}
		fmt.Fprintf(w, "line %-3d %-17s %s %s\n", v.Line, verdict, first(v.Event, "no event"), v.Type)
		fmt.Fprintf(w, "         %s\n", strings.TrimSpace(first(v.Why, "Every check passes.")))
		if v.Advice != "Nothing." {
			fmt.Fprintf(w, "         → %s\n", v.Advice)
		}
	}
	fmt.Fprintln(w, "\n"+s.Cause)
}
