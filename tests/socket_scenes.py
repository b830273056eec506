"""A namespace with a socket of every kind in it, made by tests/every_socket.py."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import Namespace, namespace

MAKER = Path(__file__).parent / "every_socket.py"


@contextmanager
def every_socket() -> Iterator[tuple[Namespace, dict[str, Any]]]:
    """The namespace, and what the maker says of itself: ``pid``, ``mptcp``, ``held`` (inode by descriptor)."""
    with namespace() as inside, tempfile.TemporaryDirectory(prefix="nettui") as folder:
        inside.ip("link add d0 type veth peer name d1", "address add 10.9.9.1/24 dev d0", "link set d0 up")
        inside.ip("link set d1 up")
        command = ["ip", "netns", "exec", inside.name, sys.executable, str(MAKER), folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as maker:
            assert maker.stdin
            assert maker.stdout
            try:
                yield inside, json.loads(maker.stdout.readline())
            finally:
                maker.stdin.close()


@contextmanager
def sockets() -> Iterator[Namespace]:
    with every_socket() as (inside, _):
        yield inside
