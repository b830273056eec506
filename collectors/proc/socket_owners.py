"""Which process holds which socket, from /proc/PID/fd."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.table import Column, Gap, Table
from collectors.wire.netlink import DecodeError

COLUMNS = (
    Column("inode", "u8", "key", help="the socket's inode, unique across all network namespaces"),
    Column("pid", "u4", "key", help="process"),
    Column("fd", "u4", "key", help="its descriptor"),
    Column("comm", "text", "label", help="name of the process"),
    Column("uid", "u4", "label", help="user that it runs as (real user id)"),
)
# the block "descriptors": what the walk found; the block "processes": pid, uid, comm, each with NUL behind it
DESCRIPTOR = np.dtype([("inode", "<u8"), ("pid", "<u4"), ("fd", "<u4")])
SOCKET = "socket:["  # fs/proc/fd.c, proc_readfd: the link reads socket:[INODE]
PF_KTHREAD = 0x200000  # include/linux/sched.h, in field 9 of /proc/PID/stat
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
ROOT = "run it as root, or give it CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"
GUARDED = "root is not enough: another user namespace or a security module guards them"


@dataclass(slots=True)
class Walk:
    """What a walk over all processes found so far; ``denied``: processes that may not be looked into."""

    held: list[NDArray[np.void]] = field(default_factory=list)
    processes: list[bytes] = field(default_factory=list)
    denied: int = 0


def read(host: Host) -> Iterator[Block | Gap]:
    """Walk the processes of the whole host, whatever its ``netns``: a socket's holder may live anywhere."""
    walk = Walk()
    proc = os.open(host.proc, FOLDER)
    try:
        numbers = [entry for entry in os.listdir(proc) if entry.isdecimal()]  # noqa: PTH208  (an open folder)
        for number in numbers:
            visit(walk, proc, number)
    finally:
        os.close(proc)
    yield Block("descriptors", b"".join(held.tobytes() for held in walk.held))
    yield Block("processes", b"".join(walk.processes))
    if walk.denied:
        yield Gap(f"processes that may not be looked into: {walk.denied}", ROOT if os.geteuid() else GUARDED)
    if numbers and "1" not in numbers:
        yield Gap("/proc hides the processes of other users (mount option hidepid)", ROOT)


def visit(walk: Walk, proc: int, number: str) -> None:
    """One process; one that ends meanwhile is left out."""
    try:
        folder = os.open(number, FOLDER, dir_fd=proc)
    except PermissionError:  # mount option hidepid=1, which does not tell kernel threads apart
        walk.denied += 1
        return
    except OSError:
        return
    try:
        held = sockets_of(folder, int(number))
        if len(held):
            walk.held.append(held)
            walk.processes.append(b"%d\0%d\0%s\0" % (int(number), user(folder), command(folder)))
    except PermissionError:
        walk.denied += not is_kernel_thread(folder)
    except OSError:
        return
    finally:
        os.close(folder)


def sockets_of(folder: int, pid: int) -> NDArray[np.void]:
    """The socket descriptors of a process, by its folder."""
    descriptors = os.open("fd", FOLDER, dir_fd=folder)
    fds: list[str] = []
    links: list[str] = []
    readlink = os.readlink
    try:
        for entry in os.listdir(descriptors):  # noqa: PTH208  (an open folder)
            try:
                link = readlink(entry, dir_fd=descriptors)
            except FileNotFoundError:
                continue  # closed meanwhile
            if link.startswith(SOCKET):
                fds.append(entry)
                links.append(link[len(SOCKET) : -1])
    finally:
        os.close(descriptors)
    found = np.empty(len(fds), DESCRIPTOR)
    found["inode"], found["pid"], found["fd"] = list(map(int, links)), pid, list(map(int, fds))
    return found


def content(folder: int, name: str) -> bytes:
    """A small file in a process's folder."""
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def command(folder: int) -> bytes:
    return content(folder, "comm").removesuffix(b"\n").replace(b"\0", b"")


def user(folder: int) -> int:
    """The real user id; the folder's owner would be root for a process that is not dumpable."""
    lines = content(folder, "status").split(b"\n")
    return next((int(line.split()[1]) for line in lines if line.startswith(b"Uid:")), os.fstat(folder).st_uid)


def is_kernel_thread(folder: int) -> bool:
    try:
        return bool(int(content(folder, "stat").rpartition(b")")[2].split()[6]) & PF_KTHREAD)
    except (OSError, ValueError, IndexError):
        return False


def decode(raw: Raw) -> Table:
    """A row per socket descriptor."""
    parts = {"descriptors": b"", "processes": b""}
    gaps: list[Gap] = []
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
        else:
            parts[item.part] = bytes(item.data)
    if len(parts["descriptors"]) % DESCRIPTOR.itemsize:
        raise DecodeError(len(parts["descriptors"]), "descriptors end within a record")
    found = np.frombuffer(parts["descriptors"], DESCRIPTOR)
    pids, uids, names = processes(parts["processes"])
    draft = Draft(COLUMNS, len(found))
    for column in ("inode", "pid", "fd"):
        draft.numbers(column, found[column])
    if len(pids):
        place = np.minimum(np.searchsorted(pids, found["pid"]), len(pids) - 1)
        known = pids[place] == found["pid"]
        draft.numbers("uid", uids[place], known=None if known.all() else known)
        draft.named("comm", np.where(known, place, -1), lambda at: names[at] if at >= 0 else None)
    return draft.table(gaps)


def processes(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Process ids in ascending order, and the user id and name of each."""
    words = data.split(b"\0")
    if len(words) % 3 != 1 or words[-1]:
        raise DecodeError(len(data), "processes end within a record")
    try:
        listed = sorted({int(pid): (int(uid), comm) for pid, uid, comm in zip(*[iter(words[:-1])] * 3)}.items())
        pids = np.array([pid for pid, _ in listed], np.int64)
        uids = np.array([uid for _, (uid, _) in listed], np.int64)
    except (ValueError, OverflowError) as error:
        raise DecodeError(0, f"processes: {error}") from error
    return pids, uids, [comm.decode("utf-8", "surrogateescape") for _, (_, comm) in listed]


SOCKET_OWNERS = Collector("socket_owners", COLUMNS, read, decode, "/proc/PID/fd", every=5.0)
