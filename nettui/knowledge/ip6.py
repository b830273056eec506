"""IPv6 (Ip6): like IPv4 by name, not always by what is counted."""

from __future__ import annotations

from nettui.knowledge.entry import Counter
from nettui.knowledge.reassembly import fragmentation, reassembly
from nettui.knowledge.traffic import traffic

INPUT = "net/ipv6/ip6_input.c, "
OUTPUT = "net/ipv6/ip6_output.c, "

PLAIN = (
    *traffic(
        "ip",
        "Ip6",
        "rx",
        {
            "InReceives": "IPv6 packets received, those with errors too; after GRO, so one may stand for many.",
            "InDelivers": "IPv6 packets handed to a protocol here: TCP, UDP, ICMPv6, a tunnel, a raw socket.",
            "InMcastPkts": "IPv6 multicast packets received.",
            "InOctets": "Bytes of IPv6 packets received.",
            "InMcastOctets": "Bytes of IPv6 multicast packets received.",
            "InBcastOctets": "Always 0: IPv6 has no broadcast.",
            "InNoECTPkts": "IPv6 packets received without ECN.",
            "InECT1Pkts": "IPv6 packets received that may be marked instead of dropped (ECT 1, used by L4S).",
            "InECT0Pkts": "IPv6 packets received that may be marked instead of dropped (ECT 0).",
        },
    ),
    *traffic(
        "ip",
        "Ip6",
        "tx",
        {
            "OutRequests": "IPv6 packets that protocols here gave to IP for sending.",
            "OutMcastPkts": "IPv6 multicast packets sent.",
            "OutOctets": "Bytes of IPv6 packets sent.",
            "OutMcastOctets": "Bytes of IPv6 multicast packets sent.",
            "OutBcastOctets": "Always 0: IPv6 has no broadcast.",
        },
    ),
    *traffic(
        "ip",
        "Ip6",
        "tx",
        {"OutTransmits": "IPv6 packets that IP handed to neighbours and devices, forwarded ones too."},
        since="6.7",
    ),
    *traffic(
        "ip",
        "Ip6",
        "fwd",
        {"OutForwDatagrams": "IPv6 packets that were to be forwarded; those dropped later on their way out too."},
    ),
)

