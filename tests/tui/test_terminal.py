"""What the terminal receives, and that it is given back whatever happens."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from tests.tui.terminals import terminal

SHOWN = ("-m", "tests.tui.shown")


@pytest.mark.parametrize("term", ["xterm", "xterm-256color", "screen", "tmux", "linux", "vt100"])
def test_every_terminal_shows_the_table(term):
    with terminal(*SHOWN, TERM=term) as on:
        on.wait_for("eth0")
        lines = on.screen.display
        assert lines[0].startswith(" nettui")
        assert lines[2].startswith("ifname")
        assert lines[3].startswith("lo")
        on.send("q")
        assert on.end() == 0
        on.assert_given_back()


def test_without_colour_none_is_sent():
    with terminal(*SHOWN, NO_COLOR="1") as on:
        on.wait_for("eth0")
        on.send("\r")
        on.wait_for("not present")
        codes = {int(code or 0) for run in re.findall(rb"\x1b\[([0-9;]*)m", on.received) for code in run.split(b";")}
        assert codes <= {0, 1, 2, 3, 4, 7, 22, 24, 27, 39, 49}
        on.send("\x1b")
        time.sleep(0.3)
        on.send("q")
        assert on.end() == 0


def test_arrow_and_letter_keys_come_through():
    with terminal(*SHOWN) as on:
        on.wait_for("1/2 rows")
        on.send("\x1b[B")
        on.wait_for("2/2 rows")
        on.send("k")
        on.wait_for("1/2 rows")
        on.send("s\r")
        on.wait_for("sort: ifname")
        on.send("S")
        on.wait_for("ifname↓")
        on.send("?")
        on.wait_for("Keys")


def test_it_follows_the_terminals_size():
    with terminal(*SHOWN) as on:
        on.wait_for("eth0")
        on.resize(200, 60)
        os.kill(on.pid, signal.SIGWINCH)
        deadline = time.monotonic() + 5
        while not on.screen.display[59].startswith(" $ ip"):
            assert time.monotonic() < deadline, on.text()
            on.read(0.05)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
    ids=lambda value: str(value),
)
def test_a_signal_ends_it_in_order(number, status):
    with terminal(*SHOWN) as on:
        on.wait_for("eth0")
        os.kill(on.pid, number)
        assert on.end(1.5) == status
        on.assert_given_back()


def test_ctrl_c_is_130():
    with terminal(*SHOWN) as on:
        on.wait_for("eth0")
        on.send("\x03")
        assert on.end() == 130
        on.assert_given_back()


def test_a_signal_ends_it_even_when_it_is_stuck():
    with terminal(*SHOWN, "stuck") as on:
        on.wait_for("eth0")
        on.send("?")
        on.read(0.5)
        os.kill(on.pid, signal.SIGTERM)
        assert on.end(2.0) == 143
        on.assert_given_back()


@pytest.mark.parametrize("how", ["", "deaf", "stuck"])
def test_it_ends_within_a_second_of_the_terminal_going(how):
    with terminal(*SHOWN, how) as on:
        on.wait_for("eth0")
        if how == "stuck":
            on.send("?")
            on.read(0.5)
        on.close()
        started = time.monotonic()
        while not on.gone():
            assert time.monotonic() - started < 1.5, "still running without a terminal"
            time.sleep(0.02)
        assert on.status in (129, -signal.SIGHUP)


def test_a_fault_of_its_own_is_one_sentence_and_the_terminal_is_given_back():
    with terminal(*SHOWN, "raises") as on:
        on.wait_for("eth0")
        on.send("?")
        assert on.end() == 1
        on.assert_given_back()
        assert "a fault of its own: ZeroDivisionError" in on.text()
        assert "Traceback" not in on.text()


def test_without_a_terminal_it_says_so():
    import subprocess
    import sys

    code = "import sys; from collectors import Host; from nettui.tui.start import run; sys.exit(run(Host()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "nettui report" in done.stderr


def test_keys_that_come_at_once_are_taken_in_their_order():
    with terminal("-m", "nettui") as on:
        on.wait_for("1 overview")
        on.send("/")
        on.wait_for("filter")
        on.send("abc\x7f\x7fdef")
        on.wait_for("adef")
        on.send("\x15ifname\x01x")
        on.wait_for("xifname")
        on.send("\x1b")
