"""Statements that send a packet elsewhere: nat, masquerade, redirect, tproxy, dup, fwd."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft.constants import Constant, Term, Text
from collectors.netfilter.nft.headers import NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6
from collectors.netfilter.nft.loads import Reader
from collectors.netfilter.nft.model import NftSet
from collectors.netfilter.nft.statements import value
from collectors.netfilter.nft.telling import Attributes, Telling, needed, unsigned
from collectors.netfilter.nft.terms import Mapped

NFTA_NAT_TYPE, NFTA_NAT_FAMILY, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_ADDR_MAX = 1, 2, 3, 4
NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX, NFTA_NAT_FLAGS = 5, 6, 7
NFTA_MASQ_FLAGS, NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX = 1, 2, 3
NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_REG_PROTO_MAX, NFTA_REDIR_FLAGS = 1, 2, 3
NFTA_TPROXY_FAMILY, NFTA_TPROXY_REG_ADDR, NFTA_TPROXY_REG_PORT = 1, 2, 3
NFTA_DUP_SREG_ADDR, NFTA_DUP_SREG_DEV = 1, 2
NFTA_FWD_SREG_DEV, NFTA_FWD_SREG_ADDR, NFTA_FWD_NFPROTO = 1, 2, 3
NFT_NAT_SNAT, NFT_NAT_DNAT = 0, 1
# NF_NAT_RANGE_*, in nft's order
FLAGS = {4: "random", 16: "fully-random", 8: "persistent"}
NF_NAT_RANGE_NETMAP = 64
WORDS = {NFPROTO_IPV4: "ip", NFPROTO_IPV6: "ip6"}
UDATA_SET_DATA_INTERVAL = 6


def nat_flags(flags: int) -> str:
    names = ",".join(word for bit, word in FLAGS.items() if flags & bit)
    return f" {names}" if names else ""


def address(telling: Telling, term: Term, family: int) -> Text:
    return value(telling, term, types.IPADDR if family == NFPROTO_IPV4 else types.IP6ADDR, types.BIG)


def nat(telling: Telling, attributes: Attributes) -> None:
    word = "dnat" if unsigned(attributes, NFTA_NAT_TYPE) == NFT_NAT_DNAT else "snat"
    family, flags = unsigned(attributes, NFTA_NAT_FAMILY), unsigned(attributes, NFTA_NAT_FLAGS)
    low = telling.get(attributes[NFTA_NAT_REG_ADDR_MIN]) if NFTA_NAT_REG_ADDR_MIN in attributes else None
    found = low.mapping.kind(telling.context) if isinstance(low, Mapped) else None
    paired = found is not None and gives_more(found, family)
    named = telling.context.family == NFPROTO_INET or paired
    said: Text = [f" {WORDS[family]}" if named and family in WORDS else ""]
    said.append(" prefix to" if flags & NF_NAT_RANGE_NETMAP else " to")
    ports = None if paired else NFTA_NAT_REG_PROTO_MIN
    has_port = ports in attributes
    if low is not None:
        high = other(telling, attributes, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_ADDR_MAX) if not paired else None
        said += [" ", *addresses(telling, low, high, family, has_port)]
    if has_port:
        telling.implied.forget()
        lead = " :" if low is None else ":"
        said += [lead, *port_range(telling, attributes, NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX)]
    if low is None and not has_port:
        said = []
    telling.say([word, *said, nat_flags(flags)], verdict=[word])


def gives_more(found: NftSet, family: int) -> bool:
    """Whether a map gives more than one address: a port with it, or the ends of a range."""
    octets = 4 if family == NFPROTO_IPV4 else 16
    return found.data_length > octets or any(found.userdata.get(UDATA_SET_DATA_INTERVAL, b""))


def other(telling: Telling, attributes: Attributes, low: int, high: int) -> Term | None:
    """The upper end of a range; none where it is the lower one's register."""
    if high not in attributes or attributes[high].number() == attributes[low].number():
        return None
    return telling.get(attributes[high])


