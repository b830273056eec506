"""Capture files that are finished, compressed by a thread that steps back for everything else."""

from __future__ import annotations

import gzip
import os
import shutil
import threading
from pathlib import Path
from queue import SimpleQueue

from collectors.capture.created import new
from collectors.table import Gap

IDLE = 19  # niceness
LEVEL = 6  # of gzip
CHUNK = 1 << 20


class Compressor(threading.Thread):
    """Replaces files that are finished by their .gz, one after the other, when the processor has nothing better to do.

    ``gaps``: files that stay as they are, and why.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True, name="capture compression")
        self.gaps: list[Gap] = []
        self._files: SimpleQueue[Path | None] = SimpleQueue()
        self._names = threading.Lock()

    def take(self, path: Path) -> None:
        self._files.put(path)

    def end(self) -> None:
        """After the files that were taken."""
        self._files.put(None)

    def forget(self, path: Path) -> None:
        """Remove a file, compressed or not, or while it is being compressed."""
        with self._names:
            path.unlink(missing_ok=True)
            zipped(path).unlink(missing_ok=True)

    def run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), IDLE)
        while (path := self._files.get()) is not None:
            try:
                if path.is_file():
                    self._replace(path)
            except OSError as error:
                if not path.is_file():
                    continue  # forgotten meanwhile
                self.gaps.append(Gap(f"{zipped(path)}: {error.strerror or error}", f"{path} stays as it is"))

    def _replace(self, path: Path) -> None:
        partial = path.with_name(path.name + ".gz.part")
        partial.unlink(missing_ok=True)  # of a capture that was killed
        try:
            with (
                path.open("rb") as plain,
                os.fdopen(new(partial), "wb") as file,
                gzip.GzipFile(path.name, "wb", LEVEL, file) as packed,
            ):
                shutil.copyfileobj(plain, packed, CHUNK)
            with self._names:
                if path.exists():
                    partial.rename(zipped(path))
                    path.unlink()
        finally:
            partial.unlink(missing_ok=True)


def zipped(path: Path) -> Path:
    return path.with_name(path.name + ".gz")
