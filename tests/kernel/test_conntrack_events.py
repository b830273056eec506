"""Flows followed by ctnetlink's multicast groups: begun, changed, ended, filtered, and lost."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.host import Host
from collectors.netfilter.conntrack.events import COLUMNS, LOST, Events, decode
from collectors.table import Table, concatenate
from collectors.wire.netlink import DecodeError, NetlinkError, request
from nettui.report.follow import lines
from nettui.report.select import Selection
from tests.lab import Namespace, namespace, needs_root
from tests.record import recorded

ROOT = Path(__file__).parents[2]
DUMP = bytes(recorded("conntrack")[1].data)
MADE = "conntrack -I -p udp -s 10.9.0.1 -d 10.9.0.2 --dport 80 -t 300 --sport"


def until(events: Events, wanted: int) -> Table:
    """What is heard until there are so many rows; at most for ten seconds."""
    tables: list[Table] = []
    end = time.monotonic() + 10
    while sum(map(len, tables)) < wanted and time.monotonic() < end:
        tables.append(events.heard(0.5))
    return concatenate(tables)


@needs_root
@pytest.mark.root
def test_a_flow_is_heard_of_when_it_begins_changes_and_ends():
    with namespace() as inside, Events(inside.host) as events:
        for command in ("table t", "chain t c {type filter hook output priority 0;}", "rule t c ct state new accept"):
            inside.run(f"nft add {command}")
        with traffic(inside):
            inside.run("conntrack -D -p tcp")
            found = list(until(events, 4).rows())
        told = [(row["event"], row.get("state")) for row in found if row["proto"] == "tcp"]
    assert told[0] == ("NEW", "SYN_SENT")
    assert ("UPDATE", "ESTABLISHED") in told
    assert told[-1][0] == "DESTROY"
    assert len({row["id"] for row in found}) == 1
    assert abs(found[0]["heard"] / 1e9 - time.time()) < 60


@contextlib.contextmanager
def traffic(inside: Namespace) -> Iterator[None]:
    """One TCP connection over loopback."""
    with (
        inside.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as listener,
        inside.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as near,
    ):
        listener.bind(("127.0.0.1", 5000))
        listener.listen()
        near.connect(("127.0.0.1", 5000))
        with listener.accept()[0]:
            yield


@needs_root
@pytest.mark.root
def test_events_that_do_not_fit_into_the_buffer_are_said_to_be_lost():
    with namespace() as inside, Events(inside.host) as events:
        events._sock.setsockopt(socket.SOL_SOCKET, 33, 4096)  # SO_RCVBUFFORCE
        for port in range(40):
            inside.run(f"{MADE} {port + 1}")
        found = events.heard(1.0)
        assert LOST in found.gaps
        assert 0 < len(found) < 40
        inside.run(f"{MADE} 99")
        again = until(events, 1)
        assert again.gaps == ()
        assert again["sport"].cells() == [99]


@needs_root
@pytest.mark.root
def test_nothing_heard_is_an_empty_table():
    with namespace() as inside, Events(inside.host) as events:
        found = events.heard(0.01)
        assert (len(found), found.gaps) == (0, ())


def followed(inside: Namespace, *arguments: str) -> list[str]:
    """What the command line prints of flows that are made until it ends."""
    command = [sys.executable, "-m", "nettui", "report", "conntrack", "--follow", "--netns", inside.name, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as follower:

        def make() -> None:
            for port in range(1, 2000):  # from before it listens until it has had enough
                if follower.poll() is not None:
                    return
                inside.run(f"{MADE} {port} -m {port % 2}")

        maker = threading.Thread(target=make)
        maker.start()
        try:
            out, _ = follower.communicate(timeout=60)
        finally:
            follower.kill()
            maker.join()
    assert follower.returncode == 0
    return out.splitlines()


@needs_root
@pytest.mark.root
def test_following_prints_a_line_for_each_event_that_the_filter_lets_pass():
    with namespace() as inside:
        rows = [
            json.loads(line)
            for line in followed(inside, "--where", "mark 1", "--limit", "3", "--format", "ndjson",
                                 "--columns", "event,sport,mark")
        ]  # fmt: skip
        assert [(row["section"], row["event"], row["mark"]) for row in rows] == [("conntrack", "NEW", 1)] * 3
        assert [row["sport"] - rows[0]["sport"] for row in rows] == [0, 2, 4]
        inside.run("conntrack -F")
        (line,) = followed(inside, "--limit", "1")
        assert " NEW udp src=10.9.0.1 sport=" in line


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("conntrack", "--follow", "--json"), 2, "as text or ndjson"),
        (("conntrack", "--follow", "--sort", "src"), 2, "without --sort"),
        (("links", "--follow"), 2, "goes with the section conntrack"),
        (("conntrack", "--follow", "--where", "nonsense 1"), 2, "nonsense"),
        (("conntrack", "--follow", "--columns", "nonsense"), 2, "nonsense"),
    ],
)
def test_what_cannot_be_followed_is_refused(arguments, status, said):
    done = subprocess.run(
        [sys.executable, "-m", "nettui", "report", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr


def test_without_the_module_nothing_is_joined_that_would_load_it(tmp_path):
    (tmp_path / "modules").write_text("nf_conntrack 1 0 - Live 0x0\n")
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "sys/kernel/osrelease").write_text("0.0\n")
    with pytest.raises(FileNotFoundError, match="nf_conntrack_netlink is not loaded"):
        Events(Host(proc=tmp_path))


def test_events_cut_at_any_byte_are_a_table_or_a_decode_error():
    for size in range(0, len(DUMP), 7):
        with contextlib.suppress(DecodeError, NetlinkError):
            assert len(list(decode(DUMP[:size], 0).rows())) >= 0


def test_a_hostile_name_is_scrubbed_in_each_form():
    helper = b"\x1b[31m\n"
    body = bytes([2, 0, 0, 0]) + b"\x10\0\5\0" + (b"\x0a\0\1\0" + helper).ljust(12, b"\0")
    table = decode(request(0x100, 0x400, 1, body), 0)
    assert table["helper"].cells() == [helper.decode()]
    for form in ("text", "ndjson"):
        (printed,) = lines([table], Selection(columns=("event", "helper")), form)
        assert "\x1b" not in printed
        assert printed.count("\n") == 1


def test_the_limit_ends_it_inside_a_table():
    table = decode(DUMP, 0)
    assert len(table) > 5
    assert sum(piece.count("\n") for piece in lines([table, table], Selection(limit=5), "text")) == 5
    assert list(lines([table, table], Selection(limit=0), "text")) == []
    assert {column.name for column in COLUMNS} >= {"event", "heard", "src"}
