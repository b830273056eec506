"""`nettui check`: findings worst first, what could not be made, forms and exit status."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from collectors.table import Gap
from nettui.findings.examination import Examination, asked, needed
from nettui.findings.finding import Diagnosis, Finding, Tables
from nettui.findings.registry import DIAGNOSES
from nettui.report import check as telling
from nettui.report.style import Style
from tests.lab import Namespace, joined_pair, namespace, needs_root

root = pytest.mark.root


def check(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nettui", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


@contextmanager
def full_queue() -> Iterator[Namespace]:
    """A namespace with a listener that accepts nobody, and more connections than wait for it."""
    with joined_pair() as (left, right), right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as listener:
        listener.bind(("10.9.0.2", 8080))
        listener.listen(1)
        clients = [left.host.socket(socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0, socket.AF_INET) for _ in range(5)]
        try:
            for client in clients:
                client.connect_ex(("10.9.0.2", 8080))
            yield right
        finally:
            for client in clients:
                client.close()


@needs_root
@root
def test_an_error_is_told_with_evidence_and_remedy_and_gives_status_1():
    with full_queue() as place:
        done = check("--netns", place.name, "--interval", "0.2")
    assert done.returncode == 1
    first = done.stdout.splitlines()[0]
    assert first.startswith("error    10.9.0.2:8080 of ")
    assert first.endswith("listen_queue")
    assert "seen  sockets: LISTEN 10.9.0.2:8080 backlog 2, limit 1" in done.stdout
    assert "do    ss -ltnp 'sport = :8080'" in done.stdout
    assert "not made" not in done.stdout
    assert done.stderr == ""


@needs_root
@root
def test_json_has_the_same_and_what_found_nothing():
    with full_queue() as place:
        done = check("--netns", place.name, "--json", "listen_queue", "mtu", "--interval", "0")
    told = json.loads(done.stdout)
    (finding,) = told["findings"]
    assert (finding["severity"], finding["diagnosis"], finding["section"]) == ("error", "listen_queue", "sockets")
    assert finding["where"] == "state LISTEN and sport 8080"
    assert (told["silent"], told["not_made"], told["seconds"]) == (["mtu"], {}, 0)


@needs_root
@root
def test_a_quiet_namespace_has_no_error_and_status_0():
    with namespace() as place:
        done = check("--netns", place.name, "--interval", "0.1")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith(f"{len(DIAGNOSES)} diagnoses made: ")


@needs_root
@root
def test_without_rights_it_says_which_diagnoses_were_not_made():
    code = (
        "import os, sys, nettui.cli\n"
        "wanted = ['check', 'dropping_rules', 'checksum_errors', '--interval', '0']\n"
        "nettui.cli.main(wanted)  # all is imported\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print('now', flush=True)\n"
        "some = nettui.cli.main(wanted)\n"
        "none = nettui.cli.main([wanted[0], wanted[1]])\n"
        "sys.exit(10 * some + none)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    _, _, told = done.stdout.partition("now\n")
    assert "1 diagnoses made" in told
    assert told.count("not made: dropping_rules: netfilter: ") == 2
    assert done.returncode == 1, "one that could be made is 0, none is 1"


def test_the_list_names_every_diagnosis():
    done = check("--list")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [diagnosis.name for diagnosis in DIAGNOSES]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("conntrak_full",), "no diagnosis 'conntrak_full', did you mean conntrack_full?"),
        (("--interval", "-1"), "--interval"),
        (("--netns", "no-such"), "no network namespace"),
    ],
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...], said: str):
    done = check(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def diagnosis(name: str, *findings: Finding, needs: tuple[str, ...] = (), fails: bool = False) -> Diagnosis:
    def find(tables: Tables) -> Iterator[Finding]:
        if fails:
            raise ZeroDivisionError("oops")
        yield from findings

    return Diagnosis(name, "help", needs, find)


def printed(told: Examination) -> str:
    return "".join(telling.text(told, Style(60)))


def test_the_worst_comes_first_and_a_diagnosis_that_fails_costs_itself_alone():
    told = asked(
        {},
        {"netfilter": Gap("denied", "run it as root")},
        (
            diagnosis("noted", Finding("note", "a", "says a.")),
            diagnosis("broken", fails=True),
            diagnosis("blind", needs=("netfilter",)),
            diagnosis("failing", Finding("error", "b", "says b.")),
        ),
        1.0,
    )
    assert [finding.subject for _, finding in told.found] == ["b", "a"]
    text = printed(told)
    assert "2 diagnoses made: 1 error, 1 note; 0 found nothing." in text
    assert "not made: broken: ZeroDivisionError: oops; this is a fault" in text
    assert "not made: blind: netfilter: denied; run it as root" in text


def test_what_comes_from_outside_cannot_write_to_the_terminal():
    evil = "\x1b[31meth0\x9b\n"
    told = asked({}, {}, (diagnosis("x", Finding("error", evil, evil, (evil,), (f"ip link show {evil}",))),), 1.0)
    for text in (printed(told), telling.document(told)):
        assert not {"\x1b", "\x9b"} & set(text)
    assert json.loads(telling.document(told))["findings"][0]["diagnosis"] == "x"


def test_lines_fit_the_terminal():
    long = Finding("warning", "eth0", "word " * 40, ("figure " * 30,), ("ip link show eth0  # " + "why " * 30,))
    assert max(map(len, printed(asked({}, {}, (diagnosis("x", long),), 1.0)).splitlines())) <= 60


def test_every_table_that_diagnoses_need_is_one_that_can_be_read():
    from collectors.registry import MODULES

    assert set(needed()) <= set(MODULES)
