"""Losses that no counter would show, and that what is set up here makes possible: one note for each kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

import numpy as np

from collectors.table import Table
from nettui.findings.finding import Diagnosis, Finding, Tables, number
from nettui.findings.rows import Row, above, counted, has, is_one_of, listed, picked, settings

DISCARDING = ("blackhole", "prohibit", "unreachable")
BLOCKED = ("blocking", "listening", "learning", "disabled")
GENERIC = 2  # XDP_ATTACHED_SKB
ARP_SILENT = 8  # arp_ignore: answer nothing
REASONS = "nettui drops --reasons  # the kernel's drop reasons show such losses (root)"
QUEUE = re.compile(r"(?:queue (?:flags [\w,]+ )?to |--queue-(?:num|balance) )(\d+)(?:[-:](\d+))?")


def find(tables: Tables) -> Iterator[Finding]:
    if "routes" in tables:
        yield from routes(tables["routes"])
    if "links" in tables:
        yield from ports(tables["links"])
        yield from generic_xdp(tables["links"])
    if "netfilter" in tables:
        yield from uncounted(tables["netfilter"])
        if "nfqueues" in tables:
            yield from unread(tables["netfilter"], tables["nfqueues"])
    yield from ignored(settings(tables))


def note(subject: str, says: str, evidence: tuple[str, ...], look: str, section: str, where: str) -> Finding:
    return Finding("note", subject, f"{says}, and no counter shows it", evidence, (look, REASONS), section, where)


def examples(words: list[str], count: int) -> str:
    return ", ".join(words) + (", …" if count > len(words) else "")


def routes(table: Table) -> Iterator[Finding]:
    """IPv4 only: IPv6 counts what such routes take."""
    found = is_one_of(table, "type", *DISCARDING) & is_one_of(table, "family", "inet")
    count = int(found.sum())
    if count:
        first = found & (np.cumsum(found) <= 3)
        told = [f"{row['type']} {row['dst']}" for row in picked(table, first, "type", "dst")]
        yield note(
            "routes that discard",
            f"what {counted(count, 'discarding IPv4 route')} would match is lost ({examples(told, count)})",
            tuple(f"routes: {words}" for words in told),
            f"nettui report routes --where 'type in ({', '.join(DISCARDING)})'  # all of them",
            "routes",
            f"family inet and type in ({', '.join(DISCARDING)})",
        )


def ports(links: Table) -> Iterator[Finding]:
    """Ports of bridges that do not forward, do not flood, or are kept from each other; those down show so already."""
    used = is_one_of(links, "slave_kind", "bridge") & has(links, "LOWER_UP")
    kinds: dict[str, list[str]] = {}
    isolated: list[Row] = []
    for row in picked(links, used, "ifname", "master_index", "info_slave_data"):
        data = row.get("info_slave_data")
        if not isinstance(data, dict):
            continue
        if data.get("state") in BLOCKED:
            kinds.setdefault(f"{data['state']}", []).append(str(row["ifname"]))
        unflooded = [word for word in ("flood", "mcast_flood", "bcast_flood") if data.get(word) is False]
        if unflooded:
            kinds.setdefault(f"{' and '.join(unflooded)} off", []).append(str(row["ifname"]))
        if data.get("isolated") is True:
            isolated.append(row)
    alike = [row for row in isolated if sum(row["master_index"] == other["master_index"] for other in isolated) > 1]
    if alike:
        kinds["isolated from each other"] = [str(row["ifname"]) for row in alike]
    if kinds:
        told = "; ".join(f"{listed(names, 3)} ({what})" for what, names in kinds.items())
        yield note(
            "bridge ports",
            f"frames to or between these ports of bridges are dropped: {told}",
            tuple(f"links: {listed(names)} {what}" for what, names in kinds.items()),
            "bridge -d link show  # state, flood and isolated of each port",
            "links",
            "slave_kind bridge",
        )


def generic_xdp(links: Table) -> Iterator[Finding]:
    found = links.codes("xdp").matching(lambda cell: isinstance(cell, dict) and cell.get("mode") == GENERIC)
    names = [str(row["ifname"]) for row in picked(links, found, "ifname")]
    if names:
        yield note(
            "generic XDP",
            f"an XDP program in generic mode on {listed(names, 3)} may drop packets",
            tuple(f"links: {name} xdp mode {GENERIC}" for name in names[:5]),
            f"ip -d link show dev {quote(names[0])}  # the program's number, for `bpftool prog show id`",
            "links",
            "has xdp",
        )


def uncounted(table: Table) -> Iterator[Finding]:
    found = above(table, "uncounted")
    count = int(found.sum())
    if not count:
        return
    first = found & (np.cumsum(found) <= 3)
    told = [what(row) for row in picked(table, first, "family", "table", "chain", "kind", "position", "policy", "rule")]
    yield note(
        "rules without a counter",
        f"{count:,} of the rules and policies drop or reject without counting ({examples(told, count)})",
        tuple(f"netfilter: {words}" for words in told),
        "nettui report netfilter --where uncounted  # all of them; `counter` before the verdict would count",
        "netfilter",
        "uncounted",
    )


def what(row: Row) -> str:
    place = " ".join(str(row[name]) for name in ("family", "table", "chain"))
    return f"{place} #{row['position']}" if row["kind"] == "rule" else f"{place} policy {row.get('policy')}"


def unread(table: Table, queues: Table) -> Iterator[Finding]:
    """Rules that hand packets to a queue which no process reads; with ``bypass`` such packets pass."""
    read = {number(row, "queue") for row in queues.select(("queue",)).rows()}
    rules = is_one_of(table, "verdict", "queue")
    lost = []
    for row in picked(table, rules, "family", "table", "chain", "kind", "position", "rule"):
        named, text = QUEUE.search(str(row["rule"])), str(row["rule"])
        if named and "bypass" not in text:
            wanted = range(int(named[1]), min(int(named[2] or named[1]), 0xFFFF) + 1)
            if not read.issuperset(wanted):
                lost.append((row, named[1]))
    if lost:
        told = [f"{what(row)} to queue {queue}" for row, queue in lost[:3]]
        yield note(
            "queues without a reader",
            f"{counted(len(lost), 'rule')} for queues that no process reads ({examples(told, len(lost))}) drop packets",
            tuple(f"netfilter: {str(row['rule'])[:200]}" for row, _ in lost[:3]),
            "cat /proc/net/netfilter/nfnetlink_queue  # the queues that are read: first column",
            "netfilter",
            "verdict queue",
        )


def ignored(known: dict[str, int]) -> Iterator[Finding]:
    names = [name for name in ("net.ipv4.icmp_echo_ignore_all", "net.ipv6.icmp.echo_ignore_all") if known.get(name)]
    names += [name for name in known if name.endswith(".arp_ignore") and known[name] >= ARP_SILENT]
    if names:
        yield note(
            "requests that are ignored",
            f"{'pings' if 'icmp' in names[0] else 'ARP requests'} are not answered, as {listed(names, 3)} says",
            tuple(f"settings: {name} {known[name]}" for name in names[:5]),
            f"sysctl {quote(names[0])}  # what it is now",
            "protocols",
            "counter in (Icmp.InEchos, Icmp6.InEchos)",
        )


SILENT_DROPS = Diagnosis(
    "silent_drops", "what is set up here may drop packets that no counter shows", (), find,
    ("routes", "links", "netfilter", "nfqueues", "settings"),
)  # fmt: skip
