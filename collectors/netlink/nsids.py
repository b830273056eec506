"""Ids by which this namespace knows others, and their names: rtnetlink RTM_GETNSID (uapi linux/net_namespace.h)."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import NAMED, Host
from collectors.netlink.dump import NETLINK_ROUTE, PATIENCE, open_netlink
from collectors.netlink.namespace_ids import RTGENMSG, RTM_GETNSID, dump_ids, known_ids
from collectors.netlink.receiving import LARGEST
from collectors.table import Column, Gap, Table
from collectors.wire.netlink import NetlinkError, attribute, messages, request

NETNSA_FD = 3
FIRST_PROCESS = "1/ns/net"  # the host's own namespace, which has no file of a name

COLUMNS = (
    Column("netnsid", "i4", "key", help="id, as link_netnsid has it"),
    Column("name", "text", "label", help="name of the namespace's file, where it has one"),
    Column("inode", "u8", "label", help="inode of the namespace, the same in every process"),
)
DENIED = Gap("names of some namespaces could not be read", "run as root")


def read(host: Host) -> Iterator[Block | Gap]:
    """The dump of ids, then for each namespace file the id of what it stands for."""
    with open_netlink(host, NETLINK_ROUTE) as sock:
        ids = list(dump_ids(sock))
        yield from ids
        if not any(known_ids(messages(block.data)) for block in ids):
            return
        sock.settimeout(PATIENCE)
        denied = False
        for path, name in namespace_files(host):
            try:
                yield ask(sock, path, name)
            except PermissionError:
                denied |= bool(name)
            except TimeoutError:
                raise  # the answer may come yet, and would be taken for the next one's
            except OSError:
                continue  # removed meanwhile, or a file that stands for no namespace
        if denied or any(map(closed, NAMED)):
            yield DENIED


def ask(sock: socket.socket, path: Path, name: str) -> Block:
    """The kernel's answer for one namespace file; the block's part is its inode and name."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        inode = os.fstat(descriptor).st_ino
        body = RTGENMSG + attribute(NETNSA_FD, struct.pack("=I", descriptor))
        sock.send(request(RTM_GETNSID, 0, 1, body))
        return Block(f"{inode} {name}", sock.recv(LARGEST))
    finally:
        os.close(descriptor)


def namespace_files(host: Host) -> Iterator[tuple[Path, str]]:
    """Files that stand for namespaces, each folder once; the first process's namespace last, without a name."""
    for folder in dict.fromkeys(map(os.path.realpath, NAMED)):
        try:
            found = sorted(Path(folder).iterdir())
        except OSError:
            continue
        yield from ((path, path.name) for path in found)
    yield host.proc / FIRST_PROCESS, ""


def closed(folder: Path) -> bool:
    """Whether there may be namespaces in a folder that this user may not look into."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        return isinstance(error, PermissionError)
    return False


def decode(raw: Raw) -> Table:
    """A row per id; its name and inode where a file stands for it."""
    ids: dict[int, tuple[str | None, int | None]] = {}
    gaps: list[Gap] = []
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
        elif not item.part:
            ids.update((number, (None, None)) for number in known_ids(messages(item.data)))
        else:
            note_name(ids, item)
    draft = Draft(COLUMNS, len(ids))
    draft.numbers("netnsid", np.array(list(ids), np.int32))
    draft.cells("name", [name for name, _ in ids.values()])
    inodes = [inode for _, inode in ids.values()]
    known = np.array([inode is not None for inode in inodes], np.bool_)
    draft.numbers("inode", np.array([inode or 0 for inode in inodes], np.uint64), known=known)
    return draft.table(gaps)


def note_name(ids: dict[int, tuple[str | None, int | None]], block: Block) -> None:
    inode, _, name = block.part.partition(" ")
    try:
        found = known_ids(messages(block.data))
    except NetlinkError:
        return  # a file that stands for no namespace of the network
    for number in found:
        if number in ids and ids[number][0] is None:
            ids[number] = (name or None, int(inode))


NSIDS = Collector("nsids", COLUMNS, read, decode, "rtnetlink RTM_GETNSID", every=10.0)
