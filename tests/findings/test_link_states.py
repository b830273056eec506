"""Links that flap, run slowly, are promiscuous, have no carrier, or lose frames."""

import fcntl
import os
import shlex
import socket
import struct
import time
from contextlib import contextmanager

from nettui.findings.link_errors import LINK_ERRORS
from nettui.findings.link_flapping import LINK_FLAPPING
from nettui.findings.no_carrier import NO_CARRIER
from nettui.findings.promiscuous import PROMISCUOUS
from nettui.findings.slow_link import SLOW_LINK
from tests.findings.hosts import docker, found, healthy, made_up, silent
from tests.lab import Namespace, joined_pair, namespace, needs_root

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000


def flap(far: Namespace, times: int) -> None:
    for _ in range(times):
        far.ip("link set right0 down")
        time.sleep(0.05)
        far.ip("link set right0 up")
        time.sleep(0.05)


@needs_root
def test_a_carrier_that_goes_between_two_readings_is_a_warning_and_later_a_note():
    with joined_pair() as (left, right):
        [told] = found(LINK_FLAPPING, left, lambda: flap(right, 11))
        assert (told.severity, told.subject) == ("warning", "left0")
        assert "went again while it was watched" in told.says
        [told] = found(LINK_FLAPPING, left)
        assert (told.severity, told.subject) == ("note", "left0")
        assert "went 11 times" in told.says or "went 12 times" in told.says


@needs_root
def test_links_that_stay_do_not_flap():
    assert silent(LINK_FLAPPING)


@contextmanager
def tap(inside: Namespace, name: str, flags: int):
    """A tun or tap device with a reader, which gives it a carrier."""

    def attach() -> int:
        descriptor = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        return descriptor

    descriptor = inside.host.inside(attach)
    try:
        inside.ip(f"link set {name} up")
        yield descriptor
    finally:
        os.close(descriptor)


@needs_root
def test_half_duplex_is_told_and_the_speed_of_software_is_not():
    with namespace() as inside, tap(inside, "tap0", IFF_TAP | IFF_NO_PI):
        assert found(SLOW_LINK, inside) == []  # 10 Mbit/s, says the driver
        inside.run("ethtool -s tap0 speed 10 duplex half autoneg off")
        [told] = found(SLOW_LINK, inside)
        assert (told.severity, told.subject) == ("warning", "tap0")
        assert "half duplex" in told.says


def test_hardware_at_100_mbit_is_a_note():
    """Made up: a namespace has no hardware of its own."""
    card = {"ifindex": 2, "ifname": "eth0", "speed": 100, "duplex": "Full", "driver": "e1000e"}
    link = {"ifindex": 2, "ifname": "eth0", "flags": ["UP", "LOWER_UP"], "parentbus": "pci"}
    tables = {"ethtool": made_up("ethtool", card), "links": made_up("links", link)}
    [told] = SLOW_LINK.find(tables)
    assert told.severity == "note"
    assert "100 Mbit/s" in told.says
    fast = {**tables, "ethtool": made_up("ethtool", {**card, "speed": 1000})}
    assert list(SLOW_LINK.find(fast)) == []


@needs_root
def test_links_at_full_speed_are_well():
    assert silent(SLOW_LINK)


@needs_root
def test_a_device_left_promiscuous_is_a_note_and_bridges_macvlans_and_captures_explain_it():
    with namespace() as inside:
        inside.ip(
            "link add a0 type veth peer name b0", "link set a0 up", "link set b0 up",
            "link add br0 type bridge", "link add c0 type veth peer name d0", "link set c0 master br0 up promisc on",
            "link set d0 up", "link add mv0 link d0 type macvlan mode passthru", "link set mv0 up",
        )  # fmt: skip
        assert found(PROMISCUOUS, inside) == []
        inside.ip("link set a0 promisc on")
        [told] = found(PROMISCUOUS, inside)
        assert (told.severity, told.subject) == ("note", "a0")
        capture = inside.host.socket(socket.SOCK_RAW, socket.htons(3), socket.AF_PACKET)
        with capture:
            assert found(PROMISCUOUS, inside) == []
        assert len(found(PROMISCUOUS, inside)) == 1


