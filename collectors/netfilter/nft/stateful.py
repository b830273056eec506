"""Counters, quotas and limits as nft writes them, of a set's element and of a named object alike.

uapi linux/netfilter/nf_tables.h, enum nft_counter_attributes, nft_quota_attributes, nft_limit_attributes, …
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from collectors.netfilter.nft.datatypes import milliseconds
from collectors.netfilter.nft.payloads import number
from collectors.netfilter.nft.uapi import NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS, NFTA_EXPR_DATA, NFTA_EXPR_NAME
from collectors.wire.netlink import attribute_map, text

NFTA_QUOTA_BYTES, NFTA_QUOTA_FLAGS, NFTA_QUOTA_CONSUMED = 1, 2, 4
NFTA_LIMIT_RATE, NFTA_LIMIT_UNIT, NFTA_LIMIT_BURST, NFTA_LIMIT_TYPE, NFTA_LIMIT_FLAGS = 1, 2, 3, 4, 5
NFTA_CONNLIMIT_COUNT, NFTA_CONNLIMIT_FLAGS = 1, 2
NFTA_LAST_SET, NFTA_LAST_MSECS = 1, 2
INVERTED = 1  # NFT_QUOTA_F_INV, NFT_LIMIT_F_INV, NFT_CONNLIMIT_F_INV
NFT_LIMIT_PKT_BYTES = 1
USUAL_BURST = 5  # packets, which nft does not write
UNITS = {1: "second", 60: "minute", 3600: "hour", 86400: "day", 604800: "week"}
SIZES = ("bytes", "kbytes", "mbytes")

Found = Mapping[int, bytes]


class Stateful(NamedTuple):
    """``text``: the statement; packets and bytes of a counter, bytes of a quota that are used up."""

    text: str
    packets: int | None = None
    bytes: int | None = None


def stateful(payload: bytes) -> Stateful:
    """One expression { NFTA_EXPR_NAME, NFTA_EXPR_DATA }; one that is not known as ``[expr NAME]``."""
    found = attribute_map(payload)
    name, data = text(found.get(NFTA_EXPR_NAME, b"")), attribute_map(found.get(NFTA_EXPR_DATA, b""))
    if name == "counter":
        packets, octets = number(data, NFTA_COUNTER_PACKETS), number(data, NFTA_COUNTER_BYTES)
        return Stateful(f"counter packets {packets} bytes {octets}", packets, octets)
    tell = TOLD.get(name)
    return Stateful(tell(data) if tell else f"[expr {name}]")


def declared(payload: bytes) -> str:
    """What a set's declaration says that each of its elements has: the statement without what it has counted."""
    return "counter" if text(attribute_map(payload).get(NFTA_EXPR_NAME, b"")) == "counter" else stateful(payload).text


def statements(payloads: Sequence[bytes]) -> Stateful:
    """Several as one, with what the counter among them counted."""
    if not payloads:
        return Stateful("")
    told = [stateful(payload) for payload in payloads]
    counted = next((one for one in told if one.packets is not None), told[0])
    return Stateful(" ".join([one.text for one in told]), counted.packets, counted.bytes)


def quota(data: Found) -> str:
    over = "over " if number(data, NFTA_QUOTA_FLAGS) & INVERTED else ""
    used = number(data, NFTA_QUOTA_CONSUMED)
    return f"{over}{octets(number(data, NFTA_QUOTA_BYTES))}" + (f" used {octets(used)}" if used else "")


def limit(data: Found) -> str:
    over = "over " if number(data, NFTA_LIMIT_FLAGS) & INVERTED else ""
    rate, burst, seconds = (number(data, name) for name in (NFTA_LIMIT_RATE, NFTA_LIMIT_BURST, NFTA_LIMIT_UNIT))
    unit = UNITS.get(seconds, "error")
    if number(data, NFTA_LIMIT_TYPE) == NFT_LIMIT_PKT_BYTES:
        return f"rate {over}{octets(rate)}/{unit}" + (f" burst {octets(burst)}" if burst else "")
    return f"rate {over}{rate}/{unit}" + (f" burst {burst} packets" if burst not in (0, USUAL_BURST) else "")


def connections(data: Found) -> str:
    over = "over " if number(data, NFTA_CONNLIMIT_FLAGS) & INVERTED else ""
    return f"ct count {over}{number(data, NFTA_CONNLIMIT_COUNT)}"


def last(data: Found) -> str:
    if not number(data, NFTA_LAST_SET):
        return "last used never"
    return f"last used {milliseconds(number(data, NFTA_LAST_MSECS))}"


def octets(count: int) -> str:
    """In the largest unit that divides it."""
    size = 0
    while size < len(SIZES) - 1 and count and count % 1024 == 0:
        count, size = count // 1024, size + 1
    return f"{count} {SIZES[size]}"


TOLD: Mapping[str, Callable[[Found], str]] = {
    "quota": lambda data: f"quota {quota(data)}",
    "limit": lambda data: f"limit {limit(data)}",
    "connlimit": connections,
    "last": last,
}
