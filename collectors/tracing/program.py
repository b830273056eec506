"""The BPF program that counts drops: what it reads of a packet, and whose the packet is.

The namespace is taken from the first of these that has one: the packet's device; the socket that was to receive it
(6.11 and later hand it over); the packet's own socket; the task that runs, which is a guess.
skb->dev is a union: a UDP socket keeps lengths there while the packet is queued, a tree of packets a pointer to another
packet. So a pointer counts as a device only when it leads to a namespace, and an address is a namespace only when
its ``ns.ops`` is that of network namespaces. Reading through a wrong pointer gives 0 or rubbish and never a fault.
"""

from __future__ import annotations

from dataclasses import dataclass

from collectors.tracing.btf import ENUM, PTR, Btf
from collectors.tracing.instructions import FP, R0, R1, R2, R3, R4, R6, R7, R8, Instructions
from collectors.tracing.keys import AT, DEV, KEY, RX_SK, SK, TASK

TRACEPOINT = "kfree_skb"
# enum bpf_func_id
BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_GET_CURRENT_TASK_BTF = 1, 2, 158
BPF_NOEXIST = 1
NOT_DROPPED = ("SKB_NOT_DROPPED_YET", "SKB_CONSUMED")

ARGUMENT = 8  # bytes
KEY_AT = -KEY.itemsize  # on the stack
ONE_AT = KEY_AT - 8
CONTEXT, PACKET, IFINDEX = R6, R7, R8  # registers that calls leave alone


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the running kernel keeps what the program reads: bytes into structures, and positions of arguments.

    ``reason``: its position among the arguments, None before 5.17; ``rx_sk`` likewise before 6.11.
    """

    reason: int | None
    rx_sk: int | None
    passed: tuple[int, ...]  # reasons that are no drops
    skb_dev: int
    skb_sk: int
    skb_protocol: int
    skb_iif: int
    dev_net: int
    dev_ifindex: int
    sk_net: int
    net_inum: int
    net_ops: int
    task_nsproxy: int
    nsproxy_net: int


def layout(types: Btf, reasons: dict[int, str]) -> Layout:
    """KeyError for a kernel that has not got one of these."""
    arguments = types.tracepoint(TRACEPOINT).arguments
    kinds = [(argument.kind, argument.name) for argument in arguments]
    if kinds[:1] != [(PTR, "sk_buff")] or len(kinds) < 2:
        raise KeyError(f"{TRACEPOINT} hands over no packet and location first")
    reason, receiver = (ENUM, "skb_drop_reason"), (PTR, "sock")
    return Layout(
        reason=kinds.index(reason) if reason in kinds else None,
        rx_sk=kinds.index(receiver) if receiver in kinds else None,
        passed=tuple(number for number, name in reasons.items() if name in NOT_DROPPED),
        skb_dev=types.offset("sk_buff", "dev"),
        skb_sk=types.offset("sk_buff", "sk"),
        skb_protocol=types.offset("sk_buff", "protocol"),
        skb_iif=types.offset("sk_buff", "skb_iif"),
        dev_net=types.offset("net_device", "nd_net", "net"),
        dev_ifindex=types.offset("net_device", "ifindex"),
        sk_net=types.offset("sock", "__sk_common", "skc_net", "net"),
        net_inum=types.offset("net", "ns", "inum"),
        net_ops=types.offset("net", "ns", "ops"),
        task_nsproxy=types.offset("task_struct", "nsproxy"),
        nsproxy_net=types.offset("nsproxy", "net_ns"),
    )


def namespace_operations(at: Layout) -> bytes:
    """A program that returns the lower half of a network namespace's ``ns.ops``: the one of the task that runs it."""
    code = Instructions()
    current_namespace(code, at, "none")
    code.load(8, R3, R3, at.net_ops)
    code.move_half(R0, R3)
    code.exit()
    code.label("none")
    code.move_number(R0, 0)
    code.exit()
    return code.assemble()


def counting(at: Layout, counts: int, operations: int) -> bytes:
    """The program that adds 1 to the map ``counts`` for each packet; ``operations``: from ``namespace_operations``."""
    code = Instructions()
    code.move(CONTEXT, R1)
    begin_key(code, at)
    from_device(code, at, operations)
    code.label("no device")
    code.load(4, IFINDEX, PACKET, at.skb_iif)  # where it came in, 0 if it did not
    code.store(4, FP, KEY_AT + AT["ifindex"], IFINDEX)
    if at.rx_sk is not None:
        code.load(8, R2, CONTEXT, at.rx_sk * ARGUMENT)
        from_socket(code, at, operations, RX_SK, "no receiver")
    code.load(8, R2, PACKET, at.skb_sk)
    from_socket(code, at, operations, SK, "no socket")
    code.store_number(4, FP, KEY_AT + AT["ifindex"], 0)
    current_namespace(code, at, "count")
    judged(code, at, operations, TASK, "count")
    code.label("count")
    add_one(code, counts)
    return code.assemble()


