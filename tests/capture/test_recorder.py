"""Live capture in namespaces: packets in known numbers, and devices that are wrong, go down or vanish."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from collectors.capture import libpcap as binding
from collectors.capture.device import CaptureError, Wrapping, opened
from collectors.capture.filters import FilterError
from collectors.capture.interface import lost
from collectors.capture.recorder import Recorder
from collectors.capture.ring import Reader, Ring
from collectors.host import Host, NoSuchNamespace
from collectors.table import Note
from tests.capture.traffic import (
    PORT,
    datagrams,
    descriptors,
    flood,
    needs_trafgen,
    payload,
    recording,
    records,
    total,
    until,
)
from tests.lab import Namespace, joined_pair, namespace, needs_root

ROOT = Path(__file__).parents[2]
# uapi linux/if_tun.h, linux/if_arp.h
TUNSETIFF, TUNSETLINK, IFF_TUN, IFF_NO_PI, ARPHRD_NONE = 0x400454CA, 0x400454CD, 1, 0x1000, 0xFFFE
pytestmark = [pytest.mark.root, needs_root]


def test_every_packet_is_captured_and_counted_once():
    with joined_pair() as (left, right):
        with recording(right) as recorder:
            datagrams(left, 1009)
            datagrams(left, 100, PORT + 1)
        found = records(recorder.ring)
        assert total(found) == recorder.counts.captured == 1009
        assert recorder.counts.bytes == sum(int(part.captured.sum()) for part in found) == 1009 * 142
        assert (recorder.counts.kernel_drops, recorder.counts.interface_drops, recorder.counts.unwritten) == (0, 0, 0)
        assert recorder.ended is None
        assert recorder.ring.ended


def test_stamps_have_nanoseconds_and_are_of_now():
    with joined_pair() as (left, right):
        before = time.time_ns()
        with recording(right) as recorder:
            datagrams(left, 53)
        times = np.concatenate([part.times for part in records(recorder.ring)])
        assert ((before < times) & (times < time.time_ns())).all()
        assert (np.diff(times) >= 0).all()
        assert (times % 1000).any()


def test_the_snaplen_cuts_what_is_kept_and_not_the_length():
    with joined_pair() as (left, right):
        with recording(right, snaplen=60) as recorder:
            datagrams(left, 7, size=900)
        (found,) = records(recorder.ring)
        assert set(found.captured.tolist()) == {60}
        assert set(found.lengths.tolist()) == {942}


@pytest.mark.parametrize(("direction", "expected"), [("in", 11), ("out", 5), ("both", 16)])
def test_the_direction_is_that_of_the_device(direction: str, expected: int):
    with joined_pair() as (left, right):
        with recording(right, direction=direction) as recorder:
            datagrams(left, 11)
            datagrams(right, 5, to="10.9.0.1")
        assert recorder.counts.captured == expected


def test_any_has_the_packets_of_all_interfaces_with_their_index():
    with joined_pair() as (left, right):
        with recording(right, "any") as recorder:
            datagrams(left, 11)
            datagrams(right, 3, to="127.0.0.1")
        (found,) = records(recorder.ring)
        assert set(found.links.tolist()) == {276}
        assert recorder.counts.interface_drops is None
        assert {payload([found], row)[42:44] for row in range(len(found))} == {struct.pack("!H", PORT)}
        index = int(right.run("cat /proc/net/if_inet6").split("right0")[0].splitlines()[-1].split()[1], 16)
        indexes = [struct.unpack_from("!I", payload([found], row), 4)[0] for row in range(len(found))]
        assert indexes.count(index) == 11
        assert indexes.count(1) == 3  # libpcap leaves out what loopback sends: it comes at once as received


def test_two_devices_at_once_do_not_mix():
    with joined_pair() as (left, right):
        with recording(right) as one, recording(left, "left0") as other, recording(right, filter="udp port 9") as third:
            datagrams(left, 211)
            datagrams(left, 13, 9)
        assert [recorder.counts.captured for recorder in (one, other, third)] == [211, 211, 13]


def test_a_count_ends_it_by_itself():
    with joined_pair() as (left, right), recording(right, count=17) as recorder:
        datagrams(left, 40)
        assert recorder.join(5)
        assert (recorder.counts.captured, recorder.ended) == (17, None)
        assert total(records(recorder.ring)) == 17


def test_a_packet_is_there_to_be_read_soon_after_it_came():
    with joined_pair() as (left, right):
        for immediate, seconds in ((False, 1.0), (True, 0.5)):
            with recording(right, immediate=immediate) as recorder:
                reader = Reader(recorder.ring)
                datagrams(left, 1)
                started = time.monotonic()
                assert reader.wait(5)
                assert time.monotonic() - started < seconds
                assert reader.next()


def test_another_filter_goes_on_in_the_same_ring():
    with joined_pair() as (left, right), recording(right) as recorder:
        datagrams(left, 7)
        assert until(lambda: recorder.counts.captured == 7)
        with pytest.raises(FilterError, match="syntax error"):
            recorder.filter("prot 9")
        recorder.filter("udp port 9")
        assert until(lambda: recorder._filter is None)
        datagrams(left, 11)
        datagrams(left, 13, 9)
        assert until(lambda: recorder.counts.captured == 20)
        recorder.stop()
        assert recorder.counts.captured == total(records(recorder.ring)) == 20


def test_the_hosts_own_libpcap_serves_where_there_is_no_wheel(monkeypatch: pytest.MonkeyPatch):
    if not any(Path(f"/usr/lib/{machine}-linux-gnu/libpcap.so.0.8").exists() for machine in ("x86_64", "aarch64")):
        pytest.skip("the host has no libpcap")
    monkeypatch.setattr(binding, "shipped", list)
    binding.libpcap.cache_clear()
    try:
        with joined_pair() as (left, right):
            with recording(right) as recorder:
                datagrams(left, 101)
            assert recorder.counts.captured == total(records(recorder.ring)) == 101
    finally:
        binding.libpcap.cache_clear()


@needs_trafgen
def test_at_full_rate_the_ring_keeps_its_bound_and_every_packet_is_accounted_for(tmp_path: Path):
    with joined_pair() as (left, right):
        ring = Ring(4 << 20)
        largest, stop = 0, threading.Event()

        def watch() -> None:
            nonlocal largest
            while not stop.wait(0.01):
                largest = max(largest, ring.held().bytes)

        watcher = threading.Thread(target=watch)
        watcher.start()
        with recording(right, ring=ring, snaplen=128) as recorder:
            flood(left, 300_007, tmp_path)
        stop.set()
        watcher.join()
        counts = recorder.counts
        assert counts.captured + counts.kernel_drops == 300_007
        assert counts.kernel_drops == 0
        assert ring.held().packets + ring.dropped.packets == counts.captured
        assert largest <= ring.limit
        assert total(records(ring)) == ring.held().packets > 0


@needs_trafgen
def test_a_buffer_that_is_too_small_is_seen_in_the_kernels_drops_and_nowhere_else(tmp_path: Path):
    with joined_pair() as (left, right):
        device = opened(right.host, "right0", f"udp port {PORT}", snaplen=128, buffer=1 << 20)
        flood(left, 100_003, tmp_path)  # before anybody reads
        recorder = Recorder(device, Ring(64 << 20))
        recorder.start()
        datagrams(left, 5)
        assert until(lambda: recorder.counts.captured > 0)
        recorder.stop()
        counts = recorder.counts
        assert counts.kernel_drops > 50_000
        assert counts.captured + counts.kernel_drops == 100_008
        assert counts.interface_drops == 0


def test_what_was_frozen_stays_while_it_goes_on():
    with joined_pair() as (left, right), recording(right, ring=Ring(1 << 20)) as recorder:
        datagrams(left, 101)
        assert until(lambda: recorder.counts.captured == 101)
        frozen = recorder.ring.freeze()
        datagrams(left, 2003, size=1400)
        assert until(lambda: recorder.counts.captured == 2104)
        assert recorder.ring.dropped.packets > 101
        assert frozen.amount.packets == 101
        assert sum(len(part) for part in frozen.parts()) == frozen.amount.bytes == 24 + 101 * (16 + 142)


def test_a_device_that_is_removed_ends_it_and_what_there_is_can_be_read():
    with joined_pair() as (left, right), recording(right) as recorder:
        datagrams(left, 23)
        assert until(lambda: recorder.counts.captured == 23)
        right.ip("link del right0")
        assert recorder.join(5)
        assert recorder.ended is not None
        assert "right0: The interface disappeared" in recorder.ended.reason
        assert recorder.counts.state == "gone"
        assert total(records(recorder.ring)) == 23


def test_a_device_that_goes_down_is_told_and_captured_on_when_it_is_up_again():
    with joined_pair() as (left, right), recording(right) as recorder:
        datagrams(left, 3)
        right.ip("link set right0 down")
        assert until(lambda: recorder.counts.state == "down")
        right.ip("link set right0 up")
        assert until(lambda: recorder.counts.state == "up")
        left.run("ping -c 1 -W 2 10.9.0.2")
        datagrams(left, 4)
        assert until(lambda: recorder.counts.captured == 7)
        assert recorder.ended is None


def test_a_namespace_that_loses_its_name_is_captured_on():
    with joined_pair() as (left, right):
        with recording(left, "lo") as recorder:
            subprocess.run(["umount", "-l", f"/run/netns/{left.name}"], check=True, timeout=10)
            Path(f"/run/netns/{left.name}").unlink()
            assert until(lambda: recorder.counts.interface_drops == 0)
            time.sleep(0.7)  # statistics are read anew
            assert (recorder.ended, recorder.counts.state) == (None, "up")
        with pytest.raises(NoSuchNamespace):
            opened(left.host, "lo")
        assert right.host


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nope0", "there is no interface 'nope0'"),
        ("", "no interface can be called ''"),
        ("../lo", "no interface can be called"),
        ("a" * 16, "no interface can be called"),
        ("nflog:1", "something other than a network interface"),
        ("usbmon1", "something other than a network interface"),
        ("bluetooth0", "something other than a network interface"),
    ],
)
def test_a_name_of_no_interface_is_refused(name: str, said: str):
    with namespace() as inside, pytest.raises(CaptureError, match=said):
        opened(inside.host, name)


def test_an_interface_that_is_not_up_is_told_with_the_remedy():
    with namespace() as inside:
        inside.ip("link add v0 type veth peer name v1")
        with pytest.raises(CaptureError, match="v0 is not up: `ip link set dev v0 up`"):
            opened(inside.host, "v0")


def test_a_wrong_filter_is_told_and_leaves_nothing_open():
    with namespace() as inside:
        before = descriptors()
        with pytest.raises(FilterError, match="syntax error"):
            opened(inside.host, "lo", "prot 53")
        assert descriptors() == before


def test_a_device_without_an_address_takes_a_filter():
    with namespace() as inside:
        inside.ip("link add v0 type veth peer name v1", "link set v0 up", "link set v1 up")
        opened(inside.host, "v0", "port 53").close()


def tunnel(inside: Namespace, link: int) -> int:
    """A tun device t0, up, whose link type the kernel is told; its descriptor holds it."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", b"t0", IFF_TUN | IFF_NO_PI))
    fcntl.ioctl(descriptor, TUNSETLINK, link)
    inside.ip("link set t0 up")
    return descriptor


