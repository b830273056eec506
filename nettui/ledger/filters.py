"""What Netfilter drops: rules and policies, queues to user space, and conntrack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from collectors.table import Table
from nettui.ledger.row import Row, moved, of_loss, texts

VERDICTS = {"drop": "rule.drop", "reject": "rule.reject"}
NAMED = ("world", "family", "table", "chain", "kind", "hook", "handle", "slot", "position", "rule", "policy", "verdict")


def netfilter(tables: Mapping[str, Table]) -> Iterator[Row]:
    """Rules that drop or reject, and base chains whose policy does: those that counted, and those that cannot count."""
    table = tables["netfilter"]
    final = table.codes("verdict").matching(lambda verdict: verdict in VERDICTS)
    policy = table.codes("policy").matching(lambda policy: policy == "drop")
    packets = table.numbers("packets")
    silent = table.numbers("uncounted")
    telling = np.where(packets.present(), packets.numbers > 0, silent.present() & silent.numbers)
    for at in np.flatnonzero((final | policy) & telling).tolist():
        total = int(packets.numbers[at]) if packets.present()[at] else None
        yield ruling(dict(zip(NAMED, texts(table.take(slice(at, at + 1)), *NAMED)[0], strict=True)), total)


def ruling(row: dict[str, object], total: int | None) -> Row:
    """A rule or policy; whose ``total`` is None is not counted by anything."""
    family, table, chain, position = (row[name] for name in ("family", "table", "chain", "position"))
    place = f"{family} {table} {chain}"
    number = row["handle"] if row["handle"] is not None else row["slot"]
    rule = row["kind"] == "rule"
    return Row(
        VERDICTS[str(row["verdict"])] if rule else "policy.drop",
        total,
        f"{place} #{position}" if rule else f"{place} policy",
        f"{row['world']} {place} {row['kind']} {number}",
        direction={"input": "rx", "output": "tx", "forward": "fwd", "ingress": "rx", "egress": "tx"}.get(
            str(row["hook"]), ""
        ),
        note=(f"{row['rule']}" if rule else "") + ("" if total is not None else " (nothing counts what it drops)"),
        about={name: row[name] for name in ("family", "table", "chain", "handle", "position") if row[name] is not None},
    )


def nfqueues(tables: Mapping[str, Table]) -> Iterator[Row]:
    table = tables["nfqueues"]
    known = texts(table, "queue", "portid")
    for name in ("queue_dropped", "user_dropped"):
        for at, total in moved(table, name):
            queue, portid = known[at]
            note = f"read by netlink port {portid}, most often a process id" if portid else None
            yield Row(f"nfqueue.{name}", total, f"queue {queue}", f"queue {queue}", note=note)


def conntrack_statistics(tables: Mapping[str, Table]) -> Iterator[Row]:
    """Sums over all CPUs: the work of one flow goes from CPU to CPU."""
    table = tables["conntrack_statistics"]
    for column in table.columns:
        name = f"nf_conntrack.{column.name}"
        if column.kind == "counter" and of_loss(name):
            total = sum(number for _, number in moved(table, column.name))
            if total:
                yield Row(name, total)
