"""Filters, compiled without a device; and what it says where there is no libpcap."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from collectors.capture import libpcap as binding
from collectors.capture.filters import FilterError, compiled
from collectors.capture.libpcap import NoLibpcap, libpcap


@pytest.mark.parametrize("filter", ["", "port 53", "tcp[tcpflags] & tcp-syn != 0", "vlan 3 and host 10.0.0.1"])
def test_a_right_filter_compiles(filter: str):
    assert compiled(filter)


def test_a_filter_that_needs_a_netmask_compiles_without_one():
    with pytest.raises(FilterError, match="netmask not known"):
        compiled("ip broadcast")
    assert compiled("ether broadcast")


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ("prot 53", "syntax error"),
        ("tcp[", "syntax error"),
        ("port 70000", "illegal port"),
        ("host 10.0.0.256", "illegal|invalid|unknown"),
        ("é\udc80", "syntax error"),
        ("port\0 53", "NUL"),
    ],
)
def test_a_wrong_filter_is_told_in_libpcaps_words(filter: str, said: str):
    with pytest.raises(FilterError, match=said):
        compiled(filter)


def test_a_filter_depends_on_the_link_type():
    assert compiled("ip", 1) != compiled("ip", 276)
    with pytest.raises(FilterError):
        compiled("ether host 02:00:00:00:00:01", 12)


def test_without_a_libpcap_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(binding, "shipped", list)
    monkeypatch.setattr(binding, "OF_THE_HOST", ("libnothing.so.1",))
    libpcap.cache_clear()
    try:
        with pytest.raises(NoLibpcap, match="install the package cypcap"):
            compiled("ip")
    finally:
        libpcap.cache_clear()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="there is no wheel for this processor")
def test_the_library_of_the_wheel_comes_before_the_hosts():
    code = "from collectors.capture.libpcap import libpcap; print(libpcap()._name)"
    name = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "cypcap.libs" in name
