"""Link layers: Ethernet with VLANs, Linux cooked captures, raw IP, loopback."""

from __future__ import annotations

import numpy as np

from collectors.values import LINK_LAYER
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Following, Sheet, divided

ETHERNET = 14  # bytes of its header


def ethernet(sheet: Sheet, cursor: Cursor) -> Following:
    cursor = sheet.whole(cursor, "ETHERNET", ETHERNET)
    sheet.addresses(cursor, "dmac", cursor.octets(0, 6), LINK_LAYER + 6)
    sheet.addresses(cursor, "smac", cursor.octets(6, 6), LINK_LAYER + 6)
    kinds = cursor.u16(12)
    sheet.numbers(cursor, "ethertype", kinds)
    yield from divided("ether", kinds.astype(np.intp), cursor.ahead(ETHERNET))
