"""The process behind a socket: who runs it, since when, what it uses; from psutil, asked for one process at a time."""

from __future__ import annotations

import time

from collectors.values import Cell


def process(pid: int) -> dict[str, Cell]:
    """Facts about one process, by name; those that may not be read are left out.

    Raises ProcessLookupError when it has ended. Times in seconds, memory in bytes.
    """
    import psutil

    try:
        found = psutil.Process(pid)
        facts = found.as_dict(
            ["name", "exe", "cmdline", "username", "status", "ppid", "num_threads", "num_fds", "nice", "create_time",
             "cpu_times", "memory_info", "io_counters"]
        )  # fmt: skip
    except psutil.NoSuchProcess as error:
        raise ProcessLookupError(f"process {pid} has ended") from error
    told: dict[str, Cell] = {
        name: facts[name]
        for name in ("name", "exe", "username", "status", "ppid", "num_threads", "num_fds", "nice")
        if facts[name] not in (None, "")
    }
    if facts["cmdline"]:
        told["cmdline"] = " ".join(facts["cmdline"])
    if facts["create_time"]:
        told["running for s"] = round(time.time() - facts["create_time"], 1)
    if facts["cpu_times"]:
        told["cpu user s"], told["cpu system s"] = facts["cpu_times"].user, facts["cpu_times"].system
    if facts["memory_info"]:
        told["resident B"] = facts["memory_info"].rss
    if facts["io_counters"]:
        told["read B"], told["written B"] = facts["io_counters"].read_bytes, facts["io_counters"].write_bytes
    return told
