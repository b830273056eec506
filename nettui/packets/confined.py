"""A program run by whom it cannot harm: another user, no privileges, few resources, gone when this process is.

Run by its path, with nothing but the standard library: python -I -S confined.py UID GID PARENT SECONDS SAID PROGRAM ...
It begins as its caller, gives all up, and becomes the program. A UID of -1 keeps the user.
SAID: bytes that it may write.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import sys

# uapi linux/prctl.h, linux/capability.h
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 1, 24, 38, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITIES = range(64)
MEMORY = 2 << 30  # bytes of address space
FILES = 64
PROCESSES = 4096  # of the user's, this one's threads among them: some are needed
LIBRARY = ctypes.CDLL(None, use_errno=True)


def main(uid: int, gid: int, parent: int, seconds: int, said: int, program: list[str]) -> None:
    give_up(uid, gid)
    control(PR_SET_PDEATHSIG, signal.SIGKILL)  # which a change of the user would undo
    if os.getppid() != parent:  # it died before it could be watched
        sys.exit(1)
    for limit, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, said),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_NPROC, PROCESSES),
    ):
        highest = resource.getrlimit(limit)[1]
        bound = most if highest == resource.RLIM_INFINITY else min(most, highest)
        resource.setrlimit(limit, (bound, bound))
    for number in (signal.SIGXFSZ, signal.SIGPIPE):  # which Python ignores, and what it becomes would too
        signal.signal(number, signal.SIG_DFL)
    os.execv(program[0], program)


def give_up(uid: int, gid: int) -> None:
    """User, groups and every capability, for good; -1: only the capabilities."""
    for capability in CAPABILITIES:
        with contextlib.suppress(OSError):  # this kernel has not as many, or they are not ours to drop
            control(PR_CAPBSET_DROP, capability)
    if uid >= 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        if 0 in (*os.getresuid(), *os.getresgid()):  # as with a number that is -1 to the kernel
            raise PermissionError(errno.EPERM, "still root")
    control(PR_SET_NO_NEW_PRIVS, 1)
    with contextlib.suppress(OSError):  # kernels before 4.3
        control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    # struct __user_cap_header_struct: u32 version, int pid; __user_cap_data_struct[2]: u32 effective, permitted, ...
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    if LIBRARY.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def control(what: int, value: int) -> None:
    if LIBRARY.prctl(what, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    user, group, caller, limit, most = map(int, sys.argv[1:6])
    try:
        main(user, group, caller, limit, most, sys.argv[6:])
    except OSError as error:
        sys.exit(f"it cannot be run without privileges: {error.strerror}")
