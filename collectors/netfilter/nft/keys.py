"""Properties of packets, flows, routes and sockets as nft 1.0.6 names them, by the kernel's keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft.datatypes import BIG, HOST, Order
from collectors.netfilter.nft.headers import LINK, NETWORK, NO_BASE


class Key(NamedTuple):
    """``base``: as in Load, for a key that tells a protocol."""

    name: str
    data_type: int
    bits: int
    order: Order = HOST
    base: int | None = None


ADDRESS4, ADDRESS6 = (types.IPADDR, 32, BIG), (types.IP6ADDR, 128, BIG)
NUMBER, NUMBER64, DEVICE = (types.INTEGER, 32), (types.INTEGER, 64), (types.IFNAME, 128)

# NFT_META_*; those of the second table are told without the word meta
META: Mapping[int, Key] = {
    0: Key("length", *NUMBER),
    1: Key("protocol", types.ETHERTYPE, 16, BIG, LINK),
    2: Key("priority", types.CLASSID, 32),
    3: Key("mark", types.MARK, 32),
    8: Key("iiftype", types.ARPHRD, 16, HOST, NO_BASE),
    9: Key("oiftype", types.ARPHRD, 16),
    10: Key("skuid", types.UID, 32),
    11: Key("skgid", types.GID, 32),
    12: Key("nftrace", types.INTEGER, 8),
    13: Key("rtclassid", types.REALM, 32),
    14: Key("secmark", *NUMBER),
    15: Key("nfproto", types.NFPROTO, 8, HOST, LINK),
    16: Key("l4proto", types.INET_PROTOCOL, 8, HOST, NETWORK),
    17: Key("ibrname", *DEVICE),
    18: Key("obrname", *DEVICE),
    19: Key("pkttype", types.PKTTYPE, 8),
    20: Key("cpu", *NUMBER),
    23: Key("cgroup", *NUMBER),
    24: Key("random", *NUMBER, BIG),
    25: Key("ipsec", types.BOOLEAN, 8),
    26: Key("iifkind", *DEVICE),
    27: Key("oifkind", *DEVICE),
    28: Key("ibrpvid", types.INTEGER, 16),
    29: Key("ibrvproto", types.ETHERTYPE, 16, BIG),
    30: Key("time", types.TIME_DATE, 64),
    31: Key("day", types.TIME_DAY, 8),
    32: Key("hour", types.TIME_HOUR, 32),
    33: Key("sdif", types.IFINDEX, 32),
    34: Key("sdifname", *DEVICE),
}
BARE_META: Mapping[int, Key] = {
    4: Key("iif", types.IFINDEX, 32),
    5: Key("oif", types.IFINDEX, 32),
    6: Key("iifname", *DEVICE),
    7: Key("oifname", *DEVICE),
    21: Key("iifgroup", types.DEVGROUP, 32),
    22: Key("oifgroup", types.DEVGROUP, 32),
}
# NFT_CT_*
CT: Mapping[int, Key] = {
    0: Key("state", types.CT_STATE, 32),
    1: Key("direction", types.CT_DIR, 8),
    2: Key("status", types.CT_STATUS, 32),
    3: Key("mark", types.MARK, 32),
    4: Key("secmark", *NUMBER),
    5: Key("expiration", types.TIME, 32),
    6: Key("helper", types.STRING, 128),
    7: Key("l3proto", types.NFPROTO, 8, HOST, LINK),
    8: Key("saddr", types.INVALID, 0, BIG),
    9: Key("daddr", types.INVALID, 0, BIG),
    10: Key("protocol", types.INET_PROTOCOL, 8, BIG, NETWORK),
    11: Key("proto-src", types.INVALID, 16, BIG),
    12: Key("proto-dst", types.INVALID, 16, BIG),
    13: Key("label", types.CT_LABEL, 128),
    14: Key("packets", *NUMBER64),
    15: Key("bytes", *NUMBER64),
    16: Key("avgpkt", *NUMBER64),
    17: Key("zone", types.INTEGER, 16),
    18: Key("event", types.CT_EVENTBIT, 32),
    19: Key("ip saddr", *ADDRESS4),
    20: Key("ip daddr", *ADDRESS4),
    21: Key("ip6 saddr", *ADDRESS6),
    22: Key("ip6 daddr", *ADDRESS6),
    23: Key("id", *NUMBER, BIG),
}
NFT_CT_SRC, NFT_CT_DST, NFT_CT_PROTO_SRC, NFT_CT_PROTO_DST = 8, 9, 11, 12
RT: Mapping[int, Key] = {
    0: Key("classid", types.REALM, 32),
    1: Key("ip nexthop", *ADDRESS4),
    2: Key("ip6 nexthop", *ADDRESS6),
    3: Key("mtu", types.INTEGER, 16),
    4: Key("ipsec", types.BOOLEAN, 8),
}
SOCKET: Mapping[int, Key] = {
    0: Key("transparent", types.INTEGER, 8),
    1: Key("mark", types.MARK, 32),
    2: Key("wildcard", types.INTEGER, 8),
    3: Key("cgroupv2", types.CGROUPV2, 64),
}
NFT_SOCKET_CGROUPV2 = 3
XFRM: Mapping[int, Key] = {
    1: Key("ip daddr", *ADDRESS4),
    2: Key("ip6 daddr", *ADDRESS6),
    3: Key("ip saddr", *ADDRESS4),
    4: Key("ip6 saddr", *ADDRESS6),
    5: Key("reqid", *NUMBER),
    6: Key("spi", *NUMBER, BIG),
}
