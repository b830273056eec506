"""What a reader of captured packets must know of where they were taken: offloads, Netfilter, the snaplen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collectors.capture.filters import SNAPLEN
from collectors.capture.interface import Interface
from collectors.host import Host
from collectors.netlink.ethtool import settings
from collectors.table import Note
from collectors.wire.netlink import DecodeError

JOINING = {"generic-receive-offload": "GRO", "large-receive-offload": "LRO", "rx-gro-hw": "GRO in hardware"}
SPLITTING = {
    "tcp-segmentation-offload": "TSO",
    "generic-segmentation-offload": "GSO",
    "tx-udp-segmentation": "USO",
}
BEFORE = Note(
    "received packets are captured before Netfilter", "one that a rule drops or translates is here as it came"
)
AFTER = Note("sent packets are captured after Netfilter", "one that a rule dropped is not here; NAT has been done")
CHECKSUMS = Note(
    "checksums of sent packets are left to the device (tx-checksumming)", "they look wrong here and are right outside"
)
TWICE = Note("on `any` a packet that passes several interfaces is there once for each", "`-i NAME` shows it once")


def notes(host: Host, found: Interface | None, direction: str, snaplen: int) -> Iterator[Note]:
    """Of a capture on one interface, or on all (None). ``direction``: in, out or both."""
    known = features(host, found.name) if found else {}
    if direction != "out":
        yield BEFORE
        yield from larger(known, JOINING, found, "received", "join received segments into one")
    if direction != "in":
        yield AFTER
        yield from larger(known, SPLITTING, found, "sent", "are split by the device, after this point")
        if known.get("tx-checksumming"):
            yield CHECKSUMS
    if found is None:
        yield TWICE
    if snaplen < SNAPLEN:
        yield Note(f"of each packet the first {snaplen} bytes are kept (snaplen)", "its length is that on the wire")


def features(host: Host, name: str) -> Mapping[str, bool]:
    """ethtool's names of features, and whether each is active; none where they cannot be had."""
    try:
        told: Any = settings(host, name).get("features", {})
    except (OSError, DecodeError):
        return {}
    return {word: bool(feature["active"]) for word, feature in told.items()}


def larger(
    known: Mapping[str, bool], words: Mapping[str, str], found: Interface | None, way: str, why: str
) -> Iterator[Note]:
    active = [short for word, short in words.items() if known.get(word)]
    if active and found:
        yield Note(
            f"{', '.join(active)} of {found.name}: {way} packets may be larger than its MTU of {found.mtu}",
            f"they {why}" if way == "sent" else f"these {why}",
        )
