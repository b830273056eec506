"""The cake queueing discipline's options and statistics, by tc's words (uapi pkt_sched.h, TCA_CAKE_*)."""

from __future__ import annotations

from collectors.netlink.fields import Fields, Words, little, signed, spelled
from collectors.values import Cell
from collectors.wire.netlink import attributes

DIFFSERV = ("diffserv3", "diffserv4", "diffserv8", "besteffort", "precedence")
FLOW_MODES = ("flowblind", "srchost", "dsthost", "hosts", "flows", "dual-srchost", "dual-dsthost", "triple-isolate")
ACK_FILTERS = ("disabled", "enabled", "aggressive")
CELLS = ("noatm", "atm", "ptm")
AUTORATES = (None, "autorate-ingress")


def chosen(value: bytes, words: tuple[str | None, ...]) -> str | None:
    number = little(value)
    return words[number] if number < len(words) else "unknown"


def switch(value: bytes) -> bool:
    return bool(little(value))


CAKE_OPTIONS: Words = {
    2: ("bandwidth", lambda value: little(value) or "unlimited"),
    9: ("autorate", lambda value: chosen(value, AUTORATES)),
    3: ("diffserv", lambda value: chosen(value, DIFFSERV)),
    5: ("flowmode", lambda value: chosen(value, FLOW_MODES)),
    11: ("nat", switch),
    13: ("wash", switch),
    15: ("ingress", switch),
    16: ("ack-filter", lambda value: chosen(value, ACK_FILTERS)),
    17: ("split_gso", switch),
    7: ("rtt", little),
    12: ("raw", lambda value: True),
    4: ("atm", lambda value: chosen(value, CELLS)),
    6: ("overhead", signed),
    14: ("mpu", lambda value: little(value) or None),
    10: ("memlimit", lambda value: little(value) or None),
    18: ("fwmark", lambda value: f"{little(value):#x}" if little(value) else None),
}
CAKE_STATISTICS: Words = {
    4: ("memory_used", little),
    3: ("memory_limit", little),
    2: ("capacity_estimate", little),
    6: ("min_network_size", little),
    7: ("max_network_size", little),
    8: ("min_adj_size", little),
    9: ("max_adj_size", little),
    5: ("avg_hdr_offset", little),
    10: ("tins", lambda value: tins(value)),
    11: ("deficit", signed),
    12: ("count", little),
    13: ("dropping", little),
    14: ("drop_next", signed),
    15: ("blue_prob", little),
    16: ("blue_timer", signed),
}
TIN: Words = {
    number: (name, little)
    for number, name in {
        12: "threshold_rate", 3: "sent_bytes", 11: "backlog_bytes", 13: "target_us", 14: "interval_us",
        18: "peak_delay_us", 19: "avg_delay_us", 20: "base_delay_us", 2: "sent_packets", 15: "way_indirect_hits",
        16: "way_misses", 17: "way_collisions", 4: "drops", 8: "ecn_mark", 6: "ack_drops", 21: "sparse_flows",
        22: "bulk_flows", 23: "unresponsive_flows", 24: "max_pkt_len", 25: "flow_quantum",
    }.items()
}  # fmt: skip


def cake_statistics(value: bytes) -> Fields:
    return spelled(CAKE_STATISTICS, value)


def tins(value: bytes) -> list[Cell]:
    """One object per priority tin, in the kernel's order."""
    return [spelled(TIN, tin) for _, tin in attributes(value)]
