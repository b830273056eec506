"""Matches that others imply: nft adds them to a rule before a field that needs them, and lists the rule without them.

What stands here follows nft 1.0.6's own decisions (its payload_dep_ctx), family by family.
"""

from __future__ import annotations

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft import headers, options
from collectors.netfilter.nft.constants import Constant, Range, SetReference
from collectors.netfilter.nft.fields import (
    NFT_META_L4PROTO,
    NFT_META_NFPROTO,
    NFT_META_PROTOCOL,
    Fields,
    Match,
)
from collectors.netfilter.nft.headers import INNER, LINK, NETWORK, NO_BASE, TRANSPORT, UNKNOWN
from collectors.netfilter.nft.terms import Load, Option, Payload

MIXED = (headers.NFPROTO_BRIDGE, headers.NFPROTO_NETDEV, headers.NFPROTO_INET)
ECHO = {headers.ICMP: (0, 8), headers.ICMPV6: (128, 129)}


class Implied:
    """The match of each layer that may yet turn out to be implied by one of a field above it."""

    def __init__(self, fields: Fields) -> None:
        self.fields, self.family = fields, fields.family
        self.matches: dict[int, Match] = {}
        self.icmp_type = 0

    def remember(self, match: Match, base: int) -> None:
        """A match on a protocol, which a match on a header of ``base`` + 1 makes superfluous."""
        if not self._echo(match):
            self.matches[base + 1] = match

    def _echo(self, match: Match) -> bool:
        """Whether the match is on an ICMP echo's type: request and reply share their fields."""
        left, right = match.left, match.right
        if not isinstance(left, Payload) or not isinstance(right, Constant) or right.bits != 8:
            return False
        if left.header not in ECHO:
            return False
        number = right.number()
        self.icmp_type = 8 if left.header is headers.ICMP and number == 0 else number
        return number in ECHO[left.header]

    def implication(self, base: int) -> Match | None:
        return self.matches.get(base) or (self.matches.get(INNER) if base == TRANSPORT else None)

    def release(self, base: int) -> None:
        """Leave the match out of the rule."""
        key = base if base in self.matches else INNER if base == TRANSPORT else NO_BASE
        if match := self.matches.pop(key, None):
            match.dropped = True

    def forget(self) -> None:
        """A statement with an effect stands between: what is before it is not implied by what follows."""
        self.matches.clear()
        self.icmp_type = 0

    def used(self, payload: Payload) -> None:
        """A field is matched, and with it what it implies."""
        match = self.implication(payload.base)
        if payload.header is not UNKNOWN and match and self._implies(payload, match):
            self.release(payload.base)

    def _implies(self, payload: Payload, match: Match) -> bool:
        lower = match.left
        if self.family in MIXED and isinstance(lower, Payload):
            if lower.base == NETWORK and lower.header in (headers.IP, headers.IP6) and payload.base == TRANSPORT:
                return False
            if match.equality and payload.base == lower.base:
                if payload.protocol:
                    return False
                if payload.base == LINK:
                    return implies_vlan(lower, match)
        if payload.base != TRANSPORT or not isinstance(lower, Payload) or lower.base != TRANSPORT:
            return True
        if lower.header in ECHO:
            wanted = payload.field.icmp_type if payload.field else None
            return wanted is not None and lower.header is payload.header and self.icmp_type == wanted
        return True

    def option_used(self, option: Option) -> None:
        transport = option.operation in (options.OP_TCPOPT, options.OP_SCTP)
        self.release(TRANSPORT if transport else NETWORK)

    def meta_used(self, match: Match, base: int) -> None:
        """A match on a packet's property: what it makes superfluous, and whether it may become so itself."""
        left = match.left
        if not isinstance(left, Load) or isinstance(match.right, Range | SetReference) or not match.equality:
            return
        self.fields.learn(match)
        if base < TRANSPORT:
            if base in self.matches and self._meta_implies(left, match):
                self.release(base)
            if left.protocol:
                self.remember(match, base)

    def _meta_implies(self, left: Load, match: Match) -> bool:
        lower = self.implication(NETWORK)
        family = network_family(lower) if lower else None
        if family is None:
            return True
        if self.family in (headers.NFPROTO_IPV4, headers.NFPROTO_IPV6):
            return family == self.family
        if self.family not in MIXED or (left.kind, left.key) != ("meta", NFT_META_L4PROTO):
            return True
        number = match.right.number() if isinstance(match.right, Constant) else None
        if number == headers.IPPROTO_ICMP:
            return family != headers.NFPROTO_IPV6
        return number == headers.IPPROTO_ICMPV6 and family != headers.NFPROTO_IPV4


def implies_vlan(lower: Payload, match: Match) -> bool:
    """``vlan id`` implies ``ether type 8021q`` and no other type."""
    if lower.header is headers.VLAN:
        return False
    if lower.header is headers.ETHER and isinstance(match.right, Constant) and match.right.bits == 16:
        return match.right.number() == headers.ETH_P_8021Q
    return True


def network_family(match: Match) -> int | None:
    """NFPROTO_* of the network layer that a match leaves, 0 for another protocol, None where it says nothing."""
    left, right = match.left, match.right
    if not isinstance(right, Constant):
        return None
    if isinstance(left, Load) and left.kind == "meta" and left.key == NFT_META_NFPROTO:
        return right.number()
    named = isinstance(left, Load) and left.kind == "meta" and left.key == NFT_META_PROTOCOL
    if named or (isinstance(left, Payload) and left.base == LINK and left.data_type == types.ETHERTYPE):
        families = {headers.ETH_P_IP: headers.NFPROTO_IPV4, headers.ETH_P_IPV6: headers.NFPROTO_IPV6}
        return families.get(right.number(), 0)
    return None
