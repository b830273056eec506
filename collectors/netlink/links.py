"""Links: every network device with its state, kind and counters, from rtnetlink RTM_GETLINK."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink import names
from collectors.netlink.dump import NETLINK_ROUTE, decode_dump, dump
from collectors.netlink.link_columns import COLUMNS, IFLA_LINK_NETNSID, NUMBERS, STATS32, STATS64
from collectors.netlink.link_details import Details
from collectors.netlink.link_kinds import KINDS, PORT_KINDS
from collectors.netlink.link_names import (
    IFF_UP,
    IFLA_IFNAME,
    IPV4_LINKS,
    IPV6_LINKS,
    LOWER_DOWN,
    address_mode,
    link_flags,
    link_mode,
    link_type,
    operstate,
    part_names,
)
from collectors.table import Gap, Table
from collectors.values import IPV4, IPV6, LINK_LAYER, Cell, Codes, compact
from collectors.wire.netlink import DecodeError, Messages, attribute_map, attributes, text
from collectors.wire.shapes import Shape, shapes

RTM_NEWLINK, RTM_GETLINK = 16, 18

# uapi linux/rtnetlink.h, struct ifinfomsg
IFINFOMSG = np.dtype(
    [
        ("ifi_family", "u1"),
        ("__ifi_pad", "u1"),
        ("ifi_type", "<u2"),
        ("ifi_index", "<i4"),
        ("ifi_flags", "<u4"),
        ("ifi_change", "<u4"),
    ]
)
# uapi linux/if_link.h IFLA_*
IFLA_ADDRESS, IFLA_BROADCAST, IFLA_LINK, IFLA_QDISC, IFLA_STATS = 1, 2, 5, 6, 7
IFLA_OPERSTATE, IFLA_LINKMODE, IFLA_LINKINFO, IFLA_IFALIAS, IFLA_STATS64, IFLA_AF_SPEC = 16, 17, 18, 20, 23, 26
IFLA_GROUP, IFLA_CARRIER, IFLA_PHYS_PORT_ID, IFLA_PHYS_SWITCH_ID = 27, 33, 34, 36
IFLA_PHYS_PORT_NAME, IFLA_PROTO_DOWN, IFLA_XDP, IFLA_PROP_LIST, IFLA_ALT_IFNAME = 38, 39, 43, 52, 53
IFLA_PERM_ADDRESS, IFLA_PARENT_DEV_NAME, IFLA_PARENT_DEV_BUS_NAME = 54, 56, 57
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA = 1, 2, 4, 5
IFLA_INET6_ADDR_GEN_MODE = 8
IFLA_XDP_ATTACHED, IFLA_XDP_PROG_ID = 2, 4
XDP_PROGRAMS = {6: 2, 5: 1, 7: 3}  # IFLA_XDP_SKB_PROG_ID, DRV, HW -> XDP_ATTACHED_*
MAX_ADDR_LEN = 32  # net/dev's own limit, linux/netdevice.h
NESTED = {
    IFLA_LINKINFO: {IFLA_INFO_DATA: {}, IFLA_INFO_SLAVE_DATA: {}},
    IFLA_AF_SPEC: {socket.AF_INET6: {}},
}


def read(host: Host) -> Iterator[Block]:
    yield from dump(host, NETLINK_ROUTE, RTM_GETLINK, struct.pack("=BBHiII", *[0] * 6))


def decode(raw: Raw) -> Table:
    """One table of all blocks together: details name other links."""
    items = list(raw)
    data = [np.frombuffer(item.data, np.uint8) for item in items if isinstance(item, Block)]
    whole = data[0] if len(data) == 1 else np.concatenate([np.empty(0, np.uint8), *data])
    return decode_dump(
        [Block("", whole), *(item for item in items if isinstance(item, Gap))], {"": rows}, [RTM_NEWLINK]
    )


@dataclass
class Objects:
    """Details of one json column under construction: each distinct object once."""

    codes: NDArray[np.int32]
    pool: list[Cell] = field(default_factory=list)

    def put(self, at: NDArray[np.intp], codes: NDArray[np.intp], objects: list[dict[str, Cell]]) -> None:
        self.codes[at] = codes + len(self.pool)
        self.pool.extend(objects)

    def values(self) -> Codes:
        return Codes(compact(self.codes, len(self.pool)), tuple(self.pool))


def rows(messages: Messages) -> Table:
    """One row per link message, in the kernel's order."""
    draft = Draft(COLUMNS, len(messages))
    parted, order, ifnames = part_names(messages)
    below = Below.of(messages, ifnames)
    found = {name: Objects(np.full(len(messages), -1, np.int32)) for name in ("info_data", "info_slave_data")}
    for piece in shapes(parted, IFINFOMSG.itemsize, NESTED):
        at = order[piece.at]
        shape = replace(piece, at=at)
        if IFLA_IFNAME in shape:
            for row, name in zip(at.tolist(), shape.bytes_of(IFLA_IFNAME), strict=True):
                ifnames[row] = text(name.tobytes())
        put_header(draft, shape, below)
        put_numbers(draft, shape)
        put_words(draft, shape)
        put_addresses(draft, shape)
        put_details(draft, shape, found, below.device)
    draft.cells("ifname", ifnames)
    return draft.table().extended((), {name: objects.values() for name, objects in found.items()})


