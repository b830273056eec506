"""IPv4 (Ip, IpExt) and IPv6 (Ip6)."""

from __future__ import annotations

from nettui.knowledge.entry import Counter
from nettui.knowledge.ip6 import IP6
from nettui.knowledge.reassembly import fragmentation, reassembly
from nettui.knowledge.traffic import traffic

INPUT = "net/ipv4/ip_input.c, "
FORWARDING = "sysctl net.ipv4.ip_forward; sysctl -a -r 'net.ipv4.conf.*[.]forwarding'  # 0: not a router"
WAY = "ip route get DST from SRC iif DEV  # what the kernel does with such a packet"

PLAIN = (
    *traffic(
        "ip",
        "Ip",
        "",
        {
            "Forwarding": "A setting, not a counter: 1 where this namespace forwards IPv4, 2 where it does not.",
            "DefaultTTL": "A setting, not a counter: the TTL of packets made here.",
        },
    ),
    *traffic(
        "ip",
        "Ip",
        "rx",
        {
            "InReceives": "IPv4 packets received, those with errors too; after GRO, so one may stand for many.",
            "InDelivers": "IPv4 packets handed to a protocol here: TCP, UDP, ICMP, a tunnel, a raw socket.",
        },
    ),
    *traffic(
        "ip",
        "Ip",
        "fwd",
        {"ForwDatagrams": "IPv4 packets that were to be forwarded; those dropped later on their way out too."},
    ),
    *traffic("ip", "Ip", "tx", {"OutRequests": "IPv4 packets that protocols here gave to IP for sending."}),
    *traffic(
        "ip",
        "Ip",
        "tx",
        {"OutTransmits": "IPv4 packets that IP handed to neighbours and devices, forwarded ones too."},
        since="6.7",
    ),
    *traffic(
        "ip",
        "IpExt",
        "rx",
        {
            "InMcastPkts": "IPv4 multicast packets received.",
            "InBcastPkts": "IPv4 broadcast packets received.",
            "InOctets": "Bytes of IPv4 packets received.",
            "InMcastOctets": "Bytes of IPv4 multicast packets received.",
            "InBcastOctets": "Bytes of IPv4 broadcast packets received.",
            "InNoECTPkts": "IPv4 packets received without ECN.",
            "InECT1Pkts": "IPv4 packets received that may be marked instead of dropped (ECT 1, used by L4S).",
            "InECT0Pkts": "IPv4 packets received that may be marked instead of dropped (ECT 0).",
        },
    ),
    *traffic(
        "ip",
        "IpExt",
        "tx",
        {
            "OutMcastPkts": "IPv4 multicast packets sent.",
            "OutBcastPkts": "IPv4 broadcast packets sent.",
            "OutOctets": "Bytes of IPv4 packets sent.",
            "OutMcastOctets": "Bytes of IPv4 multicast packets sent.",
            "OutBcastOctets": "Bytes of IPv4 broadcast packets sent.",
        },
    ),
)

