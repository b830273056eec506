"""A capture file made, or emptied: readable by its owner only, which under sudo is the user."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MODE = 0o600  # of a new file: packets hold passwords


def created(path: Path) -> int:
    """A new file, or one that is there, emptied: its mode, owner and links are kept."""
    try:
        return new(path)
    except FileExistsError:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.ftruncate(descriptor, 0)
        return descriptor


def new(path: Path) -> int:
    """A file that only its owner reads; raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    hand_over(descriptor, path)
    return descriptor


def hand_over(descriptor: int, path: Path) -> None:
    """Under sudo, a new file in a folder where its user may make files is that user's."""
    user, group = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() or not (user.isdecimal() and group.isdecimal()):
        return
    folder = path.parent.stat()
    if folder.st_uid == int(user) or folder.st_mode & stat.S_IWOTH:
        os.fchown(descriptor, int(user), int(group))
