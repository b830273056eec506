"""Hosts of the usual kinds that are well get notes at most."""

import time
from contextlib import ExitStack

from nettui.findings.registry import DIAGNOSES
from tests.findings.hosts import EVERY, docker, healthy, read_twice
from tests.lab import namespace, needs_root
from tests.netfilter_scenes import kubernetes_host


def serious(tables):
    return [
        finding.says
        for diagnosis in DIAGNOSES
        if set(diagnosis.needs) <= set(tables)
        for finding in diagnosis.find(tables)
        if finding.severity != "note"
    ]


@needs_root
def test_a_plain_host_and_a_docker_host_get_notes_at_most():
    assert serious(healthy()) == []
    assert serious(docker()) == []


@needs_root
def test_a_kubernetes_node_gets_notes_at_most():
    """Flannel's overlay, a bridge of pods, Calico's route of its own block, kube-proxy's rules, a pod's traffic."""
    with kubernetes_host(services=50, services6=5) as node, ExitStack() as stack:
        network = stack.enter_context(namespace())
        pods = [stack.enter_context(namespace()) for _ in range(3)]
        node.run("sysctl -qw net.ipv4.ip_forward=1")
        node.ip(
            f"link add eth0 type veth peer name eth0 netns {network.name}",
            "address add 192.0.2.10/24 dev eth0",
            "link set eth0 up",
            "link add flannel.1 type vxlan id 1 local 192.0.2.10 dev eth0 nolearning dstport 8472",
            "link set flannel.1 mtu 1450 up",
            "address add 10.244.0.0/32 dev flannel.1",
            "link add cni0 type bridge",
            "link set cni0 mtu 1450 up promisc on",
            "address add 10.244.0.1/24 dev cni0",
            "route add blackhole 10.245.0.0/26",
        )
        network.ip("address add 192.0.2.1/24 dev eth0", "link set eth0 up", "route add 10.244.0.0/16 via 192.0.2.10")
        node.ip("route add default via 192.0.2.1")
        for number, pod in enumerate(pods):
            node.ip(f"link add veth{number} mtu 1450 type veth peer name eth0 mtu 1450 netns {pod.name}")
            node.ip(f"link set veth{number} master cni0 up")
            pod.ip(
                f"address add 10.244.0.{number + 2}/24 dev eth0", "link set eth0 up", "route add default via 10.244.0.1"
            )
        time.sleep(2.5)

        def traffic() -> None:
            network.run("ping -c 23 -i 0.01 -q 192.0.2.10")
            node.run("ping -c 5 -i 0.01 -q 10.244.0.3")

        assert serious(read_twice(EVERY, node, traffic)) == []


@needs_root
def test_a_laptop_gets_notes_at_most():
    """Two ways out by DHCP, the cable's one unplugged and so without address, a tunnel, a bridge without machines."""
    with namespace() as laptop, namespace() as home:
        laptop.ip(
            f"link add wlan0 type veth peer name ap0 netns {home.name}",
            "address add 192.168.1.23/24 dev wlan0 valid_lft 3600 preferred_lft 3600",
            "link set wlan0 up",
            "link add eth0 type veth peer name cable0",
            "link set eth0 up",
            "link add virbr0 type bridge",
            "address add 192.168.122.1/24 dev virbr0",
            "link set virbr0 up",
            "tuntap add tun0 mode tun",
            "address add 10.8.0.2/24 dev tun0",
            "route add default via 192.168.1.1 dev wlan0 metric 600",
        )
        home.ip("address add 192.168.1.1/24 dev ap0", "link set ap0 up")
        laptop.run("sysctl -qw net.ipv4.conf.all.rp_filter=2")
        time.sleep(2.5)
        tables = read_twice(EVERY, laptop, lambda: laptop.run("ping -c 23 -i 0.01 -q 192.168.1.1"))
        assert serious(tables) == []