RECEIVED = (
    Counter(
        name="Ip.InHdrErrors",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv4 packets dropped for their header: TTL used up while forwarding, wrong header checksum, wrong "
        "version or lengths, options that are not understood.",
        cause="TTL used up (loop, traceroute) or bad header",
        causes=(
            "TTL used up: a traceroute through this router, or a routing loop when it moves fast",
            "header damaged on the way: IpExt.InCsumErrors moves too",
            "something that is not IPv4 under the IPv4 ethertype",
        ),
        remedies=(
            "tcpdump -nvi any 'ip[8] < 2'  # packets whose TTL is used up; the same id again and again: a loop",
            "mtr -n DST  # two routers that take turns: the loop",
            "nettui report protocols --where 'counter = IpExt.InCsumErrors'  # damaged, if it moves too",
        ),
        along=("Icmp.OutTimeExcds",),
        reasons=("IP_INHDR", "IP_CSUM"),
        source=INPUT + "ip_rcv_core, ip_rcv_options; net/ipv4/ip_forward.c, ip_forward",
    ),
    Counter(
        name="IpExt.InCsumErrors",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv4 packets dropped because the checksum of their header is wrong.",
        cause="damaged on the way or by a faulty device",
        causes=("a faulty device, cable or virtual switch", "a program that makes packets by hand (raw, tun, XDP)"),
        remedies=(
            "tcpdump -nvi any ip | grep 'bad cksum'  # from whom",
            "nettui report links --where 'rx_errors > 0'  # errors below IP",
        ),
        part_of=("Ip.InHdrErrors",),
        reasons=("IP_CSUM",),
        source=INPUT + "ip_rcv_core",
    ),
    Counter(
        name="IpExt.InTruncatedPkts",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv4 packets dropped because they are shorter than their header says.",
        cause="cut short on the way",
        causes=(
            "a device, driver or tunnel on the way that cuts frames (MTU or jumbo frames set wrongly)",
            "a program that makes packets by hand with a wrong length",
        ),
        remedies=(
            "tcpdump -nvi any ip | grep -i truncated  # from whom",
            "nettui report links --columns ifname,mtu,rx_errors,rx_length_errors,rx_over_errors  # lengths below IP",
        ),
        reasons=("PKT_TOO_SMALL",),
        source=INPUT + "ip_rcv_core",
    ),
    Counter(
        name="Ip.InAddrErrors",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv4 packets dropped because their destination is not an address of this host and the device they "
        "came by does not forward.",
        cause="not for this host, and forwarding is off",
        causes=(
            "forwarding is off while a bridge, VPN, container network or VIP needs this host to route",
            "an address that this host should have is missing (a VIP that moved, DHCP lost)",
            "another host uses this one as its gateway by mistake",
        ),
        remedies=(
            FORWARDING,
            WAY,
            "nettui report addresses  # is the destination's address missing here?",
            "sysctl -w net.ipv4.ip_forward=1  # this namespace becomes a router: have a FORWARD filter first",
        ),
        reasons=("IP_INADDRERRORS",),
        source="net/ipv4/route.c, ip_route_input_slow, ip_error",
    ),
    Counter(
        name="IpExt.InNoRoutes",
        layer="route",
        direction="fwd",
        severity="loss",
        counts="IPv4 packets received for elsewhere that no route leads to (network unreachable; sender told when "
        "forwarding is on). Those sent from here without a route are in Ip.OutNoRoutes.",
        cause="no route to where it should be forwarded",
        causes=(
            "no default route, or it went away with its device",
            "a policy rule that leads to a table without a route",
            "unreachable, prohibit and blackhole routes do not count here (IPv4)",
        ),
        remedies=(
            WAY,
            "nettui report routes --where 'dst = default'  # a way out",
            "nettui report rules  # which table",
        ),
        along=("Icmp.OutDestUnreachs",),
        reasons=("IP_INNOROUTES",),
        source="net/ipv4/route.c, ip_error",
    ),
    Counter(
        name="TcpExt.IPReversePathFilter",
        layer="route",
        direction="rx",
        severity="refused",
        counts="IPv4 packets dropped by the reverse path filter: the way back to their source does not lead out of "
        "the device they came by (strict), or there is no way at all (loose).",
        cause="rp_filter: answers would leave by another way",
        causes=(
            "asymmetric routes: two uplinks, a VPN, policy routing, and rp_filter=1 (strict)",
            "no route back to the source: rp_filter drops even when loose (2)",
            "forged sources: what the filter is for",
        ),
        remedies=(
            "sysctl -a -r 'net.ipv4.conf.*[.]rp_filter'  # the larger of all and the device's own counts",
            "ip route get SRC  # by which device an answer would leave",
            "sysctl -w net.ipv4.conf.DEV.log_martians=1  # names source and device in the kernel log",
            "sysctl -w net.ipv4.conf.DEV.rp_filter=2  # loose: any way back will do; forged sources pass more easily",
        ),
        reasons=("IP_RPFILTER",),
        source="net/ipv4/fib_frontend.c, __fib_validate_source; " + INPUT + "ip_rcv_finish_core",
    ),
    Counter(
        name="Ip.InUnknownProtos",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv4 packets for this host of a protocol that nothing here handles; the sender is told: ICMP "
        "protocol unreachable.",
        cause="no module or socket for its IP protocol",
        causes=(
            "GRE, IPIP, ESP, SCTP, L2TP, VRRP or OSPF without its module, tunnel device or daemon",
            "a protocol scan",
        ),
        remedies=(
            "tcpdump -ni any 'ip and not tcp and not udp and not icmp'  # which protocol, from whom",
            "cat /proc/net/protocols  # what is there",
        ),
        along=("Icmp.OutDestUnreachs",),
        reasons=("IP_NOPROTO",),
        source=INPUT + "ip_protocol_deliver_rcu",
    ),
    Counter(
        name="Ip.InDiscards",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="IPv4 packets without fault, dropped on receipt for want of memory.",
        cause="no memory for the packet",
        causes=("memory is short on the host", "a container's memory limit"),
        remedies=(
            "free -m; dmesg | grep -i 'allocation failure'",
            "sysctl vm.min_free_kbytes  # kept for such moments",
        ),
        reasons=("NOMEM",),
        source=INPUT + "ip_rcv_core, ip_rcv_options, ip_local_deliver_finish",
    ),
    Counter(
        name="IpExt.InCEPkts",
        layer="ip",
        direction="rx",
        severity="warning",
        counts="IPv4 packets that arrived marked: a router on their way was congested (ECN CE). Nothing was lost.",
        cause="congestion on the way, told by ECN",
        causes=("a queue on the way that marks (fq_codel, cake, a DCTCP network)",),
        remedies=("nettui report qdiscs --columns dev,kind,drops,overlimits,backlog  # a queue of this host?",),
        source=INPUT + "ip_rcv_core",
    ),
    Counter(
        name="IpExt.ReasmOverlaps",
        layer="ip",
        direction="rx",
        severity="loss",
        counts="Packets given up because two of their IPv4 fragments overlap.",
        cause="IP ids reused too fast, or an attack",
        causes=(
            "a fast sender whose IP ids wrap: fragments of two packets are taken for one",
            "forged fragments",
        ),
        remedies=(
            "tcpdump -nvi any 'ip[6:2] & 0x3fff != 0'  # ids, offsets, from whom",
            "sysctl net.ipv4.ipfrag_time  # seconds that old fragments wait; shorter helps against wrapped ids",
        ),
        part_of=("Ip.ReasmFails",),
        since="4.19",
        source="net/ipv4/ip_fragment.c, ip_frag_queue",
    ),
    Counter(
        name="TcpExt.ArpFilter",
        layer="neighbour",
        direction="rx",
        severity="refused",
        counts="ARP requests left unanswered because arp_filter is set and the way to the asker does not lead out of "
        "the device that was asked on.",
        cause="arp_filter: answered by another device",
        causes=("two devices in one network, with arp_filter=1: only one answers, as wanted",),
        remedies=(
            "sysctl -a -r 'net.ipv4.conf.*[.]arp_filter'  # the larger of all and the device's own counts",
            "ip route get ASKER  # the device that does answer",
        ),
        source="net/ipv4/arp.c, arp_filter",
    ),
)

