"""Section hooks: everything that a packet meets, in order; base chains of all worlds with their rules as a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Note, Table
from collectors.values import Addresses, Cell, Codes, Numbers, Pool, Values
from nettui.netfilter.rules import netfilter
from nettui.netfilter.stages import PLACES, Stage, nat_priority, needs, place_of, stages
from nettui.netfilter.tree import MOST, NOTES, PLAIN, Forest

OWN = (
    Column(
        "way", "json", "label", help="on whose way it is: of packets to this host, through it, from it, bridged, arp"
    ),
    Column("hook", "text", "key", help="where on the packet's way"),
    Column("priority", "i4", "key", help="order at the hook, the smallest first"),
    Column(
        "step", "text", help="what happens: a kernel stage, a base chain, or a rule below the rule that leads to it"
    ),
    Column("depth", "u1", help="how many jumps below the base chain, and one for a rule of its own"),
    Column("base", "text", "key", help="base chain from which the packet comes here"),
    Column("base_table", "text", "key", help="the base chain's table"),
)
KIND = Column("kind", "text", "key", help="stage (the kernel's own), base chain or rule")
FAMILY = Column("family", "text", "key", help="family whose packets meet it: ip, ip6, inet (both), bridge, arp, netdev")
POSITION = Column("position", "u4", "key", help="number of the rule in its chain, from 1")
DROPPED = (
    "policy", "type", "table_flags", "owner", "table_comment", "table_handle", "rule", "text", "priority_name",
    "tracked", "targets",
)  # fmt: skip
INDENT = "  "


class Group(NamedTuple):
    """One base chain with all below it, or one stage; ``order`` is where on the way, each element an int."""

    order: tuple[int, ...]
    place: int
    priority: int | None
    rows: Sequence[int]
    depths: Sequence[int]
    notes: Sequence[int]
    stage: Stage | None = None
    base: tuple[str, str] = ("", "")


def hooks(tables: Mapping[str, Table]) -> Table:
    table = netfilter(tables)
    forest = Forest(table)
    groups = grouped(table, forest)
    if groups:
        tracked, translated = needs(table)
        groups = [shifted(group, int(bool(translated))) for group in groups]
        groups += [stage_group(stage) for stage in stages(tracked, translated)]
    groups.sort(key=lambda group: group.order)
    found = laid_out(table, groups)
    if forest.room > 0:
        return found
    return found.with_gaps([Note(f"only the first {MOST:,} rows are shown", "section netfilter has every rule once")])


def grouped(table: Table, forest: Forest) -> list[Group]:
    """The base chains, unfolded; those of type nat where the kernel asks them."""
    heads = table.take(np.array(forest.heads, np.intp))
    cells = zip(forest.heads, *(heads[n].cells() for n in ("hook", "family", "type", "priority")), strict=True)
    found = []
    for head, hook, family, kind, priority in cells:
        place = place_of(str(family), str(hook))
        if place is None:
            continue
        own = int(priority or 0)
        nat = kind == "nat" and family in ("ip", "ip6", "inet")
        order = (place, nat_priority(str(hook)) if nat else own, 1 if nat else 2, own, head)
        branch = forest.unfold(head)
        base = (forest.names[head][2], forest.names[head][3])
        notes = [PLAIN, *branch.notes]
        found.append(Group(order, place, own, [head, *branch.rows], [0, *branch.depths], notes, None, base))
    return found


def shifted(group: Group, by: int) -> Group:
    """Chains of type nat one level deeper, below the stage that asks them."""
    return group._replace(depths=[depth + by for depth in group.depths]) if by and group.order[2] == 1 else group


def stage_group(stage: Stage) -> Group:
    order = (stage.place, stage.priority or 0, 0, 0, 0)
    return Group(order, stage.place, stage.priority, [-1], [0], [PLAIN], stage)


def laid_out(table: Table, groups: Sequence[Group]) -> Table:
    """One row for each row of the groups, in their order."""
    sizes = np.array([len(group.rows) for group in groups], np.intp)
    of = np.repeat(np.arange(len(groups)), sizes)
    rows = np.array([row for group in groups for row in group.rows], np.intp)
    depths = np.array([depth for group in groups for depth in group.depths], np.uint8)
    notes = np.array([note for group in groups for note in group.notes], np.int64)
    known = rows >= 0
    found = {
        column.name: taken(table[column.name], np.where(known, rows, 0), known)
        for column in table.columns
        if column.name not in DROPPED
    }
    found |= placed(groups, of)
    found |= {
        "step": steps(table.codes("text"), rows, depths, notes, [group.stage for group in groups], of),
        "depth": Numbers(depths),
        "kind": filled_in(found["kind"], ~known, ["stage"] * len(groups), of),
        "family": filled_in(found["family"], ~known, [g.stage.family if g.stage else None for g in groups], of),
        "mark": filled_in(found["mark"], ~known, [inferred(group.stage) for group in groups], of),
    }
    kept = {column.name: column for column in table.columns if column.name not in DROPPED}
    kept |= {"kind": KIND, "family": FAMILY, "position": POSITION}
    kept = {name: column for name, column in kept.items() if name not in {column.name for column in OWN}}
    return Table((*OWN, *kept.values()), found, table.gaps)


def placed(groups: Sequence[Group], of: NDArray[np.intp]) -> dict[str, Values]:
    """Where on the way each row is, from its group."""
    priorities = np.array([group.priority or 0 for group in groups], np.int32)
    hooked = np.array([group.priority is not None for group in groups], np.bool_)
    return {
        "way": Codes.of([list(PLACES[group.place].way) for group in groups]).take(of),
        "hook": Codes.of([PLACES[group.place].hook for group in groups]).take(of),
        "priority": Numbers(priorities[of], hooked[of]),
        "base_table": Codes.of([group.base[0] or None for group in groups]).take(of),
        "base": Codes.of([group.base[1] or None for group in groups]).take(of),
    }


def inferred(stage: Stage | None) -> Cell:
    """Stages at a hook follow from what the rules ask for; the kernel does not tell of them here."""
    return "inferred" if stage and stage.priority is not None else None


def steps(
    texts: Codes,
    rows: NDArray[np.intp],
    depths: NDArray[np.uint8],
    notes: NDArray[np.int64],
    own: Sequence[Stage | None],
    of: NDArray[np.intp],
) -> Codes:
    """The text of each row, indented, with its note."""
    codes = np.where(rows >= 0, texts.codes[rows] if len(texts) else 0, len(texts.pool) + of).tolist()
    pool = [*texts.pool, *(stage.text if stage else None for stage in own)]
    margins = [INDENT * depth for depth in range(256)]
    cells = zip(codes, depths.tolist(), notes.tolist(), strict=True)
    return Codes(np.arange(len(rows)), tuple(f"{margins[d]}{pool[c]}{NOTES[note]}" for c, d, note in cells))


def filled_in(values: Values, at: NDArray[np.bool_], cells: Sequence[Cell], of: NDArray[np.intp]) -> Codes:
    """The values, with each group's cell at the rows ``at``."""
    assert isinstance(values, Codes)
    pool = Pool()
    kept = pool.translation(values.pool)[values.codes]
    own = np.array([pool.code(cell) for cell in cells], np.int32)
    return Codes(np.where(at, own[of], kept).astype(np.int32), pool.cells())


def taken(values: Values, rows: NDArray[np.intp], known: NDArray[np.bool_]) -> Values:
    """The rows' values, absent where not ``known``."""
    found = values.take(rows)
    if isinstance(found, Numbers):
        return Numbers(found.numbers, found.present() & known)
    if isinstance(found, Codes):
        return Codes(np.where(known, found.codes, -1).astype(found.codes.dtype), found.pool)
    assert isinstance(found, Addresses)
    return Addresses(found.octets, np.where(known, found.form, 0).astype(np.uint8), found.prefix)
