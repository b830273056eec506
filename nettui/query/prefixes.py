"""Comparisons of addresses with typed addresses and prefixes: IPv4, IPv6 and link-layer."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column
from collectors.values import HOST_PREFIX, IPV4, IPV6, LINK_LAYER, Addresses, Values, wide

Mask = NDArray[np.bool_]
Test = Callable[[Values], Mask]
MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, IPv4 addresses on IPv6 sockets


def any_of(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda cells: np.logical_or.reduce([test(cells) for test in tests])


def refuse(column: Column, operator: str, advice: str) -> ValueError:
    return ValueError(f"{column.name} cannot be compared with {operator!r}: {advice}")


def address_test(column: Column, operator: str, values: Sequence[str]) -> Test:
    if operator not in ("=", "in", "covers"):
        raise refuse(column, operator, "addresses have no order, use = != ~ !~ in covers")
    return any_of([one_address(text, operator) for text in values])


def one_address(text: str, operator: str) -> Test:
    if operator == "=" and text.lower() in ("default", "any", "all"):
        return lambda cells: cells.present() & (prefixes(cells) == 0)
    if (hardware := link_layer(text, whole=operator == "=")) is not None:
        return lambda cells: same_link_layer(cells, hardware, whole=operator == "=")
    octets, form, length = network(text)
    if operator == "covers":
        return lambda cells: covering(cells, octets, form, length)
    if operator == "in":
        return lambda cells: inside(cells, octets, form, length)
    return lambda cells: inside(cells, octets, form, 8 * len(octets)) & (prefixes(cells) >= length) & (
        prefixes(cells) <= (length if length < 8 * len(octets) else HOST_PREFIX)
    )  # fmt: skip


def network(text: str) -> tuple[bytes, int, int]:
    """Octets, form and prefix length of ``10.0.0.0/8``, ``10/8``, ``fd00::1``; an IPv4-mapped one is IPv4."""
    address, slash, length = text.partition("/")
    family, width, form = (socket.AF_INET6, 128, IPV6) if ":" in address else (socket.AF_INET, 32, IPV4)
    if slash and form == IPV4 and address.replace(".", "").isdigit():
        address += ".0" * (3 - address.count("."))
    try:
        octets = socket.inet_pton(family, address)
    except (OSError, ValueError) as error:
        raise ValueError(f"{text!r} is no address and no prefix such as 10.0.0.0/8 or fd00::/8") from error
    if slash and not (length.isascii() and length.isdigit() and len(length) <= 3 and int(length) <= width):
        raise ValueError(f"a prefix length from 0 to {width} is expected behind the / of {text!r}")
    bits = int(length) if slash else width
    if form == IPV6 and octets[:12] == MAPPED and bits >= 96:
        return octets[12:], IPV4, bits - 96
    return octets, form, bits


def link_layer(text: str, whole: bool) -> bytes | None:
    """Octets of a link-layer address (``52:54:00:…``), or of its beginning; None for anything else."""
    parts = text.replace("-", ":").split(":")
    if not all(len(part) == 2 for part in parts) or (len(parts) < 6 if whole else len(parts) < 2):
        return None
    try:
        return bytes(int(part, 16) for part in parts)
    except ValueError:
        return None


def same_link_layer(cells: Values, octets: bytes, whole: bool) -> Mask:
    assert isinstance(cells, Addresses)
    right: Mask = cells.form == LINK_LAYER + len(octets) if whole else cells.form >= LINK_LAYER + len(octets)
    if right.any():
        right &= (cells.octets[:, : len(octets)] == np.frombuffer(octets, np.uint8)).all(axis=1)
    return right


def prefixes(cells: Values) -> NDArray[np.uint8]:
    """Each address's prefix length, HOST_PREFIX where it has none or all bits."""
    assert isinstance(cells, Addresses)
    if cells.prefix is None:
        return np.full(len(cells), HOST_PREFIX, np.uint8)
    bits = np.where(cells.form == IPV4, 32, 128)
    return np.where(cells.prefix >= bits, HOST_PREFIX, cells.prefix).astype(np.uint8)


def inside(cells: Values, octets: bytes, form: int, length: int) -> Mask:
    """Rows whose address, or whole prefix, lies in the network; IPv4 is found inside IPv4-mapped IPv6 too."""
    assert isinstance(cells, Addresses)
    found: Mask = (cells.form == form) & same_bits(cells.octets, octets, length)
    if form == IPV4 and cells.octets.shape[1] >= 16:
        mapped = cells.form == IPV6
        if mapped.any():
            found |= mapped & same_bits(cells.octets, MAPPED + octets, 96 + length)
    if cells.prefix is not None and length < 8 * len(octets):
        found &= cells.prefix >= length
    return found


def same_bits(octets: NDArray[np.uint8], wanted: bytes, length: int) -> Mask:
    """Rows (n, width) whose first ``length`` bits are those of ``wanted``."""
    if octets.shape[1] < len(wanted):
        return np.zeros(len(octets), np.bool_)
    table = wide(octets, -(-octets.shape[1] // 4) * 4).view(">u4")
    found = np.ones(len(octets), np.bool_)
    for place in range(-(-length // 32)):
        bits = min(32, length - 32 * place)
        mask = np.array(0xFFFFFFFF << (32 - bits) & 0xFFFFFFFF, ">u4")
        word = np.frombuffer(wanted, ">u4", 1, 4 * place) & mask
        found &= table[:, place] == word if bits == 32 else table[:, place] & mask == word
    return found


def covering(cells: Values, octets: bytes, form: int, length: int) -> Mask:
    """Rows whose prefix contains the address, or the whole network."""
    assert isinstance(cells, Addresses)
    lengths = np.minimum(prefixes(cells), 8 * len(octets))
    found = np.zeros(len(cells), np.bool_)
    for bits in np.unique(lengths).tolist():
        if bits <= length:
            found |= (lengths == bits) & same_bits(cells.octets, octets, bits)
    found &= cells.form == form
    return found
