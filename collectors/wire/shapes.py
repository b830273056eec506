"""Shapes: messages whose attributes have the same types and lengths at the same offsets, decoded together.

A dump has few shapes. The first message of a group serves as the template; every message of the same length whose
attribute headers equal the template's, one vector comparison a header, belongs to it; then each column is one
strided view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.values import WHOLE, Index
from collectors.wire.netlink import NLA_TYPE_MASK, NLATTR, DecodeError, Messages

Path = tuple[int, ...]
Nested = Mapping[int, Any]  # attribute number -> Nested of what is inside it; attributes not named are opaque


@dataclass(frozen=True, slots=True)
class Shape:
    """Messages of one shape: ``at`` are their rows in the dump, ``octets`` (n, length) their bytes.

    ``fields`` gives the payload's offset and length by attribute path: ``(IFLA_LINKINFO, IFLA_INFO_KIND)``.
    """

    at: Index
    octets: NDArray[np.uint8]
    fields: Mapping[Path, tuple[int, int]]

    def __len__(self) -> int:
        return len(self.octets)

    def __contains__(self, path: object) -> bool:
        return (path if isinstance(path, tuple) else (path,)) in self.fields

    def header(self, dtype: np.dtype[np.void]) -> NDArray[np.void]:
        """The family's header behind nlmsghdr, as a structured array (n,)."""
        return self._view(16, dtype)

    def bytes_of(self, *path: int) -> NDArray[np.uint8]:
        """An attribute's payload, (n, its length) uint8."""
        offset, length = self.fields[path]
        return self.octets[:, offset : offset + length]

    def number(self, dtype: str, *path: int) -> NDArray[Any]:
        """A scalar attribute, (n,); raises DecodeError when it is shorter than the dtype."""
        offset, length = self.fields[path]
        if length < np.dtype(dtype).itemsize:
            raise DecodeError(offset, f"attribute {path} has {length} bytes, {dtype} expected")
        return self._view(offset, np.dtype(dtype))

    def struct(self, dtype: np.dtype[np.void], *path: int) -> dict[str, NDArray[Any]]:
        """A struct attribute's fields by name, (n,) each: those that this kernel's struct reaches, none beyond."""
        offset, length = self.fields[path]
        found = {}
        for name in dtype.names or ():
            kind, start = dtype.fields[name][:2]  # type: ignore[index]
            if start + kind.itemsize <= length:
                found[name] = self._view(offset + start, kind)
        return found

    def _view(self, offset: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        if offset + dtype.itemsize > self.octets.shape[1]:
            raise DecodeError(offset, f"message of {self.octets.shape[1]} bytes is too short")
        return np.ndarray((len(self.octets),), dtype, self.octets, offset, (self.octets.strides[0],))


def shapes(messages: Messages, header: int, nested: Nested | None = None) -> Iterator[Shape]:
    """Divide messages into shapes.

    ``header``: size of the family's header behind nlmsghdr; ``nested``: attributes to look inside.
    Raises DecodeError with the offset of the first malformed message.
    """
    if not len(messages):
        return
    lengths = messages.lengths
    for length in dict.fromkeys(lengths.tolist()) if (lengths != lengths[0]).any() else [int(lengths[0])]:
        rows = np.flatnonzero(lengths == length)
        octets = gather(messages.data, messages.offsets[rows], length)
        if length < 16 + header:
            raise DecodeError(int(messages.offsets[rows[0]]), f"message of {length} bytes, header needs {16 + header}")
        while len(rows):
            fields, heads = template(
                octets[0], length, 16 + ((header + 3) & ~3), nested, int(messages.offsets[rows[0]])
            )
            alike = matching(octets, heads)
            if alike.all():
                yield Shape(WHOLE if len(rows) == len(messages) else rows, octets, fields)
                break
            yield Shape(rows[alike], octets[alike], fields)
            rows, octets = rows[~alike], octets[~alike]


def gather(data: NDArray[np.uint8], offsets: NDArray[np.intp], length: int) -> NDArray[np.uint8]:
    """The messages at ``offsets`` as rows (n, length rounded up to 4): a view for one unbroken run, else a copy."""
    stride = (length + 3) & ~3
    first, last = int(offsets[0]), int(offsets[-1])
    if last - first == (len(offsets) - 1) * stride:
        return data[first : last + stride].reshape(-1, stride)
    return np.lib.stride_tricks.sliding_window_view(data, stride)[offsets]


def template(
    octets: NDArray[np.uint8], length: int, start: int, nested: Nested | None, at: int
) -> tuple[dict[Path, tuple[int, int]], list[int]]:
    """Attribute paths with payload (offset, length), and the offsets of all attribute headers, of one message."""
    fields: dict[Path, tuple[int, int]] = {}
    heads: list[int] = []
    raw = octets[:length].tobytes()

    def parse(offset: int, end: int, inside: Nested, path: Path) -> None:
        while end - offset >= 4:
            size, number = NLATTR.unpack_from(raw, offset)
            if size < 4 or size > end - offset:
                raise DecodeError(at + offset, f"attribute length {size} with {end - offset} bytes left")
            number &= NLA_TYPE_MASK
            heads.append(offset)
            fields[(*path, number)] = (offset + 4, size - 4)
            if number in inside:
                parse(offset + 4, offset + size, inside[number], (*path, number))
            offset += (size + 3) & ~3

    parse(start, length, nested or {}, ())
    return fields, heads


def matching(octets: NDArray[np.uint8], heads: list[int]) -> NDArray[np.bool_]:
    """Which rows have the first row's attribute headers."""
    words = octets.view(np.uint32)
    alike = np.ones(len(words), bool)
    for head in heads:
        column = words[:, head >> 2]
        alike &= column == column[0]
    return alike
