"""Speed, duplex and driver of every device; settings and statistics of one: ethtool netlink, and its ioctl."""

from __future__ import annotations

import errno
import fnmatch
import socket
import struct
from collections.abc import Iterator

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink.dump import open_netlink
from collectors.netlink.ethtool_wire import (
    DRVINFO,
    ETHTOOL_A_HEADER,
    ETHTOOL_A_HEADER_DEV_INDEX,
    ETHTOOL_A_HEADER_DEV_NAME,
    GENLMSGHDR,
    NETLINK_GENERIC,
    NoEthtool,
    ask,
    bitset,
    counted,
    driver,
    dumps,
    family,
)
from collectors.table import Column, Gap, Table
from collectors.values import Cell
from collectors.wire.netlink import DecodeError, NetlinkError, attribute_map, messages, text

# uapi linux/ethtool_netlink.h ETHTOOL_MSG_*_GET; the reply has the same attributes
LINKINFO, LINKMODES, LINKSTATE, FEATURES, RINGS, CHANNELS, COALESCE, PAUSE = 2, 4, 6, 11, 15, 17, 19, 21
ETHTOOL_A_LINKINFO_PORT, ETHTOOL_A_LINKSTATE_LINK = 2, 2
ETHTOOL_A_LINKMODES_AUTONEG, ETHTOOL_A_LINKMODES_OURS, ETHTOOL_A_LINKMODES_PEER = 2, 3, 4
ETHTOOL_A_LINKMODES_SPEED, ETHTOOL_A_LINKMODES_DUPLEX = 5, 6
UNKNOWN_SPEED = 0xFFFFFFFF
PORTS = {0: "Twisted Pair", 1: "AUI", 2: "MII", 3: "FIBRE", 4: "BNC", 5: "Direct Attach Copper", 0xEF: "None",
         0xFF: "Other"}  # fmt: skip
DUPLEXES = {0: "Half", 1: "Full"}

COLUMNS = (
    Column("ifindex", "i4", "key", help="number of the device"),
    Column("ifname", "text", "label", help="its name"),
    Column("driver", "text", "label", help="driver"),
    Column("version", "text", "label", help="the driver's version"),
    Column("bus_info", "text", "label", help="place on the bus"),
    Column("speed", "u4", "label", "Mbit/s", "speed, while it is known"),
    Column("duplex", "text", "label", help="Full or Half"),
    Column("autoneg", "bool", "label", help="whether speed and duplex are negotiated"),
    Column("port", "text", "label", help="connector"),
    Column("link", "bool", "label", help="whether the device detects a link"),
)
STATISTICS = (
    Column("name", "text", "key", help="the driver's name of the counter"),
    Column("value", "u8", "counter", help="its value"),
)


def read(host: Host) -> Iterator[Block | Gap]:
    """The dumps over all devices, and one ioctl each for the driver; the last block holds these."""
    try:
        yield from dumps(host, {"linkmodes": LINKMODES, "linkinfo": LINKINFO, "linkstate": LINKSTATE})
    except NoEthtool as error:
        yield Gap(str(error), "a kernel from 5.6 on")
    with host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
        found = host.inside(socket.if_nameindex)
        drivers = [(index, name, driver_of(sock, name)) for index, name in found]
    yield Block("drivers", b"".join(record(*entry) for entry in drivers if entry[2]))


def driver_of(sock: socket.socket, name: str) -> bytes | None:
    """A device that goes while the others are asked is as one without a driver."""
    try:
        return driver(sock, name)
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return None


RECORD = struct.Struct(f"=i16s{DRVINFO.size}s")  # ifindex, name, struct ethtool_drvinfo


def record(index: int, name: str, drvinfo: bytes | None) -> bytes:
    return RECORD.pack(index, name.encode("utf-8", "surrogateescape"), drvinfo or b"")


def decode(raw: Raw) -> Table:
    """A row per device that has any of it."""
    devices: dict[int, dict[str, Cell]] = {}
    gaps: list[Gap] = []
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
        elif item.part == "drivers":
            note_drivers(devices, bytes(item.data))
        else:
            note_settings(devices, item)
    devices = dict(sorted(devices.items()))
    draft = Draft(COLUMNS, len(devices))
    draft.numbers("ifindex", np.array(list(devices), np.int32))
    for column in COLUMNS[1:]:
        cells = [entry.get(column.name) for entry in devices.values()]
        if column.dtype == "text":
            draft.cells(column.name, cells)
        else:
            known = np.array([cell is not None for cell in cells], np.bool_)
            draft.numbers(column.name, np.array([cell or 0 for cell in cells], np.uint32), known=known)
    return draft.table(gaps)


