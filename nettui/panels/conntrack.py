"""Conntrack: every tracked flow with its NAT, what each CPU did with packets, and the flows that helpers expect."""

from nettui.netfilter import filters
from nettui.panels.panel import Panel

CONNTRACK = Panel(
    name="conntrack",
    title="Conntrack",
    key="C",
    show=(
        "proto", "state", "src", "sport", "dst", "dport", "nat", "nat_dst", "nat_dport", "nat_src", "nat_sport",
        "timeout", "bytes_rate", "reply_bytes_rate", "bytes", "reply_bytes", "mark", "zone",
    ),
    more=(
        "status", "packets", "reply_packets", "helper", "labels", "icmp_type",
        "icmp_code", "icmp_id", "srckey", "dstkey", "reply_src", "reply_sport", "reply_dst", "reply_dport",
        "orig_zone", "reply_zone", "delta_time", "secctx", "master", "family", "id",
    ),
    command="conntrack -L -o extended,id,labels; conntrack -L -f ipv6",
    empty="no flow is tracked: conntrack is at work only where a rule needs it (ct, nat, masquerade)",
    unmatched="a flow whose first packet is dropped is never kept: the rule that drops it counts it",
    pivots=(
        (
            "socket that began it", "sockets",
            "src {src} and sport {sport} and dst {dst} and dport {dport}",
        ),
        (
            "socket that answers", "sockets",
            "src {reply_src} and sport {reply_sport} and dst {reply_dst} and dport {reply_dport}",
        ),
        ("what its packets meet on their way", "hooks", filters.way),
        ("rules that could see it", "netfilter", filters.rules),
        ("flows of the same source", "conntrack", "src {src}"),
        ("flows to the same destination", "conntrack", "dst {dst}"),
        ("route to where it goes", "routes", "dst covers {reply_src}"),
        ("neighbour that answers", "neighbours", "dst {reply_src}"),
        ("neighbour that began it", "neighbours", "dst {src}"),
        ("flows that it expects", "expectations", "master_src {src} and master_sport {sport} and master_dst {dst}"),
    ),
)  # fmt: skip

CONNTRACK_STATISTICS = Panel(
    name="conntrack_statistics",
    title="Conntrack statistics",
    key="U",
    show=(
        "cpu", "insert_failed", "drop", "early_drop", "invalid", "error", "found", "insert", "search_restart",
        "clash_resolve", "chaintoolong",
    ),
    more=("expect_new", "expect_create", "expect_delete", "entries", "max_entries", "buckets"),
    command="conntrack -S; conntrack -S exp; conntrack -C",
    empty="no CPU is listed",
)  # fmt: skip

EXPECTATIONS = Panel(
    name="expectations",
    title="Expectations",
    key="X",
    show=("proto", "src", "sport", "dst", "dport", "helper", "timeout", "master_src", "master_sport", "master_dst",
          "master_dport"),
    more=("mask_src", "mask_sport", "mask_dst", "mask_dport", "nat_dir", "nat_src", "nat_sport", "class", "flags",
          "zone", "fn", "family", "id"),
    command="conntrack -L expect",
    empty="no helper expects a flow: helpers are at work only where a rule sets one (ct helper)",
    pivots=(
        (
            "flow whose helper expects it", "conntrack",
            "src {master_src} and sport {master_sport} and dst {master_dst} and dport {master_dport}",
        ),
    ),
)  # fmt: skip
