"""Nested link attributes to objects with ip's keys: the spellers, and the table of attributes that a kind has."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.netlink.names import NameBits
from collectors.values import Cell
from collectors.wire.netlink import attributes

Speller = Callable[[bytes], Cell]
Found = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Details:
    """The attributes of one kind: number -> (ip's key, speller), and what ip changes once all are known.

    ``devices``: keys whose number is an interface index, which ip shows by name.
    """

    fields: Mapping[int, tuple[str, Speller]]
    finish: Callable[[Found], Found] = lambda found: found
    devices: tuple[str, ...] = ()

    def objects(self, columns: Mapping[int, NDArray[np.uint8]], rows: int, device: Callable[[int], str]) -> list[Found]:
        """One object a row; ``columns``: the payloads (rows, length) by attribute number."""
        keys, cells = [], []
        for number, (key, spell) in self.fields.items():
            if number in columns:
                keys.append(key)
                cells.append(spelled(columns[number], spell))
        values = zip(*cells, strict=True) if cells else [()] * rows
        found = [{key: cell for key, cell in zip(keys, row, strict=True) if cell is not None} for row in values]
        for key in self.devices:
            for entry in found:
                if key in entry:
                    name_device(entry, key, device)
        return [self.finish(entry) for entry in found]


def spelled(octets: NDArray[np.uint8], spell: Speller) -> Sequence[Cell]:
    """A payload column's cells; ``spell`` is asked once per distinct value."""
    rows, length = octets.shape
    if not length or (octets == octets[0]).all():
        return [spell(octets[0].tobytes())] * rows
    raw = octets.tobytes()
    values = [raw[at : at + length] for at in range(0, rows * length, length)]
    cells = {value: spell(value) for value in set(values)}
    return [cells[value] for value in values]


def name_device(entry: Found, key: str, device: Callable[[int], str]) -> None:
    index = entry.pop(key)
    if isinstance(index, int) and index:
        entry[key] = device(index)


def little(value: bytes) -> int:
    return int.from_bytes(value, "little")


def big(value: bytes) -> int:
    return int.from_bytes(value, "big")


def flag(value: bytes) -> bool:
    return bool(value and value[0])


def given(value: bytes) -> bool:
    """An attribute whose presence is its meaning."""
    return True


def set_flag(value: bytes) -> Cell:
    """A flag that ip shows only where it is set."""
    return True if flag(value) else None


def hexadecimal(value: bytes) -> str:
    """As printf's %#x has it: 0 stays 0."""
    return printf_hex(little(value))


def printf_hex(number: int) -> str:
    return f"{number:#x}" if number else "0"


def nonzero_hex(value: bytes) -> Cell:
    return hexadecimal(value) if any(value) else None


def nonzero(value: bytes) -> Cell:
    return little(value) or None


def timer(value: bytes) -> float:
    """clock_t (hundredths of a second)."""
    return little(value) / 100


def mac(value: bytes) -> str:
    return value.hex(":")


def address(value: bytes) -> Cell:
    """An IPv4 or IPv6 address by its length; None for the unspecified one."""
    if not any(value):
        return None
    return host(value)


def host(value: bytes) -> str:
    if len(value) == 4:
        return socket.inet_ntop(socket.AF_INET, value)
    return socket.inet_ntop(socket.AF_INET6, value) if len(value) == 16 else value.hex(":")


def endpoint(value: bytes) -> str:
    """A tunnel's end, "any" where it is unspecified."""
    return host(value) if any(value) else "any"


def addresses(value: bytes) -> list[Cell]:
    return [host(payload) for _, payload in attributes(value)]


def protocol(value: bytes) -> str:
    """An Ethernet protocol that marks VLANs."""
    number = big(value)
    return {0x8100: "802.1Q", 0x88A8: "802.1ad"}.get(number, f"[{number}]")


def worded(words: Sequence[str], otherwise: str = "") -> Speller:
    """The word at an index; ``otherwise``, or the plain number, beyond them."""

    def spell(value: bytes) -> Cell:
        number = little(value)
        return words[number] if number < len(words) else otherwise or number

    return spell


def flag_words(names: Mapping[int, str]) -> Speller:
    """The flags of a struct { __u32 flags; __u32 mask; }, an unknown rest in plain hexadecimal as ip has it."""
    words = NameBits(dict(names))

    def spell(value: bytes) -> list[Cell]:
        return [word.removeprefix("0x") for word in words(little(value[:4]))]

    return spell
