"""Headers of captured packets as a table: each layer decodes its header in all packets that have it, then the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.table import Table
from collectors.wire.packets import dns, icmp, link, network, transport, tunnels
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Layer, Protocol, Sheet, marked
from collectors.wire.packets.records import Records

# LINKTYPE_ numbers (12: DLT_RAW, as a live capture has it), ethertypes, IP protocols, ports
LAYERS: dict[Protocol, Layer] = {
    ("link", 0): link.loopback, ("link", 1): link.ethernet, ("link", 12): link.raw, ("link", 101): link.raw,
    ("link", 108): link.loopback, ("link", 113): link.cooked, ("link", 228): network.ipv4,
    ("link", 229): network.ipv6, ("link", 276): link.cooked2,
    ("ether", 0x0800): network.ipv4, ("ether", 0x0806): network.arp, ("ether", 0x8035): network.rarp,
    ("ether", 0x86DD): network.ipv6, ("ether", 0x8100): link.vlan, ("ether", 0x88A8): link.vlan,
    ("ether", 0x9100): link.vlan, ("ether", 0x88CC): marked("LLDP"), ("ether", 0x8847): marked("MPLS"),
    ("ether", 0x8864): marked("PPPoE"), ("ether", 0x8809): marked("LACP"), ("ether", 0x888E): marked("EAPOL"),
    ("tag", 0): link.second_vlan, ("tags", 0): link.further_vlan, ("llc", 0): link.llc,
    ("version", 4): network.ipv4, ("version", 6): network.ipv6,
    ("ip", 1): icmp.icmp, ("ip", 2): marked("IGMP"), ("ip", 4): tunnels.ipip, ("ip", 6): transport.tcp,
    ("ip", 17): transport.udp, ("ip", 33): transport.dccp, ("ip", 41): tunnels.sit, ("ip", 47): tunnels.gre,
    ("ip", 50): marked("ESP"), ("ip", 51): network.authentication, ("ip", 58): icmp.icmp6, ("ip", 89): marked("OSPF"),
    ("ip", 103): marked("PIM"), ("ip", 112): marked("VRRP"), ("ip", 132): transport.sctp,
    ("ip", 136): transport.udplite,
    ("ip6", 0): network.extension, ("ip6", 43): network.extension, ("ip6", 44): network.fragment,
    ("ip6", 51): network.authentication6, ("ip6", 60): network.extension, ("ip6", 135): network.extension,
    ("udp", 53): dns.dns, ("udp", 5353): dns.dns, ("udp", 4789): tunnels.vxlan, ("udp", 8472): tunnels.vxlan,
    ("udp", 6081): tunnels.geneve, ("tcp", 53): dns.dns_in_stream,
}  # fmt: skip
LAYERS |= {("ip6", number): layer for (kind, number), layer in LAYERS.items() if kind == "ip" and number != 51}
AT_ONCE = 32_768  # packets: their columns stay in the processor's cache, which halves the time
DEEPEST = 24  # headers that are looked at in one packet: a packet may claim tunnels without end


def numbers_by_kind() -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for kind, number in LAYERS:
        found[kind].append(number)
    return found


KNOWN = numbers_by_kind()


def decode(records: Records) -> Iterator[Table]:
    """A row for each packet (collectors.wire.packets.columns), in tables of up to ``AT_ONCE``."""
    for start in range(0, len(records), AT_ONCE):
        yield decoded(records.take(slice(start, start + AT_ONCE)), start)


def decoded(records: Records, before: int | NDArray[np.integer] = 0) -> Table:
    """One table; ``before``: packets that were captured before these, or before each of them."""
    sheet = Sheet(len(records))
    frames(sheet, records, before)
    walk(sheet, records, LAYERS)
    return sheet.finish().table()


def walk(sheet: Sheet, records: Records, layers: Mapping[Protocol, Layer]) -> None:
    """Header after header through all of the packets; ``layers``: those of LAYERS, or others in their places."""
    ends = np.minimum(records.at + records.captured, len(records.data))
    stops = np.maximum(ends, records.at + records.lengths)
    waiting: list[tuple[Layer, Cursor, int]] = [
        (layers[("link", number)], Cursor(records.data, rows, records.at[rows], ends[rows], stops[rows]), 1)
        for number, rows in records.by_link()
        if ("link", number) in layers
    ]
    while waiting:
        layer, cursor, depth = waiting.pop()
        for kind, numbers, inside in layer(sheet, cursor):
            if depth < DEEPEST:
                found = divided(kind, numbers, inside)
                waiting += [(layers[following], part, depth + 1) for following, part in found]


def divided(kind: str, numbers: NDArray[Any] | int, cursor: Cursor) -> Iterator[tuple[Protocol, Cursor]]:
    """The packets by what follows; those that nothing here decodes, however many kinds they are of, end."""
    if not len(cursor):
        return
    if isinstance(numbers, int) or (numbers == numbers[0]).all():
        alone = numbers if isinstance(numbers, int) else int(numbers[0])
        if (kind, alone) in LAYERS:
            yield (kind, alone), cursor
        return
    for number in KNOWN[kind]:
        part = cursor.where(numbers == number)
        if len(part):
            yield (kind, number), part


def frames(sheet: Sheet, records: Records, before: int | NDArray[np.integer]) -> None:
    draft = sheet.draft
    earlier = np.arange(before, before + len(records)) if isinstance(before, int) else before
    draft.numbers("number", (earlier + 1).astype(np.uint64))
    draft.numbers("time", records.times)
    draft.numbers("length", records.lengths)
    draft.numbers("captured", records.captured)
    if records.names:
        draft.named("dev", records.devices, lambda device: records.names[device] or None if device >= 0 else None)
