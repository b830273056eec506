"""Rings and channels beside `ethtool -g` and `ethtool -l`."""

from __future__ import annotations

import subprocess

import pytest

from collectors import Host, collect
from tests.lab import namespace, needs_root

CHANNELS = {"RX": "rx_channels", "TX": "tx_channels", "Other": "other", "Combined": "combined"}
RINGS = {"RX": "rx", "RX Mini": "rx_mini", "RX Jumbo": "rx_jumbo", "TX": "tx"}


def told(text: str, names: dict[str, str]) -> dict[str, int]:
    """What ethtool prints below "Pre-set maximums" and "Current hardware settings"."""
    found, after = {}, ""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        after = "_max" if name.startswith("Pre-set") else "" if name.startswith("Current") else after
        if name in names and value.strip().isdigit():
            found[names[name] + after] = int(value)
    return found


@needs_root
@pytest.mark.root
def test_channels_of_a_veth_pair_are_those_of_ethtool():
    with namespace() as inside:
        inside.ip("link add v0 numtxqueues 4 numrxqueues 3 type veth peer name v1")
        rows = {row["ifname"]: row for row in collect("rings", inside.host).rows()}
        for name in ("v0", "v1"):
            printed = told(inside.run(f"ethtool -l {name}"), CHANNELS)
            assert printed
            assert printed == {column: value for column, value in rows[name].items() if column in {*printed}}


def test_rings_of_this_hosts_devices_are_those_of_ethtool():
    rows = {row["ifname"]: row for row in collect("rings", Host()).rows() if "rx" in row}
    for name, row in rows.items():
        done = subprocess.run(["ethtool", "-g", str(name)], capture_output=True, text=True, check=True)
        printed = told(done.stdout, RINGS)
        assert printed == {column: value for column, value in row.items() if column in {*printed}}
