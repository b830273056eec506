"""BPF programs of one verdict, attached to a device of the lab by a descriptor that ends with the way."""

from __future__ import annotations

import os
import socket
import struct

from collectors.tracing import bpf
from collectors.tracing.instructions import R0, Instructions
from tests.lab import Namespace
from tests.loss.way import Lab

# include/uapi/linux/bpf.h: enum bpf_cmd, bpf_prog_type, bpf_attach_type; include/uapi/linux/if_link.h: XDP_FLAGS_*
BPF_LINK_CREATE = 28
SCHED_CLS, XDP = 3, 6
AT_XDP, AT_INGRESS, AT_EGRESS = 37, 46, 47
GENERIC, NATIVE = 1 << 1, 1 << 2
XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT = range(5)
TC_ACT_SHOT = 2


def attach(lab: Lab, place: Namespace, dev: str, where: int, verdict: int, flags: int = 0) -> None:
    """Every packet gets the same verdict."""
    code = Instructions()
    code.move_number(R0, verdict)
    code.exit()
    kind = XDP if where == AT_XDP else SCHED_CLS
    program = bpf.load(kind, code.assemble(), b"lost", AT_XDP if kind == XDP else 0)
    lab.stack.callback(os.close, program)

    def link() -> int:
        # struct { __u32 prog_fd, target_ifindex, attach_type, flags; ... } link_create;
        return bpf.bpf(BPF_LINK_CREATE, struct.pack("=4I", program, socket.if_nametoindex(dev), where, flags))

    lab.stack.callback(os.close, place.host.inside(link))
