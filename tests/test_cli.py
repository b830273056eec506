"""The command line as its users meet it: processes, statuses, pipes, terminals, hostile names."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from nettui import __version__
from tests.lab import Namespace, namespace, needs_root

ROOT = Path(__file__).parents[1]
NETTUI = [sys.executable, "-m", "nettui"]
HOSTILE = "a\x1b[2J\x1b]52;c;eA==\x07\u009b1m\u202eb\n[/x]"
HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\u009f\u202e]")
PROCESS_SHOWN = "^[[2J<9b>^J[/x]"
SHOWN = "a^[[2J^[]52;c;eA==^GM-^[1m<U+202E>b^J[/x]"


def nettui(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NETTUI, *arguments], cwd=ROOT, env={**os.environ, **variables}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip


def sections(*arguments: str) -> dict[str, dict[str, object]]:
    done = nettui("report", "--json", *arguments)
    assert done.stderr == ""
    return json.loads(done.stdout)["sections"]


def with_code(code: str, *arguments: str, **variables: str) -> list[str]:
    """A command that runs the command line after some code of the test's own."""
    return [sys.executable, "-c", f"import sys, nettui.cli\n{code}\nsys.exit(nettui.cli.main({list(arguments)!r}))"]


def test_a_report_of_one_section_holds_its_rows() -> None:
    links = sections("links")["links"]
    assert "lo" in [row["ifname"] for row in links["rows"]]  # type: ignore[index, attr-defined]
    assert links["total"] == len(links["rows"])  # type: ignore[arg-type]


def test_sections_come_once_each_in_the_order_asked_for() -> None:
    assert list(sections("softnet", "links", "softnet")) == ["softnet", "links"]


def test_without_a_section_there_are_all_cheap_ones() -> None:
    assert {"links", "addresses", "routes", "softnet"} <= set(sections())


def test_no_command_and_no_terminal_is_a_report() -> None:
    done = nettui()
    assert done.returncode == 0
    assert "Links (" in done.stdout


@pytest.mark.parametrize("form", ["text", "json", "ndjson", "csv", "markdown"])
def test_every_format_is_written(form: str) -> None:
    done = nettui("report", "links", "softnet", "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    assert "lo" in done.stdout


def test_without_a_terminal_the_panel_asked_for_is_the_section() -> None:
    assert nettui("--panel", "softnet").stdout.startswith("Softnet (")


def test_the_loopback_route_is_looked_up() -> None:
    (row,) = sections("--to", "127.0.0.1")["routes"]["rows"]  # type: ignore[misc]
    assert (row["type"], row["dev"], row["dst"]) == ("local", "lo", "127.0.0.1")  # type: ignore[index]


def test_a_column_asked_for_twice_is_shown_once() -> None:
    assert nettui("report", "links", "--columns", "ifname,mtu,ifname").stdout.splitlines()[1].split() == [
        "ifname",
        "mtu",
    ]


def test_filter_order_columns_and_limit_work_together() -> None:
    rows = sections("softnet", "--where", "cpu >= 0", "--sort=-cpu", "--columns", "cpu", "--limit", "1")["softnet"]
    assert rows["rows"] == [{"cpu": rows["total"] - 1}]  # type: ignore[operator]


def test_a_filter_over_unnamed_sections_leaves_out_those_without_its_columns() -> None:
    found = sections("--where", "ifname lo")
    assert {"links", "addresses"} <= set(found)
    assert "softnet" not in found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "linsk"], "no section 'linsk', did you mean links? There are overview, drops, links"),
        (["report", "links", "--where", "mtuu > 5"], "links: no column 'mtuu', did you mean mtu? There are"),
        (["report", "links", "--where", "mtu >"], "links: expected a value"),
        (["report", "links", "--columns", "mtuu"], "links: no column 'mtuu', did you mean mtu?"),
        (["report", "links", "softnet", "--where", "cpu 0"], "links: no column 'cpu'"),
        (["report", "--where", "nosuch 1"], "no column 'nosuch' in any section"),
        (["report", "--where", "("], "expected a column's name"),
        (["report", "--limit", "-1"], "--limit"),
        (["report", "--format", "xml"], "--format"),
        (["report", "--netns", "no such"], "no network namespace 'no such'"),
        (["report", "--to", "nowhere"], "'nowhere' is not an IPv4 address"),
        (["report", "--to", "192.0.2.1", "--from", "::1"], "'::1' is not an IPv4 address"),
        (["--panel", "linsk"], "no section 'linsk', did you mean links?"),
        (["report", "links", "--to", "127.0.0.1"], "goes with the section routes alone"),
        (["report", "--from", "127.0.0.1"], "--from needs --to"),
        (["rapport"], "No such command"),
    ],
)
def test_wrong_usage_is_status_2_with_one_sentence(arguments: list[str], words: str) -> None:
    done = nettui(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.startswith("nettui: ")
    assert "Traceback" not in done.stderr


def test_a_wrong_filter_is_pointed_at() -> None:
    lines = nettui("report", "links", "--where", "mtu > 5 and operstat up").stderr.splitlines()
    assert lines[1] == "  mtu > 5 and operstat up"
    assert lines[2].index("^") == lines[1].index("operstat")


def test_arguments_are_scrubbed_in_errors() -> None:
    done = nettui("report", "\x1b[2J")
    assert "\x1b" not in done.stderr
    done = nettui("report", "links", "--where", f"{HOSTILE} 1")
    assert not re.search("[\x00-\x09\x0b-\x1f\u0080-\u009f\u202e]", done.stderr)


def test_a_section_that_cannot_be_read_is_status_1_and_the_others_are_printed() -> None:
    code = (
        "import dataclasses, collectors.proc.softnet as s\n"
        "def fail(host): raise PermissionError(13, 'Permission denied')\n"
        "s.SOFTNET = dataclasses.replace(s.SOFTNET, read=fail)"
    )
    asked = subprocess.run(
        with_code(code, "report", "links", "softnet", "--json"), cwd=ROOT, capture_output=True, check=False
    )
    assert asked.returncode == 1
    assert asked.stderr.startswith(b"nettui: softnet: no permission")
    found = json.loads(asked.stdout)["sections"]
    assert found["links"]["rows"]
    assert found["softnet"]["unavailable"].startswith("no permission")
    assert "root" in found["softnet"]["remedy"]
    unasked = subprocess.run(with_code(code, "report", "--json"), cwd=ROOT, capture_output=True, check=False)
    assert (unasked.returncode, unasked.stderr) == (0, b"")
    assert "unavailable" in json.loads(unasked.stdout)["sections"]["softnet"]


def test_a_fault_is_one_sentence_and_a_traceback_only_when_asked_for() -> None:
    command = with_code(
        "import nettui.report.make as m\ndef make(*a): raise RuntimeError('boom')\nm.make = make", "report", "links"
    )
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "nettui: a fault of nettui: RuntimeError: boom; NETTUI_DEBUG=1 shows where\n"
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NETTUI_DEBUG": "1"}, capture_output=True, text=True, check=False
    )
    assert "Traceback" in done.stderr


