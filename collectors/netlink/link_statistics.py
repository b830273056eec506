"""What bridges, bonds, MPLS and VXLAN count beside their links' own counters, from RTM_GETSTATS and RTM_GETTUNNEL."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink.dump import NETLINK_ROUTE, decode_dump, dump
from collectors.table import Column, Table
from collectors.wire.netlink import NLMSGHDR, DecodeError, Messages, NetlinkError, attribute_map, attributes, messages
from collectors.wire.shapes import Path, Shape, shapes

RTM_NEWSTATS, RTM_GETSTATS, RTM_NEWTUNNEL, RTM_GETTUNNEL = 92, 94, 120, 122

# uapi linux/if_link.h, struct if_stats_msg
IF_STATS_MSG = np.dtype(
    [("family", "u1"), ("pad1", "u1"), ("pad2", "<u2"), ("ifindex", "<u4"), ("filter_mask", "<u4")],
)
IFLA_STATS_LINK_XSTATS, IFLA_STATS_LINK_XSTATS_SLAVE, IFLA_STATS_AF_SPEC = 2, 3, 5
LINK_XSTATS_TYPE_BRIDGE, LINK_XSTATS_TYPE_BOND = 1, 2
BRIDGE_XSTATS_MCAST, BRIDGE_XSTATS_STP = 2, 4  # those of the VLANs, number 1, tell of no loss
BOND_XSTATS_3AD = 1
AF_MPLS, MPLS_STATS_LINK = 28, 1
WANTED = sum(1 << number - 1 for number in (IFLA_STATS_LINK_XSTATS, IFLA_STATS_LINK_XSTATS_SLAVE, IFLA_STATS_AF_SPEC))
KINDS = {LINK_XSTATS_TYPE_BRIDGE: {}, LINK_XSTATS_TYPE_BOND: {BOND_XSTATS_3AD: {}}}  # type: ignore[var-annotated]
NESTED = {
    IFLA_STATS_LINK_XSTATS: KINDS,
    IFLA_STATS_LINK_XSTATS_SLAVE: KINDS,
    IFLA_STATS_AF_SPEC: {AF_MPLS: {}},
}

BOTH = (" rx", " tx")
# uapi linux/if_bridge.h, struct br_mcast_stats { __u64 igmp_v1queries[BR_MCAST_DIR_SIZE]; … igmp_parse_errors; … }
MCAST = np.dtype(
    [
        (name + way, "<u8")
        for name, ways in (
            ("igmp_v1queries", BOTH), ("igmp_v2queries", BOTH), ("igmp_v3queries", BOTH), ("igmp_leaves", BOTH),
            ("igmp_v1reports", BOTH), ("igmp_v2reports", BOTH), ("igmp_v3reports", BOTH), ("igmp_parse_errors", ("",)),
            ("mld_v1queries", BOTH), ("mld_v2queries", BOTH), ("mld_leaves", BOTH),
            ("mld_v1reports", BOTH), ("mld_v2reports", BOTH), ("mld_parse_errors", ("",)),
            ("mcast_bytes", BOTH), ("mcast_packets", BOTH),
        )
        for way in ways
    ]
)  # fmt: skip
# uapi linux/if_bridge.h, struct bridge_stp_xstats; since 5.6, of ports
STP = np.dtype(
    [(name, "<u8") for name in ("transition_blk", "transition_fwd", "rx_bpdu", "tx_bpdu", "rx_tcn", "tx_tcn")],
)
# uapi linux/mpls.h, struct mpls_link_stats
MPLS = np.dtype(
    [
        (name, "<u8")
        for name in (
            "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
            "rx_noroute",
        )
    ]
)  # fmt: skip
# uapi linux/if_bonding.h, BOND_3AD_STAT_*, from 0; since 5.1
LACP = (
    "lacpdu_rx", "lacpdu_tx", "lacpdu_unknown_rx", "lacpdu_illegal_rx", "marker_rx", "marker_tx", "marker_resp_rx",
    "marker_resp_tx", "marker_unknown_rx",
)  # fmt: skip
# struct tunnel_msg { __u8 family; __u8 flags; __u16 reserved2; __u32 ifindex; }; since 5.18
TUNNEL_MSG = struct.Struct("=BBHI")
TUNNEL_MSG_FLAG_STATS = 1
VXLAN_VNIFILTER_ENTRY, VXLAN_VNIFILTER_ENTRY_START, VXLAN_VNIFILTER_ENTRY_STATS = 1, 1, 5
# VNIFILTER_ENTRY_STATS_*, from 1
VNI = ("rx_bytes", "rx_pkts", "rx_drops", "rx_errors", "tx_bytes", "tx_pkts", "tx_drops", "tx_errors")

COLUMNS = (
    Column("ifindex", "u4", "key", help="number of the device"),
    Column("counter", "text", "key", help="what it is of, and its name: bridge.igmp_parse_errors, mpls.rx_noroute"),
    Column("direction", "text", "key", help="rx or tx, of a bridge's multicast messages"),
    Column("vni", "u4", "key", help="VXLAN network, of a device with a filter of such"),
    Column("value", "u8", "counter", help="its value; what has counted nothing has no row"),
)


class Counted(NamedTuple):
    """One counter of some devices: (n,) each."""

    counter: str
    ifindex: NDArray[np.uint32]
    value: NDArray[np.uint64]


def read(host: Host) -> Iterator[Block]:
    body = struct.pack("=BBHII", 0, 0, 0, 0, WANTED)
    yield from dump(host, NETLINK_ROUTE, RTM_GETSTATS, body, "links")
    for block in dump(host, NETLINK_ROUTE, RTM_GETTUNNEL, TUNNEL_MSG.pack(socket.AF_BRIDGE, 1, 0, 0), "vnis"):
        if not unknown(block):
            yield block


def unknown(block: Block) -> bool:
    """Whether the kernel knows no such request: before 5.18, or VXLAN is not loaded; asking does not load it."""
    try:
        messages(block.data)
    except NetlinkError as error:
        return error.errno == errno.EOPNOTSUPP
    return False


def decode(raw: Raw) -> Table:
    """A row per counter above zero, of the devices and then of the VXLAN networks."""
    return decode_dump(raw, {"links": links, "vnis": vnis}, [RTM_NEWSTATS, RTM_NEWTUNNEL])


def links(messages: Messages) -> Table:
    found = [counted for shape in shapes(messages, IF_STATS_MSG.itemsize, NESTED) for counted in told(shape)]
    counts = [len(counted.value) for counted in found]
    draft = Draft(COLUMNS, sum(counts))
    names = np.repeat(np.arange(len(found)), counts)
    draft.numbers("ifindex", joined([counted.ifindex for counted in found]))
    draft.numbers("value", joined([counted.value for counted in found]))
    draft.named("counter", names, lambda at: found[at].counter.partition(" ")[0])
    draft.named("direction", names, lambda at: found[at].counter.partition(" ")[2] or None)
    table = draft.table()
    return table.take(np.argsort(table.numbers("ifindex").numbers, kind="stable"))


def joined(arrays: list[NDArray[np.uint64]] | list[NDArray[np.uint32]]) -> NDArray[np.unsignedinteger]:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.uint64)


def told(shape: Shape) -> Iterator[Counted]:
    """The counters of one shape's devices, each of those devices where it is above zero."""
    devices = shape.header(IF_STATS_MSG)["ifindex"]
    for name, values in numbers(shape):
        moved = np.flatnonzero(values)
        if len(moved):
            yield Counted(name, devices[moved], values[moved])


