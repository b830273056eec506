"""Ways of losing packets to IPsec policies, without any cipher: what is not encrypted, blocked, or has no SA."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.loss.way import Lab, adjust, way

LEFT, RIGHT = "10.9.0.1", "10.9.0.2"
COUNT = 23
TEMPLATE = f"tmpl src {LEFT} dst {RIGHT} proto esp mode transport"


def received(lab: Lab) -> Callable[[], int]:
    """Datagrams to an open port of the right namespace."""
    there = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
    there.bind((RIGHT, 5353))
    out = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
    out.sendto(b"the neighbours know each other", (RIGHT, 5353))
    return lambda: sum(out.sendto(b"lost", (RIGHT, 5353)) > 0 for _ in range(COUNT))


def sent(lab: Lab) -> Callable[[], int]:
    """Datagrams from the right namespace, which may be refused at once."""
    out = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
    out.setblocking(False)

    def lose() -> int:
        for _ in range(COUNT):
            try:
                out.sendto(b"lost", (LEFT, 5353))
            except OSError:
                continue
        return COUNT

    return lose


@way("xfrm", "xfrm.InTmplMismatch", reason="XFRM_POLICY")
def xfrm_policy_asks_for_encryption(lab: Lab) -> Callable[[], int]:
    lose = received(lab)
    lab.right.ip(f"xfrm policy add dir in src {LEFT} dst {RIGHT} {TEMPLATE}")
    return lose


@way("xfrm", "xfrm.InPolBlock", reason="XFRM_POLICY")
def xfrm_policy_blocks(lab: Lab) -> Callable[[], int]:
    lose = received(lab)
    lab.right.ip(f"xfrm policy add dir in src {LEFT} dst {RIGHT} action block")
    return lose


@way("xfrm", "xfrm.InNoPols", reason="XFRM_POLICY")
def xfrm_no_policy(lab: Lab) -> Callable[[], int]:
    lose = received(lab)
    lab.right.ip("xfrm policy setdefault in block")
    return lose


@way("xfrm", "xfrm.OutPolBlock")
def xfrm_policy_blocks_sending(lab: Lab) -> Callable[[], int]:
    lab.right.ip(f"xfrm policy add dir out src {RIGHT} dst {LEFT} action block")
    return sent(lab)


@way("xfrm", "xfrm.OutNoStates")
def xfrm_no_sa(lab: Lab) -> Callable[[], int]:
    lab.right.ip(f"xfrm policy add dir out src {RIGHT} dst {LEFT} tmpl src {RIGHT} dst {LEFT} proto esp mode transport")
    return sent(lab)


@way("xfrm", "xfrm.InPolBlock", reason="XFRM_POLICY")
def xfrm_policy_blocks_forwarding(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/ip_forward": 1})
    lab.right.ip(
        "xfrm policy add dir fwd dst 10.11.0.0/16 action block",
        "link add away type bridge",
        "link set away up",
        "route add 10.11.0.0/16 dev away",
    )
    lab.left.ip(f"route add 10.11.0.0/16 via {RIGHT}")
    out = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
    return lambda: sum(out.sendto(b"lost", ("10.11.0.1", 5353)) > 0 for _ in range(COUNT))
