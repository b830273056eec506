"""Headers of captured packets as a table: each layer decodes its header in all packets that have it, then the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from collectors.table import Table
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Layer, Protocol, Sheet
from collectors.wire.packets.link import ethernet
from collectors.wire.packets.network import ipv4
from collectors.wire.packets.records import Records
from collectors.wire.packets.transport import tcp, udp

LAYERS: Mapping[Protocol, Layer] = {
    ("link", 1): ethernet,
    ("ether", 0x0800): ipv4,
    ("ip", 6): tcp,
    ("ip", 17): udp,
}
AT_ONCE = 32_768  # packets: their columns stay in the processor's cache, which halves the time
DEEPEST = 24  # headers that are looked at in one packet: a packet may claim tunnels without end


def decode(records: Records) -> Iterator[Table]:
    """A row for each packet (collectors.wire.packets.columns), in tables of up to ``AT_ONCE``."""
    for start in range(0, len(records), AT_ONCE):
        yield decoded(records.take(slice(start, start + AT_ONCE)), start)


def decoded(records: Records, before: int = 0) -> Table:
    """One table; ``before``: packets that were captured before these."""
    sheet = Sheet(len(records))
    frames(sheet, records, before)
    ends = records.at + records.captured
    waiting: list[tuple[Protocol, Cursor, int]] = [
        (("link", link), Cursor(records.data, rows, records.at[rows], ends[rows]), 0)
        for link, rows in records.by_link()
    ]
    while waiting:
        protocol, cursor, depth = waiting.pop()
        layer = LAYERS.get(protocol)
        if layer is not None and depth < DEEPEST and len(cursor):
            waiting += [(following, inside, depth + 1) for following, inside in layer(sheet, cursor)]
    return sheet.finish().table()


def frames(sheet: Sheet, records: Records, before: int) -> None:
    draft = sheet.draft
    draft.numbers("number", np.arange(before + 1, before + len(records) + 1, dtype=np.uint32))
    draft.numbers("time", records.times)
    draft.numbers("length", records.lengths)
    draft.numbers("captured", records.captured)
    if records.names:
        draft.named("dev", records.devices, lambda device: records.names[device] if device >= 0 else None)
