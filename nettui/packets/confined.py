"""A program run by whom it cannot harm: another user, no privileges, few resources, gone when this process is.

Run by its path, with nothing but the standard library: python -I -S confined.py UID GID PARENT SECONDS SAID PROGRAM ...
It begins as its caller, gives all up, and becomes the program. A UID of -1 keeps the user.
SAID: bytes that it may write.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # uapi linux/prctl.h
MEMORY = 2 << 30  # bytes of address space
FILES = 64
PROCESSES = 4096  # of the user's, this one's threads among them: some are needed


def main(uid: int, gid: int, parent: int, seconds: int, said: int, program: list[str]) -> None:
    if uid >= 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    control = ctypes.CDLL(None, use_errno=True).prctl
    for what, value in ((PR_SET_NO_NEW_PRIVS, 1), (PR_SET_PDEATHSIG, signal.SIGKILL)):
        if control(what, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
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
        resource.setrlimit(limit, (most, most))
    for number in (signal.SIGXFSZ, signal.SIGPIPE):  # which Python ignores, and what it becomes would too
        signal.signal(number, signal.SIG_DFL)
    os.execv(program[0], program)


if __name__ == "__main__":
    user, group, caller, limit, most = map(int, sys.argv[1:6])
    main(user, group, caller, limit, most, sys.argv[6:])
