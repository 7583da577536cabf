package outbox_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/outbox"
)

// listener is a local server that counts who comes.
func listener(t *testing.T) (address string, came *atomic.Int64) {
	t.Helper()
	came = new(atomic.Int64)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			came.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), came
}

// names is a resolver that asks a name server in this process, which answers IPv4 questions from the table, one answer after the
// other; the last one stays. A name that is not in it does not exist.
func names(t *testing.T, table map[string][]string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	var mu sync.Mutex
	go func() {
		question := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			mu.Lock()
			_, _ = server.WriteTo(reply(question[:n], table), from)
			mu.Unlock()
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// reply answers a DNS question (RFC 1035, section 4).
func reply(question []byte, table map[string][]string) []byte {
	var labels []string
	at := 12
	for question[at] != 0 {
		n := int(question[at])
		labels, at = append(labels, string(question[at+1:at+1+n])), at+1+n
	}
	name, kind, end := strings.ToLower(strings.Join(labels, ".")), binary.BigEndian.Uint16(question[at+1:]), at+5
	answers, known := table[name]
	out := append([]byte{}, question[:end]...)
	out[2], out[3] = 0x81, 0x80                     // an answer, recursion available
	copy(out[4:12], []byte{0, 1, 0, 0, 0, 0, 0, 0}) // one question, no answer yet
	const ipv4 = 1
	switch {
	case !known:
		out[3] |= 3 // no such name
	case kind == ipv4:
		if len(answers) > 1 {
			table[name] = answers[1:]
		}
		out[7] = 1
		out = append(out, 0xc0, 12, 0, ipv4, 0, 1, 0, 0, 0, 0, 0, 4) // the name of the question, for 0 s
		out = append(out, netip.MustParseAddr(answers[0]).AsSlice()...)
	}
	return out
}

func TestNameThatLeadsInside(t *testing.T) {
	t.Parallel()
	address, came := listener(t)
	_, port, _ := net.SplitHostPort(address)
	d := dialer(t)
	d.Resolver = names(t, map[string][]string{"inside.example.com": {"127.0.0.1"}, "metadata.example.com": {"169.254.169.254"}})
	for _, host := range []string{"localhost", "LOCALHOST", "inside.example.com", "inside.example.com.", "metadata.example.com"} {
		checked := d.CheckURL(context.Background(), "https://"+host+":"+port+"/")
		if !fault.Is(checked, fault.WebhookAddress) {
			t.Errorf("CheckURL of %s: %v", host, checked)
		} else if strings.Contains(checked.Error(), "127.0.0.1") {
			t.Errorf("%s: the merchant is told where the name leads: %v", host, checked)
		}
		if err := dial(d, host, port); err == nil || !strings.Contains(err.Error(), "public internet only") {
			t.Errorf("dialing %s: %v", host, err)
		}
	}
	if came.Load() != 0 {
		t.Errorf("%d connections were made", came.Load())
	}
}

// A name that is public when it is checked and private when it is dialed: the check that counts is the last one.
func TestRebinding(t *testing.T) {
	t.Parallel()
	address, came := listener(t)
	_, port, _ := net.SplitHostPort(address)
	d := dialer(t)
	d.Resolver = names(t, map[string][]string{"shop.example.com": {"8.8.8.8", "127.0.0.1"}})
	if err := d.CheckURL(context.Background(), "https://shop.example.com:"+port+"/"); err != nil {
		t.Fatal(err)
	}
	if err := dial(d, "shop.example.com", port); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("dialing: %v", err)
	}
	if came.Load() != 0 {
		t.Errorf("%d connections were made", came.Load())
	}
}

func TestOperatorsList(t *testing.T) {
	t.Parallel()
	address, _ := listener(t)
	_, port, _ := net.SplitHostPort(address)
	table := map[string][]string{"sink.internal": {"127.0.0.1"}, "other.internal": {"127.0.0.1"}}
	for _, c := range []struct {
		allow, host, port string
		open              bool
	}{
		{address, "127.0.0.1", port, true},
		{address, "::ffff:127.0.0.1", port, true},
		{address, "other.internal", port, true}, // an address is allowed whatever name leads there
		{address, "127.0.0.1", "1", false},
		{"127.0.0.2:" + port, "127.0.0.1", port, false},
		{"127.0.0.0/8", "127.0.0.1", port, true},
		{"127.0.0.9/8", "127.0.0.1", port, true},
		{"127.0.0.0/31", "127.0.0.1", port, true},
		{"10.0.0.0/8", "127.0.0.1", port, false},
		{"sink.internal:" + port, "sink.internal", port, true},
		{"Sink.Internal.:" + port, "SINK.internal", port, true},
		{"sink.internal:" + port, "other.internal", port, false}, // a name is allowed for itself only
		{"sink.internal:" + port, "127.0.0.1", port, false},
		{"sink.internal:1", "sink.internal", port, false},
	} {
		d := dialer(t, c.allow)
		d.Resolver = names(t, map[string][]string{"sink.internal": table["sink.internal"], "other.internal": table["other.internal"]})
		url := "http://" + net.JoinHostPort(c.host, c.port) + "/"
		if err := d.CheckURL(context.Background(), url); (err == nil) != c.open {
			t.Errorf("allow %s: CheckURL of %s: %v", c.allow, url, err)
		}
		if err := dial(d, c.host, c.port); (err == nil) != c.open {
			t.Errorf("allow %s: dialing %s: %v", c.allow, url, err)
		}
	}
	for _, bad := range []string{"", "localhost", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:-1", "10.0.0.0/33", "x/8", "a:b:c", "http://x:1"} {
		if _, err := outbox.NewDialer(bad); err == nil || !strings.Contains(err.Error(), "10.1.0.0/16") {
			t.Errorf("%q was taken for the list: %v", bad, err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	d := dialer(t)
	d.Resolver = names(t, map[string][]string{"shop.example.com": {"8.8.8.8"}})
	for url, ok := range map[string]bool{
		"https://shop.example.com/till":       true,
		"HTTPS://shop.example.com":            true,
		"https://shop.example.com:8443/a?b=c": true,
		"https://not.there.yet.example.com/":  true, // each delivery is checked again
		"http://shop.example.com/till":        false,
		"http://not.there.yet.example.com/":   false,
		"ftp://shop.example.com/":             false,
		"file:///etc/passwd":                  false,
		"gopher://shop.example.com/":          false,
		"unix:///run/docker.sock":             false,
		"https:shop.example.com":              false,
		"https:///till":                       false,
		"https://:443/":                       false,
		"//shop.example.com/":                 false,
		"shop.example.com":                    false,
		"":                                    false,
		"https://shop.example.com:0/":         false,
		"https://shop.example.com:65536/":     false,
		"https://shop.example.com:x/":         false,
		"https://[::1%25lo]/":                 false,
		"https://[fe80::1%25eth0]/":           false,
		"https://127.0.0.1/":                  false,
		"https://[::1]:8443/":                 false,
		"https://\x00/":                       false,
	} {
		err := d.CheckURL(context.Background(), url)
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
		if f, is := fault.As(err); err != nil && (!is || f.Code != fault.WebhookAddress || f.Param != "webhook_url") {
			t.Errorf("%q: %v is not a fault about webhook_url", url, err)
		}
	}
}

// What a refusal says that the operator has to allow is what makes the same URL pass.
func TestTheAdviceOfARefusal(t *testing.T) {
	t.Parallel()
	table := map[string][]string{"inside.example.com": {"10.1.2.3"}, "shop.example.com": {"8.8.8.8"}}
	for url, entry := range map[string]string{
		"https://127.0.0.1/":                "127.0.0.1:443",
		"http://127.0.0.1:3000/webhooks":    "127.0.0.1:3000",
		"http://[::1]:8443/":                "[::1]:8443",
		"http://localhost:3000/":            "localhost:3000",
		"https://Inside.Example.com./hooks": "inside.example.com:443",
		"http://shop.example.com/":          "shop.example.com:80",
		"http://not.there.yet.example.com/": "not.there.yet.example.com:80",
	} {
		d := dialer(t)
		d.Resolver = names(t, table)
		err := d.CheckURL(context.Background(), url)
		f, is := fault.As(err)
		if !is {
			t.Errorf("%s: %v, and no fault", url, err)
			continue
		}
		_, advice, _ := strings.Cut(f.Message, "--allow-webhook-to ")
		if advice = strings.TrimSuffix(advice, "."); advice != entry || strings.Contains(f.Message, "10.1.2.3") {
			t.Errorf("%s: %v; it should advise %s", url, err, entry)
			continue
		}
		allowing := dialer(t, advice)
		allowing.Resolver = names(t, table)
		if err := allowing.CheckURL(context.Background(), url); err != nil {
			t.Errorf("%s, with --allow-webhook-to %s: %v", url, advice, err)
		}
	}
}
