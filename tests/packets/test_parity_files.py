"""Files that dumpcap, editcap and mergecap write: several interfaces, link types, snaplens, units of time, comments."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.lab import joined_pair, needs_root
from tests.packets import build, chance
from tests.packets.mixed import frames, traffic, until_written
from tests.packets.peer import contradictions, tshark
from tests.packets.test_parity import compared, read

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("tshark", "dumpcap", "editcap", "mergecap"))), reason="needs tshark and its companions"
)
COMMENT = "not a packet: \x1b[31mred\x1b[0m"


def made(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60)


def source(path: Path, link: int = 1) -> Path:
    """A pcap file of nanoseconds."""
    if link == 1:
        build.write(path, 1, [(1, packet, len(packet)) for packet in build.FRAMES.values()] + chance.packets(11, 300))
    else:
        build.write(path, link, [captured for captured in build.others() if captured[0] == link])
    return path


def dumpcap(path: Path, options: Sequence[str]) -> None:
    """The traffic of a lab, as dumpcap records it."""
    with joined_pair() as (left, right):
        command = ["ip", "netns", "exec", left.name, "dumpcap", "-q", *options, "-w", str(path)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                assert any("File:" in line for line in process.stderr)
                frames(left)
                traffic(left, right)
                until_written(path)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(20)


@needs_root
@pytest.mark.root
@pytest.mark.parametrize("form", ["-n", "-P"])
def test_one_interface_of_dumpcap_in_either_format(tmp_path: Path, form: str):
    path = tmp_path / "recorded"
    dumpcap(path, ["-i", "left0", form])
    table = compared(path)
    assert set(table["dev"].cells()) == {"left0" if form == "-n" else None}
    assert {"TCP", "DNS", "TLS", "SCTP", "ICMP", "ICMPv6", "ARP", "UDP"} <= set(table["protocol"].cells())


@needs_root
@pytest.mark.root
def test_interfaces_of_several_link_types_and_snaplens_in_one_file(tmp_path: Path):
    path = tmp_path / "recorded"
    dumpcap(path, ["--capture-comment", COMMENT, "-i", "left0", "-s", "90", "-i", "any", "-i", "lo", "-s", "64"])
    table, fields = read(path), tshark(path)
    assert set(table["dev"].cells()) >= {"left0", "any"}
    assert {row["dev"]: "direction" in row for row in table.rows() if row["dev"] != "lo"} == {
        "left0": False,
        "any": True,
    }
    kept = {row["captured"] for row in table.rows() if row["dev"] == "left0"}
    assert max(kept) == 90
    whole = [
        (row, theirs) for row, theirs in zip(table.rows(), fields, strict=True) if row["captured"] == row["length"]
    ]
    assert len(whole) > 250
    wrong = [told for row, theirs in zip(table.rows(), fields, strict=True) for told in contradictions(row, theirs)]
    assert not wrong, "\n".join(wrong)
    for row, theirs in zip(table.rows(), fields, strict=True):
        assert theirs["frame.interface_name"] == [row["dev"]]
        assert theirs["frame.number"] == [str(row["number"])]


@pytest.mark.parametrize("form", ["pcap", "nsecpcap", "modpcap", "pcapng"])
@pytest.mark.parametrize(
    ("options", "chosen"),
    [((), ()), (("-t", "3600.5"), ()), (("-S", "0.001"), ()), (("-r",), ("3-9", "20-200")), (("-d",), ())],
    ids=["as it is", "other times", "in order", "some", "none twice"],
)
def test_what_editcap_makes_of_a_file(tmp_path: Path, form: str, options: tuple[str, ...], chosen: tuple[str, ...]):
    path, target = source(tmp_path / "source"), tmp_path / "target"
    made("editcap", "-F", form, *options, path, target, *chosen)
    compared(target)


def test_comments_of_packets_and_of_a_file_are_no_packets(tmp_path: Path):
    path, target = source(tmp_path / "source"), tmp_path / "target"
    made("editcap", "-a", f"2:{COMMENT}", "-a", "5:x", "--capture-comment", COMMENT, path, target)
    assert COMMENT.encode() in target.read_bytes()
    assert len(compared(target)) == len(read(path))


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_what_editcap_cuts_tells_nothing_else_than_tshark(tmp_path: Path, form: str):
    path, target = source(tmp_path / "source"), tmp_path / "target"
    made("editcap", "-F", form, "-s", "70", path, target)
    table, fields = read(target), tshark(target)
    assert max(table["captured"].cells()) == 70
    assert table["length"].cells() == read(path)["length"].cells()
    wrong = [told for row, theirs in zip(table.rows(), fields, strict=True) for told in contradictions(row, theirs)]
    assert not wrong, "\n".join(wrong)


def test_files_of_every_link_type_merged_to_one(tmp_path: Path):
    links = sorted({1, *(link for link, _, _ in build.others())})
    paths = [source(tmp_path / f"source{link}", link) for link in links]
    target = tmp_path / "target"
    made("mergecap", "-w", target, *paths)
    table = compared(target)
    assert len(table) == sum(len(read(path)) for path in paths)
    times = table["time"].cells()
    assert times == sorted(times)
