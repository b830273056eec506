"""Reading nf_tables over nfnetlink: every dump that a ruleset is made of, in one generation."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import ClassVar

from collectors.collector import Block
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.nfnetlink import NFTABLES
from collectors.netfilter.nft.chains import objects
from collectors.netfilter.nft.model import NFT_SET_ANONYMOUS, NftSet
from collectors.netfilter.nft.payloads import number
from collectors.netfilter.nft.set_messages import decode_sets, read_elements
from collectors.netfilter.nft.uapi import (
    NFT_MSG_GETCHAIN,
    NFT_MSG_GETGEN,
    NFT_MSG_GETRULE,
    NFT_MSG_GETSET,
    NFT_MSG_GETTABLE,
    NFT_MSG_NEWCHAIN,
    NFT_MSG_NEWRULE,
    NFT_MSG_NEWSET,
    NFT_MSG_NEWTABLE,
)
from collectors.netlink.dump import NETLINK_ROUTE, dump
from collectors.table import Gap
from collectors.wire.netlink import DecodeError, Messages, NetlinkError, attribute, attribute_map, messages, text

NFTA_GEN_ID = 1
DUMPS = {
    "tables": (NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE),
    "chains": (NFT_MSG_GETCHAIN, NFT_MSG_NEWCHAIN),
    "sets": (NFT_MSG_GETSET, NFT_MSG_NEWSET),
    "rules": (NFT_MSG_GETRULE, NFT_MSG_NEWRULE),
}
# names of expressions that have a state, in an element too
MOVING = (b"counter\0", b"quota\0", b"limit\0", b"last\0", b"connlimit\0")
SO_NETNS_COOKIE = 71
# uapi linux/rtnetlink.h and if_link.h: names of devices without their statistics
RTM_NEWLINK, RTM_GETLINK = 16, 18
IFLA_IFNAME, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS = 3, 29, 1 << 3


def read(host: Host) -> Iterator[Block | Gap]:
    """Blocks of every dump between two readings of the generation's number; a Gap where there is no nf_tables."""
    if gap := nfnetlink.absence(host, NFTABLES):
        yield gap
        return
    try:
        began = generation(host)
    except NetlinkError as error:
        if error.errno not in nfnetlink.UNSERVED:
            raise
        yield Gap("this kernel has no nf_tables", "rules of nft and iptables-nft cannot be loaded here either")
        return
    yield began
    for part in ("tables", "chains"):
        yield from listed(host, part)
    yield from Sets.of(host, generation_number(messages(began.data)))
    yield from devices(host)
    yield from listed(host, "rules")
    yield generation(host)


def listed(host: Host, part: str) -> Iterator[Block]:
    yield from nfnetlink.dump_of(host, NFTABLES, DUMPS[part][0], part=part)


def kind(message: int) -> int:
    return nfnetlink.kind(NFTABLES, message)


def generation(host: Host) -> Block:
    """The number of the ruleset's generation, which every change increments."""
    found = nfnetlink.one(host, NFTABLES, NFT_MSG_GETGEN)
    return Block("generation", found.data[found.offsets[0] : found.offsets[0] + found.lengths[0]].tobytes())


class Sets:
    """Sets, and elements of the anonymous ones: as rules refer to them, the same in all of a ruleset's generation."""

    _known: ClassVar[dict[int, tuple[int, tuple[Block, ...]]]] = {}  # by namespace: generation and blocks

    @classmethod
    def of(cls, host: Host, number: int) -> tuple[Block, ...]:
        """Read, or as they were in this generation of this namespace's ruleset."""
        namespace = cookie(host)
        known = cls._known.get(namespace) if namespace else None
        if known and known[0] == number:
            return known[1]
        blocks = tuple(read_sets(host))
        if namespace and not any(moving(block) for block in blocks):
            cls._known = {namespace: (number, blocks)}
        return blocks


def moving(block: Block) -> bool:
    """Whether elements have counters or limits of their own, which go on without a new generation."""
    return block.part == "elements" and any(word in block.data for word in MOVING)


def read_sets(host: Host) -> Iterator[Block]:
    anonymous: list[NftSet] = []
    for block in listed(host, "sets"):
        found = decode_sets(of(messages(block.data), NFT_MSG_NEWSET))
        anonymous += [entry for entry in found if entry.flags & NFT_SET_ANONYMOUS]
        yield Block("sets", bytes(block.data))
    yield from read_elements(host, anonymous)


def cookie(host: Host) -> int:
    """A number that no other namespace has had since the kernel started, 0 where it tells none (before Linux 5.14)."""
    try:
        with host.socket(socket.SOCK_DGRAM, 0, socket.AF_UNIX) as sock:
            return int(struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8))[0])
    except OSError:
        return 0


def devices(host: Host) -> Iterator[Block]:
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_SKIP_STATS))
    yield from dump(host, NETLINK_ROUTE, RTM_GETLINK, body, "devices")


def of(part: Messages, answer: int) -> Messages:
    return part.of(kind(answer))


def generation_number(part: Messages) -> int:
    for _, found in objects(part):
        return number(found, NFTA_GEN_ID)
    raise DecodeError(0, "no generation")


def device_names(links: Messages) -> Iterator[tuple[int, str]]:
    """ifindex and name of each RTM_NEWLINK (struct ifinfomsg: the index is at 4)."""
    for offset, length in zip(links.offsets.tolist(), links.lengths.tolist(), strict=True):
        body = links.data[offset + 16 : offset + length].tobytes()
        if len(body) < 16:
            raise DecodeError(offset, f"message of {length} bytes, ifinfomsg needs 32")
        yield struct.unpack_from("=i", body, 4)[0], text(attribute_map(body[16:]).get(IFLA_IFNAME, b""))
