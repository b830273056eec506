"""`make bench`: nettui and its peers in turn on the same state in one run; prints the ratios, writes a JSON file.

Every measurement is a fresh process. A collector's time is that of `collectors.collect`, without the interpreter's
start; a peer's is the whole command with its output thrown away. Figures of one run on one machine; compare ratios.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from tests import netfilter_scenes
from tests.bench import load
from tests.lab import Namespace, namespace

ROUNDS = 5
RESULT = Path("bench.json")
SCALE = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0


class Goal(NamedTuple):
    """``work`` against ``peer``: the ratio of the medians, or of the peak memory in bytes to a number."""

    work: str
    peer: str
    most: float


class Case(NamedTuple):
    """A load, what is run on it in turn, and the goals that compare them."""

    name: str
    load: Callable[[], AbstractContextManager[Namespace]]
    runs: dict[str, list[str]]
    goals: list[Goal]


def measured(what: str, table: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.measure", what, table, "{netns}"]


def ip(command: str) -> list[str]:
    return ["ip", "-n", "{netns}", *command.split()]


def ss(command: str) -> list[str]:
    return ["ss", "-N", "{netns}", *command.split()]


def entered(command: str) -> list[str]:
    """For a peer that has no option for a namespace."""
    return ["ip", "netns", "exec", "{netns}", *command.split()]


def scaled(count: int) -> int:
    return max(8, int(count * SCALE))


def cases() -> Iterator[Case]:
    yield Case(
        "routes",
        lambda: load.routes(scaled(1_000_000)),
        {
            "collect routes": measured("collect", "routes"),
            "bare recv of the dump": measured("bare", "routes"),
            "ip route": ip("route"),
        },
        [
            Goal("collect routes", "ip route", 0.75),
            Goal("collect routes", "bare recv of the dump", 1.6),
            Goal("collect routes", "peak MB", 250),
        ],
    )
    yield Case(
        "sockets",
        lambda: load.sockets(scaled(100_000)),
        {
            "collect sockets": measured("collect", "sockets"),
            "recv of the dumps": measured("receive", "sockets"),
            "sockets with owners": measured("section", "sockets"),
            "ss -tanieom": ss("-tanieom"),
            "ss -taniom": ss("-taniom"),
            "ss -tanp": ss("-tanp"),
        },
        [
            Goal("collect sockets", "ss -tanieom", 0.15),
            Goal("sockets with owners", "ss -tanp", 0.15),
            # without e: where no cgroup2 is mounted, ss looks for the mount again for every socket
            Goal("collect sockets", "ss -taniom", 0),
            Goal("collect sockets", "recv of the dumps", 0),
        ],
    )
    yield Case(
        "links",
        lambda: load.links(scaled(2_000)),
        {
            "collect links": measured("collect", "links"),
            "recv of the dump": measured("receive", "links"),
            "ip -s -d -j link": ip("-s -d -j link"),
        },
        [Goal("collect links", "ip -s -d -j link", 2), Goal("collect links", "recv of the dump", 0)],
    )
    yield Case(
        "neighbours",
        lambda: load.neighbours(scaled(100_000)),
        {
            "collect neighbours": measured("collect", "neighbours"),
            "recv of the dumps": measured("receive", "neighbours"),
            "ip neigh": ip("neigh"),
        },
        [Goal("collect neighbours", "ip neigh", 1), Goal("collect neighbours", "recv of the dumps", 0)],
    )
    yield Case(
        "conntrack",
        lambda: load.flows(scaled(500_000)),
        {
            "collect conntrack": measured("collect", "conntrack"),
            "bare recv of the flows": measured("bare", "conntrack"),
            "conntrack -L": entered("conntrack -L"),
        },
        [
            Goal("collect conntrack", "conntrack -L", 0.75),
            Goal("collect conntrack", "bare recv of the flows", 1.5),
            Goal("collect conntrack", "peak MB", 0),
        ],
    )
    yield Case(
        "nft rules",
        lambda: netfilter_scenes.many_nft_rules(scaled(20_000)),
        {
            "collect netfilter": measured("collect", "netfilter"),
            "refresh netfilter": measured("refresh", "netfilter"),
            "bare recv of the rules": measured("bare", "netfilter"),
            "nft list ruleset": entered("nft list ruleset"),
        },
        [
            Goal("collect netfilter", "nft list ruleset", 1.5),
            Goal("refresh netfilter", "nft list ruleset", 0.5),
            Goal("refresh netfilter", "bare recv of the rules", 0),
            Goal("collect netfilter", "peak MB", 0),
        ],
    )
    yield Case(
        "iptables rules",
        lambda: netfilter_scenes.many_iptables_rules(scaled(20_000)),
        {
            "collect netfilter": measured("collect", "netfilter"),
            "refresh netfilter": measured("refresh", "netfilter"),
            "bare recv of the rules": measured("bare", "netfilter"),
            "iptables-save -c": entered("iptables-nft-save -c"),
            "nft list ruleset": entered("nft list ruleset"),
        },
        [
            Goal("collect netfilter", "iptables-save -c", 1.5),
            Goal("refresh netfilter", "iptables-save -c", 0),
            Goal("collect netfilter", "bare recv of the rules", 0),
            Goal("collect netfilter", "nft list ruleset", 0),
        ],
    )
    yield Case(
        "ledger",
        load.server,
        {
            "whole ledger": [*entered(f"{sys.executable} -m tests.bench.measure section drops"), ""],
            "nstat, ip, tc": [*entered("sh -c"), "nstat -az; ip -s -s link; tc -s qdisc"],
        },
        [Goal("whole ledger", "nstat, ip, tc", 3), Goal("whole ledger", "peak MB", 0)],
    )
    yield Case(
        "watch",
        load.server,
        {
            "nettui drops": entered(f"{sys.executable} -m tests.bench.watch 20"),
            "with --reasons": entered(f"{sys.executable} -m tests.bench.watch 20 --reasons"),
        },
        [Goal("nettui drops", "percent", 2), Goal("nettui drops", "peak MB", 80), Goal("with --reasons", "percent", 0)],
    )
    yield Case(
        "start",
        namespace,
        {
            "report links --json": [sys.executable, "-m", "nettui", "report", "links", "--json", "--netns", "{netns}"],
            "import numpy": [sys.executable, "-c", "import numpy"],
        },
        [Goal("report links --json", "import numpy", 2.5)],
    )
    yield Case(
        "screen",
        lambda: load.routes(scaled(1_000_000)),
        {
            "first painted panel": [sys.executable, "-m", "tests.bench.first_paint", "--json"],
            "import textual.app, numpy": [sys.executable, "-c", "import textual.app, numpy"],
            "key to frame, p99": [sys.executable, "-m", "tests.bench.tui_latency", "--netns", "{netns}"],
        },
        [
            Goal("first painted panel", "import textual.app, numpy", 3),
            Goal("key to frame, p99", "milliseconds", 50),
        ],
    )


def run(command: list[str], netns: str) -> dict[str, float]:
    """Seconds of one run; a measuring process prints its own."""
    words = [word.format(netns=netns) if word == "{netns}" else word for word in command]
    own = any(word.startswith("tests.bench") for word in words)
    out, errors = (subprocess.PIPE, None) if own else (subprocess.DEVNULL, subprocess.DEVNULL)
    started = time.perf_counter()
    done = subprocess.run(words, stdout=out, stderr=errors, check=True)
    seconds = time.perf_counter() - started
    return json.loads(done.stdout) if done.stdout else {"seconds": seconds}


def results(case: Case) -> list[dict[str, object]]:
    """Every command once a round, in turn; then the goals."""
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in case.runs}
    with case.load() as made:
        for _ in range(ROUNDS):
            for name, command in case.runs.items():
                seen[name].append(run(command, made.name))
    medians = {name: statistics.median(one["seconds"] for one in all_of) for name, all_of in seen.items()}
    return [compared(case, goal, seen, medians) for goal in case.goals]


def compared(
    case: Case, goal: Goal, seen: dict[str, list[dict[str, float]]], medians: dict[str, float]
) -> dict[str, object]:
    ours = medians[goal.work]
    if goal.peer == "peak MB":
        value, told = max(one["peak"] for one in seen[goal.work]) / 1e6, "MB at most"
    elif goal.peer == "percent":
        value, told = ours * 100, "% of one core"
    elif goal.peer == "milliseconds":
        value, told = ours * 1000, "ms"
    else:
        value, told = ours / medians[goal.peer], f"x {goal.peer} ({medians[goal.peer]:.3f} s)"
    verdict = "to compare" if not goal.most else "reached" if value <= goal.most else "MISSED"
    print(f"{goal.work:24} {ours:8.3f} s   {value:8.2f} {told:40} at most {goal.most or '-'}: {verdict}", flush=True)
    return {"case": case.name, **goal._asdict(), "seconds": ours, "value": round(value, 4), "verdict": verdict,
            "medians": medians}  # fmt: skip


def main() -> None:
    wanted = sys.argv[1].split(",") if len(sys.argv) > 1 and sys.argv[1] != "all" else None
    found = [result for case in cases() if not wanted or case.name in wanted for result in results(case)]
    RESULT.write_text(json.dumps({"rounds": ROUNDS, "scale": SCALE, "results": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
