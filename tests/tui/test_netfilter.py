"""The packet's way on the screen: verdicts by word and colour, losses that go on, and the way to flows and back."""

from __future__ import annotations

from rich.style import Style

from collectors.table import Column
from nettui.netfilter.hooks import hooks
from nettui.netfilter.rules import netfilter
from nettui.panels.hooks import HOOKS
from nettui.panels.netfilter import NETFILTER
from nettui.panels.registry import PANELS
from nettui.rates import with_rates
from nettui.tui.cells import LOSS
from tests.ruleset_by_hand import At, nft, ruleset
from tests.tui.stage import Stage, stage, table

RULES = [
    "-A DOCKER-USER -s 198.51.100.66/32 -j DROP",
    "-A DOCKER-USER -p tcp -m tcp --dport 80 -j RETURN",
    "-A DOCKER-USER -j NFQUEUE --queue-num 0",
]


def docker(dropped: int, *more: At):
    return ruleset(
        At("FORWARD", ["-A FORWARD -j DOCKER-USER"], "forward", policy="drop", counts=[dropped]),
        At("POSTROUTING", ["-A POSTROUTING -j MASQUERADE"], "postrouting", 100, "nat", table="nat", counts=[0]),
        At("DOCKER-USER", RULES, counts=[dropped, 0, 0]),
        *more,
    )


def moving():
    return {"netfilter": with_rates(docker(46), docker(23), 1.0)}


def line(on: Stage, text: str) -> str:
    return next(line for line in on.screen() if text in line)


def styles(on: Stage, text: str) -> list[Style | None]:
    return [segment.style for strip in on.strips() for segment in strip if text in segment.text]


async def test_the_way_is_shown_in_order_with_what_drops_marked_by_word_and_colour():
    async with stage(HOOKS, NETFILTER) as on:
        await on.deliver(hooks=hooks(moving()))
        told = dict.fromkeys(row.split()[0] for row in on.screen()[3:21] if row.split())
        assert list(told)[:6] == ["prerouting", "routing", "input", "forward", "local", "output"]
        assert on.pane.sort is None
        assert "policy drop" in line(on, "ip filter FORWARD")
        assert line(on, "-s 198.51.100.66").split()[1:3] == ["drop", "23!"]
        assert "queue" in line(on, "NFQUEUE")
        assert any(style and style.color == LOSS.color for style in styles(on, "23!"))


async def test_netfilter_shows_chain_rate_and_rule_within_80_columns():
    async with stage(HOOKS, NETFILTER, first="netfilter") as on:
        await on.deliver(netfilter=netfilter(moving()))
        assert on.screen()[2].split()[:4] == ["chain", "packets/s", "packets", "mark"]
        assert line(on, "198.51.100.66").split()[:2] == ["DOCKER-USER", "23!"]


async def test_enter_shows_the_whole_rule():
    long = " ".join(f"--option-{n} {n}" for n in range(30))
    async with stage(NETFILTER, size=(100, 70)) as on:
        await on.deliver(netfilter=netfilter({"netfilter": ruleset(At("X", [f"-A X {long} -j DROP"]))}))
        await on.press("down", "enter")
        assert "--option-29" in on.text()


async def test_from_a_rule_to_its_flows():
    async with stage(*PANELS, first="hooks") as on:
        await on.deliver(hooks=hooks(moving()))
        await on.press("slash")
        await on.type("src in 198.51.100.0/24")
        await on.press("enter", "p")
        assert "its flows" in on.text()
        await on.press("enter")
        await on.pilot.pause()
        assert on.pane.panel.name == "conntrack"


async def test_a_rule_that_matches_nothing_plainly_says_so():
    async with stage(*PANELS, first="hooks") as on:
        await on.deliver(hooks=hooks(moving()))
        await on.press("slash")
        await on.type("chain FORWARD and kind rule")
        await on.press("enter", "p")
        assert "not in this row: anything plain" in on.text()


async def test_rules_of_both_worlds_at_once_are_noted_above_the_table():
    both = docker(1, At("INPUT", ["-A INPUT -j ACCEPT"], "input", world="iptables-legacy"), nft(At("x", ["drop"])))
    async with stage(HOOKS, size=(140, 30)) as on:
        await on.deliver(hooks=hooks({"netfilter": both}))
        assert "1 rules of iptables-legacy and 6 of nf_tables" in on.text()


async def test_the_screen_keeps_the_packets_order_when_it_refreshes():
    async with stage(HOOKS) as on:
        await on.deliver(hooks=hooks({"netfilter": docker(1)}))
        before = on.pane.table
        await on.press("end")
        row = on.under_cursor()
        await on.deliver(hooks=hooks({"netfilter": docker(2)}))
        assert on.pane.table is not before
        assert on.under_cursor()["step"] == row["step"]


async def test_a_rule_whose_flows_are_not_kept_says_why_there_are_none():
    async with stage(*PANELS, first="conntrack") as on:
        await on.deliver(conntrack=table((Column("src", "address"),), [{"src": "192.0.2.1"}]))
        await on.press("slash")
        await on.type("src 198.51.100.66")
        await on.press("enter")
        assert "none of 1 rows matches" in on.text()
        assert "a flow whose first packet is dropped is never kept" in " ".join(on.text().split())


async def test_the_packets_way_shows_rate_and_count_before_the_step_within_80_columns():
    async with stage(HOOKS, NETFILTER) as on:
        await on.deliver(hooks=hooks(moving()))
        assert on.screen()[2].split()[:5] == ["hook", "mark", "packets/s", "packets", "step"]
        assert line(on, "-s 198.51.100.66").split()[1:4] == ["drop", "23!", "46!"]