def addresses(telling: Telling, low: Term, high: Term | None, family: int, has_port: bool) -> Text:
    """One address, a range or a prefix; an IPv6 address that a port follows stands in brackets."""
    length = common(low, high) if isinstance(low, Constant) and isinstance(high, Constant) else None
    if length is not None:
        return [*address(telling, low, family), f"/{length}"]
    bracketed = has_port and family == NFPROTO_IPV6
    texts = [address(telling, end, family) for end in (low, high) if end is not None]
    if bracketed and isinstance(low, Constant):
        texts = [["[", *text, "]"] for text in texts]
    return [*texts[0], "-", *texts[1]] if len(texts) > 1 else texts[0]


def common(low: Constant, high: Constant) -> int | None:
    """The length of the prefix that is exactly this range."""
    first, last = low.number(), high.number()
    span = first ^ last
    return low.bits - span.bit_length() if span & (span + 1) == 0 and first & span == 0 and span else None


def port_range(telling: Telling, attributes: Attributes, low: int, high: int) -> Text:
    said = port(telling, telling.get(attributes[low]))
    end = other(telling, attributes, low, high)
    return said if end is None else [*said, "-", *port(telling, end)]


def port(telling: Telling, term: Term) -> Text:
    return value(telling, term, types.INET_SERVICE, types.BIG)


def translated(telling: Telling, attributes: Attributes, word: str, low: int, high: int, flags: int) -> None:
    """masquerade and redirect: ports and flags."""
    said: Text = [word]
    if low in attributes:
        telling.implied.forget()
        said += [" to :", *port_range(telling, attributes, low, high)]
    telling.say([*said, nat_flags(unsigned(attributes, flags))], verdict=[word])


def masq(telling: Telling, attributes: Attributes) -> None:
    translated(telling, attributes, "masquerade", NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX, NFTA_MASQ_FLAGS)


def redir(telling: Telling, attributes: Attributes) -> None:
    translated(telling, attributes, "redirect", NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_REG_PROTO_MAX, NFTA_REDIR_FLAGS)


def tproxy(telling: Telling, attributes: Attributes) -> None:
    family = unsigned(attributes, NFTA_TPROXY_FAMILY)
    inet = telling.context.family == NFPROTO_INET
    said: Text = [f"tproxy {WORDS.get(family, 'unknown')} to" if inet and family else "tproxy to"]
    lead = " :"
    if NFTA_TPROXY_REG_ADDR in attributes:
        term, lead = telling.get(attributes[NFTA_TPROXY_REG_ADDR]), ":"
        text = address(telling, term, family)
        bracketed = family == NFPROTO_IPV6 and isinstance(term, Constant)
        said += [" [", *text, "]"] if bracketed else [" ", *text]
    if NFTA_TPROXY_REG_PORT in attributes:
        telling.implied.forget()
        said += [lead, *port(telling, telling.get(attributes[NFTA_TPROXY_REG_PORT]))]
    telling.say(said, verdict=["tproxy"])


def device(telling: Telling, attributes: Attributes, key: int) -> Text:
    return value(telling, telling.get(needed(attributes, key)), types.IFINDEX, types.HOST)


def dup(telling: Telling, attributes: Attributes) -> None:
    said: Text = ["dup"]
    if NFTA_DUP_SREG_ADDR in attributes:
        said += [" to ", *address(telling, telling.get(attributes[NFTA_DUP_SREG_ADDR]), telling.context.family)]
    if NFTA_DUP_SREG_DEV in attributes:
        lead = " device " if NFTA_DUP_SREG_ADDR in attributes else " to "
        said += [lead, *device(telling, attributes, NFTA_DUP_SREG_DEV)]
    telling.say(said)


def fwd(telling: Telling, attributes: Attributes) -> None:
    if NFTA_FWD_SREG_ADDR not in attributes:
        telling.say(["fwd to ", *device(telling, attributes, NFTA_FWD_SREG_DEV)])
        return
    family = unsigned(attributes, NFTA_FWD_NFPROTO)
    to = address(telling, telling.get(attributes[NFTA_FWD_SREG_ADDR]), family)
    lead = f"fwd {WORDS.get(family, 'unknown')} to "
    telling.say([lead, *to, " device ", *device(telling, attributes, NFTA_FWD_SREG_DEV)])


READERS: Mapping[str, Reader] = {
    "nat": nat,
    "masq": masq,
    "redir": redir,
    "tproxy": tproxy,
    "dup": dup,
    "fwd": fwd,
}