SENT = (
    Counter(
        name="Ip.OutDiscards",
        layer="ip",
        direction="tx",
        severity="loss",
        counts="IPv4 datagrams of UDP, ICMP and raw sockets here that could not be sent: a qdisc, device, filter or "
        "neighbour refused them, the send buffer was full, or no memory. TCP's own segments are not counted.",
        cause="qdisc, device, filter or neighbour refused",
        causes=(
            "a qdisc dropped it: qdisc.drops and Udp.SndbufErrors move too",
            "a rule in OUTPUT or POSTROUTING dropped it: the process sees EPERM",
            "the send buffer of the socket was full",
            "the neighbour table is full (one that does not answer is no error of sending)",
        ),
        remedies=(
            "nettui report qdiscs --where 'drops > 0' --sort -drops",
            "nettui report netfilter --where 'verdict = drop'  # rules that drop, with their counters",
            "sysctl net.ipv4.neigh.default.gc_thresh3; ip neigh show | wc -l  # is the neighbour table full?",
        ),
        along=("Udp.SndbufErrors", "qdisc.drops", "rtnl_link_stats64.tx_dropped", "neigh.table_fulls"),
        reasons=("QDISC_DROP", "NETFILTER_DROP", "NEIGH_CREATEFAIL"),
        source="net/ipv4/ip_output.c, ip_send_skb, __ip_append_data; net/ipv4/raw.c, raw_send_hdrinc",
    ),
    Counter(
        name="Ip.OutNoRoutes",
        layer="route",
        direction="tx",
        severity="loss",
        counts="Attempts here to connect or to send over IPv4 without a route: the process gets ENETUNREACH. Packets "
        "to be forwarded are in IpExt.InNoRoutes.",
        cause="no route from here to the destination",
        causes=(
            "no default route, or it went away with its device",
            "a policy rule or mark that leads to a table without a route",
            "a connection whose route went away: it tries again until it times out",
        ),
        remedies=(
            "nettui report routes --to DST  # the way a packet takes now",
            "nettui report routes --where 'dst = default'",
            "nettui report rules",
        ),
        reasons=("IP_OUTNOROUTES",),
        source="net/ipv4/ip_output.c, __ip_queue_xmit; net/ipv4/udp.c, udp_sendmsg; net/ipv4/tcp_ipv4.c, "
        "tcp_v4_connect",
    ),
)

IP = (*PLAIN, *RECEIVED, *SENT, *reassembly("Ip"), *fragmentation("Ip"), *IP6)
