"""A device takes every frame, and neither a bridge, a device on top nor a capture explains it."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

import numpy as np

from collectors.table import Table
from nettui.findings.finding import Diagnosis, Finding, Tables
from nettui.findings.rows import Mask, above, counted, is_one_of, listed, picked

ABOVE = ("macvlan", "macvtap", "ipvlan", "ipvtap", "vlan", "macsec")  # kinds that may want the frames of others
OWN = ("bridge", "bond", "team", "openvswitch", "batadv")


def find(tables: Tables) -> Iterator[Finding]:
    links = tables["links"]
    found = above(links, "promiscuity") & ~links["master_index"].present() & ~is_one_of(links, "kind", *OWN)
    found &= ~carrying(links)
    if not found.any() or capturing(tables["sockets"], None):
        return
    rows = [
        row
        for row in picked(links, found, "ifindex", "ifname", "promiscuity")
        if not capturing(tables["sockets"], row["ifindex"])
    ]
    if rows:
        yield Finding(
            "note",
            listed([row["ifname"] for row in rows], 3),
            f"{counted(len(rows), 'device')} left promiscuous: it takes frames for other hosts, and no capture runs",
            tuple(f"links: {row['ifname']} promiscuity {row['promiscuity']}" for row in rows[:5]),
            (
                "nettui report links --where 'promiscuity > 0' --columns ifname,promiscuity,flags  # all of them",
                f"ip link set dev {quote(str(rows[0]['ifname']))} promisc off  # changes the host; undoes `promisc on`",
            ),
            "links",
            "promiscuity > 0 and not has master_index",
        )


def carrying(links: Table) -> Mask:
    """Devices that another one, which may want frames of other hosts, stands on."""
    upper = is_one_of(links, "kind", *ABOVE) & ~links["link_netnsid"].present()
    return np.isin(links.numbers("ifindex").numbers, links.numbers("link_index").numbers[upper])


def capturing(sockets: Table, index: object) -> bool:
    """Whether a packet socket is bound to the device, or, for None, to no device."""
    captures = is_one_of(sockets, "netid", "p_raw", "p_dgr")
    bound = sockets.numbers("oif")
    here = ~bound.present() | (bound.numbers == 0)
    return bool((captures & (here if index is None else ~here & (bound.numbers == index))).any())


PROMISCUOUS = Diagnosis("promiscuous", "a device was left promiscuous", ("links", "sockets"), find)
