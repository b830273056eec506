"""BTF put together by hand: a small kernel's types."""

from __future__ import annotations

import struct

from collectors.tracing.btf import ENUM, FUNC_PROTO, HEADER, MAGIC, PTR, STRUCT, TYPEDEF, UNION

INT = 1


class Types:
    """Types as they are added are numbered from 1."""

    def __init__(self) -> None:
        self._types: list[bytes] = []
        self._strings = bytearray(b"\0")

    def add(self, kind: int, name: str = "", size: int = 0, words: tuple[int, ...] = (), vlen: int = 0, flag: int = 0):
        info = flag << 31 | kind << 24 | vlen
        self._types.append(struct.pack(f"=3I{len(words)}I", self.string(name), info, size, *words))
        return len(self._types)

    def structure(self, name: str, *members: tuple[str, int, int], kind: int = STRUCT, flag: int = 0) -> int:
        words = [word for member, number, bit in members for word in (self.string(member), number, bit)]
        return self.add(kind, name, 8, tuple(words), len(members), flag)

    def string(self, text: str) -> int:
        if not text:
            return 0
        at = self._strings.find(b"\0" + text.encode() + b"\0")
        if at >= 0:
            return at + 1
        self._strings += text.encode() + b"\0"
        return len(self._strings) - len(text) - 1

    def blob(self) -> bytes:
        types, strings = b"".join(self._types), bytes(self._strings)
        header = HEADER.pack(MAGIC, 1, 0, HEADER.size, 0, len(types), len(types), len(strings))
        return header + types + strings


def small_kernel(*, with_reason: bool = True) -> bytes:
    """sk_buff with its device inside unnamed members, an enumeration, and the tracepoint."""
    types = Types()
    number = types.add(INT, "int", 4, (32,))
    net = types.structure("net", ("first", number, 0), ("inum", number, 32))
    net_pointer = types.add(PTR, size=net)
    holder = types.structure("", ("net", net_pointer, 0))
    possible = types.add(TYPEDEF, "possible_net_t", holder)
    device = types.structure("net_device", ("flag", number, 3 << 24 | 5), ("nd_net", possible, 128), flag=1)
    pointer = types.add(PTR, size=device)
    union = types.structure("", ("dev", pointer, 0), ("dev_scratch", number, 0), kind=UNION)
    inner = types.structure("", ("next", pointer, 0), ("", union, 64))
    packet = types.structure("sk_buff", ("", inner, 64), ("sk", pointer, 256))
    types.structure("empty")
    words = (types.string("SKB_CONSUMED"), 1, types.string("SKB_DROP_REASON_NO_SOCKET"), 3)
    reason = types.add(ENUM, "skb_drop_reason", 4, words, 2)
    arguments = [types.add(PTR), types.add(PTR, size=packet), types.add(PTR), *([reason] if with_reason else [])]
    words = tuple(word for argument in arguments for word in (0, argument))
    prototype = types.add(FUNC_PROTO, words=words, vlen=len(arguments))
    types.add(TYPEDEF, "btf_trace_kfree_skb", types.add(PTR, size=prototype))
    return types.blob()
