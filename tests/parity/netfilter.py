"""What ``nft list ruleset``, ``nft -j list ruleset`` and ``iptables-save -c`` print, as lists in their own order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

TABLE = re.compile(r"table (\S+) (\S+) \{(?: # handle (\d+))?$")
MEMBER = re.compile(r"(.+?) (\S+) \{(?: # handle (\d+))?$")
HANDLE = re.compile(r" # handle (\d+)$")
HOOK = re.compile(
    r"type (?P<type>\w+) hook (?P<hook>\w+)"
    r"(?: device (?P<device>\S+)| devices = \{ (?P<devices>.*?) \})? priority (?P<priority>[^;]+);"
    r"(?: policy (?P<policy>\w+);)?$"
)
POLICY = re.compile(r":(\S+) (\S+) \[(\d+):(\d+)\]$")
COUNTED = re.compile(r"\[(\d+):(\d+)\] (-A (\S+).*)$", re.DOTALL)


class NftRule(NamedTuple):
    family: str
    table: str
    chain: str
    handle: int | None  # with -a
    text: str


class NftChain(NamedTuple):
    family: str
    table: str
    name: str
    handle: int | None
    comment: str | None
    hook: dict[str, str]  # type, hook, device or devices, priority and policy of a base chain; else empty


class Ruleset(NamedTuple):
    chains: list[NftChain]
    rules: list[NftRule]
    members: list[tuple[str, str, str, str]]  # (family, table, kind, name) of sets, maps, flowtables and objects


class XtChain(NamedTuple):
    table: str
    name: str
    policy: str | None
    packets: int
    bytes: int


class XtRule(NamedTuple):
    table: str
    chain: str
    packets: int
    bytes: int
    text: str  # from "-A" on


def normalised(text: str) -> str:
    """The same text with every run of white space as one space, also where a line was broken."""
    return " ".join(text.split())


def nft_ruleset(text: str) -> Ruleset:
    """``nft list ruleset`` and ``nft -a list ruleset``."""
    found = Ruleset([], [], [])
    family = table = ""
    for statement in statements(text, top=True):
        if not (started := TABLE.match(statement.split("\n", 1)[0])):
            raise ValueError(f"no table: {statement[:80]!r}")
        family, table = started[1], started[2]
        for member in statements(body(statement)):
            take_member(found, family, table, member)
    return found


def take_member(found: Ruleset, family: str, table: str, member: str) -> None:
    head = MEMBER.match(member.split("\n", 1)[0])
    if not head or "\n" not in member:
        return  # the table's own comment and flags
    kind, name, handle = head[1], head[2], number(head[3])
    if kind != "chain":
        found.members.append((family, table, kind, name))
        return
    lines = list(statements(body(member)))
    comment = lines.pop(0)[len('comment "') : -1] if lines and lines[0].startswith('comment "') else None
    hook = HOOK.match(lines[0]) if lines else None
    if hook:
        lines.pop(0)
    told = {word: value for word, value in hook.groupdict().items() if value} if hook else {}
    found.chains.append(NftChain(family, table, name, handle, comment, told))
    for line in lines:
        handled = HANDLE.search(line)
        found.rules.append(NftRule(family, table, name, number(handled and handled[1]), HANDLE.sub("", line)))


def number(digits: str | None) -> int | None:
    return int(digits) if digits else None


def body(statement: str) -> str:
    """What stands between the first line, which ends with a brace, and the last one."""
    return statement.split("\n", 1)[1].rpartition("\n")[0] if statement.count("\n") > 1 else ""


def statements(text: str, top: bool = False) -> Iterator[str]:
    """Lines of one depth, each with the lines that belong to it: quoted text and braces are closed at its end."""
    held: list[str] = []
    depth, quoted = 0, False
    for line in text.split("\n"):
        if not held and (not line.strip() or (top and line.startswith("#"))):
            continue
        held.append(line)
        for part in re.findall(r'["{}]', line):
            if part == '"':
                quoted = not quoted
            elif not quoted:
                depth += 1 if part == "{" else -1
        if not quoted and depth == 0:
            yield "\n".join([held[0].lstrip("\t"), *held[1:]])
            held = []
    if held:
        raise ValueError(f"not closed: {held[0]!r}")


def nft_json(text: str) -> dict[str, list[dict[str, Any]]]:
    """``nft -j list ruleset``: the objects of each kind, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(text)["nftables"]:
        for kind, told in one.items():
            found.setdefault(kind, []).append(told)
    return found


def xt_saved(text: str) -> tuple[list[XtChain], list[XtRule]]:
    """``iptables-save -c`` and ``ip6tables-save -c``, of nft or legacy."""
    chains, rules, table = [], [], ""
    for line in xt_lines(text):
        if line.startswith("*"):
            table = line[1:]
        elif policy := POLICY.match(line):
            name, verdict, packets, octets = policy.groups()
            chains.append(XtChain(table, name, None if verdict == "-" else verdict, int(packets), int(octets)))
        elif rule := COUNTED.match(line):
            rules.append(XtRule(table, rule[4], int(rule[1]), int(rule[2]), rule[3]))
        elif line != "COMMIT":
            raise ValueError(f"no rule: {line!r}")
    return chains, rules


def xt_lines(text: str) -> Iterator[str]:
    """Lines, where a quoted text may go over several; a quote inside has a backslash."""
    held = ""
    for line in text.split("\n"):
        if not held and (not line or line.startswith("#")):
            continue
        held = f"{held}\n{line}" if held else line
        if len(re.findall(r'(?<!\\)"', re.sub(r"\\\\", "", held))) % 2 == 0:
            yield held
            held = ""
    if held:
        raise ValueError(f"not closed: {held!r}")
