package message_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/message"
	"github.com/till-pay/till/internal/tilltest"
)

// server is a mail server of the test's own. answer says what it replies to a command, such as "RCPT" or "." at the end of the text; "" is
// its usual reply, and "cut" ends the connection.
type server struct {
	url    string
	mu     sync.Mutex
	answer map[string]string
	got    []string // whole texts that were taken
}

func serve(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &server{url: "smtp://" + l.Addr().String() + "?from=shop@example.com", answer: map[string]string{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(conn)
		}
	}()
	return s
}

func (s *server) says(command, reply string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer[command] = reply
}

func (s *server) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.got...)
}

func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewScanner(conn)
	fmt.Fprint(conn, "220 here\r\n")
	usual := map[string]string{"EHLO": "250 here", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "QUIT": "221 bye", ".": "250 taken"}
	text, inText := "", false
	for in.Scan() {
		command, _, _ := strings.Cut(in.Text(), " ")
		if inText && in.Text() != "." {
			text += in.Text() + "\n"
			continue
		}
		s.mu.Lock()
		reply := s.answer[command]
		if command == "." && !strings.HasPrefix(reply, "5") && !strings.HasPrefix(reply, "4") {
			s.got = append(s.got, text)
		}
		s.mu.Unlock()
		if inText = command == "DATA" && reply == ""; reply == "" {
			reply = usual[command]
		}
		if reply == "cut" {
			return
		}
		fmt.Fprint(conn, reply+"\r\n")
	}
}

// room is the room of a till, with a mail server; the till's own has none.
type room struct {
	*message.Messages
	t    *testing.T
	till *tilltest.Till
	mail *server
	paid int
}

func each(t *testing.T, test func(t *testing.T, r *room)) {
	t.Helper()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		mail := serve(t)
		m, err := message.ParseMail(mail.url)
		if err != nil {
			t.Fatal(err)
		}
		own := *till.Messages
		own.Mail = m
		test(t, &room{&own, t, till, mail, 0})
	})
}

// write makes a declined payment and a message about it.
func (r *room) write() message.Message {
	r.t.Helper()
	r.paid++
	p := r.till.Post("/v1/payments", map[string]any{"amount": "50.00", "currency": "EUR", "provider": "stripe", "payment_method": "pm_card_visa_chargeDeclined",
		"customer": map[string]string{"email": fmt.Sprintf("jane%d@example.com", r.paid)}}).Want(201)
	m, replayed, err := r.Create(r.t.Context(), r.till.Shop.Scope, message.CreateInput{PaymentID: p.ID(), Template: "another_card", Figures: map[string]string{"customer": "Jäne"}})
	if err != nil || replayed {
		r.t.Fatalf("%v, replayed %v", err, replayed)
	}
	return m
}

