package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/webhook"
)

// A server that hears till. In place of the map stands a table with a unique key, written in the transaction that ships the order.
func Example() {
	current, before := secret(), secret() // from your configuration: the second only while the secret is changed
	verifier, err := webhook.New(current, before)
	if err != nil {
		fmt.Println(err)
		return
	}
	dealt := map[string]bool{}
	server := httptest.NewServer(webhook.Handler(verifier, func(_ context.Context, m webhook.Message) error {
		if !dealt[m.ID] {
			dealt[m.ID] = true
			fmt.Println("deal with", m.Sequence, m.Type)
		}
		return nil
	}))
	defer server.Close()

	send := func(secret, body string) {
		r, _ := http.NewRequest("POST", server.URL, strings.NewReader(body))
		_ = webhook.Sign(r.Header, secret, "8b1d", time.Now(), []byte(body))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		answer.Body.Close()
		fmt.Println("answered", answer.StatusCode)
	}
	const body = `{"type":"payment.completed","timestamp":"2026-11-24T12:00:00Z","id":"8b1d","sequence":1,"data":{}}`
	send(current, body)
	send(before, body)     // once more, signed with the secret before
	send(secret(), "{...") // a stranger
	// Output:
	// deal with 1 payment.completed
	// answered 204
	// answered 204
	// answered 400
}

func ExampleVerifier_Verify() {
	s := secret()
	verifier, _ := webhook.New(s)
	header, body := http.Header{}, []byte(`{"type":"refund.failed","timestamp":"2026-11-24T12:00:00Z","id":"8b1d","sequence":4,"data":{}}`)
	_ = webhook.Sign(header, s, "8b1d", time.Now(), body)
	m, err := verifier.Verify(header, body)
	fmt.Println(m.Sequence, m.Type, err)

	_, err = verifier.Verify(header, append(body, ' '))
	fmt.Println(errors.Is(err, webhook.ErrSignature))
	// Output:
	// 4 refund.failed <nil>
	// true
}

func ExampleTracker() {
	var heard webhook.Tracker
	for _, m := range []webhook.Message{{Sequence: 1, ID: "a"}, {Sequence: 2, ID: "b"}, {Sequence: 5, ID: "e"}, {Sequence: 4, ID: "d"}, {Sequence: 4, ID: "d"}} {
		came, _ := heard.Add(m)
		fmt.Println(m.Sequence, came)
	}
	fmt.Println("missing", heard.Missing())

	state, _ := json.Marshal(&heard) // to be kept, and read again after a restart
	var again webhook.Tracker
	_ = json.Unmarshal(state, &again)
	_, _ = again.Add(webhook.Message{Sequence: 3, ID: "c"})
	fmt.Println("missing", again.Missing())

	// What till's checkpoint stated: h(1) = sha256("\na"), h(2) = sha256(h(1) "\nb") …
	fmt.Println(again.Check(webhook.Checkpoint{Sequence: 5, Count: 5, Hash: over([]string{"a", "b", "c", "d", "e"})}))
	fmt.Println(again.Check(webhook.Checkpoint{Sequence: 6, Count: 6, Hash: over([]string{"a", "b", "c", "d", "e", "f"})}))
	// Output:
	// 1 next
	// 2 next
	// 5 early
	// 4 late
	// 4 duplicate
	// missing [3]
	// missing []
	// <nil>
	// webhook: of messages 1 to 6 these have not come: [6]
}

// At start, and every few minutes: what was missed while the server was down is fetched, dealt with, and proved.
func ExampleCatchUp() {
	till := client.New("https://pay.example.com", "the API key, with the scope webhooks:read")
	heard := &webhook.Tracker{} // read from where it is kept
	catchUp := func(ctx context.Context) error {
		endpoints, err := webhook.Endpoints(ctx, till)
		if err != nil || len(endpoints) == 0 {
			return err
		}
		fetched, err := webhook.CatchUp(ctx, till, endpoints[0].ID, heard, func(m webhook.Message) error {
			return nil // as Handler's function does
		})
		whole, proved := heard.Heard()
		fmt.Printf("fetched %d; messages 1 to %d have come, proved up to %d\n", fetched, whole, proved)
		return err // *webhook.Conflict: a message that is not till's
	}
	_ = catchUp
}
