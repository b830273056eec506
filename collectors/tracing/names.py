"""Names of drop reasons, which differ in number between kernels, and of protocols, as tc spells them."""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "SKB_DROP_REASON_"
# include/uapi/linux/if_ether.h, ETH_P_*; words of tc's "protocol"
PROTOCOLS = {
    0x0004: "802_2",
    0x0800: "ip",
    0x0806: "arp",
    0x8035: "rarp",
    0x8100: "802.1Q",
    0x86DD: "ipv6",
    0x8847: "mpls_uc",
    0x8848: "mpls_mc",
    0x8863: "ppp_disc",
    0x8864: "ppp_ses",
    0x88A8: "802.1ad",
}


def reason_name(number: int, names: Mapping[int, str], subsystems: Mapping[int, str]) -> str:
    """A reason in the kernel's words; "mac80211.5" for those that a subsystem has of its own."""
    if number in names:
        return names[number].removeprefix(PREFIX)
    owner, own = number >> 16, number & 0xFFFF
    if not owner:
        return str(number)
    subsystem = subsystems.get(owner, f"subsystem{owner}").removesuffix("_UNUSABLE").lower()
    return f"{subsystem}.{own}"


def protocol_name(number: int) -> str | None:
    """The protocol of a packet's type field; 0 is none."""
    return PROTOCOLS.get(number) or f"0x{number:04X}" if number else None
