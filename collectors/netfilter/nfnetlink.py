"""nfnetlink: dumps of Netfilter subsystems, asked only where the kernel has them (uapi linux/netfilter/nfnetlink.h)."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator

import numpy as np

from collectors.collector import Block
from collectors.host import Host
from collectors.netlink import dump, modules
from collectors.table import Gap
from collectors.wire.netlink import Messages, NetlinkError, messages

NETLINK_NETFILTER = 12
CTNETLINK, CTNETLINK_EXP, CTNETLINK_TIMEOUT, IPSET, NFTABLES = 1, 2, 8, 6, 10
NFPROTO_UNSPEC, NFPROTO_INET, NFPROTO_IPV4, NFPROTO_ARP, NFPROTO_NETDEV, NFPROTO_BRIDGE, NFPROTO_IPV6 = (
    0, 1, 2, 3, 5, 7, 10,
)  # fmt: skip

# struct nfgenmsg
NFGENMSG = np.dtype([("nfgen_family", "u1"), ("version", "u1"), ("res_id", ">u2")])

# subsystem -> the module that serves it, a function of that module, and what to call it
SERVED_BY = {
    CTNETLINK: ("nf_conntrack_netlink", "ctnetlink_get_conntrack", "conntrack over netlink"),
    CTNETLINK_EXP: ("nf_conntrack_netlink", "ctnetlink_get_conntrack", "conntrack over netlink"),
    IPSET: ("ip_set", "ip_set_dump", "ipset"),
    NFTABLES: ("nf_tables", "nf_tables_getrule", "nf_tables"),
}

UNSERVED = (errno.EINVAL, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.ENOENT)  # no such subsystem in this kernel


def kind(subsystem: int, message: int) -> int:
    return subsystem << 8 | message


def header(family: int = NFPROTO_UNSPEC, resource: int = 0) -> bytes:
    return struct.pack("=BBH", family, 0, resource)


def dump_of(
    host: Host, subsystem: int, message: int, family: int = NFPROTO_UNSPEC, attributes: bytes = b"", part: str = ""
) -> Iterator[Block]:
    """One dump of a subsystem that is known to be there, see ``absence``."""
    yield from dump.dump(host, NETLINK_NETFILTER, kind(subsystem, message), header(family) + attributes, part)


def one(host: Host, subsystem: int, message: int, family: int = NFPROTO_UNSPEC, attributes: bytes = b"") -> Messages:
    """The one message that answers a request for a single object; raises NetlinkError for a refusal."""
    return dump.answer_one(host, NETLINK_NETFILTER, kind(subsystem, message), header(family) + attributes)


def absence(host: Host, subsystem: int) -> Gap | None:
    """Why the subsystem may not be asked: a request would make the kernel load its module (nfnetlink_rcv_msg)."""
    module, function, called = SERVED_BY[subsystem]
    present = modules.at_hand(host)
    if not modules.missing([module], present) or modules.in_kernel(Host(proc=host.proc), function, present):
        return None
    return Gap(f"{called}: the module {module} is not loaded", f"`modprobe {module}`, where you want it loaded")


def where_present(host: Host, subsystem: int, read: Callable[[Host], Iterator[Block]]) -> Iterator[Block | Gap]:
    """What ``read`` yields of the subsystem, or the gap that says why it may not or cannot be asked."""
    if gap := absence(host, subsystem):
        yield gap
        return
    blocks = read(host)
    try:
        first = next(blocks, None)
        if first is not None:
            messages(first.data)  # where the refusal stands
    except NetlinkError as error:
        if error.errno not in UNSERVED:
            raise
        yield Gap(f"this kernel has no {SERVED_BY[subsystem][2]}")
        return
    if first is not None:
        yield first
    yield from blocks
