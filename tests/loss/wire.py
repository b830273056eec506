"""Wire: sends packets made by hand from left0 to the right namespace, which also forwards to a network of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.loss import frames
from tests.loss.way import Lab, adjust

LEFT, RIGHT, BEYOND, NOWHERE = "10.9.0.1", "10.9.0.2", "10.8.0.9", "10.99.0.1"  # NOWHERE: no route leads there
LEFT6, RIGHT6, BEYOND6, NOWHERE6 = "fd09::1", "fd09::2", "fd08::9", "fd99::1"
COUNT = 23
Packet = Callable[[int], bytes]  # by its number, from 1


class Wire:
    """A packet socket at left0; the right namespace knows the left one, so that its answers wait for nobody."""

    def __init__(self, lab: Lab) -> None:
        self._out, own = device(lab, lab.left.host, "left0")
        _, self._other = device(lab, lab.right.host, "right0")
        self._own = own
        for address in (LEFT, LEFT6):
            lab.right.ip(f"neighbour replace {address} lladdr {own.hex(':')} dev right0 nud permanent")

    def send(self, packet: bytes, to: bytes | None = None) -> None:
        """``to``: another link-layer address than the right device's."""
        kind = frames.IPV6 if packet[0] >> 4 == 6 else frames.IPV4
        self._out.send(frames.ethernet(to or self._other, self._own, kind, packet))

    def frame(self, kind: int, payload: bytes) -> None:
        """Under an ethertype that need not be the payload's."""
        self._out.send(frames.ethernet(self._other, self._own, kind, payload))

    def losing(self, packet: Packet, to: bytes | None = None, number: int = COUNT) -> Callable[[], int]:
        def lose() -> int:
            for index in range(1, number + 1):
                self.send(packet(index), to)
            return number

        return lose


def device(lab: Lab, host: object, name: str) -> tuple[socket.socket, bytes]:
    """A packet socket that receives nothing, and the device's link-layer address."""
    sock: socket.socket = lab.stack.enter_context(host.socket(socket.SOCK_RAW, 0, socket.AF_PACKET))  # type: ignore[attr-defined]
    sock.bind((name, 0))
    return sock, sock.getsockname()[4]


def router(lab: Lab, mtu: int = 1500) -> Wire:
    """The right namespace forwards to 10.8.0.0/24 and fd08::/64, by another pair of devices."""
    lab.right.ip(
        f"link add beyond mtu {mtu} type veth peer name far netns {lab.left.name}",
        "link set beyond up",
        "address add 10.8.0.1/24 dev beyond",
        "address add fd08::1/64 dev beyond nodad",
    )
    lab.left.ip("link set far up")
    adjust(lab.right, {"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1})
    return Wire(lab)


def datagram(to: str, src: str = LEFT, **header: object) -> bytes:
    """A UDP datagram in an IPv4 packet; ``header``: what frames.ipv4 is to make of it."""
    return frames.ipv4(src, to, frames.UDP, frames.udp(src, to, 5353), **header)  # type: ignore[arg-type]


def datagram6(to: str, src: str = LEFT6, **header: object) -> bytes:
    return frames.ipv6(src, to, frames.UDP, frames.udp(src, to, 5353), **header)  # type: ignore[arg-type]
