"""What iptables' own extensions say of a struct: libxtables is loaded and asked, without a rule in the kernel.

``python -m tests.parity.libxtables 2 3`` (NFPROTO and revision) reads lines "match NAME HEX" and writes for each what
iptables-save would print. It is a process of its own because an extension that dislikes its struct exits.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterable
from typing import NamedTuple

LIBRARY = "libxtables.so.12"
XTF_TRY_LOAD = 2


class Struct(NamedTuple):
    kind: str
    name: str
    revision: int
    octets: bytes


def saved(family: int, structs: Iterable[Struct]) -> list[str]:
    """As iptables-save prints them; "" for an extension or revision that it does not have.

    libxtables keeps the newest revision that it is told the kernel has, so each revision has a process of its own.
    """
    found: dict[Struct, str] = {}
    asked = list(structs)
    for revision in {struct.revision for struct in asked}:
        alike = [struct for struct in asked if struct.revision == revision]
        found.update(zip(alike, saved_revision(family, revision, alike), strict=True))
    return [found[struct] for struct in asked]


def saved_revision(family: int, revision: int, structs: list[Struct]) -> list[str]:
    lines = "".join(f"{kind} {name} {octets.hex()}\n" for kind, name, _, octets in structs)
    command = [sys.executable, "-m", "tests.parity.libxtables", str(family), str(revision)]
    done = subprocess.run(command, input=lines.encode(), capture_output=True, check=True, timeout=60)
    return done.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]


class Globals(ctypes.Structure):
    """struct xtables_globals of xtables.h."""

    _fields_ = [
        ("option_offset", ctypes.c_uint),
        ("program_name", ctypes.c_char_p),
        ("program_version", ctypes.c_char_p),
        ("orig_opts", ctypes.c_void_p),
        ("opts", ctypes.c_void_p),
        ("exit_err", ctypes.c_void_p),
        ("compat_rev", ctypes.c_void_p),
    ]


class Extension(ctypes.Structure):
    """The head of struct xtables_match, xtables_target."""

    _fields_ = [
        ("version", ctypes.c_char_p),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("real_name", ctypes.c_char_p),
        ("revision", ctypes.c_uint8),
        ("ext_flags", ctypes.c_uint8),
        ("family", ctypes.c_uint16),
        ("size", ctypes.c_size_t),
        ("userspacesize", ctypes.c_size_t),
        ("help", ctypes.c_void_p),
        ("init", ctypes.c_void_p),
        ("parse", ctypes.c_void_p),
        ("final_check", ctypes.c_void_p),
        ("print", ctypes.c_void_p),
        ("save", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)),
        ("alias", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)),
    ]


def main() -> None:
    family, revision = int(sys.argv[1]), int(sys.argv[2])
    libc = ctypes.CDLL(None)
    library = ctypes.CDLL(LIBRARY, ctypes.RTLD_GLOBAL)
    in_kernel = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_uint8, ctypes.c_int)(
        lambda name, asked, option: asked == revision
    )
    terms = Globals(0, b"saved", b"1", None, None, None, ctypes.cast(in_kernel, ctypes.c_void_p))
    library.xtables_init_all(ctypes.byref(terms), ctypes.c_uint8(family))
    for line in sys.stdin:
        kind, name, *octets = line.split()
        say(libc, library, Struct(kind, name, revision, bytes.fromhex("".join(octets))))
    libc.fflush(None)


def say(libc: ctypes.CDLL, library: ctypes.CDLL, struct: Struct) -> None:
    found = extension(library, struct)
    if found is None:
        libc.puts(b"")
        return
    # struct xt_entry_match, xt_entry_target: size, name, revision, data
    head = (32 + len(struct.octets)).to_bytes(2, "little") + struct.name.encode().ljust(29, b"\0")
    entry = ctypes.create_string_buffer(
        head + bytes([struct.revision]) + struct.octets, max(64, 32 + found.size, 32 + len(struct.octets))
    )
    name = found.alias(entry) if found.alias else struct.name.encode()
    libc.printf(b" -%s %s", b"m" if struct.kind == "match" else b"j", name)
    if found.save:
        found.save(None, ctypes.cast(entry, ctypes.c_void_p))
    libc.puts(b"")


def extension(library: ctypes.CDLL, struct: Struct) -> Extension | None:
    """The registered extension of that name and revision: they are in one list, the last one loaded first."""
    find = getattr(library, f"xtables_find_{struct.kind}")
    find.restype = ctypes.POINTER(Extension)
    arguments = (struct.name.encode(), XTF_TRY_LOAD) + ((None,) if struct.kind == "match" else ())
    found = find(*arguments)
    while found and (found.contents.name != struct.name.encode() or found.contents.revision != struct.revision):
        found = ctypes.cast(found.contents.next, ctypes.POINTER(Extension))
    return found.contents if found else None


if __name__ == "__main__":
    main()
