"""Bytes as hexadecimal numbers and as letters, some of them marked."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from nettui.packets.hexdump import HexLine, lines
from nettui.tui.cells import DIM, PLAIN, REVERSE, painted


class HexLines(ScrollView):
    """Sixteen bytes a line."""

    DEFAULT_CSS = (
        "HexLines { height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }"
    )

    def __init__(self) -> None:
        super().__init__()
        self._octets, self._lines = b"", list[HexLine]()
        self._start = self._end = 0

    def tell(self, octets: bytes) -> None:
        if octets != self._octets:
            self._octets, self._lines = octets, lines(octets)
            self._start = self._end = 0
            self.virtual_size = Size(0, len(self._lines))
            self.refresh()

    def mark(self, start: int, length: int) -> None:
        self._start, self._end = start, start + length
        row = start // 16
        if length and not self.scroll_offset.y <= row < self.scroll_offset.y + self.size.height:
            self.scroll_to(y=max(0, row - 1), animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, at = self.scrollable_content_region.width, self.scroll_offset.y + y
        if at >= len(self._lines):
            return Strip.blank(width)
        line = self._lines[at]
        segments = [painted(f" {line.start:04x}  ", DIM)]
        for place in range(16):
            gap = "  " if place == 7 else " "
            segments += self._octet(line.start + place, line.hex[place] if place < len(line.hex) else "  ", gap)
        segments.append(painted("  "))
        for place, letter in enumerate(line.text):
            segments.append(painted(letter, REVERSE if self._is_marked(line.start + place) else PLAIN))
        return Strip(segments).crop_extend(0, width, PLAIN)

    def _octet(self, at: int, text: str, gap: str) -> list[Segment]:
        marked, next_too = self._is_marked(at), self._is_marked(at + 1)
        return [
            painted(text, REVERSE if marked else PLAIN),
            painted(gap, REVERSE if marked and next_too and (at + 1) % 16 else PLAIN),
        ]

    def _is_marked(self, at: int) -> bool:
        return self._start <= at < self._end
