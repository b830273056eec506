"""Settings beside `sysctl -n`, one by one."""

from __future__ import annotations

import pytest

from collectors import collect
from tests.lab import Namespace, namespace, needs_root

pytestmark = [needs_root, pytest.mark.root]


def sysctl(inside: Namespace, names: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in inside.run(f"sysctl -n {' '.join(names)}").splitlines()]


def test_every_setting_is_what_sysctl_prints():
    with namespace() as inside:
        inside.ip("link add v0.5 type veth peer name v1", "link set v1 up")
        inside.run("sysctl -qw net.ipv4.conf.v0/5.rp_filter=2 net.ipv6.conf.v1.accept_ra=0 net.ipv4.ip_forward=1")
        rows = list(collect("settings", inside.host).rows())
        names = [str(row["name"]) for row in rows]
        assert sysctl(inside, names) == [row["value"] for row in rows]
    numbers = {row["name"]: row.get("number") for row in rows}
    assert numbers["net.ipv4.conf.v0/5.rp_filter"] == 2
    assert numbers["net.ipv6.conf.v1.accept_ra"] == 0
    assert numbers["net.ipv4.ip_forward"] == 1
    assert {f"net.ipv6.conf.{device}.disable_ipv6" for device in ("all", "default", "lo", "v1")} <= set(numbers)
