"""Standard output and standard error that cannot be written any more."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from typing import TextIO


def abandon(stream: TextIO | None = None) -> None:
    """Let what is still buffered (for standard output, unless told) go nowhere, so that the interpreter ends quietly.

    Without it Python meets the failure once more when it ends, and turns the exit status into 120.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (stream or sys.stdout).fileno())
        os.close(nowhere)


def deserted(stream: TextIO) -> bool:
    """Whether a pipe's reader has left, before a line is written that would tell: a watch may have none for hours."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))
    except (OSError, ValueError):  # no file behind it
        return False
