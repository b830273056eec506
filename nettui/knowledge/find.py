"""Look-ups in the knowledge of counters, drivers' counters, drop reasons and places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module, util

from nettui.knowledge.entry import Counter, Pattern, Place, Reason
from nettui.knowledge.icmp import icmp_message

MODULES = (
    "devices", "drivers", "softnet", "qdiscs", "bridges", "netfilter", "conntrack", "neighbours", "ip", "icmp", "udp",
    "tcp", "tcp_listen", "tcp_retransmission", "tcp_memory", "tcp_checks", "mptcp", "sctp", "xfrm", "tls", "sockets",
    "reasons", "places",
)  # fmt: skip
ETHTOOL = "ethtool."


@cache
def entries() -> tuple[object, ...]:
    """Every entry of every module, as they stand."""
    found: list[object] = []
    for name in MODULES:
        if util.find_spec(f"nettui.knowledge.{name}"):
            module = import_module(f"nettui.knowledge.{name}")
            for value in vars(module).values():
                if isinstance(value, tuple) and value and isinstance(value[0], (Counter, Pattern, Reason, Place)):
                    found += value
    return tuple(found)


@cache
def counters() -> Mapping[str, Counter]:
    return {entry.name: entry for entry in entries() if isinstance(entry, Counter)}


@cache
def reasons() -> Mapping[str, Reason]:
    return {entry.name: entry for entry in entries() if isinstance(entry, Reason)}


@cache
def places() -> Mapping[str, Place]:
    return {entry.function: entry for entry in entries() if isinstance(entry, Place)}


@cache
def counter(name: str) -> Counter | None:
    """By the ledger's name; a driver's counter by the pattern that it matches, ICMP's by type by the type's number."""
    known = counters().get(name)
    if known is None and name.startswith(ETHTOOL):
        own = name.removeprefix(ETHTOOL)
        patterns = (entry for entry in entries() if isinstance(entry, Pattern))
        known = next((pattern.entry for pattern in patterns if re.fullmatch(pattern.names, own)), None)
    return known or icmp_message(name)


def reason(name: str) -> Reason | None:
    return reasons().get(name)


def place(function: str) -> Place | None:
    return places().get(function)


def layer_of(function: str) -> str:
    """The layer that a kernel function belongs to, "other" where nothing tells."""
    from nettui.knowledge import places

    return places.layer_of(function)
