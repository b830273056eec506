"""`nettui drops` when things go wrong: rights, missing ways of counting, resets, what goes away, signals."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors import Host
from collectors.collector import Block
from collectors.draft import of_rows
from collectors.registry import collector
from collectors.table import Gap, Table
from collectors.tracing import bpf
from nettui.ledger.follower import Follower
from nettui.ledger.ledger import ledger
from nettui.ledger.row import LOSSY
from nettui.report.drops import Wish, Words, complaints, lines, told
from nettui.report.style import PLAIN, Style
from nettui.snapshot import Snapshot
from nettui.sources import LEDGER, watched
from tests.lab import Namespace, joined_pair, namespace, needs_root
from tests.tracing.drops import to_closed_port

NETTUI = [sys.executable, "-m", "nettui", "drops"]
NOBODY = 65534
# what a child does before it watches: nothing that it needs may be loaded after it has lost its rights
LOADED = "import nettui.cli, sys, os\nnettui.cli.main(['drops', '--since-boot', '--count', '0', '--reasons'])\n"


def watching(*arguments: str, prepared: str = "") -> subprocess.CompletedProcess[str]:
    """`nettui drops` in a process of its own, which first runs some Python."""
    code = f"import sys, nettui.cli\n{prepared}\nsys.exit(nettui.cli.main({['drops', *arguments]!r}))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=90)


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


# rights and ways of counting


@needs_root
@pytest.mark.root
def test_an_ordinary_user_watches_what_he_may_and_is_told_the_rest_once():
    code = f"{LOADED}os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\nprint('=====', file=sys.stderr)"
    done = watching("--count", "3", "--interval", "0.2", "--reasons", "--format", "ndjson", prepared=code)
    assert done.returncode == 0
    said = done.stderr.partition("=====")[2].strip().splitlines()
    assert sum("drop reasons" in line or "CAP_BPF" in line for line in said) == 1
    assert sum(line.startswith("nettui: netfilter") for line in said) == 1
    assert all("root" in line for line in said)
    assert "Traceback" not in done.stderr


NO_BPF = (
    "import collectors.tracing.reasons as reasons\n"
    "def none(*_): raise OSError(38, 'bpf(): Function not implemented')\n"
    "true = reasons.opened\n"
)


@pytest.mark.parametrize(
    ("prepared", "said"),
    [
        ("from collectors.wire.netlink import DecodeError\ndef other(): raise DecodeError(0, 'no tracefs')\n"
         "reasons.opened = lambda: true(bpf=none, tracefs=other)", "no BPF in this kernel"),
        ("def nothing(): raise FileNotFoundError(2, 'No such file', '/sys/kernel/btf/vmlinux')\n"
         "def locked(): raise PermissionError(1, 'Operation not permitted', '/sys/kernel/tracing/instances')\n"
         "reasons.opened = lambda: true(bpf=nothing, tracefs=locked)", "no BTF in this kernel"),
    ],
)  # fmt: skip
def test_without_a_way_to_count_reasons_the_counters_are_told_and_why_not_the_reasons(prepared: str, said: str):
    """Made up: this kernel has BPF and BTF. The second is lockdown, which refuses root too."""
    done = watching("--count", "2", "--interval", "0.2", "--reasons", prepared=NO_BPF + prepared)
    assert done.returncode == 0
    assert done.stdout.startswith("TIME")
    assert done.stderr.count(said) == 1, done.stderr
    assert "Traceback" not in done.stderr


@needs_root
@pytest.mark.root
def test_drops_that_found_no_room_in_the_map_are_counted_and_told():
    """One place in the map, for whatever finds none."""
    prepared = (
        "import collectors.tracing.reasons as reasons\nfrom collectors.tracing.bpf_way import BpfWay\n"
        "reasons.opened = lambda: (BpfWay(entries=1), ())"
    )
    with namespace() as inside, unheard(inside, 23):
        done = watching("--netns", inside.name, "--count", "2", "--reasons", "--format", "ndjson", prepared=prepared)
    assert done.returncode == 0, done.stderr
    lost = [row for row in rows(done.stdout) if row["counter"] == "kfree_skb.UNKNOWN"]
    assert sum(int(str(row["delta"])) for row in lost) >= 23
    assert re.search(r"\d+ drops were counted without their reason", done.stderr)


@contextmanager
def unheard(inside: Namespace, number: int) -> Iterator[None]:
    """Every tenth of a second some datagrams to a closed port, by a process that ends with this."""
    code = (
        "import socket, sys, time\nsender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        f"while True:\n    for _ in range({number}): sender.sendto(b'x', ('127.0.0.1', 9))\n    time.sleep(0.1)"
    )
    sender = subprocess.Popen(["ip", "netns", "exec", inside.name, sys.executable, "-c", code])
    try:
        yield
    finally:
        sender.kill()
        sender.wait()


# signals and readers


@needs_root
@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_program_stays_in_the_kernel_however_it_ends(number: signal.Signals):
    with namespace() as inside:
        watch = begun("--netns", inside.name, "--interval", "0.2", "--reasons")
        programs = programs_of(watch.pid)
        assert programs
        watch.send_signal(number)
        _, said = watch.communicate(timeout=20)
    assert watch.returncode in (130, -number)
    assert "Traceback" not in said
    assert not [program for program in programs if waited(lambda program=program: not exists(program))]


@needs_root
@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_no_tracefs_instance_stays_where_bpf_cannot_be_had(number: signal.Signals, tmp_path: Path):
    """tracefs is mounted in a mount namespace of the child's own."""
    code = (
        "import sys, nettui.cli, collectors.tracing.reasons as reasons\n"
        "def none(): raise OSError(38, 'made up: no BPF')\ntrue = reasons.opened\n"
        "reasons.opened = lambda: true(bpf=none)\n"
        "sys.exit(nettui.cli.main(['drops', '--interval', '0.2', '--reasons']))"
    )
    mounted = 'mount -t tracefs nodev "$0" && exec "$@"'
    place = tmp_path / "tracing"
    place.mkdir()
    watch = started(["unshare", "-m", "sh", "-c", mounted, str(place), sys.executable, "-c", code])
    instances = Path(f"/proc/{watch.pid}/root{place}/instances")
    own = f"nettui-{watch.pid}"
    there = [path.name for path in instances.iterdir()]
    kept = os.open(instances, os.O_RDONLY | os.O_DIRECTORY)
    try:
        watch.send_signal(number)
        _, said = watch.communicate(timeout=20)
        assert own in there, said
        assert not Path(f"/proc/self/fd/{kept}/{own}").exists()
    finally:
        os.close(kept)
    assert "Traceback" not in said


def test_a_reader_that_left_ends_a_watch_in_which_nothing_moves():
    script = f"{' '.join(NETTUI)} --interval 0.2 --where 'delta < 0' | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=20)
    assert done.stdout.splitlines()[1:] == ["0"]
    assert done.stderr == ""


def begun(*arguments: str) -> subprocess.Popen[str]:
    return started([*NETTUI, *arguments])


def started(command: Sequence[str]) -> subprocess.Popen[str]:
    """A watch that has written its heading, and so counts."""
    watch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert watch.stdout
    if not watch.stdout.readline().startswith("TIME"):
        watch.kill()
        pytest.fail(watch.communicate()[1])
    return watch


def programs_of(process: int) -> list[int]:
    texts = [path.read_text() for path in Path(f"/proc/{process}/fdinfo").iterdir()]
    return [int(found[1]) for text in texts if (found := re.search(r"prog_id:\s*(\d+)", text))]


def exists(program: int) -> bool:
    try:
        os.close(bpf.bpf(13, program.to_bytes(4, sys.byteorder)))  # BPF_PROG_GET_FD_BY_ID
    except FileNotFoundError:
        return False
    return True


def waited(done: object, seconds: float = 10) -> bool:
    """Whether it has not come to pass after a while."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.05)
    return not done()  # type: ignore[operator]


# what goes away, comes back, begins again


class Watch:
    """The ledger of a namespace followed in this process, a reading whenever it is asked for."""

    def __init__(self, place: Namespace) -> None:
        self.follower = Follower(place.host)
        self._readings = watched(place.host, 0.1, self.follower)
        self._lines = lines(self._readings, Wish(every=True), "ndjson", PLAIN, since_boot=False)

    def read(self) -> list[dict[str, object]]:
        """Rows of the next readings, until every table was read again: those that are dear are read less often."""
        found = []
        for _ in range(5):
            reading = next(self._lines)
            found += rows(reading.text)
            self.gaps = reading.gaps
        return found


@pytest.fixture
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    with joined_pair() as both:
        yield both


def sums(found: Sequence[dict[str, object]], counter: str) -> int:
    return sum(int(str(row["delta"])) for row in found if row["counter"] == counter and row.get("delta"))


def refusing(right: Namespace) -> None:
    """Whatever is sent through right0 is dropped by its queue."""
    right.run("sysctl -qw net.ipv6.conf.right0.disable_ipv6=1")  # it would send by itself
    right.run("ip neigh replace 10.9.0.1 lladdr 02:00:00:00:00:01 dev right0 nud permanent")
    right.run("tc qdisc replace dev right0 root blackhole")


def refused(right: Namespace, number: int) -> None:
    with right.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sender:
        for _ in range(number):
            sender.sendto(b"x", ("10.9.0.1", 9))


@needs_root
@pytest.mark.root
def test_a_device_that_goes_away_between_two_readings_costs_no_other_row(pair: tuple[Namespace, Namespace]):
    _, right = pair
    refusing(right)
    watch = Watch(right)
    watch.read()
    refused(right, 23)
    assert sums(watch.read(), "qdisc.drops") == 23
    to_closed_port(right, 29)
    right.ip("link del right0")
    found = watch.read()
    assert sums(found, "Udp.NoPorts") == 29
    assert not [row for row in found if row["counter"] == "qdisc.drops" and row.get("delta")]
    watch.follower.close()


@needs_root
@pytest.mark.root
def test_what_a_device_had_lost_stays_in_the_ledger_when_it_is_gone(pair: tuple[Namespace, Namespace]):
    _, right = pair
    refusing(right)
    follower = Follower(right.host)
    readings = watched(right.host, 0.1, follower)
    [next(readings) for _ in range(4)]
    refused(right, 23)
    [next(readings) for _ in range(4)]
    right.ip("link del right0")
    table = [next(readings) for _ in range(4)][-1].tables[LEDGER]
    (row,) = [row for row in table.rows() if row["counter"] == "qdisc.drops"]
    assert (row["state"], row["since"]) == ("gone", 23)
    assert "rate" not in row


@needs_root
@pytest.mark.root
def test_a_device_made_anew_under_its_old_index_has_no_negative_rate(pair: tuple[Namespace, Namespace]):
    left, right = pair
    refusing(right)
    index = right.json("ip -j link show dev right0")[0]["ifindex"]
    watch = Watch(right)
    watch.read()
    refused(right, 23)
    assert sums(watch.read(), "qdisc.drops") == 23
    right.ip("link del right0")
    right.ip(f"link add right0 index {index} type veth peer name left0 netns {left.name}", "link set right0 up")
    right.ip("address add 10.9.0.2/24 dev right0")
    left.ip("link set left0 up")
    refusing(right)
    refused(right, 5)
    found = watch.read()
    refused(right, 7)
    found += watch.read()
    assert all(float(str(row.get("rate", 0))) >= 0 and int(str(row.get("delta", 0))) >= 0 for row in found)
    assert sums(found, "qdisc.drops") in (7, 12)
    watch.follower.close()


@needs_root
@pytest.mark.root
def test_a_namespace_that_goes_away_is_said_in_one_sentence_and_watched_again_when_it_is_back():
    with namespace() as inside:
        to_closed_port(inside, 500)
        watch = begun("--netns", inside.name, "--interval", "0.2", "--format", "text", "--layer", "udp")
        time.sleep(1)
        subprocess.run(["ip", "netns", "del", inside.name], check=True, timeout=60)
        time.sleep(1)
        subprocess.run(["ip", "netns", "add", inside.name], check=True, timeout=60)
        inside.ip("link set lo up")
        to_closed_port(inside, 600)  # more than the other one had: no difference of the two is told
        time.sleep(1)
        to_closed_port(inside, 23)
        time.sleep(1)
        watch.send_signal(signal.SIGTERM)
        out, said = watch.communicate(timeout=20)
    assert said.count("no network namespace") == 1, said
    assert [line.split()[2] for line in out.splitlines() if "Udp.NoPorts" in line] == ["+23"]


# columns more or fewer, counters that nobody knows


def decoded(name: str, **files: str) -> Table:
    return collector(name).decode([Block(part, text.encode()) for part, text in files.items()])


PROTOCOLS = {
    "snmp": "Udp: InDatagrams NoPorts InErrors RcvbufErrors NewDropKind\nUdp: 5 23 0 0 29\n",
    "netstat": "TcpExt: ListenDrops TCPDiscardedByMagic TCPMagicHappened\nTcpExt: 0 31 37\n",
}


def test_a_counter_that_nobody_knows_is_told_and_marked_when_its_name_speaks_of_loss():
    table = ledger({"protocols": decoded("protocols", **PROTOCOLS)})
    found = {str(row["counter"]): row for row in table.rows()}
    assert {name: row["total"] for name, row in found.items()} == {
        "Udp.NoPorts": 23,
        "Udp.NewDropKind": 29,
        "TcpExt.TCPDiscardedByMagic": 31,
    }
    unknown = [found["Udp.NewDropKind"], found["TcpExt.TCPDiscardedByMagic"]]
    assert all((row["severity"], row["cause"], row["layer"]) == ("unknown", "not described here yet", "other")
               for row in unknown)  # fmt: skip
    assert LOSSY.search("NewDropKind")


def test_what_nobody_knows_is_told_without_being_asked_for():
    told_of = lines(following(23, 29), Wish(), "text", Style(80), since_boot=False)
    text = [reading.text for reading in told_of][-1]
    assert "Udp.NewDropKind" in text
    assert "not described here yet" in text


def following(*numbers: int) -> Iterator[Snapshot]:
    """Readings of a follower in which one counter stands at these numbers."""
    follower = Follower(Host())
    for at, number in enumerate(numbers, start=1):
        told_now = ledger({"protocols": decoded("protocols", snmp=f"Udp: NewDropKind\nUdp: {number}\n")})
        yield Snapshot(1e9 + at, {LEDGER: follower.follow(told_now, {"protocols": 100.0 + at}, 1e9 + at)})


def test_a_counter_that_began_again_has_neither_delta_nor_rate_and_goes_on_from_there():
    states = [snapshot.tables[LEDGER].row(0) for snapshot in following(100, 123, 7, 10)]
    assert [row.get("delta") for row in states] == [None, 23, None, 3]
    assert [row.get("rate") for row in states] == [None, 23.0, None, 3.0]
    assert [row["since"] for row in states] == [0, 23, 23, 26]
    assert states[2]["state"] == "reset"
    shown = [reading.rows for reading in lines(following(100, 123, 7, 10), Wish(), "text", PLAIN, since_boot=False)]
    assert [len(table) for table in shown] == [0, 1, 0, 1]


@pytest.mark.parametrize("columns", [9, 10, 11, 13, 15, 18])
def test_softnet_is_told_whatever_columns_the_kernel_has(columns: int):
    """9: before flow limits; 11: 3.11 to 5.9; 13, 15: newer; 18: one to come."""
    line = ["0000ffff", "00000017", "0000001d", *["0"] * 7, "00000005", "0", "00000001", "0", "0", *["7"] * 5]
    table = ledger({"softnet": decoded("softnet", softnet_stat=" ".join(line[:columns]) + "\n")})
    found = {row["counter"]: (row["total"], row["scope"]) for row in table.rows()}
    cpu = "cpu 1" if columns > 12 else "cpu 0"
    expected = {"softnet.dropped": (23, cpu), "softnet.time_squeeze": (29, cpu)}
    assert found == expected | ({"softnet.flow_limit": (5, cpu)} if columns > 10 else {})


def test_statistics_by_cpu_are_told_by_their_heading():
    """Fewer columns, in another order, and one that is new."""
    text = "entries  table_fulls new_drops lookups\n0000000a 00000003 0000000b 00000005\n0000000a 00000004 0 0\n"
    table = ledger({"statistics": decoded("statistics", **{"stat-arp_cache": text})})
    found = {row["counter"]: (row["total"], row["scope"], row["severity"]) for row in table.rows()}
    assert found == {"neigh.table_fulls": (7, "ARP", "loss"), "neigh.new_drops": (11, "ARP", "unknown")}


# what is said


def test_tables_that_fail_alike_are_told_in_one_sentence():
    gaps = [Gap(f"{name}: no permission", "run it as root") for name in ("links", "softnet", "qdiscs", "netfilter")]
    assert list(complaints([*gaps, Gap("drop reasons: no BPF")])) == [
        "links, softnet, qdiscs and 1 more: no permission; run it as root",
        "drop reasons: no BPF",
    ]


def test_a_failure_that_stays_is_said_once_and_again_when_it_came_back():
    broken = Gap("links: no permission")
    tables = [next(following(1)).tables[LEDGER].with_gaps(gaps) for gaps in ([broken], [broken], [], [broken])]
    readings = lines([Snapshot(1.0, {LEDGER: table}) for table in tables], Wish(), "text", PLAIN, since_boot=False)
    assert [len(reading.gaps) for reading in readings] == [1, 0, 0, 1]


def test_names_from_outside_cannot_write_to_the_terminal():
    table = next(following(1)).tables[LEDGER]
    row = {**table.row(0), "scope": "eth\x1b[2J\u202e0", "process": "a\nb", "pid": 1, "note": "say \x07"}
    hostile = of_rows(table.columns, [row]).table()
    for style in (PLAIN, Style(80)):
        text = "".join(Words(style).lines(hostile, 1.0))
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
        assert all(len(line) <= 80 for line in text.splitlines()) or style.width is None
    assert len(told(hostile, Wish(every=True), 0.0)) == 0
