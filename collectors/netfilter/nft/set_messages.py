"""Sets of nf_tables and their elements, from NFT_MSG_GETSET and NFT_MSG_GETSETELEM."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping

from collectors.collector import Block
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.chains import objects
from collectors.netfilter.nft.model import NftSet
from collectors.netfilter.nft.payloads import number, userdata
from collectors.netfilter.nft.uapi import NFT_DATA_VALUE_MAXLEN, NFT_MSG_GETSETELEM, NFTA_LIST_ELEM
from collectors.netlink.dump import MOST, answer, open_netlink, sequences
from collectors.netlink.receiving import Receiver
from collectors.wire.netlink import (
    NLM_F_DUMP,
    NLMSG_ERROR,
    NLMSGHDR,
    DecodeError,
    Messages,
    NetlinkError,
    attribute,
    attribute_map,
    attributes,
    messages,
    request,
    text,
)

NFTA_SET_TABLE, NFTA_SET_NAME, NFTA_SET_FLAGS, NFTA_SET_KEY_TYPE, NFTA_SET_KEY_LEN = 1, 2, 3, 4, 5
NFTA_SET_DATA_TYPE, NFTA_SET_DATA_LEN, NFTA_SET_POLICY, NFTA_SET_DESC = 6, 7, 8, 9
NFTA_SET_TIMEOUT, NFTA_SET_GC_INTERVAL, NFTA_SET_USERDATA, NFTA_SET_OBJ_TYPE = 11, 12, 13, 15
NFTA_SET_HANDLE, NFTA_SET_EXPR, NFTA_SET_EXPRESSIONS = 16, 17, 18
NFTA_SET_COUNT = 20  # since Linux 6.15
NFTA_SET_DESC_SIZE, NFTA_SET_DESC_CONCAT = 1, 2
NFTA_SET_FIELD_LEN = 1
NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_ELEMENTS = 1, 2, 3
BLOCK = 4 << 20  # bytes
USUAL = 32 << 10  # bytes that the kernel fills of a datagram

SetKey = tuple[int, str, str]  # family, table, set


def decode_sets(found: Messages) -> list[NftSet]:
    """All sets and maps, the anonymous ones too, in the kernel's order."""
    return [decoded_set(family, entry) for family, entry in objects(found)]


def decoded_set(family: int, found: dict[int, bytes]) -> NftSet:
    for length in (number(found, NFTA_SET_KEY_LEN), number(found, NFTA_SET_DATA_LEN)):
        if length > NFT_DATA_VALUE_MAXLEN:
            raise DecodeError(0, f"a set with values of {length} bytes")
    size, fields = description(found.get(NFTA_SET_DESC, b""))
    return NftSet(
        family,
        text(found.get(NFTA_SET_TABLE, b"")),
        text(found.get(NFTA_SET_NAME, b"")),
        number(found, NFTA_SET_HANDLE),
        number(found, NFTA_SET_FLAGS),
        number(found, NFTA_SET_KEY_TYPE),
        number(found, NFTA_SET_KEY_LEN),
        number(found, NFTA_SET_DATA_TYPE),
        number(found, NFTA_SET_DATA_LEN),
        number(found, NFTA_SET_OBJ_TYPE),
        number(found, NFTA_SET_TIMEOUT),
        number(found, NFTA_SET_GC_INTERVAL),
        number(found, NFTA_SET_POLICY),
        size,
        fields,
        number(found, NFTA_SET_COUNT) if NFTA_SET_COUNT in found else None,
        userdata(found.get(NFTA_SET_USERDATA, b"")),
        expressions(found, NFTA_SET_EXPR, NFTA_SET_EXPRESSIONS),
    )


def description(value: bytes) -> tuple[int, tuple[int, ...]]:
    """The size asked for, and the bytes of each part of a concatenated key."""
    found = attribute_map(value)
    parts = attributes(found.get(NFTA_SET_DESC_CONCAT, b""))
    return number(found, NFTA_SET_DESC_SIZE), tuple(
        number(attribute_map(part), NFTA_SET_FIELD_LEN) for kind, part in parts if kind == NFTA_LIST_ELEM
    )


def expressions(found: Mapping[int, bytes], single: int, several: int) -> tuple[bytes, ...]:
    """Payloads of the expressions of a set or element: of the one, or of each of the list."""
    if several in found:
        return tuple(value for kind, value in attributes(found[several]) if kind == NFTA_LIST_ELEM)
    return (found[single],) if single in found else ()


def decode_elements(parts: Iterable[Messages]) -> dict[SetKey, list[bytes]]:
    """The payload of every NFTA_LIST_ELEM by set, in the kernel's order, over as many messages as it took.

    For sets that are small or few; where their elements are many, element_places.
    """
    found: dict[SetKey, list[bytes]] = {}
    for part in parts:
        for family, body in objects(part):
            table, name = (text(body.get(at, b"")) for at in (NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET))
            listed = attributes(body.get(NFTA_SET_ELEM_LIST_ELEMENTS, b""))
            payloads = [payload for kind, payload in listed if kind == NFTA_LIST_ELEM]
            found.setdefault((family, table, name), []).extend(payloads)
    return found


def read_elements(host: Host, sets: Iterable[NftSet], room: int = BLOCK) -> Iterator[Block]:
    """The elements of each set, asked over one socket; blocks of whole messages, several sets in one or one in many.

    ``room``: bytes from which on a block is handed over. A set that has gone is passed over: the ruleset has changed,
    and its generation tells so.
    """
    receiver, kept = Receiver(max(1, min(MOST, room // USUAL))), Kept()
    with open_netlink(host, nfnetlink.NETLINK_NETFILTER) as sock:
        for found in sets:
            sock.send(elements_request(found))
            for block in answer(sock, receiver=receiver):
                if not has_gone(block) and (full := kept.put(bytes(block.data), room)):
                    yield Block("elements", full)
        if rest := kept.taken():
            yield Block("elements", rest)


def has_gone(block: Block) -> bool:
    """Whether the kernel has no such set; any other refusal is for the decoder to meet."""
    if len(block.data) < NLMSGHDR.size or NLMSGHDR.unpack(bytes(block.data[: NLMSGHDR.size]))[1] != NLMSG_ERROR:
        return False
    try:
        messages(block.data)
    except NetlinkError as error:
        return error.errno == errno.ENOENT
    except DecodeError:
        pass
    return False


def elements_request(found: NftSet) -> bytes:
    body = nfnetlink.header(found.family) + b"".join(
        attribute(kind, name.encode("utf-8", "surrogateescape") + b"\0")
        for kind, name in ((NFTA_SET_ELEM_LIST_TABLE, found.table), (NFTA_SET_ELEM_LIST_SET, found.name))
    )
    kind = nfnetlink.kind(nfnetlink.NFTABLES, NFT_MSG_GETSETELEM)
    return request(kind, NLM_F_DUMP, next(sequences) & 0xFFFFFFFF, body)


class Kept:
    """Received messages, gathered to blocks."""

    def __init__(self) -> None:
        self.data = bytearray()

    def put(self, received: bytes, room: int) -> bytes:
        """The block that these messages completed, b"" while there is room."""
        self.data += received
        return self.taken() if len(self.data) >= room else b""

    def taken(self) -> bytes:
        full, self.data = bytes(self.data), bytearray()
        return full
