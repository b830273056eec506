"""The kernel's table of neighbours is full, or filling: no new neighbour can be spoken to then."""

from __future__ import annotations

from collections.abc import Iterator

from nettui.findings.finding import Diagnosis, Finding, Tables, number, rate
from nettui.findings.rows import Row, figure, has, is_one_of

NEAR = 0.8
FAMILIES = {"inet": ("IPv4", "ipv4"), "inet6": ("IPv6", "ipv6")}


def find(tables: Tables) -> Iterator[Finding]:
    for row in tables["neighbour_tables"].rows():
        limit = number(row, "thresh3")
        own, kept = in_namespace(tables, row)
        if limit and (rate(row, "table_fulls") or number(row, "entries") - kept >= NEAR * limit):
            yield told(row, own, kept)


def in_namespace(tables: Tables, row: Row) -> tuple[int, int]:
    """How many of the table's entries this namespace has, and of these the permanent ones, which the limit ignores."""
    if "neighbours" not in tables:
        return 0, 0
    table = tables["neighbours"]
    own = is_one_of(table, "family", row["family"])
    kept = own & (has(table, "PERMANENT", "state") | has(table, "extern_learn"))
    return int(own.sum()), int(kept.sum())


def told(row: Row, own: int, kept: int) -> Finding:
    family, folder = FAMILIES.get(str(row["family"]), (str(row["family"]), str(row["family"])))
    used, limit, refused = number(row, "entries"), number(row, "thresh3"), rate(row, "table_fulls")
    setting = f"net.{folder}.neigh.default.gc_thresh3"
    return Finding(
        "error" if refused else "warning",
        f"{family} neighbours",
        f"{used:,} entries of at most {limit:,} are in the host's table of {family} neighbours"
        + (f"; {figure(refused)} more/s were refused, and their packets lost" if refused else "")
        + (", permanent ones included, which do not count" if used > limit else ""),
        (
            f"neighbour_tables: {row['name']} entries {used:,}, gc_thresh3 {limit:,}",
            f"neighbour_tables: {row['name']} table_fulls {number(row, 'table_fulls'):,}, "
            f"forced_gc_runs {number(row, 'forced_gc_runs'):,}",
            f"neighbours: {own:,} in this namespace, {kept:,} of them permanent",
        ),
        (
            f"ip -{4 if folder == 'ipv4' else 6} -s neighbour  # who they are, and when each was last used",
            f"ip ntable show name {row['name']}  # the table, its limits and counters",
            f"sysctl -w {setting}={2 * limit}  # changes the host, in its first namespace; gc_thresh2 below it too",
        ),
        "neighbours",
        f"family {row['family']}" if own else "",
    )


NEIGHBOUR_TABLE = Diagnosis(
    "neighbour_table", "the table of neighbours is filling", ("neighbour_tables",), find, ("neighbours",)
)
