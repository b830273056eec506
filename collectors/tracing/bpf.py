"""The bpf() system call: maps, programs and their attachment, each as a descriptor that ends with the process."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import struct

import numpy as np
from numpy.typing import NDArray

from collectors.host import libc

SYSCALLS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}

# include/uapi/linux/bpf.h: enum bpf_cmd, bpf_map_type, bpf_prog_type, bpf_attach_type
BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM = 0, 1, 2
BPF_PROG_LOAD, BPF_PROG_TEST_RUN, BPF_OBJ_GET_INFO_BY_FD, BPF_RAW_TRACEPOINT_OPEN = 5, 10, 15, 17
BPF_MAP_LOOKUP_BATCH, BPF_ENABLE_STATS = 24, 32
BPF_MAP_TYPE_PERCPU_HASH = 5
BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_TRACING = 17, 26
BPF_TRACE_RAW_TP = 23
BPF_NOEXIST = 1

LICENSE = ctypes.create_string_buffer(b"Dual MIT/GPL")  # bpf_get_current_task_btf is for such only
LOG_SIZE = 256 << 10
ATTRIBUTES = 144  # bytes, the union of 5.17; what a kernel does not know of them must be 0, and is


class Refused(OSError):
    """The kernel's verifier refused a program; the message is its last words."""


def bpf(command: int, attributes: bytes) -> int:
    """The call's result, a descriptor for most commands; raises OSError."""
    return bpf_inout(command, ctypes.create_string_buffer(attributes, max(ATTRIBUTES, len(attributes))))


def bpf_inout(command: int, attributes: ctypes.Array[ctypes.c_char]) -> int:
    """The same for commands that answer in their attributes."""
    number = SYSCALLS.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"bpf() is not known here for {platform.machine()}")
    result: int = libc().syscall(
        ctypes.c_long(number), ctypes.c_long(command), attributes, ctypes.c_long(len(attributes))
    )
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf(): {os.strerror(ctypes.get_errno())}")
    return result


def create_percpu_hash(key_size: int, value_size: int, entries: int, name: bytes) -> int:
    """All entries are allocated now, as a program in any context needs them."""
    # struct { __u32 map_type, key_size, value_size, max_entries, map_flags, inner_map_fd, numa_node; char map_name[16]
    return bpf(
        BPF_MAP_CREATE,
        struct.pack("=7I16s", BPF_MAP_TYPE_PERCPU_HASH, key_size, value_size, entries, 0, 0, 0, name),
    )


def load_raw_tracepoint(code: bytes, name: bytes) -> int:
    """A program that gets a raw tracepoint's arguments as plain numbers."""
    return load(BPF_PROG_TYPE_RAW_TRACEPOINT, code, name)


def load_typed_tracepoint(code: bytes, name: bytes, type_number: int) -> int:
    """A program that may follow the pointers among a tracepoint's arguments; 5.5 and later."""
    return load(BPF_PROG_TYPE_TRACING, code, name, BPF_TRACE_RAW_TP, type_number)


def load(kind: int, code: bytes, name: bytes, attach_type: int = 0, attach_btf_id: int = 0) -> int:
    """A descriptor of the program; raises Refused with the verifier's reason."""
    try:
        return _load(kind, code, name, attach_type, attach_btf_id, None)
    except OSError as error:
        if error.errno == errno.EPERM:  # and not EACCES, which is the verifier's own word
            raise
        log = ctypes.create_string_buffer(LOG_SIZE)
        try:
            return _load(kind, code, name, attach_type, attach_btf_id, log)
        except OSError:
            raise Refused(error.errno, f"the kernel's verifier refused the program: {last_words(log.value)}") from error


