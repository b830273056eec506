"""pcap files (draft-ietf-opsawg-pcap): either byte order, micro- or nanoseconds, and one with longer headers."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.wire.netlink import DecodeError
from collectors.wire.packets.capture_file import Part, alike
from collectors.wire.packets.records import Records

# u32 magic; u16 major, minor; i32 thiszone; u32 sigfigs, snaplen, linktype
SIZE = 24
# magic -> byte order, nanoseconds in a unit of time, bytes of a packet's header
MAGICS = {
    struct.pack(f"{order}I", magic): (order, unit, size)
    for order in "<>"
    for magic, unit, size in ((0xA1B2C3D4, 1000, 16), (0xA1B23C4D, 1, 16), (0xA1B2CD34, 1000, 24))
}
LARGEST = 1 << 20  # bytes of one packet, where the file's own snaplen is not larger: libpcap's own bound is 256 KiB
MOST = 1 << 24  # bytes of one packet, whatever the file says
ALIKE = 32  # packets of one size after which a run of them is looked for
LINK = 0xFFFF  # of the word that also tells of frame check sequences


class Pcap:
    """One link type and one byte order for the whole file. ``snaplen``: bytes that were kept of a packet at most."""

    def __init__(self, start: bytes, name: str = "") -> None:
        self.begin = SIZE
        self._order, self._unit, self._head = MAGICS[start[:4]]
        self.snaplen, link = struct.unpack_from(f"{self._order}II", start, 16)
        self.link = link & LINK
        self._most = min(max(self.snaplen, LARGEST), MOST)
        self._name = name

    def part(self, data: NDArray[np.uint8], at: int) -> Part:
        heads, end, error = self._walk(data, at)
        captured, lengths = self._field(data, heads, 8), self._field(data, heads, 12)
        seconds, rest = self._field(data, heads, 0), self._field(data, heads, 4)
        records = Records(
            data,
            heads + self._head,
            captured,
            lengths,
            seconds.astype(np.int64) * 1_000_000_000 + rest.astype(np.int64) * self._unit,
            np.full(len(heads), self.link, np.uint16),
            np.full(len(heads), 0 if self._name else -1, np.int32),
            (self._name,) if self._name else (),
        )
        return Part(records, end, error, self._wanted(data, end))

    def _walk(self, data: NDArray[np.uint8], at: int) -> tuple[NDArray[np.intp], int, DecodeError | None]:
        """Offsets of the headers of whole packets, the offset behind the last, and what is wrong there."""
        runs: list[NDArray[np.intp]] = []
        found: list[int] = []
        unpack, buffer, head = struct.Struct(f"{self._order}I").unpack_from, data.data, self._head
        size, most, same, last, error = len(data), self._most, 0, -1, None
        while at + head <= size:
            (captured,) = unpack(buffer, at + 8)
            if captured > most:
                error = DecodeError(at, f"a packet of {captured:,} bytes")
                break
            following = at + head + captured
            if following > size:
                break
            found.append(at)
            at = following
            same, last = (same + 1, last) if captured == last else (0, captured)
            if same == ALIKE:
                count = self._run(data, at, captured)
                runs += [np.array(found, np.intp), at + np.arange(count) * (head + captured)]
                found, same, at = [], 0, at + count * (head + captured)
        return np.concatenate([*runs, np.array(found, np.intp)]), at, error

    def _run(self, data: NDArray[np.uint8], at: int, captured: int) -> int:
        """How many whole packets of this size follow each other from ``at``."""
        stride = self._head + captured
        most = (len(data) - at) // stride
        if not most:
            return 0
        sizes = np.ndarray((most,), f"{self._order}u4", data, at + 8, (stride,))
        return alike(lambda rows: sizes[rows] == captured, most)

    def _wanted(self, data: NDArray[np.uint8], at: int) -> int:
        """Bytes of the packet that begins there, or of its header while that is not whole."""
        if at + self._head > len(data):
            return self._head
        (captured,) = struct.unpack_from(f"{self._order}I", data.data, at + 8)
        return self._head + int(captured)

    def _field(self, data: NDArray[np.uint8], heads: NDArray[np.intp], offset: int) -> NDArray[Any]:
        """A number of each packet's header: gathered from a view in which every byte begins one."""
        if not len(heads):
            return np.zeros(0, np.uint32)
        overlapping = np.ndarray((len(data) - 3,), f"{self._order}u4", data, 0, (1,))
        return overlapping[heads + offset].astype(np.uint32)
