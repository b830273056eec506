"""What rules, chain policies, NFQUEUE and SYNPROXY throw away."""

from nettui.knowledge.entry import Counter

NFQUEUE_SHOW = (
    "cat /proc/net/netfilter/nfnetlink_queue  # queue, reader's port id, waiting, …, dropped, user dropped, id"
)
SYNPROXY_SHOW = "cat /proc/net/stat/synproxy  # per CPU, hexadecimal"

RULES = (
    Counter(
        name="rule.drop",
        layer="netfilter",
        direction="",
        severity="refused",
        counts="Packets that a rule with a drop verdict threw away, by its own counter. A rule without a counter "
        "drops unseen.",
        cause="a rule drops them",
        causes=(
            "the rule does what it was written for",
            "the rule matches more than was meant: an interface, a set, an order",
        ),
        remedies=(
            "nettui report netfilter --where 'verdict drop and packets > 0'  # which rule, in the syntax of its tool",
            "nettui report hooks --where 'way through'  # what comes before it",
            "nft monitor trace  # after: nft insert rule … meta nftrace set 1; costs a message for each packet",
        ),
        along=("Ip.OutDiscards", "Ip.InDiscards", "Ip6.OutDiscards"),
        reasons=("NETFILTER_DROP",),
        source="net/netfilter/nf_tables_core.c, nft_do_chain; net/ipv4/netfilter/ip_tables.c, ipt_do_table",
    ),
    Counter(
        name="rule.reject",
        layer="netfilter",
        direction="",
        severity="refused",
        counts="Packets that a rule rejected: the packet is dropped and the sender gets an ICMP error or a TCP reset.",
        cause="a rule rejects them",
        causes=(
            "the rule does what it was written for",
            "a Kubernetes service without endpoints",
            "no rule above accepted it",
        ),
        remedies=(
            "nettui report netfilter --where 'verdict reject and packets > 0'",
            "nettui report services  # a service without endpoints?",
        ),
        along=("Icmp.OutDestUnreachs", "Tcp.OutRsts"),
        reasons=("NETFILTER_DROP",),
        source="net/netfilter/nft_reject_inet.c, nft_reject_inet_eval; net/ipv4/netfilter/ipt_REJECT.c, reject_tg",
    ),
    Counter(
        name="policy.drop",
        layer="netfilter",
        direction="",
        severity="refused",
        counts="Packets that came to the end of a base chain whose policy is drop. nftables counts it only when the "
        "chain has "
        "a counter; iptables always does.",
        cause="no rule accepted them: the chain's policy",
        causes=(
            "no rule accepts this traffic: a rule is missing or comes in the wrong chain",
            "the policy does its work",
        ),
        remedies=(
            "nettui report hooks --where 'way through'  # the chains with policy drop, in a packet's order",
            'nft add rule FAMILY TABLE CHAIN limit rate 5/second log prefix \\"policy \\"  # last rule: what drops?',
        ),
        along=("Ip.OutDiscards",),
        reasons=("NETFILTER_DROP",),
        source="net/netfilter/nf_tables_core.c, nft_do_chain (nft_base_chain policy, nft_update_chain_stats)",
    ),
)

QUEUES = (
    Counter(
        name="nfqueue.queue_dropped",
        layer="netfilter",
        direction="",
        severity="loss",
        counts="Packets dropped because the NFQUEUE already held its largest number of packets for the program behind "
        "it.",
        cause="the program behind NFQUEUE is too slow",
        causes=("an IPS or DPI program (Suricata, Snort) cannot keep up, or stands still",),
        remedies=(
            NFQUEUE_SHOW,
            "nft … queue num 0-3 fanout  # several queues and processes; needs a restart of the program with as many",
            "nft … queue num 0 bypass  # without a reader packets pass unchecked",
        ),
        reasons=("NOT_SPECIFIED", "NETFILTER_DROP"),
        source="net/netfilter/nfnetlink_queue.c, __nfqnl_enqueue_packet",
    ),
    Counter(
        name="nfqueue.user_dropped",
        layer="netfilter",
        direction="",
        severity="loss",
        counts="Packets dropped because the message to the program behind NFQUEUE did not fit into its socket's "
        "buffer.",
        cause="NFQUEUE reader's socket buffer full",
        causes=("the program reads too slowly for bursts", "its netlink receive buffer is small"),
        remedies=(NFQUEUE_SHOW, "sysctl net.core.rmem_max  # the program may ask for that much (nfnl_rcvbufsiz)"),
        along=("socket.drops",),
        reasons=("NOT_SPECIFIED", "NETFILTER_DROP"),
        source="net/netfilter/nfnetlink_queue.c, __nfqnl_enqueue_packet (nfnetlink_unicast)",
    ),
)

SYNPROXY = (
    Counter(
        name="synproxy.syn_received",
        layer="netfilter",
        direction="rx",
        severity="traffic",
        counts="SYNs that SYNPROXY answered with a cookie in place of the server.",
        cause="connections asked for",
        source="net/netfilter/nf_synproxy_core.c; net/ipv4/netfilter/ipt_SYNPROXY.c, synproxy_tg4",
    ),
    Counter(
        name="synproxy.cookie_invalid",
        layer="netfilter",
        direction="rx",
        severity="refused",
        counts="ACKs dropped because their SYN cookie was wrong or too old.",
        cause="ACKs without a valid cookie: flood or late",
        causes=("an ACK flood or scan", "clients that answer more than a minute or two late", "asymmetric routes"),
        remedies=(SYNPROXY_SHOW, "nettui report conntrack --where 'state SYN_RECV' --limit 20"),
        along=("rule.drop",),
        reasons=("NETFILTER_DROP",),
        source="net/netfilter/nf_synproxy_core.c, synproxy_recv_client_ack",
    ),
    Counter(
        name="synproxy.cookie_valid",
        layer="netfilter",
        direction="rx",
        severity="traffic",
        counts="ACKs with a valid cookie: SYNPROXY then opens the connection to the server.",
        cause="connections made",
        source="net/netfilter/nf_synproxy_core.c, synproxy_recv_client_ack",
    ),
    Counter(
        name="synproxy.cookie_retrans",
        layer="netfilter",
        direction="rx",
        severity="warning",
        counts="Cookies that came again before the server had answered: the client sent its ACK or data again.",
        cause="the server behind SYNPROXY answers late",
        causes=("the server behind is slow or does not answer the SYN that SYNPROXY sends it",),
        remedies=(SYNPROXY_SHOW, "ss -ltn  # on the server: is its listen queue full?"),
        source="net/netfilter/nf_synproxy_core.c, ipv4_synproxy_hook, ipv6_synproxy_hook",
    ),
    Counter(
        name="synproxy.conn_reopened",
        layer="netfilter",
        direction="rx",
        severity="traffic",
        counts="Connections opened again with the addresses and ports of one that had closed.",
        cause="ports used again",
        source="net/netfilter/nf_synproxy_core.c, ipv4_synproxy_hook",
    ),
    Counter(
        name="synproxy.entries",
        layer="netfilter",
        direction="",
        severity="traffic",
        counts="Always 0: kept for the file's form.",
        cause="not counted",
        source="net/netfilter/nf_synproxy_core.c, synproxy_cpu_seq_show",
    ),
)

NETFILTER = (*RULES, *QUEUES, *SYNPROXY)
