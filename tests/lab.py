"""Network namespaces of the tests' own: made under a prefix, with real traffic, and always removed."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from collectors import Host

PREFIX = f"nettui{os.getpid()}"
numbers = itertools.count(1)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: makes network namespaces")


@dataclass(frozen=True)
class Namespace:
    """A network namespace with loopback up."""

    name: str

    @property
    def host(self) -> Host:
        return Host(netns=self.name)

    def run(self, *commands: str) -> str:
        """Commands inside, one a line, split at white space; the last one's output."""
        return [run(f"ip netns exec {self.name} {command}") for command in commands][-1]

    def ip(self, *commands: str) -> None:
        """``ip`` commands inside, in one process (``ip -batch``)."""
        subprocess.run(
            ["ip", "-netns", self.name, "-batch", "-"], input="\n".join(commands), text=True, check=True, timeout=120
        )

    def json(self, command: str) -> Any:
        """What a command inside prints, as JSON."""
        return json.loads(self.run(command) or "[]")


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A new namespace, removed at the end."""
    made = Namespace(f"{PREFIX}n{next(numbers)}")
    run(f"ip netns add {made.name}")
    try:
        made.ip("link set lo up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.name], check=False, timeout=60)


@contextmanager
def joined_pair() -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces joined by a veth pair."""
    with namespace() as left, namespace() as right:
        join(left, right)
        yield left, right


def join(left: Namespace, right: Namespace, index: str = "") -> None:
    """A veth pair: left0 10.9.0.1/24 fd09::1/64, right0 10.9.0.2/24 fd09::2/64.

    ``index``: "index N" for left0. With the same index at both ends, as by default, the kernel may take a second to
    find that right0 has a carrier, and IPv6 begins only then.
    """
    left.ip(f"link add left0 {index} type veth peer name right0 netns {right.name}")
    left.ip("address add 10.9.0.1/24 dev left0", "address add fd09::1/64 dev left0 nodad", "link set left0 up")
    right.ip("address add 10.9.0.2/24 dev right0", "address add fd09::2/64 dev right0 nodad", "link set right0 up")


def run(command: str) -> str:
    """A command's standard output; a failure shows what it said."""
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout
