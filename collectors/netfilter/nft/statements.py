"""Statements of a rule: verdicts, counters, log, queue, sets of packet and flow properties, and so on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft import loads, options, stateful
from collectors.netfilter.nft.comparisons import complete
from collectors.netfilter.nft.constants import Constant, NotPlaced, SetReference, Term, Text
from collectors.netfilter.nft.loads import Reader
from collectors.netfilter.nft.matches import key_of, mapped
from collectors.netfilter.nft.telling import Attributes, Telling, needed, number, unsigned
from collectors.netfilter.nft.uapi import (
    NFT_OBJECT_COUNTER,
    NFTA_COUNTER_BYTES,
    NFTA_COUNTER_PACKETS,
    NFTA_DATA_VALUE,
    NFTA_DATA_VERDICT,
    NFTA_VERDICT_CHAIN,
    NFTA_VERDICT_CODE,
)
from collectors.wire.netlink import DecodeError, attribute_map
from collectors.wire.templates import View, told_string

NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA = 1, 2
NFTA_LOG_GROUP, NFTA_LOG_PREFIX, NFTA_LOG_SNAPLEN, NFTA_LOG_QTHRESHOLD, NFTA_LOG_LEVEL, NFTA_LOG_FLAGS = range(1, 7)
NFTA_QUEUE_NUM, NFTA_QUEUE_TOTAL, NFTA_QUEUE_FLAGS, NFTA_QUEUE_SREG_QNUM = 1, 2, 3, 4
QUEUE_FLAGS = {1: "bypass", 2: "fanout"}
NFTA_SYNPROXY_MSS, NFTA_SYNPROXY_WSCALE, NFTA_SYNPROXY_FLAGS = 1, 2, 3
NF_SYNPROXY_OPT_MSS, NF_SYNPROXY_OPT_WSCALE, NF_SYNPROXY_OPT_SACK_PERM, NF_SYNPROXY_OPT_TIMESTAMP = 1, 2, 4, 8
NFTA_OBJREF_IMM_TYPE, NFTA_OBJREF_IMM_NAME, NFTA_OBJREF_SET_SREG, NFTA_OBJREF_SET_NAME = 1, 2, 3, 4
NFTA_FLOW_TABLE_NAME = 1
NFTA_META_DREG, NFTA_META_SREG, NFTA_CT_DREG, NFTA_CT_SREG = 1, 3, 1, 4
NFTA_EXTHDR_DREG, NFTA_EXTHDR_SREG = 1, 7
NFT_CT_EVENTMASK = 18
# enum nft_log_level, and NF_LOG_* of linux/netfilter/nf_log.h
LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit")
LOG_WARNING = 4
NF_LOG_TCPSEQ, NF_LOG_TCPOPT, NF_LOG_IPOPT, NF_LOG_UID, NF_LOG_MACDECODE = 0x1, 0x2, 0x4, 0x8, 0x20
NF_LOG_MASK = 0x2F
# NFT_OBJECT_*
OBJECTS = {
    NFT_OBJECT_COUNTER: "counter name ",
    2: "quota name ",
    3: "ct helper set ",
    4: "limit name ",
    7: "ct timeout set ",
    8: "meta secmark set ",
    9: "ct expectation set ",
    10: "synproxy name ",
}


def decimal(octets: bytes) -> str:
    if len(octets) > 8:
        raise DecodeError(0, f"a number of {len(octets)} bytes")
    return str(int.from_bytes(octets, "big"))


def value(telling: Telling, term: Term, data_type: int, order: types.Order) -> Text:
    """A term that is set to something: a constant as one of its type."""
    if isinstance(term, Constant):
        return Constant(term.view, data_type, order, term.bits).text(telling.context)
    return complete(telling, term).text(telling.context)


def immediate(telling: Telling, attributes: Attributes) -> None:
    data = needed(attributes, NFTA_IMMEDIATE_DATA).attribute_map()
    if number(needed(attributes, NFTA_IMMEDIATE_DREG)):
        telling.put(attributes[NFTA_IMMEDIATE_DREG], Constant.of(needed(data, NFTA_DATA_VALUE)))
        return
    found = needed(data, NFTA_DATA_VERDICT).attribute_map()
    code = needed(found, NFTA_VERDICT_CODE).number(">i")
    said: Text = [types.verdict_text(code)]
    if code in (types.NFT_JUMP, types.NFT_GOTO):
        said = [types.verdict_text(code, ""), needed(found, NFTA_VERDICT_CHAIN).hole(told_string)]
    ends = code not in (types.NFT_CONTINUE, types.NFT_BREAK)
    telling.say(said, verdict=said if ends else None)


def counter(telling: Telling, attributes: Attributes) -> None:
    packets, octets = (needed(attributes, key) for key in (NFTA_COUNTER_PACKETS, NFTA_COUNTER_BYTES))
    packet_count, byte_count = packets.place(">u8"), octets.place(">u8")
    telling.say(["counter packets ", packet_count, " bytes ", byte_count])
    if telling.packets is None:
        telling.packets, telling.bytes = packet_count, byte_count


# what a limit, a quota and the like say does not change the rest of the rule: their whole data is one hole
STATEFUL: Mapping[str, Callable[[Mapping[int, bytes]], str]] = stateful.TOLD


def counted(name: str, data: View) -> Text:
    tell = STATEFUL[name]
    return [data.hole(lambda octets: tell(attribute_map(octets)))]


def log(telling: Telling, attributes: Attributes) -> None:
    said: Text = ["log"]
    if NFTA_LOG_PREFIX in attributes:
        said += [' prefix "', attributes[NFTA_LOG_PREFIX].hole(told_string), '"']
    for key, word in (
        (NFTA_LOG_GROUP, "group"),
        (NFTA_LOG_SNAPLEN, "snaplen"),
        (NFTA_LOG_QTHRESHOLD, "queue-threshold"),
    ):
        if key in attributes:
            said += [f" {word} ", attributes[key].hole(decimal)]
    level = unsigned(attributes, NFTA_LOG_LEVEL, LOG_WARNING)
    if level != LOG_WARNING:
        said.append(f" level {LEVELS[level] if level < len(LEVELS) else 'unknown'}")
    said.append(log_flags(unsigned(attributes, NFTA_LOG_FLAGS)))
    telling.say(said)


def log_flags(flags: int) -> str:
    if flags & NF_LOG_MASK == NF_LOG_MASK:
        return " flags all"
    tcp = [word for bit, word in ((NF_LOG_TCPSEQ, "sequence"), (NF_LOG_TCPOPT, "options")) if flags & bit]
    said = f" flags tcp {','.join(tcp)}" if tcp else ""
    for bit, word in ((NF_LOG_IPOPT, "ip options"), (NF_LOG_UID, "skuid"), (NF_LOG_MACDECODE, "ether")):
        said += f" flags {word}" if flags & bit else ""
    return said


def queue(telling: Telling, attributes: Attributes) -> None:
    flags = unsigned(attributes, NFTA_QUEUE_FLAGS)
    names = ",".join(word for bit, word in QUEUE_FLAGS.items() if flags & bit)
    said: Text = [f"queue flags {names} to " if names else "queue to "]
    if NFTA_QUEUE_SREG_QNUM in attributes:
        said += value(telling, telling.get(attributes[NFTA_QUEUE_SREG_QNUM]), types.INTEGER, types.HOST)
    elif unsigned(attributes, NFTA_QUEUE_TOTAL) > 1:
        first, total = unsigned(attributes, NFTA_QUEUE_NUM), unsigned(attributes, NFTA_QUEUE_TOTAL)
        said.append(f"{first}-{first + total - 1 & 0xFFFF}")
    else:
        said.append(str(unsigned(attributes, NFTA_QUEUE_NUM)))
    telling.say(said, verdict=["queue"])


def synproxy(telling: Telling, attributes: Attributes) -> None:
    flags = unsigned(attributes, NFTA_SYNPROXY_FLAGS)
    said = "synproxy"
    if flags & (NF_SYNPROXY_OPT_MSS | NF_SYNPROXY_OPT_WSCALE):
        said += f" mss {unsigned(attributes, NFTA_SYNPROXY_MSS)} wscale {unsigned(attributes, NFTA_SYNPROXY_WSCALE)}"
    said += " timestamp" if flags & NF_SYNPROXY_OPT_TIMESTAMP else ""
    said += " sack-perm" if flags & NF_SYNPROXY_OPT_SACK_PERM else ""
    telling.say([said])


def objref(telling: Telling, attributes: Attributes) -> None:
    if NFTA_OBJREF_IMM_NAME in attributes:
        kind = unsigned(attributes, NFTA_OBJREF_IMM_TYPE)
        lead = object_lead(kind)
        telling.counted_elsewhere |= kind == NFT_OBJECT_COUNTER
        telling.say([f'{lead}"', attributes[NFTA_OBJREF_IMM_NAME].hole(told_string), '"'])
        return
    reference = SetReference(needed(attributes, NFTA_OBJREF_SET_NAME))
    found = reference.kind(telling.context)
    if found is None:
        raise NotPlaced("a map that is not known")
    key = key_of(telling, attributes, NFTA_OBJREF_SET_SREG, reference)
    term = complete(telling, mapped(key, reference))
    telling.counted_elsewhere |= found.object_type == NFT_OBJECT_COUNTER
    telling.say([object_lead(found.object_type), *term.text(telling.context)])


def object_lead(kind: int) -> str:
    if kind not in OBJECTS:
        raise NotPlaced(f"object type {kind}")
    return OBJECTS[kind]


def flow_offload(telling: Telling, attributes: Attributes) -> None:
    telling.say(["flow add @", needed(attributes, NFTA_FLOW_TABLE_NAME).hole(told_string)])


def notrack(telling: Telling, attributes: Attributes) -> None:
    telling.say(["notrack"])


def meta(telling: Telling, attributes: Attributes) -> None:
    key = loads.meta_key(attributes)
    if NFTA_META_DREG in attributes:
        telling.put(attributes[NFTA_META_DREG], key)
        return
    term = telling.get(attributes.get(NFTA_META_SREG))
    telling.say([f"{key.said} set ", *value(telling, term, key.data_type, key.order)])


def ct(telling: Telling, attributes: Attributes) -> None:
    key = loads.ct_key(attributes)
    if NFTA_CT_DREG in attributes:
        telling.put(attributes[NFTA_CT_DREG], key)
        return
    term = telling.get(attributes.get(NFTA_CT_SREG))
    said = [f"{key.said} set "]
    if key.key == NFT_CT_EVENTMASK and isinstance(term, Constant):
        events = Constant(term.view, key.data_type, key.order, term.bits).number()
        telling.say([*said, ",".join(types.flag_texts(key.data_type, events, telling.context))])
        return
    telling.say([*said, *value(telling, term, key.data_type, key.order)])


def exthdr(telling: Telling, attributes: Attributes) -> None:
    if NFTA_EXTHDR_DREG in attributes:
        telling.put(attributes[NFTA_EXTHDR_DREG], loads.option(attributes))
    elif NFTA_EXTHDR_SREG in attributes:
        found = loads.option(attributes)
        term = telling.get(attributes[NFTA_EXTHDR_SREG])
        telling.say([found.said, " set ", *value(telling, term, found.data_type, found.order)])
    else:
        telling.say(["reset ", loads.option(attributes, options.NFT_EXTHDR_F_PRESENT).said])


READERS: Mapping[str, Reader] = {
    "immediate": immediate,
    "counter": counter,
    "log": log,
    "queue": queue,
    "synproxy": synproxy,
    "objref": objref,
    "flow_offload": flow_offload,
    "notrack": notrack,
    "meta": meta,
    "ct": ct,
    "exthdr": exthdr,
}
