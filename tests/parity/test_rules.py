"""Policy rules beside ``ip -j -d rule``, in the same order."""

from __future__ import annotations

import pytest

from collectors import collect
from collectors.netlink.rules import COLUMNS
from tests import scenes
from tests.lab import needs_root
from tests.parity.peer import differences, documents

pytestmark = [pytest.mark.root, needs_root]

OWN = {
    "family": "ip is asked for one family at a time",
    "from": "src and srclen again, as one prefix to filter by",
    "to": "dst and dstlen again, as one prefix to filter by",
    "dscp": "iproute2 6.1 does not know FRA_DSCP",
}


@pytest.mark.parametrize(("option", "family"), [("-4", "inet"), ("-6", "inet6")])
def test_every_selector_and_action_is_told_as_ip_tells_it(option, family):
    with scenes.rules() as inside:
        rows = [row for row in collect("rules", inside.host).rows() if row["family"] == family]
        peers = documents(inside.run(f"ip -j -d {option} rule"))
    assert len(rows) == len(peers) == {"inet": len(scenes.RULES) + 3, "inet6": len(scenes.RULES6) + 2}[family]
    found = [
        difference
        for row, peer in zip(rows, peers, strict=True)
        for difference in differences(row, peer, COLUMNS, own=OWN)
    ]
    assert not found


def test_the_prefix_to_filter_by_is_the_one_that_the_rule_selects():
    with scenes.rules() as inside:
        rows = {(row["family"], row["priority"]): row for row in collect("rules", inside.host).rows()}
    assert rows["inet", 500]["from"] == "10.0.0.0/8"
    assert rows["inet", 500]["to"] == "10.9.0.7"
    assert rows["inet6", 500]["from"] == "fd00::/16"
    assert "from" not in rows["inet", 504]
