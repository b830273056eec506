"""What ctnetlink can filter a dump of conntrack entries by: family, mark, zone and status bits.

Every kernel looks at the family, most at the mark, those since 5.15 at status bits, those since 6.8 at zones; an older
one ignores the attribute and dumps all (net/netfilter/nf_conntrack_netlink.c, ctnetlink_alloc_filter). So this only
spares work: who asks filters the rows in any case.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from collectors.collector import Equalities
from collectors.netfilter.conntrack.entries import CTA_MARK, CTA_MARK_MASK, CTA_STATUS, CTA_STATUS_MASK, CTA_ZONE
from collectors.netfilter.conntrack.words import FAMILIES, STATUS
from collectors.netfilter.nfnetlink import NFPROTO_UNSPEC
from collectors.wire.netlink import attribute

FAMILY_NUMBERS = {name: number for number, name in FAMILIES.items()}
STATUS_WORDS = {name.casefold(): bit for name, bit in STATUS.items()}


def request(equalities: Equalities) -> tuple[int, bytes]:
    """The family and the attributes that ask for no more than the rows with these equalities, as far as can be."""
    family, mark, zone, bits = NFPROTO_UNSPEC, b"", b"", 0
    for column, value in equalities:
        if isinstance(value, frozenset):
            if column == "family":
                family = only(value, FAMILY_NUMBERS) or family
            elif column == "status":
                bits |= only(value, STATUS_WORDS)
        elif column == "mark" and 0 <= value <= 0xFFFFFFFF:
            mark = masked(CTA_MARK, CTA_MARK_MASK, value, 0xFFFFFFFF)
        elif column == "zone" and 0 < value <= 0xFFFF:  # 0 is the default zone, which no row tells
            zone = attribute(CTA_ZONE, struct.pack(">H", value))
    return family, mark + zone + (masked(CTA_STATUS, CTA_STATUS_MASK, bits, bits) if bits else b"")


def only(words: frozenset[str], numbers: Mapping[str, int]) -> int:
    """The number of the one word that is known among them; 0 where there is none, or several, or a plain number."""
    known = [numbers[word] for word in words if word in numbers]
    return known[0] if len(known) == 1 and not any(word[:1].isdigit() for word in words) else 0


def masked(number: int, mask_number: int, value: int, mask: int) -> bytes:
    """A value and its mask, which older kernels take only together."""
    return attribute(number, struct.pack(">I", value)) + attribute(mask_number, struct.pack(">I", mask))
