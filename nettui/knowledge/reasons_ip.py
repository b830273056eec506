"""Drop reasons of IPv4 and IPv6: headers, addresses, routes, fragments, ICMP."""

from nettui.knowledge.entry import Reason

ROUTE = "net/ipv4/route.c, "
MARTIAN = "sysctl -w net.ipv4.conf.all.log_martians=1; dmesg -w | grep -i martian  # which, from where"


def martian(name: str, meaning: str, cause: str, causes: tuple[str, ...], remedies: tuple[str, ...]) -> Reason:
    """An address that cannot come in from a wire."""
    counters = ("rt_cache.in_martian_dst",) if name == "IP_INVALID_DEST" else ("rt_cache.in_martian_src",)
    source = ROUTE + "ip_route_input_slow, fib_validate_source, ip_mc_validate_source"
    return Reason(name, "route", "loss", meaning, cause, causes, (MARTIAN, *remedies), counters, "6.13", source)


def fragment(name: str, meaning: str, cause: str, causes: tuple[str, ...], remedies: tuple[str, ...]) -> Reason:
    """IP fragments that are not put together."""
    counters: tuple[str, ...] = ("Ip.ReasmFails",)
    source = "net/ipv4/ip_fragment.c, ip_frag_reinit"
    if name == "FRAG_REASM_TIMEOUT":
        counters = ("Ip.ReasmFails", "Ip6.ReasmFails", "Ip.ReasmTimeout", "Ip6.ReasmTimeout")
        source = "net/ipv4/ip_fragment.c, ip_expire; include/net/ipv6_frag.h, ip6frag_expire_frag_queue"
    return Reason(name, "ip", "loss", meaning, cause, causes, remedies, counters, "6.2", source)


def discovery(name: str, meaning: str, cause: str) -> Reason:
    """A neighbour discovery message that is refused."""
    return Reason(
        name=name,
        layer="neighbour",
        severity="loss",
        meaning=meaning,
        cause=cause,
        causes=(
            "a faulty neighbour",
            "an attack from a neighbour, or forged from afar: such messages must not be taken",
        ),
        remedies=("tcpdump -evvni DEV 'icmp6 and ip6[40] >= 133 and ip6[40] <= 137'  # which, from which MAC",),
        since="6.3",
        source="net/ipv6/ndisc.c, ndisc_rcv, ndisc_recv_ns, ndisc_recv_na, ndisc_router_discovery",
    )


