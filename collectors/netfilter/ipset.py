"""ipset's sets from IPSET_CMD_LIST: what each is, and which index rules of iptables know it by.

uapi linux/netfilter/ipset/ip_set.h. For ``-m set``: ``read_names`` and ``decode_names``, or ``set_names`` for both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from collectors.collector import Block
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.nfnetlink import IPSET, NFPROTO_IPV4
from collectors.table import Gap
from collectors.values import IPV4, IPV6, address_text
from collectors.wire.netlink import DecodeError, Messages, NetlinkError, attribute, attribute_map, messages, text

IPSET_PROTOCOL, IPSET_PROTOCOL_MIN = 7, 6  # 7 since Linux 4.20: with the index of each set
IPSET_CMD_PROTOCOL, IPSET_CMD_LIST = 1, 7
IPSET_ATTR_PROTOCOL, IPSET_ATTR_SETNAME, IPSET_ATTR_TYPENAME, IPSET_ATTR_REVISION = 1, 2, 3, 4
IPSET_ATTR_FAMILY, IPSET_ATTR_FLAGS, IPSET_ATTR_DATA, IPSET_ATTR_ADT, IPSET_ATTR_INDEX = 5, 6, 7, 8, 11
# inside IPSET_ATTR_DATA of a set
IPSET_ATTR_IP, IPSET_ATTR_IP_TO, IPSET_ATTR_CIDR, IPSET_ATTR_PORT, IPSET_ATTR_PORT_TO = 1, 2, 3, 4, 5
IPSET_ATTR_TIMEOUT, IPSET_ATTR_CADT_FLAGS, IPSET_ATTR_MARKMASK, IPSET_ATTR_BITMASK = 6, 8, 11, 12
IPSET_ATTR_INITVAL, IPSET_ATTR_HASHSIZE, IPSET_ATTR_MAXELEM, IPSET_ATTR_NETMASK = 17, 18, 19, 20
IPSET_ATTR_BUCKETSIZE, IPSET_ATTR_SIZE = 21, 23
IPSET_ATTR_ELEMENTS, IPSET_ATTR_REFERENCES, IPSET_ATTR_MEMSIZE = 24, 25, 26
IPSET_ATTR_IPADDR_IPV4, IPSET_ATTR_IPADDR_IPV6 = 1, 2
IPSET_FLAG_LIST_HEADER = 1 << 2
WITH_FLAGS = {1 << 3: "counters", 1 << 4: "comment", 1 << 6: "skbinfo", 1 << 5: "forceadd"}
FAMILIES = {2: "inet", 10: "inet6"}
KIND = nfnetlink.kind(IPSET, IPSET_CMD_LIST)


@dataclass(frozen=True, slots=True)
class IpSet:
    """One set; ``data``: the attributes of its header, by number."""

    name: str
    type: str
    family: str | None
    revision: int
    index: int | None
    data: Mapping[int, bytes]

    def number(self, attribute: int) -> int | None:
        value = self.data.get(attribute)
        if value is not None and len(value) > 8:
            raise DecodeError(0, f"a number of {len(value)} bytes")
        return None if value is None else int.from_bytes(value, "big")

    @property
    def flags(self) -> list[str]:
        """counters, comment, skbinfo and forceadd, as at the set's creation."""
        bits = self.number(IPSET_ATTR_CADT_FLAGS) or 0
        return [word for bit, word in WITH_FLAGS.items() if bits & bit]

    @property
    def bitmask(self) -> str | None:
        return address(self.data[IPSET_ATTR_BITMASK]) if IPSET_ATTR_BITMASK in self.data else None

    def hexadecimal(self, attribute: int) -> str | None:
        number = self.number(attribute)
        return None if number is None else f"{number:#010x}"

    @property
    def range(self) -> str | None:
        """The range of a bitmap set, as ``ipset save`` prints it."""
        if IPSET_ATTR_IP in self.data:
            first, last = address(self.data[IPSET_ATTR_IP]), address(self.data.get(IPSET_ATTR_IP_TO, b""))
        elif IPSET_ATTR_PORT in self.data:
            first, last = str(self.number(IPSET_ATTR_PORT)), str(self.number(IPSET_ATTR_PORT_TO))
        else:
            return None
        return f"{first}-{last}"


