"""Names that this host's files give to numbers in rules: iproute2's groups and realms, and labels of connections."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from collectors.netlink.names import named_number

IPROUTE2 = Path("/etc/iproute2")  # the only folder of its files that iptables reads
LABELS = Path("/etc/xtables/connlabel.conf")
# libnetfilter_conntrack's labels.c: a number of strtoul, then letters, digits, blanks and hyphens
NUMBER = r"0[xX][0-9a-fA-F]+(?![0-9a-fA-F])|0[0-7]*(?![0-7])|[1-9][0-9]*(?![0-9])"
LABEL = re.compile(rf"\s*(?P<bit>{NUMBER})\s*(?P<name>[A-Za-z0-9-][A-Za-z0-9 -]*?)\s*")


@lru_cache
def iproute2_names(file: str) -> dict[int, str]:
    """Numbers and names of ``group`` or ``rt_realms``; of two names for one number iptables takes the first."""
    found: dict[int, str] = {}
    for line in lines(IPROUTE2 / file):
        if entry := named_number(line):
            found.setdefault(*entry)
    return found


@lru_cache
def label_names() -> dict[int, str]:
    """Bits and names of connlabel.conf."""
    found: dict[int, str] = {}
    for line in lines(LABELS):
        if entry := LABEL.fullmatch(line):
            bit = entry["bit"]
            found.setdefault(int(bit, 0 if bit[:2] in ("0x", "0X") else 8 if bit[0] == "0" else 10), entry["name"])
    return found


def lines(path: Path) -> list[str]:
    """What cannot be read has none."""
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
