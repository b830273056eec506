"""Sockets from recorded dumps and listings, from hostile bytes, and what is asked of which kernel."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import Host
from collectors.collector import Block
from collectors.netlink import modules, sock_inet, sock_netlink, sock_packet, sock_proc, sock_unix, sockets
from collectors.netlink.sock_inet import INET_DIAG_INFO, INET_DIAG_MSG
from collectors.netlink.sock_tcp_info import FIELDS, TCP_INFO
from collectors.netlink.sock_upper import mptcp_info, upper_layer
from collectors.table import Gap, Table
from collectors.values import Cell
from collectors.wire.netlink import NLMSGHDR, DecodeError, NetlinkError, attribute, messages
from tests.record import recorded

DONE = NLMSGHDR.pack(20, 3, 2, 1, 0) + bytes(4)
INFO = bytes(64)  # as much of tcp_info as Linux 2.6 had
UNIX = b"""Num       RefCount Protocol Flags    Type St Inode Path
0000000096e6747b: 00000003 00000000 00000000 0002 03 538969
00000000e530c285: 00000003 00000000 00000000 0001 02     0 /run/stream
0000000021038b16: 00000002 00000000 00010000 0001 01 538962 /run/stream
000000005493f609: 00000002 00000000 00000000 0002 01 538966 /run/two
lines
"""
NETLINK = b"""sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000354d9fe9 0   3027       00000041 0        0        0     2        23       538971  \n"""
PACKET = b"""sk               RefCnt Type Proto  Iface R Rmem   User   Inode
00000000007e545d 3      3    0003   7     1 11     1000   538959\n"""
LISTED = {
    "tcp": b"""  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   1: 0100007F:1B59 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 538924 4 0 100 0 0 10 0
   3: 0100007F:A96A 0100007F:1B59 01 00000000:000003F1 02:000AFC7D 00000000  1000        0 538925 3 0 20 4 30 11 -1
  14: 0100007F:E850 0100007F:1B5C 06 00000000:00000000 03:0000176D 00000000     0        0 0 3 00000000f7ca22ff
""",
    "tcp6": b"""  sl  local_address                         remote_address                        st tx_queue rx_queue
   3: 0000000000000000FFFF00000100007F:1B5B B80D01200000000067452301EFCDAB89:B9E8 08 00000001:00000000 00:00000000 \