def begin_key(code: Instructions, at: Layout) -> None:
    """The key with reason, location and protocol, and the rest 0; the end for what was not dropped."""
    if at.reason is not None:
        code.load(8, R2, CONTEXT, at.reason * ARGUMENT)
        code.move_half(R2, R2)
        for number in at.passed:
            code.jump_equal(R2, number, "end")
    for word in range(KEY_AT, 0, 8):
        code.store_number(8, FP, word, 0)
    if at.reason is not None:
        code.store(4, FP, KEY_AT + AT["reason"], R2)
    code.load(8, PACKET, CONTEXT, 0)
    code.load(8, R2, CONTEXT, ARGUMENT)
    code.store(8, FP, KEY_AT + AT["location"], R2)
    code.load(2, R2, PACKET, at.skb_protocol)
    code.store(2, FP, KEY_AT + AT["protocol"], R2)


def from_device(code: Instructions, at: Layout, operations: int) -> None:
    code.load(8, R2, PACKET, at.skb_dev)
    code.jump_not_negative(R2, "no device")  # the kernel's addresses have their highest bit set
    code.load(4, IFINDEX, R2, at.dev_ifindex)
    code.load(8, R3, R2, at.dev_net)
    code.store(4, FP, KEY_AT + AT["ifindex"], IFINDEX)
    judged(code, at, operations, DEV, "no device")


def from_socket(code: Instructions, at: Layout, operations: int, by: int, otherwise: str) -> None:
    """Whatever socket it is, a small one for a connection that begins or ends too: each has this common part."""
    code.jump_equal(R2, 0, otherwise)  # the verifier takes no other test for it
    code.jump_not_negative(R2, otherwise)
    code.load(8, R3, R2, at.sk_net)
    judged(code, at, operations, by, otherwise)
    code.label(otherwise)


def current_namespace(code: Instructions, at: Layout, otherwise: str) -> None:
    """R3: the running task's network namespace; a task that has all but ended has none."""
    code.call(BPF_GET_CURRENT_TASK_BTF)
    code.load(8, R3, R0, at.task_nsproxy)
    code.jump_equal(R3, 0, otherwise)
    code.load(8, R3, R3, at.nsproxy_net)


def judged(code: Instructions, at: Layout, operations: int, by: int, otherwise: str) -> None:
    """Into the key and on to counting, if the address in R3 is a network namespace's."""
    code.jump_not_negative(R3, otherwise)
    code.load(8, R4, R3, at.net_ops)
    code.move_half(R4, R4)
    code.jump_half_unequal(R4, operations, otherwise)
    code.load(4, R4, R3, at.net_inum)
    code.store(4, FP, KEY_AT + AT["netns"], R4)
    code.store_number(1, FP, KEY_AT + AT["by"], by)
    if otherwise != "count":
        code.jump("count")


def add_one(code: Instructions, counts: int) -> None:
    """Under the key; a new one where there is none yet; and under the key of zeros where no more fit in."""
    look_up(code, counts)
    code.jump_unequal(R0, 0, "add")
    code.store_number(8, FP, ONE_AT, 1)
    map_and_key(code, counts)
    code.move(R3, FP)
    code.add_number(R3, ONE_AT)
    code.move_number(R4, BPF_NOEXIST)
    code.call(BPF_MAP_UPDATE_ELEM)
    code.jump_equal(R0, 0, "end")
    look_up(code, counts)  # another processor may have been quicker
    code.jump_unequal(R0, 0, "add")
    for word in range(KEY_AT, 0, 8):
        code.store_number(8, FP, word, 0)
    look_up(code, counts)
    code.jump_equal(R0, 0, "end")
    code.label("add")
    code.move_number(R1, 1)
    code.atomic_add(8, R0, 0, R1)  # what interrupts this program may count a drop too
    code.label("end")
    code.move_number(R0, 0)
    code.exit()


def look_up(code: Instructions, counts: int) -> None:
    map_and_key(code, counts)
    code.call(BPF_MAP_LOOKUP_ELEM)


def map_and_key(code: Instructions, counts: int) -> None:
    code.map_address(R1, counts)
    code.move(R2, FP)
    code.add_number(R2, KEY_AT)
