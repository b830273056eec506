"""Drops that the kernel makes, a prime number of each, as the BPF program counts them."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collectors.tracing import bpf, bpf_way
from collectors.tracing.bpf_way import BpfWay
from collectors.tracing.keys import KEY
from collectors.tracing.program import layout
from collectors.tracing.reasons import COLUMNS, DropReasons
from tests.lab import joined_pair, namespace, needs_root
from tests.tracing.drops import counted, inode, receiver, row, send_udp, tcp_segment, to_closed_port

pytestmark = [pytest.mark.root, needs_root]


def test_a_closed_port_has_its_reason_function_namespace_and_device():
    with namespace() as inside, DropReasons() as reasons:
        to_closed_port(inside, 23)
        table = reasons.read()
        found = row(table, inside, "NO_SOCKET")
        assert found.pop("function").startswith("__udp4_lib_rcv")
        assert found == {
            "reason": "NO_SOCKET",
            "protocol": "ip",
            "netns": inode(inside),
            "ifindex": 1,
            "by": "dev",
            "drops": 23,
        }
        assert reasons.way == "bpf"
        assert table.columns == COLUMNS
        assert not table.gaps


def test_what_was_lost_before_is_not_counted_and_counts_only_grow():
    with namespace() as inside:
        to_closed_port(inside, 7)
        with DropReasons() as reasons:
            assert counted(reasons.read(), inside) == []
            for so_far in (5, 10, 15):
                to_closed_port(inside, 5)
                assert row(reasons.read(), inside, "NO_SOCKET")["drops"] == so_far


def test_namespaces_are_told_apart():
    with namespace() as one, namespace() as other, DropReasons() as reasons:
        to_closed_port(one, 23)
        to_closed_port(other, 29)
        to_closed_port(one, 31)
        table = reasons.read()
        assert row(table, one, "NO_SOCKET")["drops"] == 54
        assert row(table, other, "NO_SOCKET")["drops"] == 29


def test_a_rules_drop_has_the_device_it_came_in_by():
    with joined_pair() as (left, right):
        right.run(
            "nft add table inet t",
            "nft add chain inet t in { type filter hook input priority 0 ; }",
            "nft add rule inet t in udp dport 4791 drop",
        )
        with DropReasons() as reasons:
            send_udp(left, 37, ("10.9.0.2", 4791))
            found = row(reasons.read(), right, "NETFILTER_DROP")
        index = right.json("ip -j link show dev right0")[0]["ifindex"]
        assert (found["drops"], found["ifindex"], found["by"]) == (37, index, "dev")
        assert (found["function"], found.get("module")) in (("nft_do_chain", None), ("nft_do_chain", "nf_tables"))


def test_a_drop_on_the_way_out_belongs_to_the_namespace_of_its_socket():
    with joined_pair() as (left, _):
        left.run(
            "nft add table inet t",
            "nft add chain inet t out { type filter hook output priority 0 ; }",
            "nft add rule inet t out udp dport 4791 drop",
        )
        with DropReasons() as reasons:
            sender = left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET)
            with sender:
                for _ in range(41):
                    with pytest.raises(PermissionError):
                        sender.sendto(b"x", ("10.9.0.2", 4791))
            found = row(reasons.read(), left, "NETFILTER_DROP")
        assert found["drops"] == 41
        assert found["by"] in ("dev", "sk"), "never a guess"


def test_a_full_receive_buffer_is_told():
    with namespace() as inside, receiver(inside) as full, DropReasons() as reasons:
        full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        send_udp(inside, 200, ("127.0.0.1", full.getsockname()[1]), 400)
        kept = 0
        full.setblocking(False)
        try:
            while full.recv(1000):
                kept += 1
        except BlockingIOError:
            pass
        found = row(reasons.read(), inside, "SOCKET_RCVBUFF")
        assert 0 < kept < 200
        assert (found["drops"], found["by"], found["ifindex"]) == (200 - kept, "dev", 1)


def test_a_packet_in_a_udp_queue_has_no_device_and_is_given_none():
    """skb->dev holds lengths then; whose it was is told by the socket or a guess, and never by rubbish."""
    with namespace() as inside, DropReasons() as reasons:
        queue = receiver(inside)
        send_udp(inside, 1009, queue.getsockname(), 100)
        before = {tuple(entry.items()) for entry in reasons.read().rows()}
        queue.close()
        time.sleep(0.1)
        new = [entry for entry in reasons.read().rows() if tuple(entry.items()) not in before]
        purged = [entry for entry in new if "udp" in str(entry.get("function")) and entry["drops"] >= 50]
        assert purged
        for entry in purged:
            assert entry["by"] in ("rx_sk", "sk", "task")
            assert "ifindex" not in entry or entry["by"] != "task"
            assert entry["netns"] in (inode(inside), Path("/proc/self/ns/net").stat().st_ino)


def test_a_segment_that_tcp_refuses_belongs_to_its_connection():
    """The device is forgotten by then; the socket that was to receive it is handed over since 6.11."""
    with namespace() as inside, receiver(inside, socket.SOCK_STREAM) as listener:
        listener.listen(1)
        client = inside.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
        raw = inside.host.socket(socket.SOCK_RAW, socket.IPPROTO_TCP, socket.AF_INET)
        with client, raw:
            client.connect(listener.getsockname())
            server, _ = listener.accept()
            segment = tcp_segment(client.getsockname()[1], listener.getsockname()[1], 0, 0)  # no flag, not even ACK
            with server, DropReasons() as reasons:
                for _ in range(43):
                    raw.sendto(segment, ("127.0.0.1", 0))
                rows = counted(reasons.read(), inside)
                found = [entry for entry in rows if str(entry["reason"]).startswith("TCP_")]
                assert sum(entry["drops"] for entry in found) == 43
                assert {entry["by"] for entry in found} <= {"rx_sk", "sk", "dev"}
                assert {entry.get("ifindex") for entry in found} == {1}


def test_counts_without_room_for_their_key_are_told_and_not_lost():
    with namespace() as inside:
        way = BpfWay(entries=8)
        try:
            key = np.zeros(1, KEY)
            for number in range(1, 8):  # the last place is the one of what finds none
                key["location"] = number
                bpf.update(way._counts, key.tobytes(), np.zeros(way._values.shape[1], np.uint64).tobytes())
            to_closed_port(inside, 23)
            found = way.read()
            assert inode(inside) not in found.keys["netns"]
            assert found.lost >= 23
        finally:
            way.close()


def test_what_is_lost_is_a_row_and_a_gap(monkeypatch):
    with DropReasons() as reasons:
        true = reasons._way.read
        monkeypatch.setattr(reasons._way, "read", lambda: true()._replace(lost=17))
        table = reasons.read()
        assert {"drops": 17} in list(table.rows())
        assert "17 drops" in table.gaps[0].reason


def test_a_kernel_that_tells_neither_reason_nor_receiver_still_tells_where_and_whose(monkeypatch):
    """As before 5.17; made up by leaving both out of what this kernel hands over."""
    monkeypatch.setattr(bpf_way, "layout", lambda *known: replace(layout(*known), reason=None, rx_sk=None))
    with namespace() as inside, DropReasons() as reasons:
        to_closed_port(inside, 47)
        table = reasons.read()
        (found,) = [entry for entry in counted(table, inside) if entry["protocol"] == "ip"]
        assert "reason" not in found
        assert (found["drops"], found["ifindex"], found["by"]) == (47, 1, "dev")
        assert "does not tell why" in table.gaps[0].reason


def test_nothing_stays_in_the_kernel_when_the_process_is_killed():
    code = (
        "import os\nfrom collectors.tracing.reasons import DropReasons\nreasons = DropReasons()\n"
        "info = open(f'/proc/self/fdinfo/{reasons._way._program}').read()\n"
        "print(info.split('prog_id:')[1].split()[0], flush=True)\nimport time; time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        number = int(child.stdout.readline())
        assert program_exists(number)
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    deadline = time.monotonic() + 10
    while program_exists(number) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not program_exists(number)


def program_exists(number: int) -> bool:
    try:
        os.close(bpf.bpf(13, number.to_bytes(4, sys.byteorder)))  # BPF_PROG_GET_FD_BY_ID
    except FileNotFoundError:
        return False
    return True


def test_closing_leaves_no_descriptor_and_reading_then_is_an_error():
    before = len(list(Path("/proc/self/fd").iterdir()))
    reasons = DropReasons()
    reasons.close()
    reasons.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with pytest.raises(OSError, match="no longer counted"):
        reasons.read()


def test_a_program_that_the_kernel_refuses_is_told_with_its_reason():
    with pytest.raises(bpf.Refused, match=r"refused the program: .*R0 !read_ok"):
        bpf.load_raw_tracepoint(bytes([0x95, 0, 0, 0, 0, 0, 0, 0]), b"nettui_wrong")  # only exit: R0 was never set


def test_a_reading_of_two_hundred_kinds_costs_less_than_a_millisecond():
    with DropReasons() as reasons:
        key = np.zeros(1, KEY)
        for number in range(200):
            key["location"], key["reason"], key["netns"] = (1 << 63) + number, number % 50 + 2, number
            bpf.update(reasons._way._counts, key.tobytes(), np.ones(reasons._way._values.shape[1], np.uint64).tobytes())
        reasons.read()
        times = []
        for _ in range(10):
            begun = time.process_time()
            assert len(reasons.read()) >= 200
            times.append(time.process_time() - begun)
        assert min(times) < 0.001
