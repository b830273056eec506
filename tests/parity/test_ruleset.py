"""The ruleset of all worlds beside ``nft -a list ruleset``, ``nft -j list ruleset`` and ``iptables-save -c``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from collectors import collect
from collectors.collector import INTERRUPTED
from collectors.table import Table
from collectors.values import Cell
from tests import netfilter_scenes as scenes
from tests.lab import Namespace, namespace, needs_root
from tests.parity.netfilter import NftChain, nft_json, nft_ruleset, normalised, xt_saved

pytestmark = [pytest.mark.root, needs_root]

Rows = list[dict[str, Cell]]
SCENES: dict[str, Callable[[], AbstractContextManager[Namespace]]] = {
    "docker": scenes.docker_host,
    "kubernetes": scenes.kubernetes_host,
    "firewalld": scenes.firewalld_host,
    "router": scenes.nft_router,
    "both worlds": scenes.both_worlds,
    "many nft": partial(scenes.many_nft_rules, 2_000),
    "many iptables": partial(scenes.many_iptables_rules, 2_000),
    "many legacy": partial(scenes.many_iptables_rules, 2_000, legacy=True),
}
SAVES = {
    ("iptables-nft", "ip"): "iptables-nft-save -c",
    ("iptables-nft", "ip6"): "ip6tables-nft-save -c",
    ("iptables-legacy", "ip"): "iptables-legacy-save -c",
    ("iptables-legacy", "ip6"): "ip6tables-legacy-save -c",
}


@pytest.mark.parametrize("scene", SCENES)
def test_every_rule_is_told_as_its_own_tool_tells_it(scene):
    with SCENES[scene]() as inside:
        table = settled(inside)
        wrong = [*nft_differences(inside, table), *json_differences(inside, table)]
        for (world, family), command in SAVES.items():
            wrong += save_differences(inside, select(table, world=world, family=family), command)
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:20])


def settled(inside: Namespace) -> Table:
    table = collect("netfilter", inside.host)
    assert not table.gaps
    return table


def select(table: Table, **wanted: str) -> Rows:
    return [row for row in table.rows() if all(row.get(name) == value for name, value in wanted.items())]


def place(row: dict[str, Cell]) -> tuple[Cell, ...]:
    return row["family"], row["table"], row["chain"]


def nft_differences(inside: Namespace, table: Table) -> list[str]:
    """Text, chain and order of nft's rules; iptables' own tables are compared with what iptables saves."""
    listed = nft_ruleset(inside.run("nft -a list ruleset"))
    ours = {(*place(row), row["handle"]): row for row in select(table, world="nft", kind="rule")}
    theirs = {place(row) for row in select(table, world="nft")}
    peers = [rule for rule in listed.rules if (rule.family, rule.table, rule.chain) in theirs]
    wrong = [f"missing: {rule}" for rule in peers if (*rule[:3], rule.handle) not in ours]
    for rule in peers:
        row = ours.get((*rule[:3], rule.handle))
        if row and settled_text(row["rule"]) != settled_text(rule.text):
            wrong.append(f"{row['rule']!r}\n      nft: {rule.text!r}")
    heads = {place(row): row for row in select(table, world="nft", kind="base chain")}
    for chain in listed.chains:
        if head := heads.get((chain.family, chain.table, chain.name)):
            wrong += head_differences(head, chain)
    return wrong


def head_differences(head: dict[str, Cell], chain: NftChain) -> list[str]:
    """Names of priorities, devices and comments, which nft's JSON does not have."""
    said = chain.hook.get("devices") or chain.hook.get("device")
    devices = sorted(part.strip().strip('"') for part in said.split(",")) if said else None
    ours = (head["priority_name"], sorted(head["dev"]) if "dev" in head else None, head.get("comment"))  # type: ignore[type-var,arg-type]
    theirs = (chain.hook["priority"], devices, chain.comment)
    return [] if ours == theirs else [f"{ours}, nft's {theirs}"]


def settled_text(text: Cell) -> str:
    """Without what goes on counting time between two readings."""
    words = normalised(str(text)).split()
    for at, word in enumerate(words[:-1]):
        if word in ("expires", "used"):
            words[at + 1] = "…"
    return " ".join(words)


def json_differences(inside: Namespace, table: Table) -> list[str]:
    """Handles, positions, hooks, priorities, policies and types of every chain and rule of nf_tables."""
    found = nft_json(inside.run("nft -j list ruleset"))
    rows = [row for row in table.rows() if row["world"] != "iptables-legacy"]
    wrong = []
    chains = {place(row): row for row in rows if row["kind"] != "rule"}
    for chain in found.get("chain", []):
        row = chains.pop((chain["family"], chain["table"], chain["name"]), None)
        wrong += [f"no chain {chain}"] if row is None else chain_differences(row, chain)
    wrong += [f"chain of our own: {key}" for key in chains if not str(key[2]).startswith("__chain")]  # in a rule
    for place_, rules in grouped(found.get("rule", [])).items():
        own = [row["handle"] for row in rows if row["kind"] == "rule" and place(row) == place_]
        if own != [rule["handle"] for rule in rules]:
            wrong.append(f"{place_}: handles {own[:9]}, nft's {[rule['handle'] for rule in rules][:9]}")
    return wrong


