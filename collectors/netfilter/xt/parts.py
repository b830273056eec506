"""What a rule says without any match: addresses, devices, protocol (iptables/xshared.c), and what targets end with."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from collectors.netfilter.nft.symbols import protocols
from collectors.netfilter.xt.fields import address, prefix_length
from collectors.wire.templates import Pieces, View, told_string

IFNAMSIZ = 16
IPV4_LENGTH = 4
# names that iptables has of its own, for hosts without /etc/protocols (libxtables, xtables_chain_protos)
OWN_NAMES = {
    1: "icmp", 6: "tcp", 17: "udp", 50: "esp", 51: "ah", 58: "ipv6-icmp", 132: "sctp", 135: "ipv6-mh", 136: "udplite",
}  # fmt: skip

# targets of the kernel after which no further rule is asked, in nft's words
VERDICTS = {
    "REJECT": "reject",
    "QUEUE": "queue",
    "NFQUEUE": "queue",
    "SNAT": "snat",
    "DNAT": "dnat",
    "MASQUERADE": "masquerade",
    "REDIRECT": "redirect",
    "NETMAP": "netmap",
    "TPROXY": "tproxy",
}


def flag(letter: str, inverted: object) -> str:
    return f"{' !' if inverted else ''} -{letter}"


def addressed(letter: str, value: View, mask: bytes, inverted: object, family: int) -> Pieces:
    """-s or -d; ``value`` may be shorter than ``mask``: what a prefix leaves out."""
    length = prefix_length(mask, family)
    said = address(mask, family) if length is None else str(length)
    if len(value) == IPV4_LENGTH == len(mask):
        return f"{flag(letter, inverted)} ", value.hole(socket.inet_ntoa), f"/{said}"
    padded = value.hole(lambda octets: address(octets.ljust(len(mask), b"\0"), family))
    return f"{flag(letter, inverted)} ", padded, f"/{said}"


def device(letter: str, name: View, tell: Callable[[bytes], str], inverted: object) -> Pieces:
    """-i or -o."""
    return f"{flag(letter, inverted)} ", name.hole(tell)


def protocol(number: int, inverted: object) -> str:
    """-p; no protocol for 0, which stands for every one."""
    if not number:
        return ""
    return f"{flag('p', inverted)} {protocols().get(number) or OWN_NAMES.get(number) or number}"


def fragment(inverted: object) -> str:
    return flag("f", inverted)


def remark(name: str, data: View) -> Pieces:
    """The text of a comment match (struct xt_comment_info { char comment[256]; }), of any other match nothing."""
    return (data.hole(told_string),) if name == "comment" else ()


def joined(parts: Sequence[Pieces]) -> Pieces:
    """Options one after the other, each with its space before it."""
    return [piece for part in parts for piece in part if piece != ""]
