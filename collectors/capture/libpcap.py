"""libpcap by ctypes: the library of cypcap's wheel, else the host's own.

cypcap's own ``dispatch`` takes the interpreter's lock for every packet. Called from here, libpcap writes what it reads
by its own pcap_dump, without the lock, and says how many packets there were.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_int, c_int64, c_uint, c_ushort, c_void_p
from functools import lru_cache
from importlib import metadata
from typing import Any

NETMASK_UNKNOWN = 0xFFFFFFFF
NANO = 1  # PCAP_TSTAMP_PRECISION_NANO
DIRECTIONS = {"both": 0, "in": 1, "out": 2}  # pcap_direction_t
ERROR = -1
NO_SUCH_DEVICE, PERM_DENIED, IFACE_NOT_UP, PROMISC_PERM_DENIED = -5, -8, -9, -11
OF_THE_HOST = ("libpcap.so.1", "libpcap.so.0.8", "libpcap.so")


class Stat(Structure):
    """struct pcap_stat { u_int ps_recv; u_int ps_drop; u_int ps_ifdrop; }"""

    _fields_ = (("recv", c_uint), ("drop", c_uint), ("ifdrop", c_uint))


class Instruction(Structure):
    """struct bpf_insn { u_short code; u_char jt; u_char jf; bpf_u_int32 k; }"""

    _fields_ = (("code", c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", c_uint))


class Program(Structure):
    """struct bpf_program { u_int bf_len; struct bpf_insn *bf_insns; }"""

    _fields_ = (("length", c_uint), ("instructions", POINTER(Instruction)))


# name -> result, arguments; a capture (pcap_t), a dumper (pcap_dumper_t) and a FILE are pointers
PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "pcap_create": (c_void_p, [c_char_p, c_char_p]),
    "pcap_open_dead_with_tstamp_precision": (c_void_p, [c_int, c_int, c_uint]),
    "pcap_fopen_offline_with_tstamp_precision": (c_void_p, [c_void_p, c_uint, c_char_p]),
    "pcap_close": (None, [c_void_p]),
    "pcap_set_snaplen": (c_int, [c_void_p, c_int]),
    "pcap_set_promisc": (c_int, [c_void_p, c_int]),
    "pcap_set_timeout": (c_int, [c_void_p, c_int]),
    "pcap_set_immediate_mode": (c_int, [c_void_p, c_int]),
    "pcap_set_buffer_size": (c_int, [c_void_p, c_int]),
    "pcap_set_tstamp_precision": (c_int, [c_void_p, c_int]),
    "pcap_get_tstamp_precision": (c_int, [c_void_p]),
    "pcap_activate": (c_int, [c_void_p]),
    "pcap_setnonblock": (c_int, [c_void_p, c_int, c_char_p]),
    "pcap_setdirection": (c_int, [c_void_p, c_int]),
    "pcap_get_selectable_fd": (c_int, [c_void_p]),
    "pcap_datalink": (c_int, [c_void_p]),
    "pcap_set_datalink": (c_int, [c_void_p, c_int]),
    "pcap_datalink_val_to_name": (c_char_p, [c_int]),
    "pcap_snapshot": (c_int, [c_void_p]),
    "pcap_compile": (c_int, [c_void_p, POINTER(Program), c_char_p, c_int, c_uint]),
    "pcap_setfilter": (c_int, [c_void_p, POINTER(Program)]),
    "pcap_offline_filter": (c_int, [POINTER(Program), c_void_p, c_char_p]),
    "pcap_freecode": (None, [POINTER(Program)]),
    "pcap_dispatch": (c_int, [c_void_p, c_int, c_void_p, c_void_p]),
    "pcap_stats": (c_int, [c_void_p, POINTER(Stat)]),
    "pcap_geterr": (c_char_p, [c_void_p]),
    "pcap_statustostr": (c_char_p, [c_int]),
    "pcap_dump_fopen": (c_void_p, [c_void_p, c_void_p]),
    "pcap_dump_ftell64": (c_int64, [c_void_p]),
    "pcap_dump_flush": (c_int, [c_void_p]),
    "pcap_dump_close": (None, [c_void_p]),
    "pcap_lib_version": (c_char_p, []),
}


class NoLibpcap(OSError):
    """There is no libpcap to capture with."""


@lru_cache
def libpcap() -> ctypes.CDLL:
    """The library with its functions declared; raises NoLibpcap where there is none that has them all."""
    tried = []
    for path in (*shipped(), *OF_THE_HOST):
        try:
            library = ctypes.CDLL(path, use_errno=True)
            for name, (result, arguments) in PROTOTYPES.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            tried.append(str(error))
        else:
            return library
    raise NoLibpcap(
        f"there is no libpcap to capture with ({tried[0]}): install the package cypcap (x86_64 with glibc), "
        "or libpcap 1.9 or later of the distribution"
    )


def shipped() -> list[str]:
    """The library that cypcap's wheel brings, and before it those that it needs of the wheel itself."""
    try:
        files = metadata.files("cypcap") or []
    except metadata.PackageNotFoundError:
        return []
    return [str(file.locate()) for file in files if file.name.startswith("libpcap")]


@lru_cache
def libc() -> ctypes.CDLL:
    """What a FILE needs."""
    library = ctypes.CDLL(None, use_errno=True)
    library.fdopen.restype, library.fdopen.argtypes = c_void_p, [c_int, c_char_p]
    library.setvbuf.argtypes = [c_void_p, c_void_p, c_int, ctypes.c_size_t]
    library.ferror.argtypes = library.fclose.argtypes = [c_void_p]
    return library


def text(told: bytes | None) -> str:
    """What libpcap says: UTF-8 or not, and with what it was given inside."""
    return (told or b"").decode("utf-8", "replace")