@dataclass(frozen=True)
class Below:
    """What a link message refers to: the other links of the same dump, by sorted ifindex."""

    indexes: NDArray[np.int64]
    flags: NDArray[np.uint32]
    ifnames: dict[int, str]

    @classmethod
    def of(cls, messages: Messages, ifnames: list[str | None]) -> Below:
        words = messages.data.view(np.uint32)
        indexes, flags = words[(messages.offsets >> 2) + 5].astype(np.int64), words[(messages.offsets >> 2) + 6]
        order = np.argsort(indexes)
        known = {index: name for index, name in zip(indexes.tolist(), ifnames, strict=True) if name is not None}
        return cls(indexes[order], flags[order], known)

    def device(self, index: int) -> str:
        return self.ifnames.get(index, f"if{index}")

    def down(self, links: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which of these indexes are links that are here and not up."""
        at = np.minimum(np.searchsorted(self.indexes, links), len(self.indexes) - 1)
        found: NDArray[np.bool_] = (self.indexes[at] == links) & (self.flags[at] & IFF_UP == 0)
        return found


def put_header(draft: Draft, shape: Shape, below: Below) -> None:
    header = shape.header(IFINFOMSG)
    draft.numbers("ifindex", header["ifi_index"], shape.at)
    draft.named("link_type", header["ifi_type"], link_type, shape.at)
    flags = header["ifi_flags"].astype(np.int64)
    if IFLA_LINK in shape:
        links = shape.number("<u4", IFLA_LINK)
        draft.numbers("link_index", links, shape.at, links != 0)
        if IFLA_LINK_NETNSID not in shape:
            flags |= below.down(links) * np.int64(LOWER_DOWN)
    draft.named("flags", flags, link_flags, shape.at)


def put_numbers(draft: Draft, shape: Shape) -> None:
    for name, number in NUMBERS.items():
        if number in shape:
            draft.numbers(name, shape.number("<u4", number), shape.at)
    for name, number in (("carrier", IFLA_CARRIER), ("proto_down", IFLA_PROTO_DOWN)):
        if number in shape:
            draft.numbers(name, shape.number("u1", number) != 0, shape.at)
    if IFLA_STATS64 in shape:
        stats = shape.struct(STATS64, IFLA_STATS64)
    else:
        stats = shape.struct(STATS32, IFLA_STATS) if IFLA_STATS in shape else {}
    for name, counts in stats.items():
        draft.numbers(name, counts, shape.at)


def put_words(draft: Draft, shape: Shape) -> None:
    for name, path, namer in (
        ("operstate", (IFLA_OPERSTATE,), operstate),
        ("linkmode", (IFLA_LINKMODE,), link_mode),
        ("inet6_addr_gen_mode", (IFLA_AF_SPEC, socket.AF_INET6, IFLA_INET6_ADDR_GEN_MODE), address_mode),
    ):
        if path in shape:
            draft.named(name, shape.number("u1", *path), namer, shape.at)
    if IFLA_GROUP in shape:
        draft.named("group", shape.number("<u4", IFLA_GROUP), names.device_group, shape.at)
    spellers: tuple[tuple[str, int, Callable[[bytes], Cell]], ...] = (
        ("qdisc", IFLA_QDISC, text),
        ("ifalias", IFLA_IFALIAS, text),
        ("altnames", IFLA_PROP_LIST, altnames),
        ("xdp", IFLA_XDP, xdp),
        ("phys_port_name", IFLA_PHYS_PORT_NAME, text),
        ("phys_port_id", IFLA_PHYS_PORT_ID, bytes.hex),
        ("phys_switch_id", IFLA_PHYS_SWITCH_ID, bytes.hex),
        ("parentbus", IFLA_PARENT_DEV_BUS_NAME, text),
        ("parentdev", IFLA_PARENT_DEV_NAME, text),
    )
    for name, number, spell in spellers:
        if number in shape:
            draft.spelled(name, shape.bytes_of(number), spell, shape.at)


def put_addresses(draft: Draft, shape: Shape) -> None:
    types = shape.header(IFINFOMSG)["ifi_type"]
    for name, number in (("address", IFLA_ADDRESS), ("broadcast", IFLA_BROADCAST), ("permaddr", IFLA_PERM_ADDRESS)):
        if number in shape and (octets := shape.bytes_of(number)).shape[1]:
            draft.addresses(name, octets, address_forms(types, octets.shape[1]), shape.at)


def address_forms(types: NDArray[np.uint16], length: int) -> NDArray[np.uint8]:
    """Forms of values.Addresses; a tunnel's addresses are IP addresses."""
    if length > MAX_ADDR_LEN:
        raise DecodeError(0, f"link-layer address of {length} bytes")
    forms = np.full(len(types), LINK_LAYER + length, np.uint8)
    if length == 4:
        forms[np.isin(types, IPV4_LINKS)] = IPV4
    elif length == 16:
        forms[np.isin(types, IPV6_LINKS)] = IPV6
    return forms


def put_details(draft: Draft, shape: Shape, found: dict[str, Objects], device: Callable[[int], str]) -> None:
    """Kind and details, of the link itself and as a port."""
    for name, kinds, column, kind_number, data_number in (
        ("kind", KINDS, "info_data", IFLA_INFO_KIND, IFLA_INFO_DATA),
        ("slave_kind", PORT_KINDS, "info_slave_data", IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA),
    ):
        if (IFLA_LINKINFO, kind_number) not in shape:
            continue
        octets = shape.bytes_of(IFLA_LINKINFO, kind_number)
        draft.spelled(name, octets, text, shape.at)
        if (IFLA_LINKINFO, data_number) in shape:
            for kind, at in each_kind(octets):
                if kind in kinds:
                    put_objects(draft, shape, at, kind, kinds[kind], found[column], data_number, device)


def each_kind(octets: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """The kinds of a shape, nearly always one, with the rows of each."""
    left = np.arange(len(octets))
    while len(left):
        alike = (octets[left] == octets[left[0]]).all(axis=1)
        yield text(octets[left[0]].tobytes()), left[alike]
        left = left[~alike]


def put_objects(
    draft: Draft,
    shape: Shape,
    at: NDArray[np.intp],
    kind: str,
    details: Details,
    objects: Objects,
    number: int,
    device: Callable[[int], str],
) -> None:
    firsts, codes = distinct_rows(shape.bytes_of(IFLA_LINKINFO, number)[at])
    chosen = at[firsts]
    columns = {
        path[2]: shape.bytes_of(*path)[chosen]
        for path in shape.fields
        if len(path) == 3 and path[:2] == (IFLA_LINKINFO, number)
    }
    made = details.objects(columns, len(chosen), device)
    rows = shape.at[at]  # type: ignore[index]
    objects.put(rows, codes, made)
    if number == IFLA_INFO_DATA and kind in ("vlan", "vxlan"):
        ids = [entry.get("id") for entry in made]
        if all(isinstance(number, int) and number < 1 << 32 for number in ids):
            draft.numbers(f"{kind}_id", np.array(ids, np.int64)[codes], rows)


def distinct_rows(octets: NDArray[np.uint8]) -> tuple[list[int], NDArray[np.intp]]:
    """The first row of each distinct value, and each row's place among these."""
    raw, length = np.ascontiguousarray(octets).tobytes(), octets.shape[1]
    places: dict[bytes, int] = {}
    firsts: list[int] = []
    codes = np.empty(len(octets), np.intp)
    for row in range(len(octets)):
        value = raw[row * length : (row + 1) * length]
        place = places.setdefault(value, len(places))
        if place == len(firsts):
            firsts.append(row)
        codes[row] = place
    return firsts, codes


def altnames(value: bytes) -> Cell:
    return [text(payload) for number, payload in attributes(value) if number == IFLA_ALT_IFNAME] or None


def xdp(value: bytes) -> Cell:
    """IFLA_XDP as ip nests it; None where no program is attached."""
    inner = attribute_map(value)
    mode = int.from_bytes(inner.get(IFLA_XDP_ATTACHED, b""), "little")
    if not mode:
        return None
    programs = {number: int.from_bytes(payload, "little") for number, payload in inner.items()}
    found: dict[str, Cell] = {"mode": mode}
    if programs.get(IFLA_XDP_PROG_ID):
        found["prog"] = {"id": programs[IFLA_XDP_PROG_ID]}
    attached = [
        {"mode": kind, "prog": {"id": programs[number]}} for number, kind in XDP_PROGRAMS.items() if number in programs
    ]
    return {**found, "attached": attached} if attached else found


LINKS = Collector("links", COLUMNS, read, decode, "rtnetlink RTM_GETLINK")
