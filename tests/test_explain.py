"""`nettui explain`: what is told of a name, in which form, and what is said of one that is not known."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nettui.cli import cli
from nettui.knowledge import find
from nettui.report import explain as telling
from nettui.report.style import PLAIN
from nettui.snapshot import Snapshot
from tests.lab import joined_pair, needs_root

WIDTH = 80


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments])


def rows(*arguments: str) -> list[dict[str, object]]:
    names: list[dict[str, object]] = json.loads(explain("--json", *arguments).stdout)["names"]
    return names


def test_an_article_tells_what_why_what_to_do_what_else_counts_it_and_the_source():
    done = explain("UdpRcvbufErrors")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[:2] == ["Udp.RcvbufErrors", "counter, layer udp, on receive; loss"]
    told = done.stdout
    assert [told.index(part) for part in ("Usual causes", "What to do", "Same packets", "Source: net/ipv4/udp.c")]
    assert "also in Udp.InErrors: do not add them up" in told
    assert "drop reason SOCKET_RCVBUFF" in told
    assert "nettui report sockets --where 'netid udp and drops > 0' --sort -drops" in told


def test_a_plain_name_is_told_once_for_all_that_mean_alike():
    told = explain("rcvbuferrors").stdout
    assert told.count("Usual causes") == 1
    assert "The same for Udp6.RcvbufErrors, UdpLite.RcvbufErrors, UdpLite6.RcvbufErrors." in told


def test_several_meanings_are_listed_first_and_then_told_one_by_one():
    told = explain("drop").stdout
    listed, articles = told.split("\n\n", 1)
    assert listed.splitlines()[0] == "drop: 6 of that name"
    names = [line.split()[0] for line in listed.splitlines()[1:]]
    assert names[0] == "rtnl_link_stats64.rx_dropped"
    assert [line for line in articles.splitlines() if line in names] == names
    causes = {
        line.index(find.counters()[name].cause[:9]) for name, line in zip(names, listed.splitlines()[1:], strict=True)
    }
    assert len(causes) == 1, "in one column"


def test_a_name_given_twice_is_told_once():
    assert explain("NoPorts", "NoPorts").stdout == explain("NoPorts").stdout


def test_a_drivers_counter_is_told_under_the_name_that_was_asked_for():
    assert explain("rx_queue_7_drops: 12").stdout.startswith("ethtool.rx_queue_7_drops\n")
    assert rows("tx_no_memory")[0]["entries"][0]["name"] == "ethtool.tx_no_memory"  # type: ignore[index]


def test_a_drop_reason_is_told_with_the_counters_of_the_same_packets():
    told = explain("SKB_DROP_REASON_NO_SOCKET").stdout
    assert told.startswith("kfree_skb.NO_SOCKET\ndrop reason")
    assert "counted by" in told
    assert "Udp.NoPorts" in told


def test_a_function_is_told_with_its_layer():
    assert explain("tcp_v4_rcv+0x1a0/0x2f0").stdout.startswith("tcp_v4_rcv\nfunction, layer tcp; ")


def test_an_unknown_name_is_status_1_with_a_suggestion_and_the_others_are_told():
    done = explain("ListenOverflow", "NoPorts")
    assert done.exit_code == 1
    assert done.stderr.startswith("nettui: no counter or drop reason 'ListenOverflow'; did you mean TcpExt.ListenOver")
    assert done.stdout.startswith("NoPorts: ") or "Udp.NoPorts" in done.stdout


def test_without_a_name_it_is_wrong_usage():
    assert explain().exit_code == 2
    assert explain("--format", "xml", "NoPorts").exit_code == 2


def test_json_has_every_field_and_the_number_of_now():
    (asked,) = rows("udp.noports")
    assert asked["name"] == "udp.noports"
    (entry,) = asked["entries"]  # type: ignore[misc]
    assert entry["kind"] == "counter"  # type: ignore[index]
    assert {"layer", "severity", "counts", "causes", "remedies", "part_of", "along", "reasons", "source"} <= set(entry)  # type: ignore[arg-type]
    assert isinstance(entry["now"], int)  # type: ignore[index]


def test_json_of_an_unknown_name_suggests():
    done = explain("--json", "ListenOverflow")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["names"][0]["near"][0] == "TcpExt.ListenOverflows"


@pytest.mark.parametrize(
    "name", ["\x1b[2Jrx_dropped", "\u202eevil", "a\nb", "\udcff", "", " ", "x" * 10_000, "[red]x[/]"]
)
def test_a_hostile_name_is_refused_in_one_harmless_line(name: str):
    done = explain("--", name)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert len(done.stderr) < 400
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stderr)
    form = json.loads(explain("--json", "--", name).stdout)
    assert not re.search("[\x00-\x1f\u202e]", form["names"][0]["name"])


@pytest.mark.parametrize("name", [*find.counters(), *find.reasons(), *find.places()])
def test_every_entry_fits_eighty_columns(name: str):
    """But for a command's single word that is longer."""
    told = "".join(telling.text(telling.answered([name]), Snapshot(0.0, {}, {}), PLAIN))
    assert told.strip()
    for line in told.splitlines():
        assert len(line) <= WIDTH or " " not in line.strip(), line


def test_every_counter_that_an_article_names_can_be_explained():
    for name in find.counters():
        (answer,) = telling.answered([name])
        document = telling.described(answer.entries[0], Snapshot(0.0, {}, {}))
        for other in (*document["part_of"], *document["along"], *document["contains"]):
            assert find.found(other) or "*" in other, (name, other)
        for reason in document["reasons"]:
            assert find.reason(reason), (name, reason)


@needs_root
@pytest.mark.root
def test_the_number_of_now_is_the_namespaces_own():
    with joined_pair() as (left, right):
        left.run("ping -c 3 -i 0.1 -W 1 10.9.0.2")
        told = explain("--netns", right.name, "Icmp.InEchos").stdout
        assert "Now: 3" in told
        assert "Now: 3" not in explain("--netns", left.name, "Icmp.InEchos").stdout


def test_a_namespace_that_is_not_there_is_wrong_usage():
    done = explain("--netns", "nosuch", "NoPorts")
    assert done.exit_code == 2
    assert "no network namespace 'nosuch'" in done.stderr


def test_it_is_written_to_a_file_whole(tmp_path: Path):
    target = tmp_path / "article"
    assert explain("-o", str(target), "Udp.NoPorts").stdout == ""
    assert target.read_text().startswith("Udp.NoPorts\n")
    done = explain("-o", str(tmp_path / "no" / "such"), "Udp.NoPorts")
    assert done.exit_code == 1
    assert "cannot write" in done.stderr


def test_as_a_process_it_leaves_quietly_when_its_reader_does():
    script = f"{sys.executable} -m nettui explain drop dropped errors | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines() == ["drop: 6 of that name", "0"]
    assert done.stderr == ""
