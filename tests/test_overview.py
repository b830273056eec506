"""The overview shows what is there, in the order of the stack, and no loss counter that is zero."""

import numpy as np

import collectors
from collectors.draft import Draft
from collectors.table import Column, Table
from nettui.overview import FLOW, LOSS, overview
from nettui.rates import with_rates

NAMES = ("rx_bytes", "tx_bytes", "rx_dropped", "tx_dropped", "rx_errors", "tx_errors", "rx_missed_errors")
LINKS = (
    Column("ifname", "text", "key"),
    Column("flags", "json"),
    *(Column(name, "u8", "counter", "B" if "bytes" in name else "packets") for name in NAMES),
)


def links(**counters: dict[str, int]) -> Table:
    """One link by keyword, with the counters that are not zero."""
    draft = Draft(LINKS, len(counters))
    draft.cells("ifname", list(counters))
    draft.cells("flags", [["UP", "LOWER_UP"] if given else ["UP"] for given in counters.values()])
    for name in NAMES:
        draft.numbers(name, np.array([given.get(name, 0) for given in counters.values()], np.uint64))
    return draft.table()


def shown(table: Table) -> list[tuple[object, ...]]:
    found = overview({"links": table})
    return [(row["scope"], row["what"], row["value"], row.get("rate")) for row in found.rows()]


def test_idle_links_and_counters_at_zero_are_left_out():
    assert shown(links(lo={}, eth0={"rx_bytes": 23, "rx_dropped": 7})) == [
        ("namespace", "LOWER_UP", 1, None),
        ("namespace", "not LOWER_UP", 1, None),
        ("eth0", "rx_bytes", 23, None),
        ("eth0", "tx_bytes", 0, None),
        ("eth0", "rx_dropped", 7, None),
    ]


def test_the_link_that_is_busiest_now_comes_before_the_one_that_was():
    before = links(eth0={"rx_bytes": 10**9}, eth1={"rx_bytes": 100})
    now = with_rates(links(eth0={"rx_bytes": 10**9}, eth1={"rx_bytes": 2400}), before, 2.0)
    assert [row for row in shown(now) if row[1] == "rx_bytes"] == [
        ("eth1", "rx_bytes", 2400, 1150.0),
        ("eth0", "rx_bytes", 10**9, 0.0),
    ]


def test_of_many_links_those_that_lose_most_are_shown():
    many = links(**{f"eth{number}": {"rx_dropped": number} for number in range(1, 24)})
    assert [scope for scope, what, *_ in shown(many) if what == "rx_dropped"] == ["eth23", "eth22", "eth21", "eth20"]


def test_the_backlog_has_no_rate_while_a_processor_has_none():
    def softnet(*processed: int) -> Table:
        names = ("cpu", "processed", "dropped", "time_squeeze")
        draft = Draft([Column(name, "u4", "key" if name == "cpu" else "counter") for name in names], len(processed))
        draft.numbers("cpu", np.arange(len(processed)))
        for name in names[1:]:
            draft.numbers(name, np.array(processed))
        return draft.table()

    wrapped = with_rates(softnet(130, 7), softnet(100, 2**32 - 1), 1.0)
    assert [row.get("rate") for row in overview({"softnet": wrapped}).rows()] == [None] * 3
    counted = with_rates(softnet(130, 7), softnet(100, 0), 1.0)
    assert [row.get("rate") for row in overview({"softnet": counted}).rows()] == [37.0] * 3


def test_a_full_table_has_its_fill():
    columns = (Column("name", "text"), Column("scope", "text"), Column("unit", "text"), Column("source", "text"),
               Column("used", "u8"), Column("limit", "u8"))  # fmt: skip
    draft = Draft(columns, 2)
    for name, cell in (("name", "conntrack"), ("scope", "namespace"), ("unit", "entries"), ("source", "/proc/x")):
        draft.cells(name, [cell, cell])
    draft.numbers("used", np.array([512, 0]), known=np.array([True, False]))
    draft.numbers("limit", np.array([1024, 1024]))
    (row,) = overview({"limits": draft.table()}).rows()
    assert (row["value"], row["limit"], row["fill"]) == (512, 1024, 50.0)


def test_every_counter_that_the_overview_looks_for_is_one_that_the_kernel_has():
    there = set(collectors.collect("protocols")["counter"].cells())
    assert [name for name in (*FLOW, *LOSS) if name not in there] == []


def test_findings_come_first_and_lead_to_their_section():
    columns = [Column(name, "text" if name in ("name", "scope", "unit", "source") else "u8")
               for name in ("name", "scope", "used", "limit", "unit", "source")]  # fmt: skip
    draft = Draft(columns, 1)
    for name, cell in (("name", "conntrack entries"), ("scope", "namespace"), ("unit", "entries"), ("source", "x")):
        draft.cells(name, [cell])
    draft.numbers("used", np.array([99]))
    draft.numbers("limit", np.array([100]))
    finding, limit = overview({"limits": draft.table()}).rows()
    assert (finding["layer"], finding["what"], finding["source"]) == ("error", "conntrack full", "check conntrack_full")
    assert str(finding["says"]).startswith("99 of 100 entries are in use (99%)")
    assert finding["section"] == "conntrack"
    assert "value" not in finding
    assert (limit["layer"], limit["fill"]) == ("limits", 99.0)
