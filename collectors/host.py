"""Where to read from: this host, one of its network namespaces, or a folder that stands in for /proc."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Outcome = tuple[Any, BaseException | None]
CLONE_NEWNET = 0x40000000
NAMED = (Path("/run/netns"), Path("/var/run/netns"), Path("/run/docker/netns"))


class NoSuchNamespace(FileNotFoundError):
    """The namespace asked for does not exist (any more)."""


@dataclass(frozen=True, slots=True)
class Host:
    """``netns``: None for the caller's own namespace, else a name below /run/netns, a process id or a path.

    ``called``: what messages call it, where ``netns`` is only a descriptor. ``room``: the thread inside, while pinned.
    """

    netns: str | None = None
    proc: Path = Path("/proc")
    called: str | None = None
    room: Room | None = None

    def socket(self, kind: int, protocol: int, family: int = socket.AF_NETLINK) -> socket.socket:
        """A socket that lives in this namespace, whichever thread uses it later."""
        return self.inside(lambda: socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol))

    def read(self, path: str) -> bytes:
        """A whole file of /proc. Names that begin with ``net/`` or ``sys/net/`` are the namespace's own."""
        if path.startswith("net/"):
            return self.inside((self.proc / "thread-self" / path).read_bytes)
        reading = (self.proc / path).read_bytes
        return self.inside(reading) if path.startswith("sys/net/") else reading()

    def inside(self, call: Callable[[], T]) -> T:
        """The result of ``call`` on a thread that has joined the namespace; the calling thread never moves."""
        if self.netns is None:
            return call()
        if self.room is not None:
            return self.room.call(call)
        room = Room(self._join)
        try:
            return room.call(call)
        finally:
            room.leave()

    @contextmanager
    def pinned(self) -> Iterator[Host]:
        """The same namespace held open, so that it stays the same one whatever becomes of its name."""
        if self.netns is None or self.room is not None:
            yield self
            return
        descriptor = os.open(self.namespace_path(), os.O_RDONLY | os.O_CLOEXEC)
        held = replace(self, netns=f"/proc/self/fd/{descriptor}", called=self.called or self.netns)
        room = Room(held._join)
        try:
            yield replace(held, room=room)
        finally:
            room.leave()
            os.close(descriptor)

    def namespace_path(self) -> Path:
        """The file that stands for the namespace; raises NoSuchNamespace when there is none."""
        if self.netns is None:
            return self.proc / "thread-self/ns/net"
        if "/" in self.netns:
            found = [Path(self.netns)]
        elif self.netns.isdecimal():
            found = [self.proc / self.netns / "ns/net", *(folder / self.netns for folder in NAMED)]
        else:
            found = [folder / self.netns for folder in NAMED]
        for path in found:
            if path.exists():
                return path
        raise NoSuchNamespace(f"no network namespace {self.netns!r}: `ip netns list` shows the named ones")

    def _join(self) -> None:
        called = self.called or self.netns
        try:
            descriptor = os.open(self.namespace_path(), os.O_RDONLY | os.O_CLOEXEC)
        except NoSuchNamespace:
            raise
        except FileNotFoundError as error:
            raise NoSuchNamespace(f"network namespace {called!r} has gone") from error
        except OSError as error:
            raise barred(called, error.errno or 0) from error
        try:
            if libc().setns(descriptor, CLONE_NEWNET):
                raise barred(called, ctypes.get_errno())
        finally:
            os.close(descriptor)


class Room:
    """A thread that joins a namespace and makes calls there, one after the other; whoever calls never moves."""

    def __init__(self, join: Callable[[], None]) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Outcome]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(join,), daemon=True, name="inside a namespace")
        self._thread.start()

    def call(self, call: Callable[[], T]) -> T:
        """What it gives or raises there; a namespace that cannot be joined raises at every call."""
        if not self._thread.is_alive():
            raise RuntimeError("the namespace has been left")
        answer: SimpleQueue[Outcome] = SimpleQueue()
        self._calls.put((call, answer))
        result, error = answer.get()
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def leave(self) -> None:
        self._calls.put(None)
        self._thread.join()

    def _run(self, join: Callable[[], None]) -> None:
        refused = attempted(join)
        while (asked := self._calls.get()) is not None:
            call, answer = asked
            answer.put(attempted(call) if refused[1] is None else refused)


def attempted(call: Callable[[], Any]) -> Outcome:
    try:
        return call(), None
    except BaseException as error:  # carried to the caller's thread
        return None, error


def barred(called: str | None, errno: int) -> OSError:
    return OSError(errno, f"cannot enter network namespace {called!r}: {os.strerror(errno)}")


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
