"""Rings and channels of every device, now and at most: ethtool netlink (ethtool -g and -l)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink.ethtool_wire import (
    ETHTOOL_A_HEADER,
    ETHTOOL_A_HEADER_DEV_INDEX,
    ETHTOOL_A_HEADER_DEV_NAME,
    GENLMSGHDR,
    NoEthtool,
    dumps,
)
from collectors.table import Column, Gap, Table
from collectors.values import Cell
from collectors.wire.netlink import DecodeError, attribute_map, messages, text

RINGS_GET, CHANNELS_GET = 15, 17
# part -> attribute and column: ETHTOOL_A_RINGS_*, ETHTOOL_A_CHANNELS_*
PARTS = {
    "rings": {2: "rx_max", 3: "rx_mini_max", 4: "rx_jumbo_max", 5: "tx_max", 6: "rx", 7: "rx_mini", 8: "rx_jumbo",
              9: "tx"},
    "channels": {2: "rx_channels_max", 3: "tx_channels_max", 4: "other_max", 5: "combined_max", 6: "rx_channels",
                 7: "tx_channels", 8: "other", 9: "combined"},
}  # fmt: skip
HELP = {
    "rx": "descriptors of a receive ring", "rx_max": "most that a receive ring may have",
    "rx_mini": "the same for small frames", "rx_mini_max": "most for small frames",
    "rx_jumbo": "the same for jumbo frames", "rx_jumbo_max": "most for jumbo frames",
    "tx": "descriptors of a send ring", "tx_max": "most that a send ring may have",
    "rx_channels": "queues that only receive", "rx_channels_max": "most of these",
    "tx_channels": "queues that only send", "tx_channels_max": "most of these",
    "other": "channels for other purposes", "other_max": "most of these",
    "combined": "queues that receive and send", "combined_max": "most of these",
}  # fmt: skip
COLUMNS = (
    Column("ifindex", "i4", "key", help="number of the device"),
    Column("ifname", "text", "label", help="its name"),
    *(Column(name, "u4", "label", help=meaning) for name, meaning in HELP.items()),
)


def read(host: Host) -> Iterator[Block | Gap]:
    try:
        yield from dumps(host, {"rings": RINGS_GET, "channels": CHANNELS_GET})
    except NoEthtool as error:
        yield Gap(str(error), "a kernel from 5.6 on")


def decode(raw: Raw) -> Table:
    """A row for each device whose driver tells of either."""
    devices: dict[int, dict[str, Cell]] = {}
    gaps: list[Gap] = []
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
        else:
            note(devices, item)
    rows = [devices[index] for index in sorted(devices)]
    draft = Draft(COLUMNS, len(rows))
    draft.numbers("ifindex", np.array(sorted(devices), np.int32))
    draft.cells("ifname", [row.get("ifname") for row in rows])
    for name in HELP:
        known = np.array([name in row for row in rows], np.bool_)
        draft.numbers(name, np.array([row.get(name, 0) for row in rows], np.uint32), known=known)
    return draft.table(gaps)


def note(devices: dict[int, dict[str, Cell]], block: Block) -> None:
    """One dump's messages; those of the kernel's control types are below 16."""
    found = messages(block.data)
    for offset, length, kind in zip(found.offsets.tolist(), found.lengths.tolist(), found.types.tolist(), strict=True):
        if kind < 16:
            continue
        reply = attribute_map(found.data[offset + 16 + GENLMSGHDR.size : offset + length].tobytes())
        header = attribute_map(reply.get(ETHTOOL_A_HEADER, b""))
        index = header.get(ETHTOOL_A_HEADER_DEV_INDEX, b"")
        if len(index) != 4:
            raise DecodeError(offset, "ethtool message without a device")
        name = text(header.get(ETHTOOL_A_HEADER_DEV_NAME, b""))
        row = devices.setdefault(int.from_bytes(index, "little", signed=True), {"ifname": name or None})
        for number, column in PARTS[block.part].items():
            if len(value := reply.get(number, b"")) == 4:
                row[column] = int.from_bytes(value, "little")


RINGS = Collector("rings", COLUMNS, read, decode, "ethtool netlink RINGS_GET, CHANNELS_GET", every=10.0)
