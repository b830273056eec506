"""Conntrack entries as /proc/net/nf_conntrack lists them (net/netfilter/nf_conntrack_standalone.c, ct_seq_show)."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netfilter.conntrack import words as words
from collectors.netfilter.conntrack.columns import COLUMNS
from collectors.netfilter.conntrack.nat import put_nat
from collectors.netfilter.conntrack.tuples import Ends
from collectors.table import Column, Table
from collectors.values import ABSENT, IPV4, IPV6
from collectors.wire.netlink import DecodeError

FAMILIES = {"ipv4": "inet", "ipv6": "inet6"}
STATES = frozenset(words.TCP_STATES + words.SCTP_STATES + words.DCCP_STATES)
# the words of one direction, in both of which they have the same names
EITHER = {
    "src": "src", "dst": "dst", "sport": "sport", "dport": "dport", "type": "icmp_type", "code": "icmp_code",
    "id": "icmp_id", "srckey": "srckey", "dstkey": "dstkey", "packets": "packets", "bytes": "bytes",
}  # fmt: skip
ONCE = {"mark": "mark", "zone": "zone", "zone-orig": "orig_zone", "zone-reply": "reply_zone", "use": "use",
        "secctx": "secctx", "delta-time": "delta_time"}  # fmt: skip
MARKS = {"[ASSURED]": "ASSURED", "[OFFLOAD]": "OFFLOAD", "[HW_OFFLOAD]": "HW_OFFLOAD"}

Fields = dict[str, str]
Cells = Sequence[str | None]
Octets = NDArray[np.uint8]


def rows(data: bytes) -> Table:
    """One row per line; raises DecodeError for a line that is not of its form."""
    lines = [line for line in data.decode("utf-8", "surrogateescape").split("\n") if line]
    try:
        return made([fields(line.split()) for line in lines])
    except (ValueError, IndexError, KeyError, OverflowError, OSError) as error:
        raise DecodeError(0, f"/proc/net/nf_conntrack: {error}") from error


def fields(line: Sequence[str]) -> Fields:
    """Layer names and numbers, seconds left where there is a timer, a state, then words that are name=value."""
    found = {"family": FAMILIES[line[0]], "proto": words.protocol(int(line[3]))}
    rest = list(line[4:])
    if rest and rest[0].isdecimal():
        found["timeout"] = rest.pop(0)
    bits = ["SEEN_REPLY"] if "[UNREPLIED]" not in rest else []
    for word in rest:
        name, separator, value = word.partition("=")
        if separator and name in EITHER:
            column = EITHER[name]
            found[f"reply_{column}" if column in found else column] = value
        elif separator and name in ONCE:
            found[ONCE[name]] = value
        elif word in STATES:
            found["state"] = word
        elif word in MARKS:
            bits.append(MARKS[word])
    found["status"] = " ".join(bits)
    return found


def made(entries: Sequence[Fields]) -> Table:
    draft = Draft(COLUMNS, len(entries))
    forms = np.array([IPV4 if entry["family"] == "inet" else IPV6 for entry in entries], np.uint8)
    addresses: dict[str, Octets] = {}
    for column in COLUMNS:
        cells = [entry.get(column.name) for entry in entries]
        known = np.array([cell is not None for cell in cells], np.bool_)
        if not known.any():
            continue
        if column.dtype == "address":
            addresses[column.name] = octets(cells, forms)
            draft.addresses(column.name, addresses[column.name], np.where(known, forms, ABSENT))
        elif column.dtype == "json":
            draft.cells(column.name, [cell.split() if cell else [] for cell in cells])
        elif column.dtype == "text":
            draft.cells(column.name, cells)
        else:
            put_numbers(draft, column, cells, known)
    put_changes(draft, entries, forms, addresses)
    return draft.table()


def put_numbers(draft: Draft, column: Column, cells: Cells, known: NDArray[np.bool_]) -> None:
    name = column.name
    base = 16 if name.endswith(("srckey", "dstkey")) else 10
    numbers = np.array([int(cell or "0", base) for cell in cells], np.uint64)
    if (numbers > np.iinfo(column.dtype).max).any():
        raise OverflowError(f"{name} is too large")
    if name == "zone":
        known = known & (numbers != 0)  # the default zone, which netlink does not tell
    if name == "use":
        numbers = np.maximum(numbers, 1) - np.uint64(1)  # without the reference that this reading held
    draft.numbers(name, numbers, known=known)


def put_changes(
    draft: Draft, entries: Sequence[Fields], forms: NDArray[np.uint8], addresses: Mapping[str, Octets]
) -> None:
    """What NAT changed, family by family."""
    for form, width in ((IPV4, 4), (IPV6, 16)):
        rows = np.flatnonzero(forms == form)
        first, reply = Ends({}, {}), Ends({}, {})
        for side, prefix in ((first, ""), (reply, "reply_")):
            for name in ("src", "dst"):
                if prefix + name in addresses:
                    side.addresses[name] = np.ascontiguousarray(addresses[prefix + name][rows, :width])
            for name in ("sport", "dport"):
                ports = [int(entries[row].get(prefix + name, "0")) for row in rows.tolist()]
                side.ports[name] = np.array(ports, np.uint16)
        put_nat(draft, rows, first, reply)


def octets(cells: Cells, forms: NDArray[np.uint8]) -> Octets:
    """Addresses as (n, 16) octets; zeros where there is none."""
    families = (socket.AF_INET if form == IPV4 else socket.AF_INET6 for form in forms.tolist())
    packed = [socket.inet_pton(family, cell) if cell is not None else b"" for family, cell in zip(families, cells)]
    return np.frombuffer(b"".join(address.ljust(16, b"\0") for address in packed), np.uint8).reshape(-1, 16)
