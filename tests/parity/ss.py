"""The lines that ``ss -HOnaemiop`` prints, as our columns."""

from __future__ import annotations

import re
from typing import Any

from collectors.values import Cell

Row = dict[str, Any]
NUMBERS = frozenset(
    """backoff mss pmtu rcvmss advmss cwnd ssthresh bytes_sent bytes_retrans bytes_acked bytes_received segs_out
    segs_in data_segs_out data_segs_in lastsnd lastrcv lastack delivered delivered_ce unacked lost sacked fackets
    reordering reord_seen rcv_space rcv_ssthresh notsent rcv_ooopack snd_wnd dsack_dups""".split()  # noqa: SIM905
)
OPTIONS = ("ts", "sack", "ecn", "ecnseen", "fastopen")
MEMORY = dict(
    zip(
        ("r", "rb", "t", "tb", "f", "w", "o", "bl", "d"),
        ("rmem_alloc", "rcvbuf", "wmem_alloc", "sndbuf", "fwd_alloc", "wmem_queued", "optmem", "backlog", "drops"),
        strict=True,
    )
)
ARROWS = ("<->", "-->", "<--", "---")
TOKEN = re.compile(r"[a-z_A-Z0-9-]+\([^)]*\)|[\w-]+:\(\(.*?\)\)|[\w-]+:\([^)]*\)|\S+")
# since 6.5, which ss 6.1 does not know
UNTOLD_OF_MPTCP = ("bytes_sent", "bytes_acked", "bytes_received", "lastsnd", "lastrcv", "lastack", "subflows_total")
UNITS = {"ms": 1, "sec": 1000, "min": 60_000}


def inet(line: str) -> Row:
    """A line of tcp, mptcp, udp or raw."""
    netid, state, recv_q, send_q, local, peer, *rest = line.split(None, 6)
    row: Row = {"netid": netid, "state": state, "recv_q": int(recv_q), "send_q": int(send_q)}
    for name, port, end in (("src", "sport", local), ("dst", "dport", peer)):
        address, number = end.rsplit(":", 1)
        row[name] = address.split("%")[0].strip("[]")
        if number != "*":
            row[port] = int(number)
    words = TOKEN.findall(rest[0]) if rest else []
    at = 0
    while at < len(words):
        taken = pair(row, words[at], words[at + 1] if at + 1 < len(words) else "")
        if not taken:
            single(row, words[at])
        at += taken or 1
    return row


def pair(row: Row, word: str, value: str) -> int:
    """A word whose value is the next word."""
    if word == "send":
        return 2  # computed from mss, cwnd and rtt
    if word in ("pacing_rate", "delivery_rate"):
        rate, _, most = value.partition("/")
        row[word] = int(rate.removesuffix("bps"))
        if most:
            row["max_pacing_rate"] = int(most.removesuffix("bps"))
        return 2
    return 0


def single(row: Row, word: str) -> None:
    name, _, value = word.partition(":")
    if word in ARROWS:
        row["shutdown"] = word
    elif word in OPTIONS:
        row.setdefault("options", []).append(word)
    elif word in ("app_limited", "remote_key"):
        row[word] = True
    elif word.startswith("tcp-ulp-"):
        row["ulp"] = word.removeprefix("tcp-ulp-")
    elif name in NUMBERS:
        row[name] = int(value)
    elif name in READERS and value:
        READERS[name](row, value)
    elif value:
        row[name] = int(value) if name.startswith(("subflows", "add_addr", "local_addr")) else value
    else:
        row["cong"] = word


def users(row: Row, value: str) -> None:
    row["users"] = [(int(pid), int(fd)) for pid, fd in re.findall(r"pid=(\d+),fd=(\d+)", value)]


def timer(row: Row, value: str) -> None:
    name, expires, retrans = value.strip("()").split(",")
    row["timer"], row["timer_retrans"] = name, int(retrans)
    row["timer_expires"] = sum(
        float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|sec|min)", expires)
    )


def memory(row: Row, value: str) -> None:
    for letters, number in re.findall(r"([a-z]+)(\d+)", value):
        name = MEMORY[letters]
        row[name if name == "drops" else f"skmem_{name}"] = int(number)


