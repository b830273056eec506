"""The whole program in a pseudo-terminal, over a namespace with hostile names in it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

import pytest

from tests.lab import PREFIX, needs_root
from tests.tui.terminals import terminal

pytestmark = [needs_root, pytest.mark.root]
EVIL = "\x1b]0;owned\x07\x1b[31m\u202e[/x]"
LISTEN = """
import socket, sys, time
open("/proc/self/comm", "w").write(sys.argv[1])
server = socket.socket(); server.bind(("127.0.0.1", 7777)); server.listen(); print("up", flush=True); time.sleep(60)
"""
OURS = re.compile(rb"\x1b(\[[0-9;?<>$]*[A-Za-z]|\[\?2026\$p|\(B)")


@pytest.fixture
def evil_namespace():
    name = f"{PREFIX}\x1b[7mx"
    subprocess.run(["ip", "netns", "add", name], check=True)
    holder = None
    try:
        for command in (["link", "set", "lo", "up"], ["link", "set", "lo", "alias", EVIL]):
            subprocess.run(["ip", "-netns", name, *command], check=True)
        arguments = ["ip", "netns", "exec", name, sys.executable, "-c", LISTEN, "ev\x1b[5mil\x9b"]
        holder = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        yield name
    finally:
        if holder is not None:
            holder.kill()
            holder.wait()
        subprocess.run(["ip", "netns", "del", name], check=False)


def test_hostile_names_of_a_real_host_reach_the_terminal_as_letters(evil_namespace):
    with terminal("-m", "nettui", "--netns", evil_namespace, size=(200, 40)) as on:
        on.wait_for("1 overview")
        assert "^[[7mx" in on.screen.display[0]
        on.send("2")
        on.wait_for("ifname")
        on.wait_for("lo ")
        on.send("\r")
        on.wait_for("^[]0;owned^G^[[31m<U+202E>[/x]")
        on.wait_for("Esc leaves")
        on.send("\x1b")
        on.wait_until(lambda shown: "Esc leaves" not in shown, "it stays")
        on.send("0")
        on.wait_for("7777")
        on.wait_for("ev^[[5mil")
        on.send("p")
        on.wait_for("pid")
        on.wait_for("Esc leaves")
        on.send("\x1b")
        on.wait_until(lambda shown: "Esc leaves" not in shown, "it stays")
        on.send("y")
        on.wait_for("copied")
        on.send("q")
        assert on.end() == 0
        on.assert_given_back()
        left = OURS.sub(b"", re.sub(rb"\x1b\]52;c;[A-Za-z0-9+/=]*\x07", b"", on.received))
        assert b"\x1b" not in left, left[max(0, left.index(b"\x1b") - 40) :][:80]
        assert b"\x07" not in left
        assert not re.search("[\x80-\x9f\u202e]", left.decode())


def test_a_namespace_that_goes_while_it_is_watched_is_a_gap():
    name = f"{PREFIX}gone"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        with terminal("-m", "nettui", "--netns", name) as on:
            on.wait_for("1 overview")
            on.send("8")
            on.wait_for("processed")
            subprocess.run(["ip", "netns", "del", name], check=True)
            on.send("2")
            on.wait_for("could not be read")
            on.send("q")
            assert on.end() == 0
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def test_a_listener_that_comes_is_shown_without_a_key():
    with terminal("-m", "nettui") as on:
        on.wait_for("1 overview")
        on.send("0/src 127.0.0.1 and state listen\r")
        on.wait_for("filter: src")
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            on.wait_for(str(server.getsockname()[1]))
