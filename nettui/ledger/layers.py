"""The ledger as a packet meets it: a row for each layer on the way in and on the way out, its counters below it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from collectors.draft import of_rows
from collectors.table import Column, Table, concatenate
from collectors.values import Cell
from nettui.knowledge.entry import LAYERS

RECEIVE, SEND = "receive", "send"
SUMMED = ("loss", "refused", "unknown")  # severities whose numbers are packets or connections lost
WORST = ("loss", "unknown", "refused", "warning", "noise")
LAYER, COUNTER = "layer", "counter"
NAMED = 2  # counters that a closed layer names

COLUMNS = (
    Column("kind", "text", "key", help="layer, or counter below one"),
    Column("way", "text", "key", help="receive (and forward), or send"),
    Column("name", "text", "label", help="layer, or a counter of it"),
    Column("trend", "text", "label", help="what was lost in the last readings, the newest at the right"),
)
Row = Mapping[str, Cell]
Place = tuple[str, str]  # way and layer


def layered(table: Table, opened: Collection[Place], trends: Mapping[Place, str]) -> Table:
    """Rows of a followed ledger below their layers; a layer that is not opened stands alone."""
    groups = grouped(table)
    layers = [summed(place, [table.row(at) for at in rows]) for place, rows in groups.items()]
    told = [{**row, "trend": trends.get(place, "")} for place, row in zip(groups, layers, strict=True)]
    heads = of_rows((*COLUMNS, *table.columns), told).table()
    parts = []
    for number, ((way, layer), rows) in enumerate(groups.items()):
        parts.append(heads.take(slice(number, number + 1)))
        if (way, layer) in opened:
            parts.append(below(table, way, rows))
    return concatenate(parts) if parts else heads


def grouped(table: Table) -> dict[Place, list[int]]:
    """Rows by way and layer: inward from the device up, then outward; layers without any are left out."""
    layers, directions = table["layer"].cells(), table["direction"].cells()
    found: dict[Place, list[int]] = {}
    for way, order in ((RECEIVE, LAYERS), (SEND, LAYERS[::-1])):
        for layer in order:
            rows = [at for at, (own, to) in enumerate(zip(layers, directions, strict=True))
                    if own == layer and (to == "tx") == (way == SEND)]  # fmt: skip
            if rows:
                found[way, layer] = rows
    return found


def below(table: Table, way: str, rows: Sequence[int]) -> Table:
    """The counters of one layer, what moves fastest first, then what moved last."""

    def rank(at: int) -> tuple[float, float, int]:
        return tuple(-float(str(table.cell(at, name) or 0)) for name in ("rate", "last_moved", "total"))  # type: ignore[return-value]

    ranked = sorted(rows, key=rank)
    told = [{"kind": COUNTER, "way": way, "name": f"  {table.cell(at, 'counter')}"} for at in ranked]
    part = table.take(ranked)  # type: ignore[arg-type]
    extra = of_rows(COLUMNS, told).table()
    return Table((*COLUMNS, *part.columns), {**extra.arrays, **part.arrays}, part.gaps)


def summed(place: Place, rows: Sequence[Row]) -> dict[str, Any]:
    """One layer: sums of what is lost in it, each packet once, and the counters that move."""
    way, layer = place
    counted = list(once([row for row in rows if row.get("severity") in SUMMED]))
    moving = sorted((row for row in rows if row.get("delta")), key=lambda row: -int(str(row["delta"])))
    names = list(dict.fromkeys(str(row["counter"]) for row in moving))
    severities = [str(row.get("severity")) for row in (moving or rows)]
    return {
        "kind": LAYER, "way": way, "name": layer, "layer": layer, "which": "", "counter": ", ".join(names[:NAMED]),
        **{name: total(counted, name) for name in ("total", "since", "delta", "rate")},
        "severity": min(severities, key=WORST.index),
        "cause": moving[0].get("cause") if moving else None,
        "first_moved": min((float(str(row["first_moved"])) for row in rows if row.get("first_moved")), default=None),
        "last_moved": max((float(str(row["last_moved"])) for row in rows if row.get("last_moved")), default=None),
    }  # fmt: skip


def once(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows whose packets are in no other row's number."""
    present = {(row["counter"], row.get("dev")) for row in rows}
    for row in rows:
        part_of = row.get("part_of")
        within = part_of if isinstance(part_of, list) else []
        if not any((name, dev) in present for name in within for dev in (None, row.get("dev"))):
            yield row


def total(rows: Sequence[Row], name: str) -> Any:
    """The sum of a column, absent where no row has it."""
    known = [row[name] for row in rows if row.get(name) is not None]
    return sum(known) if known else None
