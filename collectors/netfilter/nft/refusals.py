"""The statement reject: with which answer, as far as a rule's headers leave a choice."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft.headers import LINK, NETWORK, NFPROTO_IPV4, NFPROTO_IPV6, TRANSPORT, UNKNOWN
from collectors.netfilter.nft.loads import Reader
from collectors.netfilter.nft.telling import Attributes, Telling, unsigned

NFTA_REJECT_TYPE, NFTA_REJECT_ICMP_CODE = 1, 2
NFT_REJECT_ICMP_UNREACH, NFT_REJECT_TCP_RST, NFT_REJECT_ICMPX_UNREACH = 0, 1, 2
NFT_REJECT_ICMPX_PORT_UNREACH = 1
ICMP_PORT_UNREACH, ICMPV6_PORT_UNREACH = 3, 4


def reject(telling: Telling, attributes: Attributes) -> None:
    kind, code = unsigned(attributes, NFTA_REJECT_TYPE), unsigned(attributes, NFTA_REJECT_ICMP_CODE)
    mixed = telling.context.family not in (NFPROTO_IPV4, NFPROTO_IPV6)
    family = network_family(telling) if mixed else telling.context.family
    if not mixed and kind == NFT_REJECT_TCP_RST:
        telling.implied.release(TRANSPORT)
    elif mixed and kind != NFT_REJECT_ICMPX_UNREACH and NETWORK in telling.implied.matches:
        telling.implied.release(NETWORK)
    telling.say([f"reject{reject_with(telling, kind, code, family, mixed)}"], verdict=["reject"])


def network_family(telling: Telling) -> int:
    """NFPROTO_* of the network header that the rule has named, 0 for another or none."""
    lower = telling.fields.headers.get(LINK, UNKNOWN)
    upper = telling.fields.headers.get(NETWORK)
    if upper is None or upper.name not in lower.above.values():
        return 0
    return {"ip": NFPROTO_IPV4, "ip6": NFPROTO_IPV6}.get(upper.name, 0)


def reject_with(telling: Telling, kind: int, code: int, family: int, mixed: bool) -> str:
    if kind == NFT_REJECT_TCP_RST:
        return " with tcp reset"
    if kind == NFT_REJECT_ICMPX_UNREACH:
        usual, word, data_type = code == NFT_REJECT_ICMPX_PORT_UNREACH, "icmpx", types.ICMPX_CODE
    elif family == NFPROTO_IPV4:
        usual, word, data_type = not mixed and code == ICMP_PORT_UNREACH, "icmp", types.ICMP_CODE
    elif family == NFPROTO_IPV6:
        usual, word, data_type = not mixed and code == ICMPV6_PORT_UNREACH, "icmpv6", types.ICMPV6_CODE
    else:
        return ""
    return "" if usual else f" with {word} {types.number_text(data_type, code, telling.context)}"


READERS: Mapping[str, Reader] = {"reject": reject}
