"""A CPU that does not keep up with what its devices receive: its backlog overflows, or it stops with work left."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.table import Table
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, number, rate
from nettui.findings.rows import Row, above, figure, moving, picked
from nettui.rates import SUFFIX

FEW = 1e-4  # share of what it takes that is lost, up to which it is a note
SQUEEZES, BUSY = 5.0, 10_000.0  # a second, from which a squeezed CPU has too much to do; packets/s
ALONE = 0.7  # share of all packets from which one CPU does the work of all
NAMES = ("cpu", "processed", "dropped", "flow_limit", "time_squeeze", "backlog_len")
RATES = ("processed_rate", "dropped_rate", "flow_limit_rate", "time_squeeze_rate")


def find(tables: Tables) -> Iterator[Finding]:
    table = tables["softnet"]
    dropping = moving(table, "dropped")
    squeezed = above(table, "time_squeeze" + SUFFIX, SQUEEZES) & above(table, "processed" + SUFFIX, BUSY) & ~dropping
    spread = Spread(table)
    for row in picked(table, dropping, *NAMES, *RATES):
        lost, taken = rate(row, "dropped"), rate(row, "processed")
        limited = rate(row, "flow_limit") >= lost / 2
        cause = "as few flows fill it (flow limit)" if limited else "as it is full"
        says = f"the backlog of CPU {row['cpu']} drops {figure(lost)} packets/s, {cause}; it takes {figure(taken)}/s"
        yield told(row, "note" if lost <= FEW * taken else "error", says, spread)
    for row in picked(table, squeezed, *NAMES, *RATES):
        says = f"CPU {row['cpu']} stops with packets left {figure(rate(row, 'time_squeeze'))} times/s"
        yield told(row, "warning" if spread.alone(row) else "note", says, spread)


class Spread:
    """How the work is spread over the CPUs. ``steered``: wake-ups by RPS, of all CPUs, ever."""

    def __init__(self, table: Table) -> None:
        name = "processed" + SUFFIX
        self.cpus = len(table)
        self.steered = int(table.numbers("received_rps").numbers.sum(dtype=np.uint64))
        paces = table.numbers(name) if name in table else None
        self.all = 0.0 if paces is None else float(np.where(paces.present(), paces.numbers, 0).sum())

    def alone(self, row: Row) -> bool:
        """Whether this CPU does most of the work although there are others."""
        return self.cpus > 1 and rate(row, "processed") >= ALONE * self.all > 0

    def words(self, row: Row) -> str:
        if not self.alone(row):
            return ""
        share = rate(row, "processed") / self.all
        steering = "" if self.steered else ", and RPS is off"
        return f"; it does {share:.0%} of the work of {self.cpus} CPUs{steering}"


def told(row: Row, severity: Severity, says: str, spread: Spread) -> Finding:
    which = f"softnet: CPU {row['cpu']}"
    return Finding(
        severity,
        f"CPU {row['cpu']}",
        says + spread.words(row),
        (
            f"{which} dropped {number(row, 'dropped'):,}, flow_limit {number(row, 'flow_limit'):,}",
            f"{which} time_squeeze {number(row, 'time_squeeze'):,}, processed {number(row, 'processed'):,}",
            f"softnet: received_rps {spread.steered:,} on all CPUs",
        ),
        (
            "nettui report softnet --columns cpu,processed,dropped,time_squeeze,received_rps  # which CPUs do the work",
            "grep . /sys/class/net/*/queues/rx-*/rps_cpus  # masks of CPUs; 0: RPS is off for that queue",
            "cat /proc/interrupts  # which CPU takes which queue's interrupts",
            "sysctl net.core.netdev_max_backlog net.core.netdev_budget  # the limits (first namespace)",
            "sysctl -w net.core.netdev_max_backlog=N  # changes the host: more packets wait, and longer",
        )
        + (() if spread.steered else ("echo MASK > /sys/class/net/DEVICE/queues/rx-0/rps_cpus  # changes the host",)),
        "softnet",
        f"cpu {row['cpu']}" if "cpu" in row else "",
    )


SOFTIRQ = Diagnosis("softirq", "a CPU does not keep up with received packets", ("softnet",), find)