def note_drivers(devices: dict[int, dict[str, Cell]], data: bytes) -> None:
    if len(data) % RECORD.size:
        raise DecodeError(len(data), "drivers: a record is cut short")
    for index, name, drvinfo in RECORD.iter_unpack(data):
        device = devices.setdefault(index, {"ifname": text(name)})
        _, driver_name, version, _, bus, *_ = DRVINFO.unpack(drvinfo)
        for key, value in (("driver", driver_name), ("version", version), ("bus_info", bus)):
            if text(value):
                device[key] = text(value)


def note_settings(devices: dict[int, dict[str, Cell]], block: Block) -> None:
    """One dump's messages; those of the kernel's control types are below 16."""
    found = messages(block.data)
    for offset, length, kind in zip(found.offsets.tolist(), found.lengths.tolist(), found.types.tolist(), strict=True):
        if kind < 16:
            continue
        reply = attribute_map(found.data[offset + 16 + GENLMSGHDR.size : offset + length].tobytes())
        header = attribute_map(reply.get(ETHTOOL_A_HEADER, b""))
        if ETHTOOL_A_HEADER_DEV_INDEX not in header:
            raise DecodeError(offset, "ethtool message without a device")
        index = int.from_bytes(header[ETHTOOL_A_HEADER_DEV_INDEX][:4], "little", signed=True)
        device = devices.setdefault(index, {"ifname": text(header.get(ETHTOOL_A_HEADER_DEV_NAME, b""))})
        device.update(SPELLERS[block.part](reply))


def linkmodes(reply: dict[int, bytes]) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    speed = int.from_bytes(reply.get(ETHTOOL_A_LINKMODES_SPEED, b"\xff" * 4)[:4], "little")
    if speed not in (0, UNKNOWN_SPEED):
        found["speed"] = speed
    if (duplex := number(reply, ETHTOOL_A_LINKMODES_DUPLEX)) in DUPLEXES:
        found["duplex"] = DUPLEXES[duplex]
    if ETHTOOL_A_LINKMODES_AUTONEG in reply:
        found["autoneg"] = bool(number(reply, ETHTOOL_A_LINKMODES_AUTONEG))
    return found


def linkinfo(reply: dict[int, bytes]) -> dict[str, Cell]:
    if ETHTOOL_A_LINKINFO_PORT not in reply:
        return {}
    port = number(reply, ETHTOOL_A_LINKINFO_PORT)
    return {"port": PORTS.get(port, str(port))}


def linkstate(reply: dict[int, bytes]) -> dict[str, Cell]:
    known = ETHTOOL_A_LINKSTATE_LINK in reply
    return {"link": bool(number(reply, ETHTOOL_A_LINKSTATE_LINK))} if known else {}


def number(reply: dict[int, bytes], attribute: int) -> int:
    """A number of up to four bytes, -1 where it is absent."""
    return int.from_bytes(reply[attribute][:4], "little") if attribute in reply else -1


SPELLERS = {"linkmodes": linkmodes, "linkinfo": linkinfo, "linkstate": linkstate}

# ethtool's groups of features: its own word -> the kernel's names; a group of one stands for that one
GROUPS = {
    "rx-checksumming": "rx-checksum",
    "tx-checksumming": "tx-checksum-*",
    "scatter-gather": "tx-scatter-gather*",
    "tcp-segmentation-offload": "tx-tcp*-segmentation",
    "generic-segmentation-offload": "tx-generic-segmentation",
    "generic-receive-offload": "rx-gro",
    "large-receive-offload": "rx-lro",
    "rx-vlan-offload": "rx-vlan-hw-parse",
    "tx-vlan-offload": "tx-vlan-hw-insert",
    "ntuple-filters": "rx-ntuple-filter",
    "receive-hashing": "rx-hashing",
}
# ethtool's words for the numbers of a reply, by attribute
WORDS: dict[str, tuple[int, dict[int, str]]] = {
    "rings": (RINGS, dict(enumerate(
        ("rx-max", "rx-mini-max", "rx-jumbo-max", "tx-max", "rx", "rx-mini", "rx-jumbo", "tx"), 2))),
    "channels": (CHANNELS, dict(enumerate(
        ("rx-max", "tx-max", "other-max", "combined-max", "rx", "tx", "other", "combined"), 2))),
    "coalesce": (COALESCE, dict(enumerate(
        ("rx-usecs", "rx-frames", "rx-usecs-irq", "rx-frames-irq", "tx-usecs", "tx-frames", "tx-usecs-irq",
         "tx-frames-irq", "stats-block-usecs", "adaptive-rx", "adaptive-tx", "pkt-rate-low", "rx-usecs-low",
         "rx-frames-low", "tx-usecs-low", "tx-frames-low", "pkt-rate-high", "rx-usecs-high", "rx-frames-high",
         "tx-usecs-high", "tx-frames-high", "sample-interval", "cqe-mode-tx", "cqe-mode-rx"), 2))),
    "pause": (PAUSE, dict(enumerate(("autonegotiate", "rx", "tx"), 2))),
}  # fmt: skip
SWITCHES = {"adaptive-rx", "adaptive-tx", "cqe-mode-tx", "cqe-mode-rx"}


