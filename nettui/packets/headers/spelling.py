"""How the values of fields are written: numbers, names, addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping


def hexed(size: int) -> Callable[[int], str]:
    """A number of so many bytes."""
    return lambda value: f"0x{value:0{size * 2}x}"


def named(names: Mapping[int, str], form: str = "{name} ({value})") -> Callable[[int], str]:
    """The number alone where it has no name."""
    return lambda value: form.format(name=names[value], value=value) if value in names else str(value)


def switched(value: int) -> str:
    return "Set" if value else "Not set"


def link_address(value: int) -> str:
    return value.to_bytes(6, "big").hex(":")


def address4(value: int) -> str:
    return str(ipaddress.IPv4Address(value))


def address6(value: int) -> str:
    return str(ipaddress.IPv6Address(value))
