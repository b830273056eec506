"""Frames that a device could not receive or send: bad cables, modules, drivers, duplex."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

import numpy as np

from nettui.findings.finding import Diagnosis, Finding, Tables, number, rate
from nettui.findings.rows import Row, above, figure, has, moving, picked

RECEIVED = ("rx_crc_errors", "rx_frame_errors", "rx_length_errors", "rx_over_errors")
SENT = ("tx_carrier_errors", "tx_aborted_errors", "tx_fifo_errors", "tx_heartbeat_errors", "tx_window_errors")
SUMS = ("rx_errors", "tx_errors")
COUNTERS = (*SUMS, *RECEIVED, *SENT)
MANY, SHARE = 100, 1e-4  # errors since boot that are worth a note, and of how large a part of the packets
MOST = 10
WORDS = {
    "rx_crc_errors": "a wrong check sum: cable, module or interference",
    "rx_frame_errors": "a wrong alignment: cable or duplex",
    "rx_length_errors": "a wrong length: the sender's MTU is larger",
    "rx_over_errors": "frames too large for its buffers",
    "tx_carrier_errors": "no carrier while sending: cable or module",
    "tx_aborted_errors": "too many collisions: duplex",
    "tx_window_errors": "late collisions: duplex or too long a cable",
}


def find(tables: Tables) -> Iterator[Finding]:
    links = tables["links"]
    real = ~has(links, "LOOPBACK")
    now = np.logical_or.reduce([moving(links, counter) for counter in COUNTERS]) & real
    before = np.logical_or.reduce([above(links, counter, MANY) for counter in COUNTERS]) & real & ~now
    names = ("ifindex", "ifname", "kind", "rx_packets", "tx_packets", *COUNTERS)
    rates = tuple(f"{counter}_rate" for counter in (*COUNTERS, "rx_packets", "tx_packets"))
    rows = sorted(picked(links, now, *names, *rates), key=lambda row: -worst(row)[1])
    for row in rows[:MOST]:
        yield losing(row)
    rows = [row for row in picked(links, before, *names) if total(row) > SHARE * packets(row)]
    for row in sorted(rows, key=lambda row: -total(row))[:MOST]:
        yield lost(row)


def worst(row: Row) -> tuple[str, float]:
    """The counter that moves fastest; of equals the one that tells more than a sum does."""
    found = max(reversed(COUNTERS), key=lambda counter: rate(row, counter))
    return found, rate(row, found)


def total(row: Row) -> int:
    return max(number(row, counter) for counter in COUNTERS)


def packets(row: Row) -> int:
    return number(row, "rx_packets") + number(row, "tx_packets")


def losing(row: Row) -> Finding:
    counter, pace = worst(row)
    passing = rate(row, f"{counter[:2]}_packets")
    few = pace <= SHARE * passing
    name = str(row["ifname"])
    return Finding(
        "note" if few else "error",
        name,
        f"{name} loses {figure(pace)} frames/s"
        + (f" beside {passing:,.0f} that pass" if passing else "")
        + meaning(counter, row),
        evidence(row),
        remedies(name),
        "links",
        f"ifindex {row['ifindex']}",
    )


def lost(row: Row) -> Finding:
    counter = max(reversed(COUNTERS), key=lambda counter: number(row, counter))
    share = total(row) / (packets(row) + total(row))
    name = str(row["ifname"])
    return Finding(
        "note",
        name,
        f"{name} has lost {total(row):,} frames since it exists, {share:.2%} of all" + meaning(counter, row),
        evidence(row),
        remedies(name),
        "links",
        f"ifindex {row['ifindex']}",
    )


def meaning(counter: str, row: Row) -> str:
    """The counter and what it means; a tunnel that has a carrier error found no route to its other end."""
    if counter == "tx_carrier_errors" and "kind" in row:
        return f" ({counter}: no route to its other end)"
    return f" ({counter}: {WORDS[counter]})" if counter in WORDS else f" ({counter})"


def evidence(row: Row) -> tuple[str, ...]:
    return tuple(f"links: {counter} {number(row, counter):,}" for counter in COUNTERS if number(row, counter))


def remedies(name: str) -> tuple[str, ...]:
    return (
        f"ethtool -S {quote(name)}  # the driver's own counters tell more",
        f"ethtool {quote(name)}  # speed and duplex",
        f"ethtool -m {quote(name)}  # light levels of an optical module",
    )


LINK_ERRORS = Diagnosis("link_errors", "a device cannot receive or send frames", ("links",), find)
