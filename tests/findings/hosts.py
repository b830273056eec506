"""What a diagnosis finds in a namespace, from what nettui itself reads there; and hosts that are well."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from functools import cache

import numpy as np

from collectors.draft import Draft
from collectors.registry import collector
from collectors.table import Column, Table
from nettui.findings.finding import Diagnosis, Finding
from nettui.findings.registry import DIAGNOSES
from nettui.query.parser import compile
from nettui.rates import with_rates
from nettui.snapshot import take
from nettui.sources import read as sections
from tests.lab import Namespace, joined_pair
from tests.netfilter_scenes import DROPPED, docker_host

EVERY = tuple(dict.fromkeys(name for each in DIAGNOSES for name in (*each.needs, *each.wants)))


def found(diagnosis: Diagnosis, inside: Namespace, between: Callable[[], object] | None = None) -> list[Finding]:
    """``between``: what happens between two readings; without it there is one and no rate is known."""
    names = (*diagnosis.needs, *diagnosis.wants)
    tables = read(names, inside) if between is None else read_twice(names, inside, between)
    assert set(diagnosis.needs) <= set(tables)
    told = list(diagnosis.find(tables))
    for finding in told:
        assert_usable(finding, inside)
    return told


def assert_usable(finding: Finding, inside: Namespace) -> None:
    """One sentence and evidence; what it says to look at is there, and can be asked for."""
    assert finding.evidence
    assert finding.remedies
    assert "\n" not in finding.says
    assert finding.says[-1] != "."
    assert len(finding.says) < 400
    looks = [(finding.section, finding.where, "")]
    for remedy in finding.remedies:
        assert "  # " in remedy
        command = shlex.split(remedy, comments=True)
        if command[:2] == ["nettui", "report"]:
            options = dict(zip(command[3::2], command[4::2], strict=True))
            looks.append((command[2], options.get("--where", ""), options.get("--columns", "")))
    snapshot = sections([section for section, *_ in looks], inside.host)
    for section, where, columns in looks:
        table = snapshot.tables[section]
        if where:
            assert compile(where, table.columns).mask(table).any(), where
        assert all(column in table for column in columns.split(",") if column)


def read(names: tuple[str, ...], inside: Namespace) -> dict[str, Table]:
    tables = dict(take(names, inside.host).tables)
    if "settings" in names and "settings" not in tables:
        tables["settings"] = sysctls(inside)
    return tables


def sysctls(inside: Namespace) -> Table:
    """What sysctl tells, as the collector's table."""
    lines = inside.run("sysctl -a -r ^net.(ipv[46]|core)").splitlines()
    return settings(*((name, value) for name, _, value in (line.partition(" = ") for line in lines)))


def settings(*pairs: tuple[str, str]) -> Table:
    """A table of settings by name and value."""
    columns = (Column("name", "text", "key"), Column("value", "text"), Column("number", "i8"))
    draft = Draft(columns, len(pairs))
    draft.cells("name", [name for name, _ in pairs])
    draft.cells("value", [value for _, value in pairs])
    known = np.array([value.lstrip("-").isdecimal() for _, value in pairs])
    numbers = [int(value) if is_number else 0 for (_, value), is_number in zip(pairs, known, strict=True)]
    draft.numbers("number", np.array(numbers), known=known)
    return draft.table()


def read_twice(names: tuple[str, ...], inside: Namespace, between: Callable[[], object]) -> dict[str, Table]:
    before, started = read(names, inside), time.monotonic()
    between()
    time.sleep(0.3)
    now = read(names, inside)
    seconds = time.monotonic() - started
    return {name: with_rates(table, before[name], seconds) for name, table in now.items() if name in before}


@cache
def healthy() -> dict[str, Table]:
    """A host with a neighbour, a default route by it, and traffic both ways between the readings."""
    with joined_pair() as (left, right):
        left.ip("route add default via 10.9.0.2", "route add default via fd09::2")
        time.sleep(2.5)  # until the link-local addresses are no longer tentative

        def traffic() -> None:
            left.run("ping -c 23 -i 0.01 -q 10.9.0.2", "ping -c 3 -i 0.1 -q fd09::2")
            right.run("ping -c 23 -i 0.01 -q 10.9.0.1")

        return read_twice(EVERY, left, traffic)


@cache
def docker() -> dict[str, Table]:
    """A Docker host with flows through it; a rule of its refuses datagrams between the readings too."""
    with docker_host() as host:
        time.sleep(2.5)

        def traffic() -> None:
            host.outside.run(f"ping -c {DROPPED} -i 0.01 -q 198.51.100.1")
            host.containers["web"].run("ping -c 5 -i 0.01 -q 198.51.100.2")

        return read_twice(EVERY, host, traffic)


def silent(diagnosis: Diagnosis) -> bool:
    """Whether it finds nothing on either."""
    return all(not list(diagnosis.find(tables)) for tables in (healthy(), docker()))


def made_up(name: str, *rows: dict[str, object], rates: tuple[str, ...] = ()) -> Table:
    """A collector's table with these rows, for a state that this kernel cannot have."""
    columns = [*collector(name).columns, *(Column(f"{rate}_rate", "f8", "gauge") for rate in rates)]
    draft = Draft(columns, len(rows))
    for column in columns:
        cells = [row.get(column.name) for row in rows]
        known = np.array([cell is not None for cell in cells], np.bool_)
        if column.numeric or column.dtype == "bool":
            draft.numbers(column.name, np.array([cell or 0 for cell in cells]), known=known)
        elif column.dtype != "address":
            draft.cells(column.name, cells)  # type: ignore[arg-type]
    return draft.table()