00000000     0        0 538935 1 00000000f4bb5f0e 20 0 0 10 -1
""",
    "unix": UNIX,
    "netlink": NETLINK,
    "packet": PACKET,
}


def blocks() -> list[Block]:
    return recorded("sockets")


def rows(*raw: Block | Gap) -> list[dict[str, Cell]]:
    return list(sockets.decode(raw).rows())


def diag(kind: int, header: bytes, *attributes: tuple[int, bytes]) -> bytes:
    """One message of sock_diag."""
    body = header + b"".join(attribute(number, value) for number, value in attributes)
    return NLMSGHDR.pack(16 + len(body), kind, 2, 1, 0) + body


def inet(state: int, *attributes: tuple[int, bytes], cookie: int = 1) -> bytes:
    header = np.zeros(1, INET_DIAG_MSG)
    header["idiag_family"], header["idiag_state"], header["idiag_cookie"] = 2, state, cookie
    return diag(20, header.tobytes(), *attributes)


def test_a_recorded_dump_gives_every_kind_of_socket():
    found = rows(*blocks())
    assert {row["netid"] for row in found} == {
        "tcp", "mptcp", "udp", "udplite", "raw", "icmp", "icmp6", "u_str", "u_dgr", "u_seq", "p_raw", "p_dgr", "nl",
    }  # fmt: skip
    assert len([row for row in found if row["netid"] == "tcp"]) == 24
    (client,) = [row for row in found if row.get("mark") == 23 and row["netid"] == "tcp"]
    assert (client["src"], client["dst"], client["dport"]) == ("127.0.0.1", "127.0.0.1", 7001)
    assert (client["bytes_sent"], client["bytes_received"], client["tos"]) == (1009, 11, 16)
    assert client["timer"] == "keepalive"
    assert client["options"] == ["ts", "sack"]
    (ping,) = [row for row in found if row["netid"] == "icmp"]
    assert (ping["src"], ping["sport"], ping["state"]) == ("127.0.0.1", 4242, "UNCONN")


def test_a_listener_has_its_backlog_and_no_measured_times():
    (listener,) = [row for row in rows(*blocks()) if row["state"] == "LISTEN" and row.get("sport") == 7001]
    assert (listener["recv_q"], listener["backlog"], listener["backlog_limit"]) == (3, 3, 7)
    assert listener["cwnd"] == 10
    assert not listener.keys() & {"rtt", "unacked", "bytes_acked", "lastsnd", "pacing_rate", "options"}


def test_a_part_that_lists_both_listeners_and_connections_keeps_them_apart():
    info = struct.pack("=8B", 1, 0, 0, 0, 0, 7, 0x7A, 0) + struct.pack("=24I", *range(1000, 1024))
    dump = inet(10, (INET_DIAG_INFO, info), cookie=1) + inet(1, (INET_DIAG_INFO, info), cookie=2)
    listening, connected = rows(Block("tcp", dump + DONE))
    assert "rto" not in listening
    assert connected["rto"] == 1000
    assert (connected["snd_wscale"], connected["rcv_wscale"]) == (10, 7)
    assert (listening["cookie"], connected["cookie"]) == (1, 2)


def test_tcp_info_of_an_older_kernel_fills_only_what_it_has():
    (row,) = rows(Block("tcp", inet(1, (INET_DIAG_INFO, INFO)) + DONE))
    assert row["unacked"] == 0
    assert "bytes_acked" not in row
    assert "snd_wnd" not in row


def test_tcp_info_of_a_newer_kernel_is_read_as_far_as_it_is_known():
    whole = bytes(range(1, 101)) * 4
    (row,) = rows(Block("tcp", inet(1, (INET_DIAG_INFO, whole)) + DONE))
    assert row["accecn_opt_seen"] == int.from_bytes(whole[278:280], "little")


def test_tcp_info_has_the_kernels_offsets():
    offsets = {name: TCP_INFO.fields[name][1] for name in TCP_INFO.names}
    assert (offsets["rto"], offsets["pacing_rate"], offsets["segs_out"], offsets["delivery_rate"]) == (8, 104, 136, 160)
    assert (offsets["bytes_sent"], offsets["rcv_ooopack"], offsets["total_rto_time"]) == (200, 224, 244)
    assert TCP_INFO.itemsize == 280
    assert len({field.name for field in FIELDS if field.name}) == len([field for field in FIELDS if field.name])


def test_an_unsampled_time_and_an_unlimited_rate_are_absent():
    info = np.zeros(1, TCP_INFO)
    info["min_rtt"], info["max_pacing_rate"], info["snd_ssthresh"] = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x7FFFFFFF
    (row,) = rows(Block("tcp", inet(1, (INET_DIAG_INFO, info.tobytes())) + DONE))
    assert not row.keys() & {"rtt", "rttvar", "minrtt", "max_pacing_rate", "ssthresh"}


def test_keys_of_md5_signatures_are_never_shown():
    secret = b"secret-of-the-bgp-session"
    (row,) = rows(Block("tcp", inet(1, (18, secret + bytes(100))) + DONE))
    assert secret.decode() not in repr(row)


def test_upper_layers_are_told_by_name_and_detail():
    tls = b"".join(attribute(n, v) for n, v in ((1, b"\x04\x03"), (2, b"\x33\x00"), (3, b"\x02\x00"), (4, b"\x01\x00")))
    assert upper_layer(attribute(1, b"tls\0") + attribute(2, tls)) == (
        "tls",
        {"version": "1.3", "cipher": "aes-gcm-128", "rxconf": "none", "txconf": "sw"},
    )
    assert upper_layer(b"\xff\xff\xff") == (None, None)
    assert upper_layer(b"\xff\xff\xff\xff") == (None, None)
    assert mptcp_info(b"\x01") == {"subflows": 1}
    assert mptcp_info(b"") is None


def test_an_abstract_name_shows_its_nul_bytes_and_a_path_ends_at_its_nul():
    assert sock_unix.path(b"\0a\0b") == "@a@b"
    assert sock_unix.path(b"/run/x\0") == "/run/x"
    assert sock_unix.path(b"\xff\n\x1b") == "\udcff\n\x1b"
    assert sock_unix.path(b"") is None


def test_netlink_groups_are_numbers_from_one():
    assert sock_netlink.groups(b"\x41\0\0\0\x01\0\0\0") == [1, 7, 33]
    assert sock_netlink.groups(bytes(8)) is None


def test_a_netlink_socket_that_comes_twice_is_one_row():
    header = struct.pack("=4B4IQ", 16, 3, 0, 0, 77, 0, 0, 5, 9)
    found = rows(Block("netlink", diag(20, header) * 2 + DONE))
    assert [row["portid"] for row in found] == [77]


def test_a_packet_sockets_fanout_and_unknown_protocol_are_told():
    assert sock_packet.fanout(0x00060017) == {"id": 23, "type": "cbpf"}
    assert sock_packet.ether_type(0x88B5) == "[34997]"
    assert sock_packet.ether_type(0) is None


def test_listed_tcp_sockets_have_what_the_listing_tells():
    listener, connected, waiting = rows(Block("proc-tcp", LISTED["tcp"]))
    assert (listener["state"], listener["recv_q"], listener["backlog"]) == ("LISTEN", 3, 3)
    assert not listener.keys() & {"send_q", "backlog_limit", "dport"}
    assert (connected["src"], connected["sport"], connected["dport"]) == ("127.0.0.1", 43370, 7001)
    assert (connected["uid"], connected["timer"], connected["timer_expires"]) == (1000, "keepalive", 7199970)
    assert connected["cwnd"] == 11
    assert (waiting["state"], waiting["timer"]) == ("TIME-WAIT", "timewait")
    assert not waiting.keys() & {"inode", "uid", "cookie"}
    (six,) = rows(Block("proc-tcp6", LISTED["tcp6"]))
    assert (six["src"], six["dst"], six["state"], six["send_q"]) == (
        "::ffff:127.0.0.1", "2001:db8::123:4567:89ab:cdef", "CLOSE-WAIT", 1,
    )  # fmt: skip


def test_listed_unix_paths_may_hold_a_newline_and_unaccepted_ones_are_left_out():
    found = rows(Block("proc-unix", UNIX))
    assert [(row["inode"], row["state"], row.get("path")) for row in found] == [
        (538969, "ESTAB", None), (538962, "LISTEN", "/run/stream"), (538966, "UNCONN", "/run/two\nlines"),
    ]  # fmt: skip


def test_listed_packet_and_netlink_sockets():
    (packet,) = rows(Block("proc-packet", PACKET))
    assert (packet["netid"], packet["protocol"], packet["oif"], packet["recv_q"], packet["uid"]) == (
        "p_raw", "all", 7, 11, 1000,
    )  # fmt: skip
    (netlink,) = rows(Block("proc-netlink", NETLINK))
    assert (netlink["portid"], netlink["groups"], netlink["drops"]) == (3027, [1, 7], 23)


@pytest.mark.parametrize("name", LISTED)
def test_a_listing_cut_at_every_byte_gives_a_table_or_an_error(name: str):
    whole = LISTED[name]
    for cut in range(len(whole)):
        outcome(Block(f"proc-{name}", whole[:cut]))


def outcome(*raw: Block) -> Table | None:
    """The table, or nothing where the decoder refused as it should; any other exception fails the test."""
    try:
        table = sockets.decode(raw)
    except (DecodeError, NetlinkError):
        return None
    list(table.rows())
    return table


def test_every_recorded_message_cut_short_at_every_byte_gives_a_table_or_an_error():
    for block in blocks():
        if block.part.startswith("proc-"):
            continue
        found = messages(bytes(block.data)).of(20)
        for length in sorted(set(found.lengths.tolist())):
            start = int(found.offsets[found.lengths == length][0])
            whole = bytes(block.data)[start : start + length]
            for cut in range(16, length):
                outcome(Block(block.part, struct.pack("=I", cut) + whole[4:cut] + bytes(-cut % 4) + DONE))


def test_dumps_cut_anywhere_give_a_table_or_an_error():
    for block in blocks():
        whole = bytes(block.data)
        for cut in range(0, len(whole), 1 if len(whole) < 600 else 37):
            outcome(Block(block.part, whole[:cut]))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 14), st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8))
def test_changed_bytes_give_a_table_or_an_error(which: int, changes: list[tuple[int, int]]):
    block = blocks()[which]
    data = bytearray(block.data)
    for place, value in changes:
        data[place % len(data)] = value
    outcome(Block(block.part, bytes(data)))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(LISTED)), st.binary(max_size=30), st.integers(0, 400))
def test_a_listing_with_foreign_bytes_gives_a_table_or_an_error(name: str, foreign: bytes, place: int):
    whole = LISTED[name]
    outcome(Block(f"proc-{name}", whole[:place] + foreign + whole[place + len(foreign) :]))


def test_a_part_that_is_not_known_is_an_error():
    with pytest.raises(DecodeError, match="no such part"):
        sockets.decode([Block("x25", DONE)])


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A /proc of a modular kernel with nothing loaded, and its empty listings."""
    for name in ("thread-self/net", "sys/kernel"):
        (tmp_path / "proc" / name).mkdir(parents=True)
    (tmp_path / "proc/modules").write_text("nf_tables 1 0 - Live 0x0\n")
    (tmp_path / "proc/sys/kernel/modprobe").write_text("/sbin/modprobe\n")
    (tmp_path / "proc/sys/kernel/modules_disabled").write_text("0\n")
    (tmp_path / "proc/sys/kernel/osrelease").write_text("6.1.0-test\n")
    (tmp_path / "proc/thread-self/net/protocols").write_text("protocol  size sockets  memory\nMPTCP 1936 3 125 no\n")
    monkeypatch.setattr(modules, "FOLDER", tmp_path / "modules")
    return Host(proc=tmp_path / "proc")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that the kernel is asked for, which it then answers with nothing."""
    parts: list[str] = []

    def dump(host: Host, protocol: int, kind: int, body: bytes, part: str) -> Iterator[Block]:
        parts.append(part)
        yield Block(part, DONE)

    monkeypatch.setattr(sockets, "dump", dump)
    return parts


def test_nothing_is_asked_that_would_load_a_module(host: Host, asked: list[str]):
    (host.proc / "thread-self/net/tcp").write_bytes(LISTED["tcp"])
    (host.proc / "thread-self/net/udp").write_bytes(b"  sl  local_address\n")
    table = sockets.decode(sockets.read(host))
    assert asked == []
    assert len(table) == 3
    assert [(gap.reason, gap.remedy) for gap in table.gaps] == [
        (
            "tcp sockets as /proc/net/tcp lists them, with fewer columns: inet_diag and tcp_diag not loaded,"
            " and not loaded by asking",
            "modprobe tcp_diag",
        ),
        (
            "3 mptcp sockets are not shown: inet_diag and mptcp_diag not loaded, and not loaded by asking",
            "modprobe mptcp_diag",
        ),
    ]


def test_loaded_and_built_in_modules_are_asked(host: Host, asked: list[str]):
    (host.proc / "modules").write_text("tcp_diag 16384 0 - Live 0x0\ninet_diag 24576 1 tcp_diag, Live 0x0\n")
    folder = modules.FOLDER / "6.1.0-test"
    folder.mkdir(parents=True)
    (folder / "modules.builtin").write_text("kernel/net/unix/unix_diag.ko\nkernel/net/packet/af_packet_diag.ko.zst\n")
    list(sockets.read(host))
    assert asked == ["tcp", "tcp6", "unix", "packet"]


@pytest.mark.parametrize(
    ("name", "content"), [("modules", None), ("sys/kernel/modprobe", ""), ("sys/kernel/modules_disabled", "1\n")]
)
def test_a_kernel_that_loads_nothing_is_asked_for_everything(
    host: Host, asked: list[str], name: str, content: str | None
):
    if content is None:
        (host.proc / name).unlink()
    else:
        (host.proc / name).write_text(content)
    list(sockets.read(host))
    assert asked == [part.name for part in sockets.PARTS]


def test_where_the_list_of_modules_may_not_be_read_nothing_is_asked(host: Host, asked: list[str]):
    (host.proc / "modules").unlink()
    (host.proc / "modules").mkdir()  # any error but its absence: root may read every file of its own
    list(sockets.read(host))
    assert asked == []


def test_a_release_that_is_a_path_is_not_followed(host: Host):
    (host.proc / "sys/kernel/osrelease").write_text("../../etc\n")
    assert modules.built_in(host) == frozenset()


def test_a_refused_dump_is_replaced_by_its_listing(host: Host, monkeypatch: pytest.MonkeyPatch):
    (host.proc / "modules").unlink()
    (host.proc / "thread-self/net/unix").write_bytes(UNIX)

    def refuse(host: Host, protocol: int, kind: int, body: bytes, part: str) -> Iterator[Block]:
        yield Block(part, NLMSGHDR.pack(20, 3, 2, 1, 0) + struct.pack("=i", -2))

    monkeypatch.setattr(sockets, "dump", refuse)
    table = sockets.decode(sockets.read(host))
    assert len(table) == 3
    assert "this kernel has no unix_diag" in {gap.reason.rpartition(": ")[2] for gap in table.gaps}


def test_requests_ask_for_every_state_and_extension():
    body = sock_inet.request_body(10, 6)
    assert (body[0], body[1], body[2], body[4:8]) == (10, 6, 0xFE, b"\xff" * 4)
    assert len(body) == 56
    assert sock_inet.request_body(2, 262)[56:] == struct.pack("=HHI", 8, 3, 262)


def test_an_empty_listing_is_an_empty_table():
    assert len(sock_proc.rows("udp6", b"  sl\n")) == 0
    assert len(sock_proc.rows("unix", b"")) == 0
