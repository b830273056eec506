"""Names of links: taken out of their messages, which then have few lengths; and the words of ip for link numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.netlink.names import NameBits
from collectors.wire.netlink import NLA_TYPE_MASK, DecodeError, Messages, text

IFLA_IFNAME = 3
IFNAMSIZ = 16
HEADER = 32  # nlmsghdr and ifinfomsg

# uapi linux/if_arp.h ARPHRD_* by the words of ip (lib/ll_types.c)
ARPHRD = {
    0: "generic", 1: "ether", 2: "eether", 3: "ax25", 4: "pronet", 5: "chaos", 6: "ieee802", 7: "arcnet", 8: "atalk",
    15: "dlci", 19: "atm", 23: "metricom", 24: "ieee1394", 32: "infiniband", 256: "slip", 257: "cslip", 258: "slip6",
    259: "cslip6", 260: "rsrvd", 264: "adapt", 270: "rose", 271: "x25", 272: "hwx25", 280: "can", 512: "ppp",
    513: "hdlc", 516: "lapb", 517: "ddcmp", 518: "rawhdlc", 768: "ipip", 769: "tunnel6", 770: "frad", 771: "skip",
    772: "loopback", 773: "ltalk", 774: "fddi", 775: "bif", 776: "sit", 777: "ip/ddp", 778: "gre", 779: "pimreg",
    780: "hippi", 781: "ash", 782: "econet", 783: "irda", 784: "fcpp", 785: "fcal", 786: "fcpl",
    **{787 + number: f"fcfb{number}" for number in range(13)},
    800: "tr", 801: "ieee802.11", 802: "ieee802.11/prism", 803: "ieee802.11/radiotap", 804: "ieee802.15.4",
    805: "ieee802.15.4/monitor", 820: "phonet", 821: "phonet_pipe", 822: "caif", 823: "gre6", 824: "netlink",
    825: "6lowpan", 65534: "none", 65535: "void",
}  # fmt: skip
IPV4_LINKS, IPV6_LINKS = (768, 776, 778), (769, 823)  # whose link-layer address is an IP address

OPERSTATES = ("UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP")
LINK_MODES = ("DEFAULT", "DORMANT", "TESTING")
ADDRESS_MODES = ("eui64", "none", "stable_secret", "random")

# uapi linux/if.h IFF_*, in ip's order; IFF_RUNNING shows only by its absence
IFF_UP, IFF_RUNNING = 0x1, 0x40
FLAGS = NameBits(
    {
        0x8: "LOOPBACK", 0x2: "BROADCAST", 0x10: "POINTOPOINT", 0x1000: "MULTICAST", 0x80: "NOARP", 0x200: "ALLMULTI",
        0x100: "PROMISC", 0x400: "MASTER", 0x800: "SLAVE", 0x4: "DEBUG", 0x8000: "DYNAMIC", 0x4000: "AUTOMEDIA",
        0x2000: "PORTSEL", 0x20: "NOTRAILERS", 0x1: "UP", 0x10000: "LOWER_UP", 0x20000: "DORMANT", 0x40000: "ECHO",
    }
)  # fmt: skip
LOWER_DOWN = 1 << 32  # not the kernel's: the link below is down


def link_flags(bits: int) -> list[str]:
    words = [word.removeprefix("0x") for word in FLAGS(bits & 0xFFFFFFFF & ~IFF_RUNNING)]
    carrier = ["NO-CARRIER"] if bits & IFF_UP and not bits & IFF_RUNNING else []
    return [*carrier, *words, *(["M-DOWN"] if bits & LOWER_DOWN else [])]


def link_type(number: int) -> str:
    return ARPHRD.get(number, f"[{number}]")


def operstate(number: int) -> str:
    return OPERSTATES[number] if number < len(OPERSTATES) else str(number)


def link_mode(number: int) -> str:
    return LINK_MODES[number] if number < len(LINK_MODES) else str(number)


def address_mode(number: int) -> str:
    return ADDRESS_MODES[number] if number < len(ADDRESS_MODES) else f"{number:#04x}"


def part_names(messages: Messages) -> tuple[Messages, NDArray[np.intp], list[str | None]]:
    """Messages without their IFLA_IFNAME, sorted by length; which message each was; and the names, in first order.

    The name is the first attribute of a link message, and would give every length of a name a shape of its own. A
    message whose first attribute is another one stays whole, and has no name here.
    """
    offsets, lengths = messages.offsets, messages.lengths.astype(np.intp)
    if (lengths < HEADER).any():
        row = int((lengths < HEADER).argmax())
        raise DecodeError(int(offsets[row]), f"link message of {lengths[row]} bytes")
    sizes, found = leading_names(messages)
    cuts = (sizes + 3) & ~3
    order = np.lexsort((cuts, lengths - cuts))
    return without(messages, order, cuts[order], (lengths - cuts)[order]), order, found


def leading_names(messages: Messages, start: int = HEADER) -> tuple[NDArray[np.intp], list[str | None]]:
    """nla_len of the IFLA_IFNAME at ``start`` of each message, 0 where something else stands there; and the names."""
    sizes = name_sizes(messages, messages.lengths.astype(np.intp), start)
    raw, starts = messages.data.data, messages.offsets + start + 4
    found = [
        text(bytes(raw[at : at + size - 4])) if size else None
        for at, size in zip(starts.tolist(), sizes.tolist(), strict=True)
    ]
    return sizes, found


def name_sizes(messages: Messages, lengths: NDArray[np.intp], start: int) -> NDArray[np.intp]:
    halves = messages.data.view(np.uint16)
    head = np.where(lengths >= start + 4, (messages.offsets + start) >> 1, 0)
    sizes, kinds = halves[head].astype(np.intp), halves[head + 1] & NLA_TYPE_MASK
    fits = (lengths >= start + 4) & (sizes > 4) & (sizes <= 4 + IFNAMSIZ) & (start + ((sizes + 3) & ~3) <= lengths)
    return np.where(fits & (kinds == IFLA_IFNAME), sizes, 0)


def without(messages: Messages, order: NDArray[np.intp], cuts: NDArray[np.intp], lengths: NDArray[np.intp]) -> Messages:
    """The messages in ``order``, copied into one buffer, each less the ``cuts`` bytes behind its header."""
    strides = (lengths + 3) & ~3
    offsets = np.concatenate([np.zeros(1, np.intp), np.cumsum(strides)])
    buffer = np.empty(int(offsets[-1]), np.uint8)
    target, source = buffer.data, messages.data.data
    sources = messages.offsets[order]
    for to, end, at, cut in zip(offsets.tolist(), offsets[1:].tolist(), sources.tolist(), cuts.tolist(), strict=False):
        target[to : to + HEADER] = source[at : at + HEADER]
        target[to + HEADER : end] = source[at + cut + HEADER : at + cut + end - to]
    return Messages(buffer, offsets[:-1], lengths.astype(np.uint32), messages.types[order], messages.flags[order])
