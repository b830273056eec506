"""Counters of the smaller parts: XFRM, TLS, SCTP, neighbour tables, routing and SYN proxy, from /proc/net."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.table import Column, Table
from collectors.wire.netlink import DecodeError

NAMESPACE, HOST = "namespace", "host"

COLUMNS = (
    Column("counter", "text", "key", help="group and name: xfrm.InNoStates, neigh.unresolved_discards"),
    Column("family", "text", "key", help="of a neighbour table: inet (ARP) or inet6 (NDP)"),
    Column("cpu", "u4", "key", help="line of the file, which is the processor where none is offline"),
    Column("group", "text", "label", help="xfrm, tls, Sctp, neigh, rt_cache, synproxy"),
    Column("name", "text", "label", help="the counter's name in its group"),
    Column("value", "u8", "counter", help="what it has counted"),
    Column("level", "u8", "gauge", help="a number that also falls, such as entries"),
    Column("scope", "text", "label", help="namespace, or host: all namespaces together"),
    Column("source", "text", "label", help="file below /proc/net"),
)


class File(NamedTuple):
    """A file below /proc/net: how it is read, the group of its counters, and what stands before their names in it.

    ``levels``: names of numbers that also fall.
    """

    path: str
    group: str
    lines: Callable[[list[str]], Iterator[tuple[str, int | None, int]]]
    scope: str = NAMESPACE
    prefix: str = ""
    family: str | None = None
    levels: frozenset[str] = frozenset()

    @property
    def part(self) -> str:
        return self.path.replace("/", "-")


def single(lines: list[str]) -> Iterator[tuple[str, int | None, int]]:
    """``XfrmInNoStates NUMBER``: net/xfrm/xfrm_proc.c, net/tls/tls_proc.c, net/sctp/proc.c."""
    for line in lines:
        name, number = line.split()
        yield name, None, int(number)


def per_cpu(lines: list[str]) -> Iterator[tuple[str, int | None, int]]:
    """A heading with names, then a line of hexadecimal numbers for each CPU that is possible."""
    names = lines[0].split()
    for cpu, line in enumerate(lines[1:]):
        for name, number in zip(names, line.split(), strict=True):
            yield name, cpu, int(number, 16)


# Tables of neighbours count for the whole host, and each CPU's line has the same number of entries; so does rt_cache,
# whose numbers are the first namespace's wherever it is read (net/core/neighbour.c, net/ipv4/route.c).
FILES = (
    File("xfrm_stat", "xfrm", single, prefix="Xfrm"),
    File("tls_stat", "tls", single, prefix="Tls"),
    File("sctp/snmp", "Sctp", single, prefix="Sctp", levels=frozenset({"CurrEstab"})),
    File("stat/arp_cache", "neigh", per_cpu, HOST, family="inet", levels=frozenset({"entries"})),
    File("stat/ndisc_cache", "neigh", per_cpu, HOST, family="inet6", levels=frozenset({"entries"})),
    File("stat/rt_cache", "rt_cache", per_cpu, HOST, levels=frozenset({"entries"})),
    File("stat/synproxy", "synproxy", per_cpu, levels=frozenset({"entries"})),
)
KNOWN = {file.part: file for file in FILES}


class Reading(NamedTuple):
    file: File
    name: str
    cpu: int | None
    number: int


def read(host: Host) -> Iterator[Block]:
    """A block for each file that there is: a kernel, or a namespace, need not have the part that it is of."""
    for file in FILES:
        try:
            yield Block(file.part, host.read(f"net/{file.path}"))
        except (FileNotFoundError, NotADirectoryError):
            continue


def decode(raw: Raw) -> Table:
    """A row per number, in the order of the files."""
    readings: list[Reading] = []
    for block in raw:
        if isinstance(block, Block):
            file = KNOWN[block.part]
            lines = bytes(block.data).decode("ascii", "replace").splitlines()
            try:
                readings += [Reading(file, *entry) for entry in file.lines(lines)]
            except (ValueError, IndexError) as error:
                raise DecodeError(0, f"{block.part}: {error}") from error
    return rows(readings)


def rows(readings: list[Reading]) -> Table:
    draft = Draft(COLUMNS, len(readings))
    names = [reading.name.removeprefix(reading.file.prefix) for reading in readings]
    groups = [reading.file.group for reading in readings]
    draft.cells("counter", [f"{group}.{name}" for group, name in zip(groups, names, strict=True)])
    draft.cells("group", groups)
    draft.cells("name", names)
    draft.cells("family", [reading.file.family for reading in readings])
    draft.cells("scope", [reading.file.scope for reading in readings])
    draft.cells("source", [reading.file.path for reading in readings])
    cpus = [reading.cpu for reading in readings]
    draft.numbers("cpu", [cpu or 0 for cpu in cpus], known=np.array([cpu is not None for cpu in cpus], np.bool_))
    falls = np.array([name in reading.file.levels for name, reading in zip(names, readings, strict=True)], np.bool_)
    try:
        numbers = np.array([reading.number for reading in readings], np.uint64)
    except OverflowError as error:
        raise DecodeError(0, f"a number beyond 64 bits: {error}") from error
    draft.numbers("value", numbers, known=~falls)
    draft.numbers("level", numbers, known=falls)
    return draft.table()


STATISTICS = Collector(
    "statistics", COLUMNS, read, decode, "/proc/net/xfrm_stat, tls_stat, sctp/snmp, stat/*", every=2.0
)