SLOW = """
import nettui.sources, time
def read(*a):
    print('x', file=sys.stderr, flush=True)
    time.sleep(30)
nettui.sources.read = read
"""


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)]
)
def test_a_signal_ends_it_cleanly(number: signal.Signals, status: int, tmp_path: Path) -> None:
    command = with_code(SLOW, "report", "links", "-o", str(tmp_path / "out"))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "x\n"
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)
    assert process.returncode == status
    assert (out, errors.strip()) == ("", "")
    assert not list(tmp_path.iterdir())


def test_an_interrupt_before_the_command_line_is_there_is_130(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
    done = nettui("report", "links", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_that_leaves_is_no_error() -> None:
    with subprocess.Popen(
        [*NETTUI, "report", "--json"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 0


def test_a_full_disk_and_a_closed_output_are_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*NETTUI, "report", "links"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "nettui: cannot write standard output: No space left on device\n")
    closed = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *NETTUI, "report", "links"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (closed.returncode, closed.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        ('"$@" --help >/dev/full', 1, "nettui: cannot write standard output: No space left on device\n"),
        ('"$@" --version >/dev/full', 1, "nettui: cannot write standard output: No space left on device\n"),
        ('"$@" report linsk 2>/dev/full', 2, ""),
        ('"$@" report linsk 2>&-', 2, ""),
    ],
)
def test_the_status_stands_whatever_cannot_be_written(command: str, status: int, words: str) -> None:
    done = subprocess.run(
        ["sh", "-c", command, "sh", *NETTUI], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (status, words)


def test_the_file_of_o_obeys_umask(tmp_path: Path) -> None:
    command = f"umask 027; exec {' '.join(NETTUI)} report links --json -o {tmp_path}/out"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == b""
    assert json.loads((tmp_path / "out").read_text())["sections"]["links"]["rows"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640


def test_the_file_of_o_may_be_standard_output_by_its_device() -> None:
    assert json.loads(nettui("report", "links", "--json", "-o", "/dev/stdout").stdout)["sections"]["links"]["rows"]


def test_a_report_loads_no_screen_and_no_netlink_library() -> None:
    code = "import atexit\natexit.register(lambda: print(*{m.split('.')[0] for m in sys.modules}, file=sys.stderr))"
    done = subprocess.run(with_code(code, "report"), cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "numpy" in loaded
    assert not loaded & {"textual", "rich", "pyroute2", "psutil", "asyncio"}


def test_help_and_version_load_no_numpy() -> None:
    assert nettui("--version").stdout == f"nettui {__version__}\n"
    assert "COLUMN" in nettui("report", "--help").stdout
    code = "import atexit\natexit.register(lambda: print('numpy' in sys.modules, file=sys.stderr))"
    done = subprocess.run(with_code(code, "--version"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == "False\n"


def test_the_schema_without_a_section_describes_all() -> None:
    document = json.loads(nettui("report", "--schema").stdout)
    assert {"links", "sockets", "protocols"} <= set(document["sections"])


def test_the_schema_reads_nothing_and_describes_every_column() -> None:
    document = json.loads(nettui("report", "links", "--schema").stdout)
    names = {column["name"]: column for column in document["sections"]["links"]["columns"]}
    assert names["rx_bytes"] == {
        "name": "rx_bytes", "type": "integer", "kind": "counter", "unit": "B", "path": "stats64.rx.bytes",
        **({"help": names["rx_bytes"]["help"]} if "help" in names["rx_bytes"] else {}),
    }  # fmt: skip


def on_terminal(*arguments: str, columns: int = 80, **variables: str) -> str:
    """What a terminal receives from a command."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm", **variables}
    process = subprocess.Popen(
        [*NETTUI, *arguments], cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    received = b""
    with contextlib.suppress(OSError):  # EIO: the other side has closed
        while select.select([master], [], [], 30)[0] and (part := os.read(master, 65536)):
            received += part
    os.close(master)
    assert process.wait(20) == 0
    return received.decode()


def test_a_terminal_gets_colour_unless_it_is_refused_and_lines_that_fit() -> None:
    coloured = on_terminal("report", "links")
    assert "\x1b[1mLinks\x1b[0m" in coloured
    plain = on_terminal("report", "links", NO_COLOR="1")
    assert "\x1b" not in plain
    assert "\x1b" not in on_terminal("report", "links", TERM="dumb")
    table = plain.split("  no room for ")[0].splitlines()
    assert max(map(len, table)) <= 80


@pytest.fixture(scope="module")
def hostile() -> Iterator[Namespace]:
    """A namespace of a hostile name, with a link of a hostile alias and a socket of a hostile process."""
    with namespace() as made:
        subprocess.run(["ip", "-netns", made.name, "link", "set", "lo", "alias", HOSTILE], check=True)
        evil = Path("/run/netns") / f"{made.name}{HOSTILE.replace('/', '|')}"
        subprocess.run(["ip", "netns", "add", evil.name], check=True)
        code = "import socket, time\ns = socket.create_server(('127.0.0.1', 4243))\n" + (
            "open('/proc/self/comm', 'wb').write(b'\\x1b[2J\\x9b\\n[/x]')\nprint(flush=True)\ntime.sleep(120)"
        )
        command = ["ip", "netns", "exec", made.name, sys.executable, "-c", code]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield made
        finally:
            process.kill()
            process.wait()
            subprocess.run(["ip", "netns", "del", evil.name], check=False)


@needs_root
@pytest.mark.root
@pytest.mark.parametrize("form", ["text", "json", "ndjson", "csv", "markdown"])
def test_hostile_names_reach_no_pipe(form: str, hostile: Namespace) -> None:
    for section, columns, shown in (("links", "ifname,ifalias", SHOWN), ("sockets", "sport,process", PROCESS_SHOWN)):
        done = nettui("report", section, "--columns", columns, "--netns", hostile.name, "--format", form)
        assert done.returncode == 0
        assert not HARMFUL.search(done.stdout)
        assert shown in done.stdout.replace("\\", "")
        if "json" in form:
            assert not re.search(r"\\u00[0189][0-9a-f]|\\u202e|\\n", done.stdout)


@needs_root
@pytest.mark.root
def test_hostile_names_reach_no_terminal(hostile: Namespace) -> None:
    for section, columns, shown in (("links", "ifname,ifalias", SHOWN), ("sockets", "sport,process", PROCESS_SHOWN)):
        received = on_terminal("report", section, "--columns", columns, "--netns", hostile.name)
        assert shown in received
        without_ours = re.sub(r"\x1b\[[0-9;]*m", "", received).replace("\r\n", "\n")
        assert not HARMFUL.search(without_ours)


@needs_root
@pytest.mark.root
def test_a_namespace_of_a_hostile_name_is_read_and_shown_scrubbed(hostile: Namespace) -> None:
    name = f"{hostile.name}{HOSTILE.replace('/', '|')}"
    done = nettui("report", "links", "--netns", name, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["host"]["netns"] == f"{hostile.name}{SHOWN.replace('/', '|')}"
    done = nettui("report", "links", "--netns", f"{name}x")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr


@needs_root
@pytest.mark.root
def test_a_terminal_that_knows_no_such_letters_is_no_error(hostile: Namespace) -> None:
    subprocess.run(["ip", "-netns", hostile.name, "link", "set", "lo", "alias", "größe 中"], check=True)
    variables = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = nettui("report", "links", "--columns", "ifalias", "--netns", hostile.name, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    subprocess.run(["ip", "-netns", hostile.name, "link", "set", "lo", "alias", HOSTILE], check=True)
