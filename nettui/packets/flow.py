"""The packets of one flow, as a filter of this project's own language."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.values import Cell

ENDS = ("src", "sport", "dst", "dport")


def flow(row: Mapping[str, Cell]) -> str:
    """Both directions of the flow of a packet, or of a row of flows; "" where there are no addresses."""
    if row.get("src") is None or row.get("dst") is None:
        return ""
    there, back = sides(row)
    proto = f"proto {row['proto']} and " if row.get("proto") else ""
    return f"{proto}(({there}) or ({back}))"


def sides(row: Mapping[str, Cell]) -> tuple[str, str]:
    """From its source on, and back."""
    turned = (*ENDS[2:], *ENDS[:2])
    there = [f"{name} {row[name]}" for name in ENDS if row.get(name) is not None]
    back = [f"{name} {row[end]}" for name, end in zip(ENDS, turned, strict=True) if row.get(end) is not None]
    return " and ".join(there), " and ".join(back)