def settings(host: Host, ifname: str) -> dict[str, Cell]:
    """What ethtool tells of one device: driver, link, link modes, features, rings, channels, coalescing, pause.

    What its driver has not is left out. Raises NetlinkError (ENODEV) where there is no such device.
    """
    found = driver_settings(host, ifname)
    with open_netlink(host, NETLINK_GENERIC) as sock:
        try:
            known = family(sock)
        except NoEthtool:
            return found
        for command, spell in ((LINKMODES, linkmodes), (LINKMODES, modes), (LINKINFO, linkinfo), (LINKSTATE, linkstate),
                               (FEATURES, features)):  # fmt: skip
            found.update(spell(reply_of(sock, known, command, ifname)))
        for key, (command, words) in WORDS.items():
            reply = reply_of(sock, known, command, ifname)
            entry = {word: value_of(word, reply[at], key) for at, word in words.items() if at in reply}
            if entry:
                found[key] = entry
    return found


def reply_of(sock: socket.socket, known: int, command: int, ifname: str) -> dict[int, bytes]:
    """The reply's attributes, none where the driver does not support the question."""
    try:
        return ask(sock, known, command, ifname)
    except NetlinkError as error:
        if error.errno == errno.EOPNOTSUPP:
            return {}
        raise


def value_of(word: str, value: bytes, group: str) -> Cell:
    read = int.from_bytes(value[:4], "little")
    return bool(read) if word in SWITCHES or group == "pause" else read


def driver_settings(host: Host, ifname: str) -> dict[str, Cell]:
    with host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
        drvinfo = driver(sock, ifname)
    if drvinfo is None:
        return {}
    _, name, version, firmware, bus, rom, *_ = DRVINFO.unpack(drvinfo)
    words = ("driver", "version", "firmware-version", "bus-info", "expansion-rom-version")
    values = map(text, (name, version, firmware, bus, rom))
    return {word: value for word, value in zip(words, values, strict=True) if value}


def modes(reply: dict[int, bytes]) -> dict[str, Cell]:
    """Link modes that the device supports, advertises, and hears its partner advertise."""
    found: dict[str, Cell] = {}
    if ours := bitset(reply.get(ETHTOOL_A_LINKMODES_OURS, b"")):
        found["supported-link-modes"] = list(ours)
        found["advertised-link-modes"] = [mode for mode, given in ours.items() if given]
    if peer := bitset(reply.get(ETHTOOL_A_LINKMODES_PEER, b"")):
        found["link-partner-advertised-link-modes"] = list(peer)
    return found


def features(reply: dict[int, bytes]) -> dict[str, Cell]:
    """Offloads by ethtool's names: whether active, requested, and fixed; a group of several is active if any is."""
    hardware, wanted, active, fixed = (bitset(reply.get(at, b"")) for at in (2, 3, 4, 5))
    single: dict[str, Cell] = {
        name: {
            "active": active.get(name, False),
            "fixed": not changeable or fixed.get(name, False),
            "requested": wanted.get(name, False),
        }
        for name, changeable in hardware.items()
        if name
    }
    grouped: dict[str, Cell] = {}
    for word, pattern in GROUPS.items():
        members = fnmatch.filter(single, pattern)
        if len(members) == 1:
            grouped[word] = single.pop(members[0])
        elif members:
            any_active = any(active.get(name, False) for name in members)
            grouped[word] = {"active": any_active, "fixed": None, "requested": None}
            grouped.update({name: single.pop(name) for name in members})
    return {"features": {**grouped, **single}} if hardware else {}


def statistics(host: Host, ifname: str) -> Table:
    """The driver's own counters (``ethtool -S``); no rows where it keeps none."""
    with host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
        found = counted(sock, ifname)
    draft = Draft(STATISTICS, len(found))
    draft.cells("name", [name for name, _ in found])
    draft.numbers("value", np.array([value for _, value in found], np.uint64))
    return draft.table()


ETHTOOL = Collector("ethtool", COLUMNS, read, decode, "ethtool netlink, SIOCETHTOOL", every=10.0)
