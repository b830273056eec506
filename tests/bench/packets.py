"""`python -m tests.bench.packets`: a file of mixed packets, ours against tcpdump and tshark; display filters.

The file is some 1,000 frames made by hand, laid side by side until it has a million, each time with other source
addresses and DNS names. Every measurement is a fresh process, ours without the interpreter's start; a peer's is its
whole command with its output thrown away.
tcpdump has -S, and the sources are 1,000: it remembers connections and addresses in lists that it walks, and takes
minutes where there are many. tshark reads the file once. Figures of one machine; compare ratios.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from tests.bench.measure import peak_bytes
from tests.loss import frames
from tests.packets import build

PACKETS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdecimal() else 1_000_000
ROUNDS = 3
DIFFERENT = 1009
FILTER = "tcp port 443"
DISPLAY = (
    "dport 443",
    "proto tcp and flags ~ S",
    "src in 10.0.0.0/8 or dns_name ~ example",
    "length > 1000",
    "not (proto udp)",
)
FIELDS = (
    "frame.number", "frame.time_epoch", "frame.len", "frame.cap_len", "eth.src", "eth.dst", "vlan.id", "ip.src",
    "ip.dst", "ipv6.src", "ipv6.dst", "ip.proto", "ip.ttl", "ip.id", "ip.len", "tcp.srcport", "tcp.dstport",
    "tcp.flags", "tcp.seq_raw", "tcp.ack_raw", "tcp.window_size_value", "tcp.len", "tcp.options.mss_val", "udp.srcport",
    "udp.dstport", "icmp.type", "icmp.code", "arp.opcode", "dns.qry.name", "tls.handshake.extensions_server_name",
)  # fmt: skip
# name, peer, at most so much of its time
GOALS = (
    ("read and decode", "tshark -T fields", 0.05),
    ("read and decode", "tcpdump -nS", 1.0),
    ("read, filter and decode", "tcpdump -nS with filter", 2.0),
)
NAME, DNS = 14 + 20 + 8 + 12 + 1, b"\0\x35"  # where the first label of a question stands, and its port
MOST = 0.2  # seconds of a display filter


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mixed.pcap"
        write(path, PACKETS)
        print(f"{PACKETS:,} packets, {path.stat().st_size >> 20} MB", flush=True)
        seconds = compared(path)
        for name, peer, most in GOALS:
            ratio = seconds[name] / seconds[peer]
            print(f"{name} / {peer}: {ratio:.3f}, at most {most}: {'reached' if ratio <= most else 'MISSED'}")
        found = ours("filters", path)
        for expression, took in found["filters"].items():
            print(f"--where {expression!r}: {took * 1000:.0f} ms, {found['rows'][expression]:,} packets")
        worst = max(found["filters"].values()) * 1_000_000 / PACKETS
        print(f"worst filter: {worst * 1000:.0f} ms a million, at most 200: {'reached' if worst <= MOST else 'MISSED'}")


def compared(path: Path) -> dict[str, float]:
    """Medians of the runs in turn."""
    fields = [word for field in FIELDS for word in ("-e", field)]
    runs: dict[str, Callable[[], float]] = {
        "read and decode": lambda: ours("decode", path)["seconds"],
        "tcpdump -nS": lambda: peer(["tcpdump", "-nS", "-r", str(path)]),
        "read, filter and decode": lambda: ours("taken", path)["seconds"],
        "tcpdump -nS with filter": lambda: peer(["tcpdump", "-nS", "-r", str(path), FILTER]),
        "tshark -T fields": lambda: peer(["tshark", "-n", "-r", str(path), "-T", "fields", *fields]),
    }
    found: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        for name, run in runs.items():
            if name.startswith("tshark") and number:
                continue
            found.setdefault(name, []).append(run())
            print(f"{number + 1} {name:24} {found[name][-1]:7.2f} s", flush=True)
    return {name: median(seconds) for name, seconds in found.items()}


def ours(what: str, path: Path) -> dict[str, dict[str, float]]:  # type: ignore[type-arg]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.packets", what, str(path)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def peer(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def read(path: str, expression: str = "") -> None:
    from nettui.packets.reading import Batch, batches

    next(batches(path, expression), None)  # what is imported and compiled first
    began, packets = time.perf_counter(), 0
    for batch in batches(path, expression):
        assert isinstance(batch, Batch)
        packets += len(batch.table)
    print(json.dumps({"seconds": time.perf_counter() - began, "packets": packets, "peak": peak_bytes()}))


def filtered(path: str) -> None:
    """Display filters over tables that stand in memory."""
    from collectors.wire.packets.columns import COLUMNS
    from nettui.packets.reading import Batch, batches
    from nettui.query import compile

    tables = [batch.table for batch in batches(path) if isinstance(batch, Batch)]
    took, rows = {}, {}
    for expression in DISPLAY:
        began = time.perf_counter()
        query = compile(expression, COLUMNS)
        rows[expression] = sum(int(np.count_nonzero(query.mask(table))) for table in tables)
        took[expression] = time.perf_counter() - began
    print(json.dumps({"filters": took, "rows": rows}))


def write(path: Path, count: int) -> None:
    """Blocks of all frames, with the source addresses and the names that are asked for changed from block to block."""
    made = [frame(number) for number in range(DIFFERENT)]
    heads = [struct.pack("<4I", 0, 0, len(octets), len(octets)) for octets, _ in made]
    block = np.frombuffer(b"".join(map(b"".join, zip(heads, (octets for octets, _ in made)))), np.uint8).copy()
    starts = np.cumsum([0, *(16 + len(octets) for octets, _ in made)])
    at = starts[:-1]
    hosts = np.array([start + 16 + place for start, (_, place) in zip(at.tolist(), made) if place])
    names = np.array(
        [start + 16 + NAME for start, (octets, place) in zip(at.tolist(), made) if octets[36:38] == DNS and place]
    )
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for number in range(-(-count // DIFFERENT)):
            stamps = number * DIFFERENT + np.arange(DIFFERENT)
            for offset, values in ((0, 1_700_000_000 + stamps // 100_000), (4, stamps % 100_000 * 10_000)):
                octets = values.astype("<u4").view(np.uint8).reshape(-1, 4)
                for byte in range(4):
                    block[at + offset + byte] = octets[:, byte]
            block[hosts], block[hosts + 1] = number // 250 % 250, 1 + number % 250  # the third and fourth octet
            for place, digit in enumerate(f"{number:04}".encode()):
                block[names + place] = digit
            whole = min(DIFFERENT, count - number * DIFFERENT)
            out.write(block[: starts[whole]].tobytes())


def frame(number: int) -> tuple[bytes, int]:
    """One of a server's day, and where the last two octets of its IPv4 source begin; 0: it has none to change."""
    src, dst, port = "10.0.0.1", f"192.0.2.{1 + number % 250}", 1024 + number * 61 % 60_000
    kind, size = number % 20, number * 97 % 1400
    if kind < 11:
        service = (443, 80, 22, 5432, 443, 8080, 443, 443, 6379, 443, 25)[kind]
        flags = (frames.ACK, frames.ACK | frames.PSH, frames.ACK, frames.SYN, frames.ACK)[number % 5]
        data = b"" if flags == frames.SYN else b"\x17\3\3" + bytes(size)
        if number % 97 == 0:
            data = build.client_hello(f"host{number}.example.com".encode())
        ports = (port, service) if number % 2 else (service, port)
        segment = frames.tcp(src, dst, ports, flags, options=b"\1\1\x08\x0a" + bytes(8), data=data)
        return build.ethernet(frames.IPV4, frames.ipv4(src, dst, frames.TCP, segment)), 28
    if kind < 14:
        name = build.name(f"0000{number:04}".encode(), b"example", b"com")
        datagram = build.udp(port, 53, build.dns(name))
        return build.ethernet(frames.IPV4, frames.ipv4(src, dst, frames.UDP, datagram)), 28
    if kind < 16:
        datagram = build.udp(port, 51820, bytes(size))
        return build.ethernet(frames.IPV4, frames.ipv4(src, dst, frames.UDP, datagram)), 28
    if kind < 18:
        segment = frames.tcp("fd09::1", "fd09::2", (port, 443), frames.ACK, data=bytes(size))
        return build.ethernet(frames.IPV6, frames.ipv6("fd09::1", "fd09::2", frames.TCP, segment)), 0
    others = list(build.FRAMES.values())
    return others[number % len(others)], 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["decode", path]:
            read(path)
        case ["taken", path]:
            read(path, FILTER)
        case ["filters", path]:
            filtered(path)
        case _:
            main()
