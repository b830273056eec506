"""Overview: what is wrong; then a few rows per layer on what moves, what is lost, how full the kernel's tables are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.table import Column, Table
from collectors.values import Numbers
from nettui.findings.examination import asked
from nettui.findings.finding import Finding
from nettui.findings.registry import DIAGNOSES
from nettui.rates import SUFFIX

TOLD = ("error", "warning")
BUSIEST = 4
MOST = 8  # findings

COLUMNS = (
    Column("layer", "text", "key", help="where in the stack; of a finding, how bad it is"),
    Column("scope", "text", "key", help="device, CPU, this namespace or the whole host"),
    Column("what", "text", "key", help="what is counted"),
    Column("value", "u8", "gauge", help="now, or since the counter began"),
    Column("rate", "f8", "gauge", "/s", "per second, between the last two readings"),
    Column("unit", "text", help="of value and limit"),
    Column("limit", "u8", "gauge", help="most that fit"),
    Column("fill", "f8", "gauge", "%", "value as a share of the limit"),
    Column("source", "text", help="section, or file, that shows the details"),
    Column("says", "text", help="what a finding says; `nettui check` tells the evidence and what to do"),
    Column("section", "text", help="where a finding can be looked at"),
    Column("where", "text", help="the filter that shows it there"),
)

# counters of the protocols section that an engineer looks at first: what flows, then what is lost
FLOW = ("Ip.InReceives", "Ip.OutRequests", "Tcp.InSegs", "Tcp.OutSegs", "Udp.InDatagrams", "Udp.OutDatagrams")
LOSS = (
    "Ip.InDiscards", "Ip.OutDiscards", "Ip.InHdrErrors", "Ip.OutNoRoutes", "Ip.ReasmFails", "Tcp.RetransSegs",
    "Tcp.InErrs", "TcpExt.ListenDrops", "TcpExt.TCPBacklogDrop", "TcpExt.TCPRcvQDrop", "TcpExt.PruneCalled",
    "Udp.NoPorts", "Udp.RcvbufErrors", "Udp.SndbufErrors", "Ip6.InDiscards", "Ip6.OutDiscards", "Udp6.RcvbufErrors",
)  # fmt: skip
LINK_LOSS = ("rx_dropped", "tx_dropped", "rx_errors", "tx_errors", "rx_missed_errors")


class Row(NamedTuple):
    layer: str
    scope: str
    what: str
    value: int | None
    rate: float | None
    unit: str
    source: str
    limit: int | None = None
    finding: Finding | None = None


def overview(tables: Mapping[str, Table]) -> Table:
    """Findings, worst first; then rows by layer from the receiving device up. What could not be read has none."""
    parts = {"links": link_rows, "softnet": softnet_rows, "protocols": protocol_rows, "limits": limit_rows}
    rows = [
        *finding_rows(tables),
        *(row for name, part in parts.items() if name in tables for row in part(tables[name])),
    ]
    draft = Draft(COLUMNS, len(rows))
    for name in ("layer", "scope", "what", "unit", "source"):
        draft.cells(name, [getattr(row, name) or None for row in rows])
    for name in ("says", "section", "where"):
        draft.cells(name, [getattr(row.finding, name, None) or None for row in rows])
    for name in ("value", "rate", "limit"):
        known = np.array([getattr(row, name) is not None for row in rows], np.bool_)
        draft.numbers(name, np.array([getattr(row, name) or 0 for row in rows]), known=known)
    fill = [round(100 * (row.value or 0) / row.limit, 2) if row.limit else 0.0 for row in rows]
    draft.numbers("fill", np.array(fill, np.float64), known=np.array([bool(row.limit) for row in rows], np.bool_))
    return draft.table()


def finding_rows(tables: Mapping[str, Table]) -> Iterator[Row]:
    """What is wrong, or soon will be; `nettui check` tells the evidence and what to do."""
    told = [entry for entry in asked(tables, {}, DIAGNOSES, 0).found if entry[1].severity in TOLD]
    for diagnosis, finding in told[:MOST]:
        what = diagnosis.name.replace("_", " ")
        source = f"check {diagnosis.name}"
        yield Row(finding.severity, finding.subject, what, None, None, "", source, None, finding)
    if rest := told[MOST:]:
        yield Row("warning", f"{len(rest):,} more", "findings", None, None, "", "check")


def link_rows(links: Table) -> Iterator[Row]:
    """How many are up, traffic of the busiest, and each loss counter of the links that lose most."""
    # up and with carrier (net/core/dev.c, dev_get_flags); a device that is down may have its carrier all the same
    up = int(links.codes("flags").matching(lambda flags: isinstance(flags, list) and "LOWER_UP" in flags).sum())
    yield Row("link", "namespace", "LOWER_UP", up, None, "devices", "links")
    yield Row("link", "namespace", "not LOWER_UP", len(links) - up, None, "devices", "links")
    for row in leading(links, "rx_bytes", "tx_bytes"):
        for what in ("rx_bytes", "tx_bytes"):
            yield counted(links, row, what, "link", str(links.cell(row, "ifname")), "B", "links")
    for what in LINK_LOSS:
        for row in leading(links, what):
            yield counted(links, row, what, "link", str(links.cell(row, "ifname")), "packets", "links")


def leading(links: Table, *counters: str) -> list[int]:
    """Rows of the links that count most now, among equals most so far; those at zero are left out."""
    now, ever = (
        sum((known(links, name + suffix) for name in counters), np.zeros(len(links))) for suffix in (SUFFIX, "")
    )
    order = np.lexsort((ever, now))[::-1]
    return [row for row in order.tolist() if ever[row]][:BUSIEST]


def known(links: Table, name: str) -> NDArray[np.float64]:
    """A column's numbers, 0 where there is none."""
    if name not in links:
        return np.zeros(len(links))
    values = links.numbers(name)
    return np.where(values.present(), values.numbers, 0).astype(np.float64)


