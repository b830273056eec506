"""Links of the namespaces that this one has ids for, so that a peer there has a name: RTM_GETLINK by namespace id."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator

import numpy as np

from collectors.collector import INTERRUPTED, Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink.dump import NETLINK_ROUTE, answer, open_netlink
from collectors.netlink.link_names import HEADER, leading_names
from collectors.netlink.namespace_ids import dump_ids, known_ids
from collectors.table import Column, Gap, Table, concatenate
from collectors.wire.netlink import NLM_F_DUMP, DecodeError, Messages, NetlinkError, attribute, messages, request
from collectors.wire.shapes import shapes

RTM_NEWLINK, RTM_GETLINK = 16, 18
IFLA_MTU, IFLA_EXT_MASK, IFLA_TARGET_NETNSID = 4, 29, 46
IFINFOMSG = 16  # bytes of struct ifinfomsg
TARGET = 8  # bytes of IFLA_TARGET_NETNSID, which leads such messages; the name follows
RTEXT_FILTER_SKIP_STATS = 8  # uapi linux/rtnetlink.h

COLUMNS = (
    Column("netnsid", "i4", "key", help="id of the namespace, as link_netnsid has it"),
    Column("ifindex", "i4", "key", help="number of the device there"),
    Column("ifname", "text", "label", help="its name there"),
    Column("mtu", "u4", "label", help="largest packet"),
)
DENIED = Gap("links of other namespaces may not be listed", "run as root (CAP_NET_ADMIN)")


def read(host: Host) -> Iterator[Block]:
    """One dump for each id; a block's part is the id."""
    with open_netlink(host, NETLINK_ROUTE) as sock:
        ids = [number for block in dump_ids(sock) for number in known_ids(messages(block.data))]
        for number in ids:
            target = attribute(IFLA_TARGET_NETNSID, struct.pack("=i", number))
            mask = attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_SKIP_STATS))
            sock.send(request(RTM_GETLINK, NLM_F_DUMP, 1, bytes(16) + target + mask))
            yield from answer(sock, str(number))


def decode(raw: Raw) -> Table:
    """A row per link of each namespace; one that may not be read leaves a gap, one that has gone leaves nothing."""
    tables = [Draft(COLUMNS, 0).table()]
    gaps: list[Gap] = []
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
            continue
        try:
            found = messages(item.data)
        except NetlinkError as error:
            if error.errno in (errno.EPERM, errno.EACCES):
                gaps.append(DENIED)
            elif error.errno not in (errno.EINVAL, errno.ENOENT, errno.ENONET):
                raise
            continue
        gaps.extend([INTERRUPTED] if found.interrupted else [])
        tables.append(rows(found.of(RTM_NEWLINK), int(item.part)))
    return concatenate(tables).with_gaps(tuple(dict.fromkeys(gaps)))


def rows(found: Messages, netnsid: int) -> Table:
    if (found.lengths < HEADER).any():
        raise DecodeError(int(found.offsets[(found.lengths < HEADER).argmax()]), "link message without its header")
    draft = Draft(COLUMNS, len(found))
    draft.numbers("netnsid", netnsid)
    draft.numbers("ifindex", found.data.view(np.int32)[(found.offsets >> 2) + 5])
    draft.cells("ifname", leading_names(found, HEADER + TARGET)[1])
    for shape in shapes(found, IFINFOMSG):
        if IFLA_MTU in shape:
            draft.numbers("mtu", shape.number("<u4", IFLA_MTU), shape.at)
    return draft.table()


PEERS = Collector("peers", COLUMNS, read, decode, "rtnetlink RTM_GETLINK with IFLA_TARGET_NETNSID", every=10.0)