func (r *room) send() {
	r.t.Helper()
	if _, err := r.Send(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) is(m message.Message, want message.State, attempts int64) message.Message {
	r.t.Helper()
	now, err := r.Get(r.t.Context(), r.till.Shop.Scope, m.ID)
	if err != nil || now.State != want || now.Attempts != attempts {
		r.t.Fatalf("it is %s after %d attempts (%s), want %s after %d: %v", now.State, now.Attempts, now.Error, want, attempts, err)
	}
	return now
}

// A message is one for its payment and template, however many ask at once, and one mail, however often the task runs.
func TestOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *room) {
		m := r.write()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				again, replayed, err := r.Create(t.Context(), r.till.Shop.Scope, message.CreateInput{PaymentID: m.PaymentID, Template: m.Template})
				if err != nil || !replayed || again.ID != m.ID {
					t.Errorf("%+v, replayed %v, %v", again, replayed, err)
				}
			})
		}
		wg.Wait()
		for range 4 {
			wg.Go(func() {
				if _, err := r.Send(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if now := r.is(m, message.Sent, 1); now.SentAt == nil || now.Error != "" {
			t.Errorf("%+v", now)
		}
		all := r.mail.texts()
		if len(all) != 1 {
			t.Fatalf("%d mails", len(all))
		}
		for _, says := range []string{"From: shop@example.com", "To: jane1@example.com", "Subject: Your payment of 50.00 EUR to ", "Message-ID: <" + m.ID + "@example.com>", "Hello J=C3=A4ne,"} {
			if !strings.Contains(all[0], says) {
				t.Errorf("the mail does not say %q:\n%s", says, all[0])
			}
		}
		if _, err := r.Get(t.Context(), r.till.Bare("test").Scope, m.ID); err == nil {
			t.Error("another merchant sees it")
		}
	})
}

// Only what the server has certainly not taken is sent again.
func TestWhatTheServerSays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *room) {
		r.mail.says("RCPT", "450 come back")
		later := r.write()
		r.send()
		r.is(later, message.Queued, 1)
		r.send() // not yet
		r.is(later, message.Queued, 1)
		r.mail.says("RCPT", "550 <jane2@example.com>: nobody here")
		never := r.write()
		r.send()
		if strings.Contains(r.till.Log.String(), "jane2@example.com") {
			t.Error("the log names a customer")
		}
		if now := r.is(never, message.Failed, 1); !strings.Contains(now.Error, "nobody here") {
			t.Errorf("%+v", now)
		}
		r.mail.says("RCPT", "")
		r.mail.says(".", "cut")
		perhaps := r.write()
		r.send()
		r.is(perhaps, message.Unknown, 1)
		r.mail.says(".", "")
		r.till.Clock.Advance(time.Hour)
		r.send()
		r.is(later, message.Sent, 2)
		r.is(perhaps, message.Unknown, 1)
		r.is(never, message.Failed, 1)
		if n := len(r.mail.texts()); n != 2 { // later's, and the one whose answer was cut
			t.Errorf("%d mails", n)
		}
		old := r.write()
		r.till.Clock.Advance(73 * time.Hour)
		r.send()
		r.is(old, message.Expired, 0)
	})
}

// What says that nothing was charged is written and sent of payments alone of which that is certain, at the time of sending too.
func TestNobodyIsAskedToPayTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *room) {
		set := func(payment, what string) {
			t.Helper()
			if err := r.till.DB.Write(t.Context(), db.Change{SQL: `update payments set ` + what + ` where id = $1`, Args: []any{payment}, Rows: 1}); err != nil {
				t.Fatal(err)
			}
		}
		m := r.write()
		r.mail.says("RCPT", "450 come back")
		r.send()
		set(m.PaymentID, `status = 'completed'`) // by the last word of Stripe's, or another card
		r.mail.says("RCPT", "")
		r.till.Clock.Advance(time.Hour)
		r.send()
		if now := r.is(m, message.Expired, 1); now.Error == "" || len(r.mail.texts()) != 0 {
			t.Errorf("%+v, and %d mails", now, len(r.mail.texts()))
		}
		confirm := message.CreateInput{PaymentID: m.PaymentID, Template: "confirm_with_bank"}
		set(m.PaymentID, `status = 'pending', next_action = ''`) // Stripe has not answered
		if _, _, err := r.Create(t.Context(), r.till.Shop.Scope, confirm); !fault.Is(err, fault.PaymentStatus) {
			t.Errorf("of a payment that may have been charged: %v", err)
		}
		set(m.PaymentID, `next_action = '{"type":"redirect_to_url"}'`)
		if _, _, err := r.Create(t.Context(), r.till.Shop.Scope, confirm); err != nil {
			t.Error(err)
		}
	})
}

// A server that never takes it is asked a bounded number of times.
func TestTriesAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *room) {
		r.mail.says("MAIL", "421 not now")
		m := r.write()
		for range 10 {
			r.send()
			r.till.Clock.Advance(time.Hour)
		}
		r.is(m, message.Failed, 6)
	})
}

func TestParseMail(t *testing.T) {
	t.Parallel()
	secret := "hunter" + "2"
	for _, bad := range []string{"", "http://host?from=a@b.example", "smtp://host", "smtp://?from=a@b.example", "smtp://u:" + secret + "@host:587/?from=nobody", "smtp://u:" + secret + "@ho st?from=a@b.example"} {
		if _, err := message.ParseMail(bad); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{"smtp://host?from=a@b.example", "smtps://u:" + secret + "@host:465?from=a@b.example"} {
		if _, err := message.ParseMail(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}
