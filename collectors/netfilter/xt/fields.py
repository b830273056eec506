"""Values in xtables' structs, as iptables-save writes them."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping

from collectors.netfilter.xt.name_files import iproute2_names
from collectors.netfilter.xt.setting import NFPROTO_IPV4

ALL32 = 0xFFFFFFFF


def option(name: str, value: object = "", inverted: object = False) -> str:
    """One option: " --name value", " ! --name value" where inverted; without a value only the name."""
    text = f"{' !' if inverted else ''} --{name}"
    return text if value == "" else f"{text} {value}"


def options(bits: int, names: Mapping[int, str], inverted: int = 0) -> str:
    """The options of the bits that are set, in the table's order."""
    return "".join(option(name, "", inverted & bit) for bit, name in names.items() if bits & bit)


def words(bits: int, names: Mapping[int, str]) -> str:
    """The words of the bits that are set, with commas."""
    return ",".join(name for bit, name in names.items() if bits & bit)


def span(low: int, high: int, between: str = ":") -> str:
    """One number, or two that differ."""
    return str(low) if low == high else f"{low}{between}{high}"


def hex_masked(value: int, mask: int) -> str:
    return f"{value:#x}" if mask == ALL32 else f"{value:#x}/{mask:#x}"


def named_masked(value: int, mask: int, file: str) -> str:
    """A number of one of iproute2's name files: by name where it is not masked."""
    name = iproute2_names(file).get(value) if mask == ALL32 else None
    return name or hex_masked(value, mask)


def address(octets: bytes, family: int) -> str:
    """A union nf_inet_addr (16 bytes) or the address itself."""
    if family == NFPROTO_IPV4:
        return socket.inet_ntop(socket.AF_INET, octets[:4])
    return socket.inet_ntop(socket.AF_INET6, octets[:16])


def prefix_length(octets: bytes, family: int) -> int | None:
    """The length of a mask that is a prefix."""
    size = 4 if family == NFPROTO_IPV4 else 16
    mask = int.from_bytes(octets[:size], "big")
    length = mask.bit_count()
    whole = (1 << 8 * size) - 1
    return length if mask == whole ^ (whole >> length) else None


def masked(value: bytes, mask: bytes, family: int) -> str:
    """ADDRESS, ADDRESS/LENGTH, or ADDRESS/MASK where the mask is no prefix."""
    text, length = address(value, family), prefix_length(mask, family)
    if length is None:
        return f"{text}/{address(mask, family)}"
    return text if length == (32 if family == NFPROTO_IPV4 else 128) else f"{text}/{length}"


def ethernet(octets: bytes) -> str:
    return octets.hex(":")


def bit_words(names: Iterable[str]) -> dict[int, str]:
    """Words for bits 0, 1, 2 ..."""
    return {1 << at: name for at, name in enumerate(names)}
