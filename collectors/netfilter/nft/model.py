"""What a rule's text depends on beside the rule: its table's sets, and names of devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

NFT_SET_ANONYMOUS, NFT_SET_CONSTANT, NFT_SET_INTERVAL, NFT_SET_MAP, NFT_SET_TIMEOUT, NFT_SET_EVAL, NFT_SET_OBJECT = (
    0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40,
)  # fmt: skip
NFT_SET_CONCAT, NFT_SET_EXPR = 0x80, 0x100


@dataclass(frozen=True, slots=True)
class NftSet:
    """One set or map (uapi linux/netfilter/nf_tables.h, nft_set_attributes).

    ``key_type``, ``data_type``: the user space's data type numbers, NFT_DATA_VERDICT for a verdict map's data;
    lengths in bytes. ``userdata``: by TLV type, see libnftnl's udata.h. ``elements``: the payload of each
    NFTA_LIST_ELEM as the kernel listed it; None where they were not read.
    """

    family: int
    table: str
    name: str
    handle: int = 0
    flags: int = 0
    key_type: int = 0
    key_length: int = 0
    data_type: int = 0
    data_length: int = 0
    object_type: int = 0
    timeout: int = 0  # ms
    gc_interval: int = 0  # ms
    policy: int = 0
    size: int = 0
    fields: tuple[int, ...] = ()  # bytes of each part of a concatenated key
    count: int | None = None
    userdata: Mapping[int, bytes] = field(default_factory=dict)
    expressions: tuple[bytes, ...] = ()  # payloads of NFTA_SET_EXPR, or of each of NFTA_SET_EXPRESSIONS
    elements: Sequence[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """``family``: NFPROTO_* of the table; ``sets``: the table's, by name; ``device``: the name of an ifindex;
    ``ipsets``: names of the ipset sets by index, for iptables' ``-m set``. ``inline``: texts of anonymous sets that
    were told before, by what they depend on. ``counting``: the sets whose every element has a counter.
    """

    family: int
    table: str = ""
    sets: Mapping[str, NftSet] = field(default_factory=dict)
    device: Callable[[int], str | None] = lambda index: None
    ipsets: Mapping[int, str] = field(default_factory=dict)
    inline: dict[object, str] = field(default_factory=dict, compare=False)
    counting: frozenset[str] = frozenset()
