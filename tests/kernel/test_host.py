"""Reading from another namespace, by name, process id or path, without moving the caller."""

import subprocess
import sys
from pathlib import Path

import pytest

import collectors
from collectors import Host
from collectors.host import NoSuchNamespace
from collectors.netlink.routes import ROUTES
from nettui import snapshot, sources
from tests.lab import namespace, needs_root

pytestmark = needs_root


def dst(host: Host) -> list[object]:
    return collectors.collect("routes", host)["dst"].cells()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_namespace_is_found_by_name_path_and_process_id():
    with namespace() as inside:
        inside.ip("route add blackhole 198.51.100.0/24")
        sleeper = subprocess.Popen(["ip", "netns", "exec", inside.name, "sleep", "60"])
        try:
            joined = Path(f"/proc/{sleeper.pid}/ns/net")
            while joined.stat().st_ino != Path(f"/run/netns/{inside.name}").stat().st_ino:
                pass
            for name in (inside.name, f"/run/netns/{inside.name}", str(sleeper.pid)):
                assert "198.51.100.0/24" in dst(Host(name))
        finally:
            sleeper.kill()
            sleeper.wait()


def test_the_caller_stays_where_it_was():
    before = Path("/proc/thread-self/ns/net").stat().st_ino
    with namespace() as inside:
        dst(inside.host)
        assert Path("/proc/thread-self/ns/net").stat().st_ino == before
        assert Path("/proc/self/ns/net").stat().st_ino == before


def test_a_namespace_that_cannot_be_entered_is_told_by_the_name_that_was_given():
    assert "'/dev/null'" in snapshot.take(["routes"], Host("/dev/null")).gaps["routes"].reason


def test_a_namespace_that_may_not_be_looked_at_is_told_by_the_name_that_was_given():
    code = (
        "import os; from collectors import Host; pid = str(os.getppid())\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n    Host(pid).inside(lambda: None)\n"
        "except OSError as error:\n    print(error.strerror.replace(pid, 'PID'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "cannot enter network namespace 'PID': Permission denied\n"


def test_proc_files_are_those_of_the_namespace():
    with namespace() as inside:
        assert inside.host.read("net/dev").count(b":") == 1  # lo alone
        assert Host().read("net/dev").count(b":") > 1


def test_a_namespace_that_does_not_exist_is_a_gap_that_names_it_and_is_not_made():
    taken = snapshot.take(["routes", "softnet"], Host("no-such-namespace"))
    assert not taken.tables
    assert "no-such-namespace" in taken.gaps["routes"].reason
    assert not Path("/run/netns/no-such-namespace").exists()


def test_a_namespace_that_vanishes_between_readings_is_a_gap():
    with namespace() as inside:
        assert "routes" in snapshot.take(["routes"], inside.host).tables
    assert "routes" in snapshot.take(["routes"], inside.host).gaps


def test_a_process_id_of_nobody_is_no_namespace():
    with pytest.raises(NoSuchNamespace):
        Host("4194305").namespace_path()


def test_no_thread_or_descriptor_is_left_behind():
    with namespace() as inside:
        sources.read(["routes", "softnet"], inside.host)
        before = descriptors()
        for _ in range(5):
            sources.read(["routes", "softnet"], inside.host)
        assert descriptors() == before


def test_an_ordinary_user_reads_routes_and_is_told_why_not_elsewhere():
    code = (
        "import os; from nettui import snapshot; from collectors import Host\n"  # before: a user may not read this tree
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print(len(snapshot.take(['routes'], Host()).tables['routes']) > 0)\n"
        "print(snapshot.take(['routes'], Host(%r)).gaps['routes'])\n"
    )
    with namespace() as inside:
        done = subprocess.run([sys.executable, "-c", code % inside.name], capture_output=True, text=True, check=True)
    readable, refused = done.stdout.splitlines()
    assert readable == "True"
    assert "no permission" in refused
    assert "sudo" in refused


def test_a_namespace_whose_name_goes_while_it_is_read_is_read_to_the_end():
    with namespace() as inside:
        inside.ip(*(f"route add blackhole 198.{18 + (i >> 16)}.{i >> 8 & 255}.{i & 255}" for i in range(20011)))
        with inside.host.pinned() as pinned:
            blocks = ROUTES.read(pinned)
            first = next(blocks)
            subprocess.run(["ip", "netns", "del", inside.name], check=True)
            table = ROUTES.decode([first, *blocks])
        subprocess.run(["ip", "netns", "add", inside.name], check=True)  # for the lab to remove
    assert table.codes("type").matching(lambda kind: kind == "blackhole").sum() == 20011
