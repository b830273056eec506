"""Rules of iptables-nft and ip6tables-nft: nf_tables' expressions told as iptables-nft-save prints them.

What iptables could not have written raises NotTheirs. (iptables/nft-ruleparse.c reads; nft-ipv4.c, nft-ipv6.c write.)
"""

from __future__ import annotations

from collections.abc import Callable

from collectors.netfilter.nft.model import Context
from collectors.netfilter.nft.uapi import (
    NFTA_COUNTER_BYTES,
    NFTA_COUNTER_PACKETS,
    NFTA_DATA_VALUE,
    NFTA_DATA_VERDICT,
    NFTA_EXPR_DATA,
    NFTA_EXPR_NAME,
    NFTA_VERDICT_CHAIN,
    NFTA_VERDICT_CODE,
)
from collectors.netfilter.told import NotTheirs, Told
from collectors.netfilter.xt import extensions, nft_match, parts
from collectors.netfilter.xt.nft_compare import compare, compare_range
from collectors.netfilter.xt.nft_reading import Load, Reading
from collectors.netfilter.xt.setting import Setting
from collectors.wire.netlink import DecodeError
from collectors.wire.templates import View, told_string

Attributes = dict[int, View]

# uapi linux/netfilter/nf_tables.h
PAYLOAD_DREG, PAYLOAD_BASE, PAYLOAD_OFFSET, PAYLOAD_LEN = range(1, 5)
META_DREG, META_KEY, META_SREG = range(1, 4)
BITWISE_SREG, BITWISE_DREG, BITWISE_LEN, BITWISE_MASK, BITWISE_XOR, BITWISE_OP = range(1, 7)
CMP_SREG, CMP_OP, CMP_DATA = range(1, 4)
RANGE_SREG, RANGE_OP, RANGE_FROM, RANGE_TO = range(1, 5)
IMMEDIATE_DREG, IMMEDIATE_DATA = 1, 2
EXTENSION_NAME, EXTENSION_REV, EXTENSION_INFO = 1, 2, 3
META_NFTRACE = 12
NF_DROP, NF_ACCEPT, NFT_RETURN, NFT_GOTO, NFT_JUMP, NFT_CONTINUE = 0, 1, -5, -4, -3, -1
VERDICTS = {NF_DROP: ("DROP", "drop"), NF_ACCEPT: ("ACCEPT", "accept"), NFT_RETURN: ("RETURN", "return")}


def tell(expressions: View, context: Context) -> Told:
    """A rule from its NFTA_RULE_EXPRESSIONS."""
    reading = Reading(context, Setting(context.family, context.ipsets))
    for _, element in expressions.attributes():
        found = element.attribute_map()
        name = found[NFTA_EXPR_NAME].text() if NFTA_EXPR_NAME in found else ""
        reader = READERS.get(name)
        if reader is None:
            raise NotTheirs(name)
        data = found[NFTA_EXPR_DATA].attribute_map() if NFTA_EXPR_DATA in found else {}
        try:
            reader(reading, data)
        except KeyError as missing:
            raise DecodeError(element.start, f"{name} without attribute {missing}") from missing
    return reading.told()


def read_counter(reading: Reading, data: Attributes) -> None:
    reading.packets, reading.bytes = data[NFTA_COUNTER_PACKETS].place(">u8"), data[NFTA_COUNTER_BYTES].place(">u8")


def read_payload(reading: Reading, data: Attributes) -> None:
    base, offset, length = (data[key].number() for key in (PAYLOAD_BASE, PAYLOAD_OFFSET, PAYLOAD_LEN))
    reading.registers[data[PAYLOAD_DREG].number()] = Load(base, offset, length)


def read_meta(reading: Reading, data: Attributes) -> None:
    key = data[META_KEY].number()
    if META_SREG not in data:
        reading.registers[data[META_DREG].number()] = Load(key=key)
        return
    value = reading.load(data[META_SREG]).value
    if key != META_NFTRACE or value is None or not any(value.octets()):
        raise NotTheirs("meta set")
    reading.end((" -j TRACE",))


def read_bitwise(reading: Reading, data: Attributes) -> None:
    load = reading.load(data[BITWISE_SREG])
    operation = data[BITWISE_OP].number() if BITWISE_OP in data else 0
    if operation or load.mask is not None or any(value(data[BITWISE_XOR]).octets()):
        raise NotTheirs("bitwise")
    masked = Load(load.base, load.offset, load.length, load.key, load.value, value(data[BITWISE_MASK]))
    reading.registers[data[BITWISE_DREG].number()] = masked


def value(data: View) -> View:
    return data.attribute_map()[NFTA_DATA_VALUE]


def read_cmp(reading: Reading, data: Attributes) -> None:
    compare(reading, reading.load(data[CMP_SREG]), data[CMP_OP].number(), value(data[CMP_DATA]))


def read_range(reading: Reading, data: Attributes) -> None:
    low, high = value(data[RANGE_FROM]), value(data[RANGE_TO])
    compare_range(reading, reading.load(data[RANGE_SREG]), low, high, bool(data[RANGE_OP].number()))


def read_immediate(reading: Reading, data: Attributes) -> None:
    found = data[IMMEDIATE_DATA].attribute_map()
    if NFTA_DATA_VERDICT not in found:
        reading.registers[data[IMMEDIATE_DREG].number()] = Load(value=found[NFTA_DATA_VALUE])
        return
    verdict = found[NFTA_DATA_VERDICT].attribute_map()
    code = verdict[NFTA_VERDICT_CODE].number(">i")
    if code in VERDICTS:
        name, word = VERDICTS[code]
        reading.end((f" -j {name}",), (word,))
    elif code in (NFT_JUMP, NFT_GOTO):
        chain = verdict[NFTA_VERDICT_CHAIN].hole(told_string)
        letter, word = ("g", "goto") if code == NFT_GOTO else ("j", "jump")
        reading.end((f" -{letter} ", chain), (f"{word} ", chain))
    elif code != NFT_CONTINUE:
        raise NotTheirs("verdict")


def read_match(reading: Reading, data: Attributes) -> None:
    name, revision = data[EXTENSION_NAME].text(), data[EXTENSION_REV].number()
    info = data[EXTENSION_INFO]
    reading.comment = reading.comment or parts.remark(name, info)
    reading.matches.append(extensions.match(name, revision, info, reading.setting))


def read_target(reading: Reading, data: Attributes) -> None:
    name, revision = data[EXTENSION_NAME].text(), data[EXTENSION_REV].number()
    verdict = parts.VERDICTS.get(name)
    text = extensions.target(name, revision, data[EXTENSION_INFO], reading.setting)
    reading.end(text, (verdict,) if verdict else ())


def read_limit(reading: Reading, data: Attributes) -> None:
    reading.matches.append(nft_match.limit(data, reading.setting))


def read_log(reading: Reading, data: Attributes) -> None:
    reading.end(nft_match.log(data, reading.setting))


READERS: dict[str, Callable[[Reading, Attributes], None]] = {
    "counter": read_counter,
    "payload": read_payload,
    "meta": read_meta,
    "bitwise": read_bitwise,
    "cmp": read_cmp,
    "range": read_range,
    "immediate": read_immediate,
    "match": read_match,
    "target": read_target,
    "limit": read_limit,
    "log": read_log,
}