def softnet_rows(softnet: Table) -> Iterator[Row]:
    """The sum over all CPUs; its rate only when each of them has one."""
    for what in ("processed", "dropped", "time_squeeze"):
        numbers = softnet.numbers(what)
        rates = softnet.numbers(what + SUFFIX) if what + SUFFIX in softnet else None
        rate = float(rates.numbers.sum()) if rates is not None and rates.present().all() else None
        value = int(numbers.numbers.astype(np.uint64).sum())
        yield Row("softnet", "all CPUs", what, value, rate, softnet.column(what).unit, "softnet")


def protocol_rows(protocols: Table) -> Iterator[Row]:
    """What flows, and each loss counter that is not zero."""
    rows = {str(name): row for row, name in enumerate(protocols["counter"].cells())}
    for what in (*FLOW, *LOSS):
        if what in rows and protocols.cell(rows[what], "value") is not None:
            found = counted(protocols, rows[what], "value", what.split(".")[0], "namespace", "", "protocols")._replace(
                what=what
            )
            if what in FLOW or found.value:
                yield found


def limit_rows(limits: Table) -> Iterator[Row]:
    for row in limits.rows():
        if "used" in row:
            name, scope, unit, source = (str(row[key]) for key in ("name", "scope", "unit", "source"))
            yield Row("limits", scope, name, int(row["used"]), None, unit, source, int(row["limit"]))  # type: ignore[arg-type]


def counted(table: Table, row: int, what: str, layer: str, scope: str, unit: str, source: str) -> Row:
    """One counter of one row, with its rate where there is one."""
    rates = (
        table[what + SUFFIX] if what + SUFFIX in table else Numbers(np.zeros(len(table)), np.zeros(len(table), bool))
    )
    rate = rates.cells(slice(row, row + 1))[0]
    value = table.cell(row, what)
    return Row(layer, scope, what, int(value or 0), rate, unit, source)  # type: ignore[arg-type]
