"""A queueing discipline drops packets, or holds packets and lets none go."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from collectors.values import Cell
from nettui.findings.finding import Diagnosis, Finding, Tables, number, rate
from nettui.findings.rows import Row, above, device, device_names, figure, is_one_of, moving, picked

HOOKS = ("clsact", "ingress")
SIGNALS = ("fq_codel", "codel", "cake", "pie", "fq_pie", "red", "gred", "choke", "sfb")  # drop to tell the sender
DELAYING = ("netem", "plug", "tbf", "taprio", "etf", "ingress", "clsact")  # hold packets on purpose
NAMES = ("ifindex", "kind", "handle", "parent", "drops", "drops_rate", "backlog", "qlen", "packets_rate", "packets",
         "overlimits_rate", "options")  # fmt: skip
MOST = 10


def find(tables: Tables) -> Iterator[Finding]:
    table, names = tables["qdiscs"], device_names(tables)
    rows = sorted(picked(table, moving(table, "drops"), *NAMES), key=lambda row: -rate(row, "drops"))
    for row in undermost(rows)[:MOST]:
        yield dropping(row, device(names, row["ifindex"]))
    if "packets_rate" in table:
        rate_of = table.numbers("packets_rate")
        still = above(table, "qlen") & rate_of.present() & (rate_of.numbers == 0)
        still &= ~is_one_of(table, "kind", *DELAYING)
        for row in undermost(list(picked(table, still, *NAMES)))[:MOST]:
            yield stuck(row, device(names, row["ifindex"]))


def undermost(rows: list[Row]) -> list[Row]:
    """Without those that tell what another below them tells too: a discipline of classes counts its leaves' drops."""
    places = [(row["ifindex"], major(row.get("handle")), major(row.get("parent"))) for row in rows]
    parents = {(index, parent) for index, handle, parent in places if parent != handle}  # at a hook they are the same
    return [row for row, place in zip(rows, places, strict=True) if place[:2] not in parents]


def major(handle: Cell) -> str:
    return str(handle).partition(":")[0]


def dropping(row: Row, name: str) -> Finding:
    kind, pace = str(row["kind"]), rate(row, "drops")
    passing = f" beside {figure(rate(row, 'packets'))} that pass"
    if kind in HOOKS:
        why = ": filters or actions of tc there drop them"
    elif kind in SIGNALS:
        why = f"{passing}, as it does to make senders slower; its queue was longer than it allows"
    else:
        why = f"{passing}, with {number(row, 'qlen'):,} waiting: more is sent than the rate or the link lets go"
    return Finding(
        "note" if kind in SIGNALS else "warning" if kind in HOOKS else "error",
        f"{kind} on {name}",
        f"{kind} on {name} drops {figure(pace)} packets/s{why}",
        evidence(row),
        (
            f"tc -s filter show dev {quote(name)} ingress  # which filter and action"
            if kind in HOOKS
            else f"tc -s class show dev {quote(name)}  # which class is full",
            f"nettui report qdiscs --where 'ifindex {row['ifindex']}'  # limit, backlog and drops of all of them",
            f"tc qdisc change dev {quote(name)} …  # changes the host: a longer limit costs delay",
        )[: 2 if kind in HOOKS else 3],
        "qdiscs",
        f"ifindex {row['ifindex']}",
    )


def stuck(row: Row, name: str) -> Finding:
    kind = str(row["kind"])
    return Finding(
        "error",
        f"{kind} on {name}",
        f"{number(row, 'qlen'):,} packets wait in {kind} on {name} and none left while it was watched",
        evidence(row),
        (
            f"ethtool -S {quote(name)}  # whether the driver stopped its queues",
            "journalctl -k -g 'NETDEV WATCHDOG'  # transmit timeouts",
            f"tc -s -d qdisc show dev {quote(name)}  # a rate too low for the packets",
        ),
        "qdiscs",
        f"ifindex {row['ifindex']}",
    )


def evidence(row: Row) -> tuple[str, ...]:
    which = f"qdiscs: {row['kind']} {row['handle']}" + (f" parent {row['parent']}" if "parent" in row else "")
    return (
        f"{which} drops {number(row, 'drops'):,}",
        f"{which} backlog {number(row, 'backlog'):,} bytes, {number(row, 'qlen'):,} packets",
    )


QDISC_DROPS = Diagnosis("qdisc_drops", "a queueing discipline drops or holds packets", ("qdiscs",), find, ("links",))
