"""Collector: how one table is read from the kernel and decoded, and how a dump is taken whole."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.host import Host
from collectors.table import Column, Gap, Table

INTERRUPTED = Gap("the table changed while it was read, three times over", "read again when the host is quieter")
ATTEMPTS = 3
LARGE = 256 << 10  # bytes of a block behind which more are likely
AHEAD = 2  # blocks that the reading thread may be ahead of the decoding one


class Block(NamedTuple):
    """Raw bytes of one part of a source: whole netlink messages, or a whole file."""

    part: str
    data: bytes | NDArray[np.uint8]


Raw = Iterable[Block | Gap]
# columns and the values that they must have: an integer, or case-folded words of which one is the cell or inside it
Equalities = Sequence[tuple[str, int | frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Collector:
    """One table and its one source.

    ``read`` touches the kernel and yields blocks, and a Gap for a part that cannot be had; ``decode`` is pure, so
    recorded blocks give the same table. ``every``: seconds between readings when it is on screen.
    ``source``: what it reads, for provenance. ``cheap``: a bare ``nettui report`` includes it.
    ``narrowed``: reads as ``read`` does, but may leave out rows that lack the equalities; for a source that can.
    """

    name: str
    columns: tuple[Column, ...]
    read: Callable[[Host], Iterator[Block | Gap]]
    decode: Callable[[Raw], Table]
    source: str
    every: float = 1.0
    cheap: bool = True
    narrowed: Callable[[Host, Equalities], Iterator[Block | Gap]] | None = None

    def collect(self, host: Host, equalities: Equalities = ()) -> Table:
        """Read and decode; an interrupted dump is read again, and kept with its gap after three tries.

        Rows that lack ``equalities`` may be missing, or not: who gives them filters the rows in any case.
        """
        with host.pinned() as pinned:
            for _ in range(ATTEMPTS):
                blocks = self.narrowed(pinned, equalities) if self.narrowed and equalities else self.read(pinned)
                table = self.decode(ahead(blocks))
                if INTERRUPTED not in table.gaps:
                    break
        return table


def ahead(blocks: Iterator[Block | Gap]) -> Iterator[Block | Gap]:
    """The same blocks; once one is large, a second thread reads the rest while the first decodes."""
    for block in blocks:
        yield block
        if isinstance(block, Block) and len(block.data) >= LARGE:
            break
    else:
        return
    ready: queue.Queue[Block | Gap | BaseException | None] = queue.Queue(AHEAD)
    stopped = threading.Event()

    def put(item: Block | Gap | BaseException | None) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(item, timeout=0.1)
                return

    def run() -> None:
        try:
            for block in blocks:
                put(block)
                if stopped.is_set():
                    return
            put(None)
        except BaseException as error:  # carried to the decoding thread
            put(error)

    thread = threading.Thread(target=run, daemon=True, name="read ahead")
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()
