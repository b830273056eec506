"""What NAT changes of a flow, told from the difference between its two tuples.

Replies to an untouched flow come from its destination and go to its source. Where the reply tuple has another source,
the destination was changed on the way (DNAT); where it has another destination, the source was (SNAT, of which
masquerading is one kind). A port alone counts too. The status bits SRC_NAT and DST_NAT tell less: they do not say
what changed, and what rewrites flows beside Netfilter's NAT (IPVS) sets none of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netfilter.conntrack.tuples import Ends
from collectors.values import IPV4, IPV6, Codes, Index

NAT = ("SNAT", "DNAT", "SNAT,DNAT")
# (bit, columns of the new address and port, the first tuple's end, the reply tuple's end)
SIDES = (
    (1, "nat_src", "nat_sport", ("src", "sport"), ("dst", "dport")),
    (2, "nat_dst", "nat_dport", ("dst", "dport"), ("src", "sport")),
)


def put_nat(draft: Draft, at: Index, first: Ends, reply: Ends) -> None:
    """The nat columns of the rows at ``at``, whose tuples are these."""
    kinds = None
    for bit, address, port, (was, was_port), (now, now_port) in SIDES:
        moved = differing(first.addresses.get(was), reply.addresses.get(now))
        ports = other_ports(first, reply, was_port, now_port)
        changed = moved if ports is None else moved | ports if moved is not None else ports
        if changed is None or not changed.any():
            continue
        kinds = np.full(len(changed), -1, np.int8) if kinds is None else kinds
        kinds[changed] += bit
        if moved is not None and moved.any():
            octets = reply.addresses[now][moved]
            draft.addresses(address, octets, IPV4 if octets.shape[1] == 4 else IPV6, rows_of(at, moved))
        if ports is not None and now_port in reply.ports and ports.any():
            draft.numbers(port, reply.ports[now_port][ports], rows_of(at, ports))
    if kinds is not None:
        draft.coded("nat", Codes(kinds, NAT), at)


def differing(one: NDArray[np.uint8] | None, other: NDArray[np.uint8] | None) -> NDArray[np.bool_] | None:
    """Which of these addresses, (n, 4 or 16) each, are not the same; None where one side is not known."""
    if one is None or other is None or one.shape != other.shape:
        return None
    found = np.zeros(len(one), np.bool_)
    for left, right in zip(one.view(np.uint32).T, other.view(np.uint32).T, strict=True):
        found |= left != right
    return found


def other_ports(first: Ends, reply: Ends, was: str, now: str) -> NDArray[np.bool_] | None:
    """Which ports are not the same; an ICMP identifier is the source's."""
    if was == "sport" and "icmp_id" in first.ports:
        was = now = "icmp_id"
    if was not in first.ports or now not in reply.ports:
        return None
    found: NDArray[np.bool_] = first.ports[was] != reply.ports[now]
    return found


def rows_of(at: Index, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The rows of a shape that are chosen; a shape that is the whole table has it as a slice."""
    return np.flatnonzero(chosen) if isinstance(at, slice) else at[chosen]
