"""Policy routing rules, IPv4 and IPv6, from rtnetlink RTM_GETRULE, in the order in which they are asked."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink import names
from collectors.netlink.dump import NETLINK_ROUTE, decode_dump, dump
from collectors.table import Column, Table
from collectors.values import Cell, address_text
from collectors.wire.netlink import Messages, text
from collectors.wire.shapes import Shape, shapes

RTM_NEWRULE, RTM_GETRULE = 32, 34

# uapi linux/fib_rules.h, struct fib_rule_hdr
FIB_RULE_HDR = np.dtype(
    [
        ("family", "u1"),
        ("dst_len", "u1"),
        ("src_len", "u1"),
        ("tos", "u1"),
        ("table", "u1"),
        ("res1", "u1"),
        ("res2", "u1"),
        ("action", "u1"),
        ("flags", "<u4"),
    ]
)
FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_GOTO, FRA_PRIORITY = 1, 2, 3, 4, 6
FRA_FWMARK, FRA_FLOW, FRA_TUN_ID, FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, FRA_FWMASK = range(10, 17)
FRA_OIFNAME, FRA_L3MDEV, FRA_UID_RANGE, FRA_PROTOCOL, FRA_IP_PROTO = 17, 19, 20, 21, 22
FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_DSCP = 23, 24, 25  # FRA_DSCP since 6.13
FRA_FLOWLABEL, FRA_FLOWLABEL_MASK = 26, 27  # since 6.14
FRA_SPORT_MASK, FRA_DPORT_MASK, FRA_DSCP_MASK = 28, 29, 30  # since 6.15
FIB_RULE_FLAGS = {0x02: "not", 0x04: "unresolved", 0x08: "iif_detached", 0x10: "oif_detached"}
FR_ACT_TO_TBL, FR_ACT_GOTO, FR_ACT_NOP = 1, 2, 3
UNSET = 0xFFFFFFFF  # of suppressors, which are -1 when not set

COLUMNS = (
    Column("family", "text", "key", help="inet or inet6"),
    Column("priority", "u4", "key", help="the smallest is asked first"),
    Column("not", "bool", "label", help="the rule is for what does not match"),
    Column("src", "text", "key", help="source address that the rule is for, or all"),
    Column("srclen", "u1", "key", help="its prefix length, where it is not a whole address"),
    Column("dst", "text", "key", help="destination address that the rule is for"),
    Column("dstlen", "u1", "key", help="its prefix length, where it is not a whole address"),
    Column("from", "address", "label", help="source prefix, to filter by"),
    Column("to", "address", "label", help="destination prefix, to filter by"),
    Column("tos", "text", "key", help="type of service, by its name in rt_dsfield"),
    Column("dscp", "text", "key", help="differentiated services code point; since 6.13"),
    Column("dscp_mask", "text", "key", help="bits of the code point that count; since 6.15"),
    Column("flowlabel", "text", "key", help="IPv6 flow label; since 6.14"),
    Column("flowlabel_mask", "text", "key", help="bits of the flow label that count"),
    Column("fwmark", "text", "key", help="packet mark, hexadecimal"),
    Column("fwmask", "text", "key", help="bits of the mark that count"),
    Column("iif", "text", "key", help="interface the packet came in by; lo: made here"),
    Column("iif_detached", "bool", "label", help="that interface does not exist: the rule matches nothing"),
    Column("oif", "text", "key", help="interface that the socket is bound to"),
    Column("oif_detached", "bool", "label", help="that interface does not exist: the rule matches nothing"),
    Column("l3mdev", "bool", "key", help="the table is that of the packet's VRF"),
    Column("uid_start", "u4", "key", help="first user id of the range"),
    Column("uid_end", "u4", "key", help="last user id of the range"),
    Column("ipproto", "text", "key", help="IP protocol"),
    Column("sport", "u2", "key", help="source port"),
    Column("sport_start", "u2", "key", help="first source port of a range"),
    Column("sport_end", "u2", "key", help="last source port of a range"),
    Column("sport_mask", "text", "key", help="bits of the source port that count; since 6.15"),
    Column("dport", "u2", "key", help="destination port"),
    Column("dport_start", "u2", "key", help="first destination port of a range"),
    Column("dport_end", "u2", "key", help="last destination port of a range"),
    Column("dport_mask", "text", "key", help="bits of the destination port that count; since 6.15"),
    Column("tun_id", "u8", "key", help="tunnel key"),
    Column("table", "text", "label", help="routing table to look in, by its name in rt_tables"),
    Column("suppress_prefixlen", "i4", "label", help="routes of this prefix length or shorter do not count"),
    Column("suppress_ifgroup", "text", "label", help="routes by interfaces of this group do not count"),
    Column("flow_from", "text", "label", help="realm of origin"),
    Column("flow_to", "text", "label", help="realm of destination"),
    Column("goto", "u4", "label", help="priority of the rule to go on with"),
    Column("unresolved", "bool", "label", help="there is no rule of that priority"),
    Column("nop", "bool", "label", help="does nothing: a place to go to"),
    Column("action", "text", "label", help="blackhole, unreachable or prohibit"),
    Column("protocol", "text", "label", help="who made the rule"),
)

MASKS = (
    ("dscp_mask", FRA_DSCP_MASK, "u1", 0x3F),
    ("flowlabel_mask", FRA_FLOWLABEL_MASK, ">u4", 0xFFFFF),
    ("sport_mask", FRA_SPORT_MASK, "<u2", 0xFFFF),
    ("dport_mask", FRA_DPORT_MASK, "<u2", 0xFFFF),
)


def read(host: Host) -> Iterator[Block]:
    for family, part in ((socket.AF_INET, "inet"), (socket.AF_INET6, "inet6")):
        yield from dump(host, NETLINK_ROUTE, RTM_GETRULE, struct.pack("=8BI", family, *bytes(7), 0), part)


def decode(raw: Raw) -> Table:
    return decode_dump(raw, {"inet": rows, "inet6": rows}, [RTM_NEWRULE])


def rows(messages: Messages) -> Table:
    draft = Draft(COLUMNS, len(messages))
    for shape in shapes(messages, FIB_RULE_HDR.itemsize):
        header = shape.header(FIB_RULE_HDR)
        draft.named("family", header["family"], names.family_name, shape.at)
        draft.numbers("priority", shape.number("<u4", FRA_PRIORITY) if FRA_PRIORITY in shape else 0, shape.at)
        put_prefix(draft, shape, header, "src", FRA_SRC)
        put_prefix(draft, shape, header, "dst", FRA_DST)
        put_selectors(draft, shape, header)
        put_action(draft, shape, header)
    return draft.table()


def put_prefix(draft: Draft, shape: Shape, header: NDArray[np.void], name: str, number: int) -> None:
    """``src`` and ``srclen`` as ``ip -j rule`` prints them, and the prefix as one address."""
    lengths, families = header[f"{name}_len"], header["family"]
    if number not in shape:
        if name == "src":
            draft.named("src", lengths, lambda length: "0" if length else "all", shape.at)
        draft.numbers(f"{name}len", lengths, shape.at, lengths != 0)
        return
    octets = shape.bytes_of(number)
    forms = names.address_forms(families, octets.shape[1])
    draft.addresses({"src": "from", "dst": "to"}[name], octets, forms, shape.at, lengths)
    draft.spelled(name, np.column_stack([forms, octets]), lambda raw: address_text(raw[1:], raw[0]), shape.at)
    draft.numbers(f"{name}len", lengths, shape.at, lengths != np.where(families == socket.AF_INET, 32, 128))


def put_selectors(draft: Draft, shape: Shape, header: NDArray[np.void]) -> None:
    at = shape.at
    put_bits(draft, shape, header["flags"])
    for name, number in (("iif", FRA_IIFNAME), ("oif", FRA_OIFNAME)):
        if number in shape:
            draft.spelled(name, shape.bytes_of(number), text, at)
    put_mark(draft, shape)
    draft.named("tos", header["tos"], lambda number: names.traffic_class(number) if number else None, at)
    if FRA_DSCP in shape:
        draft.named("dscp", shape.number("u1", FRA_DSCP), code_point, at)
    if FRA_FLOWLABEL in shape:
        draft.named("flowlabel", shape.number(">u4", FRA_FLOWLABEL), hexadecimal, at)
    for name, number, dtype, whole in MASKS:
        if number in shape:
            draft.named(name, shape.number(dtype, number), partial(mask, whole), at)
    if FRA_L3MDEV in shape:
        draft.numbers("l3mdev", True, at, shape.number("u1", FRA_L3MDEV) != 0)
    if FRA_UID_RANGE in shape:
        draft.numbers("uid_start", shape.number("<u8", FRA_UID_RANGE) & np.uint64(UNSET), at)
        draft.numbers("uid_end", shape.number("<u8", FRA_UID_RANGE) >> np.uint64(32), at)
    if FRA_IP_PROTO in shape:
        draft.named("ipproto", shape.number("u1", FRA_IP_PROTO), ip_protocol, at)
    if FRA_TUN_ID in shape:
        draft.numbers("tun_id", shape.number(">u8", FRA_TUN_ID), at)
    for name, number in (("sport", FRA_SPORT_RANGE), ("dport", FRA_DPORT_RANGE)):
        if number in shape:
            put_ports(draft, shape, name, shape.number("<u4", number))


def put_bits(draft: Draft, shape: Shape, flags: NDArray[np.uint32]) -> None:
    for bit, name in FIB_RULE_FLAGS.items():
        if (flags & bit).any():
            draft.numbers(name, True, shape.at, flags & bit != 0)


def put_mark(draft: Draft, shape: Shape) -> None:
    if FRA_FWMARK in shape or FRA_FWMASK in shape:
        marks = shape.number("<u4", FRA_FWMARK) if FRA_FWMARK in shape else np.zeros(len(shape), "<u4")
        draft.named("fwmark", marks, hexadecimal, shape.at)
    if FRA_FWMASK in shape:
        draft.named("fwmask", shape.number("<u4", FRA_FWMASK), partial(mask, UNSET), shape.at)


def put_ports(draft: Draft, shape: Shape, name: str, ports: NDArray[np.uint32]) -> None:
    """struct fib_rule_port_range { __u16 start; __u16 end; }"""
    start, end = ports & 0xFFFF, ports >> 16
    draft.numbers(name, start, shape.at, start == end)
    draft.numbers(f"{name}_start", start, shape.at, start != end)
    draft.numbers(f"{name}_end", end, shape.at, start != end)


def put_action(draft: Draft, shape: Shape, header: NDArray[np.void]) -> None:
    at, actions = shape.at, header["action"]
    tables = shape.number("<u4", FRA_TABLE) if FRA_TABLE in shape else header["table"]
    draft.named("table", tables, lambda number: names.route_table(number) if number else None, at)
    if FRA_SUPPRESS_PREFIXLEN in shape:
        longest = shape.number("<i4", FRA_SUPPRESS_PREFIXLEN)
        draft.numbers("suppress_prefixlen", longest, at, longest != -1)
    if FRA_SUPPRESS_IFGROUP in shape:
        draft.named("suppress_ifgroup", shape.number("<u4", FRA_SUPPRESS_IFGROUP), suppressed_group, at)
    if FRA_FLOW in shape:
        flows = shape.number("<u4", FRA_FLOW)
        draft.named("flow_from", flows >> 16, lambda realm: names.route_realm(realm) if realm else None, at)
        draft.named("flow_to", flows & 0xFFFF, names.route_realm, at)
    if FRA_PROTOCOL in shape:
        draft.named("protocol", shape.number("u1", FRA_PROTOCOL), names.route_protocol, at)
    if FRA_GOTO in shape:
        draft.numbers("goto", shape.number("<u4", FRA_GOTO), at, actions == FR_ACT_GOTO)
    draft.numbers("nop", True, at, actions == FR_ACT_NOP)
    draft.named("action", actions, action, at)


def action(number: int) -> Cell:
    return None if number in (0, FR_ACT_TO_TBL, FR_ACT_GOTO, FR_ACT_NOP) else names.route_type(number)


def suppressed_group(number: int) -> Cell:
    return None if number == UNSET else names.device_group(number)


def code_point(number: int) -> str:
    return names.configured("rt_dsfield").get(number << 2) or f"{number:#04x}"


def mask(whole: int, number: int) -> Cell:
    """Hexadecimal; a mask of all bits is none, as ip has it."""
    return None if number == whole else hexadecimal(number)


def hexadecimal(number: int) -> str:
    """As printf's %#x has it: 0 stays 0."""
    return f"{number:#x}" if number else "0"


def ip_protocol(number: int) -> str:
    return protocols().get(number) or f"ipproto-{number}"


@lru_cache
def protocols() -> dict[int, str]:
    """This host's /etc/protocols, the first name of each number."""
    found: dict[int, str] = {}
    try:
        lines = Path("/etc/protocols").read_text("utf-8", "replace").splitlines()
    except OSError:
        return found
    for line in lines:
        words = line.split("#", 1)[0].split()
        if len(words) > 1 and words[1].isascii() and words[1].isdecimal():
            found.setdefault(int(words[1]), words[0])
    return found


RULES = Collector("rules", COLUMNS, read, decode, "rtnetlink RTM_GETRULE")