def numbers(shape: Shape) -> Iterator[tuple[str, NDArray[np.uint64]]]:
    """Name and (n,) values. A device is a bridge or a port, a bond or one of its slaves: it has XSTATS or XSTATS_SLAVE.

    What a bond counts contains what its slaves do (drivers/net/bonding/bond_3ad.c).
    """
    for side in (IFLA_STATS_LINK_XSTATS, IFLA_STATS_LINK_XSTATS_SLAVE):
        bridge = (side, LINK_XSTATS_TYPE_BRIDGE)
        yield from struct_of(shape, "bridge", MCAST, (*bridge, BRIDGE_XSTATS_MCAST))
        yield from struct_of(shape, "bridge", STP, (*bridge, BRIDGE_XSTATS_STP))
        for number, name in enumerate(LACP):
            path = (side, LINK_XSTATS_TYPE_BOND, BOND_XSTATS_3AD, number)
            if path in shape:
                yield f"bond.{name}", shape.number("<u8", *path)
    yield from struct_of(shape, "mpls", MPLS, (IFLA_STATS_AF_SPEC, AF_MPLS, MPLS_STATS_LINK))


def struct_of(
    shape: Shape, group: str, layout: np.dtype[np.void], path: Path
) -> Iterator[tuple[str, NDArray[np.uint64]]]:
    if path in shape:
        for name, values in shape.struct(layout, *path).items():
            yield f"{group}.{name}", values


def vnis(messages: Messages) -> Table:
    rows = [row for at in range(len(messages)) for row in networks(message(messages, at))]
    draft = Draft(COLUMNS, len(rows))
    draft.numbers("ifindex", np.array([row[0] for row in rows], np.uint32))
    draft.numbers("vni", np.array([row[1] for row in rows], np.uint32))
    draft.cells("counter", [row[2] for row in rows])
    draft.numbers("value", np.array([row[3] for row in rows], np.uint64))
    return draft.table()


def message(messages: Messages, at: int) -> bytes:
    """What stands behind the header of one message."""
    offset, length = int(messages.offsets[at]), int(messages.lengths[at])
    return messages.data[offset + NLMSGHDR.size : offset + length].tobytes()


def networks(body: bytes) -> Iterator[tuple[int, int, str, int]]:
    """ifindex, network, counter and value of one device's networks."""
    if len(body) < TUNNEL_MSG.size:
        raise DecodeError(0, f"tunnel message of {len(body)} bytes")
    *_, ifindex = TUNNEL_MSG.unpack_from(body)
    for number, value in attributes(body[TUNNEL_MSG.size :]):
        entry = attribute_map(value) if number == VXLAN_VNIFILTER_ENTRY else {}
        if VXLAN_VNIFILTER_ENTRY_START in entry and VXLAN_VNIFILTER_ENTRY_STATS in entry:
            vni = int.from_bytes(entry[VXLAN_VNIFILTER_ENTRY_START][:4], "little")
            counters = attribute_map(entry[VXLAN_VNIFILTER_ENTRY_STATS])
            for place, name in enumerate(VNI, 1):
                if total := int.from_bytes(counters.get(place, b"")[:8], "little"):
                    yield ifindex, vni, f"vxlan.{name}", total


LINK_STATISTICS = Collector(
    "link_statistics", COLUMNS, read, decode, "rtnetlink RTM_GETSTATS and RTM_GETTUNNEL", every=2.0
)
