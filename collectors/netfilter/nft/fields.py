"""Which bits of a packet are which fields, as far as a rule has said what headers it has.

What stands here follows nft 1.0.6's own decisions (its proto_ctx), family by family.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft import headers
from collectors.netfilter.nft.constants import Constant, Right, SetReference, Term
from collectors.netfilter.nft.headers import LINK, NETWORK, TH, TRANSPORT, UNKNOWN, Header, above
from collectors.netfilter.nft.model import Context
from collectors.netfilter.nft.set_keys import lowest_type
from collectors.netfilter.nft.terms import Load, Payload
from collectors.wire.netlink import text as decoded

NFT_META_PROTOCOL, NFT_META_IIFTYPE, NFT_META_NFPROTO, NFT_META_L4PROTO = 1, 8, 15, 16


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


class Fields:
    """The headers that the matches so far leave, by layer."""

    def __init__(self, family: int) -> None:
        self.family = family
        self.start = headers.FAMILIES.get(family, UNKNOWN)
        self.headers: dict[int, Header] = {self.start.base: self.start}
        self.stacked: list[Header] = []
        self.icmp_type = 0

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
        if self.headers.get(TRANSPORT) in (headers.ICMP, headers.ICMPV6):
            self.icmp_type = reference.view.classified(lambda name: lowest_type(context.sets.get(decoded(name))))

    def addressed(self, load: Load) -> Load:
        """A flow's address or port, whose kind the packet's headers tell."""
        if load.base == TRANSPORT:
            return replace(load, data_type=types.INET_SERVICE) if TRANSPORT in self.headers else load
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


def with_word(said: str, word: str) -> str:
    lead, _, name = said.rpartition(" ")
    return f"{lead} {word} {name}"


def run(mask: int) -> int:
    """How many ones the mask has from its lowest bit on."""
    return ((mask + 1) & ~mask).bit_length() - 1
