"""Ways of losing packets in devices: veth, tun and tap, macvlan, ifb, XDP, the CPU's backlog."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import time
from collections.abc import Callable

from tests.loss import frames
from tests.loss.programs import AT_XDP, GENERIC, NATIVE, XDP_ABORTED, XDP_DROP, attach
from tests.loss.traffic import (
    COUNT,
    OTHER_MAC,
    address,
    catcher,
    caught,
    datagram_frame,
    datagrams,
    neighbours,
    none_comes,
    packet_socket,
    sender,
)
from tests.loss.way import Lab, way

# include/uapi/linux/if_tun.h
TUNSETIFF, TUNSETTXFILTER, TUNSETQUEUE = 0x400454CA, 0x400454D1, 0x400454D9
IFF_TUN, IFF_TAP, IFF_MULTI_QUEUE, IFF_DETACH_QUEUE, IFF_NO_PI, IFF_VNET_HDR = 1, 2, 0x100, 0x400, 0x1000, 0x4000
LOCAL_EXPERIMENT = 0x88B5  # an Ethernet type that nobody takes
OUT = "10.7.0.1"


@way("device", "rtnl_link_stats64.rx_dropped", scope="right0")  # the reason is told of the sending end
def receiver_takes_smaller_packets(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.right.ip("link set right0 mtu 1300")
    return none_comes(lab, size=1400)


@way("device", "rtnl_link_stats64.tx_dropped", scope="left0", reason="NOT_SPECIFIED", side="left")
def other_end_takes_smaller_packets(lab: Lab) -> Callable[[], int]:
    return receiver_takes_smaller_packets(lab)


@way("device", "rtnl_link_stats64.tx_dropped", scope="left0", reason="QDISC_DROP", side="left")
def other_end_is_down(lab: Lab) -> Callable[[], int]:
    """The own end loses its carrier a moment later, and its queue takes nothing more."""
    neighbours(lab)
    out = sender(lab)

    def lose() -> int:
        lab.right.ip("link set right0 down")
        time.sleep(0.1)
        datagrams(out)
        return COUNT

    return lose


@way("device", "rtnl_link_stats64.rx_dropped", scope="right0", reason="UNHANDLED_PROTO")
def protocol_that_nobody_takes(lab: Lab) -> Callable[[], int]:
    frame = frames.ethernet(address(lab.right, "right0"), OTHER_MAC, LOCAL_EXPERIMENT, b"x" * 50)
    return frames_lost(lab, frame)


@way("device", "rtnl_link_stats64.rx_otherhost_dropped", scope="right0", reason="OTHERHOST")
def frame_for_another_host(lab: Lab) -> Callable[[], int]:
    lab.right.ip("link set right0 promisc on")
    return frames_lost(lab, datagram_frame(OTHER_MAC, address(lab.left, "left0")))


def frames_lost(lab: Lab, frame: bytes, number: int = COUNT) -> Callable[[], int]:
    """Frames sent at left0, none of which comes to the socket that datagrams are meant for."""
    wire, end = packet_socket(lab, lab.left, "left0"), catcher(lab)

    def lose() -> int:
        for _ in range(number):
            wire.send(frame)
        assert caught(end) == 0
        return number

    return lose


def tunnel(lab: Lab, flags: int, *ip: str) -> int:
    """A tun or tap device of the left namespace that nobody reads; the descriptor of its program."""

    def make() -> int:
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("=16sH22x", b"tun0", flags | IFF_NO_PI))
        return descriptor

    descriptor = lab.left.host.inside(make)
    lab.stack.callback(os.close, descriptor)
    lab.left.ip(f"address add {OUT}/24 dev tun0", *ip, "link set tun0 up")
    if flags & IFF_TAP:
        lab.left.ip("neighbour add 10.7.0.2 lladdr 02:00:00:00:00:07 dev tun0 nud permanent")
    return descriptor


@way("device", "rtnl_link_stats64.tx_dropped", scope="tun0", reason="FULL_RING", side="left")
def program_of_a_tunnel_reads_nothing(lab: Lab) -> Callable[[], int]:
    room = 7
    descriptor = tunnel(lab, IFF_TUN, f"link set tun0 txqueuelen {room}")
    out = sender(lab, OUT)

    def lose() -> int:
        datagrams(out, COUNT + room, "10.7.0.2")
        read = 0
        with contextlib.suppress(BlockingIOError):
            while os.read(descriptor, 2000):
                read += 1
        return COUNT + room - read

    return lose


@way("device", "rtnl_link_stats64.tx_dropped", scope="tun0", reason="DEV_READY", side="left")
def tunnel_without_a_queue(lab: Lab) -> Callable[[], int]:
    descriptor = tunnel(lab, IFF_TUN | IFF_MULTI_QUEUE)
    out = sender(lab, OUT)
    fcntl.ioctl(descriptor, TUNSETQUEUE, struct.pack("=16sH22x", b"", IFF_DETACH_QUEUE))
    return never_read(out, descriptor)


@way("device", "rtnl_link_stats64.tx_dropped", scope="tun0", reason="TAP_TXFILTER", side="left")
def filter_of_a_tap(lab: Lab) -> Callable[[], int]:
    descriptor = tunnel(lab, IFF_TAP)
    # struct tun_filter { __u16 flags; __u16 count; __u8 addr[][ETH_ALEN]; };
    fcntl.ioctl(descriptor, TUNSETTXFILTER, struct.pack("=2H6s", 0, 1, OTHER_MAC))
    return never_read(sender(lab, OUT), descriptor)


def never_read(out: socket.socket, descriptor: int) -> Callable[[], int]:
    """Datagrams into a tunnel, none of which its program can read."""

    def lose() -> int:
        datagrams(out, to="10.7.0.2")
        with contextlib.suppress(BlockingIOError, OSError):
            raise AssertionError(os.read(descriptor, 2000))
        return COUNT

    return lose


@way("device", "rtnl_link_stats64.rx_dropped", scope="tun0", reason="NOT_SPECIFIED", side="left")
def program_of_a_tunnel_writes_no_packet(lab: Lab) -> Callable[[], int]:
    return refused_writes(tunnel(lab, IFF_TUN), b"\x30" + b"x" * 40)


@way("device", "rtnl_link_stats64.rx_frame_errors", scope="tun0", side="left")
def program_of_a_tunnel_writes_a_bad_header(lab: Lab) -> Callable[[], int]:
    # struct virtio_net_hdr { __u8 flags, gso_type; __virtio16 hdr_len, gso_size, csum_start, csum_offset; };
    header = struct.pack("=2B4H", 0, 99, 0, 0, 0, 0)
    packet = frames.ipv4("10.7.0.2", OUT, frames.UDP, frames.udp("10.7.0.2", OUT, 5353))
    return refused_writes(tunnel(lab, IFF_TUN | IFF_VNET_HDR), header + packet)


def refused_writes(descriptor: int, data: bytes) -> Callable[[], int]:
    def lose() -> int:
        refused = 0
        for _ in range(COUNT):
            try:
                os.write(descriptor, data)
            except OSError:
                refused += 1
        return refused

    return lose


@way("device", "rtnl_link_stats64.rx_dropped", scope="ifb0", side="left")
def sent_to_an_ifb(lab: Lab) -> Callable[[], int]:
    """It takes only what a tc filter redirects to it."""
    lab.left.ip("link add ifb0 type ifb", "link set ifb0 up")
    wire = packet_socket(lab, lab.left, "ifb0")
    frame = datagram_frame(OTHER_MAC, OTHER_MAC)

    def lose() -> int:
        for _ in range(COUNT):
            wire.send(frame)
        return COUNT

    return lose


@way("xdp", None, reason="NOT_SPECIFIED")
def generic_xdp_program(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    attach(lab, lab.right, "right0", AT_XDP, XDP_DROP, GENERIC)
    return none_comes(lab)


@way("xdp", "ethtool.rx_queue_0_xdp_drops", scope="right0")
def xdp_program_of_a_veth(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    attach(lab, lab.right, "right0", AT_XDP, XDP_DROP, NATIVE)
    return none_comes(lab)


@way("xdp", "ethtool.rx_queue_0_xdp_drops", scope="right0")
def xdp_program_that_aborts(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    attach(lab, lab.right, "right0", AT_XDP, XDP_ABORTED, NATIVE)
    return none_comes(lab)