@pytest.mark.parametrize(("link", "name", "warned"), [(ARPHRD_NONE, "RAW", False), (12345, "LINUX_SLL", True)])
def test_a_device_of_an_unknown_link_type_is_captured_cooked_and_said_to_be(link: int, name: str, warned: bool):
    with namespace() as inside:
        tun = inside.host.inside(lambda: tunnel(inside, link))
        try:
            device = opened(inside.host, "t0")
            told = [note.reason for note in device.notes if not isinstance(note, Note)]
            assert (device.link_name, len(told)) == (name, int(warned))
            device.close()
        finally:
            os.close(tun)


OPENING = (
    "from collectors import Host\nfrom collectors.capture.device import CaptureError, opened\n"
    "try: print(opened(Host(), 'lo').link_name)\nexcept CaptureError as error: print(error.errno, error.gap)"
)


def as_nobody(*options: str) -> str:
    """What OPENING prints without root."""
    words = ["setpriv", "--reuid", "65534", "--clear-groups", *options, sys.executable, "-c", OPENING]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    if "ermission denied" in done.stderr:
        pytest.skip("nobody cannot run this interpreter")
    return done.stdout


def test_without_the_capability_it_says_which_one_is_missing():
    said = as_nobody("--bounding-set", "-all", "--inh-caps", "-all")
    assert said.startswith("1 Gap(reason='capturing on lo needs CAP_NET_RAW (")
    assert "--ambient-caps +net_raw" in said