def _load(
    kind: int, code: bytes, name: bytes, attach_type: int, btf_id: int, log: ctypes.Array[ctypes.c_char] | None
) -> int:
    # struct { __u32 prog_type, insn_cnt; __aligned_u64 insns, license; __u32 log_level, log_size;
    #   __aligned_u64 log_buf; __u32 kern_version, prog_flags; char prog_name[16];
    #   __u32 prog_ifindex, expected_attach_type, prog_btf_fd, func_info_rec_size; __aligned_u64 func_info;
    #   __u32 func_info_cnt, line_info_rec_size; __aligned_u64 line_info; __u32 line_info_cnt, attach_btf_id
    text = ctypes.create_string_buffer(code, len(code))
    where = (ctypes.addressof(text), ctypes.addressof(LICENSE))
    logging = (1, LOG_SIZE, ctypes.addressof(log)) if log else (0, 0, 0)
    size = (kind, len(code) // 8)
    return bpf(
        BPF_PROG_LOAD,
        struct.pack(
            "=2I2Q2IQ2I16s4IQ2IQ2I", *size, *where, *logging, 0, 0, name, 0, attach_type, 0, 0, 0, 0, 0, 0, 0, btf_id
        ),
    )


def last_words(log: bytes) -> str:
    """The last line of a verifier's log that is no statistics of its work."""
    lines = [line for line in log.decode("ascii", "replace").splitlines() if line and not line.startswith("processed ")]
    return lines[-1] if lines else "it gave no reason"


def attach(program: int, tracepoint: bytes | None = None) -> int:
    """The program runs at the raw tracepoint (a typed one knows its own) until the descriptor returned is closed."""
    name = ctypes.create_string_buffer(tracepoint) if tracepoint else None
    return bpf(BPF_RAW_TRACEPOINT_OPEN, struct.pack("=QI4x", ctypes.addressof(name) if name else 0, program))


def run_once(program: int) -> int:
    """What a raw-tracepoint program returns when it is run here and now; 5.10 and later."""
    # struct { __u32 prog_fd, retval, data_size_in, data_size_out; __aligned_u64 data_in, data_out; ...
    attributes = ctypes.create_string_buffer(struct.pack("=2I", program, 0), ATTRIBUTES)
    bpf_inout(BPF_PROG_TEST_RUN, attributes)
    found: int = struct.unpack_from("=I", attributes, 4)[0]
    return found


def update(table: int, key: bytes, value: bytes) -> None:
    place = ctypes.create_string_buffer(key, len(key)), ctypes.create_string_buffer(value, len(value))
    # struct { __u32 map_fd; __aligned_u64 key, value; __u64 flags; };
    bpf(BPF_MAP_UPDATE_ELEM, struct.pack("=I4xQQQ", table, *map(ctypes.addressof, place), 0))


def look_up_all(table: int, keys: NDArray[np.void], values: NDArray[np.uint64]) -> int:
    """Fill keys (n,) and values (n, CPUs) with what a map holds, n being all that it may; how many there are."""
    # struct { __aligned_u64 in_batch, out_batch, keys, values; __u32 count, map_fd; __u64 elem_flags, flags; } batch;
    token = ctypes.create_string_buffer(64)
    places = (0, ctypes.addressof(token), keys.ctypes.data, values.ctypes.data)
    attributes = ctypes.create_string_buffer(struct.pack("=4Q2I2Q", *places, len(keys), table, 0, 0), ATTRIBUTES)
    with contextlib.suppress(FileNotFoundError):  # the usual end: there is nothing behind these
        bpf_inout(BPF_MAP_LOOKUP_BATCH, attributes)
    found: int = struct.unpack_from("=I", attributes, 32)[0]
    return found


# struct bpf_prog_info: __u64 run_time_ns, run_cnt, recursion_misses (5.12)
RUN_TIME_NS, RUN_COUNT, RECURSION_MISSES, PROG_INFO = 192, 200, 208, 232


def statistics(program: int) -> tuple[int, int, int]:
    """Nanoseconds and runs (0 unless statistics are enabled), and how often it was not run as it ran already."""
    found = ctypes.create_string_buffer(PROG_INFO)
    # struct { __u32 bpf_fd, info_len; __aligned_u64 info; } info;
    bpf(BPF_OBJ_GET_INFO_BY_FD, struct.pack("=2IQ", program, PROG_INFO, ctypes.addressof(found)))
    time, count, misses = struct.unpack_from("=3Q", found, RUN_TIME_NS)
    return time, count, misses


def enable_statistics() -> int:
    """Run times are counted until the descriptor returned is closed; 5.8 and later."""
    return bpf(BPF_ENABLE_STATS, struct.pack("=I", 0))