def read_sets(host: Host, part: str = "ipsets") -> Iterator[Block]:
    """The sets without their elements; ``nfnetlink.absence`` tells first whether they may be asked for."""
    flags = attribute(IPSET_ATTR_FLAGS, struct.pack(">I", IPSET_FLAG_LIST_HEADER))
    yield from nfnetlink.dump_of(host, IPSET, IPSET_CMD_LIST, NFPROTO_IPV4, protocol(host) + flags, part)


def read_members(host: Host, name: str | None, part: str = "members") -> Iterator[Block]:
    """One set with its elements, or every set."""
    wanted = b""
    if name is not None:
        wanted = attribute(IPSET_ATTR_SETNAME, name.encode("utf-8", "surrogateescape") + b"\0")
    yield from nfnetlink.dump_of(host, IPSET, IPSET_CMD_LIST, NFPROTO_IPV4, protocol(host) + wanted, part)


def protocol(host: Host) -> bytes:
    """The attribute with the newest protocol that both speak."""
    asked = attribute(IPSET_ATTR_PROTOCOL, bytes([IPSET_PROTOCOL_MIN]))
    found = nfnetlink.one(host, IPSET, IPSET_CMD_PROTOCOL, NFPROTO_IPV4, asked)
    known = next((body for body in bodies(found)), {}).get(IPSET_ATTR_PROTOCOL, b"")
    return attribute(IPSET_ATTR_PROTOCOL, bytes([min(int.from_bytes(known, "big"), IPSET_PROTOCOL)]))


def bodies(messages: Messages) -> Iterator[dict[int, bytes]]:
    """The attributes of each message."""
    size = 16 + nfnetlink.NFGENMSG.itemsize
    for offset, length in zip(messages.offsets.tolist(), messages.lengths.tolist(), strict=True):
        if length < size:
            raise DecodeError(offset, f"message of {length} bytes, nfgenmsg needs {size}")
        yield attribute_map(messages.data[offset + size : offset + length].tobytes())


def decode_sets(messages: Messages) -> Iterator[IpSet]:
    """A set for each message that begins one: the later messages of a long one carry elements alone."""
    for found in bodies(messages.of(KIND)):
        if IPSET_ATTR_TYPENAME not in found:
            continue
        index = found.get(IPSET_ATTR_INDEX)
        yield IpSet(
            text(found.get(IPSET_ATTR_SETNAME, b"")),
            text(found[IPSET_ATTR_TYPENAME]),
            FAMILIES.get(int.from_bytes(found.get(IPSET_ATTR_FAMILY, b""), "big")),
            int.from_bytes(found.get(IPSET_ATTR_REVISION, b""), "big"),
            int.from_bytes(index, "big") if index is not None else None,
            attribute_map(found.get(IPSET_ATTR_DATA, b"")),
        )


def address(value: bytes) -> str:
    """The address nested in an attribute."""
    for number, octets in attribute_map(value).items():
        form, size = {IPSET_ATTR_IPADDR_IPV4: (IPV4, 4), IPSET_ATTR_IPADDR_IPV6: (IPV6, 16)}.get(number, (0, -1))
        if len(octets) == size:
            return address_text(octets, form) or ""
    raise DecodeError(0, "an address of neither family")


def read_names(host: Host) -> Iterator[Block]:
    """What ``decode_names`` needs; nothing where the kernel has no ipset at hand."""
    if nfnetlink.absence(host, IPSET) is None:
        with suppress(NetlinkError):  # a kernel without ipset refuses the first request
            yield from read_sets(host)


def decode_names(blocks: Iterable[Block | Gap], part: str = "ipsets") -> dict[int, str]:
    """Names of sets by index; {} where no block of theirs is among these."""
    return {
        found.index: found.name
        for block in blocks
        if isinstance(block, Block) and block.part == part
        for found in decode_sets(messages(block.data))
        if found.index is not None
    }


def set_names(host: Host) -> dict[int, str]:
    """Names of this host's sets by index, as the set match and target of iptables refer to them."""
    return decode_names(read_names(host))
