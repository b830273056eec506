"""MTUs that differ along a path."""

import socket

from nettui.findings.mtu import MTU
from tests.findings.hosts import found, silent
from tests.lab import joined_pair, namespace, needs_root


@needs_root
def test_a_pair_whose_ends_differ_is_told_once_and_with_both_figures():
    with namespace() as inside:
        inside.ip(
            "link add a0 type veth peer name b0", "link set a0 mtu 9000 up", "link set b0 mtu 1400 up",
            "link add c0 type veth peer name d0", "link set c0 up", "link set d0 up",
        )  # fmt: skip
        [told] = found(MTU, inside)
        assert (told.severity, told.subject) == ("warning", "a0")
        assert "up to 9000 bytes" in told.says
        assert "b0 takes 1400" in told.says


@needs_root
def test_a_peer_in_another_namespace_is_compared_too_and_a_loss_makes_it_an_error():
    with joined_pair() as (left, right):
        right.ip("link set right0 mtu 1300")
        left.run("ping -c 1 10.9.0.2")
        [told] = found(MTU, left)
        assert told.severity == "warning"
        assert "peer right0 (in namespace id" in told.says
        assert "takes 1300" in told.says

        def lose() -> None:
            left.host.inside(lambda: send_large("10.9.0.2", 23))

        [told] = found(MTU, left, lose)
        assert told.severity == "error"
        dropped = int(left.run("cat /sys/class/net/left0/statistics/tx_dropped"))
        assert dropped >= 23  # IPv6 may lose a report of its own while the pair comes up
        assert f"links: left0 mtu 1500, tx_dropped {dropped}" in told.evidence


def send_large(address: str, count: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(count):
            sender.sendto(bytes(1400), (address, 9))


@needs_root
def test_a_bridge_with_a_narrow_port_is_told_and_one_whose_ports_agree_is_not():
    with namespace() as inside:
        for number, mtu in enumerate((1500, 1500, 1450)):
            inside.ip(
                f"link add p{number} type veth peer name q{number}",
                f"link set p{number} mtu {mtu} up", f"link set q{number} mtu {mtu} up",
            )  # fmt: skip
        inside.ip("link add br0 type bridge", "link set br0 up", *(f"link set p{n} master br0" for n in range(2)))
        assert found(MTU, inside) == []
        inside.ip("link set p2 master br0")
        [told] = found(MTU, inside)
        assert told.subject == "br0"
        assert "1 of 3 ports of bridge br0 take 1450 bytes only (p2)" in told.says


@needs_root
def test_a_tunnel_that_does_not_fit_the_device_below_is_told_with_what_would_fit():
    with joined_pair() as (left, _):
        left.ip("link add vx0 type vxlan id 42 remote 10.9.0.2 dev left0 dstport 4789", "link set vx0 up")
        assert found(MTU, left) == []
        left.ip("link set left0 mtu 1400")
        [told] = [told for told in found(MTU, left) if told.subject == "vx0"]
        assert "MTU 1450 becomes 1500 bytes in vxlan, and left0 below takes 1400" in told.says
        assert any("mtu 1350" in remedy for remedy in told.remedies)


@needs_root
def test_over_ipv6_twenty_bytes_more_are_needed():
    with joined_pair() as (left, _):
        left.ip("link add vx0 type vxlan id 42 remote fd09::2 dev left0 dstport 4789", "link set vx0 mtu 1430 up")
        assert found(MTU, left) == []
        left.ip("link set left0 mtu 1499")
        assert any("becomes 1500 bytes" in told.says for told in found(MTU, left))


@needs_root
def test_healthy_hosts_have_no_such_finding():
    assert silent(MTU)


@needs_root
def test_of_very_many_pairs_some_are_told_and_the_rest_is_counted():
    with namespace() as inside:
        inside.ip(
            *(f"link add a{number} type veth peer name b{number}" for number in range(23)),
            *(f"link set a{number} mtu 1400 up" for number in range(23)),
            *(f"link set b{number} up" for number in range(23)),
        )
        told = found(MTU, inside)
        assert len(told) == 11
        assert told[-1].says.startswith("the same is true of 13 more: ")
