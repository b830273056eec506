"""Details of link kinds met rarely (can, gtp, ipoib, xfrm), from pyroute2's attribute maps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.netlink.link_details import Details, Found
from collectors.values import Cell
from collectors.wire.netlink import attribute

INSIDE_DATA = re.compile(r"^IFLA_[A-Z0-9]+_")


@dataclass(frozen=True, slots=True)
class RareDetails(Details):
    """A kind whose attributes pyroute2 names; keys are the kernel's names without prefix, in lower case."""

    kind: str = ""

    def objects(self, columns: Mapping[int, NDArray[np.uint8]], rows: int, device: Callable[[int], str]) -> list[Found]:
        from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg  # 0.2 s: only on a host that has such a link

        nla = ifinfmsg.ifinfo.data_map[self.kind]
        found: list[Found] = []
        for row in range(rows):
            payload = b"".join(attribute(number, octets[row].tobytes()) for number, octets in columns.items())
            message = nla(attribute(2, payload))
            try:
                message.decode()
            except Exception:  # its errors are of many types; the link's other columns stand without these
                found.append({})
            else:
                found.append(plain(message))
        return found


def plain(message: Any) -> Found:
    """A decoded message's attributes and fields as an object."""
    found: Found = {}
    for name, value in message.get("attrs", ()):
        found[INSIDE_DATA.sub("", name).lower()] = cell(value)
    return found


def cell(value: Any) -> Cell:
    if hasattr(value, "get") and value.get("attrs"):
        return plain(value)
    if isinstance(value, dict):
        return {str(key): cell(inner) for key, inner in value.items() if key not in ("attrs", "header")}
    return value if isinstance(value, bool | int | float | str) else str(value)


RARE = {kind: RareDetails({}, kind=kind) for kind in ("can", "gtp", "ipoib", "xfrm")}
