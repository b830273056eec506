"""What connection tracking counts per CPU: conntrack -S, struct ip_conntrack_stat."""

from nettui.knowledge.entry import Counter

CORE = "net/netfilter/nf_conntrack_core.c, "
FILL = "nettui report conntrack_statistics --columns entries,max_entries --limit 1  # how full the table is"
MAX = "sysctl -w net.netfilter.nf_conntrack_max=N  # whole host; about 320 bytes an entry; raise the buckets too"
STATS = "nettui report conntrack_statistics  # per CPU, as conntrack -S"

LOST = (
    Counter(
        name="nf_conntrack.drop",
        layer="conntrack",
        direction="",
        severity="loss",
        counts="Packets dropped by connection tracking: the table was full or there was no memory for a new flow, the "
        "new "
        "flow's entry clashed with another, or a protocol tracker or helper refused the packet.",
        cause="table full, or a clash of two new flows",
        causes=(
            "the table is full and nothing could be thrown out (the kernel logs: nf_conntrack: table full, dropping "
            "packet)",
            "two packets of one new flow at once, mostly UDP DNS with NAT: insert_failed moves by the same number",
            "a tracker refuses the packet (SCTP, a SYN flood's end), or no memory",
        ),
        remedies=(
            FILL,
            MAX,
            "nettui report conntrack --where 'state SYN_SENT' --limit 20  # a scan or flood that fills it?",
            "nft add rule ip raw prerouting udp dport 53 notrack  # do not track DNS; such flows get no NAT",
        ),
        along=("nf_conntrack.insert_failed", "nf_conntrack.early_drop"),
        reasons=("NETFILTER_DROP",),
        source=CORE + "nf_conntrack_in, nf_ct_resolve_clash, __nf_conntrack_confirm",
    ),
    Counter(
        name="nf_conntrack.insert_failed",
        layer="conntrack",
        direction="",
        severity="loss",
        counts="Packets dropped at the end of their way because the entry of their new flow could not be put into the "
        "table: "
        "an entry of the same addresses was there, its hash chain was too long, or it was being removed.",
        cause="two packets of one new flow at once (DNS)",
        causes=(
            "UDP: a resolver sends A and AAAA from one port at once and NAT chooses for both (5 s delays of DNS)",
            "source NAT to few addresses: two flows get the same port",
            "TCP: a SYN sent twice while its first is not yet through",
        ),
        remedies=(
            STATS,
            "# in /etc/resolv.conf: options single-request-reopen, or a resolver on the host itself",
            "iptables -t nat … -j MASQUERADE --random-fully  # ports chosen at random: fewer clashes",
        ),
        part_of=("nf_conntrack.drop",),
        reasons=("NETFILTER_DROP",),
        source=CORE + "__nf_conntrack_confirm, nf_ct_resolve_clash",
    ),
    Counter(
        name="nf_conntrack.chaintoolong",
        layer="conntrack",
        direction="",
        severity="loss",
        counts="Packets dropped because the hash chain for the entry of their new flow was too long.",
        cause="hash table too small, or an attack on it",
        causes=("many more entries than buckets", "many flows that differ in little, in the same chain"),
        remedies=(
            "sysctl net.netfilter.nf_conntrack_buckets net.netfilter.nf_conntrack_count  # entries per bucket",
            "echo N > /sys/module/nf_conntrack/parameters/hashsize  # whole host; 8 bytes a bucket, a short stall",
        ),
        along=("nf_conntrack.insert_failed",),  # which has it too, and then alone of all its packets is not in drop
        reasons=("NETFILTER_DROP",),
        since="5.15",
        source=CORE + "__nf_conntrack_confirm (chaintoolong)",
    ),
    Counter(
        name="nf_conntrack.early_drop",
        layer="conntrack",
        direction="",
        severity="loss",
        counts="Tracked flows that were thrown out before their time because the table was full. No packet is lost by "
        "it, but "
        "the flow's next packets are new or invalid: NAT and state rules forget it.",
        cause="table full: old flows thrown out",
        causes=(
            "more flows than nf_conntrack_max: a load peak, a scan, a flood",
            "timeouts that are too long for the load",
        ),
        remedies=(
            FILL,
            MAX,
            "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400  # idle flows are forgotten after a "
            "day",
        ),
        along=("nf_conntrack.drop",),
        source=CORE + "early_drop, early_drop_list",
    ),
    Counter(
        name="nf_conntrack.invalid",
        layer="conntrack",
        direction="",
        severity="warning",
        counts="Packets that fit no flow. They are not dropped by this: a rule on state INVALID does that.",
        cause="packets that fit no flow (state INVALID)",
        causes=(
            "late packets of a flow that timed out or was thrown out (early_drop)",
            "only one direction passes here: asymmetric routes",
            "TCP out of window, wrong checksums, RST after the end: a few are usual",
        ),
        remedies=(
            "sysctl -w net.netfilter.nf_conntrack_log_invalid=6  # logs invalid TCP with the cause; set back to 0 "
            "after",
            "nettui report netfilter --where 'rule ~ invalid'  # rules that drop them, with counters",
            "sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1  # take out-of-window; weaker check",
        ),
        along=("nf_conntrack.error", "rule.drop"),
        source=CORE + "nf_conntrack_in",
    ),
    Counter(
        name="nf_conntrack.error",
        layer="conntrack",
        direction="",
        severity="warning",
        counts="ICMP and ICMPv6 packets that could not be tracked: damaged, or errors about no known flow. Until 5.8 "
        "also "
        "packets without a readable header, and then inside invalid.",
        cause="ICMP errors about unknown flows",
        causes=("ICMP errors about flows that ended or never passed here", "a wrong ICMP checksum"),
        remedies=(
            STATS,
            "sysctl -w net.netfilter.nf_conntrack_log_invalid=1  # logs invalid ICMP; set back to 0 after",
        ),
        along=("nf_conntrack.invalid",),
        source=CORE + "nf_conntrack_handle_icmp",
    ),
    Counter(
        name="nf_conntrack.clash_resolve",
        layer="conntrack",
        direction="",
        severity="warning",
        counts="Packets of one new flow on two CPUs at once where one entry was kept: nothing was lost.",
        cause="two packets of one new flow at once, both kept",
        causes=("UDP that sends two packets at once from one port, such as a resolver",),
        remedies=(STATS,),
        since="5.10",
        source=CORE + "__nf_ct_resolve_clash, nf_ct_resolve_clash_harder",
    ),
    Counter(
        name="nf_conntrack.search_restart",
        layer="conntrack",
        direction="",
        severity="noise",
        counts="Look-ups that began again because an entry moved to another chain meanwhile. Nothing is lost.",
        cause="entries came and went during a look-up",
        causes=("many short flows, or the hash table was resized",),
        remedies=(STATS,),
        source=CORE + "____nf_conntrack_find, nf_conntrack_tuple_taken",
    ),
)