REASONS_IP = (
    Reason(
        name="IP_INHDR",
        layer="ip",
        severity="loss",
        meaning="The IP header is wrong, its TTL or hop limit is used up, or an option in it must not be.",
        cause="TTL used up (loop, traceroute) or bad header",
        causes=("a routing loop", "traceroute through this host: usual in small numbers", "malformed packets"),
        remedies=("tcpdump -nvi any 'ip[8] <= 1 or ip6[7] <= 1'  # packets at their end, and where they go",),
        counters=("Ip.InHdrErrors", "Ip6.InHdrErrors"),
        since="5.18",
        source="net/ipv4/ip_input.c, ip_rcv_core; net/ipv4/ip_forward.c; net/ipv6/ip6_input.c, ip6_rcv_core",
    ),
    Reason(
        name="IP_CSUM",
        layer="ip",
        severity="loss",
        meaning="The checksum of the IPv4 header is wrong.",
        cause="damaged on the way or by a faulty device",
        causes=("a device on the way, a cable or memory that changes bits",),
        remedies=("tcpdump -nvvi DEV | grep 'bad cksum'  # from whom", "ethtool -S DEV | grep -i 'crc\\|err'"),
        counters=("Ip.InHdrErrors", "IpExt.InCsumErrors"),
        since="5.18",
        source="net/ipv4/ip_input.c, ip_rcv_core",
    ),
    Reason(
        name="IP_RPFILTER",
        layer="route",
        severity="refused",
        meaning="Reverse path filter: by the routes here an answer would not leave by the device the packet came in "
        "by (strict), or there is no way back at all (loose).",
        cause="rp_filter: answers would leave by another way",
        causes=("asymmetric routes, two uplinks, policy routing by source or mark", "forged source addresses"),
        remedies=(
            "sysctl -a -r '^net.ipv4.conf.*[.]rp_filter'  # 1 strict, 2 loose; the larger of all and DEV counts",
            "ip route get SRC from DST iif DEV  # the way back",
            "sysctl -w net.ipv4.conf.DEV.rp_filter=2  # loose: any way back will do",
        ),
        counters=("TcpExt.IPReversePathFilter", "rt_cache.in_martian_src"),
        since="5.18",
        source="net/ipv4/fib_frontend.c, __fib_validate_source; net/ipv4/ip_input.c, ip_rcv_finish_core",
    ),
    Reason(
        name="UNICAST_IN_L2_MULTICAST",
        layer="ip",
        severity="refused",
        meaning="An IP packet for one host came in a frame for many, and drop_unicast_in_l2_multicast is on.",
        cause="unicast IP in a multicast frame",
        causes=("an attack in a wireless network (hole 196), or a cluster that shares an address by multicast",),
        remedies=("sysctl -a -r drop_unicast_in_l2_multicast",),
        counters=("Ip6.InHdrErrors",),
        since="5.18",
        source="net/ipv4/ip_input.c, ip_rcv_finish_core; net/ipv6/ip6_input.c, ip6_rcv_core",
    ),
    Reason(
        name="IP_NOPROTO",
        layer="ip",
        severity="refused",
        meaning="Nobody here takes the packet's IP protocol; the sender is told so by ICMP.",
        cause="no module or socket for its IP protocol",
        causes=("a tunnel (GRE, IPIP, ESP) or SCTP toward this host that is not set up here", "a protocol scan"),
        remedies=("tcpdump -nvi any 'not tcp and not udp and not icmp and not icmp6 and (ip or ip6)'", "ip -d tunnel"),
        counters=("Ip.InUnknownProtos", "Ip6.InUnknownProtos"),
        since="5.18",
        source="net/ipv4/ip_input.c, ip_protocol_deliver_rcu; net/ipv6/ip6_input.c, ip6_protocol_deliver_rcu",
    ),
    Reason(
        name="IP_OUTNOROUTES",
        layer="route",
        severity="loss",
        meaning="There is no route from here to the destination, for a packet of this host's own.",
        cause="no route from here to the destination",
        causes=("no default route, or an unreachable route", "the device of the route went away"),
        remedies=("ip route get DST", "nettui report routes"),
        counters=("Ip.OutNoRoutes", "Ip6.OutNoRoutes"),
        since="5.18",
        source="net/ipv4/ip_output.c, __ip_queue_xmit; net/ipv6/route.c, ip6_pkt_drop",
    ),
    Reason(
        name="IP_INNOROUTES",
        layer="route",
        severity="loss",
        meaning="There is no route to where a received packet should be forwarded.",
        cause="no route to where it should be forwarded",
        causes=("a missing default route or prefix", "hosts send here what this router does not know"),
        remedies=("ip route get DST from SRC iif DEV", "nettui report routes"),
        counters=("IpExt.InNoRoutes", "Ip6.InNoRoutes", "rt_cache.in_no_route"),
        since="5.19",
        source=ROUTE + "ip_error; net/ipv6/route.c, ip6_pkt_drop",
    ),
    Reason(
        name="IP_INADDRERRORS",
        layer="route",
        severity="loss",
        meaning="A received packet is for another host, and cannot go there: forwarding is off, the route says "
        "unreachable, or the address cannot be forwarded.",
        cause="not for this host, and forwarding is off",
        causes=(
            "forwarding is off where containers, a VPN or a bridge need it",
            "hosts use this one as their gateway by mistake",
            "an unreachable route",
        ),
        remedies=(
            "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding",
            "ip route get DST from SRC iif DEV",
            "tcpdump -eni DEV 'not (dst host ADDRESS or broadcast or multicast)'  # who sends it",
        ),
        counters=("Ip.InAddrErrors", "Ip6.InAddrErrors", "rt_cache.in_no_route"),
        since="5.19",
        source=ROUTE + "ip_error; net/ipv6/ip6_output.c, ip6_forward",
    ),
    martian(
        "IP_LOCAL_SOURCE",
        "A packet came in with one of this host's own addresses as its source.",
        "own address as source: loop or copy",
        ("another host has the same address", "a loop brings packets back", "forged packets"),
        ("sysctl -w net.ipv4.conf.DEV.accept_local=1  # where that is meant: two devices in one network",),
    ),
    martian(
        "IP_INVALID_SOURCE",
        "A packet's source address is a multicast or broadcast address, or zero.",
        "source is multicast, broadcast or zero",
        ("a host without an address yet that sends more than DHCP", "malformed or forged packets"),
        ("tcpdump -eni DEV 'src net 224.0.0.0/3 or src host 0.0.0.0'",),
    ),
    martian(
        "IP_LOCALNET",
        "A packet from the wire has an address of 127.0.0.0/8.",
        "127.x.x.x on the wire",
        ("a redirect (DNAT) to 127.0.0.1, which route_localnet does not allow", "forged packets"),
        ("sysctl -w net.ipv4.conf.DEV.route_localnet=1  # for such a redirect; filter what comes from outside",),
    ),
    martian(
        "IP_INVALID_DEST",
        "A packet's destination is zero, or cannot be a destination.",
        "destination that cannot be on a wire",
        ("malformed packets, or a faulty host",),
        ("tcpdump -eni DEV 'dst host 0.0.0.0'",),
    ),
    fragment(
        "FRAG_REASM_TIMEOUT",
        "Fragments waited for the rest of their packet, which did not come in time (30 s, IPv6 60 s).",
        "a fragment of each packet was lost on the way",
        ("a fragment is lost on the way, or filtered: fragments carry no ports", "reassembly memory full"),
        ("tcpdump -nvi any 'ip[6:2] & 0x3fff != 0'  # who sends fragments", "sysctl net.ipv4.ipfrag_high_thresh"),
    ),
    fragment(
        "FRAG_TOO_FAR",
        "The IPv4 fragments that had come of a packet: more than ipfrag_max_dist others of the same sender came since.",
        "fragments far apart (ipfrag_max_dist)",
        ("a sender with many fragments at once whose order is mixed on the way",),
        ("sysctl -w net.ipv4.ipfrag_max_dist=0  # no such check",),
    ),
    Reason(
        name="DUP_FRAG",
        layer="ip",
        severity="noise",
        meaning="A fragment came a second time.",
        cause="the same fragment twice",
        causes=("a copy made on the way, or a sender that repeats",),
        remedies=("tcpdump -nvi any 'ip[6:2] & 0x3fff != 0'",),
        since="6.2",
        source="net/ipv4/inet_fragment.c, inet_frag_queue_insert",
    ),
    Reason(
        name="ICMP_CSUM",
        layer="icmp",
        severity="loss",
        meaning="The checksum of an ICMP or ICMPv6 message is wrong (IGMP gives no reason).",
        cause="damaged on the way, or by a faulty NAT",
        causes=("a device on the way that damages packets", "a NAT that changes addresses and not the checksum"),
        remedies=("tcpdump -nvvi any 'icmp or icmp6' | grep -i 'wrong\\|bad'",),
        counters=("Icmp.InCsumErrors", "Icmp6.InCsumErrors", "Icmp.InErrors", "Icmp6.InErrors"),
        since="5.19",
        source="net/ipv4/icmp.c, icmp_rcv; net/ipv6/icmp.c, icmpv6_rcv",
    ),
    Reason(
        name="INVALID_PROTO",
        layer="icmp",
        severity="refused",
        meaning="An ICMP message of a kind that is not answered to broadcast and multicast addresses; since 6.13 "
        "also a packet in IPv4's routing that is not IPv4.",
        cause="ICMP to a broadcast address is not answered",
        causes=("a ping to the broadcast address (icmp_echo_ignore_broadcasts)", "a scan with unusual ICMP types"),
        remedies=(
            "tcpdump -nvi any 'icmp and (broadcast or multicast)'",
            "sysctl net.ipv4.icmp_echo_ignore_broadcasts",
        ),
        counters=("Icmp.InErrors",),
        since="5.19",
        source="net/ipv4/icmp.c, icmp_rcv; net/ipv4/route.c, ip_route_input_slow, ip_mc_validate_source",
    ),
    Reason(
        name="IPV6DISABLED",
        layer="ip",
        severity="refused",
        meaning="IPv6 is off on the device (disable_ipv6).",
        cause="IPv6 is off on the device (disable_ipv6)",
        causes=("switched off by hand, by a sysctl file, or for a bridge port",),
        remedies=("sysctl -a -r disable_ipv6", "sysctl -w net.ipv6.conf.DEV.disable_ipv6=0"),
        counters=("Ip6.InDiscards", "Ip6.OutDiscards"),
        since="5.18",
        source="net/ipv6/ip6_input.c, ip6_rcv_core; net/ipv6/ip6_output.c, ip6_output",
    ),
    Reason(
        name="IPV6_BAD_EXTHDR",
        layer="ip",
        severity="loss",
        meaning="An IPv6 extension header is malformed.",
        cause="malformed IPv6 extension header",
        causes=("a faulty sender, or a scan",),
        remedies=("tcpdump -nvvi any 'ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 60)'",),
        counters=("Ip6.InHdrErrors",),
        since="6.3",
        source="net/ipv6/exthdrs.c, ip6_parse_tlv, ipv6_destopt_rcv",
    ),
    discovery("IPV6_NDISC_FRAG", "A neighbour discovery message came in fragments (RFC 6980).", "NDP in fragments"),
    discovery(
        "IPV6_NDISC_HOP_LIMIT",
        "A neighbour discovery message's hop limit is not 255: it came from behind a router.",
        "NDP from behind a router",
    ),
    discovery("IPV6_NDISC_BAD_CODE", "A neighbour discovery message's code is not 0.", "malformed NDP message"),
    discovery(
        "IPV6_NDISC_BAD_OPTIONS", "A neighbour discovery message's options are malformed.", "malformed NDP options"
    ),
    Reason(
        name="IPV6_NDISC_NS_OTHERHOST",
        layer="neighbour",
        severity="noise",
        meaning="A neighbour solicitation (IPv6's ARP request) that asks for another host.",
        cause="asks for another host's address",
        causes=("hosts whose addresses end alike share a multicast group: usual",),
        remedies=("tcpdump -evvni DEV 'icmp6 and ip6[40] = 135'",),
        since="6.3",
        source="net/ipv6/ndisc.c, ndisc_recv_ns",
    ),
)
