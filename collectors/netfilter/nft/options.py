"""IPv6 extension headers, TCP and IP options and SCTP chunks, as nft 1.0.6 names their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft.headers import Field
from collectors.netfilter.nft.terms import Option

OP_IPV6, OP_TCPOPT, OP_IPV4, OP_SCTP = range(4)  # NFT_EXTHDR_OP_*
NFT_EXTHDR_F_PRESENT = 1

Fields = Mapping[int, Sequence[tuple[str, Sequence[Field]]]]  # by number: names, each with its fields

NEXT = (Field("nexthdr", 0, 8, types.INET_PROTOCOL), Field("hdrlength", 8, 8))
IPV6: Fields = {
    0: [("hbh", NEXT)],
    43: [
        ("rt", (*NEXT, Field("type", 16, 8), Field("seg-left", 24, 8))),
        (
            "srh",
            (
                Field("last-entry", 32, 8),
                Field("flags", 40, 8),
                Field("tag", 48, 16),
                Field("sid[1]", 64, 128, types.IP6ADDR),
                Field("sid[2]", 192, 128, types.IP6ADDR),
            ),
        ),
        ("rt0", (Field("reserved", 32, 32),)),
    ],
    44: [
        (
            "frag",
            (
                NEXT[0],
                Field("reserved", 8, 8),
                Field("frag-off", 16, 13),
                Field("reserved2", 29, 2),
                Field("more-fragments", 31, 1),
                Field("id", 32, 32),
            ),
        )
    ],
    60: [("dst", NEXT)],
    135: [("mh", (*NEXT, Field("type", 16, 8, types.MH_TYPE), Field("reserved", 24, 8), Field("checksum", 32, 16)))],
}
KIND = (Field("kind", 0, 8),)
KIND_LENGTH = (*KIND, Field("length", 8, 8))
TCP: Fields = {
    0: [("eol", KIND)],
    1: [("nop", KIND)],
    2: [("maxseg", (*KIND_LENGTH, Field("size", 16, 16)))],
    3: [("window", (*KIND_LENGTH, Field("count", 16, 8)))],
    4: [("sack-perm", KIND_LENGTH)],
    5: [
        ("sack", (*KIND_LENGTH, Field("left", 16, 32), Field("right", 48, 32))),
        ("sack1", (Field("left", 80, 32), Field("right", 112, 32))),
        ("sack2", (Field("left", 144, 32), Field("right", 176, 32))),
        ("sack3", (Field("left", 208, 32), Field("right", 240, 32))),
    ],
    8: [("timestamp", (*KIND_LENGTH, Field("tsval", 16, 32), Field("tsecr", 48, 32)))],
    19: [("md5sig", KIND_LENGTH)],
    30: [("mptcp", (*KIND_LENGTH, Field("subtype", 16, 4)))],
    34: [("fastopen", KIND_LENGTH)],
}
ROUTE = (
    Field("type", 0, 8),
    Field("length", 8, 8),
    Field("ptr", 16, 8),
    Field("addr", 24, 32, types.IPADDR),
)
IPV4: Fields = {
    7: [("rr", ROUTE)],
    131: [("lsrr", ROUTE)],
    137: [("ssrr", ROUTE)],
    148: [("ra", (*ROUTE[:2], Field("value", 16, 16)))],
}
CHUNK = (Field("type", 0, 8), Field("flags", 8, 8), Field("length", 16, 16))
INIT = (
    *CHUNK,
    Field("init-tag", 32, 32),
    Field("a-rwnd", 64, 32),
    Field("num-outbound-streams", 96, 16),
    Field("num-inbound-streams", 112, 16),
    Field("initial-tsn", 128, 32),
)
DATA = (*CHUNK, Field("tsn", 32, 32), Field("stream", 64, 16), Field("ssn", 80, 16), Field("ppid", 96, 32))
SACK = (
    *CHUNK,
    Field("cum-tsn-ack", 32, 32),
    Field("a-rwnd", 64, 32),
    Field("num-gap-ack-blocks", 96, 16),
    Field("num-dup-tsns", 112, 16),
)
SHUTDOWN = (*CHUNK, Field("cum-tsn-ack", 32, 32))
LOWEST = (*CHUNK, Field("lowest-tsn", 32, 32))
SEQUENCE = (*CHUNK, Field("seqno", 32, 32))
SCTP: Fields = {
    0: [("data", DATA)],
    1: [("init", INIT)],
    2: [("init-ack", INIT)],
    3: [("sack", SACK)],
    4: [("heartbeat", CHUNK)],
    5: [("heartbeat-ack", CHUNK)],
    6: [("abort", CHUNK)],
    7: [("shutdown", SHUTDOWN)],
    8: [("shutdown-ack", CHUNK)],
    9: [("error", CHUNK)],
    10: [("cookie-echo", CHUNK)],
    11: [("cookie-ack", CHUNK)],
    12: [("ecne", LOWEST)],
    13: [("cwr", LOWEST)],
    14: [("shutdown-complete", CHUNK)],
    0x80: [("asconf-ack", SEQUENCE)],
    0xC0: [("forward-tsn", (*CHUNK, Field("new-cum-tsn", 32, 32)))],
    0xC1: [("asconf", SEQUENCE)],
}
KINDS = {
    OP_IPV6: ("", IPV6),
    OP_TCPOPT: ("tcp option ", TCP),
    OP_IPV4: ("ip option ", IPV4),
    OP_SCTP: ("sctp chunk ", SCTP),
}


def option(operation: int, number: int, offset: int, bits: int, flags: int) -> Option:
    """What an exthdr expression loads or sets; ``known`` is false for bits that are no field."""
    lead, fields = KINDS[operation]
    known = fields.get(number, ())
    if flags & NFT_EXTHDR_F_PRESENT:
        name = known[0][0] if known else str(number)
        said = f"exthdr {name}" if operation == OP_IPV6 else f"{lead}{name}"
        return Option(operation, number, offset, bits, said, types.BOOLEAN)
    for name, candidates in known:
        for field in candidates:
            if (field.offset, field.bits) == (offset, bits):
                return Option(operation, number, offset, bits, f"{lead}{name} {field.name}", field.data_type)
    return unknown(operation, number, offset, bits, known[0][0] if known else None)


def unknown(operation: int, number: int, offset: int, bits: int, name: str | None) -> Option:
    lead = KINDS[operation][0]
    said = f"tcp option @{number},{offset},{bits}"
    if operation != OP_TCPOPT:
        said = f"{lead}{name or ('unknown-exthdr' if operation == OP_IPV6 else 'unknown')} unknown"
    return Option(operation, number, offset, bits, said, types.INTEGER, known=False)


def trimmed(found: Option, mask: int, bits: int) -> tuple[Option, int] | None:
    """The field that a mask of ``bits`` selects and the bits below it; None where it selects none."""
    if found.known or not mask:
        return None
    low, high = (mask & -mask).bit_length() - 1, mask.bit_length()
    part = option(found.operation, found.number, found.offset + bits - high, high - low, 0)
    return (part, low) if part.known else None
