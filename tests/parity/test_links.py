"""Links beside ``ip -j -d -s -s link``; settings and statistics of devices beside ethtool."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from collectors import Table, collect
from collectors.host import CLONE_NEWNET, libc
from collectors.netlink import ethtool, links, peers
from tests import link_scenes
from tests.lab import Namespace, joined_pair, namespace, needs_root, run
from tests.parity.peer import settled

pytestmark = [pytest.mark.root, needs_root]

JOINED = {"link", "master"}  # names, which derive joins to link_index and master_index
DERIVED = {
    "broadcast": "told by the message's flags",
    "link_pointtopoint": "told by the flag POINTOPOINT",
    "linkinfo": "compared inside",
    "stats64": "compared inside",
}
# what moves between two readings
RUNNING = {"hello_timer", "tcn_timer", "topology_change_timer", "gc_timer", "hold_timer", "message_age_timer",
           "forward_delay_timer"}  # fmt: skip


@pytest.fixture(scope="module")
def scene() -> Iterator[Namespace]:
    with link_scenes.links() as inside:
        yield inside


def flat(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """ip's object with nested keys as paths; details by kind and lists stay whole."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and key not in ("info_data", "info_slave_data", "xdp"):
            found.update(flat(value, f"{path}."))
        else:
            found[path] = value
    return found


def still(value: Any) -> Any:
    """Without timers, and without an inherited TTL, which ip tells in text only."""
    if not isinstance(value, dict):
        return value
    return {key: inner for key, inner in value.items() if key not in RUNNING and (key, inner) != ("ttl", "inherit")}


def link_differences(inside: Namespace) -> list[str]:
    printed = inside.json("ip -j -d -s -s link")
    rows = list(collect("links", inside.host).rows())
    names = {row["ifindex"]: row["ifname"] for row in rows}
    assert [row["ifname"] for row in rows] == [peer["ifname"] for peer in printed]
    paths = {column.path or column.name: column.name for column in links.COLUMNS}
    found = []
    for row, peer in zip(rows, printed, strict=True):
        for path, value in flat(peer).items():
            if path in JOINED:
                index = row.get(f"{path}_index")
                if names.get(index) != value:
                    found.append(f"{row['ifname']}: {path}: {index} is not {value!r}")
            elif path in paths:
                ours = row.get(paths[path])
                if still(ours) != still(value) and not (value == {} and ours is None):
                    found.append(f"{row['ifname']}: {path}: {ours!r}, ip has {value!r}")
            elif path not in DERIVED:
                found.append(f"{row['ifname']}: {path} is not carried")
    return found


def test_every_field_of_every_link_is_ips(scene: Namespace):
    assert settled(lambda: link_differences(scene)) == []


def test_links_of_this_host_are_ips():
    printed = json.loads(run("ip -j -d link"))
    assert [row["ifname"] for row in collect("links").rows()] == [peer["ifname"] for peer in printed]


def test_an_alias_of_any_bytes_is_kept_as_it_is(scene: Namespace):
    alias = link_scenes.HOSTILE_ALIAS
    subprocess.run(["ip", "-netns", scene.name, "link", "set", "ifb5", "alias", alias], check=True)
    (peer,) = json.loads(scene.run("ip -j -d link show dev ifb5"), strict=False)  # ip leaves control characters bare
    row = next(row for row in collect("links", scene.host).rows() if row["ifname"] == "ifb5")
    assert row["ifalias"] == alias == peer["ifalias"]


def test_counters_count_a_known_number_of_packets():
    with joined_pair() as (left, right):
        left.run("ping -q -c 1 -W 2 10.9.0.2")
        before = counters(collect("links", right.host), "right0")
        left.run("ping -q -c 23 -i 0.01 -s 100 10.9.0.2")
        after = counters(collect("links", right.host), "right0")
        assert after["rx_packets"] - before["rx_packets"] >= 23
        assert after["rx_bytes"] - before["rx_bytes"] >= 23 * 142
        peer = right.json("ip -j -s link show dev right0")[0]["stats64"]["rx"]
        assert peer["packets"] - after["rx_packets"] < 5


def counters(table: Table, name: str) -> dict[str, int]:
    return next(row for row in table.rows() if row["ifname"] == name)


