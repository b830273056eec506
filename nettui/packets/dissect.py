"""One packet dissected by tshark, which never runs as root, has little time, and ends with this process."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from collectors.capture.filters import SNAPLEN
from collectors.table import Gap
from nettui.packets import confined
from nettui.packets.pdml import NotPdml, parsed
from nettui.packets.saving import HEADER, MAGIC_NANO, NANO
from nettui.packets.tree import Node, headers

PATIENCE = 5.0  # seconds that tshark may take
# no names are resolved; and tshark knows no other packet, from which numbers could be relative or lost
ALONE = ("-n", "-o", "tcp.relative_sequence_numbers:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE")
PAUSE = 0.004  # seconds between two looks whether it has ended
MOST = 16 << 20  # bytes that it may say
OLDEST = (2, 0)  # its version from which PDML is read here
FOR_ANOTHER = "apt install tshark (Debian), dnf install wireshark-cli (Fedora)"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent",
               "WIRESHARK_CONFIG_DIR": "/nonexistent"}  # fmt: skip
KEPT = ("TZ",)  # of this process's
PLACES = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
RECORD = struct.Struct("<4I")
LARGEST = 2**32 - 1
LATEST = LARGEST * NANO  # 2106
LIVE = {12: 101}  # DLT_RAW, as a live capture has it, is LINKTYPE_RAW in a file


@dataclass(frozen=True, slots=True)
class Dissection:
    """``by``: whose tree it is; ``gap``: why it is not tshark's."""

    tree: tuple[Node, ...]
    by: str
    gap: Gap | None = None


class Nobody(NamedTuple):
    """Whom tshark runs as; -1: as this process."""

    uid: int
    gid: int


class Failed(Exception):
    """tshark gave no tree: ``gap`` tells why."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.gap = Gap(reason, remedy)


class Dissector:
    """Dissects a packet at a time, in the thread that asks; ``close`` from any other ends what runs."""

    def __init__(self) -> None:
        self._running: Run | None = None
        self._closed = False
        self._lock = threading.Lock()

    def dissect(self, octets: bytes, link: int, time: int, length: int) -> Dissection:
        """``link``: LINKTYPE_ of its first header; ``time``: nanoseconds since 1970; ``length``: bytes on the wire.

        The tree is nettui's own where tshark gives none, with a gap that tells why. Never raises.
        """
        try:
            said = self._run([tshark(), *ALONE, "-r", "-", "-T", "pdml"], one_packet(octets, link, time, length))
            tree, version = parsed(said, octets)
            if version_of(version) < OLDEST:
                raise Failed(f"tshark {version or 'without a version'} is too old", FOR_ANOTHER)
            return Dissection(tree, f"tshark {version}")
        except Failed as failed:
            gap = failed.gap
        except NotPdml as error:
            gap = Gap(f"tshark: {error}")
        except OSError as error:
            gap = Gap(f"tshark: {error.strerror or error}")
        return Dissection(headers(octets, link), "nettui", gap)

    def close(self) -> None:
        """End what runs, at once."""
        with self._lock:
            self._closed = True
            if self._running is not None:
                self._running.kill()

    def _run(self, command: list[str], given: bytes) -> bytes:
        with self._lock:
            if self._closed:
                raise Failed("dissection has ended")
            run = self._running = Run(command, given)
        try:
            return run.answer()
        finally:
            with self._lock:
                self._running = None
            run.end()


class Run:
    """A process of nobody's; what it reads and says lies in memory, so that nobody waits for it to read or be read."""

    def __init__(self, command: list[str], given: bytes) -> None:
        nobody = unprivileged()
        words = [nobody.uid, nobody.gid, os.getpid(), int(PATIENCE) + 1, MOST]
        wrapper = [sys.executable, "-I", "-S", str(Path(confined.__file__)), *map(str, words)]
        with ExitStack() as stack:
            files = [stack.enter_context(memory(name)) for name in ("given", "said", "complaint")]
            files[0].write(given)
            files[0].seek(0)
            self._process = subprocess.Popen(
                [*wrapper, *command], stdin=files[0], stdout=files[1], stderr=files[2], cwd="/",
                env=ENVIRONMENT | {name: os.environ[name] for name in KEPT if name in os.environ},
                start_new_session=True,
            )  # fmt: skip
            _, self._said, self._complaint = files
            self._files = stack.pop_all()

    def answer(self) -> bytes:
        """What it says; raises Failed where that is too much, comes too late, or is a complaint."""
        status = self._waited()
        if status == -signal.SIGXFSZ:
            raise Failed(f"tshark said more than {MOST >> 20} MiB")
        if status < 0:
            raise Failed(f"tshark was ended by {signal_name(-status)}")
        if status:
            words = content(self._complaint, 4096).decode(errors="replace").strip().splitlines()
            raise Failed(f"tshark: {words[-1] if words else f'it ended with {status}'}")
        return content(self._said, MOST)

    def _waited(self) -> int:
        """How it ended. Its process id stays its own as long as nobody has asked, so that `kill` never hits another."""
        deadline = time.monotonic() + PATIENCE
        while os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() > deadline:
                raise Failed(f"tshark took longer than {PATIENCE:g} s")
            time.sleep(PAUSE)
        self.kill()  # those that it left
        return self._process.wait()

    def end(self) -> None:
        """Kill all of its session, and forget it."""
        if self._process.returncode is None:
            self.kill()
            self._process.wait()
        self._files.close()

    def kill(self) -> None:
        """From another thread: who waits for it goes on."""
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)


def memory(name: str) -> BinaryIO:
    """A file that is nowhere but in memory."""
    return os.fdopen(os.memfd_create(name, os.MFD_CLOEXEC), "w+b", buffering=0)


def content(file: BinaryIO, most: int) -> bytes:
    file.seek(0)
    return file.read(most)


def tshark() -> str:
    """Where this host has it; raises Failed where it has none."""
    path = shutil.which("tshark", path=PLACES)
    if path is None:
        raise Failed("tshark is not installed", FOR_ANOTHER)
    return path


def version_of(text: str) -> tuple[int, int]:
    found = re.match(r"(\d{1,4})\.(\d{1,4})", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def unprivileged() -> Nobody:
    """As root: who called sudo, else nobody; raises Failed where the host has no such user."""
    if os.geteuid():
        return Nobody(-1, -1)
    uid, gid = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if uid.isdecimal() and gid.isdecimal() and int(uid) and int(gid):
        return Nobody(int(uid), int(gid))
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Failed("tshark must not run as root, and there is no user nobody") from None
    return Nobody(nobody.pw_uid, nobody.pw_gid)


def one_packet(octets: bytes, link: int, stamp: int, length: int) -> bytes:
    """A pcap file of one packet."""
    head = HEADER.pack(MAGIC_NANO, 2, 4, 0, 0, SNAPLEN, LIVE.get(link, link) & 0xFFFF)
    seconds, rest = divmod(min(max(stamp, 0), LATEST), NANO)
    return head + RECORD.pack(seconds, rest, len(octets), min(max(length, len(octets)), LARGEST)) + octets
