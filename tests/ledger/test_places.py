"""Drop reasons that say little: the kernel function tells which counter counts the same packets."""

from __future__ import annotations

import pytest

from nettui.knowledge import find
from nettui.ledger.reasons import judged


@pytest.mark.parametrize(
    ("function", "reason", "counter"),
    [
        ("ipv6_rthdr_rcv", "NOT_SPECIFIED", "Ip6.InHdrErrors"),
        ("tcp_v4_rcv", "NOT_SPECIFIED", "TcpExt.EmbryonicRsts"),
        ("__dev_forward_skb2", "NOT_SPECIFIED", "rtnl_link_stats64.tx_dropped"),
    ],
)
def test_a_reason_that_says_little_is_joined_by_its_place(function: str, reason: str, counter: str):
    assert counter in judged({"reason": reason, "function": function, "drops": 1}, None, None).about["along"]


def test_a_reason_that_says_what_it_is_is_not_joined_by_its_place():
    along = judged({"reason": "TCP_CSUM", "function": "tcp_v4_rcv", "drops": 1}, None, None).about["along"]
    assert "TcpExt.EmbryonicRsts" not in along
    assert "Tcp.InCsumErrors" in along


def test_every_counter_of_a_place_is_described():
    told = {name for place in find.places().values() for name in place.counters}
    assert told
    assert not {name for name in told if find.counter(name) is None}
