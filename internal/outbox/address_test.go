package outbox_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/outbox"
)

// refused are addresses that no delivery goes to: the first and last of each range, and what is known to be worth attacking.
var refused = map[string][]string{
	"an unspecified":               {"0.0.0.0", "0.0.0.1", "0.255.255.255", "::"},
	"a loopback":                   {"127.0.0.1", "127.0.0.0", "127.255.255.255", "127.1.2.3", "::1"},
	"a private":                    {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255", "fc00::", "fd00:ec2::254", "fdff:ffff::1", "fec0::1", "feff::1"},
	"a shared (carrier-grade NAT)": {"100.64.0.0", "100.127.255.255", "100.100.100.200"},
	"a link-local":                 {"169.254.0.0", "169.254.169.254", "169.254.255.255", "fe80::1", "febf::1"},
	"a cloud metadata":             {"168.63.129.16"},
	"a reserved":                   {"192.0.0.0", "192.0.0.192", "192.0.0.255", "192.88.99.1", "240.0.0.0", "255.255.255.254", "255.255.255.255", "2001::1", "2001:1ff:ffff::", "::2", "100::1", "1fff:ffff::", "4000::", "5f00::1", "64:ff9b:1::8.8.8.8", "::ffff:0:8.8.8.8", "::8.8.8.8"},
	"a documentation":              {"192.0.2.0", "192.0.2.255", "198.51.100.7", "203.0.113.255", "2001:db8::", "2001:db8:ffff::", "3fff::", "3fff:fff::1"},
	"a benchmarking":               {"198.18.0.0", "198.19.255.255"},
	"a multicast":                  {"224.0.0.1", "239.255.255.255", "ff00::", "ff02::1", "ffff:ffff::"},
	"a 6to4":                       {"2002::", "2002:808:808::1", "2002:7f00:1::1", "2002:ffff::"},
}

// public are the neighbours of those ranges, and addresses of well-known hosts.
var public = []string{"1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17",
	"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0",
	"198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
	"2000::1", "2001:200::", "2001:4860:4860::8888", "2001:db7:ffff::", "2001:db9::", "2003::", "2606:4700::1", "3ffe:ffff::", "3fff:1000::"}

func dialer(t *testing.T, allow ...string) *outbox.Dialer {
	t.Helper()
	d, err := outbox.NewDialer(allow...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func in(addr string) string { return "https://" + net.JoinHostPort(addr, "443") + "/hook" }

// dial tries to connect. A refused address fails before a packet leaves.
func dial(d *outbox.Dialer, addr, port string) error {
	c, err := d.DialContext(context.Background(), "tcp", net.JoinHostPort(addr, port))
	if err == nil {
		c.Close()
	}
	return err
}

func TestEveryForbiddenRangeIsRefused(t *testing.T) {
	t.Parallel()
	d := dialer(t)
	for kind, addrs := range refused {
		want := "leads to " + kind + " address"
		for _, addr := range addrs {
			forms := []string{addr}
			if a := netip.MustParseAddr(addr); a.Is4() { // each IPv4 address in its IPv6 disguises
				forms = append(forms, "::ffff:"+addr, "64:ff9b::"+addr)
			}
			for _, form := range forms {
				err := d.CheckURL(context.Background(), in(form))
				if !fault.Is(err, fault.WebhookAddress) || !strings.Contains(err.Error(), want) {
					t.Errorf("CheckURL of %s answered %v, not that it %s", form, err, want)
				}
				if err := dial(d, form, "443"); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("dialing %s answered %v, not that it %s", form, err, want)
				}
			}
		}
	}
}

func TestPublicAddressesPass(t *testing.T) {
	t.Parallel()
	d := dialer(t)
	for _, addr := range public {
		forms := []string{addr}
		if a := netip.MustParseAddr(addr); a.Is4() {
			forms = append(forms, "::ffff:"+addr, "64:ff9b::"+addr)
		}
		for _, form := range forms {
			if err := d.CheckURL(context.Background(), in(form)); err != nil {
				t.Errorf("CheckURL of %s: %v", form, err)
			}
		}
	}
}

// Go's own idea of what is not public must be within ours, for every address there is.
func TestNothingThatGoCallsSpecialPasses(t *testing.T) {
	t.Parallel()
	d := dialer(t)
	rapid.Check(t, func(t *rapid.T) {
		var a netip.Addr
		if b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address"); rapid.Bool().Draw(t, "is4") {
			a = netip.AddrFrom4([4]byte(b[:4]))
		} else {
			a = netip.AddrFrom16([16]byte(b))
		}
		u := a.Unmap()
		special := !u.IsGlobalUnicast() || u.IsPrivate()
		err := d.CheckURL(context.Background(), in(a.String()))
		if special && err == nil {
			t.Fatalf("%s passes", a)
		}
		if plainErr := d.CheckURL(context.Background(), strings.Replace(in(a.String()), "https", "http", 1)); plainErr == nil {
			t.Fatalf("%s passes in plain HTTP", a)
		}
	})
}
