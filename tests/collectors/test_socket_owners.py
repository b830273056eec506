"""Owners of sockets from a made-up /proc, and from hostile bytes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import Host
from collectors.collector import Block
from collectors.proc import socket_owners
from collectors.values import Cell
from collectors.wire.netlink import DecodeError


def process(proc: Path, pid: int, comm: bytes, uid: int, *links: str) -> Path:
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_bytes(comm + b"\n")
    (folder / "status").write_bytes(b"Name:\tanything\nUid:\t%d\t0\t0\t0\nGid:\t0\t0\t0\t0\n" % uid)
    (folder / "stat").write_bytes(b"%d (a) b) S 1 1 1 0 -1 4194560 0 0\n" % pid)
    for number, link in enumerate(links):
        (folder / "fd" / str(number)).symlink_to(link)
    return folder


def rows(proc: Path) -> list[dict[str, Cell]]:
    found = list(socket_owners.decode(socket_owners.read(Host(proc=proc))).rows())
    return sorted(found, key=lambda row: (row["pid"], row["fd"]))


def test_each_descriptor_of_each_process_is_a_row(tmp_path: Path):
    process(tmp_path, 1, b"init", 0, "/dev/null", "socket:[11]")
    process(tmp_path, 23, b"nginx: worker", 33, "socket:[11]", "pipe:[5]", "socket:[4294967295]")
    process(tmp_path, 29, b"idle", 5, "/dev/null")
    (tmp_path / "net").mkdir()
    assert rows(tmp_path) == [
        {"inode": 11, "pid": 1, "fd": 1, "comm": "init", "uid": 0},
        {"inode": 11, "pid": 23, "fd": 0, "comm": "nginx: worker", "uid": 33},
        {"inode": 4294967295, "pid": 23, "fd": 2, "comm": "nginx: worker", "uid": 33},
    ]


def test_a_name_may_hold_any_byte(tmp_path: Path):
    process(tmp_path, 1, b"a\n\xff\x1b]0;x)", 0, "socket:[7]")
    assert [row["comm"] for row in rows(tmp_path)] == ["a\n\udcff\x1b]0;x)"]


def test_a_process_that_ends_meanwhile_is_left_out(tmp_path: Path):
    process(tmp_path, 1, b"init", 0, "socket:[11]")
    (tmp_path / "40").mkdir()  # its fd folder has gone
    table = socket_owners.decode(socket_owners.read(Host(proc=tmp_path)))
    assert (len(table), table.gaps) == (1, ())


def test_processes_that_may_not_be_looked_into_are_counted_without_kernel_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    process(tmp_path, 1, b"init", 0, "socket:[11]")
    process(tmp_path, 2, b"kthreadd", 0)
    (tmp_path / "2/stat").write_bytes(b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0\n")
    process(tmp_path, 50, b"other", 1000, "socket:[12]")
    allowed = (tmp_path / "1").stat().st_ino

    def denied(folder: int, pid: int) -> object:
        if os.fstat(folder).st_ino != allowed:
            raise PermissionError
        return look(folder, pid)

    look = socket_owners.sockets_of
    monkeypatch.setattr(socket_owners, "sockets_of", denied)
    table = socket_owners.decode(socket_owners.read(Host(proc=tmp_path)))
    assert [row["inode"] for row in table.rows()] == [11]
    assert [gap.reason for gap in table.gaps] == ["processes that may not be looked into: 1"]


@pytest.mark.parametrize(("user", "remedy"), [(0, "not enough"), (1000, "run it as root")])
def test_root_is_not_told_to_become_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, remedy: str):
    process(tmp_path, 1, b"init", 0, "socket:[11]")

    def denied(folder: int, pid: int) -> object:
        raise PermissionError

    monkeypatch.setattr(socket_owners, "sockets_of", denied)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    (gap,) = socket_owners.decode(socket_owners.read(Host(proc=tmp_path))).gaps
    assert remedy in gap.remedy


def test_hidden_processes_are_told(tmp_path: Path):
    process(tmp_path, 4000, b"mine", 1000, "socket:[11]")
    table = socket_owners.decode(socket_owners.read(Host(proc=tmp_path)))
    assert "hidepid" in table.gaps[0].reason


def test_processes_whose_folders_may_not_be_opened_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As with the mount option hidepid=1; a test by root may open every folder of its own."""
    process(tmp_path, 1, b"init", 0, "socket:[11]")
    process(tmp_path, 4000, b"mine", 1000, "socket:[12]")
    opened = os.open

    def denied(path: object, *args: int, **where: int) -> int:
        if path == "1":
            raise PermissionError
        return opened(path, *args, **where)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "open", denied)
    table = socket_owners.decode(socket_owners.read(Host(proc=tmp_path)))
    assert [row["inode"] for row in table.rows()] == [12]
    assert [gap.reason for gap in table.gaps] == ["processes that may not be looked into: 1"]


def test_no_process_with_a_socket_is_an_empty_table(tmp_path: Path):
    assert rows(tmp_path) == []


DESCRIPTORS = b"".join(
    inode.to_bytes(8, "little") + pid.to_bytes(4, "little") + fd.to_bytes(4, "little")
    for inode, pid, fd in ((11, 1, 3), (12, 23, 4), (13, 99, 5))
)
PROCESSES = b"23\x0033\0nginx\0" + b"1\x000\0init\0"


def decoded(descriptors: bytes, processes: bytes) -> list[dict[str, Cell]]:
    blocks = [Block("descriptors", descriptors), Block("processes", processes)]
    return list(socket_owners.decode(blocks).rows())


def test_a_process_without_a_description_keeps_its_rows():
    found = decoded(DESCRIPTORS, PROCESSES)
    assert [(row["pid"], row.get("comm"), row.get("uid")) for row in found] == [
        (1, "init", 0), (23, "nginx", 33), (99, None, None),
    ]  # fmt: skip


def test_bytes_cut_anywhere_give_a_table_or_an_error():
    for cut in range(len(DESCRIPTORS)):
        outcome(DESCRIPTORS[:cut], PROCESSES)
    for cut in range(len(PROCESSES)):
        outcome(DESCRIPTORS, PROCESSES[:cut])


@given(st.binary(max_size=64), st.lists(st.sampled_from([b"1", b"99", b"\0", b"x", b"-", b"\xff"]), max_size=12))
def test_any_bytes_give_a_table_or_an_error(descriptors: bytes, processes: list[bytes]):
    outcome(descriptors, b"".join(processes))


def outcome(descriptors: bytes, processes: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decoded(descriptors, processes)
