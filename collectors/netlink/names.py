"""The words that ip uses for the kernel's numbers: its own defaults, and this host's /etc/iproute2 files."""

from __future__ import annotations

import socket
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collectors.values import ABSENT, IPV4, IPV6, constant
from collectors.wire.netlink import DecodeError

FOLDERS = (Path("/usr/share/iproute2"), Path("/usr/lib/iproute2"), Path("/etc/iproute2"))  # the later one wins

# uapi linux/rtnetlink.h
RTN = ("none", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw",
       "nat", "xresolve")  # fmt: skip
RT_SCOPE = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
RT_TABLE = {0: "unspec", 253: "default", 254: "main", 255: "local"}
RTPROT = {
    0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt", 11: "zebra",
    12: "bird", 13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 17: "mrouted", 18: "keepalived", 42: "babel",
    99: "openr", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp",
}  # fmt: skip
FAMILIES = {0: "any", 2: "inet", 7: "bridge", 10: "inet6", 17: "link", 28: "mpls"}

# address family -> form of values.Addresses, for indexing with an array of families
FORMS = np.full(256, ABSENT, np.uint8)
FORMS[socket.AF_INET], FORMS[socket.AF_INET6] = IPV4, IPV6
LENGTHS = np.zeros(256, np.uint8)
LENGTHS[socket.AF_INET], LENGTHS[socket.AF_INET6] = 4, 16


def family_forms(families: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if len(families) and (families == families[0]).all():
        return constant(FORMS[families[0]], len(families))
    return FORMS[families]


def address_forms(families: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """Forms of addresses of ``length`` octets; DecodeError where that is not the family's length."""
    expected = LENGTHS[np.flatnonzero(np.bincount(families, minlength=1))]
    if ((expected != length) & (expected != 0)).any():
        raise DecodeError(0, f"address of {length} bytes is not of its family")
    return family_forms(families)


def family_name(number: int) -> str:
    return FAMILIES.get(number, f"???{number}")


def route_type(number: int) -> str:
    return RTN[number] if number < len(RTN) else str(number)


def route_scope(number: int) -> str:
    return configured("rt_scopes").get(number) or RT_SCOPE.get(number) or str(number)


def route_table(number: int) -> str:
    return configured("rt_tables").get(number) or RT_TABLE.get(number) or str(number)


def route_protocol(number: int) -> str:
    return configured("rt_protos").get(number) or RTPROT.get(number) or str(number)


def route_realm(number: int) -> str:
    return configured("rt_realms").get(number) or ("unknown" if number == 0 else str(number))


def traffic_class(number: int) -> str:
    return configured("rt_dsfield").get(number) or f"{number:#04x}"


def device_group(number: int) -> str:
    return configured("group").get(number) or ("default" if number == 0 else str(number))


@lru_cache
def configured(name: str) -> dict[int, str]:
    """Numbers and names of one iproute2 name file with its .d folder; what cannot be read is left out."""
    found: dict[int, str] = {}
    for folder in FOLDERS:
        for path in (folder / name, *sorted((folder / f"{name}.d").glob("*.conf"))):
            try:
                lines = path.read_text("utf-8", "replace").splitlines()
            except OSError:
                continue
            found.update(entry for line in lines if (entry := named_number(line)))
    return found


def named_number(line: str) -> tuple[int, str] | None:
    words = line.split("#", 1)[0].split()
    if len(words) < 2:
        return None
    try:
        return int(words[0], 0), words[1]
    except ValueError:
        return None


class NameBits:
    """The words of the bits that are set, in the table's order; unknown bits as one hexadecimal word."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names

    def __call__(self, bits: int) -> list[str]:
        words = [name for bit, name in self.names.items() if bits & bit]
        rest = bits & ~sum(self.names)
        return [*words, f"{rest:#x}"] if rest else words
