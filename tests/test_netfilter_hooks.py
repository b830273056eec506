"""The chain view has everything that a packet meets, in its order, each chain below the rule that leads to it."""

from __future__ import annotations

import time

from collectors.draft import Draft
from collectors.netfilter.ruleset_columns import COLUMNS
from collectors.table import Table
from nettui.netfilter import tree
from nettui.netfilter.hooks import hooks
from nettui.query import compile
from tests.ruleset_by_hand import At, nft, ruleset


def view(*chains: At) -> Table:
    return hooks({"netfilter": ruleset(*chains)})


def steps(table: Table, where: str = "") -> list[str]:
    rows = compile(where, table.columns).mask(table)
    return [str(cell) for cell in table["step"].take(rows).cells()]  # type: ignore[arg-type]


def stops(table: Table) -> list[str]:
    return list(dict.fromkeys(f"{row['hook']} {row.get('priority', '')}".strip() for row in table.rows()))


OUTSIDE = "! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80"
MASQUERADE = "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"
DOCKER = (
    At("PREROUTING", ["-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"], "prerouting", -100, "nat", table="nat"),
    At("POSTROUTING", [MASQUERADE], "postrouting", 100, "nat", table="nat"),
    At("DOCKER", [f"-A DOCKER {OUTSIDE}"], table="nat"),
    At("FORWARD", ["-A FORWARD -j DOCKER-USER", "-A FORWARD -o docker0 -j DOCKER"], "forward", 0, policy="drop"),
    At("DOCKER", ["-A DOCKER -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j ACCEPT"]),
    At("DOCKER-USER", ["-A DOCKER-USER -j RETURN"]),
)


def test_chains_stand_at_their_hooks_among_the_kernels_own_stages():
    table = view(*DOCKER)
    assert stops(table) == [
        "prerouting -400", "prerouting -200", "prerouting -100", "routing", "input 100", "input 2147483647",
        "forward 0",
        "local", "output -400", "output -200", "output -100", "postrouting 100", "postrouting 2147483647",
    ]  # fmt: skip
    assert steps(table, "hook forward") == [
        "ip filter FORWARD  policy drop",
        "  -j DOCKER-USER",
        "    -j RETURN",
        "  -o docker0 -j DOCKER",
        "    -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j ACCEPT",
    ]


def test_chains_of_type_nat_stand_below_the_stage_that_asks_them():
    first, *rest = steps(view(*DOCKER), "hook prerouting and priority = -100")
    assert first.startswith("DNAT of the flow")
    assert rest == [
        "  ip nat PREROUTING  type nat",
        "    -m addrtype --dst-type LOCAL -j DOCKER",
        f"      {OUTSIDE}",
    ]


def test_a_nat_chain_is_asked_with_nat_whatever_its_own_priority():
    table = view(
        nft(At("early", ["redirect"], "prerouting", -150, "nat")),
        nft(At("mid", ["counter packets 1 bytes 1 accept"], "prerouting", -120)),
    )
    found = [row["step"].split("  ")[0] for row in table.rows() if row["hook"] == "prerouting" and row["depth"] == 0]
    assert found[-2:] == ["inet filter mid", "DNAT of the flow; chains of type nat see only a flow's first packet"]
    assert steps(table, "hook prerouting")[-2:] == ["  inet filter early  type nat", "    redirect"]


def test_one_way_is_one_filter():
    table = view(
        At("INPUT", ["-A INPUT -j ACCEPT"], "input"),
        At("FORWARD", ["-A FORWARD -j ACCEPT"], "forward"),
        At("OUTPUT", ["-A OUTPUT -j ACCEPT"], "output"),
    )
    assert stops(table.take(compile("way to", table.columns).mask(table).nonzero()[0])) == [
        "routing",
        "input 0",
        "local",
    ]
    assert [line.split(":")[0] for line in steps(table, "way through")] == [
        "routing decision", "ip filter FORWARD", "  -j ACCEPT",
    ]  # fmt: skip
    assert [line.split(":")[0] for line in steps(table, "way from")] == [
        "local process", "routing decision", "ip filter OUTPUT", "  -j ACCEPT",
    ]  # fmt: skip


def test_without_rules_that_need_it_no_connection_tracking_is_claimed():
    table = view(At("INPUT", ["-A INPUT -p tcp -j DROP"], "input"))
    assert not steps(table, "mark inferred")
    tracked = view(At("INPUT", ["-A INPUT -m conntrack --ctstate NEW -j DROP"], "input"))
    assert {row["family"] for row in tracked.rows() if row.get("mark") == "inferred"} == {"ip"}
    assert any("confirm" in line for line in steps(tracked, "hook input"))
    both = view(nft(At("input", ["ct state new drop"], "input")))
    assert {row["family"] for row in both.rows() if row.get("mark") == "inferred"} == {"inet"}
    assert not steps(view(nft(At("input", ['log prefix "ct state new " drop'], "input"))), "mark inferred")


