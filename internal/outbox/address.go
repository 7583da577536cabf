package outbox

import "net/netip"

// addresses is a range that no delivery goes to, unless the operator allows it.
type addresses struct {
	prefix netip.Prefix
	kind   string // as in "leads to … address"
}

// forbidden is what is not the public internet: IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its
// successors up to RFC 9637, 2024), multicast, what IANA keeps in reserve, and the one public address at which a cloud serves
// its machines' secrets. 169.254.169.254 and its kin are link-local, 100.100.100.200 is shared, fd00:ec2::254 is private.
var forbidden = []addresses{
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a shared (carrier-grade NAT)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback"},
	{netip.MustParsePrefix("168.63.129.16/32"), "a cloud metadata"}, // Azure's wire server
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved"},
	{netip.MustParsePrefix("192.0.2.0/24"), "a documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a reserved"}, // 6to4 relays
	{netip.MustParsePrefix("192.168.0.0/16"), "a private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "a benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "a documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "a documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved"}, // the broadcast address too

	{netip.MustParsePrefix("::/128"), "an unspecified"},
	{netip.MustParsePrefix("::1/128"), "a loopback"},
	{netip.MustParsePrefix("2001::/23"), "a reserved"}, // protocol assignments: Teredo, ORCHID, benchmarking
	{netip.MustParsePrefix("2001:db8::/32"), "a documentation"},
	{netip.MustParsePrefix("2002::/16"), "a 6to4"}, // may hold any IPv4 address; retired by RFC 7526
	{netip.MustParsePrefix("3fff::/20"), "a documentation"},
	{netip.MustParsePrefix("fc00::/7"), "a private"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local"},
	{netip.MustParsePrefix("fec0::/10"), "a private"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast"},
}

var (
	// global holds every IPv6 address that IANA has given out for use on the public internet so far; the rest is in reserve.
	global = netip.MustParsePrefix("2000::/3")
	// nat64 is how a host without IPv4 reaches one: the last 32 bits are the IPv4 address (RFC 6052). Public ones are legitimate.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// kindOf names what an address is, or is "" for one of the public internet. An IPv4 address inside an IPv6 one is judged as itself.
func kindOf(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, r := range forbidden {
		if r.prefix.Contains(a) {
			return r.kind
		}
	}
	if !a.IsValid() || a.Is6() && !global.Contains(a) {
		return "a reserved"
	}
	return ""
}
