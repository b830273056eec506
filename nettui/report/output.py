"""Where a report is written: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from nettui.streams import abandon


@contextlib.contextmanager
def destination(path: str) -> Iterator[TextIO]:
    """A text stream to ``path``; "" and "-" are standard output. Raises OSError for what cannot be written.

    A reader that closes the pipe has had what it wanted: that ends the report silently.
    """
    if path not in ("", "-"):
        with file(Path(path)) as out:
            yield out
        return
    if sys.stdout is None:
        raise OSError("standard output is closed")
    try:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        abandon()
    except OSError:
        abandon()
        raise


@contextlib.contextmanager
def file(path: Path) -> Iterator[TextIO]:
    """A regular file is replaced at the end, with its mode kept, a new one obeying umask; a device is written to."""
    if path.exists() and not path.is_file():  # before links are followed: /dev/stdout leads to a pipe without a name
        with path.open("w", encoding="utf-8") as out:
            yield out
        return
    path = path.resolve()
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    with draft.open("x", encoding="utf-8") as out:
        try:
            yield out
            out.flush()
            if mode is not None:
                os.fchmod(out.fileno(), mode)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
