"""Why packets are dropped, counted in the kernel while this is open: by reason, function, protocol and namespace.

By a BPF program on kfree_skb where that can be, else by the event skb:kfree_skb in a tracefs instance of our own.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from collectors.draft import of_rows
from collectors.host import Host
from collectors.table import Column, Gap, Table
from collectors.tracing.bpf import Refused
from collectors.tracing.bpf_way import BpfWay
from collectors.tracing.btf import VMLINUX
from collectors.tracing.functions import HIDDEN, Functions
from collectors.tracing.keys import BY, KEY, Way
from collectors.tracing.names import protocol_name, reason_name
from collectors.tracing.tracefs_way import TracefsWay
from collectors.values import Cell, Numbers
from collectors.wire.netlink import DecodeError

COLUMNS = (
    Column("reason", "text", "key", help="enum skb_drop_reason without SKB_DROP_REASON_; absent before 5.17"),
    Column("function", "text", "key", help="the kernel function that dropped the packet"),
    Column("protocol", "text", "key", help="of the packet, as tc names it; absent when the packet had none yet"),
    Column("netns", "u4", "key", help="inode of the network namespace"),
    Column("ifindex", "u4", "key", help="the packet's device there, or the one it came in by"),
    Column("by", "text", "key", help="what told the namespace: dev, rx_sk, sk, or task, which is a guess"),
    Column("module", "text", help="kernel module of the function; absent for the kernel itself"),
    Column("drops", "u8", "counter", "packets", "packets dropped since counting began"),
)
DESCRIBED = COLUMNS[:-1]
NEEDED = "they need root, or CAP_BPF and CAP_PERFMON, on a kernel with BTF; else root and tracefs"
SECOND = "a kernel with BPF and BTF, and the right to use them, tell those too"


class DropReasons:
    """Open from here to ``close``; a context manager. ``way``: "bpf" or "tracefs".

    Raises OSError with what is missing and what would give it; PermissionError for an ordinary user.
    """

    def __init__(self, host: Host | None = None) -> None:
        self._way, self._missing = opened()
        self._functions = Functions(host or Host())
        self._numbers: dict[bytes, int] = {}  # key -> row
        self._rows: dict[tuple[Cell, ...], int] = {}
        self._told = of_rows(DESCRIBED, []).table()

    @property
    def way(self) -> str:
        return self._way.name

    def read(self) -> Table:
        """What was dropped since the start; a row without any key for what could not be kept apart, with its gap."""
        counts = self._way.read()
        raw, size = np.ascontiguousarray(counts.keys).tobytes(), KEY.itemsize
        keys = [raw[at : at + size] for at in range(0, len(raw), size)]
        if counts.lost:
            keys.append(bytes(size))
        numbers = np.fromiter(map(self._number, keys), np.intp, len(keys))
        if len(self._told) != len(self._rows):
            names = [column.name for column in DESCRIBED]
            self._told = of_rows(DESCRIBED, [dict(zip(names, row, strict=True)) for row in self._rows]).table()
        drops = np.zeros(len(self._rows), np.uint64)
        np.add.at(drops, numbers, [*counts.drops.tolist(), *([counts.lost] if counts.lost else [])])
        arrays = {**self._told.arrays, "drops": Numbers(drops)}
        return Table(COLUMNS, arrays, self._gaps(counts.lost))

    def close(self) -> None:
        """Nothing of it stays in the kernel."""
        self._way.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _number(self, key: bytes) -> int:
        number = self._numbers.get(key)
        if number is None:
            row = self._described(np.frombuffer(key, KEY)[0])
            number = self._numbers[key] = self._rows.setdefault(row, len(self._rows))
        return number

    def _described(self, key: NDArray[np.void]) -> tuple[Cell, ...]:
        """The cells of DESCRIBED; several addresses in one function give the same."""
        location, reason, netns, ifindex, protocol, by, _ = key.tolist()
        function = self._functions.at(location) if location else None
        return (
            reason_name(reason, self._way.reasons, self._way.subsystems) if reason else None,
            function.name if function else None,
            protocol_name(protocol),
            netns or None,
            ifindex or None,
            BY.get(by),
            function.module or None if function else None,
        )

    def _gaps(self, lost: int) -> tuple[Gap, ...]:
        gaps = [*self._missing, *self._way.gaps]
        if lost:
            gaps.append(Gap(f"{lost} drops were counted without their reason", self._way.remedy))
        if self._functions.hidden:
            gaps.append(HIDDEN)
        return tuple(gaps)


class NoDropReasons(OSError):
    """They cannot be counted here; ``gap`` says why and what would help."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(f"{gap.reason}; {gap.remedy}" if gap.remedy else gap.reason)
        self.gap = gap


def opened(*, bpf: Callable[[], Way] = BpfWay, tracefs: Callable[[], Way] = TracefsWay) -> tuple[Way, tuple[Gap, ...]]:
    """The best way there is, and what is missing by it."""
    try:
        return bpf(), ()
    except (OSError, DecodeError, KeyError, MemoryError) as error:
        why = said(error)
        denied = isinstance(error, PermissionError)
    try:
        return tracefs(), (Gap(f"drops are counted without their namespace and device: {why}", SECOND),)
    except (OSError, DecodeError) as error:
        if denied and os.geteuid():
            raise PermissionError(errno.EPERM, NEEDED) from error
        raise NoDropReasons(Gap(f"drop reasons cannot be counted: {why}; {said(error)}", NEEDED)) from error


def said(error: Exception) -> str:
    """What stands in the way, in a few words."""
    match error:
        case Refused():
            return str(error.strerror)
        case FileNotFoundError() if error.filename == str(VMLINUX):
            return "no BTF in this kernel (CONFIG_DEBUG_INFO_BTF)"
        case PermissionError():
            return "BPF is not permitted here" if not error.filename else f"{error.filename}: {error.strerror}"
        case OSError(errno=errno.ENOSYS):
            return "no BPF in this kernel (CONFIG_BPF_SYSCALL)"
        case DecodeError():
            return f"BTF or the event's format was not understood ({error})"
        case KeyError():
            return f"other structures than known here ({error.args[0]})"
        case MemoryError():
            return "not enough memory"
    return str(error)
