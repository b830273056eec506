"""Sections join names and owners without inventing any, and survive the loss of what they join."""

import numpy as np

from collectors.draft import Draft
from collectors.table import Column, Gap, Table
from nettui.derive import OVERVIEW_NEEDS, SECTIONS, derive, fill
from nettui.joins import with_matching, with_owners
from nettui.snapshot import Fill, Snapshot
from nettui.sources import derived

INDEX = Column("ifindex", "u4", "key")
LINKS = (INDEX, Column("ifname", "text"))
SOFTNET = (Column("cpu", "u4", "key"),)
NEIGHBOURS = (INDEX, Column("master_index", "u4"), Column("via_index", "u4"))
SOCKETS = (Column("inode", "u8", "key"),)
PEERS = (Column("netnsid", "u4"), INDEX, Column("ifname", "text"))
OWNERS = (Column("inode", "u8"), Column("pid", "u4"), Column("fd", "u4"), Column("comm", "text"))


def table(columns: tuple[Column, ...], *rows: tuple[object, ...]) -> Table:
    draft = Draft(columns, len(rows))
    for position, column in enumerate(columns):
        cells = [row[position] for row in rows]
        if column.numeric:
            known = np.array([cell is not None for cell in cells], np.bool_)
            draft.numbers(column.name, np.array([cell or 0 for cell in cells], column.dtype), known=known)
        else:
            draft.cells(column.name, cells)  # type: ignore[arg-type]
    return draft.table()


def snapshot(gaps: dict[str, Gap] | None = None, **tables: Table) -> Snapshot:
    return Snapshot(0.0, tables, gaps or {})


def test_an_index_becomes_a_name_and_an_unknown_one_stays_recognisable():
    neighbours = table(NEIGHBOURS, (1, None, None), (7, 1, 7), (0, None, None))
    raw = snapshot(neighbours=neighbours, links=table(LINKS, (1, "lo")))
    section = derive("neighbours", raw)
    assert isinstance(section, Table)
    assert section["dev"].cells() == ["lo", "if7", None]
    assert section["master"].cells() == [None, "lo", None]
    assert section["via"].cells() == [None, "if7", None]


def test_the_link_below_is_named_as_ip_names_it_and_a_peer_elsewhere_is_only_a_peer():
    columns = (*LINKS, *(Column(name, "u4") for name in ("master_index", "link_index", "link_netnsid")))
    links = table(
        columns, (1, "v0", None, 2, None), (2, "v1", None, 1, None), (3, "v2", None, 9, 0), (4, "d", None, None, None)
    )
    section = derive("links", snapshot(links=links, peers=table(PEERS, (0, 9, "eth0"))))
    assert isinstance(section, Table)
    assert section["link"].cells() == ["v1", "v0", None, None]
    assert section["peer"].cells() == ["v1", "v0", "eth0", None]


LIMITS = (Column("name", "text"), Column("used", "u8"), Column("limit", "u8"), Column("unit", "text"))


def test_a_section_tells_how_full_the_kernels_table_is_where_that_is_known():
    limits = table(LIMITS, ("TCP orphans", 1, 2, "sockets"), ("conntrack entries", 23, 262144, "entries"))
    assert fill("conntrack", snapshot(limits=limits)) == Fill(23, 262144, "entries")
    assert fill("sockets", snapshot(limits=limits)) is None
    assert fill("conntrack", snapshot()) is None
    for used, limit in ((None, 5), (5, None), (5, 0)):
        unknown = table(LIMITS, ("conntrack entries", used, limit, "entries"))
        assert fill("conntrack", snapshot(limits=unknown)) is None
    entries = derived(["conntrack"], snapshot(conntrack=table(SOFTNET), limits=limits))
    assert entries.fills == {"conntrack": Fill(23, 262144, "entries")}


def test_a_section_without_its_own_table_is_that_tables_gap():
    gap = Gap("no permission")
    assert derive("neighbours", snapshot({"neighbours": gap}, links=table(LINKS))) == gap


def test_a_section_without_a_table_that_it_joins_says_so_and_stands():
    raw = snapshot({"links": Gap("denied", "sudo")}, neighbours=table(NEIGHBOURS, (7, None, None)))
    section = derive("neighbours", raw)
    assert isinstance(section, Table)
    assert section["dev"].cells() == ["if7"]
    assert section.gaps == (Gap("links: denied", "sudo"),)


def test_the_overview_shows_the_layers_that_could_be_read():
    gaps = {name: Gap("denied") for name in SECTIONS["overview"].needs}
    section = derive("overview", snapshot(gaps))
    assert isinstance(section, Table)
    assert len(section) == 0
    assert len(section.gaps) == len(OVERVIEW_NEEDS)


def test_a_join_that_fails_costs_its_section_only():
    broken = snapshot(neighbours=table(SOFTNET, (0,)), links=table(LINKS), softnet=table(SOFTNET, (0,)))
    found = derived(["neighbours", "softnet"], broken)
    assert "fault of nettui" in found.gaps["neighbours"].remedy
    assert len(found.tables["softnet"]) == 1


def test_the_first_holder_by_process_id_is_shown_with_the_count_of_all():
    owners = table(OWNERS, (23, 900, 4, "worker"), (23, 100, 7, "master"), (23, 100, 5, "master"), (24, 5, 3, "sshd"))
    joined = with_owners(table(SOCKETS, (24,), (23,), (99,), (0,)), owners)
    assert joined["process"].cells() == ["sshd", "master", None, None]
    assert joined["pid"].cells() == [5, 100, None, None]
    assert joined["fd"].cells() == [3, 5, None, None]
    assert joined["holders"].cells() == [1, 3, None, None]


def test_no_owner_at_all_leaves_every_owner_unknown():
    joined = with_owners(table(SOCKETS, (24,)), table(OWNERS))
    assert joined["pid"].cells() == [None]
    assert joined["process"].cells() == [None]


def test_matching_by_index_leaves_rows_without_a_match_absent():
    other = table((INDEX, Column("driver", "text"), Column("speed", "u4")), (3, "veth", 10000), (1, None, None))
    joined = with_matching(table(LINKS, (1, "lo"), (2, "eth0"), (3, "veth0")), other, "ifindex", ("driver", "speed"))
    assert joined["driver"].cells() == [None, None, "veth"]
    assert joined["speed"].cells() == [None, None, 10000]
