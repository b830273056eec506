"""Section services: Kubernetes services and published ports of containers, told from their iptables chains.

Only chains that follow the pattern of their program to the letter are told; others are left out and never guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from collectors.draft import Draft
from collectors.table import Column, Table
from collectors.values import Addresses, Cell, Values
from nettui.netfilter.iptables_syntax import words
from nettui.netfilter.rules import netfilter
from nettui.rates import SUFFIX

COLUMNS = (
    Column("manager", "text", "key", help="kubernetes, docker, podman or cni"),
    Column("service", "text", "key", help="namespace/name:port of Kubernetes; address:port of a published port"),
    Column("kind", "text", "key", help="clusterIP, nodePort, external (IP or load balancer) or published"),
    Column("proto", "text", "key", help="protocol"),
    Column("address", "address", "key", help="address that the service is asked at; absent: any of this host"),
    Column("port", "u2", "key", help="port that it is asked at"),
    Column("endpoint", "text", "key", help="address and port that a new flow is sent to"),
    Column("probability", "f8", "gauge", help="share of the new flows that this endpoint gets"),
    Column("packets", "u8", "counter", "packets", "first packets of flows to the endpoint, by whichever entry"),
    Column("bytes", "u8", "counter", "B", "bytes of these"),
    Column("chain", "text", "key", help="chain that sends them to the endpoint"),
    Column("family", "text", "key", help="ip or ip6"),
    Column("world", "text", "key", help="iptables-nft or iptables-legacy"),
)
RATES = tuple(Column(name + SUFFIX, "f8", "gauge", f"{unit}/s", f"{what}, per second") for name, unit, what in (
    ("packets", "packets", "first packets of flows to the endpoint"), ("bytes", "B", "bytes of these"),
))  # fmt: skip
BALANCED = ("KUBE-SVC-", "KUBE-SVL-")
ENTERED = (*BALANCED, "KUBE-EXT-", "KUBE-FW-", "KUBE-XLB-")
ENDPOINT = "KUBE-SEP-"
KINDS = {"cluster IP": "clusterIP", "external IP": "external", "loadbalancer IP": "external", "": "nodePort"}
# beginning of the chain that holds the DNAT rules of published ports -> who made it
PUBLISHED = {"DOCKER": "docker", "NETAVARK-DN-": "podman", "CNI-DN-": "cni"}
DESTINATION = re.compile(r"(?:\d+\.){3}\d+:\d+|\[[0-9a-f:.]+\]:\d+")
SHARE = re.compile(r"[01]\.\d+|[01]")
FEWEST_SHARE = 1e-9

Home = tuple[str, str, str]  # world, family, table


class Rule(NamedTuple):
    """A rule of a nat table: its row, its chain and what it says."""

    row: int
    chain: str
    target: str
    arguments: list[str]
    comment: str

    def has(self, *options: str) -> bool:
        return any(option in self.arguments for option in options)

    def value(self, option: str) -> str:
        place = self.arguments.index(option) + 1 if option in self.arguments else len(self.arguments)
        return self.arguments[place].lstrip('"') if place < len(self.arguments) else ""

    def only(self, *modules: str) -> bool:
        """Whether it asks nothing but what these modules ask."""
        asked = [self.arguments[at + 1] for at, word in enumerate(self.arguments[:-1]) if word == "-m"]
        return set(asked) <= {"comment", *modules} and not self.has("!", "-s", "-d", "-i", "-o")


class Entry(NamedTuple):
    """Where a service is asked (``rule`` tells it), and one endpoint that answers (``counted`` counts)."""

    manager: str
    service: str
    kind: str
    rule: int
    endpoint: str
    probability: float
    counted: int


def services(tables: Mapping[str, Table]) -> Table:
    table = netfilter(tables)
    found = [entry for rules in nat_rules(table).values() for entry in (*kubernetes(rules), *published(rules))]
    return tabled(table, [entry for entry in found if is_plain(table, entry)])


def nat_rules(table: Table) -> dict[Home, dict[str, list[Rule]]]:
    """Rules in iptables' syntax of the nat tables, by table and chain."""
    asked = [
        table.codes("world").matching(lambda world: str(world).startswith("iptables")),
        table.codes("table").matching(lambda name: name == "nat"),
        table.codes("rule").present(),
    ]
    rows = np.flatnonzero(np.logical_and.reduce(asked))
    names = ("world", "family", "table", "chain", "target", "comment", "rule")
    found: dict[Home, dict[str, list[Rule]]] = defaultdict(lambda: defaultdict(list))
    for row, *cells in zip(rows.tolist(), *(table[name].take(rows).cells() for name in names), strict=True):
        world, family, nat, chain, target, comment, text = ("" if cell is None else str(cell) for cell in cells)
        found[world, family, nat][chain].append(Rule(row, chain, target, words(text)[2:], comment))
    return found