def chain_differences(row: dict[str, Cell], chain: dict[str, Any]) -> list[str]:
    pairs = {"handle": "handle", "type": "type", "hook": "hook", "priority": "prio", "policy": "policy"}
    return [
        f"{row} has not nft's {key} {chain.get(key)!r}"
        for name, key in pairs.items()
        if row.get(name) != chain.get(key)
    ]


def grouped(rules: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for rule in rules:
        found.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(rule)
    return found


def save_differences(inside: Namespace, rows: Rows, command: str) -> list[str]:
    """Rules in order with their counters, and the policies of the built-in chains with theirs."""
    chains, rules = xt_saved(inside.run(command))
    wrong = []
    for table in {rule.table for rule in rules} | {str(row["table"]) for row in rows}:
        own = [row for row in rows if row["table"] == table]
        for chain in [chain for chain in chains if chain.table == table]:
            theirs = [rule for rule in rules if (rule.table, rule.chain) == (table, chain.name)]
            ours = [row for row in own if row["kind"] == "rule" and row["chain"] == chain.name]
            expected = [(normalised(rule.text), rule.packets, rule.bytes) for rule in theirs]
            found = [(normalised(str(row["rule"])), row["packets"], row["bytes"]) for row in ours]
            wrong += [
                f"{one}\n      {command}: {other}" for one, other in zip(found, expected, strict=False) if one != other
            ]
            if len(found) != len(expected):
                wrong.append(f"{command} {table} {chain.name}: {len(found)} rules, the peer {len(expected)}")
            head = next((row for row in own if row["kind"] != "rule" and row["chain"] == chain.name), None)
            if (
                head and chain.policy and head.get("policy") != chain.policy.lower()
            ):  # it lists chains that are not there
                wrong.append(f"{command} {table} {chain.name}: policy {head.get('policy')}, the peer {chain.policy}")
    return wrong


BY_HAND = """
table ip filter {
  chain INPUT {
    type filter hook input priority filter
    ip saddr 1.2.3.4 tcp dport 22 meta mark 5 counter drop comment "by hand"
    iifname "eth*" accept comment "say it twice"
    counter
  }
}
table ip nat {
  chain PREROUTING {
    type filter hook prerouting priority dstnat
    counter comment "of a type that iptables does not know there"
  }
}
"""


def test_tables_with_names_of_iptables_made_by_hand_are_told_as_iptables_tells_them_where_it_does():
    with namespace() as inside:
        scenes.load_nft(inside, BY_HAND)
        table = settled(inside)
        theirs = xt_saved(inside.run("iptables-nft-save -c"))[1]
        wrong = nft_differences(inside, table)
    ours = [normalised(str(row["rule"])) for row in select(table, world="iptables-nft", kind="rule")]
    assert ours == [normalised(rule.text) for rule in theirs]
    assert len(ours) == 3
    assert [row["table"] for row in select(table, world="nft", kind="rule")] == ["nat"]
    assert not wrong


def test_base_chains_stand_in_the_order_of_hook_and_priority():
    with scenes.both_worlds() as inside:
        table = settled(inside)
    based = select(table, kind="base chain")
    hooks = ("ingress", "prerouting", "input", "forward", "output", "postrouting", "egress")
    order = [(hooks.index(str(row["hook"])), row["priority"]) for row in based]
    assert order == sorted(order)
    assert {row["world"] for row in based} == {"nft", "iptables-nft", "iptables-legacy"}


def test_a_ruleset_that_changes_while_it_is_read_is_read_again(monkeypatch):
    """The first reading is disturbed by a commit in its middle, the second is left alone."""
    from collectors.netfilter import nft_reading

    with scenes.many_nft_rules(200) as inside:
        changed = []
        devices = nft_reading.devices

        def disturbing(host):
            if not changed:
                changed.append(inside.run("nft add table inet meanwhile"))
            yield from devices(host)

        monkeypatch.setattr(nft_reading, "devices", disturbing)
        reading = nft_reading.read(inside.host)
        from collectors.netfilter.ruleset import decode

        assert INTERRUPTED in decode(reading).gaps
        changed.clear()
        inside.run("nft delete table inet meanwhile")
        table = collect("netfilter", inside.host)
    assert INTERRUPTED not in table.gaps
    assert len(changed) == 1
