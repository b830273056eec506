"""Look-ups in the knowledge of counters, drivers' counters, drop reasons and places, each imported when it is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nettui.knowledge.entry import Counter, Pattern, Place, Reason
    from nettui.knowledge.spelling import Found

# Modules of nettui.knowledge, each with its entries under its own name in capitals.
COUNTERS = (
    "devices", "softnet", "qdiscs", "bridges", "netfilter", "conntrack", "neighbours", "xfrm", "ip", "icmp", "udp",
    "tcp", "tcp_listen", "tcp_retransmission", "tcp_memory", "tcp_checks", "mptcp", "sctp", "tls", "sockets",
)  # fmt: skip
REASONS = (
    "reasons_any", "reasons_device", "reasons_queue", "reasons_tunnel", "reasons_ip", "reasons_neighbour",
    "reasons_socket", "reasons_tcp", "reasons_tcp_checks", "reasons_subsystems",
)  # fmt: skip
# reasons of unlike losses: the place says what it was
VAGUE = frozenset({"NOT_SPECIFIED", "NETFILTER_DROP", "UNHANDLED_PROTO"})
ETHTOOL = "ethtool."
REASON_PREFIX = "kfree_skb."
REMEMBERED = 4096  # names: those of drivers come from outside


def entries(module: str) -> tuple[Any, ...]:
    found: tuple[Any, ...] = getattr(import_module(f"nettui.knowledge.{module}"), module.upper())
    return found


@cache
def counters() -> Mapping[str, Counter]:
    """Every counter with a name of its own: not those of drivers, nor ICMP's by type."""
    return {entry.name: entry for module in COUNTERS for entry in entries(module)}


@cache
def reasons() -> Mapping[str, Reason]:
    return {entry.name: entry for module in REASONS for entry in entries(module)}


@cache
def places() -> Mapping[str, Place]:
    return {entry.function: entry for entry in entries("places")}


@cache
def patterns() -> tuple[tuple[re.Pattern[str], Pattern], ...]:
    from nettui.knowledge.drivers import PATTERNS

    return tuple((re.compile(pattern.names), pattern) for pattern in PATTERNS)


@lru_cache(REMEMBERED)
def counter(name: str, driver: str = "") -> Counter | None:
    """By the ledger's name; a driver's counter by the pattern that it matches, ICMP's by type by the type's number.

    Where several patterns match, the one written for ``driver`` is preferred.
    """
    known = counters().get(name)
    if known is None and name.startswith(ETHTOOL):
        return of_driver(name.removeprefix(ETHTOOL), driver)
    if known is None:
        from nettui.knowledge.icmp import icmp_message

        return icmp_message(name)
    return known


def of_driver(name: str, driver: str = "") -> Counter | None:
    """The entry of a name that `ethtool -S` prints."""
    matching = [pattern for names, pattern in patterns() if names.fullmatch(name)]
    matching.sort(key=lambda pattern: driver not in pattern.drivers)
    return matching[0].entry if matching else None


def reason(name: str) -> Reason | None:
    """By the running kernel's name or an earlier one; "mac80211.5" is one of the subsystem mac80211."""
    from nettui.knowledge.reasons_subsystems import OTHER_NAMES

    known = reasons()
    return known.get(OTHER_NAMES.get(name, name)) or known.get(name.partition(".")[0])


def place(function: str) -> Place | None:
    return places().get(function)


def found(text: str) -> list[Found]:
    """All that a name can mean, as whoever spells it: nstat, ip, ethtool, conntrack, the kernel; the likeliest first.

    One that names its group too ("Udp.InErrors", "TcpExtListenDrops") means that alone.
    """
    from nettui.knowledge.spelling import spelled

    return spelled(text)


def similar(text: str) -> list[str]:
    """Names to suggest for one that is not known."""
    from nettui.knowledge.spelling import similar

    return similar(text)


def layer_of(function: str) -> str:
    """The layer that a kernel function belongs to, "other" where nothing tells."""
    from nettui.knowledge import places

    return places.layer_of(function)
