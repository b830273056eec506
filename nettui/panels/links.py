"""Links: every network device, its state, kind and counters."""

from nettui.panels.panel import Panel

CAME_IN = "way in (to, through) and (kind != rule or not has iif or iif {ifname})"
GO_OUT = "way in (through, from) and (kind != rule or not has oif or oif {ifname})"

LINKS = Panel(
    name="links",
    title="Links",
    key="2",
    show=(
        "ifname", "operstate", "kind", "mtu", "rx_bytes_rate", "tx_bytes_rate", "rx_dropped", "tx_dropped",
        "rx_errors", "tx_errors",
    ),
    more=(
        "master", "peer", "link_netns", "speed", "driver", "qdisc", "address", "rx_packets", "tx_packets", "rx_bytes",
        "tx_bytes", "rx_missed_errors", "carrier_changes", "flags", "ifalias", "altnames", "ifindex",
    ),
    command="ip -s -d link",
    empty="no network devices: not even lo, which a namespace normally has",
    pivots=(
        ("addresses", "addresses", "ifindex {ifindex}"),
        ("routes", "routes", "oif {ifindex}"),
        ("neighbours", "neighbours", "ifindex {ifindex}"),
        ("qdiscs", "qdiscs", "ifindex {ifindex}"),
        ("what packets meet that came in by it", "hooks", CAME_IN),
        ("what packets meet that go out by it", "hooks", GO_OUT),
        ("chains and rules that name it", "netfilter", "iif {ifname} or oif {ifname} or dev {ifname}"),
        ("ports", "links", "master_index {ifindex}"),
    ),
)  # fmt: skip
