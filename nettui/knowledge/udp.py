"""UDP and UDP-Lite, over IPv4 and over IPv6: the same counters four times, from one description."""

from __future__ import annotations

from nettui.knowledge.entry import Counter
from nettui.knowledge.traffic import traffic

RECEIVE = "net/ipv4/udp.c and net/ipv6/udp.c, "
LOSING = "nettui report sockets --where 'netid udp and drops > 0' --sort -drops  # which socket, and which process"
BUFFER = "sysctl net.core.rmem_max net.core.rmem_default  # a process may ask for SO_RCVBUF up to rmem_max"
MEMORY = "sysctl net.ipv4.udp_mem; grep UDP /proc/net/sockstat  # pages: low, pressure, most; and those in use (mem)"


def udp(group: str) -> tuple[Counter, ...]:
    """The counters of ``group``: Udp, Udp6, UdpLite or UdpLite6."""
    version6 = group.endswith("6")
    ip, icmp = ("Ip6", "Icmp6") if version6 else ("Ip", "Icmp")
    errors = f"{group}.InErrors"
    return (
        *traffic("udp", group, "rx", {"InDatagrams": "Datagrams that a socket or a tunnel took."}),
        *traffic("udp", group, "tx", {"OutDatagrams": "Datagrams handed to IP for sending."}),
        Counter(
            name=errors,
            layer="udp",
            direction="rx",
            severity="loss",
            counts="Datagrams thrown away after they reached UDP: receive buffer full, wrong checksum, no memory, bad "
            "length, a socket's BPF filter, an IPsec policy. Not those to a closed port.",
            cause="buffer full, checksum or filter: see its parts",
            causes=(
                "a socket's receive buffer was full: RcvbufErrors moves by the same number",
                "wrong checksums: InCsumErrors moves too",
                "all UDP sockets together used up udp_mem: MemErrors moves too",
                "none of these moves: a socket filter (BPF), an IPsec policy, or a length that does not fit the packet",
            ),
            remedies=(
                f"nettui report protocols --where 'counter ~ \"^{group}[.]\"'  # which of its parts moves with it",
                LOSING,
            ),
            along=("socket.drops",),
            reasons=("SOCKET_RCVBUFF", "UDP_CSUM", "PROTO_MEM", "SOCKET_FILTER", "XFRM_POLICY", "PKT_TOO_SMALL"),
            source=RECEIVE + "__udp4_lib_rcv, udp_queue_rcv_one_skb, __udp_queue_rcv_skb",
        ),
        Counter(
            name=f"{group}.RcvbufErrors",
            layer="udp",
            direction="rx",
            severity="loss",
            counts="Datagrams thrown away because the receive buffer of the socket they were for was full.",
            cause="receive buffer full: its process reads too slowly",
            causes=(
                "the process behind the socket reads more slowly than datagrams come, or pauses",
                "bursts larger than the socket's receive buffer",
                "a socket that its process opened and does not read at all",
            ),
            remedies=(LOSING, BUFFER, "sysctl -w net.core.rmem_max=N  # whole host; costs memory, a longer queue"),
            part_of=(errors,),
            along=("socket.drops",),
            reasons=("SOCKET_RCVBUFF",),
            source=RECEIVE + "__udp_enqueue_schedule_skb, __udp_queue_rcv_skb",
        ),
        Counter(
            name=f"{group}.MemErrors",
            layer="udp",
            direction="rx",
            severity="loss",
            counts="Datagrams thrown away because all UDP sockets of the host together may not hold more memory "
            "(udp_mem), or a cgroup may not.",
            cause="UDP memory (udp_mem) or a cgroup's used up",
            causes=(
                "many sockets with full receive buffers: udp_mem is one limit for the whole host",
                "a container at its memory limit",
                "since 6.18 some kernels move only the socket's own drops when udp_mem is used up",
            ),
            remedies=(
                MEMORY,
                "nettui report sockets --where 'netid udp and recv_q > 0' --sort -recv_q --limit 20  # who holds it",
                'sysctl -w net.ipv4.udp_mem="LOW PRESSURE MOST"  # pages, whole host; takes memory from all else',
            ),
            part_of=(errors,),
            along=("socket.drops",),
            reasons=("PROTO_MEM",),
            since="5.11",
            source=RECEIVE + "udp_rmem_schedule, __udp_queue_rcv_skb",
        ),
        Counter(
            name=f"{group}.InCsumErrors",
            layer="udp",
            direction="rx",
            severity="loss",
            counts="Datagrams thrown away because their checksum is wrong.",
            cause="damaged on the way, or by a faulty offload",
            causes=(
                "a device on the way, or this host's, that damages packets or computes checksums wrongly",
                "a NAT or tunnel that changes addresses and not the checksum",
            ),
            remedies=(
                f"tcpdump -nvv -i any {'ip6 and ' * version6}udp | grep 'bad udp cksum'  # from whom (sent: no sign)",
                "ethtool -K DEV rx off  # to see whether the device is at fault; costs CPU for each packet",
            ),
            part_of=(errors,),
            along=("socket.drops",),
            reasons=("UDP_CSUM",),
            source=RECEIVE + "__udp4_lib_rcv, udp_queue_rcv_one_skb, __first_packet_length, udp_recvmsg",
        ),
        Counter(
            name=f"{group}.NoPorts",
            layer="udp",
            direction="rx",
            severity="refused",
            counts="Datagrams to a port that no socket listens on; the sender is told: ICMP port unreachable.",
            cause="nothing listens on the port they are sent to",
            causes=(
                "the service is down, or listens on another address or port",
                "late answers to a socket that is closed already (a DNS client that gave up)",
                "a port scan",
            ),
            remedies=(
                "nettui report sockets --where 'netid udp and state unconn' --columns src,sport,process  # who listens",
                f"tcpdump -ni any '{'icmp6[0] == 1' if version6 else 'icmp[0] == 3 and icmp[1] == 3'}'  # which port",
            ),
            along=(f"{icmp}.OutDestUnreachs",),
            reasons=("NO_SOCKET",),
            source=RECEIVE + "__udp4_lib_rcv, __udp6_lib_rcv",
        ),
        Counter(
            name=f"{group}.SndbufErrors",
            layer="udp",
            direction="tx",
            severity="loss",
            counts="Datagrams that a process sent and that were not sent: the socket's send buffer was full, or a "
            "qdisc or device below refused them (ENOBUFS). The process is mostly not told.",
            cause="send buffer full, or a qdisc dropped it",
            causes=(
                "a qdisc on the outgoing device dropped the datagram: its drops move too",
                "the process sends faster than the device, and its send buffer is full",
                "no memory, a full neighbour table, or a neighbour that does not answer while much waits for it",
            ),
            remedies=(
                "nettui report qdiscs --where 'drops > 0' --sort -drops  # a qdisc that drops",
                "nettui report sockets --where 'netid udp and send_q > 0' --sort -send_q  # whose buffer is full",
                "sysctl net.core.wmem_max net.core.wmem_default  # a process may ask for SO_SNDBUF up to wmem_max",
            ),
            along=(f"{ip}.OutDiscards", "qdisc.drops", "rtnl_link_stats64.tx_dropped"),
            reasons=("QDISC_DROP",),
            source=RECEIVE + "udp_send_skb, udp_sendmsg",
        ),
        *ignored(group),
    )


def ignored(group: str) -> tuple[Counter, ...]:
    """UDP-Lite over IPv6 has no such counter."""
    if group == "UdpLite6":
        return ()
    return (
        Counter(
            name=f"{group}.IgnoredMulti",
            layer="udp",
            direction="rx",
            severity="noise",
            counts="Multicast and broadcast datagrams that no socket here wanted.",
            cause="multicast or broadcast that nobody here reads",
            causes=("usual in every network with DHCP, mDNS, SSDP, NetBIOS", "a reader that did not join its group"),
            remedies=(
                "ip maddr show  # groups joined here",
                "nettui report sockets --where 'netid udp and state unconn'  # ports listened on",
            ),
            source=RECEIVE + "__udp4_lib_mcast_deliver, __udp6_lib_mcast_deliver",
        ),
    )


UDP = tuple(entry for group in ("Udp", "Udp6", "UdpLite", "UdpLite6") for entry in udp(group))
