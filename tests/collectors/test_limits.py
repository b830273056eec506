"""Limits and their use come from a folder that stands in for /proc, and malformed files are refused."""

from pathlib import Path

import pytest

import collectors
from collectors import Host
from collectors.wire.netlink import DecodeError

FILES = {
    "sys/net/ipv4/tcp_mem": "187815\t250421\t375630\n",
    "sys/net/ipv4/neigh/default/gc_thresh3": "1024\n",
    "sys/net/netfilter/nf_conntrack_max": "262144\n",
    "sys/net/netfilter/nf_conntrack_count": "23\n",
    "sys/fs/file-nr": "1120\t0\t9223372036854775807\n",
    "thread-self/net/sockstat": "sockets: used 14\nTCP: inuse 1 orphan 2 tw 3 alloc 1 mem 125\nUDP: inuse 0 mem 7\n",
    "thread-self/net/stat/arp_cache": "entries  allocs\n0000001f 00000002\n0000001f 00000004\n",
}


def limits(folder: Path, files: dict[str, str]) -> dict[str, dict[str, object]]:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return {str(row["name"]): row for row in collectors.collect("limits", Host(proc=folder)).rows()}


def test_use_and_limit_stand_side_by_side(tmp_path: Path):
    found = limits(tmp_path, FILES)
    assert (found["conntrack entries"]["used"], found["conntrack entries"]["limit"]) == (23, 262144)
    assert (found["TCP memory"]["used"], found["TCP memory"]["limit"]) == (125, 375630)


def test_counts_below_stat_are_hexadecimal_and_found_by_their_heading(tmp_path: Path):
    assert limits(tmp_path, FILES)["IPv4 neighbours"]["used"] == 0x1F


def test_a_subsystem_that_the_kernel_lacks_has_no_row(tmp_path: Path):
    del (files := dict(FILES))["sys/net/netfilter/nf_conntrack_max"]
    assert "conntrack entries" not in limits(tmp_path, files)


def test_a_count_that_the_kernel_lacks_is_absent_and_not_zero(tmp_path: Path):
    del (files := dict(FILES))["thread-self/net/sockstat"]
    assert "used" not in limits(tmp_path, files)["TCP memory"]


@pytest.mark.parametrize("name", list(FILES))
def test_a_malformed_file_is_a_decode_error(tmp_path: Path, name: str):
    with pytest.raises(DecodeError):
        limits(tmp_path, {**FILES, name: "\x1b[31m nothing of the kind"})


def test_the_running_kernel_has_the_limits_of_tcp():
    found = {row["name"]: row for row in collectors.collect("limits").rows()}
    assert found["TCP memory"]["limit"] == int(Path("/proc/sys/net/ipv4/tcp_mem").read_text().split()[2])
