"""Every drop of a flood is counted, and counting costs less than a twentieth of a core at 500,000 drops/s."""

import os
import shutil

import pytest

from collectors.tracing import bpf
from collectors.tracing.bpf_way import BpfWay
from collectors.tracing.reasons import DropReasons
from tests.lab import joined_pair, needs_root, run
from tests.tracing.drops import row

pytestmark = [
    pytest.mark.root,
    needs_root,
    pytest.mark.skipif(not shutil.which("trafgen"), reason="needs trafgen (netsniff-ng)"),
]
SENT = 400_009  # a prime
FRAME = "{ 0xff,0xff,0xff,0xff,0xff,0xff, 0x02,0,0,0,0,1, 0x88,0xb5, fill(0x55,46) }\n"  # of a protocol nobody speaks
SHARE = 0.05  # of a core
RATE = 500_000  # drops/s
READINGS = 8  # at most: what others do on the machine only adds to one, so the least is the truest


def test_no_drop_of_a_flood_is_missed_and_counting_is_cheap(tmp_path):
    frame = tmp_path / "frame"
    frame.write_text(FRAME)
    with joined_pair() as (left, right):
        costs = []
        for _ in range(READINGS):
            running = bpf.enable_statistics()
            try:
                with DropReasons() as reasons:
                    flood = f"trafgen --dev left0 --conf {frame} --num {SENT} --cpus 2 -q"
                    run(f"ip netns exec {left.name} {flood}")
                    found = row(reasons.read(), right, "UNHANDLED_PROTO")
                    assert isinstance(reasons._way, BpfWay)
                    nanoseconds, runs, missed = reasons._way.statistics()
            finally:
                os.close(running)
            assert (found["drops"], found["protocol"], missed) == (SENT, "0x88B5", 0)
            costs.append(nanoseconds / runs)
            if costs[-1] * RATE < SHARE * 1e9:
                break
        assert min(costs) * RATE < SHARE * 1e9, f"{costs} ns for each drop"
