"""Which modules the kernel has at hand, so that asking loads none, from /proc and /lib/modules."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from collectors.host import Host

FOLDER = Path("/lib/modules")


def at_hand(host: Host) -> frozenset[str] | None:
    """Modules that are loaded or built in; None when this kernel loads no module by itself, so any may be asked.

    Where the list of modules is there and may not be read, none counts as loaded.

    A request for a family or protocol without a handler makes the kernel run kernel.modprobe (net/core/sock_diag.c,
    sock_load_diag_module), as whatever user the request came from.
    """
    try:
        loaded = host.read("modules").decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError:
        loaded = ""
    if read_text(host, "sys/kernel/modprobe") == "":
        return None
    if read_text(host, "sys/kernel/modules_disabled") == "1":
        return None
    return frozenset(normal(line.split()[0]) for line in loaded.splitlines() if line.strip()) | built_in(host)


def built_in(host: Host) -> frozenset[str]:
    """The modules that are part of the kernel's image: lines like ``kernel/net/ipv4/tcp_diag.ko``."""
    release = read_text(host, "sys/kernel/osrelease") or ""
    if not release or "/" in release:
        return frozenset()
    try:
        lines = (FOLDER / release / "modules.builtin").read_text("utf-8", "replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(normal(Path(line).name.split(".")[0]) for line in lines if line)


def missing(wanted: Iterable[str], present: frozenset[str] | None) -> list[str]:
    """Those of the wanted modules that a request would make the kernel load."""
    return [] if present is None else [module for module in wanted if module not in present]


@lru_cache(maxsize=16)
def in_kernel(host: Host, function: str, present: frozenset[str] | None) -> bool:
    """Whether the running kernel has the function, built in or loaded: /proc/kallsyms names it to everybody.

    For what has no other sign where /lib/modules is not there, as in a container. Reading it takes 0.1 s: it is asked
    again only when the modules ``present``, see at_hand, are others.
    """
    try:
        symbols = host.read("kallsyms")
    except OSError:
        return False
    return f" {function}\n".encode() in symbols or f" {function}\t".encode() in symbols


def normal(module: str) -> str:
    return module.replace("-", "_")


def read_text(host: Host, path: str) -> str | None:
    """A file of /proc, None when it cannot be read."""
    try:
        return host.read(path).decode("utf-8", "replace").strip()
    except OSError:
        return None
