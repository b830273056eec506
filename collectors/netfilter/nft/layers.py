"""What a rule has said of a packet's headers so far: which bits are which fields, and which matches are implied.

nft adds a match on the protocol before each field that needs one, and leaves it out again when it lists the rule.
What stands here follows nft 1.0.6's own decisions (its proto_ctx and payload_dep_ctx), family by family.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft import headers, options
from collectors.netfilter.nft.headers import INNER, LINK, NETWORK, NO_BASE, TH, TRANSPORT, UNKNOWN, Header, above
from collectors.netfilter.nft.model import NFT_SET_ANONYMOUS, Context
from collectors.netfilter.nft.set_keys import lowest_key
from collectors.netfilter.nft.terms import (
    Constant,
    Flags,
    Load,
    Option,
    Payload,
    Prefix,
    Range,
    SetReference,
    Term,
    Values,
)

NFT_META_PROTOCOL, NFT_META_IIFTYPE, NFT_META_NFPROTO, NFT_META_L4PROTO = 1, 8, 15, 16
MIXED = (headers.NFPROTO_BRIDGE, headers.NFPROTO_NETDEV, headers.NFPROTO_INET)
ECHO = {headers.ICMP: (0, 8), headers.ICMPV6: (128, 129)}


@dataclass(frozen=True, slots=True)
class Masked:
    """Flags that are looked for among others: ``syn / syn,ack``."""

    flags: Flags
    mask: Flags


Right = Constant | Prefix | Range | Flags | Masked | SetReference | Values


@dataclass(slots=True, eq=False)
class Match:
    """``operator``: as nft writes it; "" where ``==`` is only implied. ``dropped``: another match says it too."""

    left: Term
    operator: str
    right: Right
    dropped: bool = False

    @property
    def equality(self) -> bool:
        return self.operator == "=="


def raw(base: int, offset: int, bits: int) -> Payload:
    """Bits of which only their place is known; ports stand at the same place in every transport header."""
    if base == TRANSPORT and bits == 16:
        for field in TH.fields:
            if field.offset == offset:
                return Payload(base, offset, bits, TH, field)
    return Payload(base, offset, bits)


class Layers:
    """The headers that the matches so far imply, and the match that may yet turn out to be implied, by layer."""

    def __init__(self, family: int) -> None:
        self.family = family
        self.start = headers.FAMILIES.get(family, UNKNOWN)
        self.headers: dict[int, Header] = {self.start.base: self.start}
        self.stacked: list[Header] = []
        self.icmp_type = 0
        self.implied: dict[int, Match] = {}
        self.implied_icmp_type = 0

    # fields

    def at(self, payload: Payload) -> tuple[Header | None, int]:
        """The header that holds these bits, and the bits of those that it is stacked upon."""
        top = self.headers.get(payload.base)
        if top is None or payload.base != LINK or payload.offset < top.bits:
            return top, 0
        before = 0
        for header in self.stacked:
            if payload.offset - before < header.bits:
                return header, before
            before += header.bits
        return top, before

    def fits(self, field: headers.Field) -> bool:
        return field.icmp_type is None or self.icmp_type in (0, field.icmp_type)

    def complete(self, payload: Payload) -> Payload:
        """The payload as exactly one field, or as it is."""
        header, before = self.at(payload)
        if header is None:
            return payload
        for field in header.fields:
            if (field.offset, field.bits) == (payload.offset - before, payload.bits) and self.fits(field):
                return replace(payload, header=header, field=field)
        return payload

    def trimmed(self, payload: Payload, mask: int) -> tuple[Payload, int] | None:
        """The fields that a mask selects and the bits below them; None where it selects none."""
        header, before = self.at(payload)
        if header is None or not mask:
            return None
        low = (mask & -mask).bit_length() - 1
        high = low + run(mask >> low)
        skipped = (payload.bits + 7) // 8 * 8 - high
        at, left, taken = payload.offset - before + skipped, payload.bits, 0
        for field in header.fields:
            if field.offset != at:
                continue
            if field.bits >= left:
                return None
            left, at, taken = left - field.bits, at + field.bits, taken + field.bits
            if low + taken == high:
                return Payload(payload.base, payload.offset + skipped, taken), low
        return None

    def expanded(self, payload: Payload) -> list[Payload]:
        """Adjacent fields that were loaded together, each for itself; the last one may be a field's first bits."""
        found: list[Payload] = []
        header, before = self.at(payload)
        at, left = payload.offset - before, payload.bits
        for field in header.fields if header else ():
            if field.offset != at or not self.fits(field):
                continue
            bits = min(field.bits, left)
            found.append(Payload(payload.base, at + before, bits, header or UNKNOWN, field))
            at, left = at + bits, left - bits
            if not left:
                return found
        return [*found, raw(payload.base, at, left)]

    # what a match says of the headers

    def learn(self, match: Match) -> None:
        """Note which protocol a match on a protocol's field leaves."""
        left = match.left
        if not isinstance(match.right, Constant):
            return
        if isinstance(left, Payload) and left.protocol:
            self._learn_payload(left, match.right.number())
        elif isinstance(left, Load) and left.kind == "meta" and left.protocol:
            self._learn_meta(left, match.right.number())
        elif isinstance(left, Load) and left.kind == "ct" and left.protocol:
            lower = self.headers.get(left.base)
            if lower and (upper := above(lower, match.right.number())):
                self.headers[left.base + 1] = upper

    def _learn_payload(self, left: Payload, number: int) -> None:
        lower = self.headers.get(left.base, UNKNOWN)
        upper = above(lower, number)
        if upper is None:
            if lower is headers.ICMP:
                self.icmp_type = number or 8
            elif lower is headers.ICMPV6:
                self.icmp_type = 128 if number == 129 else number
            return
        if upper.base == lower.base == LINK:
            self.stacked.append(lower)
        self.headers[upper.base] = upper

    def is_stacked(self, match: Match) -> bool:
        """Whether a match on a protocol announces a header of the same layer."""
        left = match.left
        if not isinstance(left, Payload) or not left.protocol or not isinstance(match.right, Constant):
            return False
        here = self.headers.get(left.base, UNKNOWN)
        upper = above(here, match.right.number())
        return upper is not None and upper.base == here.base

    def learn_icmp(self, payload: Payload, reference: SetReference, context: Context) -> None:
        """A lookup of an ICMP type: the first of an anonymous set says which fields may follow."""
        if (payload.base, payload.offset, payload.bits) != (TRANSPORT, 0, 8) or self.icmp_type:
            return
        if self.headers.get(TRANSPORT) not in ECHO or (found := reference.found(context)) is None:
            return
        first = lowest_key(found)
        if found.flags & NFT_SET_ANONYMOUS and first is not None and len(first) == 1:
            self.icmp_type = first[0]

    def addressed(self, load: Load) -> Load:
        """A flow's address, whose kind the network layer tells."""
        network = self.headers.get(NETWORK)
        if network is headers.IP:
            return replace(load, said=with_word(load.said, "ip"), data_type=types.IPADDR, bits=32)
        if network is headers.IP6:
            return replace(load, said=with_word(load.said, "ip6"), data_type=types.IP6ADDR, bits=128)
        return load

    def _learn_meta(self, left: Load, number: int) -> None:
        if left.key == NFT_META_IIFTYPE:
            if self.family != headers.NFPROTO_BRIDGE:
                self.headers[LINK] = headers.ETHER if number == headers.ARPHRD_ETHER else UNKNOWN
        elif left.key == NFT_META_NFPROTO:
            own = self.start if number == self.family and self.start.base == NETWORK else UNKNOWN
            self.headers[NETWORK] = above(self.start, number) or own
        elif left.key == NFT_META_L4PROTO:
            self.headers[TRANSPORT] = headers.HEADERS.get(headers.TRANSPORTS.get(number, ""), UNKNOWN)
        elif left.key == NFT_META_PROTOCOL and self.family in (headers.NFPROTO_NETDEV, headers.NFPROTO_BRIDGE):
            self.headers[NETWORK] = above(self.start, number) or UNKNOWN

    # matches that others imply

    def remember(self, match: Match, base: int) -> None:
        """A match on a protocol, which a match on a header of ``base`` + 1 makes superfluous."""
        if not self._echo(match):
            self.implied[base + 1] = match

    def _echo(self, match: Match) -> bool:
        """Whether the match is on an ICMP echo's type: request and reply share their fields."""
        left, right = match.left, match.right
        if not isinstance(left, Payload) or not isinstance(right, Constant) or right.bits != 8:
            return False
        if left.header not in ECHO:
            return False
        number = right.number()
        self.implied_icmp_type = 8 if left.header is headers.ICMP and number == 0 else number
        return number in ECHO[left.header]

    def implication(self, base: int) -> Match | None:
        return self.implied.get(base) or (self.implied.get(INNER) if base == TRANSPORT else None)

    def release(self, base: int) -> None:
        """Leave the match out of the rule."""
        key = base if base in self.implied else INNER if base == TRANSPORT else NO_BASE
        if match := self.implied.pop(key, None):
            match.dropped = True

    def forget(self) -> None:
        """A statement with an effect stands between: what is before it is not implied by what follows."""
        self.implied.clear()
        self.implied_icmp_type = 0

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
            return wanted is not None and lower.header is payload.header and self.implied_icmp_type == wanted
        return True

    def option_used(self, option: Option) -> None:
        transport = option.operation in (options.OP_TCPOPT, options.OP_SCTP)
        self.release(TRANSPORT if transport else NETWORK)

    def meta_used(self, match: Match, base: int) -> None:
        """A match on a packet's property: what it makes superfluous, and whether it may become so itself."""
        left = match.left
        if not isinstance(left, Load) or isinstance(match.right, Range | SetReference) or not match.equality:
            return
        self.learn(match)
        if base < TRANSPORT:
            if base in self.implied and self._meta_implies(left, match):
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


def with_word(said: str, word: str) -> str:
    lead, _, name = said.rpartition(" ")
    return f"{lead} {word} {name}"


def run(mask: int) -> int:
    """How many ones the mask has from its lowest bit on."""
    return ((mask + 1) & ~mask).bit_length() - 1
