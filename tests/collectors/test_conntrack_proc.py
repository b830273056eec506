"""Conntrack entries as /proc/net/nf_conntrack lists them, where ctnetlink is not at hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import Block
from collectors.host import Host
from collectors.netfilter.conntrack.flows import CONNTRACK, LISTED
from collectors.wire.netlink import DecodeError
from nettui.snapshot import gap
from tests.collectors.hostile import quick, stands

# as a kernel 6.18 printed them
LINES = (
    b"ipv4     2 tcp      6 431999 ESTABLISHED src=10.1.0.2 dst=10.1.0.1 sport=33644 dport=82 packets=3 bytes=187 "
    b"src=10.2.0.2 dst=10.2.0.1 sport=8080 dport=33644 packets=2 bytes=112 [ASSURED] mark=42 zone=0 delta-time=2 "
    b"use=2\n"
    b"ipv6     10 gre      47 2999 timeout=0, stream_timeout=0 src=fd00:0000:0000:0000:0000:0000:0000:0001 "
    b"dst=fd00:0000:0000:0000:0000:0000:0000:0002 srckey=0x7 dstkey=0x18 packets=0 bytes=0 [UNREPLIED] "
    b"src=fd00:0000:0000:0000:0000:0000:0000:0002 dst=fd00:0000:0000:0000:0000:0000:0000:0001 srckey=0x18 dstkey=0x7 "
    b"packets=0 bytes=0 mark=0 zone=5 use=2\n"
    b"ipv4     2 icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=77 zone-orig=9 [UNREPLIED] src=10.0.0.2 "
    b"dst=10.0.0.1 type=0 code=0 id=77 mark=0 secctx=system_u:object_r:x_t:s0 use=2\n"
    b"ipv4     2 udp      17 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=3 "
    b"[OFFLOAD] mark=0 zone=0 use=3\n"
)


def rows(data: bytes = LINES) -> list[dict]:
    return list(CONNTRACK.decode([Block(LISTED, data)]).rows())


def test_a_line_tells_both_tuples_and_what_nat_changed():
    row = rows()[0]
    assert (row["proto"], row["state"], row["timeout"], row["mark"]) == ("tcp", "ESTABLISHED", 431999, 42)
    assert (row["bytes"], row["reply_bytes"], row["delta_time"], row["use"]) == (187, 112, 2, 1)
    assert (row["nat"], row["nat_src"], row["nat_dst"], row["nat_dport"]) == ("SNAT,DNAT", "10.2.0.1", "10.2.0.2", 8080)
    assert row["status"] == ["SEEN_REPLY", "ASSURED"]
    assert "id" not in row
    assert "zone" not in row


def test_gre_has_keys_and_long_addresses_are_short():
    row = rows()[1]
    assert (row["src"], row["srckey"], row["dstkey"], row["zone"]) == ("fd00::1", 7, 24, 5)
    assert "nat" not in row
    assert "sport" not in row


def test_icmp_zones_and_contexts_are_told():
    row = rows()[2]
    assert (row["icmp_type"], row["reply_icmp_type"], row["icmp_id"], row["orig_zone"]) == (8, 0, 77, 9)
    assert row["secctx"] == "system_u:object_r:x_t:s0"
    assert row["status"] == []


def test_an_offloaded_flow_has_no_timer_and_a_port_alone_is_nat():
    row = rows()[3]
    assert "timeout" not in row
    assert row["status"] == ["SEEN_REPLY", "OFFLOAD"]
    assert (row["nat"], row["nat_sport"]) == ("SNAT", 3)


def test_no_line_is_an_empty_table():
    assert rows(b"") == []


@pytest.mark.parametrize(
    "line",
    [
        b"ipv5 2 tcp 6 1",
        b"ipv4 2 tcp",
        b"ipv4 2 tcp x 1",
        b"ipv4 2 udp 17 1 src=10.0.0 dst=10.0.0.2",
        b"ipv4 2 udp 17 1 src=fd00::1 dst=10.0.0.2",
        b"ipv4 2 udp 17 1 src=10.0.0.1 dst=10.0.0.2 sport=70000",
        b"ipv4 2 udp 17 1 mark=-1",
        b"ipv4 2 udp 17 99999999999999999999999 src=10.0.0.1",
    ],
)
def test_a_line_of_another_form_is_a_decode_error(line):
    with pytest.raises(DecodeError):
        rows(line + b"\n")


@quick
@given(st.integers(0, len(LINES) - 1), st.binary(max_size=3))
def test_changed_text_is_a_table_or_a_decode_error(at, put):
    stands(CONNTRACK, [Block(LISTED, LINES[:at] + put + LINES[at + len(put) :])])
    stands(CONNTRACK, [Block(LISTED, LINES[:at])])


@pytest.fixture
def unserved(tmp_path):
    """A /proc of a kernel that could load nf_conntrack_netlink and has not."""
    (tmp_path / "modules").write_text("nf_conntrack 1 0 - Live 0x0\n")
    (tmp_path / "thread-self/net").mkdir(parents=True)
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "sys/kernel/osrelease").write_text("0.0\n")
    return tmp_path


def test_without_ctnetlink_the_listing_is_read_and_a_gap_says_so(unserved):
    (unserved / "thread-self/net/nf_conntrack").write_bytes(LINES)
    table = CONNTRACK.collect(Host(proc=unserved))
    assert len(table) == 4
    assert "nf_conntrack_netlink is not loaded" in table.gaps[0].reason
    assert "modprobe nf_conntrack_netlink" in table.gaps[0].remedy


def test_without_either_the_table_is_said_to_be_absent(unserved):
    with pytest.raises(FileNotFoundError) as refusal:
        CONNTRACK.collect(Host(proc=unserved))
    told = gap(refusal.value)
    assert "not present in this kernel" in told.reason
    assert "nf_conntrack_netlink" in told.reason
