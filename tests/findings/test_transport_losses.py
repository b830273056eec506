"""Full listen queues and receive buffers, retransmissions, wrong checksums, fragments, too many in TIME-WAIT."""

import socket
from contextlib import contextmanager

import pytest

from nettui.findings.checksum_errors import CHECKSUM_ERRORS
from nettui.findings.listen_queue import LISTEN_QUEUE
from nettui.findings.reassembly import REASSEMBLY
from nettui.findings.receive_buffers import RECEIVE_BUFFERS
from nettui.findings.retransmissions import RETRANSMISSIONS
from nettui.findings.time_wait import TIME_WAIT
from tests.findings.hosts import found, healthy, silent
from tests.lab import needs_root
from tests.loss import ways_ip, ways_sockets, ways_tcp, ways_tcp_memory, ways_udp
from tests.loss.way import lab


@contextmanager
def losing(make):
    """The namespace in which a way of the loss lab loses packets, and the function that loses them."""
    with lab() as built:
        lose = make(built)
        yield built.right, lose


@needs_root
def test_a_full_listen_queue_is_an_error_with_its_process_and_limit():
    with losing(ways_tcp.tcp_accept_queue_full) as (right, lose):
        [before] = found(LISTEN_QUEUE, right)
        assert before.severity == "error"
        assert "is full" in before.says
        [told] = found(LISTEN_QUEUE, right, lose)
        assert told.severity == "error"
        assert "refused" in told.says
        assert ":80 of py" in told.subject
        assert any("backlog 1, limit 0" in line for line in told.evidence)
        assert any(line.startswith("protocols: TcpExt.ListenOverflows 23") for line in told.evidence)
        assert any(line.startswith("settings: net.core.somaxconn") for line in told.evidence)


@needs_root
def test_a_listen_queue_that_is_filling_is_a_warning():
    with lab() as built:
        listening = built.stack.enter_context(built.right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET))
        listening.bind(("10.9.0.2", 80))
        listening.listen(10)
        for number in range(9):
            client = built.stack.enter_context(built.left.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET))
            client.connect(("10.9.0.2", 80))
            if number == 5:
                assert found(LISTEN_QUEUE, built.right) == []
        [told] = found(LISTEN_QUEUE, built.right)
        assert told.severity == "warning"
        assert "9 connections wait for accept(), 10 may" in told.says


@needs_root
def test_overflows_of_a_listener_that_is_gone_are_told_all_the_same():
    with lab() as built:
        lose = ways_tcp.tcp_accept_queue_full(built)

        def lose_and_close() -> None:
            lose()
            built.stack.close()

        [told] = found(LISTEN_QUEUE, built.right, lose_and_close)
        assert (told.severity, told.subject) == ("error", "listeners")


@needs_root
def test_a_full_receive_buffer_is_an_error_with_socket_and_process():
    with lab() as built:
        receiver = built.stack.enter_context(built.right.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
        receiver.bind(("10.9.0.2", 5353))
        out = ways_sockets.sender(built)

        def send(count: int) -> None:
            for _ in range(count):
                out.sendto(b"x" * 100, ("10.9.0.2", 5353))

        [first] = found(RECEIVE_BUFFERS, built.right, lambda: send(200))
        assert "for the first time" in first.says
        [told] = found(RECEIVE_BUFFERS, built.right, lambda: send(200))
        assert first.severity == told.severity == "error"
        assert "udp 10.9.0.2:5353 of py" in told.says
        assert "its receive buffer is full" in told.says
        assert any("Udp.RcvbufErrors" in line for line in told.evidence)
        assert found(RECEIVE_BUFFERS, built.right) == []
        send(1200)
        [told] = found(RECEIVE_BUFFERS, built.right)
        assert told.severity == "note"
        assert "refuses none now" in told.says


@needs_root
def test_a_receive_buffer_of_a_socket_that_is_gone_is_told_by_the_namespace():
    with lab() as built:

        def lose_and_close() -> None:
            ways_sockets.udp_receive_buffer_full(built)()
            built.stack.close()

        [told] = found(RECEIVE_BUFFERS, built.right, lose_and_close)
        assert (told.severity, told.subject) == ("error", "UDP sockets")


@needs_root
def test_what_a_filter_of_a_socket_refuses_is_not_called_a_full_buffer():
    with losing(ways_udp.udp_socket_filter) as (right, lose):
        [told] = found(RECEIVE_BUFFERS, right, lose)
        assert "its filter or a wrong checksum" in told.says


@needs_root
def test_many_retransmissions_are_an_error_that_names_the_peer():
    with losing(ways_tcp_memory.tcp_lost_on_the_way) as (right, lose):
        [told] = found(RETRANSMISSIONS, right, lose)
        assert told.severity == "error"
        assert "most to 10.9.0.77:" in told.says
        assert any("since the namespace exists" in line for line in told.evidence)
        assert found(RETRANSMISSIONS, right) == []  # those of before are no news
        assert found(RETRANSMISSIONS, right, lambda: None) == []


@needs_root
@pytest.mark.parametrize(
    ("make", "counter"),
    [
        (ways_tcp.tcp_bad_checksum, "Tcp.InCsumErrors"),
        (ways_udp.udp_wrong_checksum, "Udp.InCsumErrors"),
        (ways_udp.udp6_wrong_checksum, "Udp6.InCsumErrors"),
    ],
)
def test_wrong_checksums_are_an_error_by_protocol(make, counter):
    with losing(make) as (right, lose):
        [told] = found(CHECKSUM_ERRORS, right, lose)
        assert (told.severity, told.subject) == ("error", counter)
        assert found(CHECKSUM_ERRORS, right) == []


@needs_root
def test_fragments_that_do_not_arrive_and_fragments_without_room_are_told_apart():
    with losing(ways_ip.ip_fragment_missing) as (right, lose):
        [told] = found(REASSEMBLY, right, lose)
        assert told.severity == "error"
        assert "fragments of them do not arrive" in told.says
    with losing(ways_ip.ip_fragments_too_many) as (right, lose):
        [told] = found(REASSEMBLY, right, lose)
        assert "no memory for them is left" in told.says


@needs_root
def test_connections_that_end_without_time_wait_are_a_warning():
    with losing(ways_tcp.tcp_too_many_in_time_wait) as (right, lose):
        [told] = found(TIME_WAIT, right, lose)
        assert told.severity == "warning"
        assert "connections/s end without it" in told.says


@needs_root
@pytest.mark.parametrize(
    "diagnosis",
    [LISTEN_QUEUE, RECEIVE_BUFFERS, RETRANSMISSIONS, CHECKSUM_ERRORS, REASSEMBLY, TIME_WAIT],
    ids=lambda each: each.name,
)
def test_healthy_hosts_have_no_such_finding(diagnosis):
    assert set(diagnosis.needs) <= set(healthy())
    assert silent(diagnosis)