def told(name: str, counts: str, since: str = "") -> Counter:
    """A counter of what goes well."""
    return Counter(
        name=f"nf_conntrack.{name}",
        layer="conntrack",
        direction="",
        severity="traffic",
        counts=counts,
        cause="not a loss",
        since=since,
        source="net/netfilter/nf_conntrack_netlink.c, ctnetlink_ct_stat_cpu_fill_info; "
        "net/netfilter/nf_conntrack_standalone.c, ct_cpu_seq_show",
    )


TRAFFIC = (
    told("found", "Look-ups of addresses and ports that were taken: NAT in search of a free port mostly."),
    told("searched", "Look-ups done; only old kernels count it."),
    told("new", "Entries made; only old kernels count it (0 since 4.9)."),
    told("ignore", "Packets that had an entry already; only old kernels count it."),
    told("delete", "Entries removed; only old kernels count it."),
    told("delete_list", "Entries put on the list of dying ones; only old kernels count it."),
    told("insert", "Entries put into the table by user space (conntrack -I, conntrackd), since 4.9; every one before."),
    told("expect_new", "Flows that came as a helper had expected them (FTP data, SIP media)."),
    told("expect_create", "Flows that helpers announced."),
    told("expect_delete", "Announced flows that were taken back or timed out."),
    told("entries", "Entries in this namespace's table now; a size."),
    told("max_entries", "Most entries that fit (nf_conntrack_max); a size."),
    told("buckets", "Hash buckets of the host; a size."),
)

CONNTRACK = (*LOST, *TRAFFIC)