def test_a_peer_in_another_namespace_has_its_name():
    with joined_pair() as (left, right):
        link = next(row for row in collect("links", left.host).rows() if row["ifname"] == "left0")
        where = {row["netnsid"]: row["name"] for row in collect("nsids", left.host).rows()}
        assert where[link["link_netnsid"]] == right.name
        there = {(row["netnsid"], row["ifindex"]): row["ifname"] for row in collect("peers", left.host).rows()}
        assert there[link["link_netnsid"], link["link_index"]] == "right0"


def as_nobody(inside: Namespace, script: Callable[[], object]) -> str:
    """What ``script`` gives in the namespace to a process without any privilege, as text."""
    path = inside.host.namespace_path()
    reader, writer = os.pipe()
    if not (child := os.fork()):
        try:
            with path.open("rb") as namespace_file:
                libc().setns(namespace_file.fileno(), CLONE_NEWNET)
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            os.write(writer, repr(script()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


def test_without_privilege_links_are_there_and_peers_are_a_gap():
    with joined_pair() as (left, _):
        collect("links", left.host)
        names = "['lo', 'left0']"
        assert as_nobody(left, lambda: collect("links")["ifname"].cells()) == names
        assert as_nobody(left, lambda: (len(collect("peers")), collect("peers").gaps)) == repr((0, (peers.DENIED,)))
        assert "Twisted Pair" in as_nobody(left, lambda: list(collect("ethtool").rows()))


def test_a_namespace_that_knows_no_other_has_empty_tables():
    with namespace() as alone:
        for name in ("nsids", "peers"):
            table = collect(name, alone.host)
            assert (len(table), table.gaps) == (0, ())


def shown(text: str) -> dict[str, str]:
    """The lines ``key: value`` that ethtool prints."""
    return dict(re.findall(r"^\s*([^:\n]+):[ \t]*(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("device", ["veth0", "br0", "vx0", "vxe", "tap0", "tun0", "mv0"])
def test_speed_duplex_port_and_link_are_ethtools(scene: Namespace, device: str):
    peer = shown(scene.run(f"ethtool {device}"))
    row = next(row for row in collect("ethtool", scene.host).rows() if row["ifname"] == device)
    speed = re.match(r"(\d+)Mb/s", peer["Speed"])
    assert row.get("speed") == (int(speed[1]) if speed else None)
    assert row.get("duplex") == (None if peer["Duplex"].startswith("Unknown") else peer["Duplex"])
    assert row["autoneg"] == (peer["Auto-negotiation"] == "on")
    assert row["port"] == peer["Port"]
    assert row["link"] == (peer["Link detected"] == "yes")
    described = shown(scene.run(f"ethtool -i {device}"))
    assert (row["driver"], row["version"]) == (described["driver"], described["version"])
    assert row.get("bus_info", "") == described["bus-info"]


@pytest.mark.parametrize("device", ["veth0", "br0", "tap0"])
def test_features_are_ethtools(scene: Namespace, device: str):
    (peer,) = scene.json(f"ethtool --json -k {device}")
    del peer["ifname"]
    assert ethtool.settings(scene.host, device)["features"] == peer


def test_channels_are_ethtools(scene: Namespace):
    text = scene.run("ethtool -l veth0")
    most, now = (shown(part) for part in text.split("Current hardware settings:"))
    found = ethtool.settings(scene.host, "veth0")["channels"]
    assert [str(found["rx-max"]), str(found["tx-max"])] == [most["RX"], most["TX"]]
    assert [str(found["rx"]), str(found["tx"])] == [now["RX"], now["TX"]]


def test_statistics_of_the_driver_are_ethtools(scene: Namespace):
    peer = {name: int(value) for name, value in shown(scene.run("ethtool -S veth0")).items() if value}
    found = {row["name"]: row["value"] for row in ethtool.statistics(scene.host, "veth0").rows()}
    assert list(found) == list(peer)
    assert found["peer_ifindex"] == peer["peer_ifindex"] > 0


def test_a_device_without_statistics_or_driver_has_none(scene: Namespace):
    assert len(ethtool.statistics(scene.host, "lo")) == 0
    with pytest.raises(OSError, match="No such device"):
        ethtool.statistics(scene.host, "no-such-device")
    assert "driver" not in ethtool.settings(scene.host, "lo")
