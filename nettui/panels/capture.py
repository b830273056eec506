"""Capture: packets of a device as they come, or of a file. On the screen alone; `nettui capture` prints them."""

from nettui.panels.panel import Panel

CAPTURE = Panel(
    name="capture",
    title="Capture",
    key="P",
    show=("number", "when", "source", "destination", "protocol", "info"),
    more=(
        "length", "dev", "direction", "vlan", "ttl", "flags", "seq", "ack", "window", "payload", "sni", "dns_name",
        "vni", "inner_src", "inner_dst", "inner_proto", "inner_sport", "inner_dport", "smac", "dmac", "cut",
    ),
    command="tcpdump -n -i DEVICE FILTER",
    empty="no packets yet",
)  # fmt: skip
