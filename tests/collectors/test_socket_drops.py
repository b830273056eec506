"""Sockets that refused packets, from recorded and from hostile dumps, and what is asked of the kernel."""

from __future__ import annotations

import socket

from hypothesis import given

from collectors.collector import Block
from collectors.netlink.sock_inet import INET_DIAG_SKMEMINFO
from collectors.netlink.socket_drops import ASKED, REQUEST, SOCKET_DROPS, empty
from collectors.wire.netlink import NLMSGHDR
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("socket_drops")
DUMPS = [block for block in BLOCKS if not block.part.startswith("proc-")]


def test_of_many_sockets_only_those_that_tell_something_have_a_row():
    listener, receiver = SOCKET_DROPS.decode(DUMPS).rows()
    assert (listener["netid"], listener["sport"], listener["recv_q"], listener["backlog_limit"]) == ("tcp", 5000, 3, 7)
    assert (receiver["netid"], receiver["sport"], receiver["drops"]) == ("udp", 5000, 23)
    assert {"src", "inode", "cookie", "uid", "skmem_rmem_alloc", "skmem_rcvbuf"} <= set(receiver)


def test_of_tcp_only_listeners_are_asked_for_and_of_all_only_the_memory():
    inet = [REQUEST.unpack_from(part.body) for part in ASKED if not part.name.startswith(("packet", "netlink"))]
    assert {extensions for _, _, extensions, _, _ in inet} == {1 << (INET_DIAG_SKMEMINFO - 1)}
    assert {states for _, protocol, _, _, states in inet if protocol == socket.IPPROTO_TCP} == {1 << 10}


def test_dumps_cut_at_any_byte_are_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS):
        stands(SOCKET_DROPS, blocks)
    for blocks in cut_messages(DUMPS):
        stands(SOCKET_DROPS, blocks)


@quick
@given(mutations(BLOCKS))
def test_dumps_with_changed_bytes_are_a_table_or_a_decode_error(blocks: list[Block]):
    stands(SOCKET_DROPS, blocks)


def test_an_answer_that_ends_at_once_is_empty_only_without_an_error():
    assert empty(Block("tcp", NLMSGHDR.pack(20, 3, 2, 1, 9) + bytes(4)))
    assert not empty(Block("tcp", NLMSGHDR.pack(20, 3, 2, 1, 9) + b"\xf4\xff\xff\xff"))
    assert not empty(Block("tcp", NLMSGHDR.pack(20, 2, 2, 1, 9) + bytes(4)))
    assert empty(Block("proc-raw", b"  sl  local_address\n"))
    assert not empty(Block("proc-raw", b"  sl  local_address\n  1: 00000000:0001\n"))
