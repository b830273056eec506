"""Tables of iptables-legacy and ip6tables-legacy, by getsockopt (uapi linux/netfilter_ipv4/ip_tables.h, ip6_tables.h).

Only tables that /proc/net/ip_tables_names (ip6_tables_names) shows are asked for: of another name the kernel would
load the module (net/netfilter/x_tables.c, xt_request_find_table_lock), or make the table for this namespace
(xt_find_table_lock), and from then on send every packet through it. Any socket of the family serves; one for
datagrams needs no right of its own, as a raw one does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from collectors.collector import INTERRUPTED, Block
from collectors.host import Host, libc
from collectors.netfilter.told import Records
from collectors.netfilter.xt.entry import EXTENSION, FORMS, VERDICTS, Form
from collectors.netfilter.xt.setting import NFPROTO_IPV4, NFPROTO_IPV6
from collectors.table import Gap
from collectors.values import Codes
from collectors.wire.netlink import DecodeError
from collectors.wire.templates import told_string

PART = "legacy"
FAMILIES = {"ip": NFPROTO_IPV4, "ip6": NFPROTO_IPV6}
LISTS = {"ip": "net/ip_tables_names", "ip6": "net/ip6_tables_names"}
LEVELS = {"ip": socket.IPPROTO_IP, "ip6": socket.IPPROTO_IPV6}
IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES = 64, 65  # IP6T_SO_ alike
ATTEMPTS = 5
GONE = (errno.ENOENT, errno.ENOPROTOOPT)

HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
# struct ipt_getinfo, ip6t_getinfo { char name[32]; unsigned int valid_hooks; unsigned int hook_entry[5];
#   unsigned int underflow[5]; unsigned int num_entries; unsigned int size; };
GETINFO = struct.Struct("=32sI5I5III")
# struct ipt_get_entries, ip6t_get_entries { char name[32]; unsigned int size; struct ipt_entry entrytable[]; };
GET_ENTRIES = struct.Struct("=32sI4x")
ERROR_TARGET = b"ERROR\0"


@dataclass(frozen=True, slots=True)
class LegacyChain:
    """``hook``, ``policy``, and the packets and bytes that met it: None for a chain that is only jumped to."""

    name: str
    hook: str | None = None
    policy: str | None = None
    packets: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LegacyTable:
    """``chains`` as iptables-legacy-save lists them; ``rules``: one struct ipt_entry each, chain by chain;
    ``jumps``: names of chains by the offset that a jump to them names.
    """

    family: int
    name: str
    chains: Sequence[LegacyChain]
    rules: Records
    jumps: dict[int, str]


def read(host: Host) -> Iterator[Block | Gap]:
    """A block for each table: struct ipt_getinfo, and its entries behind it; its part is "legacy FAMILY TABLE"."""
    for family, path in LISTS.items():
        try:
            names = host.read(path).decode("utf-8", "surrogateescape").split()
            if names:
                with host.socket(socket.SOCK_DGRAM, 0, address_family(family)) as sock:
                    yield from read_tables(sock, family, names)
        except FileNotFoundError:
            continue  # no xtables in this kernel
        except PermissionError:
            yield Gap(f"{family}tables-legacy: its tables may not be read", "run as root (CAP_NET_ADMIN)")


def address_family(family: str) -> int:
    return socket.AF_INET if family == "ip" else socket.AF_INET6


def read_tables(sock: socket.socket, family: str, names: Sequence[str]) -> Iterator[Block | Gap]:
    for name in names:
        try:
            data = read_table(sock, LEVELS[family], name)
        except OSError as error:
            if error.errno not in GONE:
                raise
            continue
        yield INTERRUPTED if data is None else Block(f"{PART} {family} {name}", data)


def read_table(sock: socket.socket, level: int, name: str) -> bytes | None:
    """None where the table changed between the questions, time and again."""
    called = os.fsencode(name)
    for _ in range(ATTEMPTS):
        info = ask(sock, level, IPT_SO_GET_INFO, called, GETINFO.size)
        size = GETINFO.unpack(info)[-1]
        try:
            entries = ask(sock, level, IPT_SO_GET_ENTRIES, GET_ENTRIES.pack(called, size), GET_ENTRIES.size + size)
        except BlockingIOError:  # EAGAIN: no longer of this size
            continue
        if ask(sock, level, IPT_SO_GET_INFO, called, GETINFO.size) == info:  # else hooks may enter elsewhere by now
            return info + entries[GET_ENTRIES.size :]
    return None


def ask(sock: socket.socket, level: int, option: int, question: bytes, room: int) -> bytes:
    """getsockopt with a question in its buffer, which Python's own cannot send."""
    buffer = ctypes.create_string_buffer(question, room)
    length = ctypes.c_uint32(room)
    if libc().getsockopt(sock.fileno(), level, option, buffer, ctypes.byref(length)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return buffer.raw


def decode(blocks: Sequence[Block]) -> list[LegacyTable]:
    """The tables among the blocks; DecodeError for entries that do not lie one behind the other."""
    found = []
    for block in blocks:
        part, _, rest = block.part.partition(" ")
        family, _, name = rest.partition(" ")
        if part == PART and family in FAMILIES:
            found.append(table(FAMILIES[family], name, bytes(block.data)))
    return found


@dataclass(slots=True)
class Member:
    """A chain, and where its entries start; the last one is its policy, or the return from it."""

    name: str
    hook: int | None
    entries: list[int]


def table(family: int, name: str, data: bytes) -> LegacyTable:
    if len(data) < GETINFO.size:
        raise DecodeError(0, f"{len(data)} bytes of a table")
    _, valid, *rest = GETINFO.unpack_from(data)
    heads = {entry: hook for hook, entry in enumerate(rest[:5]) if valid >> hook & 1}
    data, form = data[GETINFO.size :], FORMS[family]
    members, jumps, ends = divided(data, form, heads)
    members.sort(key=lambda member: (member.hook is None, os.fsencode(member.name) if member.hook is None else b""))
    chains = [chain(member, data, form) for member in members]
    rules = [(at, member.name) for member in members for at in member.entries[:-1]]
    offsets = np.array([at for at, _ in rules], np.intp)
    lengths = np.array([ends[at] - at for at, _ in rules], np.intp)
    handles = np.zeros(len(rules), np.uint64)
    names = Codes.of([name for _, name in rules])
    records = Records(np.frombuffer(data, np.uint8), offsets, lengths, names, handles)
    return LegacyTable(family, name, chains, records, jumps)


def divided(data: bytes, form: Form, heads: dict[int, int]) -> tuple[list[Member], dict[int, str], dict[int, int]]:
    """The chains; their names by what a jump to them names; the end of each entry by its start.

    A built-in chain starts where the table's hook enters; any other behind an entry whose target is ERROR and says
    its name. A last such entry ends the table.
    """
    members: list[Member] = []
    jumps: dict[int, str] = {}
    ends: dict[int, int] = {}
    at = 0
    while at < len(data):
        target, end = bounds(data, at, form)
        called = head_name(data, target, end)
        if called is not None and end < len(data):
            members.append(Member(called, None, []))
            jumps[end] = called
        elif called is None:
            if at in heads:
                members.append(Member(HOOKS[heads[at]].upper(), heads[at], []))
            if not members:
                raise DecodeError(at, "a rule of no chain")
            members[-1].entries.append(at)
        ends[at] = end
        at = end
    return members, jumps, ends


def bounds(data: bytes, at: int, form: Form) -> tuple[int, int]:
    """Where the target of the entry at ``at`` starts, and where the entry ends."""
    if len(data) - at < form.size + EXTENSION:
        raise DecodeError(at, f"{len(data) - at} bytes left for an entry")
    target, length = struct.unpack_from("=HH", data, at + form.target_offset)
    if not form.size <= target <= length - EXTENSION or length > len(data) - at:
        raise DecodeError(at, f"entry of {length} bytes, its target at {target}, {len(data) - at} left")
    return at + target, at + length


def head_name(data: bytes, target: int, end: int) -> str | None:
    """The name that an ERROR target holds (struct xt_error_target { ...; char errorname[30]; })."""
    if not data.startswith(ERROR_TARGET, target + 2):
        return None
    return told_string(data[target + EXTENSION : end])


def chain(member: Member, data: bytes, form: Form) -> LegacyChain:
    if not member.entries:
        raise DecodeError(0, f"chain {member.name} without an end")
    if member.hook is None:
        return LegacyChain(member.name)
    last = member.entries[-1]
    target, end = bounds(data, last, form)
    if end - target < EXTENSION + 4:
        raise DecodeError(target, "policy without a verdict")
    (verdict,) = struct.unpack_from("=i", data, target + EXTENSION)
    packets, octets = struct.unpack_from("=QQ", data, last + form.counters)
    return LegacyChain(member.name, HOOKS[member.hook], VERDICTS.get(verdict, ("", None))[1], packets, octets)
