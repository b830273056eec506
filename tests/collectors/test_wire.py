"""Netlink on the wire: where messages start and end, what ends a dump, what the kernel refuses, what is malformed."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import ATTEMPTS, INTERRUPTED, Block, Collector
from collectors.host import Host
from collectors.netlink.dump import NETLINK_ROUTE, answer, decode_dump, dump, ends
from collectors.netlink.routes import COLUMNS, RTM_GETROUTE, RTM_NEWROUTE, rows
from collectors.wire.netlink import (
    NLM_F_ACK_TLVS,
    NLM_F_CAPPED,
    NLM_F_DUMP_INTR,
    NLM_F_MULTI,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSGHDR,
    DecodeError,
    NetlinkError,
    attribute,
    attributes,
    messages,
)
from collectors.wire.shapes import shapes

RTA_DST, RTA_GATEWAY, RTA_METRICS = 1, 5, 8


def message(kind: int, body: bytes = b"", flags: int = NLM_F_MULTI) -> bytes:
    return NLMSGHDR.pack(16 + len(body), kind, flags, 1, 0) + body + bytes(-len(body) % 4)


def route(number: int, *more: bytes, flags: int = NLM_F_MULTI) -> bytes:
    """20.x.y.0/24 and further attributes."""
    header = struct.pack("=8BI", 2, 24, 0, 0, 254, 3, 0, 1, 0)
    destination = attribute(RTA_DST, bytes([20, number >> 8 & 255, number & 255, 0]))
    return message(RTM_NEWROUTE, header + destination + b"".join(more), flags)


def gateway(last: int) -> bytes:
    return attribute(RTA_GATEWAY, bytes([10, 0, 0, last & 255]))


DONE = message(NLMSG_DONE, bytes(4))


def decoded(*buffers: bytes):
    return decode_dump([Block("", buffer) for buffer in buffers], {"": rows}, [RTM_NEWROUTE])


def mixed(count: int) -> tuple[bytes, list[int]]:
    """Messages of changing lengths, and where each begins."""
    parts = [route(number, *[gateway(number)] * (number % 3)) for number in range(count)]
    return b"".join(parts), [sum(map(len, parts[:number])) for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 300])
def test_messages_of_changing_lengths_are_found_whole(count):
    data, offsets = mixed(count)
    assert messages(data + DONE).offsets.tolist() == [*offsets, len(data)]


def test_a_header_inside_a_message_is_no_message():
    inside = attribute(RTA_METRICS, route(1) * 3)
    data = route(1) + route(2, inside) + route(3, gateway(1)) + route(4)
    found = messages(data)
    assert len(found) == 4
    assert found.lengths.sum() == len(data)


def test_a_message_that_is_too_short_behind_others_is_malformed():
    data, _ = mixed(7)
    for length in (0, 15):
        with pytest.raises(DecodeError, match=f"message length {length} "):
            messages(data + struct.pack("=IHHII", length, RTM_NEWROUTE, NLM_F_MULTI, 1, 0) + DONE)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 255, 256, 257, 5000])
def test_a_run_of_messages_of_one_length_is_found_whole(count):
    buffer = b"".join(route(n, gateway(n)) for n in range(count)) + DONE
    found = messages(buffer)
    assert len(found) == count + 1
    assert found.offsets[:count].tolist() == list(range(0, 44 * count, 44))
    table = decoded(buffer)
    assert table["dst"].cells() == [f"20.{n >> 8}.{n & 255}.0/24" for n in range(count)]
    assert table["gateway"].cells() == [f"10.0.0.{n & 255}" for n in range(count)]


@given(st.lists(st.integers(0, 9), max_size=400))
def test_messages_of_mixed_lengths_keep_their_order(lengths):
    extra = [attribute(99, bytes(length)) for length in lengths]
    buffer = b"".join(route(n, padding) for n, padding in enumerate(extra)) + DONE
    found = messages(buffer)
    assert found.lengths[:-1].tolist() == [40 + -(-length // 4) * 4 for length in lengths]
    assert decoded(buffer)["dst"].cells() == [f"20.{n >> 8}.{n & 255}.0/24" for n in range(len(lengths))]


def test_lengths_that_are_not_of_four_bytes_are_padded_between_messages():
    body = struct.pack("=8BI", 2, 0, 0, 0, 254, 3, 0, 1, 0) + struct.pack("=HH5s", 9, 99, b"12345")
    found = messages(message(RTM_NEWROUTE, body) * 20)
    assert found.lengths.tolist() == [37] * 20
    assert found.offsets.tolist() == list(range(0, 800, 40))


def test_attributes_may_come_in_another_order_and_some_be_missing():
    mixed = [route(0, gateway(9)), route(1), message(RTM_NEWROUTE, route(2)[16:28] + gateway(7) + route(2)[28:36])]
    assert [row.get("gateway") for row in decoded(b"".join(mixed)).rows()] == ["10.0.0.9", None, "10.0.0.7"]


def test_a_dump_in_several_blocks_is_one_table_and_done_may_share_a_block_with_rows():
    table = decoded(b"".join(map(route, range(30))), b"".join(map(route, range(30, 40))) + DONE)
    assert len(table) == 40
    assert not table.gaps


def test_a_dump_without_rows_is_an_empty_table_without_gaps():
    table = decoded(DONE)
    assert (len(table), table.gaps) == (0, ())
    assert decoded(b"").columns == COLUMNS


def test_an_interrupted_dump_keeps_its_rows_and_tells_once():
    table = decoded(route(1, flags=NLM_F_MULTI | NLM_F_DUMP_INTR), route(2, flags=NLM_F_MULTI | NLM_F_DUMP_INTR) + DONE)
    assert len(table) == 2
    assert table.gaps == (INTERRUPTED,)


def test_an_interruption_that_only_done_tells_counts():
    assert decoded(route(1) + message(NLMSG_DONE, bytes(4), NLM_F_MULTI | NLM_F_DUMP_INTR)).gaps == (INTERRUPTED,)


@pytest.mark.parametrize(("interruptions", "readings"), [(0, 1), (1, 2), (2, 3), (3, ATTEMPTS), (9, ATTEMPTS)])
def test_an_interrupted_dump_is_read_again_and_kept_after_the_last_try(interruptions, readings):
    taken: list[int] = []

    def read(_: Host) -> Iterator[Block]:
        taken.append(1)
        interrupted = len(taken) <= interruptions
        yield Block("", route(len(taken), flags=NLM_F_MULTI | (NLM_F_DUMP_INTR if interrupted else 0)) + DONE)

    table = Collector("fake", COLUMNS, read, lambda raw: decode_dump(raw, {"": rows}, [RTM_NEWROUTE]), "").collect(
        Host()
    )
    assert len(taken) == readings
    assert table.gaps == ((INTERRUPTED,) if interruptions >= ATTEMPTS else ())
    assert table["dst"].cells() == [f"20.0.{readings}.0/24"]


def acknowledged(text: str, flags: int, echo: bytes) -> bytes:
    body = struct.pack("=i", -22) + echo + attribute(1, text.encode() + b"\0")
    return message(NLMSG_ERROR, body, flags)


def test_a_refusal_carries_the_kernels_words_behind_an_echoed_request():
    asked = message(RTM_GETROUTE, bytes(12))
    with pytest.raises(NetlinkError, match="table is not there") as raised:
        messages(acknowledged("table is not there", NLM_F_ACK_TLVS, asked))
    assert raised.value.errno == 22


def test_a_refusal_carries_the_kernels_words_behind_a_capped_header():
    asked = message(RTM_GETROUTE, bytes(12))
    with pytest.raises(NetlinkError, match="table is not there"):
        messages(acknowledged("table is not there", NLM_F_ACK_TLVS | NLM_F_CAPPED, asked[:16]))


def test_a_refusal_without_words_has_those_of_its_errno():
    with pytest.raises(NetlinkError, match="Operation not permitted"):
        messages(message(NLMSG_ERROR, struct.pack("=i", -1) + message(RTM_GETROUTE)))


def test_a_dump_that_ends_with_an_errno_is_refused():
    with pytest.raises(NetlinkError, match="No such device"):
        decoded(route(1) + message(NLMSG_DONE, struct.pack("=i", -19)))


@pytest.mark.parametrize("number", [1, -4096, 0x7FFFFFFF, -0x80000000])
def test_an_errno_that_there_cannot_be_is_a_decode_error(number):
    with pytest.raises(DecodeError, match="error number"):
        messages(message(NLMSG_ERROR, struct.pack("=i", number)))


def test_an_acknowledgement_is_no_error():
    assert len(messages(message(NLMSG_ERROR, bytes(4) + message(RTM_GETROUTE)))) == 1


def test_this_kernel_explains_its_refusal_of_a_malformed_request():
    with pytest.raises(NetlinkError, match="Invalid"):
        decode_dump(dump(Host(), NETLINK_ROUTE, RTM_GETROUTE, b"\2\x20" + bytes(10)), {"": rows}, [RTM_NEWROUTE])


@pytest.mark.parametrize("length", [0, 1, 15, 37, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_below_the_headers_or_beyond_the_buffer_is_a_decode_error(length):
    broken = struct.pack("=I", length) + route(7)[4:]
    for before in (0, 1, 40):
        with pytest.raises(DecodeError) as raised:
            messages(b"".join(map(route, range(before))) + broken)
        assert raised.value.offset == before * 36


def test_every_truncation_is_a_decode_error_or_ends_between_two_messages():
    buffer = b"".join(map(route, range(20))) + DONE
    for size in range(len(buffer)):
        if size % 36 == 0 or size == len(buffer):
            assert len(messages(buffer[:size])) == size // 36
        else:
            with pytest.raises(DecodeError):
                messages(buffer[:size])


@pytest.mark.parametrize("length", [0, 3, 9, 0xFFFF])
def test_an_attribute_of_absurd_length_is_a_decode_error(length):
    broken = message(RTM_NEWROUTE, route(1)[16:28] + struct.pack("=HHI", length, RTA_DST, 0))
    with pytest.raises(DecodeError):
        decoded(broken)
    with pytest.raises(DecodeError):
        list(attributes(struct.pack("=HHI", length, 1, 0)))


def test_a_message_shorter_than_its_familys_header_is_a_decode_error():
    for size in range(12):
        with pytest.raises(DecodeError):
            decoded(message(RTM_NEWROUTE, bytes(size)))


MIMIC = attribute(RTA_METRICS, attribute(16, DONE + message(NLMSG_ERROR, struct.pack("=i", -13))))


def test_a_payload_that_looks_like_done_is_a_payload():
    assert not ends(np.frombuffer(route(1, MIMIC) * 40, np.uint8))
    assert ends(np.frombuffer(route(1, MIMIC) + DONE, np.uint8))
    assert len(decoded(route(1, MIMIC) * 40)) == 40


def test_a_payload_that_looks_like_done_does_not_end_a_dump():
    """On the wire: what comes after a mimicking message is received too."""
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, kernel:
        for part in (route(1, MIMIC), route(2, MIMIC) + route(3), route(4) + DONE):
            kernel.send(part)
        blocks = list(answer(ours))
    assert decode_dump(blocks, {"": rows}, [RTM_NEWROUTE])["dst"].cells() == [f"20.0.{n}.0/24" for n in (1, 2, 3, 4)]


@given(st.binary(max_size=400))
def test_any_bytes_are_messages_or_an_error(data):
    try:
        found = messages(data)
        assert sum(-(-int(length) // 4) * 4 for length in found.lengths) >= len(data)
        list(shapes(found, 0))
    except (DecodeError, NetlinkError):
        pass


@given(st.lists(st.integers(0, 255), min_size=1, max_size=40), st.data())
def test_lengths_changed_anywhere_never_make_a_row_twice(numbers, data):
    buffer = bytearray(b"".join(map(route, numbers)))
    at = data.draw(st.integers(0, len(numbers) - 1)) * 36
    buffer[at : at + 4] = struct.pack("=I", data.draw(st.integers(0, 200)))
    try:
        found = messages(bytes(buffer))
    except (DecodeError, NetlinkError):
        return
    assert (np.diff(found.offsets) >= 16).all()
    assert int(found.offsets[-1]) < len(buffer)
