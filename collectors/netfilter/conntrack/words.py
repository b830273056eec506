"""What ctnetlink's numbers are called: protocols, states, status bits, labels, in conntrack(8)'s words."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from collectors.netlink.names import NameBits, named_number

CONNLABEL = Path("/etc/xtables/connlabel.conf")

# those that conntrack(8) names; it calls all others unknown
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 58: "icmpv6", 132: "sctp", 136: "udplite"}
FAMILIES = {2: "inet", 10: "inet6"}  # enum, NFPROTO_IPV4 and NFPROTO_IPV6

# uapi linux/netfilter/nf_conntrack_common.h, enum ip_conntrack_status
STATUS_BITS = (
    "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "SRC_NAT", "DST_NAT", "SEQ_ADJUST", "SRC_NAT_DONE",
    "DST_NAT_DONE", "DYING", "FIXED_TIMEOUT", "TEMPLATE", "UNTRACKED", "HELPER", "OFFLOAD", "HW_OFFLOAD",
)  # fmt: skip
STATUS = {name: 1 << bit for bit, name in enumerate(STATUS_BITS)}
# uapi linux/netfilter/nf_conntrack_tcp.h, IP_CT_TCP_FLAG_* and what came later
TCP_FLAG_BITS = (
    "WINDOW_SCALE", "SACK_PERM", "CLOSE_INIT", "BE_LIBERAL", "DATA_UNACKNOWLEDGED", "MAXACK_SET",
    "EXP_CHALLENGE_ACK", "SIMULTANEOUS_OPEN",
)  # fmt: skip
# uapi linux/netfilter/nf_conntrack_common.h, NF_CT_EXPECT_*
EXPECT_FLAG_BITS = ("PERMANENT", "INACTIVE", "USERSPACE")

# enum tcp_conntrack, sctp_conntrack, ct_dccp_states
TCP_STATES = (
    "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
    "SYN_SENT2",
)  # fmt: skip
SCTP_STATES = (
    "NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
    "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED",
)  # fmt: skip
DCCP_STATES = (
    "NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE", "INVALID",
)  # fmt: skip


def bits(names: tuple[str, ...]) -> NameBits:
    return NameBits({1 << bit: name for bit, name in enumerate(names)})


status, tcp_flags, expect_flags = bits(STATUS_BITS), bits(TCP_FLAG_BITS), bits(EXPECT_FLAG_BITS)


def protocol(number: int) -> str:
    return PROTOCOLS.get(number, str(number))


def family(number: int) -> str:
    return FAMILIES.get(number, str(number))


def stated(names: tuple[str, ...]) -> Callable[[int], str]:
    return lambda number: names[number] if number < len(names) else str(number)


def labels(value: bytes) -> list[str] | None:
    """The names of the bits that are set, their numbers where connlabel.conf has none; None where none is."""
    number = int.from_bytes(value, "little")
    names = label_names()
    return [names.get(bit, str(bit)) for bit in range(number.bit_length()) if number >> bit & 1] or None


@lru_cache
def label_names() -> dict[int, str]:
    try:
        lines = CONNLABEL.read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    return dict(entry for line in lines if (entry := named_number(line)))
