"""Expressions that put a packet's property into a register: meta, ct, rt, socket, fib, osf, numgen, hash, xfrm, …"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft import options
from collectors.netfilter.nft.constants import NotPlaced
from collectors.netfilter.nft.datatypes import HOST
from collectors.netfilter.nft.fields import raw
from collectors.netfilter.nft.headers import NETWORK, NO_BASE, TRANSPORT
from collectors.netfilter.nft.keys import (
    BARE_META,
    CT,
    META,
    NFT_CT_DST,
    NFT_CT_PROTO_DST,
    NFT_CT_PROTO_SRC,
    NFT_CT_SRC,
    NFT_SOCKET_CGROUPV2,
    RT,
    SOCKET,
    XFRM,
    Key,
)
from collectors.netfilter.nft.telling import Attributes, Telling, needed, unsigned, width
from collectors.netfilter.nft.terms import Hash, Load, Option

Reader = Callable[[Telling, Attributes], None]

NFTA_META_DREG, NFTA_META_KEY = 1, 2
NFTA_CT_DREG, NFTA_CT_KEY, NFTA_CT_DIRECTION = 1, 2, 3
NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN = 1, 2, 3, 4
NFTA_EXTHDR_DREG, NFTA_EXTHDR_TYPE, NFTA_EXTHDR_OFFSET, NFTA_EXTHDR_LEN = 1, 2, 3, 4
NFTA_EXTHDR_FLAGS, NFTA_EXTHDR_OP = 5, 6
NFTA_RT_DREG, NFTA_RT_KEY = 1, 2
NFTA_SOCKET_KEY, NFTA_SOCKET_DREG, NFTA_SOCKET_LEVEL = 1, 2, 3
NFTA_FIB_DREG, NFTA_FIB_RESULT, NFTA_FIB_FLAGS = 1, 2, 3
NFTA_OSF_DREG, NFTA_OSF_TTL, NFTA_OSF_FLAGS = 1, 2, 3
NFTA_NG_DREG, NFTA_NG_MODULUS, NFTA_NG_TYPE, NFTA_NG_OFFSET = 1, 2, 3, 4
NFTA_HASH_SREG, NFTA_HASH_DREG, NFTA_HASH_LEN, NFTA_HASH_MODULUS = 1, 2, 3, 4
NFTA_HASH_SEED, NFTA_HASH_OFFSET, NFTA_HASH_TYPE = 5, 6, 7
NFTA_XFRM_DREG, NFTA_XFRM_KEY, NFTA_XFRM_DIR, NFTA_XFRM_SPNUM = 1, 2, 3, 4
NFT_FIB_RESULTS = {1: ("oif", types.IFINDEX, 32), 2: ("oifname", types.IFNAME, 128), 3: ("type", types.FIB_ADDR, 32)}
NFTA_FIB_F = {1: "saddr", 2: "daddr", 4: "mark", 8: "iif", 16: "oif"}
NFTA_FIB_F_PRESENT = 32
NFT_HASH_SYM = 1
NFT_OSF_F_VERSION = 1
TTL = {1: " ttl loose", 2: " ttl skip"}


# properties of a flow whose kind a packet's header of that layer tells
OF_LAYERS = {NFT_CT_SRC: NETWORK, NFT_CT_DST: NETWORK, NFT_CT_PROTO_SRC: TRANSPORT, NFT_CT_PROTO_DST: TRANSPORT}
DIRECTIONS = ("original", "reply")


def load(kind: str, number: int, key: Key, said: str) -> Load:
    protocol = key.base is not None
    return Load(kind, number, said, key.data_type, key.bits, key.order, key.base or NO_BASE, protocol)


def known(keys: Mapping[int, Key], number: int) -> Key:
    if number not in keys:
        raise NotPlaced(f"key {number}")
    return keys[number]


def meta_key(attributes: Attributes) -> Load:
    number = unsigned(attributes, NFTA_META_KEY)
    if number in BARE_META:
        return load("meta", number, BARE_META[number], BARE_META[number].name)
    key = known(META, number)
    return load("meta", number, key, f"meta {key.name}")


def ct_key(attributes: Attributes) -> Load:
    number = unsigned(attributes, NFTA_CT_KEY)
    key = known(CT, number)
    direction = unsigned(attributes, NFTA_CT_DIRECTION, 255)
    lead = f"{DIRECTIONS[direction]} " if direction < len(DIRECTIONS) else ""
    said = f"ct {lead}{key.name}"
    if number in OF_LAYERS:
        return Load("ct", number, said, key.data_type, key.bits, key.order, OF_LAYERS[number])
    return load("ct", number, key, said)


def payload_bits(attributes: Attributes) -> tuple[int, int, int]:
    base = unsigned(attributes, NFTA_PAYLOAD_BASE) + 1
    return base, unsigned(attributes, NFTA_PAYLOAD_OFFSET) * 8, width(attributes, NFTA_PAYLOAD_LEN)


def option(attributes: Attributes, flags: int = 0) -> Option:
    operation = unsigned(attributes, NFTA_EXTHDR_OP)
    if operation not in options.KINDS:
        raise NotPlaced(f"extension header operation {operation}")
    return options.option(
        operation,
        unsigned(attributes, NFTA_EXTHDR_TYPE),
        unsigned(attributes, NFTA_EXTHDR_OFFSET) * 8,
        width(attributes, NFTA_EXTHDR_LEN),
        unsigned(attributes, NFTA_EXTHDR_FLAGS) | flags,
    )


def rt(telling: Telling, attributes: Attributes) -> None:
    number = unsigned(attributes, NFTA_RT_KEY)
    key = known(RT, number)
    telling.put(needed(attributes, NFTA_RT_DREG), load("rt", number, key, f"rt {key.name}"))


def socket(telling: Telling, attributes: Attributes) -> None:
    number = unsigned(attributes, NFTA_SOCKET_KEY)
    key = known(SOCKET, number)
    said = f"socket {key.name}"
    if number == NFT_SOCKET_CGROUPV2:
        said += f" level {unsigned(attributes, NFTA_SOCKET_LEVEL)}"
    telling.put(needed(attributes, NFTA_SOCKET_DREG), load("socket", number, key, said))


def fib(telling: Telling, attributes: Attributes) -> None:
    flags, result = unsigned(attributes, NFTA_FIB_FLAGS), unsigned(attributes, NFTA_FIB_RESULT)
    if result not in NFT_FIB_RESULTS:
        raise NotPlaced(f"fib result {result}")
    word, data_type, bits = NFT_FIB_RESULTS[result]
    names = " . ".join(name for bit, name in NFTA_FIB_F.items() if flags & bit)
    if flags & NFTA_FIB_F_PRESENT:
        data_type, bits = types.BOOLEAN, 8
    telling.put(needed(attributes, NFTA_FIB_DREG), Load("fib", result, f"fib {names} {word}", data_type, bits, HOST))


def osf(telling: Telling, attributes: Attributes) -> None:
    ttl = TTL.get(unsigned(attributes, NFTA_OSF_TTL), "")
    word = "version" if unsigned(attributes, NFTA_OSF_FLAGS) & NFT_OSF_F_VERSION else "name"
    telling.put(needed(attributes, NFTA_OSF_DREG), Load("osf", 0, f"osf{ttl} {word}", types.STRING, 128, HOST))


def numgen(telling: Telling, attributes: Attributes) -> None:
    word = "random" if unsigned(attributes, NFTA_NG_TYPE) else "inc"
    said = f"numgen {word} mod {unsigned(attributes, NFTA_NG_MODULUS)}{offset(attributes, NFTA_NG_OFFSET)}"
    telling.put(needed(attributes, NFTA_NG_DREG), Load("numgen", 0, said, types.INTEGER, 32, HOST))


def offset(attributes: Attributes, key: int) -> str:
    found = unsigned(attributes, key)
    return f" offset {found}" if found else ""


def hashed(telling: Telling, attributes: Attributes) -> None:
    said = f" mod {unsigned(attributes, NFTA_HASH_MODULUS)}"
    behind = offset(attributes, NFTA_HASH_OFFSET)
    register = needed(attributes, NFTA_HASH_DREG)
    if unsigned(attributes, NFTA_HASH_TYPE) == NFT_HASH_SYM:
        telling.put(register, Load("hash", 0, f"symhash{said}{behind}", types.INTEGER, 32, HOST))
        return
    term = telling.get(attributes.get(NFTA_HASH_SREG), width(attributes, NFTA_HASH_LEN))
    if NFTA_HASH_SEED in attributes:
        said += f" seed {unsigned(attributes, NFTA_HASH_SEED):#x}"
    telling.put(register, Hash(term, said + behind))


def xfrm(telling: Telling, attributes: Attributes) -> None:
    number = unsigned(attributes, NFTA_XFRM_KEY)
    key = known(XFRM, number)
    policy = unsigned(attributes, NFTA_XFRM_SPNUM)
    said = f"ipsec {'out' if unsigned(attributes, NFTA_XFRM_DIR) else 'in'} "
    said += f"spnum {policy} " if policy else ""
    telling.put(needed(attributes, NFTA_XFRM_DREG), load("xfrm", number, key, said + key.name))


def payload(telling: Telling, attributes: Attributes) -> None:
    telling.put(needed(attributes, NFTA_PAYLOAD_DREG), raw(*payload_bits(attributes)))


READERS: Mapping[str, Reader] = {
    "rt": rt,
    "socket": socket,
    "fib": fib,
    "osf": osf,
    "numgen": numgen,
    "hash": hashed,
    "xfrm": xfrm,
}
