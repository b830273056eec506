"""What a rule plainly matches: single addresses, ports, devices; all else counts as unconstrained."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from collectors.values import HOST_PREFIX, IPV4, IPV6

# rules' word for a protocol -> conntrack's; others are not told apart
PROTOCOLS = {
    **{name: name for name in ("tcp", "udp", "udplite", "icmp", "icmpv6", "sctp", "dccp", "gre", "esp", "ah")},
    "ipv6-icmp": "icmpv6",
}
MOST_PORTS = 16  # of a set; a larger one is no filter to read


@dataclass(frozen=True, slots=True)
class Network:
    """An address with its prefix length as values.Addresses stores it: 16 octets, form, prefix."""

    octets: bytes = bytes(16)
    form: int = 0
    prefix: int = HOST_PREFIX


ANY = Network()


@dataclass(slots=True)
class Plain:
    """Constraints that a packet surely meets where the rule matches; None, ANY or no ports: unconstrained."""

    proto: str | None = None
    src: Network = ANY
    dst: Network = ANY
    sport: list[int] = field(default_factory=list)
    dport: list[int] = field(default_factory=list)
    iif: str | None = None
    oif: str | None = None

    def narrow(self, name: str, value: Network | Sequence[int] | str | None) -> None:
        """Take a constraint unless there is one already: of two that hold both, either is true."""
        if value and getattr(self, name) in (None, ANY, []):
            setattr(self, name, value)


def network(text: str) -> Network:
    """``10.0.0.0/8``, ``fd00::1``; ANY for what is no address with a plain prefix length (ranges, masks, names)."""
    address, slash, length = text.partition("/")
    family, width, form = (socket.AF_INET6, 128, IPV6) if ":" in address else (socket.AF_INET, 32, IPV4)
    if slash and not (length.isascii() and length.isdigit() and int(length[:4]) <= width):
        return ANY
    try:
        octets = socket.inet_pton(family, address)
    except (OSError, ValueError):
        return ANY
    bits = int(length) if slash else width
    return Network(octets.ljust(16, b"\0"), form, HOST_PREFIX if bits == width else bits)


def ports(texts: Sequence[str]) -> list[int]:
    """The ports of a short list; none when any of them is a range or a name."""
    if len(texts) > MOST_PORTS or not all(text.isascii() and text.isdigit() and len(text) <= 5 for text in texts):
        return []
    return [int(text) for text in texts]
