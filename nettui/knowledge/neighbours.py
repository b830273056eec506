"""What the neighbour tables (ARP, NDP) and the old route cache count: /proc/net/stat/{arp,ndisc,rt}_cache.

All are numbers of the whole host, whichever namespace reads them.
"""

from nettui.knowledge.entry import Counter

CORE = "net/core/neighbour.c, "
FAILED = "nettui report neighbours --where 'state FAILED or state INCOMPLETE'  # whom nobody answers for"
COUNT = "ip -4 neigh | wc -l; sysctl net.ipv4.neigh.default.gc_thresh3  # IPv6: ip -6, net.ipv6"
THRESHOLDS = "sysctl -w net.ipv4.neigh.default.gc_thresh3=8192 net.ipv4.neigh.default.gc_thresh2=4096  # whole host; "
THRESHOLDS += "about 0.5 kB an entry; IPv6: net.ipv6"
MARTIANS = "sysctl -w net.ipv4.conf.all.log_martians=1  # logs each (rate limited); set back to 0 after"


def table(name: str, counts: str, cause: str = "not a loss", since: str = "") -> Counter:
    """A number of a neighbour table that is no loss."""
    return Counter(
        name=f"neigh.{name}",
        layer="neighbour",
        direction="",
        severity="traffic",
        counts=counts,
        cause=cause,
        since=since,
        source=CORE + "neigh_stat_seq_show",
    )


TABLES = (
    Counter(
        name="neigh.unresolved_discards",
        layer="neighbour",
        direction="tx",
        severity="loss",
        counts="Packets thrown out of the queue of a neighbour whose address is not known yet, because newer ones "
        "came. Only "
        "the first namespace's /proc shows it, for all namespaces.",
        cause="next hop does not answer; its queue is full",
        causes=(
            "the next hop is down or not in this network: nobody answers ARP or NDP",
            "a burst to a new neighbour, before its first answer",
            "ARP or NDP is filtered: arptables, a switch, a cloud's anti-spoofing",
        ),
        remedies=(
            FAILED,
            "arping -I DEV -c 3 ADDRESS  # does anybody answer? IPv6: ndisc6 ADDRESS DEV",
            "sysctl -w net.ipv4.neigh.DEV.unres_qlen_bytes=N  # a longer queue for bursts; memory",
        ),
        along=("neigh.res_failed",),
        reasons=("NEIGH_QUEUEFULL",),
        source=CORE + "__neigh_event_send",
    ),
    Counter(
        name="neigh.table_fulls",
        layer="neighbour",
        direction="tx",
        severity="loss",
        counts="New neighbours that were refused because the table of the whole host was full (gc_thresh3). The "
        "packet is "
        "dropped; the kernel logs 'neighbor table overflow'.",
        cause="neighbour table full (gc_thresh3)",
        causes=(
            "more neighbours than gc_thresh3: a large network, many containers, all namespaces together",
            "a scan of the local network makes an entry for each address",
        ),
        remedies=(
            COUNT,
            THRESHOLDS,
            "nettui report neighbours --where 'state INCOMPLETE' --limit 20  # a scan?",
        ),
        along=("Ip.OutDiscards", "Ip6.OutDiscards", "Udp.SndbufErrors", "neigh.forced_gc_runs"),
        reasons=("NEIGH_CREATEFAIL",),
        source=CORE + "neigh_alloc; net/ipv4/ip_output.c, ip_finish_output2",
    ),
    Counter(
        name="neigh.res_failed",
        layer="neighbour",
        direction="tx",
        severity="loss",
        counts="Neighbours for which nobody answered after all probes. The packets that waited for each are dropped, "
        "and their "
        "senders get 'host unreachable'.",
        cause="next hop does not answer ARP or NDP",
        causes=(
            "the host is down, has moved, or never was there",
            "a wrong prefix length: an address is taken for local that is not",
            "ARP or NDP is filtered on the way",
        ),
        remedies=(FAILED, "ip route get ADDRESS  # local, or through a gateway?", "tcpdump -eni DEV arp or icmp6"),
        along=("neigh.unresolved_discards", "Icmp.OutDestUnreachs"),
        reasons=("NEIGH_FAILED", "QUEUE_PURGE", "NOT_SPECIFIED"),
        source=CORE + "neigh_invalidate; net/ipv4/arp.c, arp_error_report",
    ),
    Counter(
        name="neigh.forced_gc_runs",
        layer="neighbour",
        direction="",
        severity="warning",
        counts="Times that a new entry made the kernel clear the table, because it was above gc_thresh2 or full.",
        cause="neighbour table above gc_thresh2",
        causes=("the table is near its limit; permanent entries and those of EVPN do not count toward it",),
        remedies=(COUNT, THRESHOLDS),
        along=("neigh.table_fulls",),
        source=CORE + "neigh_forced_gc, neigh_alloc",
    ),
    table("entries", "Entries now, permanent ones with them (gc_thresh3 does not count those); a size."),
    table("allocs", "Entries made."),
    table("destroys", "Entries removed."),
    table("hash_grows", "Times that the hash table was enlarged."),
    table("lookups", "Look-ups of a neighbour."),
    table("hits", "Look-ups that found one."),
    table("rcv_probes_mcast", "Neighbour solicitations received by multicast (IPv6)."),
    table("rcv_probes_ucast", "Neighbour solicitations received by unicast (IPv6)."),
    table("periodic_gc_runs", "Regular runs of the garbage collection."),
)


