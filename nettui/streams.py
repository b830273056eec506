"""Standard output and standard error that cannot be written any more."""

from __future__ import annotations

import contextlib
import os
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
