"""Structs of xtables' matches and targets that a kernel of today is not given by iptables 1.8.9: made here."""

from __future__ import annotations

import socket
from struct import pack
from typing import NamedTuple


class Vector(NamedTuple):
    """``family``: NFPROTO, 0 for both; ``text``: as iptables-save prints it."""

    family: int
    kind: str
    name: str
    revision: int
    octets: bytes
    text: str


def inet(text: str) -> bytes:
    """union nf_inet_addr."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_pton(family, text).ljust(16, b"\0")


def conntrack(revision: int, flags: int, inverted: int, state: int, status: int) -> bytes:
    pairs = b"".join(inet(text) for text in ("10.0.0.1", "255.255.255.255", "10.2.0.0", "255.255.0.0") * 2)
    ports = pack(">HHHH", 1024, 80, 81, 82)
    tail = pack("=HH" + ("BB" if revision == 1 else "HH"), flags, inverted, state, status)
    return pairs + pack("=IIH", 1, 300, 6) + ports + tail + bytes(6)


def hashlimit_1(
    name: str, mode: int, period: int, burst: int, *, expire: int, masks: tuple[int, int] = (32, 32)
) -> bytes:
    return pack("=16s7IBB", name.encode(), mode, period, burst, 0, 0, 1000, expire, *masks)


def hashlimit_2(name: str, mode: int, period: int, burst: int, *, expire: int) -> bytes:
    return pack("=255sxQQ5IBB", name.encode(), period, burst, mode, 0, 0, 1000, expire, 32, 32)


def ipvs(address: str, mask: str, flags: int, inverted: int) -> bytes:
    """TCP to port 80, of which port 21 is the control; direct routing."""
    return inet(address) + inet(mask) + pack(">HBBHBB", 80, 6, 3, 21, inverted, flags)


def nat_compat(flags: int, low: str, high: str, first: int, last: int) -> bytes:
    return pack("=II", 1, flags) + inet(low)[:4] + inet(high)[:4] + pack(">HH", first, last)


def nat_range(flags: int, low: str, high: str, first: int, last: int) -> bytes:
    return pack("=I", flags) + inet(low) + inet(high) + pack(">HH", first, last)


def fixed(text: str, size: int) -> bytes:
    return text.encode().ljust(size, b"\0")


ALL = 0xFFFFFFFF
KERNEL = b"\xab" * 8  # a pointer of the kernel's

V4_MATCHES = [
    ("conntrack", 1, conntrack(1, 0x1, 0, 0x0E, 0), "conntrack --ctstate NEW,RELATED,ESTABLISHED"),
    (
        "conntrack", 1, conntrack(1, 0x10FE, 0x10C0, 0, 0x4),
        "conntrack --ctproto 6 --ctorigsrc 10.0.0.1 --ctorigdst 10.2.0.0/16 --ctreplsrc 10.0.0.1"
        " --ctrepldst 10.2.0.0/16 ! --ctstatus ASSURED ! --ctexpire 1:300 --ctdir REPLY",
    ),
    ("conntrack", 2, conntrack(2, 0x2001, 0x1, 0x108, 0), "state ! --state NEW,UNTRACKED"),
    (
        "conntrack", 2, conntrack(2, 0x0F00, 0x0500, 0, 0),
        "conntrack ! --ctorigsrcport 1024 --ctorigdstport 80 ! --ctreplsrcport 81 --ctrepldstport 82",
    ),
    ("state", 0, pack("=I", 0x102), "state --state ESTABLISHED,UNTRACKED"),
    ("addrtype", 0, pack("=HHII", 0x4, 0x2, 0, 1), "addrtype --src-type LOCAL ! --dst-type UNICAST"),
    ("multiport", 0, pack("=BB15H", 1, 3, 22, 80, 443, *[0] * 12), "multiport --dports 22,80,443"),
    (
        "hashlimit", 1, hashlimit_1("h1", 0x4, 10000 * 60 // 7, 5, expire=60000),
        "hashlimit --hashlimit-upto 7/min --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name h1",
    ),
    (
        "hashlimit", 1, hashlimit_1("h2", 0x30, 0xFFFFFFFF // 65, 4, expire=60000, masks=(24, 16)),
        "hashlimit --hashlimit-above 1kb/s --hashlimit-burst 4kb --hashlimit-name h2 --hashlimit-srcmask 24"
        " --hashlimit-dstmask 16",
    ),
    (
        "hashlimit", 2, hashlimit_2("h3", 0xF, 1000000, 7, expire=2000),
        "hashlimit --hashlimit-upto 1/sec --hashlimit-burst 7 --hashlimit-mode srcip,srcport,dstip,dstport"
        " --hashlimit-name h3 --hashlimit-htable-expire 2000",
    ),
    ("recent", 0, pack("=IIBB200sB", 60, 0, 4, 0, b"ssh", 1), "recent --update --seconds 60 --name ssh --rdest"),
    ("string", 0, pack("=HH16s128sBB", 0, 65535, b"bm", b"GET", 3, 1), 'string ! --string "GET" --algo bm'),
    ("bpf", 0, pack("=H2xHBBI", 1, 6, 0, 0, 1) + bytes(504), 'bpf --bytecode "1,6 0 0 1"'),
    ("bpf", 1, pack("=HHi512s", 1, 0, -1, b"/sys/fs/bpf/x"), "bpf --object-pinned /sys/fs/bpf/x"),
    ("cgroup", 0, pack("=II", 100, 1), "cgroup ! --cgroup 100"),
    ("cgroup", 1, pack("=BBBB4096sI", 1, 0, 1, 0, b"a b", 0), 'cgroup ! --path "a b"'),
    ("cgroup", 1, pack("=BBBB4096sI", 0, 1, 0, 0, b"", 7), "cgroup --cgroup 7"),
    ("cgroup", 2, pack("=BBBB512s", 1, 0, 0, 0, b"user.slice/a"), 'cgroup --path "user.slice/a"'),
    ("socket", 0, b"", "socket"),
    ("socket", 1, b"\1", "socket --transparent"),
    ("socket", 2, b"\3", "socket --transparent --nowildcard"),
    ("nfacct", 0, fixed("acct1", 32), "nfacct --nfacct-name  acct1"),
    ("ipvs", 0, ipvs("0.0.0.0", "0.0.0.0", 0x01, 0x01), "ipvs ! --ipvs"),
    (
        "ipvs", 0, ipvs("10.0.0.0", "255.0.0.0", 0x7E, 0x64),
        "ipvs --vproto 6 ! --vaddr 10.0.0.0/8 --vport 80 --vdir ORIGINAL ! --vmethod GATE ! --vportctl 21",
    ),
]  # fmt: skip
V6_MATCHES = [
    ("tcp", 0, pack("=4H4B", 0, 65535, 5, 5, 0, 0, 0, 3), "tcp ! --dport 5"),
    ("srh", 0, pack("=4BHHH", 17, 8, 1, 4, 5, 0x0411, 0x0010),
     "srh --srh-next-hdr 17 ! --srh-segs-left-eq 1 --srh-tag 5"),
    ("ipvs", 0, ipvs("fd00::", "ffff::", 0x04, 0), "ipvs --vaddr fd00::/16"),
]  # fmt: skip
V4_TARGETS = [
    ("CONNMARK", 1, pack("=IIIB", 1, ALL, ALL, 0), "CONNMARK --set-xmark 0x1/0xffffffff"),
    ("CONNMARK", 1, pack("=IIIB", 0, 0xF, 0xF0, 2), "CONNMARK --restore-mark --nfmask 0xf0 --ctmask 0xf"),
    ("CT", 0, pack("=HHII16s", 0, 3, 0, 0, b"ftp"), "CT --helper ftp --zone 3"),
    ("CT", 1, pack("=HHII16s32s", 0, 0, 0, 0, b"", b"policy1"), "CT --timeout policy1"),
    ("CT", 1, pack("=HHII16s32s", 3, 0, 0, 0, b"", b""), "CT"),
    ("DNAT", 0, nat_compat(3, "10.0.0.1", "10.0.0.5", 80, 90), "DNAT --to-destination 10.0.0.1-10.0.0.5:80-90"),
    ("SNAT", 0, nat_compat(0x1D, "10.0.0.1", "10.0.0.1", 0, 0),
     "SNAT --to-source 10.0.0.1 --random --random-fully --persistent"),
    ("IDLETIMER", 0, pack("=I28s", 42, b"foo"), "IDLETIMER --timeout 42 --label foo"),
    ("LED", 0, pack("=27sBi", b"netfilter-foo bar", 1, 42),
     'LED --led-trigger-id "foo bar" --led-delay 42 --led-always-blink'),
    ("LED", 0, pack("=27sBi", b"netfilter-foo", 0, -1), 'LED --led-trigger-id "foo" --led-delay -1'),
    ("NFQUEUE", 0, pack("=H", 7), "NFQUEUE --queue-num 7"),
    ("NFQUEUE", 1, pack("=HH", 1, 4), "NFQUEUE --queue-balance 1:4"),
    ("NFQUEUE", 2, pack("=HHH", 1, 1, 1), "NFQUEUE --queue-num 1 --queue-bypass"),
    ("NOTRACK", 0, b"", "NOTRACK"),
    ("SECMARK", 0, pack("=B3xI256s", 1, 0, b"system_u:object_r:x"), "SECMARK --selctx system_u:object_r:x"),
    ("SECMARK", 1, pack("=B256s", 1, b"system_u:object_r:x"), "SECMARK --selctx system_u:object_r:x"),
    ("TPROXY", 0, pack("=II4s", 0xFF, 0x1, inet("10.0.0.1")[:4]) + pack(">H", 81),
     "TPROXY --on-port 81 --on-ip 10.0.0.1 --tproxy-mark 0x1/0xff"),
    ("CLUSTERIP", 0, pack("=I6s3H32xII", 1, bytes([1, 2, 3, 4, 5, 0xAB]), 2, 1, 1, 0, 9),
     "CLUSTERIP --new --hashmode sourceip --clustermac 01:02:03:04:05:AB --total-nodes 2 --local-node 1 --hash-init 9"),
]  # fmt: skip
V6_TARGETS = [
    ("DNAT", 1, nat_range(3, "fd00::1", "fd00::5", 80, 80), "DNAT --to-destination [fd00::1-fd00::5]:80"),
    ("SNAT", 1, nat_range(1, "fd00::1", "fd00::1", 0, 0), "SNAT --to-source fd00::1"),
    ("MASQUERADE", 0, nat_range(2, "::", "::", 1024, 2048), "MASQUERADE --to-ports 1024-2048"),
]
PARTS = (
    (2, "match", " -m", V4_MATCHES),
    (10, "match", " -m", V6_MATCHES),
    (2, "target", " -j", V4_TARGETS),
    (10, "target", " -j", V6_TARGETS),
)
STRUCTS = [
    Vector(family, kind, name, revision, octets + bytes(-len(octets) % 8) + KERNEL, f"{option} {text}")
    for family, kind, option, vectors in PARTS
    for name, revision, octets, text in vectors
]
