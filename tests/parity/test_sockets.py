"""Sockets of every kind and their owners beside ``ss``, and what /proc/net lists beside what sock_diag tells."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors import Table, collect
from collectors.collector import Block
from collectors.netlink import modules, sockets
from collectors.netlink.sock_columns import COLUMNS
from collectors.values import Cell
from tests.lab import Namespace, needs_root, run
from tests.parity import ss
from tests.parity.peer import settled
from tests.socket_scenes import every_socket

pytestmark = [pytest.mark.root, needs_root]
Rows = list[dict[str, Cell]]

INET = "tcp,mptcp,udp,raw"  # asked for alone, ss leaves the first column out
# columns of which ss 6.1 tells nothing
UNSAID = frozenset(
    """family backlog backlog_limit oif protocol tos tclass class_id sockopts ca_state retransmits probes
    fastopen_client_fail rcv_wnd rehash total_rto total_rto_recoveries total_rto_time received_ce delivered_e1_bytes
    delivered_e0_bytes delivered_ce_bytes received_e1_bytes received_e0_bytes received_ce_bytes accecn_fail_mode
    accecn_opt_seen ulp_info vfs_dev""".split()  # noqa: SIM905
)
MOVING = {"lastsnd": 2000, "lastrcv": 2000, "lastack": 2000, "timer_expires": 61_000}


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[Namespace, dict[str, Any]]]:
    """A namespace with tests/every_socket.py in it, and what that made."""
    with every_socket() as made:
        yield made


def said(inside: Namespace, kinds: str, reader: Callable[[str], ss.Row]) -> list[ss.Row]:
    command = ["ip", "netns", "exec", inside.name, "ss", "-HOnaemiop", "-A", kinds]
    output = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return [reader(line) for line in output.decode("utf-8", "surrogateescape").split("\n") if line.strip()]


def ours(inside: Namespace, *netids: str) -> Rows:
    return [row for row in collect("sockets", inside.host).rows() if row["netid"] in netids]


def unlike(rows: Rows, peers: list[ss.Row], key: Callable[[dict[str, Any]], object]) -> list[str]:
    """Everything in which rows of the same key differ; what ss leaves out must be nothing or 0 here."""
    left, right = {key(row): row for row in rows}, {key(row): row for row in peers}
    found = [f"only in one: {which}" for which in left.keys() ^ right.keys()]
    for which in left.keys() & right.keys():
        row, peer = ss.spoken(left[which]), right[which]
        if row["state"] == "LISTEN" and row["netid"] == "tcp":
            assert peer.pop("unacked", 0) == row["backlog"]  # what tcp_info says of a listener
        for name in sorted((row.keys() | peer.keys()) - UNSAID - {"users"}):
            mine, theirs = row.get(name), peer.get(name)
            if not same(name, mine, theirs):
                found.append(f"{which}: {name} is {mine!r}, ss says {theirs!r}")
    return found


def same(name: str, mine: Any, theirs: Any) -> bool:
    if theirs is None:
        return not mine or (name == "reordering" and mine == 3) or (name == "ssthresh" and mine >= 0xFFFF)
    if name in ("src", "dst") and theirs == "*":
        return mine in ("::", "0.0.0.0")
    if name == "timer_expires":
        return abs(mine - theirs) <= MOVING[name] and (mine < 60_000) == (theirs < 60_000)
    if name in MOVING:
        return abs(mine - theirs) <= MOVING[name]
    if isinstance(theirs, float):
        return mine == pytest.approx(theirs, rel=1e-5)
    return bool(mine == theirs) or (mine is None and theirs == 0)


def by_cookie(row: dict[str, Any]) -> object:
    return row["netid"], row["cookie"]


def by_inode(row: dict[str, Any]) -> object:
    return row["netid"], row["inode"]


@pytest.mark.parametrize("netid", ["tcp", "mptcp", "udp"])
def test_inet_sockets_are_as_ss_shows_them(scene: tuple[Namespace, dict[str, Any]], netid: str) -> None:
    inside, made = scene
    if netid == "mptcp" and not made["mptcp"]:
        pytest.skip("this kernel has no MPTCP")

    def attempt() -> list[str]:
        peers = [row for row in said(inside, INET, ss.inet) if row["netid"] == netid]
        assert len(peers) >= 3
        # ss 6.1 does not ask for sockets that are bound and nothing more (a dump of its own since 6.8)
        return unlike([row for row in ours(inside, netid) if row.get("sport") != 7006], peers, by_cookie)

    assert not (found := settled(attempt, 5)), "\n".join(found)


def test_the_states_that_were_made_are_all_there(scene: tuple[Namespace, dict[str, Any]]) -> None:
    inside, _ = scene
    states = {row["state"] for row in ours(inside, "tcp")}
    assert states >= {"LISTEN", "ESTAB", "TIME-WAIT", "SYN-SENT", "FIN-WAIT-2", "CLOSE-WAIT"}
    (listener,) = [row for row in ours(inside, "tcp") if row["state"] == "LISTEN" and row["sport"] == 7001]
    assert (listener["backlog"], listener["backlog_limit"]) == (3, 7)
    assert "rtt" not in listener
    (mapped,) = [row for row in ours(inside, "tcp") if row["state"] == "ESTAB" and row.get("sport") == 7003]
    assert (mapped["family"], mapped["src"]) == ("inet6", "::ffff:127.0.0.1")
    (waiting,) = [row for row in ours(inside, "tcp") if row["state"] == "TIME-WAIT"]
    assert "inode" not in waiting
    assert "uid" not in waiting
    assert waiting["timer"] == "timewait"


def test_unix_sockets_are_as_ss_shows_them(scene: tuple[Namespace, dict[str, Any]]) -> None:
    inside, _ = scene
    peers = said(inside, "unix", ss.unix)
    assert len(peers) >= 8
    assert unlike([dict(row, cookie=0) for row in ours(inside, "u_str", "u_dgr", "u_seq")], peers, by_inode) == []
    paths = {str(row.get("path")) for row in peers}
    assert any(path.endswith("/\udcff\x1b]0;x\x07 name") for path in paths)
    assert "@abstract@\x1b[31m name" in paths


def test_raw_packet_and_netlink_sockets_are_as_ss_shows_them(scene: tuple[Namespace, dict[str, Any]]) -> None:
    inside, made = scene
    ends = {(row["sport"], row["src"]) for row in ours(inside, "raw")}
    assert ends == {
        (row["sport"], row["src"].replace("*", "::")) for row in said(inside, INET, ss.inet) if row["netid"] == "raw"
    }
    packets = run(f"ip netns exec {inside.name} ss -HOnaem -0").splitlines()
    assert len(packets) == 3
    for row in ours(inside, "p_raw", "p_dgr"):
        (line,) = [line for line in packets if f" ino:{row['inode']} " in line]
        assert line.split()[0] == row["netid"] or line.startswith(str(row["netid"]))
        assert f"sk:{row['cookie']:x} " in line
        flags = row["packet_flags"]
        assert isinstance(flags, list)
        assert f"ver:{row['packet_version']} cpy_thresh:0 flags( {' '.join(map(str, flags)) or 0} )" in line
        assert ("ring_rx(blk_size:4096,blk_nr:4,frm_size:2048,frm_nr:8" in line) == ("ring_rx" in row)
    netlink = ours(inside, "nl")
    assert len({row["cookie"] for row in netlink}) == len(netlink)
    (routes,) = [row for row in netlink if row["portid"] == made["pid"] and row["protocol"] == "rtnl"]
    assert routes["groups"] == [1, 7]
    assert f"rtnl:python/{made['pid']}" in run(f"ip netns exec {inside.name} ss -HOae -A netlink").replace("3/", "/")


def test_ping_sockets_come_from_proc(scene: tuple[Namespace, dict[str, Any]]) -> None:
    inside, _ = scene
    found = {(row["netid"], row["src"], row["sport"]) for row in ours(inside, "icmp", "icmp6")}
    assert found == {("icmp", "127.0.0.1", 4242), ("icmp6", "::1", 4243)}


def test_every_descriptor_has_its_owner(scene: tuple[Namespace, dict[str, Any]]) -> None:
    inside, made = scene
    owners = [row for row in collect("socket_owners", inside.host).rows() if row["pid"] == made["pid"]]
    assert {str(row["fd"]): row["inode"] for row in owners} == made["held"]
    assert {row["uid"] for row in owners} == {0}
    comm = Path(f"/proc/{made['pid']}/comm").read_text("utf-8").strip()
    assert {row["comm"] for row in owners} == {comm}
    holders = {row["inode"]: [(row["pid"], row["fd"])] for row in owners}
    peers = [row for row in said(inside, INET, ss.inet) + said(inside, "unix", ss.unix) if "users" in row]
    assert len(peers) > 20
    for row in peers:
        inode = row.get("inode")
        if inode:
            assert holders[inode] == row["users"]


def as_listed(inside: Namespace, monkeypatch: pytest.MonkeyPatch) -> Table:
    """The sockets of a host whose kernel has no sock_diag module and may not load one."""
    monkeypatch.setattr(sockets, "at_hand", lambda host: frozenset())
    monkeypatch.setattr(sockets, "dump", never)
    return collect("sockets", inside.host)


def never(*arguments: object) -> Iterator[Block]:
    raise AssertionError(f"asked the kernel, which loads a module: {arguments}")


@pytest.mark.parametrize(
    "netids", [["tcp"], ["udp", "udplite"], ["u_str", "u_dgr", "u_seq"], ["p_raw", "p_dgr"], ["nl"]]
)
def test_what_proc_lists_equals_what_sock_diag_tells(
    scene: tuple[Namespace, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, netids: list[str]
) -> None:
    inside, _ = scene
    told = [row for row in ours(inside, *netids) if row.get("sport") != 7006 and row.get("protocol") != "tcpdiag"]
    with monkeypatch.context() as patched:
        listed = [row for row in as_listed(inside, patched).rows() if row["netid"] in netids]
    listed = [row for row in listed if row.get("sport") != 7006 and row.get("protocol") != "tcpdiag"]

    def key(row: dict[str, Cell]) -> tuple[Cell, ...]:
        return tuple(row.get(name) for name in ("netid", "protocol", "portid", "src", "sport", "dst", "dport")) + (
            () if row["state"] == "TIME-WAIT" else (row.get("inode"),)
        )

    assert len(told) >= 3
    assert {key(row) for row in told} == {key(row) for row in listed}
    full = {key(row): row for row in told}
    for row in listed:
        for name, cell in row.items():
            other = full[key(row)].get(name)
            if name in ("timer_expires", "timer_retrans", "cwnd") and row["state"] == "SYN-SENT":
                continue
            if name == "timer_expires":
                assert abs(int(str(cell)) - int(str(other))) < 5000
            elif name == "packet_flags":
                assert cell == ["running"]
            else:
                assert cell == other, (name, row)


def test_without_its_module_a_part_is_listed_from_proc_with_a_gap(
    scene: tuple[Namespace, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, made = scene
    table = as_listed(inside, monkeypatch)
    gaps = {gap.reason.split(" sockets")[0]: gap for gap in table.gaps}
    assert "inet_diag and tcp_diag not loaded" in gaps["tcp"].reason
    assert gaps["tcp"].remedy == "modprobe tcp_diag"
    assert gaps["unix"].remedy == "modprobe unix_diag"
    if made["mptcp"]:
        assert "3 mptcp" in gaps
    assert "dccp" not in gaps  # there is none to miss


def test_no_two_rows_have_one_key(scene: tuple[Namespace, dict[str, Any]]) -> None:
    inside, _ = scene
    keys = [column.name for column in COLUMNS if column.kind == "key"]
    rows = [tuple(row.get(name) for name in keys) for row in collect("sockets", inside.host).rows()]
    assert len(set(rows)) == len(rows)


def test_asking_is_harmless_only_where_the_kernel_loads_nothing() -> None:
    assert modules.missing(("inet_diag", "tcp_diag"), None) == []
    assert modules.missing(("inet_diag", "tcp_diag"), frozenset({"inet_diag"})) == ["tcp_diag"]
