"""Reading nf_tables over nfnetlink: every dump that a ruleset is made of, in one generation."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from collectors.collector import Block
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.nfnetlink import NFTABLES
from collectors.netfilter.nft import rule_requests
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
    NFT_MSG_NEWSET,
)
from collectors.netlink.dump import MOST, NETLINK_ROUTE, ask, dump, dumps, open_netlink
from collectors.netlink.receiving import Receiver
from collectors.table import Gap
from collectors.wire.netlink import DecodeError, Messages, NetlinkError, attribute, attributes, messages, text

NFTA_GEN_ID = 1
DUMPS = {"tables": NFT_MSG_GETTABLE, "chains": NFT_MSG_GETCHAIN, "sets": NFT_MSG_GETSET}
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
    with open_netlink(host, nfnetlink.NETLINK_NETFILTER) as sock:
        try:
            began = generation(sock)
        except NetlinkError as error:
            if error.errno not in nfnetlink.UNSERVED:
                raise
            yield Gap("this kernel has no nf_tables", "rules of nft and iptables-nft cannot be loaded here either")
            return
        yield began
        yield from ruleset(host, sock, generation_number(messages(began.data)))
        yield generation(sock)


def ruleset(host: Host, sock: socket.socket, number: int) -> Iterator[Block]:
    receiver = Receiver(MOST)
    yield from listed(sock, "tables", receiver)
    chains = list(listed(sock, "chains", receiver))
    yield from chains
    yield from Sets.of(host, sock, number)
    yield from devices(host)
    found = of(messages(np.concatenate([block.data for block in chains])), NFT_MSG_NEWCHAIN)
    asked = rule_requests.bodies(found) if cookie(sock) else [nfnetlink.header()]  # before Linux 4.11 all rules answer
    yield from dumps(sock, kind(NFT_MSG_GETRULE), asked, "rules", receiver)


def listed(sock: socket.socket, part: str, receiver: Receiver | None = None) -> Iterator[Block]:
    yield from dumps(sock, kind(DUMPS[part]), [nfnetlink.header()], part, receiver)


def kind(message: int) -> int:
    return nfnetlink.kind(NFTABLES, message)


def generation(sock: socket.socket) -> Block:
    """The number of the ruleset's generation, which every change increments."""
    found = ask(sock, kind(NFT_MSG_GETGEN), nfnetlink.header())
    return Block("generation", found.data[found.offsets[0] : found.offsets[0] + found.lengths[0]].tobytes())


class Sets:
    """Sets, and elements of the anonymous ones: as rules refer to them, the same in all of a ruleset's generation."""

    _known: ClassVar[dict[int, tuple[int, tuple[Block, ...]]]] = {}  # by namespace: generation and blocks

    @classmethod
    def of(cls, host: Host, sock: socket.socket, number: int) -> tuple[Block, ...]:
        """Read, or as they were in this generation of this namespace's ruleset."""
        namespace = cookie(sock)
        known = cls._known.get(namespace) if namespace else None
        if known and known[0] == number:
            return known[1]
        blocks = tuple(read_sets(host, sock))
        if namespace and not any(moving(block) for block in blocks):
            cls._known = {namespace: (number, blocks)}
        return blocks


def moving(block: Block) -> bool:
    """Whether elements have counters or limits of their own, which go on without a new generation."""
    return block.part == "elements" and any(word in block.data for word in MOVING)


def read_sets(host: Host, sock: socket.socket) -> Iterator[Block]:
    anonymous: list[NftSet] = []
    for block in listed(sock, "sets"):
        found = decode_sets(of(messages(block.data), NFT_MSG_NEWSET))
        anonymous += [entry for entry in found if entry.flags & NFT_SET_ANONYMOUS]
        yield Block("sets", bytes(block.data))
    if anonymous:
        yield from read_elements(host, anonymous)


def cookie(sock: socket.socket) -> int:
    """Of the socket's namespace: a number that no other has had since the kernel started, 0 before Linux 5.14."""
    try:
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
        name = next((value for number, value in attributes(body[16:]) if number == IFLA_IFNAME), b"")  # it comes first
        yield struct.unpack_from("=i", body, 4)[0], text(name)
