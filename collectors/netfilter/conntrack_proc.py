"""Conntrack entries as /proc/net/nf_conntrack lists them (net/netfilter/nf_conntrack_standalone.c, ct_seq_show)."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

import numpy as np

from collectors.draft import Draft
from collectors.netfilter import conntrack_words as words
from collectors.netfilter.conntrack_columns import COLUMNS
from collectors.netfilter.conntrack_nat import put_nat
from collectors.netfilter.conntrack_tuples import Ends
from collectors.table import Column, Table, concatenate
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
BASES = {"srckey": 16, "dstkey": 16}

Fields = dict[str, str]


def rows(data: bytes) -> Table:
    """One row per line; raises DecodeError for a line that is not of its form."""
    lines = [line for line in data.decode("utf-8", "surrogateescape").split("\n") if line]
    try:
        entries = [fields(line.split()) for line in lines]
        tables = [made(group) for group in alike(entries)]
    except (ValueError, IndexError, KeyError, OverflowError, OSError) as error:
        raise DecodeError(0, f"/proc/net/nf_conntrack: {error}") from error
    return concatenate(tables) if tables else Draft(COLUMNS, 0).table()


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


def alike(entries: Sequence[Fields]) -> list[list[Fields]]:
    """Runs of entries of one family."""
    found: list[list[Fields]] = []
    for entry in entries:
        if not found or found[-1][0]["family"] != entry["family"]:
            found.append([])
        found[-1].append(entry)
    return found


def made(entries: Sequence[Fields]) -> Table:
    """The table of entries of one family."""
    draft = Draft(COLUMNS, len(entries))
    first, reply = Ends({}, {}), Ends({}, {})
    form = IPV4 if entries[0]["family"] == "inet" else IPV6
    for column in COLUMNS:
        if any(column.name in entry for entry in entries):
            put(draft, column, entries, form)
    for ends, prefix in ((first, ""), (reply, "reply_")):
        for name in ("src", "dst"):
            ends.addresses[name] = octets([entry.get(prefix + name) for entry in entries], form)
    put_nat(draft, slice(None), first, reply)
    return draft.table()


def put(draft: Draft, column: Column, entries: Sequence[Mapping[str, str]], form: int) -> None:
    name, cells = column.name, [entry.get(column.name) for entry in entries]
    if column.dtype == "address":
        present = np.array([cell is not None for cell in cells])
        draft.addresses(name, octets(cells, form), np.where(present, form, ABSENT))
    elif column.dtype == "json":
        draft.cells(name, [cell.split() if cell else [] for cell in cells])
    elif column.dtype == "text":
        draft.cells(name, cells)
    else:
        numbers = np.array([int(cell or "0", BASES.get(name.removeprefix("reply_"), 10)) for cell in cells], np.uint64)
        if (numbers > np.iinfo(column.dtype).max).any():
            raise OverflowError(f"{name} is too large")
        known = np.array([cell is not None for cell in cells])
        if name == "zone":
            known &= numbers != 0  # the default zone, which netlink does not tell
        if name == "use":
            numbers = np.maximum(numbers, 1) - np.uint64(1)  # without the reference that this reading held
        draft.numbers(name, numbers, known=known)


def octets(cells: Sequence[str | None], form: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    size, family = (4, socket.AF_INET) if form == IPV4 else (16, socket.AF_INET6)
    packed = b"".join(socket.inet_pton(family, cell) if cell is not None else bytes(size) for cell in cells)
    return np.frombuffer(packed, np.uint8).reshape(-1, size)
