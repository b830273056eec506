"""Rules of iptables in a namespace: the structs that the kernel gives back, beside the lines of iptables-save."""

from __future__ import annotations

import ctypes
import os
import shlex
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from collectors import Host
from collectors.host import libc
from collectors.netfilter.nfnetlink import NFTABLES, dump_of
from collectors.wire.netlink import NLM_F_ACK, attribute, messages, request
from collectors.wire.templates import View
from tests.lab import Namespace, namespace
from tests.parity.libxtables import Struct
from tests.xt_rules import every_rule

TABLES = ("raw", "mangle", "nat", "filter")
SETS = ("hash:ip timeout 100 counters", "hash:ip,port counters", "hash:ip,port,ip", "hash:ip skbinfo")
ESTIMATOR = "-t mangle -A OUTPUT -j RATEEST --rateest-interval 250ms --rateest-ewmalog 500ms --rateest-name"
NFNL_MSG_ACCT_NEW, IPCTNL_MSG_TIMEOUT_NEW = 0x700, 0x800
NFTA_MATCH_NAME, NFTA_MATCH_REV, NFTA_MATCH_INFO = 1, 2, 3
# where in struct ipt_entry, ip6t_entry target_offset stands, and the size of the entry's head
ENTRY = {2: (88, 112), 10: (140, 168)}


@dataclass(frozen=True)
class Rule:
    """A line of iptables-save and the rule's structs in the kernel's order."""

    line: str
    structs: list[Struct]


