"""Which way of counting is taken, and what is said where there is none; failures are made up but for the last."""

import errno
import os
import subprocess
import sys

import pytest

from collectors.tracing.bpf import Refused
from collectors.tracing.btf import VMLINUX
from collectors.tracing.keys import Counts
from collectors.tracing.reasons import NoDropReasons, opened
from collectors.wire.netlink import DecodeError


class Counting:
    """A way that works and has nothing to tell."""

    name, remedy = "tracefs", ""
    gaps, reasons, subsystems = (), {}, {}

    def read(self) -> Counts:
        raise NotImplementedError

    def close(self) -> None:
        pass


def failing(error: Exception):
    def way():
        raise error

    return way


NO_TRACEFS = failing(OSError("tracefs is not mounted; `mount`"))


def test_bpf_is_taken_where_it_works():
    way = Counting()
    assert opened(bpf=lambda: way, tracefs=NO_TRACEFS) == (way, ())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused(errno.EACCES, "the kernel's verifier refused the program: R2 invalid"), "R2 invalid"),
        (FileNotFoundError(errno.ENOENT, "No such file", str(VMLINUX)), "CONFIG_DEBUG_INFO_BTF"),
        (PermissionError(errno.EPERM, "bpf(): Operation not permitted"), "not permitted"),
        (OSError(errno.ENOSYS, "bpf(): Function not implemented"), "CONFIG_BPF_SYSCALL"),
        (OSError(errno.ENOMEM, "bpf(): Cannot allocate memory"), "Cannot allocate memory"),
        (DecodeError(12, "BTF is shorter"), "BTF is shorter"),
        (KeyError("BTF knows no nsproxy"), "no nsproxy"),
        (MemoryError(), "memory"),
    ],
)
def test_tracefs_is_taken_where_bpf_fails_and_what_is_missing_is_said(error, said):
    way = Counting()
    found, (gap,) = opened(bpf=failing(error), tracefs=lambda: way)
    assert found is way
    assert "without their namespace and device" in gap.reason
    assert said in gap.reason
    assert gap.remedy


def test_without_either_both_causes_and_a_remedy_are_said():
    """As under lockdown, which refuses root too."""
    with pytest.raises(NoDropReasons) as raised:
        opened(
            bpf=failing(DecodeError(0, "no BTF")),
            tracefs=failing(PermissionError(errno.EPERM, "Operation not permitted", "/sys/kernel/tracing/instances")),
        )
    assert "no BTF" in raised.value.gap.reason
    assert "/sys/kernel/tracing/instances" in raised.value.gap.reason
    assert raised.value.gap.remedy in str(raised.value)


def test_an_ordinary_user_is_told_what_it_takes():
    """In a process of its own, which gives up its rights once it has loaded what it needs."""
    code = (
        "import os; from collectors.tracing.reasons import DropReasons\n"
        "if os.geteuid() == 0:\n    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n    DropReasons()\n"
        "except PermissionError as error:\n    print(error.errno, error.strerror)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith(f"{errno.EPERM} ")
    assert "CAP_BPF" in done.stdout
    assert os.geteuid() >= 0
