"""A tracefs instance of our own: its own buffer and events, which nobody else sees and which end with it.

It is removed at the end of the process, and by the next start where the process could not.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from collectors.host import Host

INSTANCES = "instances"
USUAL = Path("/sys/kernel/tracing")
NAME = re.compile(r"nettui-(\d+)(?:\.\d+)?")
OWN: set[Path] = set()  # of this process


def mounted(host: Host) -> Path | None:
    """Where tracefs is mounted, the usual place first; it is not looked for elsewhere, as looking may mount it."""
    found = [parts for line in host.read("self/mounts").splitlines() if len(parts := line.split()) > 2]
    places = [Path(unescaped(parts[1]).decode(errors="surrogateescape")) for parts in found if parts[2] == b"tracefs"]
    return USUAL if USUAL in places else places[0] if places else None


def unescaped(path: bytes) -> bytes:
    r"""A path of /proc/mounts, in which a blank is \040."""
    return re.sub(rb"\\([0-3][0-7]{2})", lambda match: bytes([int(match[1], 8)]), path)


def make(tracefs: Path) -> Path:
    """A new instance, named after this process."""
    remove_stale(tracefs)
    for number in range(1, 1000):
        instance = tracefs / INSTANCES / (f"nettui-{os.getpid()}" + (f".{number}" if number > 1 else ""))
        with contextlib.suppress(FileExistsError):
            instance.mkdir()
            OWN.add(instance)
            return instance
    raise FileExistsError(f"there are a thousand instances of this process in {tracefs / INSTANCES}")


def remove(instance: Path) -> None:
    """End an instance with all that is in it; what still has one of its files open keeps it."""
    OWN.discard(instance)
    with contextlib.suppress(OSError):
        instance.rmdir()


def remove_stale(tracefs: Path) -> None:
    """Instances that processes left behind; one of a process that we cannot see is in use, and so stays."""
    for instance in sorted((tracefs / INSTANCES).iterdir()):
        match = NAME.fullmatch(instance.name)
        if match and instance not in OWN and not runs(int(match[1])):
            remove(instance)


def runs(process: int) -> bool:
    """Whether another process has that number; an instance of ours that we do not know is a former process's."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