@dataclass
class Scene:
    """Every rule that this kernel takes; ``refused``: what iptables said to the others."""

    inside: Namespace
    family: int
    legacy: bool
    refused: dict[str, str] = field(default_factory=dict)

    def command(self, suffix: str = "") -> str:
        name = "iptables" if self.family == 2 else "ip6tables"
        return f"{name}-legacy{suffix}" if self.legacy else f"{name}-nft{suffix}"

    def iptables(self, arguments: list[str]) -> str:
        """What iptables complained of; "" when it has taken the rule."""
        command = ["ip", "netns", "exec", self.inside.name, self.command(), "-w", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        return done.stderr.decode("utf-8", "replace").strip() or "refused" if done.returncode else ""

    def saved(self, table: str) -> dict[str, list[str]]:
        """iptables-save's lines by chain."""
        command = ["ip", "netns", "exec", self.inside.name, self.command("-save"), "-t", table]
        text = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
        found: dict[str, list[str]] = {}
        for line in text.decode("utf-8", "surrogateescape").split("\n"):
            if line.startswith("-A "):
                found.setdefault(line.split(" ", 2)[1], []).append(line)
        return found

    def rules(self) -> Iterator[Rule]:
        for table in TABLES:
            chains = self.saved(table)
            if self.legacy:
                lines = [line for chain in chains.values() for line in chain]
                structs = list(legacy_structs(self.inside.host, self.family, table))
                yield from (Rule(line, found) for line, found in zip(lines, structs, strict=True))
            else:
                by_chain = nft_structs(self.inside.host, self.family, table)
                for chain, lines in chains.items():
                    yield from (Rule(*pair) for pair in zip(lines, by_chain[chain], strict=True))


@contextmanager
def every_rule_added(family: int, *, legacy: bool) -> Iterator[Scene]:
    with namespace() as inside:
        scene = Scene(inside, family, legacy)
        for number, kind in enumerate(SETS, 1):
            inside.run(f"ipset create s{number} {kind}{' family inet6' if family == 10 else ''}")
        account(inside.host, "acct1", "two words")
        timeout_policy(inside.host, family, "pol")  # kernels give back 4 bytes of the name
        for name in ("re1", "re2"):
            assert not scene.iptables([*ESTIMATOR.split(), name])
        for table, chain, arguments in every_rule(family):
            refusal = scene.iptables(["-t", table, "-A", chain, *shlex.split(arguments)])
            if refusal:
                scene.refused[arguments] = refusal
        yield scene


def account(host: Host, *names: str) -> None:
    """Objects for ``-m nfacct``, which have no tool here."""
    for name in names:
        asked(host, NFNL_MSG_ACCT_NEW, b"\0" * 4 + attribute(1, name.encode() + b"\0"))


def timeout_policy(host: Host, family: int, name: str) -> None:
    """An object for ``-j CT --timeout``: of TCP, with the default timeouts."""
    body = attribute(1, name.encode() + b"\0") + attribute(2, struct.pack(">H", family)) + attribute(3, b"\x06")
    asked(host, IPCTNL_MSG_TIMEOUT_NEW, b"\0" * 4 + body + attribute(0x8004, attribute(1, struct.pack(">I", 60))))


def asked(host: Host, kind: int, body: bytes) -> None:
    with host.socket(socket.SOCK_RAW, 12) as sock:
        sock.send(request(kind, NLM_F_ACK | 0x600, 1, body))
        messages(sock.recv(8192))


def legacy_structs(host: Host, family: int, table: str) -> Iterator[list[Struct]]:
    """Of each rule of a legacy table; the policies, which have neither match nor target, are left out."""
    entries = legacy_entries(host, family, table)
    target_at, head = ENTRY[family]
    at = 0
    while at < len(entries):
        target, following = struct.unpack_from("HH", entries, at + target_at)
        found = []
        place = at + head
        while place < at + following:
            size, name, revision = struct.unpack_from("H29sB", entries, place)
            text = name.split(b"\0")[0].decode()
            kind = "match" if place < at + target else "target"
            found.append(Struct(kind, text, revision, entries[place + 32 : place + size]))
            place += size
        at += following
        if found := [struct_ for struct_ in found if struct_.name not in ("", "ERROR")]:
            yield found


def legacy_entries(host: Host, family: int, table: str) -> bytes:
    """getsockopt IPT_SO_GET_INFO (64), then IPT_SO_GET_ENTRIES (65)."""
    name = table.encode().ljust(32, b"\0")
    kind, level = (socket.AF_INET, 0) if family == 2 else (socket.AF_INET6, 41)
    with host.socket(socket.SOCK_RAW, socket.IPPROTO_RAW, kind) as sock:
        (size,) = struct.unpack_from("I", option_of(sock, level, 64, name + bytes(52)), 80)
        return option_of(sock, level, 65, name + struct.pack("II", size, 0) + bytes(size))[40:]


def option_of(sock: socket.socket, level: int, name: int, asked_with: bytes) -> bytes:
    """getsockopt with an argument, which Python's own does not have."""
    buffer = ctypes.create_string_buffer(asked_with, len(asked_with))
    length = ctypes.c_uint(len(asked_with))
    if libc().getsockopt(sock.fileno(), level, name, buffer, ctypes.byref(length)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return buffer.raw


def nft_structs(host: Host, family: int, table: str) -> dict[str, list[list[Struct]]]:
    """By chain, of each rule the structs in its expressions ``match`` and ``target``."""
    found: dict[str, list[list[Struct]]] = {}
    for block in dump_of(host, NFTABLES, 7, family):
        told = messages(block.data)
        for offset, length in zip(told.offsets.tolist(), told.lengths.tolist(), strict=True):
            rule = View(bytes(told.data[offset + 20 : offset + length])).attribute_map()
            if {1, 2, 4} <= rule.keys() and rule[1].text() == table:
                found.setdefault(rule[2].text(), []).append(list(expressions(rule[4])))
    return found


def expressions(listed: View) -> Iterator[Struct]:
    for _, element in listed.attributes():
        parts = element.attribute_map()
        kind = parts[1].text()
        if kind in ("match", "target"):
            data = parts[2].attribute_map()
            revision = data[NFTA_MATCH_REV].number()
            yield Struct(kind, data[NFTA_MATCH_NAME].text(), revision, data[NFTA_MATCH_INFO].octets())
