"""Every failure becomes one sentence with what to do, and none stops the others."""

import errno

import pytest

from collectors import Host
from collectors.collector import INTERRUPTED, Block, Collector
from collectors.host import NoSuchNamespace
from collectors.table import Gap, Table
from collectors.wire.netlink import DecodeError, NetlinkError
from nettui import snapshot


@pytest.mark.parametrize(
    ("error", "says", "advises"),
    [
        (PermissionError(errno.EPERM, "Operation not permitted"), "no permission", "sudo"),
        (NetlinkError(errno.EOPNOTSUPP, "Unknown table"), "not supported by this kernel (Unknown table)", ""),
        (FileNotFoundError(errno.ENOENT, "No such file", "/proc/net/x"), "/proc/net/x", ""),
        (NoSuchNamespace("no network namespace 'x'"), "no network namespace 'x'", "ip netns list"),
        (DecodeError(40, "attribute length 3"), "byte 40", "uname -r"),
        (OSError(errno.ENOBUFS, "No buffer space available"), "overran", "again"),
        (TimeoutError("the kernel sent nothing"), "sent nothing", ""),
        (MemoryError(), "memory", "--where"),
        (ZeroDivisionError("x"), "ZeroDivisionError", "report it"),
    ],
)
def test_an_error_is_one_sentence_with_a_remedy(error: Exception, says: str, advises: str):
    found = snapshot.gap(error)
    assert says in found.reason
    assert advises in found.remedy
    assert "\n" not in found.reason


def test_one_collector_that_fails_does_not_stop_the_next(monkeypatch: pytest.MonkeyPatch):
    real = snapshot.collector
    failing = Collector("routes", (), lambda host: 1 / 0, lambda raw: Table((), {}), "nothing")
    monkeypatch.setattr(snapshot, "collector", lambda name: failing if name == "routes" else real(name))
    taken = snapshot.take(["routes", "softnet"], Host())
    assert "ZeroDivisionError" in taken.gaps["routes"].reason
    assert len(taken.tables["softnet"]) > 0
    assert set(taken.elapsed) == {"routes", "softnet"}


def test_an_interrupted_dump_is_read_again_and_kept_with_its_gap_after_three_tries():
    readings = []

    def read(host: Host):
        readings.append(host)
        yield Block("", b"")

    def decode(raw):
        list(raw)
        return Table((), {}, (INTERRUPTED,) if len(readings) < calm else ())

    calm = 2
    table = Collector("x", (), read, decode, "nothing").collect(Host())
    assert (len(readings), table.gaps) == (2, ())
    readings.clear()
    calm = 99
    table = Collector("x", (), read, decode, "nothing").collect(Host())
    assert (len(readings), table.gaps) == (3, (INTERRUPTED,))


def test_a_gap_that_is_read_among_the_blocks_reaches_the_decoder():
    absent = Gap("udp_diag is not loaded", "modprobe udp_diag")

    def read(host: Host):
        yield Block("", b"x" * (1 << 20))
        yield absent

    seen = []
    Collector("x", (), read, lambda raw: seen.extend(raw) or Table((), {}), "nothing").collect(Host())
    assert seen[1] == absent


def test_a_reader_that_fails_on_its_own_thread_raises_where_it_is_decoded():
    def read(host: Host):
        yield Block("", b"x" * (1 << 20))
        raise NetlinkError(errno.ENOBUFS, "no buffer space")

    with pytest.raises(NetlinkError):
        Collector("x", (), read, lambda raw: list(raw) and Table((), {}), "nothing").collect(Host())


def test_a_decoder_that_fails_stops_the_reading_thread():
    import threading

    def read(host: Host):
        for _ in range(1000):
            yield Block("", b"x" * (1 << 20))

    def decode(raw):
        for _ in raw:
            raise DecodeError(0, "bad")

    before = threading.active_count()
    with pytest.raises(DecodeError):
        Collector("x", (), read, decode, "nothing").collect(Host())
    assert threading.active_count() == before
