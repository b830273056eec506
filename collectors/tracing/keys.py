"""What drops are counted by, as the kernel keeps it; and one reading of all counts."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.table import Gap

# Our own: struct { __u64 location; __u32 reason, netns, ifindex; __be16 protocol; __u8 by, unused; };
KEY = np.dtype(
    [
        ("location", "u8"),
        ("reason", "u4"),
        ("netns", "u4"),
        ("ifindex", "u4"),
        ("protocol", ">u2"),
        ("by", "u1"),
        ("unused", "u1"),
    ]
)
AT = {str(name): int(KEY.fields[name][1]) for name in KEY.names or ()} if KEY.fields else {}
UNCOUNTED = bytes(KEY.itemsize)  # stands for what could not be kept by its key; no drop has location 0
NO_REASONS = Gap("this kernel does not tell why it drops a packet, only where", "Linux 5.17 and later do")
# by what the namespace was told, in this order of trust
UNKNOWN, DEV, RX_SK, SK, TASK = range(5)
BY = {DEV: "dev", RX_SK: "rx_sk", SK: "sk", TASK: "task"}


class Counts(NamedTuple):
    """``keys`` (n,) of dtype KEY, ``drops`` (n,) since counting began, ``lost``: those counted under no key."""

    keys: NDArray[np.void]
    drops: NDArray[np.uint64]
    lost: int = 0


class Way(Protocol):
    """A way of counting; it ends with ``close``. ``gaps``: what it cannot tell.

    ``remedy``: for counts that were lost. ``reasons`` and ``subsystems``: the kernel's names by their numbers.
    """

    name: str
    gaps: tuple[Gap, ...]
    remedy: str
    reasons: dict[int, str]
    subsystems: dict[int, str]

    def read(self) -> Counts: ...
    def close(self) -> None: ...
