"""Policy rules from recorded RTM_GETRULE dumps."""

from __future__ import annotations

from hypothesis import given

from collectors.netlink.rules import RULES
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("rules")


def test_selectors_and_actions_stand_under_the_words_of_ip():
    rows = {row["priority"]: row for row in RULES.decode(BLOCKS).rows() if row["family"] == "inet"}
    assert rows[0] == {"family": "inet", "priority": 0, "src": "all", "table": "local", "protocol": "kernel"}
    assert (rows[500]["src"], rows[500]["srclen"], rows[500]["from"]) == ("10.0.0.0", 8, "10.0.0.0/8")
    assert rows[502]["not"] is True
    assert (rows[503]["fwmark"], rows[503]["fwmask"]) == ("0x10", "0x30")
    assert (rows[503]["flow_from"], rows[503]["flow_to"]) == ("3", "7")
    assert rows[505]["iif_detached"] is True
    assert (rows[507]["uid_start"], rows[507]["uid_end"]) == (1000, 2000)
    assert (rows[507]["sport_start"], rows[507]["sport_end"], rows[507]["dport"]) == (1024, 2048, 443)
    assert rows[511]["suppress_prefixlen"] == 0
    assert rows[513]["tun_id"] == 77
    assert rows[514]["goto"] == 600
    assert rows[515]["unresolved"] is True
    assert rows[600]["nop"] is True
    assert [rows[priority]["action"] for priority in (516, 517, 518)] == ["prohibit", "blackhole", "unreachable"]


def test_a_suppressor_that_is_not_set_is_absent():
    rows = {row["priority"]: row for row in RULES.decode(BLOCKS).rows() if row["family"] == "inet"}
    assert "suppress_prefixlen" not in rows[500]
    assert "suppress_ifgroup" not in rows[500]


def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS):
        stands(RULES, blocks)
    for blocks in cut_messages(BLOCKS):
        stands(RULES, blocks)


@quick
@given(mutations(BLOCKS))
def test_a_dump_with_changed_bytes_is_a_table_or_a_decode_error(blocks):
    stands(RULES, blocks)