@needs_root
def test_no_device_of_a_healthy_host_is_left_promiscuous():
    assert silent(PROMISCUOUS)


@needs_root
def test_a_link_without_carrier_is_a_note_and_with_an_address_a_warning():
    with joined_pair() as (left, right):
        left.ip("link add br9 type bridge", "address add 10.7.0.1/24 dev br9", "link set br9 up")
        left.ip("link add s0 type veth peer name s1", "link set s0 up")
        right.ip("link set right0 down")
        time.sleep(1.3)  # the kernel tells of carriers at most once a second
        told = {finding.subject: finding for finding in found(NO_CARRIER, left)}
        assert {subject: finding.severity for subject, finding in told.items()} == {"left0": "warning", "s0": "note"}
        assert told["left0"].says == "left0 has an address and is up, and has no carrier"


def test_a_bond_whose_ports_have_no_carrier_is_an_error():
    """Made up: this kernel has no bonding."""
    flags = ["NO-CARRIER", "UP"]
    links = made_up(
        "links",
        {"ifindex": 2, "ifname": "bond0", "flags": flags, "kind": "bond"},
        {"ifindex": 3, "ifname": "eth0", "flags": flags, "slave_kind": "bond", "master_index": 2},
        {"ifindex": 4, "ifname": "eth1", "flags": flags, "slave_kind": "bond", "master_index": 2},
    )
    assert [(told.severity, told.subject) for told in NO_CARRIER.find({"links": links})] == [
        ("error", "bond0"), ("warning", "eth0, eth1"),
    ]  # fmt: skip


@needs_root
def test_links_with_carrier_and_bridges_without_ports_are_well():
    assert silent(NO_CARRIER)


@needs_root
def test_packets_that_a_device_cannot_send_are_an_error_while_they_come_and_a_note_later():
    with joined_pair() as (left, _):
        left.ip(
            "link add vx0 type vxlan id 42 remote 203.0.113.7 dstport 4789",  # to which there is no route
            "address add 10.7.0.1/24 dev vx0",
            "link set vx0 up",
            "neighbour add 10.7.0.2 lladdr 02:00:00:00:00:02 dev vx0",
        )

        def send() -> None:
            with left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sender:
                for _ in range(113):
                    sender.sendto(b"", ("10.7.0.2", 9))

        [told] = found(LINK_ERRORS, left, send)
        assert (told.severity, told.subject) == ("error", "vx0")
        assert "tx_carrier_errors: no route to its other end" in told.says
        [told] = found(LINK_ERRORS, left)
        assert told.severity == "note"
        assert "since it exists" in told.says


def test_one_error_among_very_many_packets_is_a_note():
    """Made up: so many packets take too long."""
    row = {"ifindex": 2, "ifname": "eth0", "flags": [], "rx_packets": 10**9, "rx_crc_errors": 500, "rx_errors": 500}
    moving = made_up(
        "links",
        {**row, "rx_errors_rate": 1.0, "rx_crc_errors_rate": 1.0, "rx_packets_rate": 50_000.0},
        rates=("rx_errors", "rx_crc_errors", "rx_packets"),
    )
    [told] = LINK_ERRORS.find({"links": moving})
    assert told.severity == "note"
    assert "rx_crc_errors" in told.says
    assert list(LINK_ERRORS.find({"links": made_up("links", row)})) == []


@needs_root
def test_links_that_take_every_frame_are_well():
    assert silent(LINK_ERRORS)
    assert len(healthy()["links"]) > 1
    assert len(docker()["links"]) > 4


@needs_root
def test_what_a_hostile_name_adds_to_a_command_stays_one_word():
    with namespace() as inside:
        inside.ip("link add $(reboot);' type veth peer name b0", "link set $(reboot);' up", "link set b0 up")
        inside.ip("link set b0 down")
        time.sleep(1.3)
        [told] = found(NO_CARRIER, inside)
        assert shlex.split(told.remedies[0], comments=True) == ["ethtool", "$(reboot);'"]
