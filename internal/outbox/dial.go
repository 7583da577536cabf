package outbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/till-pay/till/internal/crash"
	"github.com/till-pay/till/internal/fault"
)

// Dialer makes the connections of deliveries. A merchant chooses the URL, so every address is checked, and checked last of all:
// when the socket is made, after every look-up, so that a name cannot mean one thing when asked and another when dialed.
// What is not public internet is refused, except what the operator allows; a merchant has no say in it.
type Dialer struct {
	// Resolver finds the addresses of names; the machine's where it is nil.
	Resolver *net.Resolver

	ranges  []netip.Prefix
	sockets []netip.AddrPort
	names   map[string]bool // "host:port", trusted wherever the name leads
}

// NewDialer is a Dialer with the operator's list. An entry is a range of addresses (10.1.0.0/16) or one target, host:port, whose
// host is an address or a name.
func NewDialer(allow ...string) (*Dialer, error) {
	d := &Dialer{names: map[string]bool{}}
	for _, entry := range allow {
		if err := d.allow(entry); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Dialer) allow(entry string) error {
	if strings.Contains(entry, "/") {
		p, err := netip.ParsePrefix(entry)
		if err != nil {
			return fmt.Errorf("%q is not a range of addresses such as 10.1.0.0/16", entry)
		}
		d.ranges = append(d.ranges, p.Masked())
		return nil
	}
	host, port, err := net.SplitHostPort(entry)
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || number == 0 || host == "" {
		return fmt.Errorf("%q is neither host:port nor a range of addresses such as 10.1.0.0/16", entry)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		d.sockets = append(d.sockets, netip.AddrPortFrom(a.Unmap(), uint16(number)))
		return nil
	}
	d.names[target(host, port)] = true
	return nil
}

// target writes a host and a port in one way.
func target(host, port string) string {
	return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(host, ".")), port)
}

// refusal says that an address may not be dialed. It tells its kind and not the address: where a name leads inside the
// operator's network is not the merchant's to learn.
type refusal struct{ kind string }

// Error implements error.
func (r *refusal) Error() string {
	return "the URL leads to " + r.kind + " address, and deliveries go to the public internet only, unless till's operator allows others with --allow-webhook-to"
}

// check refuses an address that is neither public nor allowed.
func (d *Dialer) check(to netip.AddrPort) error {
	kind := kindOf(to.Addr())
	if kind == "" || d.allowed(to) {
		return nil
	}
	return &refusal{kind}
}

func (d *Dialer) allowed(to netip.AddrPort) bool {
	a := to.Addr().Unmap()
	for _, s := range d.sockets {
		if s == netip.AddrPortFrom(a, to.Port()) {
			return true
		}
	}
	for _, r := range d.ranges {
		if r.Contains(a.WithZone("")) {
			return true
		}
	}
	return false
}

// dialTimeout bounds finding the host and connecting to it, within the time-out of the whole attempt.
const dialTimeout = 5 * time.Second

// DialContext connects to host:port over TCP.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Resolver: d.Resolver}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !d.names[target(host, port)] {
		dialer.ControlContext = d.control
	}
	return dialer.DialContext(ctx, network, address)
}

// control is called with the very address that is about to be connected to.
func (d *Dialer) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return &refusal{"an unknown"}
	}
	return d.check(to)
}

// client is an HTTP client that goes nowhere else: no proxy, no redirect, little memory.
func (d *Dialer) client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            crash.Dial("webhook", d.DialContext),
			TLSHandshakeTimeout:    dialTimeout,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    perEndpoint,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // what we read is what came: no small body that unfolds into a large one
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// CheckURL refuses early what no delivery would reach: a URL of another kind, and one that leads to an address that is not allowed.
// A host that cannot be found now passes: it may be there tomorrow, and each delivery is checked again when it is dialed.
// Plain HTTP goes only where the operator allows it: deliveries tell of customers and their payments. Its fault is WebhookAddress.
func (d *Dialer) CheckURL(ctx context.Context, raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Hostname() == "", u.Opaque != "":
		return refuse("The webhook URL is not a whole URL, such as https://shop.example.com/webhooks.")
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("The webhook URL must begin with https://.")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	if d.names[target(u.Hostname(), port)] {
		return nil
	}
	return d.checkHost(ctx, u.Hostname(), port, u.Scheme == "http")
}

// checkHost names in its refusals what the operator would have to allow: host and port as the merchant gave them, never where they lead.
func (d *Dialer) checkHost(ctx context.Context, host, port string, plain bool) error {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return refuse("The webhook URL's port is not one.")
	}
	found := d.lookup(ctx, host)
	permitted := len(found) > 0
	for _, a := range found {
		to := netip.AddrPortFrom(a, uint16(number))
		var no *refusal
		if err := d.check(to); errors.As(err, &no) {
			return refuse("The webhook URL leads to %s address, and deliveries go to the public internet only, unless till's operator allows it with --allow-webhook-to %s.", no.kind, target(host, port))
		}
		permitted = permitted && d.allowed(to)
	}
	if plain && !permitted {
		return refuse("The webhook URL must begin with https://: deliveries tell of customers and their payments. Plain http is for what till's operator allows with --allow-webhook-to %s.", target(host, port))
	}
	return nil
}

// lookup is the addresses of a host; none where it cannot be found in time.
func (d *Dialer) lookup(ctx context.Context, host string) []netip.Addr {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}
	}
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resolver := d.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	found, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	return found
}

func refuse(format string, args ...any) error {
	return fault.New(fault.WebhookAddress, "webhook_url", format, args...)
}