def cache(name: str, counts: str) -> Counter:
    """A number of the route cache file that is no loss."""
    return Counter(
        name=f"rt_cache.{name}",
        layer="route",
        direction="",
        severity="traffic",
        counts=counts,
        cause="not a loss",
        source="net/ipv4/route.c, rt_cpu_seq_show",
    )


GONE = "Always 0 since 3.6, when the route cache went away."
ROUTE_CACHE = (
    Counter(
        name="rt_cache.in_no_route",
        layer="route",
        direction="rx",
        severity="loss",
        counts="IPv4 packets received for which there was no route, or that were to be forwarded while forwarding is "
        "off.",
        cause="no route, or forwarding is off",
        causes=(
            "packets for other hosts come here and net.ipv4.ip_forward is 0",
            "no route to the destination, and no default route",
            "an unreachable route was put there on purpose",
        ),
        remedies=(
            "nettui report routes --to ADDRESS",
            "sysctl net.ipv4.ip_forward net.ipv4.conf.DEV.forwarding",
            "tcpdump -ni DEV 'not dst host OWN-ADDRESS'  # what comes here that is not for this host",
        ),
        along=("Ip.InAddrErrors", "IpExt.InNoRoutes", "Icmp.OutDestUnreachs"),
        reasons=("IP_INADDRERRORS", "IP_INNOROUTES"),
        source="net/ipv4/route.c, ip_route_input_slow (no_route), ip_error",
    ),
    Counter(
        name="rt_cache.in_martian_src",
        layer="route",
        direction="rx",
        severity="loss",
        counts="IPv4 packets dropped for their source address: it cannot come in here, by rp_filter or by nature (one "
        "of this "
        "host's own, loopback, multicast).",
        cause="source refused: rp_filter or a martian",
        causes=(
            "rp_filter is strict and the way back goes out of another device (asymmetric routes, several uplinks)",
            "another host uses an address of this one",
            "forged source addresses",
        ),
        remedies=(
            MARTIANS,
            "sysctl net.ipv4.conf.all.rp_filter net.ipv4.conf.DEV.rp_filter  # the larger of the two counts",
            "sysctl -w net.ipv4.conf.DEV.rp_filter=2  # loose: any route back will do; forged sources may pass",
        ),
        along=("TcpExt.IPReversePathFilter",),
        reasons=("IP_RPFILTER", "IP_LOCAL_SOURCE", "IP_INVALID_SOURCE", "IP_LOCALNET"),
        source="net/ipv4/route.c, ip_handle_martian_source, ip_route_input_slow, __mkroute_input",
    ),
    Counter(
        name="rt_cache.in_martian_dst",
        layer="route",
        direction="rx",
        severity="loss",
        counts="IPv4 packets dropped for their destination address: one that cannot be on a wire, such as 0.0.0.0 or "
        "loopback.",
        cause="destination that cannot be on a wire",
        causes=(
            "packets to 127.0.0.0/8 from outside, often after a wrong DNAT (route_localnet is off)",
            "packets to 0.0.0.0/8 or the limited broadcast's neighbours",
        ),
        remedies=(
            MARTIANS,
            "sysctl net.ipv4.conf.DEV.route_localnet  # DNAT to 127.0.0.1 needs 1; opens local services",
        ),
        reasons=("IP_INVALID_DEST", "IP_LOCALNET"),
        source="net/ipv4/route.c, ip_route_input_slow (martian_destination)",
    ),
    cache("entries", "Routes cached now (destination entries in use); a size."),
    cache("in_slow_tot", "Route look-ups for packets received."),
    cache("in_slow_mc", "Multicast packets received that were looked up."),
    cache("in_brd", "Broadcast packets received."),
    cache("out_slow_tot", "Route look-ups for packets sent."),
    cache("out_slow_mc", "Multicast packets sent that were looked up."),
    cache("in_hit", GONE),
    cache("out_hit", GONE),
    cache("gc_total", GONE),
    cache("gc_ignored", GONE),
    cache("gc_goal_miss", GONE),
    cache("gc_dst_overflow", GONE),
    cache("in_hlist_search", GONE),
    cache("out_hlist_search", GONE),
)

NEIGHBOURS = (*TABLES, *ROUTE_CACHE)
