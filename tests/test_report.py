"""Reports of hand-made tables in every format: form, order, gaps, escapes, and memory."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.registry import MODULES
from collectors.table import Column, Gap, Note, Table
from collectors.values import IPV4, Addresses, Codes, Numbers
from nettui.panels.panel import Panel
from nettui.panels.registry import PANELS
from nettui.query import QueryError
from nettui.report.cells import texts
from nettui.report.document import Report, Section
from nettui.report.json import objects
from nettui.report.make import FORMATS, pieces
from nettui.report.output import destination
from nettui.report.schema import completed, declared, schema
from nettui.report.select import NoSuchColumn, Selection, ordered, select
from nettui.report.style import Style

HOSTILE = "\x1b[2J\x1b]52;c;eA==\x07\x9b1m\u202eevil\n[/x] | `rm` =1+1 <img src=x>"
PANEL = Panel("links", "Links", "2", ("ifname", "mtu", "rate", "flags", "alias"), "ip link", "no network devices")
COLUMNS = (
    Column("ifname", "text", "key"),
    Column("mtu", "u4"),
    Column("rx", "u8", "counter", "B", path="stats64.rx.bytes"),
    Column("tx", "u8", "counter", "B", path="stats64.tx.bytes"),
    Column("up", "bool"),
    Column("rate", "f8", "gauge", "B/s"),
    Column("flags", "json"),
    Column("details", "json", path="linkinfo.info_data"),
    Column("local", "address"),
    Column("alias", "text"),
)


def known(dtype: str, *cells: float | None) -> Numbers:
    present = np.array([cell is not None for cell in cells], np.bool_)
    return Numbers(np.array([cell or 0 for cell in cells], dtype), present)


TABLE = Table(
    COLUMNS,
    {
        "ifname": Codes.of(["veth10", "veth2", "lo"]),
        "mtu": known("u4", 1500, 9000, None),
        "rx": known("u8", 2**64 - 1, None, 0),
        "tx": known("u8", 1, None, 0),
        "up": known("?", True, False, None),
        "rate": known("f8", 0.5, float("nan"), None),
        "flags": Codes.of([["UP", "LOWER_UP"], [], None]),
        "details": Codes.of([{"id": 7, HOSTILE: [HOSTILE]}, None, {}]),
        "local": Addresses(
            np.array([[10, 0, 0, 1], [0] * 4, [9, 0, 0, 0]], np.uint8), np.array([4, 0, 4], np.uint8),
            np.array([255, 255, 8], np.uint8),
        ),
        "alias": Codes.of([HOSTILE, None, "=cmd|' /C calc'!A0"]),
    },
)  # fmt: skip
GAP = Gap("no permission", "run it as root")


def report(*sections: Section) -> Report:
    return Report(1_700_000_000.5, {"hostname": "h", "kernel": "6.1", "netns": None}, sections)


def chosen(table: Table = TABLE, **asked: object) -> Section:
    selection = Selection(**asked)  # type: ignore[arg-type]
    return Section(PANEL, *select(table, selection), elapsed=0.0123, chosen=bool(selection.columns))


def written(form: str, *sections: Section, style: Style | None = None) -> str:
    return "".join(pieces(report(*sections), form, style or Style()))


def test_json_is_the_documents_form() -> None:
    partial = TABLE.with_gaps([Gap("half of it", "wait")])
    document = json.loads(written("json", chosen(partial, limit=1), Section(PANELS[-1], GAP)))
    assert document["schema"] == 1
    assert document["taken_at"] == "2023-11-14T22:13:20.500Z"
    assert document["host"] == {"hostname": "h", "kernel": "6.1", "netns": None}
    assert document["sections"][PANELS[-1].name] == {"unavailable": "no permission", "remedy": "run it as root"}
    links = document["sections"]["links"]
    assert (links["total"], links["elapsed_ms"], links["gaps"]) == (
        3,
        12.3,
        [{"reason": "half of it", "remedy": "wait"}],
    )
    (row,) = links["rows"]
    assert row["stats64"] == {"rx": {"bytes": 2**64 - 1}, "tx": {"bytes": 1}}
    assert row["flags"] == ["UP", "LOWER_UP"]
    assert (row["up"], row["rate"], row["local"]) == (True, 0.5, "10.0.0.1")


def test_json_leaves_out_what_is_absent_and_keeps_what_is_empty() -> None:
    rows = json.loads(written("json", chosen()))["sections"]["links"]["rows"]
    assert rows[1] == {"ifname": "veth2", "mtu": 9000, "up": False, "flags": []}
    assert rows[2] == {
        "ifname": "lo", "stats64": {"rx": {"bytes": 0}, "tx": {"bytes": 0}}, "linkinfo": {"info_data": {}},
        "local": "9.0.0.0/8", "alias": "=cmd|' /C calc'!A0",
    }  # fmt: skip


def test_a_row_of_nothing_but_absence_is_an_empty_object() -> None:
    table = Table(COLUMNS[1:2], {"mtu": known("u4", None, 5)})
    assert json.loads(written("json", chosen(table)))["sections"]["links"]["rows"] == [{}, {"mtu": 5}]
    lines = written("ndjson", chosen(table)).splitlines()
    assert [json.loads(line) for line in lines] == [{"section": "links"}, {"section": "links", "mtu": 5}]


def test_ndjson_is_one_row_a_line_with_its_section() -> None:
    found = written("ndjson", chosen(TABLE.with_gaps([GAP])), Section(PANEL, GAP))
    lines = [json.loads(line) for line in found.splitlines()]
    rows = json.loads(written("json", chosen()))["sections"]["links"]["rows"]
    assert lines[:3] == [{"section": "links", **row} for row in rows]
    assert lines[3] == {"section": "links", "gap": {"reason": "no permission", "remedy": "run it as root"}}
    assert lines[4] == {"section": "links", "unavailable": "no permission", "remedy": "run it as root"}


def test_csv_has_every_column_and_quotes_what_needs_it() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", chosen()))))
    assert list(rows[0]) == [column.name for column in COLUMNS]
    assert rows[0]["flags"] == '["UP","LOWER_UP"]'
    assert (rows[0]["rx"], rows[1]["rx"], rows[2]["rx"]) == (str(2**64 - 1), "", "0")


def test_csv_makes_no_formula_of_a_name_and_changes_no_number() -> None:
    table = Table(
        (Column("name", "text"), Column("error", "i4")),
        {"name": Codes.of(["=1+1", "+1", "-x", "@SUM(A1)", "plain"]), "error": Numbers(np.array([-1, -2, -3, -4, -5]))},
    )
    rows = list(csv.reader(io.StringIO(written("csv", chosen(table)))))[1:]
    assert [row[0] for row in rows] == ["'=1+1", "'+1", "'-x", "'@SUM(A1)", "plain"]
    assert [row[1] for row in rows] == ["-1", "-2", "-3", "-4", "-5"]


def test_csv_of_several_sections_names_them_in_blocks() -> None:
    blocks = written("csv", chosen(limit=1), chosen(columns=("mtu",)), Section(PANEL, GAP)).split("\n\n")
    assert [block.splitlines()[0].split(",")[:2] for block in blocks] == [["section", "ifname"], ["section", "mtu"]]
    assert blocks[1].splitlines()[1:] == ["links,1500", "links,9000", "links,"]


def test_markdown_tables_hold_their_columns_whatever_a_name_holds() -> None:
    lines = written("markdown", chosen()).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert table[:2] == ["| ifname | mtu | rate | flags | alias |", "|---|---:|---:|---|---|"]
    for line in table:
        assert line.replace("\\|", "").count("|") == 6
    assert "\\`rm\\`" in table[2]
    assert "\\<img" in table[2]
    assert "UP,LOWER_UP" in table[2]


def test_text_is_aligned_with_numbers_to_the_right_and_absence_as_a_dash() -> None:
    table = TABLE.select(["ifname", "mtu", "flags"])
    assert written("text", chosen(table)) == (
        "Links (3 rows): ip link\nifname   mtu  flags\nveth10  1500  UP,LOWER_UP\nveth2   9000  none\nlo         -  -\n"
    )


def test_a_note_is_told_as_such_and_not_as_something_missing() -> None:
    noted = chosen(TABLE.with_gaps([Note("two worlds", "look at both")]))
    assert "note: two worlds; look at both" in written("text", noted)
    assert "Note: two worlds" in written("markdown", noted)
    section = json.loads(written("json", noted))["sections"]["links"]
    assert section["notes"] == [{"reason": "two worlds", "remedy": "look at both"}]
    assert "gaps" not in section
    assert json.loads(written("ndjson", noted).splitlines()[-1])["note"]["reason"] == "two worlds"


def test_text_tells_empty_from_unmatched_from_unavailable_from_incomplete() -> None:
    empty = TABLE.take(slice(0, 0))
    assert "no network devices" in written("text", chosen(empty))
    assert "none of the 3 rows matches" in written("text", chosen(where="mtu 1"))
    assert "no network devices" not in written("text", chosen(where="mtu 1"))
    assert "not available" in written("text", Section(PANEL, GAP))
    assert "no permission; run it as root" in written("text", Section(PANEL, GAP))
    assert "incomplete: no permission; run it as root" in written("text", chosen(TABLE.with_gaps([GAP])))
    assert "1 of 3 rows" in written("text", chosen(limit=1))


def test_a_terminal_gets_the_columns_that_fit_and_a_pipe_gets_all() -> None:
    table = TABLE.extended([], {"alias": Codes.of(["x" * 90, None, None])})
    narrow = written("text", chosen(table), style=Style(width=80))
    assert max(map(len, narrow.splitlines())) <= 80
    assert "no room for alias" in narrow
    assert "x" * 90 in written("text", chosen(table))
    assert "x" * 90 in written("text", chosen(table, columns=("alias",)), style=Style(width=80))


def test_wide_letters_keep_the_columns_in_line() -> None:
    table = Table((Column("a", "text"), Column("b", "text")), {"a": Codes.of(["中文", "x"]), "b": Codes.of(["1", "2"])})
    assert written("text", chosen(table)).splitlines()[2:] == ["中文  1", "x     2"]


def test_colour_only_where_asked_for() -> None:
    assert "\x1b" not in written("text", chosen(), Section(PANEL, GAP))
    assert "\x1b[1mLinks\x1b[0m" in written("text", chosen(), style=Style(colour=True))


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_lets_a_hostile_text_through(form: str) -> None:
    gap = Gap(HOSTILE, HOSTILE)
    found = written(form, chosen(TABLE.with_gaps([gap]), columns=("alias", "details")), Section(PANEL, gap))
    texts = json_texts(found) if "json" in form else [found.replace("\n", "")]
    for text in texts:
        assert not [letter for letter in text if ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 or letter == "\u202e"]
    assert "^[[2J^[]52;c;eA==^GM-^[1m<U+202E>evil^J" in "".join(texts).replace("\\", "")


def json_texts(found: str) -> list[str]:
    """What ``jq -r`` could print: every key and text, unescaped."""
    texts: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            texts.extend(value)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str):
            texts.append(value)

    try:
        walk(json.loads(found))
    except json.JSONDecodeError:
        for line in found.splitlines():
            walk(json.loads(line))
    return texts


def test_sorting_is_natural_and_stable_with_absence_last_both_ways() -> None:
    def names(**asked: object) -> list[str]:
        table, rows, _ = select(TABLE, Selection(**asked))  # type: ignore[arg-type]
        return table["ifname"].cells() if rows is None else table["ifname"].take(rows).cells()  # type: ignore[return-value]

    assert names(sort=("ifname",)) == ["lo", "veth2", "veth10"]
    assert names(sort=("mtu",)) == ["veth10", "veth2", "lo"]
    assert names(sort=("-mtu",)) == ["veth2", "veth10", "lo"]
    assert names(sort=("-local",)) == ["veth10", "lo", "veth2"]
    assert names(sort=("-mtu",), where="mtu > 0", limit=1) == ["veth2"]


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=30), st.booleans())
def test_sorting_keeps_equal_rows_as_they_stood(cells: list[int | None], descending: bool) -> None:
    order = ordered(known("u1", *cells), descending).tolist()
    present = [row for row, cell in enumerate(cells) if cell is not None]
    expected = sorted(present, key=lambda row: -cells[row] if descending else cells[row])
    assert order == expected + [row for row, cell in enumerate(cells) if cell is None]


@given(st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.sampled_from([0, 1, 8, 31, 32, 255])), max_size=9))
def test_addresses_are_written_as_the_table_spells_them(cells: list[tuple[bytes, int]]) -> None:
    octets = np.frombuffer(b"".join(cell[0] for cell in cells), np.uint8).reshape(-1, 4)
    values = Addresses(octets, np.full(len(cells), IPV4, np.uint8), np.array([cell[1] for cell in cells], np.uint8))
    assert texts(values, str) == values.cells()
    assert texts(Addresses(octets, values.form), str) == Addresses(octets, values.form).cells()


PATHS = ("a", "b.c", "b.d.e", "b.d.f", "g%s{}", "h.i")


@given(
    st.lists(st.tuples(*[st.one_of(st.none(), st.integers(0, 2)) for _ in PATHS]), min_size=1, max_size=12),
    st.permutations(PATHS),
)
def test_json_rows_are_what_nested_dictionaries_would_be(cells: list[tuple[int | None, ...]], paths: list[str]) -> None:
    columns = tuple(Column(f"c{place}", "u1", path=path) for place, path in enumerate(paths))
    table = Table(columns, {f"c{place}": known("u1", *column) for place, column in enumerate(zip(*cells, strict=True))})
    expected = []
    for row in cells:
        document: dict[str, object] = {}
        for path, cell in zip(paths, row, strict=True):
            *outer, last = path.split(".")
            inner = document
            for name in outer:
                inner = inner.setdefault(name, {}) if cell is not None else {}  # type: ignore[assignment]
            if cell is not None:
                inner[last] = cell
        expected.append(document)
    assert [json.loads(row) for row in objects(table)] == expected


def test_text_rows_that_are_all_alike_are_written_each() -> None:
    table = Table((Column("a", "text"), Column("b", "u1")), {"a": Codes.of(["{x}%s"] * 3), "b": known("u1", 7, 7, 7)})
    assert written("text", chosen(table)).splitlines()[2:] == ["{x}%s  7"] * 3
    lines = written("ndjson", chosen(table)).splitlines()
    assert [json.loads(line) for line in lines] == [{"section": "links", "a": "{x}%s", "b": 7}] * 3


def test_several_sort_columns_count_from_left_to_right() -> None:
    table = Table(COLUMNS[:2], {"ifname": Codes.of(["b", "a", "b"]), "mtu": known("u4", 1, 2, 3)})
    _, rows, _ = select(table, Selection(sort=("ifname", "-mtu")))
    assert rows is not None
    assert rows.tolist() == [1, 2, 0]


def test_the_total_counts_matching_rows_before_the_limit() -> None:
    assert select(TABLE, Selection(where="mtu > 0", limit=1))[2] == 2
    assert len(chosen(limit=0)) == 0


@pytest.mark.parametrize("asked", [{"columns": ("mtuu",)}, {"sort": ("-mtuu",)}])
def test_an_unknown_column_names_the_ones_there_are(asked: dict[str, object]) -> None:
    with pytest.raises(NoSuchColumn, match=r"no column 'mtuu', did you mean mtu\? There are ifname, mtu"):
        select(TABLE, Selection(**asked))  # type: ignore[arg-type]
    with pytest.raises(QueryError):
        select(TABLE, Selection(where="mtuu > 1"))


def test_a_million_rows_are_written_without_holding_them() -> None:
    count = 1_000_000
    octets = np.arange(count, dtype=">u4").view(np.uint8).reshape(count, 4)
    columns = (Column("dst", "address", "key"), Column("protocol", "text"), Column("metric", "u4", path="a.b"))
    arrays = {
        "dst": Addresses(octets, np.full(count, IPV4, np.uint8)),
        "protocol": Codes(np.zeros(count, np.int8), ("static",)),
        "metric": Numbers(np.arange(count, dtype=np.uint32)),
    }
    section = chosen(Table(columns, arrays))
    for form in FORMATS:
        tracemalloc.start()
        size = 0
        for piece in pieces(report(section), form, Style()):
            size += len(piece)
            if size > 3_000_000:
                break
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > 3_000_000, form
        assert peak < 8_000_000, form


def test_every_section_declares_its_columns_once_and_nests_them_without_conflict() -> None:
    document = json.loads(schema(list(PANELS)))
    assert list(document["sections"]) == [panel.name for panel in PANELS]
    for name, section in document["sections"].items():
        names = [column["name"] for column in section["columns"]]
        assert len(set(names)) == len(names), name
        paths = [column.get("path", column["name"]) for column in section["columns"]]
        assert len(set(paths)) == len(paths), name
        assert not [(a, b) for a in paths for b in paths if b.startswith(f"{a}.")], name


def test_every_column_that_a_panel_shows_is_declared() -> None:
    for panel in PANELS:
        names = {column.name for column in declared(panel.name)}
        assert not [name for name in panel.columns if name not in names and not name.endswith("_rate")], panel.name
        assert panel.name in MODULES or panel.name in ("overview", "drops", "hooks", "services")


def test_a_table_is_completed_with_absent_columns() -> None:
    found = completed(TABLE.select(["ifname"]), COLUMNS)
    assert found.row(0) == {"ifname": "veth10"}
    assert len(found.columns) == len(COLUMNS)
    assert select(found, Selection(where="mtu is absent", sort=("-rx",)))[2] == 3


def interrupted_half_way(path: Path) -> None:
    with destination(str(path)) as out:
        out.write("half")
        raise KeyboardInterrupt


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(KeyboardInterrupt):
        interrupted_half_way(path)
    assert not list(tmp_path.iterdir())
    path.write_text("old")
    path.chmod(0o640)
    with destination(str(path)) as out:
        out.write("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_a_file_through_a_link_keeps_the_link_and_a_device_stays_a_device(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with destination(str(tmp_path / "link")) as out:
        out.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"
    with destination("/dev/null") as out:
        out.write("gone")
    assert Path("/dev/null").is_char_device()
