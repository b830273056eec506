"""Counters of IP, ICMP, UDP, TCP and MPTCP, from /proc/net/snmp, netstat, snmp6, sockstat and sockstat6."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.table import Column, Gap, Table
from collectors.values import Cell, Codes
from collectors.wire.netlink import DecodeError

PAIRED = ("snmp", "netstat")  # two lines a group: the names, then the numbers
FILES = (*PAIRED, "snmp6", "sockstat", "sockstat6")
GROUPS6 = ("Ip6", "Icmp6", "Udp6", "UdpLite6")  # net/ipv6/proc.c writes group and name as one word
SETTINGS_AND_LEVELS = frozenset(
    {
        "Ip.Forwarding", "Ip.DefaultTTL", "Tcp.RtoAlgorithm", "Tcp.RtoMin", "Tcp.RtoMax", "Tcp.MaxConn",
        "Tcp.CurrEstab", "MPTcpExt.MPCurrEstab",
    }
)  # fmt: skip

COLUMNS = (
    Column("counter", "text", "key", help="group and name: TcpExt.ListenDrops"),
    Column("group", "text", "label", help="Ip, Icmp, IcmpMsg, Udp, Tcp, TcpExt, IpExt, MPTcpExt, Ip6, …; sockstat"),
    Column("name", "text", "label", help="the counter's name in its group"),
    Column("nstat", "text", "label", help="the name that nstat gives it: TcpExtListenDrops"),
    Column("value", "u8", "counter", "", "what it has counted since the namespace exists"),
    Column(
        "level", "i8", "gauge", "", "a setting or a number that also falls: CurrEstab, sockets in use, memory pages"
    ),
)


class Reading(NamedTuple):
    """One number of the files; ``nstat``: None where nstat does not read it."""

    group: str
    name: str
    nstat: str | None
    number: int


def read(host: Host) -> Iterator[Block | Gap]:
    for name in FILES:
        try:
            yield Block(name, host.read(f"net/{name}"))
        except FileNotFoundError:
            if not name.endswith("6"):  # without IPv6 there is nothing to tell
                yield Gap(f"/proc/net/{name} is not present in this kernel")


def decode(raw: Raw) -> Table:
    """A row per number, in the order of the files."""
    readings: list[Reading] = []
    gaps: list[Gap] = []
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
            continue
        lines = bytes(item.data).decode("ascii", "replace").splitlines()
        parse = paired if item.part in PAIRED else single if item.part == "snmp6" else sockets
        try:
            readings.extend(parse(lines))
        except ValueError as error:
            raise DecodeError(0, f"{item.part}: {error}") from error
    return rows(readings).with_gaps(gaps)


def rows(readings: list[Reading]) -> Table:
    draft = Draft(COLUMNS, len(readings))
    labels, counts = told(tuple((reading.group, reading.name, reading.nstat) for reading in readings))
    for name, cells in labels.items():
        draft.coded(name, cells)
    numbers = [reading.number for reading in readings]
    try:
        values = np.array([number if grown else 0 for number, grown in zip(numbers, counts)], np.uint64)
        levels = np.array([0 if grown else number for number, grown in zip(numbers, counts)], np.int64)
    except OverflowError as error:
        raise DecodeError(0, f"a number beyond 64 bits: {error}") from error
    known = np.array(counts, np.bool_)
    draft.numbers("value", values, known=known)
    draft.numbers("level", levels, known=~known)
    return draft.table()


@lru_cache(8)
def told(names: tuple[tuple[str, str, str | None], ...]) -> tuple[dict[str, Codes], list[bool]]:
    """Columns of names, and which of them count; the same ones come with every reading."""
    columns: dict[str, list[Cell]] = {
        "counter": [f"{group}.{name}" for group, name, _ in names],
        "group": [group for group, _, _ in names],
        "name": [name for _, name, _ in names],
        "nstat": [nstat for _, _, nstat in names],
    }
    labels = {name: Codes.of(cells) for name, cells in columns.items()}
    return labels, [grows(group, name) for group, name, _ in names]


def grows(group: str, name: str) -> bool:
    return group != "sockstat" and f"{group}.{name}" not in SETTINGS_AND_LEVELS


def paired(lines: list[str]) -> Iterator[Reading]:
    """``TcpExt: NAME NAME …`` above ``TcpExt: NUMBER NUMBER …``."""
    for names, numbers in zip(lines[::2], lines[1::2], strict=True):
        title, *words = names.split()
        same, *values = numbers.split()
        if title != same or len(words) != len(values):
            raise ValueError(f"the two lines of {title} do not match")
        group = title.rstrip(":")
        for word, value in zip(words, values, strict=True):
            yield Reading(group, word, group + word, int(value))


def single(lines: list[str]) -> Iterator[Reading]:
    """``Ip6InReceives NUMBER``."""
    for line in lines:
        whole, value = line.split()
        group = next((group for group in GROUPS6 if whole.startswith(group)), "snmp6")
        yield Reading(group, whole.removeprefix(group), whole, int(value))


def sockets(lines: list[str]) -> Iterator[Reading]:
    """``TCP: inuse NUMBER orphan NUMBER …``, as levels."""
    for line in lines:
        title, *words = line.split()
        for word, value in zip(words[::2], words[1::2], strict=True):
            yield Reading("sockstat", f"{title.rstrip(':')}.{word}", None, int(value))


PROTOCOLS = Collector("protocols", COLUMNS, read, decode, "/proc/net/snmp, netstat, snmp6, sockstat, sockstat6")
