"""Fill and limit of the kernel's tables, from sysctls and the counts beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.table import Column, Table
from collectors.wire.netlink import DecodeError

COLUMNS = (
    Column("name", "text", "key", help="what is limited"),
    Column("scope", "text", "key", help="host: the limit holds for all namespaces together; namespace: for this one"),
    Column("used", "u8", "gauge", help="in use now; absent where the kernel keeps no count"),
    Column("limit", "u8", "gauge", help="most that fit"),
    Column("unit", "text", "label", help="what is counted"),
    Column("source", "text", "label", help="the files read"),
)


class Limit(NamedTuple):
    """What is limited, where the limit stands and where the use does: a file and a word, by position or by name."""

    name: str
    scope: str
    unit: str
    limit: tuple[str, int]
    used: tuple[str, int | str] | None = None


# Documentation/networking/ip-sysctl.rst, nf_conntrack-sysctl.rst and Documentation/admin-guide/sysctl/net.rst.
# A use that the kernel counts in another scope than its limit is left out.
LIMITED = (
    Limit("conntrack entries", "namespace", "entries", ("sys/net/netfilter/nf_conntrack_max", 0),
          ("sys/net/netfilter/nf_conntrack_count", 0)),
    Limit("IPv4 neighbours", "host", "entries", ("sys/net/ipv4/neigh/default/gc_thresh3", 0),
          ("net/stat/arp_cache", "entries")),  # permanent ones included, which the limit ignores since 5.0
    Limit("IPv6 neighbours", "host", "entries", ("sys/net/ipv6/neigh/default/gc_thresh3", 0),
          ("net/stat/ndisc_cache", "entries")),
    Limit("TCP memory", "host", "pages", ("sys/net/ipv4/tcp_mem", 2), ("net/sockstat", "TCP: mem")),
    Limit("UDP memory", "host", "pages", ("sys/net/ipv4/udp_mem", 2), ("net/sockstat", "UDP: mem")),
    Limit("TCP orphans", "host", "sockets", ("sys/net/ipv4/tcp_max_orphans", 0), ("net/sockstat", "TCP: orphan")),
    Limit("TCP time-wait", "namespace", "sockets", ("sys/net/ipv4/tcp_max_tw_buckets", 0), ("net/sockstat", "TCP: tw")),
    Limit("open files", "host", "files", ("sys/fs/file-nr", 2), ("sys/fs/file-nr", 0)),
)  # fmt: skip


def read(host: Host) -> Iterator[Block]:
    """One block per file that this kernel and namespace have."""
    places = [place for entry in LIMITED for place in (entry.limit, entry.used) if place]
    for path in dict.fromkeys(place[0] for place in places):
        with contextlib.suppress(OSError):  # a kernel without the subsystem has no such limit
            yield Block(path, host.read(path))


def decode(raw: Raw) -> Table:
    files = {block.part: bytes(block.data) for block in raw if isinstance(block, Block)}
    found = [entry for entry in LIMITED if entry.limit[0] in files]
    draft = Draft(COLUMNS, len(found))
    draft.cells("name", [entry.name for entry in found])
    draft.cells("scope", [entry.scope for entry in found])
    draft.cells("unit", [entry.unit for entry in found])
    draft.cells("source", ["/proc/" + entry.limit[0] for entry in found])
    for row, entry in enumerate(found):
        at = slice(row, row + 1)
        draft.numbers("limit", [word(files[entry.limit[0]], entry.limit[1])], at)
        if entry.used and entry.used[0] in files:
            draft.numbers("used", [word(files[entry.used[0]], entry.used[1])], at)
    return draft.table()


def word(content: bytes, where: int | str) -> int:
    """A number by its position; behind ``LINE: name`` in a sockstat file; under a heading, in hexadecimal, in stat/."""
    words = content.split()
    try:
        if isinstance(where, int):
            return max(0, int(words[where]))
        if ": " not in where:
            heading, first = content.splitlines()[:2]
            return int(first.split()[heading.split().index(where.encode())], 16)
        line, name = where.encode().split()
        rest = next(each.split() for each in content.splitlines() if each.startswith(line))
        return max(0, int(rest[rest.index(name) + 1]))
    except (IndexError, ValueError, StopIteration) as error:
        raise DecodeError(0, f"no {where} in {content[:60]!r}") from error


LIMITS = Collector("limits", COLUMNS, read, decode, "/proc/sys/net", every=5.0)