def test_the_capability_that_it_names_is_enough():
    assert as_nobody("--inh-caps", "+net_raw", "--ambient-caps", "+net_raw") == "EN10MB\n"


def test_offloads_checksums_and_netfilter_are_told_before_the_first_packet():
    with joined_pair() as (_, right):
        right.run("ethtool -K right0 gro on tso on gso on tx on")
        both = opened(right.host, "right0")
        told = " ".join(note.reason for note in both.notes)
        both.close()
        assert "first" not in told
        for word in ("before Netfilter", "after Netfilter", "GRO", "TSO", "MTU of 1500", "checksums"):
            assert word in told
        right.run("ethtool -K right0 gro off tso off gso off tx off tx-udp-segmentation off")
        only = opened(right.host, "right0", direction="in", snaplen=96)
        told = " ".join(note.reason for note in only.notes)
        only.close()
        assert "before Netfilter" in told
        assert "the first 96 bytes are kept" in told
        for word in ("after Netfilter", "GRO", "TSO", "checksums"):
            assert word not in told


def test_a_full_folder_is_left_for_memory_and_nothing_whole_is_lost(small_disk: Path):
    with joined_pair() as (left, right):
        ring = Ring(16 << 20, small_disk)
        with recording(right, ring=ring) as recorder:
            for batch in range(20):
                datagrams(left, 101, size=1000)
                assert until(
                    lambda most=(batch + 1) * 101: recorder.counts.captured + recorder.counts.unwritten == most
                )
        (gap,) = recorder.gaps
        assert "No space left on device" in gap.reason
        assert gap.remedy == "the capture goes on in memory"
        assert recorder.ended is None
        assert recorder.counts.captured + recorder.counts.unwritten == 2020
        assert 0 < recorder.counts.unwritten <= 101
        assert total(records(ring)) == recorder.counts.captured


def test_stopping_what_never_started_closes_it():
    with namespace() as inside:
        before = descriptors()
        recorder = Recorder(opened(inside.host, "lo"), Ring(1 << 20))
        recorder.stop()
        recorder.stop()
        del recorder
        assert descriptors() == before


def test_starting_and_stopping_leaves_no_descriptor_behind():
    with namespace() as inside:
        with recording(inside, "lo"):
            pass
        before = descriptors()
        for _ in range(3):
            with recording(inside, "lo"):
                pass
        assert descriptors() == before


def test_the_callers_own_namespace_needs_no_entering():
    device = opened(Host(), "lo", "udp port 1")
    assert device.name == "lo"
    device.close()


def test_drops_of_the_device_are_what_it_missed_and_what_its_queue_had_no_room_for():
    numbers = [0] * 25
    numbers[14], numbers[15] = 5, 11  # rx_fifo_errors, rx_missed_errors
    assert lost(struct.pack("=25Q", *numbers)) == 16
    assert lost(b"") == lost(bytes(100)) == 0


def test_a_counter_that_wraps_goes_on():
    counter = Wrapping()
    assert [counter.add(now) for now in (5, 2**32 - 1, 7)] == [5, 2**32 - 1, 2**32 + 7]