RECEIVED = (
    Counter(
        name="Ip6.InHdrErrors",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv6 packets dropped for their header: hop limit used up while forwarding, addresses that may not be "
        "on the wire (loopback, multicast source), a bad extension, routing or fragment header.",
        cause="hop limit used up, or a bad header",
        causes=(
            "hop limit used up: a traceroute through this router, or a routing loop when it moves fast",
            "extension, routing or fragment headers that are malformed or not allowed",
            "::1 or a multicast address as source, from another host",
        ),
        remedies=(
            "tcpdump -nvi any 'ip6[7] < 2'  # packets whose hop limit is used up",
            "mtr -6 -n DST  # two routers that take turns: a loop",
            "tcpdump -nvi any 'ip6[6] == 0 or ip6[6] == 43 or ip6[6] == 44 or ip6[6] == 60'  # with extension headers",
        ),
        along=("Icmp6.OutTimeExcds", "Icmp6.OutParmProblems"),
        reasons=("IP_INHDR", "UNHANDLED_PROTO", "UNICAST_IN_L2_MULTICAST", "IPV6_BAD_EXTHDR"),
        source=INPUT + "ip6_rcv_core; " + OUTPUT + "ip6_forward; net/ipv6/exthdrs.c, ipv6_rthdr_rcv; "
        "net/ipv6/reassembly.c, ipv6_frag_rcv",
    ),
    Counter(
        name="Ip6.InTooBigErrors",
        layer="ip",
        direction="fwd",
        severity="loss",
        counts="IPv6 packets not forwarded because they are larger than the next device's MTU; the sender is told: "
        "ICMPv6 packet too big.",
        cause="larger than the MTU of the next device",
        causes=(
            "forwarded into a tunnel, VPN or link with a smaller MTU; usual once for each new path",
            "moves on and on: the sender does not get the ICMPv6, a path MTU black hole",
        ),
        remedies=(
            "nettui report links --columns ifname,mtu,master,link  # devices with a smaller MTU",
            "tcpdump -ni any 'icmp6[0] == 2'  # packet too big: to whom, which MTU",
        ),
        part_of=("Ip6.FragFails",),
        along=("Icmp6.OutPktTooBigs",),
        reasons=("PKT_TOO_BIG",),
        source=OUTPUT + "ip6_forward",
    ),
    Counter(
        name="Ip6.InNoRoutes",
        layer="route",
        direction="fwd",
        severity="loss",
        counts="IPv6 packets received for elsewhere that no route leads to, or an unreachable or prohibit route; the "
        "sender is told.",
        cause="no route, or one that refuses",
        causes=(
            "no default route: a router advertisement expired, or accept_ra is off since forwarding is on",
            "an unreachable or prohibit route (a blackhole route counts nowhere)",
            "a policy rule that leads to a table without a route",
        ),
        remedies=(
            "ip -6 route get DST from SRC iif DEV  # what the kernel does with such a packet",
            "nettui report routes --where 'family = inet6 and dst = default'",
            "sysctl net.ipv6.conf.DEV.accept_ra  # 2: takes router advertisements while forwarding",
        ),
        along=("Icmp6.OutDestUnreachs",),
        reasons=("IP_INNOROUTES",),
        source="net/ipv6/route.c, ip6_pkt_drop, ip6_pkt_discard, ip6_pkt_prohibit",
    ),
    Counter(
        name="Ip6.InAddrErrors",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv6 packets dropped because they are not for this host and forwarding is off, or because of "
        "addresses that may not be forwarded (link-local, loopback, unspecified).",
        cause="not for this host, and forwarding is off",
        causes=(
            "forwarding is off while a bridge, VPN or container network needs this host to route",
            "an address that this host should have is missing, or its duplicate check failed",
            "link-local packets that somebody wants routed",
        ),
        remedies=(
            "sysctl net.ipv6.conf.all.forwarding  # 0: not a router",
            "nettui report addresses --where 'family = inet6'  # missing, or dadfailed?",
            "sysctl -w net.ipv6.conf.all.forwarding=1  # becomes a router, and stops taking router advertisements",
        ),
        reasons=("IP_INADDRERRORS",),
        source=OUTPUT + "ip6_forward; net/ipv6/route.c, ip6_pkt_drop; net/ipv6/exthdrs.c, ipv6_rthdr_rcv",
    ),
    Counter(
        name="Ip6.InUnknownProtos",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv6 packets for this host whose next header nothing here handles; the sender is told: ICMPv6 "
        "parameter problem.",
        cause="no module or socket for its next header",
        causes=("a tunnel, ESP, SCTP or OSPF without its module or daemon", "a protocol scan"),
        remedies=(
            "tcpdump -ni any 'ip6 and not tcp and not udp and not icmp6'  # which protocol, from whom",
            "cat /proc/net/protocols  # what is there",
        ),
        along=("Icmp6.OutParmProblems",),
        reasons=("IP_NOPROTO",),
        source=INPUT + "ip6_protocol_deliver_rcu",
    ),
    Counter(
        name="Ip6.InTruncatedPkts",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv6 packets dropped because they are shorter than their header says.",
        cause="cut short on the way",
        causes=("a device, driver or tunnel on the way that cuts frames", "packets made by hand with a wrong length"),
        remedies=(
            "tcpdump -nvi any ip6 | grep -i truncated  # from whom",
            "nettui report links --columns ifname,mtu,rx_errors,rx_length_errors,rx_over_errors  # lengths below IP",
        ),
        reasons=("PKT_TOO_SMALL",),
        source=INPUT + "ip6_rcv_core; net/ipv6/exthdrs.c, ipv6_hop_jumbo",
    ),
    Counter(
        name="Ip6.InDiscards",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv6 packets dropped on receipt that are not at fault themselves: IPv6 is disabled on the device, a "
        "multicast group not joined, an IPsec policy, or no memory.",
        cause="IPv6 disabled on the device, or a policy",
        causes=(
            "net.ipv6.conf.DEV.disable_ipv6=1 while others on the link speak IPv6: harmless",
            "unicast protocols sent to a multicast group that this host did not join",
            "an IPsec policy that refuses them, or no memory",
        ),
        remedies=(
            "sysctl -a -r 'net.ipv6.conf.*[.]disable_ipv6'  # 1: off",
            "grep InDiscards /proc/net/dev_snmp6/*  # by device",
        ),
        reasons=("IPV6DISABLED", "XFRM_POLICY", "IP_INADDRERRORS", "NOMEM"),
        source=INPUT + "ip6_rcv_core, ip6_protocol_deliver_rcu; " + OUTPUT + "ip6_forward",
    ),
    Counter(
        name="Ip6.InCEPkts",
        layer="ip",
        direction="rx",
        severity="warning",
        counts="IPv6 packets that arrived marked: a router on their way was congested (ECN CE). Nothing was lost.",
        cause="congestion on the way, told by ECN",
        causes=("a queue on the way that marks (fq_codel, cake, a DCTCP network)",),
        remedies=("nettui report qdiscs --columns dev,kind,drops,overlimits,backlog  # a queue of this host?",),
        source=INPUT + "ip6_rcv_core",
    ),
)