def kubernetes(chains: Mapping[str, list[Rule]]) -> Iterator[Entry]:
    """kube-proxy's tree: entry -> (KUBE-EXT- ->) KUBE-SVC- or KUBE-SVL- -> KUBE-SEP-, each with one DNAT rule."""
    for name in ("KUBE-SERVICES", "KUBE-NODEPORTS"):
        for rule in chains.get(name, ()):
            balanced = balancing(chains, rule.target)
            service, _, what = rule.comment.partition(" ")
            if balanced and what in KINDS and "/" in service:
                for share, counted in endpoints(chains, balanced):
                    yield Entry(
                        "kubernetes",
                        service,
                        KINDS[what],
                        rule.row,
                        counted.value("--to-destination"),
                        share,
                        counted.row,
                    )


def balancing(chains: Mapping[str, list[Rule]], target: str) -> str:
    """The chain that chooses the endpoint: the target, or what it leads every packet to that it has not sent on."""
    for _ in range(3):
        if target.startswith(BALANCED):
            return target
        if not target.startswith(ENTERED):
            return ""
        onward = [rule.target for rule in chains.get(target, ()) if rule.only() and rule.target.startswith(ENTERED)]
        target = onward[-1] if onward else ""
    return ""


def endpoints(chains: Mapping[str, list[Rule]], name: str) -> list[tuple[float, Rule]]:
    """Each endpoint's share and its DNAT rule; none when a rule of the chain does not follow the pattern."""
    found: list[tuple[float, Rule]] = []
    left = 1.0
    for rule in chains.get(name, ()):
        if not rule.target.startswith(ENDPOINT) or rule.has("recent"):
            continue  # marks for masquerading, and flows that stay with their endpoint
        share = left * chance(rule) if rule.only("statistic") else -1.0
        dnat = [other for other in chains.get(rule.target, ()) if other.has("--to-destination")]
        if not 0 <= share <= left or len(dnat) != 1:
            return []
        left -= share
        if share > FEWEST_SHARE:
            found.append((share, dnat[0]))
    return found


def chance(rule: Rule) -> float:
    """Probability with which a packet that comes to the rule is taken; -1 when the rule chooses in another way."""
    if not rule.has("statistic"):
        return 1.0
    told = rule.value("--probability")
    return float(told) if rule.value("--mode") == "random" and SHARE.fullmatch(told) else -1.0


def published(chains: Mapping[str, list[Rule]]) -> Iterator[Entry]:
    """Ports of containers, that one DNAT rule each publishes."""
    for chain, rules in chains.items():
        manager = next((who for start, who in PUBLISHED.items() if chain.startswith(start)), None)
        if manager is None or (manager == "docker" and chain != "DOCKER"):
            continue
        for rule in rules:
            if rule.value("-j") == "DNAT" and rule.value("--dport").isdigit():
                address = rule.value("-d").removesuffix("/32").removesuffix("/128") or "*"
                shown = f"[{address}]" if ":" in address else address
                service = f"{shown}:{rule.value('--dport')}"
                yield Entry(manager, service, "published", rule.row, rule.value("--to-destination"), 1.0, rule.row)


def is_plain(table: Table, entry: Entry) -> bool:
    """Whether the rule's protocol and one port are told, and the endpoint is an address and a port."""
    ports = table.cell(entry.rule, "dport")
    one = isinstance(ports, list) and len(ports) == 1 and table.cell(entry.rule, "proto") is not None
    return one and DESTINATION.fullmatch(entry.endpoint) is not None


def tabled(table: Table, entries: list[Entry]) -> Table:
    asked = np.array([entry.rule for entry in entries], np.intp)
    counted = np.array([entry.counted for entry in entries], np.intp)
    draft = Draft(COLUMNS, len(entries))
    for name in ("manager", "service", "kind", "endpoint"):
        draft.cells(name, [getattr(entry, name) for entry in entries])
    draft.numbers("probability", np.array([round(entry.probability, 6) for entry in entries]))
    draft.numbers("port", np.array([first(cell) for cell in table["dport"].take(asked).cells()], np.uint16))
    draft.cells("proto", table["proto"].take(asked).cells())
    for name in ("chain", "family", "world"):
        draft.cells(name, table[name].take(counted).cells())
    for name in ("packets", "bytes"):
        numbers = table.numbers(name).take(counted)
        draft.numbers(name, numbers.numbers, known=numbers.present())
    found = draft.table()
    arrays: dict[str, Values] = {"address": hosts(table["dst"].take(asked))}
    rates = [column for column in RATES if column.name in table]
    arrays |= {column.name: table[column.name].take(counted) for column in rates}
    return found.extended(rates, arrays).with_gaps(table.gaps)


def first(cell: Cell) -> int:
    return cell[0] if isinstance(cell, list) else 0


def hosts(values: Values) -> Addresses:
    assert isinstance(values, Addresses)
    return Addresses(values.octets, values.form)
