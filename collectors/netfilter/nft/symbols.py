"""nft's names of numbers: its own, and those of this host's files (/etc/protocols, /etc/iproute2, the cgroups)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

Names = Mapping[int, str]

NFPROTO = {2: "ipv4", 10: "ipv6"}
ETHER_TYPE = {0x0800: "ip", 0x0806: "arp", 0x86DD: "ip6", 0x8100: "8021q", 0x88A8: "8021ad"}
ARP_OP = {1: "request", 2: "reply", 3: "rrequest", 4: "rreply", 8: "inrequest", 9: "inreply", 10: "nak"}
ICMP_TYPE = {
    0: "echo-reply", 3: "destination-unreachable", 4: "source-quench", 5: "redirect", 8: "echo-request",
    9: "router-advertisement", 10: "router-solicitation", 11: "time-exceeded", 12: "parameter-problem",
    13: "timestamp-request", 14: "timestamp-reply", 15: "info-request", 16: "info-reply",
    17: "address-mask-request", 18: "address-mask-reply",
}  # fmt: skip
ICMPV6_TYPE = {
    1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem",
    128: "echo-request", 129: "echo-reply", 130: "mld-listener-query", 131: "mld-listener-report",
    132: "mld-listener-done", 133: "nd-router-solicit", 134: "nd-router-advert", 135: "nd-neighbor-solicit",
    136: "nd-neighbor-advert", 137: "nd-redirect", 138: "router-renumbering", 141: "ind-neighbor-solicit",
    142: "ind-neighbor-advert", 143: "mld2-listener-report",
}  # fmt: skip
ICMP_CODE = {
    0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable", 3: "port-unreachable", 4: "frag-needed",
    9: "net-prohibited", 10: "host-prohibited", 13: "admin-prohibited",
}  # fmt: skip
ICMPV6_CODE = {
    0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable", 5: "policy-fail",
    6: "reject-route",
}  # fmt: skip
ICMPX_CODE = {0: "no-route", 1: "port-unreachable", 2: "host-unreachable", 3: "admin-prohibited"}
TCP_FLAG = {1: "fin", 2: "syn", 4: "rst", 8: "psh", 16: "ack", 32: "urg", 64: "ecn", 128: "cwr"}
DCCP_TYPE = dict(
    enumerate(("request", "response", "data", "ack", "dataack", "closereq", "close", "reset", "sync", "syncack"))
)
MH_TYPE = dict(
    enumerate((
        "binding-refresh-request", "home-test-init", "careof-test-init", "home-test", "careof-test", "binding-update",
        "binding-acknowledgement", "binding-error", "fast-binding-update", "fast-binding-acknowledgement",
        "fast-binding-advertisement", "experimental-mobility-header", "home-agent-switch-message",
    ))
)  # fmt: skip
IGMP_TYPE = {
    17: "membership-query", 18: "membership-report-v1", 22: "membership-report-v2", 34: "membership-report-v3",
    23: "leave-group",
}  # fmt: skip
IFACE_TYPE = {1: "ether", 512: "ppp", 768: "ipip", 769: "ipip6", 772: "loopback", 776: "sit", 778: "ipgre"}
CT_STATE = {1: "invalid", 2: "established", 4: "related", 8: "new", 64: "untracked"}
CT_DIR = {0: "original", 1: "reply"}
CT_STATUS = {1: "expected", 2: "seen-reply", 4: "assured", 8: "confirmed", 16: "snat", 32: "dnat", 512: "dying"}
CT_EVENT = {
    1 << bit: name
    for bit, name in enumerate((
        "new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "seqadj", "secmark", "label",
    ))
}  # fmt: skip
PKT_TYPE = {0: "host", 1: "broadcast", 2: "multicast", 3: "other"}
DSCP = {
    0: "cs0", 1: "lephb", 8: "cs1", 10: "af11", 12: "af12", 14: "af13", 16: "cs2", 18: "af21", 20: "af22",
    22: "af23", 24: "cs3", 26: "af31", 28: "af32", 30: "af33", 32: "cs4", 34: "af41", 36: "af42", 38: "af43",
    40: "cs5", 44: "va", 46: "ef", 48: "cs6", 56: "cs7",
}  # fmt: skip
ECN = {0: "not-ect", 1: "ect1", 2: "ect0", 3: "ce"}
FIB_ADDR_TYPE = dict(
    enumerate((
        "unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit",
    ))
)  # fmt: skip
BOOLEAN = {0: "missing", 1: "exists"}
DAY = dict(enumerate(("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")))

CGROUPS = "/sys/fs/cgroup"
SECONDS = 5  # for which a walk through the cgroups holds


@lru_cache(maxsize=1)
def protocols() -> Names:
    """Names of IP protocols by /etc/protocols (getprotobynumber)."""
    found: dict[int, str] = {}
    for words in lines("/etc/protocols"):
        if len(words) > 1 and words[1].isdecimal():
            found.setdefault(int(words[1]), words[0])
    return found


def marks() -> Names:
    return numbered("/etc/iproute2/rt_marks")


def realms() -> Names:
    return numbered("/etc/iproute2/rt_realms")


def groups() -> Names:
    return numbered("/etc/iproute2/group")


def connlabels() -> Names:
    return numbered("/etc/connlabel.conf") or numbered("/etc/xtables/connlabel.conf")


@lru_cache
def numbered(path: str) -> Names:
    """iproute2's ``number name`` lines; the first name of a number is nft's, and a line it cannot read its last."""
    found: dict[int, str] = {}
    for words in lines(path):
        try:
            number = int(words[0], 16 if words[0].startswith("0x") else 10)
            found.setdefault(number, words[1])
        except (ValueError, IndexError):
            break
    return found


def lines(path: str) -> list[list[str]]:
    """The words of each line that holds more than a remark."""
    try:
        text = Path(path).read_text("utf-8", "surrogateescape")
    except OSError:
        return []
    return [words for line in text.splitlines() if (words := line.split("#", 1)[0].split())]


def cgroup_path(number: int) -> str | None:
    """The path of a version 2 cgroup below its mount, by its inode; None where there is none."""
    return cgroups(int(time.monotonic() // SECONDS)).get(number)


@lru_cache(maxsize=1)
def cgroups(moment: int) -> Names:
    """Paths of all cgroups by inode, walked once for all rules that are told at a ``moment``."""
    found: dict[int, str] = {}
    for folder, names, _ in os.walk(CGROUPS):
        for path in (Path(folder, name) for name in names):
            with suppress(OSError):
                found[path.stat().st_ino] = str(path.relative_to(CGROUPS))
    return found