SENT = (
    Counter(
        name="Ip6.OutDiscards",
        layer="ip",
        direction="tx",
        severity="loss",
        counts="IPv6 packets made or forwarded here that could not be sent: a qdisc, device or filter refused them, "
        "the send buffer was full, IPv6 is disabled on the device, or no memory.",
        cause="qdisc, device or filter refused it",
        causes=(
            "a qdisc dropped it: qdisc.drops and Udp6.SndbufErrors move too",
            "a rule in OUTPUT or POSTROUTING dropped it: the process sees EPERM",
            "IPv6 is disabled on the device it was to leave by",
            "the send buffer of the socket was full",
        ),
        remedies=(
            "nettui report qdiscs --where 'drops > 0' --sort -drops",
            "nettui report netfilter --where 'verdict = drop'  # rules that drop, with their counters",
            "sysctl -a -r 'net.ipv6.conf.*[.]disable_ipv6'  # 1: off",
        ),
        along=("Udp6.SndbufErrors", "qdisc.drops", "rtnl_link_stats64.tx_dropped"),
        reasons=("QDISC_DROP", "NETFILTER_DROP", "IPV6DISABLED", "NEIGH_CREATEFAIL"),
        source=OUTPUT + "ip6_output, ip6_finish_output2, ip6_forward, ip6_send_skb, __ip6_append_data",
    ),
    Counter(
        name="Ip6.OutNoRoutes",
        layer="route",
        direction="tx",
        severity="loss",
        counts="Attempts here to connect or to send over IPv6 without a route (ENETUNREACH), or without room for "
        "another neighbour.",
        cause="no IPv6 route from here",
        causes=(
            "a host without IPv6 whose programs try IPv6 first: harmless",
            "no default route: a router advertisement expired or is not taken",
            "the neighbour table is full: neigh.table_fulls moves too",
        ),
        remedies=(
            "nettui report routes --to DST  # the way a packet takes now",
            "nettui report routes --where 'family = inet6 and dst = default'",
            "sysctl net.ipv6.conf.DEV.accept_ra",
        ),
        along=("neigh.table_fulls",),
        reasons=("IP_OUTNOROUTES", "NEIGH_CREATEFAIL"),
        source="net/ipv6/route.c, ip6_pkt_discard_out; " + OUTPUT + "ip6_dst_lookup_tail, ip6_finish_output2; "
        "net/ipv6/tcp_ipv6.c, tcp_v6_connect",
    ),
)

IP6 = (*PLAIN, *RECEIVED, *SENT, *reassembly("Ip6"), *fragmentation("Ip6"))