def times(row: Row, value: str) -> None:
    row["rtt"], row["rttvar"] = map(float, value.split("/"))


def scales(row: Row, value: str) -> None:
    row["snd_wscale"], row["rcv_wscale"] = map(int, value.split(","))


def retrans(row: Row, value: str) -> None:
    row["retrans"], row["retrans_total"] = map(int, value.split("/"))


def bbr(row: Row, value: str) -> None:
    for name, number in re.findall(r"(\w+):([\d.]+)", value):
        row[f"bbr_{name}"] = float(number)


def plainly(name: str, base: int = 10) -> Any:
    def read(row: Row, value: str) -> None:
        row[name] = int(value, base)

    return read


def milliseconds(name: str) -> Any:
    def read(row: Row, value: str) -> None:
        row[name] = float(value.partition("ms")[0])

    return read


READERS = {
    "users": users, "timer": timer, "skmem": memory, "rtt": times, "wscale": scales, "retrans": retrans, "bbr": bbr,
    "ino": plainly("inode"), "sk": plainly("cookie", 16), "uid": plainly("uid"), "fwmark": plainly("mark", 0),
    "v6only": plainly("v6only"), "cgroup": lambda row, value: plainly("cgroup")(row, value.rpartition(":")[2]),
    **{name: milliseconds(name) for name in ("rto", "ato", "minrtt", "rcv_rtt", "busy", "rwnd_limited",
                                             "sndbuf_limited")},
}  # fmt: skip


def spoken(row: dict[str, Cell]) -> Row:
    """Our row with ss's units: times in milliseconds with six digits, rates in bits."""
    said: Row = dict(row)
    for name in ("rto", "ato", "rtt", "rttvar", "minrtt", "rcv_rtt"):
        if name in said:
            said[name] = float(f"{said[name] / 1000:g}")
    for name in ("busy", "rwnd_limited", "sndbuf_limited"):
        if name in said:
            said[name] = float(said[name] // 1000)
    for name in ("pacing_rate", "max_pacing_rate", "delivery_rate", "bbr_bw"):
        if name in said:
            said[name] *= 8
    if "bbr_mrtt" in said:
        said["bbr_mrtt"] = float(f"{said['bbr_mrtt'] / 1000:g}")
    if isinstance(details := said.pop("mptcp", None), dict):
        said.update({name: details[name] for name in details if "addr" in name or "subflows_" in name})
        said.update({name: f"{details[name]:x}" for name in ("token", "write_seq", "snd_una", "rcv_nxt")})
        said.update(dict.fromkeys(details["flags"], True))
        for name in UNTOLD_OF_MPTCP:
            said.pop(name, None)
    if said.get("ulp") == "mptcp" and isinstance(details := said.pop("ulp_info", None), dict):
        ends = ((details["token_rem"], details["id_rem"]), (details["token_loc"], details["id_loc"]))
        said["token"] = "/".join(f"{token:04x}(id:{number})" for token, number in ends)
        said["flags"] = details["flags"]
        said.update({name: f"{details[name]:x}" for name in ("seq", "sfseq", "ssnoff", "maplen")})
    return said


def unix(line: str) -> Row:
    """A line of a UNIX socket; its path may hold spaces."""
    match = re.match(r"(\S+)\s+(\S+)\s+(\d+)\s+(\d+)\s+(.*?) (\d+)\s+\S+ (\d+)\s*(.*)$", line)
    assert match, line
    netid, state, recv_q, send_q, path, inode, peer, rest = match.groups()
    row: Row = {"netid": netid, "state": state, "recv_q": int(recv_q), "send_q": int(send_q), "inode": int(inode)}
    if path != "*":
        row["path"] = path
    if peer != "0":
        row["peer_inode"] = int(peer)
    listed, _, waiting = rest.partition("peers:")
    if waiting.split():
        row["peers"] = [int(word) for word in waiting.split()]
    for word in TOKEN.findall(listed):
        if word.startswith("ino:"):
            row["vfs_inode"] = int(word[4:])
        elif not word.startswith("dev:"):
            single(row, word)
    return row
