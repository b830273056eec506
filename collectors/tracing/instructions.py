"""BPF instructions put together by name, with labels for jumps: a program's text as bytes."""

from __future__ import annotations

import struct
from typing import Final

# include/uapi/linux/bpf.h
# struct bpf_insn { __u8 code; __u8 dst_reg:4, src_reg:4; __s16 off; __s32 imm; };
LITTLE: Final = struct.pack("=H", 1)[0] == 1
INSTRUCTION = struct.Struct("=BBhi")
R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, FP = range(11)

BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_ALU, BPF_JMP, BPF_JMP32, BPF_ALU64 = range(8)
BPF_SIZE = {1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18}
BPF_IMM, BPF_MEM, BPF_ATOMIC = 0x00, 0x60, 0xC0
BPF_K, BPF_X = 0x00, 0x08
BPF_ADD, BPF_MOV = 0x00, 0xB0
BPF_JA, BPF_JEQ, BPF_JNE, BPF_JSGE, BPF_CALL, BPF_EXIT = 0x00, 0x10, 0x50, 0x70, 0x80, 0x90
BPF_PSEUDO_MAP_FD = 1


class Instructions:
    """A program under construction; registers are numbers 0 to 10, jumps lead forward to labels."""

    def __init__(self) -> None:
        self._code: list[tuple[int, int, int, int, int]] = []  # code, dst, src, off, imm
        self._labels: dict[str, int] = {}
        self._jumps: dict[int, str] = {}

    def assemble(self) -> bytes:
        for at, label in self._jumps.items():
            code, dst, src, _, imm = self._code[at]
            self._code[at] = code, dst, src, self._labels[label] - at - 1, imm
        return b"".join(
            INSTRUCTION.pack(code, dst | src << 4 if LITTLE else dst << 4 | src, off, imm)
            for code, dst, src, off, imm in self._code
        )

    def label(self, name: str) -> None:
        self._labels[name] = len(self._code)

    def move(self, to: int, source: int) -> None:
        self._add(BPF_ALU64 | BPF_MOV | BPF_X, to, source)

    def move_number(self, to: int, number: int) -> None:
        self._add(BPF_ALU64 | BPF_MOV | BPF_K, to, imm=number)

    def move_half(self, to: int, source: int) -> None:
        """The lower 32 bits; the upper ones become 0."""
        self._add(BPF_ALU | BPF_MOV | BPF_X, to, source)

    def add_number(self, to: int, number: int) -> None:
        self._add(BPF_ALU64 | BPF_ADD | BPF_K, to, imm=number)

    def load(self, size: int, to: int, base: int, offset: int) -> None:
        self._add(BPF_LDX | BPF_MEM | BPF_SIZE[size], to, base, offset)

    def store(self, size: int, base: int, offset: int, source: int) -> None:
        self._add(BPF_STX | BPF_MEM | BPF_SIZE[size], base, source, offset)

    def store_number(self, size: int, base: int, offset: int, number: int) -> None:
        self._add(BPF_ST | BPF_MEM | BPF_SIZE[size], base, 0, offset, number)

    def atomic_add(self, size: int, base: int, offset: int, source: int) -> None:
        self._add(BPF_STX | BPF_ATOMIC | BPF_SIZE[size], base, source, offset, BPF_ADD)

    def map_address(self, to: int, descriptor: int) -> None:
        self._add(BPF_LD | BPF_IMM | BPF_SIZE[8], to, BPF_PSEUDO_MAP_FD, 0, descriptor)
        self._add(0, 0)

    def call(self, helper: int) -> None:
        self._add(BPF_JMP | BPF_CALL, 0, imm=helper)

    def exit(self) -> None:
        self._add(BPF_JMP | BPF_EXIT, 0)

    def jump(self, label: str) -> None:
        self._jump(BPF_JMP | BPF_JA, 0, 0, label)

    def jump_equal(self, register: int, number: int, label: str) -> None:
        self._jump(BPF_JMP | BPF_JEQ | BPF_K, register, number, label)

    def jump_unequal(self, register: int, number: int, label: str) -> None:
        self._jump(BPF_JMP | BPF_JNE | BPF_K, register, number, label)

    def jump_half_unequal(self, register: int, number: int, label: str) -> None:
        """Compares the lower 32 bits."""
        self._jump(BPF_JMP32 | BPF_JNE | BPF_K, register, number, label)

    def jump_not_negative(self, register: int, label: str) -> None:
        self._jump(BPF_JMP | BPF_JSGE | BPF_K, register, 0, label)

    def _jump(self, code: int, register: int, number: int, label: str) -> None:
        self._jumps[len(self._code)] = label
        self._add(code, register, imm=number)

    def _add(self, code: int, dst: int, src: int = 0, off: int = 0, imm: int = 0) -> None:
        self._code.append((code, dst, src, off, imm if imm < 1 << 31 else imm - (1 << 32)))
