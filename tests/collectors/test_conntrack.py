"""Conntrack entries, expectations and statistics from recorded ctnetlink dumps."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given

from collectors.collector import Block
from collectors.netfilter.conntrack import words
from collectors.netfilter.conntrack.entries import (
    CTA_HELP,
    CTA_ID,
    CTA_LABELS,
    CTA_PROTOINFO,
    CTA_SECCTX,
    CTA_STATUS,
    CTA_SYNPROXY,
    CTA_TIMEOUT,
    CTA_TIMESTAMP,
    CTA_TUPLE_ORIG,
    CTA_TUPLE_REPLY,
)
from collectors.netfilter.conntrack.expectations import EXPECTATIONS
from collectors.netfilter.conntrack.flows import CLOCK, CONNTRACK, CT_NEW, DUMPED
from collectors.netfilter.conntrack.statistics import BUCKETS, CONNTRACK_STATISTICS
from collectors.wire.netlink import DecodeError, attribute, request
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("conntrack")
DUMPS = [block for block in BLOCKS if block.part == DUMPED]
EXPECTED = recorded("expectations")
COUNTED = recorded("conntrack_statistics")
MESSAGES = [block for block in COUNTED if block.part != BUCKETS]


def rows() -> list[dict]:
    return list(CONNTRACK.decode(BLOCKS).rows())


def to(port: int) -> dict:
    (row,) = [
        row for row in rows() if row.get("dport") == port and row["family"] == "inet" and row["src"] == "10.1.0.2"
    ]
    return row


# what NAT changed


@pytest.mark.parametrize(
    ("port", "changed"),
    [
        (9100, {}),
        (80, {"nat": "DNAT", "nat_dst": "10.2.0.2", "nat_dport": 8080}),
        (81, {"nat": "DNAT", "nat_dst": "10.1.0.1", "nat_dport": 8081}),
        (82, {"nat": "SNAT,DNAT", "nat_src": "10.2.0.1", "nat_dst": "10.2.0.2", "nat_dport": 8080}),
        (9002, {"nat": "SNAT", "nat_src": "10.2.0.1"}),
    ],
    ids=["none", "dnat", "redirect", "both", "masquerade"],
)
def test_nat_is_told_as_what_it_changed(port, changed):
    assert {name: cell for name, cell in to(port).items() if name.startswith("nat")} == changed


def test_a_source_port_that_nat_chose_is_told():
    row = to(9001)
    assert row["nat"] == "SNAT"
    assert 50000 <= row["nat_sport"] <= 50100
    assert row["nat_sport"] == row["reply_dport"] != row["sport"]


def test_what_the_rules_of_nat_changed_has_the_kernels_own_bits():
    for row in rows():
        words = [word for word, bit in (("SNAT", "SRC_NAT"), ("DNAT", "DST_NAT")) if bit in row["status"]]
        assert row.get("nat", "") == ",".join(words)


def test_masquerading_of_a_ping_and_nat_over_ipv6_are_told():
    (ping,) = [row for row in rows() if row["proto"] == "icmp"]
    assert (ping["nat"], ping["nat_src"], ping["icmp_id"]) == ("SNAT", "10.2.0.1", 77)
    (six,) = [row for row in rows() if row["family"] == "inet6" and row.get("dport") == 80]
    assert (six["nat"], six["nat_dst"], six["nat_dport"]) == ("DNAT", "fd02::2", 8080)


# what an entry tells


def test_states_are_words_of_their_protocol():
    states = {(row["proto"], row.get("state")) for row in rows()}
    assert {("tcp", "ESTABLISHED"), ("tcp", "SYN_SENT"), ("tcp", "TIME_WAIT"), ("sctp", "ESTABLISHED")} <= states
    assert ("udp", None) in states


def test_ports_of_gre_are_keys_and_icmp_has_none():
    for row in rows():
        if row["proto"] == "gre":
            assert (row["srckey"], row["dstkey"], row["reply_srckey"]) == (7, 8, 8)
            assert "sport" not in row
        if row["proto"] in ("icmp", "icmpv6", "99"):
            assert "sport" not in row
    assert {row["icmp_type"] for row in rows() if row["proto"] == "icmpv6"} == {128}


def test_zones_marks_labels_and_helpers_are_told():
    assert to(5353)["zone"] == 7
    assert (to(5354)["orig_zone"], "zone" in to(5354)) == (9, False)
    assert {row.get("reply_zone") for row in rows()} == {None, 4}
    assert (to(9100)["mark"], to(9100)["labels"]) == (42, ["5"])
    assert to(2121)["helper"] == "ftp"
    assert to(2121)["reply_seqadj"]["offset_after"] == -1


def test_an_expected_flow_names_the_one_that_it_belongs_to():
    master = to(30002)["master"]
    assert (master["proto"], master["dst"], master["dport"]) == ("tcp", "10.2.0.2", 21)
    assert "EXPECTED" in to(30002)["status"]


def test_replies_are_counted_apart_and_an_unanswered_flow_has_none():
    assert (to(9003)["bytes"], to(9003)["reply_bytes"]) == (51, 51)
    assert (to(9004)["packets"], to(9004)["reply_packets"]) == (1, 0)
    assert "SEEN_REPLY" not in to(9004)["status"]


# made by hand


def entry(*attributes: bytes) -> list[Block]:
    return [Block(DUMPED, request(CT_NEW, 0, 1, bytes([2, 0, 0, 0]) + b"".join(attributes)))]


def ends(number: int, source: str, target: str, ports: tuple[int, int]) -> bytes:
    ip = b"".join(attribute(n, bytes(map(int, end.split(".")))) for n, end in ((1, source), (2, target)))
    proto = b"".join(attribute(n, port.to_bytes(2, "big")) for n, port in ((2, ports[0]), (3, ports[1])))
    return attribute(number, attribute(1, ip) + attribute(2, attribute(1, b"\x11") + proto))


def one(*attributes: bytes) -> dict:
    (row,) = CONNTRACK.decode(entry(*attributes)).rows()
    return row


def test_tuples_tell_nat_of_which_the_status_bits_say_nothing():
    """As IPVS leaves it: it rewrites the reply tuple and sets no bit."""
    row = one(ends(CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", (1000, 53)),
              ends(CTA_TUPLE_REPLY, "10.0.0.3", "10.0.0.1", (53, 1000)), attribute(CTA_STATUS, bytes(4)))  # fmt: skip
    assert (row["nat"], row["nat_dst"], "nat_dport" in row, row["status"]) == ("DNAT", "10.0.0.3", False, [])


def test_a_port_alone_counts_as_nat():
    row = one(ends(CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", (1000, 53)),
              ends(CTA_TUPLE_REPLY, "10.0.0.2", "10.0.0.1", (53, 1001)))  # fmt: skip
    assert (row["nat"], row["nat_sport"], "nat_src" in row) == ("SNAT", 1001, False)


def test_offload_bits_and_bits_of_a_newer_kernel_are_words():
    assert one(attribute(CTA_STATUS, struct.pack(">I", 0x1C002)))["status"] == [
        "SEEN_REPLY", "OFFLOAD", "HW_OFFLOAD", "0x10000",
    ]  # fmt: skip


def test_a_state_of_a_newer_kernel_is_its_number():
    assert one(attribute(CTA_PROTOINFO, attribute(1, attribute(1, b"\x63"))))["state"] == "99"


def test_dccp_tells_its_role_and_state():
    row = one(attribute(CTA_PROTOINFO, attribute(2, attribute(1, b"\4") + attribute(2, b"\1"))))
    assert (row["state"], row["dccp_role"]) == ("OPEN", "server")


def test_synproxy_of_zeros_is_none():
    words = [attribute(number, bytes(3) + bytes([number])) for number in (1, 2, 3)]
    assert one(attribute(CTA_SYNPROXY, b"".join(words)))["synproxy"] == {"isn": 1, "its": 2, "tsoff": 3}
    zeros = attribute(CTA_SYNPROXY, b"".join(attribute(number, bytes(4)) for number in (1, 2, 3)))
    assert "synproxy" not in one(zeros)


def test_how_long_a_flow_lasts_is_told_from_its_start_to_its_stop_or_to_now():
    start = attribute(1, struct.pack(">Q", 1_000_000_000_900_000_000))
    stop = attribute(2, struct.pack(">Q", 1_000_000_007_100_000_000))
    clock = Block(CLOCK, struct.pack("=d", 1_000_000_023.5))
    (row,) = CONNTRACK.decode([clock, *entry(attribute(CTA_TIMESTAMP, start))]).rows()
    assert row["delta_time"] == 23
    (row,) = CONNTRACK.decode([clock, *entry(attribute(CTA_TIMESTAMP, start + stop))]).rows()
    assert row["delta_time"] == 7


def test_a_clock_that_stands_before_the_start_gives_no_negative_time():
    start = attribute(1, struct.pack(">Q", 1_000_000_000_900_000_000))
    (row,) = CONNTRACK.decode(entry(attribute(CTA_TIMESTAMP, start))).rows()
    assert row["delta_time"] == 0


def test_names_from_outside_are_kept_as_they_are():
    hostile = b"\x1b[31m\xff[/b]\0rest"
    row = one(attribute(CTA_HELP, attribute(1, hostile)), attribute(CTA_SECCTX, attribute(1, hostile)))
    assert row["helper"] == row["secctx"] == "\x1b[31m\udcff[/b]"


def test_labels_have_names_where_the_host_gives_them(monkeypatch, tmp_path):
    file = tmp_path / "connlabel.conf"
    file.write_text("# bits\n5 eth0-in\nx y\n127 last\n")
    monkeypatch.setattr(words, "CONNLABEL", file)
    words.label_names.cache_clear()
    bits = (1 << 5 | 1 << 6 | 1 << 127).to_bytes(16, "little")
    assert one(attribute(CTA_LABELS, bits))["labels"] == ["eth0-in", "6", "last"]
    words.label_names.cache_clear()
    assert "labels" not in one(attribute(CTA_LABELS, bytes(16)))


@pytest.mark.parametrize(
    "wrong",
    [
        attribute(CTA_ID, b"\1"),
        attribute(CTA_TIMEOUT, b""),
        attribute(CTA_TUPLE_ORIG, attribute(1, attribute(1, b"abc"))),
        attribute(CTA_TUPLE_ORIG, attribute(1, attribute(3, b"abcd"))),
        attribute(CTA_TUPLE_ORIG, b"\xff\xff\1\0"),
    ],
)
def test_an_attribute_of_a_wrong_size_is_a_decode_error(wrong):
    with pytest.raises(DecodeError):
        CONNTRACK.decode(entry(wrong))


@pytest.mark.parametrize("clock", [b"", bytes(7), struct.pack("=d", -1.0), struct.pack("=d", float("nan"))])
def test_a_clock_that_tells_no_time_is_a_decode_error(clock):
    with pytest.raises(DecodeError):
        CONNTRACK.decode([Block(CLOCK, clock), *DUMPS])


# expectations and statistics


def test_an_expectation_tells_its_flow_its_mask_and_its_master():
    found = {row["dport"]: row for row in EXPECTATIONS.decode(EXPECTED).rows()}
    plain, translated = found[30000], found[30001]
    assert (plain["src"], plain["dst"], plain["mask_dport"]) == ("10.1.0.2", "10.2.0.2", 65535)
    assert (plain["master_dst"], plain["master_dport"], plain["helper"]) == ("10.2.0.2", 21, "ftp")
    assert (translated["nat_dir"], translated["nat_sport"], translated["master_dport"]) == ("original", 30001, 2121)
    assert translated["fn"] == "nat-follow-master"


def test_each_cpu_has_a_row_with_the_fill_of_the_one_table():
    table = CONNTRACK_STATISTICS.decode(COUNTED)
    assert table["cpu"].cells() == list(range(len(table)))
    assert sum(row["expect_create"] for row in table.rows()) == 3
    assert sum(row["expect_new"] for row in table.rows()) == 1
    for row in table.rows():
        assert (row["entries"], row["max_entries"], row["buckets"]) == (len(rows()), 262144, 262144)
        assert row["drop"] == row["early_drop"] == 0
        assert "searched" not in row


@pytest.mark.parametrize("buckets", [b"", b"x\n", b"-1", b"99999999999"])
def test_a_file_that_holds_no_number_is_a_decode_error(buckets):
    with pytest.raises(DecodeError):
        CONNTRACK_STATISTICS.decode([Block(BUCKETS, buckets)])


@pytest.mark.parametrize(
    ("collector", "blocks"), [(CONNTRACK, DUMPS), (EXPECTATIONS, EXPECTED), (CONNTRACK_STATISTICS, MESSAGES)],
    ids=["entries", "expectations", "statistics"],
)  # fmt: skip
def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error(collector, blocks):
    for cut in cut_blocks(blocks):
        stands(collector, cut)
    for cut in cut_messages(blocks):
        stands(collector, cut)


@quick
@given(mutations(BLOCKS))
def test_entries_with_changed_bytes_are_a_table_or_a_decode_error(blocks):
    stands(CONNTRACK, blocks)


@quick
@given(mutations(EXPECTED))
def test_expectations_with_changed_bytes_are_a_table_or_a_decode_error(blocks):
    stands(EXPECTATIONS, blocks)


@quick
@given(mutations(COUNTED))
def test_statistics_with_changed_bytes_are_a_table_or_a_decode_error(blocks):
    stands(CONNTRACK_STATISTICS, blocks)
