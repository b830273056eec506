"""The functions in which addresses lie, from /proc/kallsyms.

Of its 120,000 or more lines only those of code are kept, as one array of addresses and their text; it is read when
the first address is asked for, and again when a module has come or gone since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.host import Host
from collectors.table import Gap

CHUNK = 1 << 20
DIGITS = 16  # of an address
CODE = np.frombuffer(b"tTwW", np.uint8)
FARTHEST = 1 << 20  # bytes into a function; behind that it lies in what has no name
HIDDEN = Gap(
    "the kernel hides its addresses, so functions have no names",
    "root or CAP_SYSLOG sees them, unless kernel.kptr_restrict is 2: then `sysctl kernel.kptr_restrict=1`",
)


class Function(NamedTuple):
    """``module``: "" for what is part of the kernel itself."""

    name: str
    module: str = ""


class Functions:
    """Asked by address. ``hidden``: the names are there, their addresses are not."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._addresses: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._ends: NDArray[np.uint32] = np.empty(0, np.uint32)
        self._text = b""
        self._modules: bytes | None = None
        self.hidden = False

    def at(self, address: int) -> Function | None:
        """The function, None where none is known; costs up to 0.2 s the first time, microseconds then."""
        self._refresh()
        index = int(np.searchsorted(self._addresses, np.uint64(address), "right")) - 1
        if index < 0 or address - int(self._addresses[index]) > FARTHEST:
            return None
        index = int(np.searchsorted(self._addresses, self._addresses[index]))  # of several names the first
        begin = int(self._ends[index])
        return function(self._text[begin : self._text.index(b"\n", begin)])

    def _refresh(self) -> None:
        """Read again unless the modules are those of the last time; asked for new addresses only, which are few."""
        try:
            modules = self._host.read("modules")
        except OSError:
            modules = b""
        if modules == self._modules:
            return
        self._modules = modules
        addresses, ends, texts, size = [], [], [], 0
        for lines in blocks(self._host):
            found, begins, text = code_lines(lines)
            addresses.append(found)
            ends.append(begins + np.uint32(size))
            texts.append(text)
            size += len(text)
        self._index(addresses, ends, b"".join(texts))

    def _index(self, addresses: list[NDArray[np.uint64]], ends: list[NDArray[np.uint32]], text: bytes) -> None:
        found = np.concatenate(addresses) if addresses else np.empty(0, np.uint64)
        self.hidden = not found.any()
        order = np.argsort(found, kind="stable") if not self.hidden else np.empty(0, np.intp)
        self._addresses = found[order]
        self._ends = np.concatenate(ends)[order] if len(order) else np.empty(0, np.uint32)
        self._text = text if len(order) else b""


def blocks(host: Host) -> Iterator[bytes]:
    """/proc/kallsyms in whole lines, a megabyte at a time; nothing where it cannot be read."""
    rest = b""
    try:
        with (host.proc / "kallsyms").open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                yield whole + newline
    except OSError:
        return


def code_lines(lines: bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint32], bytes]:
    """Of lines ``ffffffff81000000 T name\\t[module]``: addresses of functions, where each's name begins in the text.

    The text is the names only, a line each.
    """
    octets = np.frombuffer(lines, np.uint8)
    newlines = np.flatnonzero(octets == 10)
    begins = np.concatenate(([0], newlines[:-1] + 1)) if len(newlines) else newlines
    sized = newlines - begins > DIGITS + 3
    begins, newlines = begins[sized], newlines[sized]
    code = np.isin(octets[begins + DIGITS + 1], CODE)
    begins, newlines = begins[code], newlines[code]
    digits = octets[begins[:, None] + np.arange(DIGITS)]
    nibbles = (digits & 15) + 9 * (digits >> 6)
    pairs = np.ascontiguousarray(nibbles[:, ::2] << 4 | nibbles[:, 1::2])
    addresses = pairs.view(">u8")[:, 0].astype(np.uint64)
    names = [lines[begin : end + 1] for begin, end in zip((begins + DIGITS + 3).tolist(), newlines.tolist())]
    lengths = newlines - begins - DIGITS - 2
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1])) if len(lengths) else lengths
    return addresses, starts.astype(np.uint32), b"".join(names)


def function(text: bytes) -> Function:
    """``ip_rcv_core.isra.0`` is ip_rcv_core still: what the compiler made of a function has its name up to a dot."""
    name, _, module = text.decode("ascii", "replace").partition("\t")
    return Function(name.split(".")[0] or name, module.strip("[]"))
