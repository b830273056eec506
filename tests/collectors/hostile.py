"""What a decoder must stand: a Table whose cells can all be read, or DecodeError or NetlinkError, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from collectors.collector import Block, Collector
from collectors.wire.netlink import NLMSGHDR, DecodeError, NetlinkError, messages

quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def stands(collector: Collector, blocks: list[Block]) -> None:
    """Decode, and read every cell and sort by every column of what came out."""
    with suppress(DecodeError, NetlinkError):
        table = collector.decode(blocks)
        for row in table.rows():
            assert isinstance(row, dict)
        for column in table.columns:
            assert all(len(keys) == len(table) for keys in table[column.name].sort_keys())


def cut_messages(blocks: list[Block]) -> Iterator[list[Block]]:
    """Each message of its own length, alone and cut at every byte, with the length that then is true."""
    seen: set[int] = set()
    for block in blocks:
        found = messages(block.data)
        for offset, length in zip(found.offsets.tolist(), found.lengths.tolist(), strict=True):
            if length in seen:
                continue
            seen.add(length)
            whole = bytes(block.data[offset : offset + length])
            for size in range(NLMSGHDR.size, length):
                yield [Block(block.part, size.to_bytes(4, "little") + whole[4:size])]


def cut_blocks(blocks: list[Block]) -> Iterator[list[Block]]:
    """Each block cut at every byte, with the lengths of its messages as they were."""
    for block in blocks:
        for size in range(len(block.data)):
            yield [Block(block.part, block.data[:size])]


def mutations(blocks: list[Block]) -> st.SearchStrategy[list[Block]]:
    """The blocks with up to eight bytes changed, beyond the first message's length."""
    sizes = [len(block.data) for block in blocks]
    places = st.integers(0, len(blocks) - 1).flatmap(
        lambda number: st.tuples(st.just(number), st.integers(4, sizes[number] - 1), st.integers(0, 255))
    )
    return st.lists(places, min_size=1, max_size=8).map(lambda changes: changed(blocks, changes))


def changed(blocks: list[Block], changes: list[tuple[int, int, int]]) -> list[Block]:
    data = [bytearray(bytes(block.data)) for block in blocks]
    for number, at, byte in changes:
        data[number][at] = byte
    return [Block(block.part, bytes(raw)) for block, raw in zip(blocks, data, strict=True)]
