"""What a rule plainly matches: single addresses, ports, devices; all else counts as unconstrained."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from collectors.values import HOST_PREFIX, IPV4, IPV6

# rules' word for a protocol -> conntrack's; others are not told apart
PROTOCOLS = {
    **{name: name for name in ("tcp", "udp", "udplite", "icmp", "icmpv6", "sctp", "dccp", "gre", "esp", "ah")},
    "ipv6-icmp": "icmpv6",
}
MOST_PORTS = 16  # of a set; a larger one is no filter to read


class Network(NamedTuple):
    """An address with its prefix length as values.Addresses stores it: 16 octets, form, prefix."""

    octets: bytes
    form: int
    prefix: int


@dataclass(slots=True)
class Plain:
    """Constraints that a packet surely meets where the rule matches; None: unconstrained.

    Of two that hold for one field, the first is kept: either is true.
    """

    proto: str | None = None
    src: Network | None = None
    dst: Network | None = None
    sport: list[int] | None = None
    dport: list[int] | None = None
    iif: str | None = None
    oif: str | None = None


@lru_cache(65536)
def network(text: str) -> Network | None:
    """``10.0.0.0/8``, ``fd00::1``; None for what is no address with a plain prefix length (ranges, masks, names)."""
    address, slash, length = text.partition("/")
    family, width, form = (socket.AF_INET6, 128, IPV6) if ":" in address else (socket.AF_INET, 32, IPV4)
    if slash and not (length.isascii() and length.isdigit() and int(length[:4]) <= width):
        return None
    try:
        octets = socket.inet_pton(family, address)
    except (OSError, ValueError):
        return None
    bits = int(length) if slash else width
    return Network(octets.ljust(16, b"\0"), form, HOST_PREFIX if bits == width else bits)


@lru_cache(65536)
def ports(text: str) -> list[int] | None:
    """The ports of a short list with commas; None when any of them is a range or a name."""
    texts = [text] if text.isdigit() else [part.strip() for part in text.split(",")]
    if len(texts) > MOST_PORTS or not all(part.isascii() and part.isdigit() and len(part) <= 5 for part in texts):
        return None
    return [int(part) for part in texts]