def test_a_chain_is_unfolded_once_for_each_base_chain_and_loops_end():
    table = view(
        At("INPUT", ["-A INPUT -p tcp -j A", "-A INPUT -p udp -j A"], "input"),
        At("OUTPUT", ["-A OUTPUT -j A"], "output"),
        At("A", ["-A A -j B", "-A A -j EMPTY", "-A A -j NOWHERE"]),
        At("B", ["-A B -j A"]),
        At("EMPTY"),
    )
    assert steps(table, "hook input") == [
        "ip filter INPUT",
        "  -p tcp -j A",
        "    -j B",
        "      -j A  (see above)",
        "    -j EMPTY  (an empty chain)",
        "    -j NOWHERE",
        "  -p udp -j A  (see above)",
    ]
    assert len(steps(table, "hook output")) == 6


def test_depth_is_bounded():
    chains = [At(f"C{n}", [f"-A C{n} -j C{n + 1}"]) for n in range(40)]
    table = view(At("INPUT", ["-A INPUT -j C0"], "input"), *chains)
    assert steps(table, "hook input")[-1].endswith("-j C15  (not followed deeper)")


def test_what_is_left_out_of_a_monstrous_ruleset_is_told(monkeypatch):
    monkeypatch.setattr(tree, "MOST", 5)
    table = view(At("INPUT", ["-A INPUT -j DROP"] * 9, "input"), At("OUTPUT", ["-A OUTPUT -j DROP"] * 9, "output"))
    assert len(steps(table, "kind rule")) == 5
    assert "first" in table.gaps[0].reason


def test_verdict_maps_lead_to_their_chains():
    table = view(
        nft(At("input", ["ct state vmap { established : accept, new : jump fresh, invalid : goto gone }"], "input")),
        nft(At("fresh", ["tcp dport 22 accept"])),
        nft(At("gone", ["drop"])),
    )
    assert steps(table, "hook input and kind rule")[1:] == ["    tcp dport 22 accept", "    drop"]


def test_tables_of_one_name_in_two_families_or_worlds_keep_their_own_chains():
    table = view(
        At("INPUT", ["-A INPUT -j X"], "input"),
        At("INPUT", ["-A INPUT -j X"], "input", world="iptables-legacy"),
        At("X", ["-A X -j DROP"]),
        At("X", ["-A X -j ACCEPT"], world="iptables-legacy"),
        At("X", ["-A X -j RETURN"], family="ip6"),
    )
    assert steps(table, "world iptables-nft and hook input")[-1] == "    -j DROP"
    assert steps(table, "world iptables-legacy and hook input")[-1] == "    -j ACCEPT"


def test_bridge_and_device_chains_stand_where_their_packets_meet_them():
    table = view(
        At("prerouting", ["drop"], "prerouting", -300, family="bridge", world="nft"),
        At("forward", ["drop"], "forward", family="bridge", world="nft"),
        At("in", ["drop"], "ingress", -500, family="netdev", world="nft", dev=["eth0"]),
        At("in", ["drop"], "ingress", -500, family="inet", world="nft", dev=["eth1"]),
        At("PREROUTING", ["-A PREROUTING -j DROP"], "prerouting", -300),
        At("input", ["drop"], "input", family="arp", world="nft"),
    )
    assert steps(table, "kind = 'base chain'") == [
        "netdev filter in on eth0", "inet filter in on eth1", "bridge filter prerouting", "bridge filter forward",
        "ip filter PREROUTING", "arp filter input",
    ]  # fmt: skip
    assert steps(table, "way bridged and family ip") == ["inet filter in on eth1", "  drop"]


def test_counters_and_marks_come_along_and_stages_have_none():
    table = view(At("INPUT", ["-A INPUT -m conntrack --ctstate NEW -j DROP"], "input", counts=[23]))
    (rule,) = [row for row in table.rows() if row["kind"] == "rule"]
    assert (rule["packets"], rule["mark"], rule["hook"], rule["priority"]) == (23, "drop", "input", 0)
    assert all("packets" not in row for row in table.rows() if row["kind"] == "stage")


def test_every_row_has_a_key_of_its_own():
    table = view(*DOCKER, At("OUTPUT", ["-A OUTPUT -j DOCKER"], "output", -100, "nat", table="nat"))
    keys = [column.name for column in table.columns if column.kind == "key"]
    rows = [tuple(str(row.get(name)) for name in keys) for row in table.rows()]
    stages = [row for row in table.rows() if row["kind"] == "stage"]
    assert len(set(rows)) >= len(rows) - sum(row["hook"] == "routing" for row in stages) + 1


def test_no_chains_give_no_rows_and_the_same_columns():
    empty = hooks({"netfilter": Draft(COLUMNS, 0).table()})
    assert len(empty) == 0
    assert empty.columns == view(*DOCKER).columns


def test_20_000_rules_are_laid_out_in_time():
    table = ruleset(At("INPUT", [f"-A INPUT -s 10.2.{n >> 8}.{n & 255}/32 -j DROP" for n in range(20_000)], "input"))
    hooks({"netfilter": table})
    started = time.process_time()
    assert len(hooks({"netfilter": table})) > 20_000
    assert time.process_time() - started < 0.15
