"""The smaller counters from recorded, written and hostile files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from collectors import Host
from collectors.collector import Block
from collectors.proc.statistics import FILES, STATISTICS
from collectors.values import Cell
from collectors.wire.netlink import DecodeError
from tests.collectors.hostile import cut_blocks, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("statistics")
NEIGHBOURS = """\
entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast \
periodic_gc_runs forced_gc_runs unresolved_discards table_fulls
00000011 00000020 0000000f 00000001 0000ffff 00000007 00000003   00000000         00000000         \
000000aa         00000002       00000017            0000000b
00000011 00000000 00000000 00000000 00000000 00000000 00000000   00000000         00000000         \
00000000         00000000       00000000            00000000
"""


def rows(part: str, text: str) -> list[dict[str, Cell]]:
    return list(STATISTICS.decode([Block(part, text.encode())]).rows())


def test_what_an_xfrm_policy_blocked_is_counted():
    found = {row["counter"]: row for row in STATISTICS.decode(BLOCKS).rows()}
    assert found["xfrm.OutPolBlock"] == {
        "counter": "xfrm.OutPolBlock", "group": "xfrm", "name": "OutPolBlock", "value": 23, "scope": "namespace",
        "source": "xfrm_stat",
    }  # fmt: skip
    assert {"xfrm.InNoStates", "rt_cache.in_martian_src", "synproxy.cookie_invalid"} <= set(found)


def test_arp_and_ndp_are_told_apart_and_are_the_whole_hosts():
    arp, ndp = rows("stat-arp_cache", NEIGHBOURS), rows("stat-ndisc_cache", NEIGHBOURS)
    discards = [row for row in (*arp, *ndp) if row["counter"] == "neigh.unresolved_discards"]
    assert [(row["family"], row["cpu"], row["value"]) for row in discards] == [
        ("inet", 0, 0x17), ("inet", 1, 0), ("inet6", 0, 0x17), ("inet6", 1, 0),
    ]  # fmt: skip
    assert {row["scope"] for row in discards} == {"host"}


def test_the_number_of_entries_is_a_level_and_no_counter():
    entries = [row for row in rows("stat-arp_cache", NEIGHBOURS) if row["name"] == "entries"]
    assert [(row["level"], "value" in row) for row in entries] == [(17, False), (17, False)]


def test_columns_go_by_their_names_wherever_they_stand():
    (row,) = rows("stat-synproxy", "cookie_invalid\n00000017\n")
    assert (row["counter"], row["value"]) == ("synproxy.cookie_invalid", 23)


def test_tls_and_sctp_are_named_as_nstat_and_proc_name_them():
    assert [row["counter"] for row in rows("tls_stat", "TlsDecryptError      \t23\n")] == ["tls.DecryptError"]
    level, counter = rows("sctp-snmp", "SctpCurrEstab      \t5\nSctpAborteds      \t23\n")
    assert (level["counter"], level["level"], "value" in level) == ("Sctp.CurrEstab", 5, False)
    assert (counter["counter"], counter["value"]) == ("Sctp.Aborteds", 23)


def test_a_file_without_rows_for_cpus_has_no_cpu():
    assert "cpu" not in rows("tls_stat", "TlsDecryptError 23\n")[0]


def test_files_that_a_kernel_lacks_are_no_gap(tmp_path: Path):
    folder = tmp_path / "thread-self/net/stat"
    folder.mkdir(parents=True)
    table = STATISTICS.collect(Host(proc=tmp_path))
    assert (len(table), table.gaps) == (0, ())
    (folder / "ndisc_cache").write_text(NEIGHBOURS)
    assert {row["family"] for row in STATISTICS.collect(Host(proc=tmp_path)).rows()} == {"inet6"}


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("xfrm_stat", "XfrmInError\n"),
        ("xfrm_stat", "XfrmInError x\n"),
        ("xfrm_stat", "XfrmInError -1\n"),
        ("tls_stat", f"TlsDecryptError {1 << 64}\n"),
        ("stat-arp_cache", ""),
        ("stat-arp_cache", "entries allocs\n00000001\n"),
        ("stat-arp_cache", "entries\n0000000g\n"),
    ],
)
def test_a_malformed_file_is_a_decode_error(part: str, text: str):
    with pytest.raises(DecodeError):
        rows(part, text)


def test_files_cut_at_any_byte_are_a_table_or_a_decode_error():
    for blocks in cut_blocks([*BLOCKS, Block("stat-arp_cache", NEIGHBOURS.encode())]):
        stands(STATISTICS, blocks)


@quick
@given(mutations(BLOCKS))
def test_files_with_changed_bytes_are_a_table_or_a_decode_error(blocks: list[Block]):
    stands(STATISTICS, blocks)


def test_each_file_has_its_own_part():
    assert len({file.part for file in FILES}) == len(FILES)
