package message

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// Mail is the operator's mail server.
type Mail struct {
	host, addr string
	implicit   bool // TLS from the first byte
	auth       smtp.Auth
	from       string
}

// ParseMail reads smtp://user:password@host:587?from=shop@example.com, or smtps:// for TLS from the first byte. Over smtp:// the connection
// turns to TLS where the server offers it, and a password goes nowhere without, except to this machine.
func ParseMail(address string) (*Mail, error) {
	bad := errors.New("the mail server must be given as smtp://user:password@host:587?from=shop@example.com (or smtps://…:465)")
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, bad // without the cause, which would repeat the password
	}
	from, err := mail.ParseAddress(u.Query().Get("from"))
	if err != nil {
		return nil, errors.New("the mail server's address must say who sends: ?from=shop@example.com")
	}
	m := &Mail{host: u.Hostname(), implicit: u.Scheme == "smtps", from: from.Address}
	port := u.Port()
	if port == "" {
		port = map[bool]string{false: "587", true: "465"}[m.implicit]
	}
	m.addr = net.JoinHostPort(m.host, port)
	if password, has := u.User.Password(); has {
		m.auth = smtp.PlainAuth("", u.User.Username(), password, m.host)
	}
	return m, nil
}

// verdict is what an attempt means for whether the customer hears it.
type verdict int

const (
	notTaken verdict = iota // certainly not: it may be tried again
	refused                 // certainly not, and no other try would help
	taken
	perhaps // the whole text was sent, and what the server made of it is not known
)

// send hands one message to the server.
func (m *Mail) send(ctx context.Context, msg Message) (verdict, error) {
	c, err := m.dial(ctx)
	if err != nil {
		return permanent(err), err
	}
	defer c.Close()
	if err := c.Mail(m.from); err != nil {
		return permanent(err), err
	}
	if err := c.Rcpt(msg.To); err != nil {
		return permanent(err), err
	}
	w, err := c.Data()
	if err != nil {
		return permanent(err), err
	}
	if _, err := w.Write(m.letter(msg)); err != nil {
		return notTaken, err // the end of the text was not sent: the server keeps nothing of it
	}
	if err := w.Close(); err != nil {
		var said *textproto.Error
		if errors.As(err, &said) {
			return permanent(err), err
		}
		return perhaps, err
	}
	_ = c.Quit() // it is taken, whatever comes of the farewell
	return taken, nil
}

// permanent says whether the server's word is for good: its codes from 500 on are.
func permanent(err error) verdict {
	var said *textproto.Error
	if errors.As(err, &said) && said.Code >= 500 {
		return refused
	}
	return notTaken
}

// dial connects, turns to TLS and signs in. The context's deadline bounds the whole conversation.
func (m *Mail) dial(ctx context.Context) (*smtp.Client, error) {
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", m.addr)
	if err != nil {
		return nil, err
	}
	if by, set := ctx.Deadline(); set {
		_ = conn.SetDeadline(by)
	}
	secure := &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}
	if m.implicit {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		conn.Close()
		return nil, err
	}
	if offered, _ := c.Extension("STARTTLS"); offered && !m.implicit {
		err = c.StartTLS(secure)
	}
	if err == nil && m.auth != nil {
		err = c.Auth(m.auth)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// letter is a message in the form of the mails (RFC 5322), in plain text. Its Message-ID is made of its own id.
func (m *Mail) letter(msg Message) []byte {
	var b strings.Builder
	_, domain, _ := strings.Cut(m.from, "@")
	for _, h := range [][2]string{{"From", m.from}, {"To", msg.To}, {"Subject", mime.QEncoding.Encode("utf-8", msg.Subject)}, {"Date", msg.CreatedAt.Format(time.RFC1123Z)},
		{"Message-ID", "<" + msg.ID + "@" + domain + ">"}, {"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"}} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(strings.ReplaceAll(msg.Body, "\n", "\r\n"))) // to memory
	_ = w.Close()
	return []byte(b.String())
}
