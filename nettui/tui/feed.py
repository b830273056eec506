"""What feeds the screen, and what threads tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from textual.message import Message

from collectors import Host
from collectors.table import Gap
from nettui.snapshot import Snapshot
from nettui.tui.arrange import Arrangement


class Source(Protocol):
    """What feeds the screen; nettui.live.Live, or a test's own. ``reasons``: how drop reasons are counted now, "" when
    they are not, or the gap that stands in the way. ``followed``: since when the ledger is, seconds since the epoch."""

    followed: float | None

    @property
    def reasons(self) -> str | Gap: ...

    def start(self) -> None: ...
    def show(self, sections: Sequence[str]) -> None: ...
    def freeze(self, frozen: bool) -> None: ...
    def refresh(self) -> None: ...
    def mark(self) -> None: ...
    def watch_reasons(self, wanted: bool) -> None: ...
    def stop(self) -> None: ...


Feed = Callable[[Host, Callable[[Snapshot], None]], Source]


class Delivered(Message):
    """A snapshot from the worker thread."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class Arranged(Message):
    """Rows filtered and sorted by the arranger's thread."""

    def __init__(self, name: str, answer: Arrangement) -> None:
        super().__init__()
        self.name, self.answer = name, answer


class Broken(Message):
    """A worker thread has ended by a fault."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
