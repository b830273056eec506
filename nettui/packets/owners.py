"""Whose flows they are: the process that holds the socket at one of a flow's ends, where that is on this host."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.draft import absent
from collectors.table import Column, Table
from collectors.values import ABSENT, IPV4, IPV6, Addresses, Codes, Numbers, Pool, wide
from nettui.packets.flows import end_words, port_words
from nettui.rates import as_words, mixed

OWNER = (
    Column("process", "text", help="that holds the socket of the flow; absent: none here does"),
    Column("pid", "u4", help="its process id"),
)
SIDES = (("src", "sport"), ("dst", "dport"))
UNCONNECTED = ("udp", "udplite")  # whose sockets may serve any peer
LISTENING = "LISTEN"
MAPPED = np.array([0] * 10 + [255] * 2, np.uint8)  # ::ffff:0:0/96, as an IPv6 socket has IPv4 addresses
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


def owned(flows: Table, sockets: Table | None) -> Table:
    """With the columns process and pid, absent where no socket of this host is known to be the flow's.

    A socket with a peer is found by all of its ends. One without (UDP, or TCP that listens: a connection's own socket
    may be gone already) by protocol, address and port; bound to no address, only at an end that is of this host.
    """
    if sockets is None or not len(sockets):
        return flows.extended(OWNER, {column.name: absent(column, len(flows)) for column in OWNER})
    sockets = unmapped(sockets)
    pool = Pool()
    rows = np.full(len(flows), -1)
    known = marks_of(sockets, pool, "netid", *SIDES[0], *SIDES[1])
    for one, other in (SIDES, SIDES[::-1]):
        rows = filled(rows, matches(marks_of(flows, pool, "proto", *one, *other), known))
    alone = without_peer(sockets)
    bound = marks_of(sockets, pool, "netid", "src", "sport")
    for side in SIDES:
        rows = filled(rows, matches(marks_of(flows, pool, "proto", *side), bound, alone))
    for side in SIDES:
        rows = filled(rows, at_any_address(flows, sockets, pool, side, alone))
    kept = rows >= 0
    holder, pid = sockets.codes("process"), sockets.numbers("pid")
    codes = np.where(kept, holder.codes[rows], -1).astype(np.int32)
    numbers = np.where(kept, pid.numbers[rows], 0).astype(np.uint32)
    return flows.extended(
        OWNER, {"process": Codes(codes, holder.pool), "pid": Numbers(numbers, kept & pid.present()[rows])}
    )


def filled(rows: Rows, found: Rows) -> Rows:
    return np.where(rows < 0, found, rows)


def at_any_address(flows: Table, sockets: Table, pool: Pool, side: tuple[str, str], alone: Mask) -> Rows:
    """Sockets that are bound to a port only, by the family that they serve."""
    end, port = side
    own, ends = addresses(sockets, "src"), addresses(flows, end)
    of_this_host = here(sockets, flows, end)
    wanted, known = marks_of(flows, pool, "proto", port), marks_of(sockets, pool, "netid", "sport")
    any_address = ~own.octets.any(axis=1)
    both = own.form == IPV6
    if "v6only" in sockets:
        only = sockets.numbers("v6only")
        both &= ~(only.present() & (only.numbers != 0))
    rows = np.full(len(flows), -1)
    for family, serving in ((IPV4, (own.form == IPV4) | both), (IPV6, own.form == IPV6)):
        found = matches(wanted, known, alone & any_address & serving)
        rows = np.where(of_this_host & (ends.form == family), filled(rows, found), rows)
    return rows


def here(sockets: Table, flows: Table, end: str) -> Mask:
    """Ends that sockets of this host have, loopback, and groups; all, where no socket tells an address of its own."""
    own, ends = addresses(sockets, "src"), addresses(flows, end)
    told = own.octets.any(axis=1) & (own.form != ABSENT)
    if not (told & ~everywhere(own)).any():
        return np.ones(len(flows), np.bool_)
    return everywhere(ends) | np.isin(mixed(end_words(flows, end)), mixed(end_words(sockets, "src"))[told])


def everywhere(values: Addresses) -> Mask:
    """Loopback, broadcast and multicast: on each host."""
    octets = wide(values.octets, 16)
    first, last = octets[:, 0], octets[:, 15]
    four = (first == 127) | (first >> 4 == 14) | (octets[:, :4] == 255).all(axis=1)
    six = (first == 255) | (~octets[:, :15].any(axis=1) & (last == 1))
    found: Mask = np.where(values.form == IPV4, four, (values.form == IPV6) & six)
    return found


def unmapped(sockets: Table) -> Table:
    """IPv4 addresses of IPv6 sockets as IPv4's, which the packets have."""
    arrays = dict(sockets.arrays)
    for name in ("src", "dst"):
        values = addresses(sockets, name)
        octets = wide(values.octets, 16)
        mapped = (values.form == IPV6) & (octets[:, :12] == MAPPED).all(axis=1)
        if mapped.any():
            octets = octets.copy()
            octets[mapped, :4], octets[mapped, 4:] = octets[mapped, 12:], 0
            arrays[name] = Addresses(octets, np.where(mapped, IPV4, values.form).astype(np.uint8), values.prefix)
    return Table(sockets.columns, arrays)


def addresses(table: Table, name: str) -> Addresses:
    values = table[name]
    assert isinstance(values, Addresses)
    return values


def marks_of(table: Table, pool: Pool, proto: str, *ends: str) -> NDArray[np.uint64]:
    """A mark of each row's protocol and ends, in this order."""
    codes = table.codes(proto)
    words = [as_words(pool.translation(codes.pool)[codes.codes])]
    words += [end_words(table, end) if end in ("src", "dst") else port_words(table, end) for end in ends]
    return mixed(np.hstack(words))


def matches(wanted: NDArray[np.uint64], known: NDArray[np.uint64], allowed: Mask | None = None) -> Rows:
    """For each wanted mark a row that has it, -1 where none (that is allowed) has."""
    rows = np.arange(len(known)) if allowed is None else np.flatnonzero(allowed)
    if not len(rows):
        return np.full(len(wanted), -1)
    order = rows[np.argsort(known[rows], kind="stable")]
    place = np.minimum(np.searchsorted(known[order], wanted), len(order) - 1)
    return np.where(known[order][place] == wanted, order[place], -1)


def without_peer(sockets: Table) -> Mask:
    """UDP that takes from anybody, and TCP that listens."""
    peers = sockets.numbers("dport")
    served = sockets.codes("netid").matching(lambda name: name in UNCONNECTED)
    if "state" in sockets:
        served = served | sockets.codes("state").matching(lambda name: name == LISTENING)
    found: Mask = served & ~(peers.present() & (peers.numbers > 0))
    return found
