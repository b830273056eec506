"""TCP's own account of a connection: struct tcp_info, which sock_diag gives as INET_DIAG_INFO (uapi linux/tcp.h)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netlink.names import NameBits
from collectors.table import Column
from collectors.values import Index
from collectors.wire.shapes import Shape

INET_DIAG_INFO = 2
TCPI_OPT_WSCALE = 4
OPTIONS = NameBits({1: "ts", 2: "sack", 8: "ecn", 16: "ecnseen", 32: "fastopen", 64: "usec_ts", 128: "tfo_child"})
CA_STATES = ("Open", "Disorder", "CWR", "Recovery", "Loss")  # enum tcp_ca_state
G: Literal["gauge"] = "gauge"
C: Literal["counter"] = "counter"


class Field(NamedTuple):
    """One member ``tcpi_<member>`` of struct tcp_info, and the column it becomes ("" = none of its own)."""

    member: str
    dtype: str
    name: str = ""
    kind: Literal["gauge", "counter"] = G
    unit: str = ""
    help: str = ""


# Times of the kernel are microseconds, of tcpi_last_* milliseconds; rates are bytes per second. A member without a
# version is older than Linux 3.14. Members are only ever added at the end.
FIELDS = (
    Field("state", "u1"),
    Field("ca_state", "u1"),
    Field("retransmits", "u1", "retransmits", G, "", "timeouts in a row without an answer"),
    Field("probes", "u1", "probes", G, "", "window or keepalive probes without an answer"),
    Field("backoff", "u1", "backoff", G, "", "doublings of the retransmission timeout"),
    Field("options", "u1"),
    Field("wscale", "u1"),
    Field("limited", "u1"),
    Field("rto", "<u4", "rto", G, "us", "retransmission timeout"),
    Field("ato", "<u4", "ato", G, "us", "delayed acknowledgement timeout"),
    Field("snd_mss", "<u4", "mss", G, "B", "maximum segment size for sending"),
    Field("rcv_mss", "<u4", "rcvmss", G, "B", "maximum segment size seen on receipt"),
    Field("unacked", "<u4", "unacked", G, "packets", "segments sent and not acknowledged"),
    Field("sacked", "<u4", "sacked", G, "packets", "segments that the peer holds out of order"),
    Field("lost", "<u4", "lost", G, "packets", "segments taken for lost"),
    Field("retrans", "<u4", "retrans", G, "packets", "retransmitted segments not yet acknowledged"),
    Field("fackets", "<u4", "fackets", G, "packets", "segments up to the highest selective acknowledgement"),
    Field("last_data_sent", "<u4", "lastsnd", G, "ms", "time since data was last sent"),
    Field("last_ack_sent", "<u4"),  # never filled
    Field("last_data_recv", "<u4", "lastrcv", G, "ms", "time since data was last received"),
    Field("last_ack_recv", "<u4", "lastack", G, "ms", "time since an acknowledgement was last received"),
    Field("pmtu", "<u4", "pmtu", G, "B", "path MTU"),
    Field("rcv_ssthresh", "<u4", "rcv_ssthresh", G, "B", "limit of the advertised window"),
    Field("rtt", "<u4", "rtt", G, "us", "smoothed round-trip time"),
    Field("rttvar", "<u4", "rttvar", G, "us", "its mean deviation"),
    Field("snd_ssthresh", "<u4", "ssthresh", G, "packets", "slow-start threshold"),
    Field("snd_cwnd", "<u4", "cwnd", G, "packets", "congestion window"),
    Field("advmss", "<u4", "advmss", G, "B", "maximum segment size told to the peer"),
    Field("reordering", "<u4", "reordering", G, "packets", "how far segments may arrive out of order"),
    Field("rcv_rtt", "<u4", "rcv_rtt", G, "us", "round-trip time by the receiving side's estimate"),
    Field("rcv_space", "<u4", "rcv_space", G, "B", "receive buffer that its tuning aims at"),
    Field("total_retrans", "<u4", "retrans_total", C, "packets", "segments retransmitted"),
    Field("pacing_rate", "<u8", "pacing_rate", G, "B/s", "pace of sending; ss shows bits; 3.15"),
    Field("max_pacing_rate", "<u8", "max_pacing_rate", G, "B/s", "limit of the pace, absent when unlimited; 3.15"),
    Field("bytes_acked", "<u8", "bytes_acked", C, "B", "bytes acknowledged by the peer; 4.1"),
    Field("bytes_received", "<u8", "bytes_received", C, "B", "bytes received in order; 4.1"),
    Field("segs_out", "<u4", "segs_out", C, "packets", "segments sent; 4.2"),
    Field("segs_in", "<u4", "segs_in", C, "packets", "segments received; 4.2"),
    Field("notsent_bytes", "<u4", "notsent", G, "B", "bytes queued and never sent yet; 4.6"),
    Field("min_rtt", "<u4", "minrtt", G, "us", "least round-trip time in the window of the estimate; 4.6"),
    Field("data_segs_in", "<u4", "data_segs_in", C, "packets", "segments with data received; 4.6"),
    Field("data_segs_out", "<u4", "data_segs_out", C, "packets", "segments with data sent; 4.6"),
    Field("delivery_rate", "<u8", "delivery_rate", G, "B/s", "goodput last measured; ss shows bits; 4.9"),
    Field("busy_time", "<u8", "busy", C, "us", "time with data to send; 4.10"),
    Field("rwnd_limited", "<u8", "rwnd_limited", C, "us", "of it, held up by the peer's window; 4.10"),
    Field("sndbuf_limited", "<u8", "sndbuf_limited", C, "us", "of it, held up by the send buffer; 4.10"),
    Field("delivered", "<u4", "delivered", C, "packets", "segments delivered, retransmitted ones too; 4.18"),
    Field("delivered_ce", "<u4", "delivered_ce", C, "packets", "of these, acknowledged with an ECN echo; 4.18"),
    Field("bytes_sent", "<u8", "bytes_sent", C, "B", "bytes sent, retransmitted ones too; 4.19"),
    Field("bytes_retrans", "<u8", "bytes_retrans", C, "B", "bytes retransmitted; 4.19"),
    Field("dsack_dups", "<u4", "dsack_dups", C, "packets", "duplicates that the peer reported; 4.19"),
    Field("reord_seen", "<u4", "reord_seen", C, "", "reordering events; 4.19"),
    Field("rcv_ooopack", "<u4", "rcv_ooopack", C, "packets", "segments received out of order; 5.4"),
    Field("snd_wnd", "<u4", "snd_wnd", G, "B", "the peer's window; 5.4"),
    Field("rcv_wnd", "<u4", "rcv_wnd", G, "B", "our window; 6.2"),
    Field("rehash", "<u4", "rehash", C, "", "changes of the flow hash to find another path; 6.2"),
    Field("total_rto", "<u2", "total_rto", C, "", "retransmission timeouts; 6.7"),
    Field("total_rto_recoveries", "<u2", "total_rto_recoveries", C, "", "recoveries after a timeout; 6.7"),
    Field("total_rto_time", "<u4", "total_rto_time", C, "ms", "time spent in such recoveries; 6.7"),
    Field("received_ce", "<u4", "received_ce", C, "packets", "segments received with a CE mark; 6.18"),
    Field("delivered_e1_bytes", "<u4", "delivered_e1_bytes", C, "B", "delivered with ECT(1), by AccECN; 6.18"),
    Field("delivered_e0_bytes", "<u4", "delivered_e0_bytes", C, "B", "delivered with ECT(0), by AccECN; 6.18"),
    Field("delivered_ce_bytes", "<u4", "delivered_ce_bytes", C, "B", "delivered with CE, by AccECN; 6.18"),
    Field("received_e1_bytes", "<u4", "received_e1_bytes", C, "B", "received with ECT(1), by AccECN; 6.18"),
    Field("received_e0_bytes", "<u4", "received_e0_bytes", C, "B", "received with ECT(0), by AccECN; 6.18"),
    Field("received_ce_bytes", "<u4", "received_ce_bytes", C, "B", "received with CE, by AccECN; 6.18"),
    Field("accecn_fail_mode", "<u2", "accecn_fail_mode", G, "", "bits of how AccECN failed; 6.18"),
    Field("accecn_opt_seen", "<u2", "accecn_opt_seen", G, "", "whether the AccECN option was seen; 6.18"),
)
TCP_INFO = np.dtype([(field.member, field.dtype) for field in FIELDS])
MEASURED = {field.member: field.name for field in FIELDS if field.name}
# all that the kernel fills in for a listener (net/ipv4/tcp.c, tcp_get_info), whose unacked and sacked are its backlog
OF_LISTENERS = ("pacing_rate", "max_pacing_rate", "reordering", "snd_cwnd")
# members whose value from here on means that there is none, and those for which 0 does
NONE_FROM = {
    "pacing_rate": 0xFFFFFFFFFFFFFFFF,
    "snd_ssthresh": 0x7FFFFFFF,
    "min_rtt": 0xFFFFFFFF,
    "max_pacing_rate": 0xFFFFFFFFFFFFFFFF,
}
NONE_AT_ZERO = ("rtt", "rttvar", "rcv_rtt")  # rttvar means something where rtt does

COLUMNS = (
    Column("ca_state", "text", "label", help="congestion avoidance: Open, Disorder, CWR, Recovery, Loss"),
    Column("options", "json", "label", help="ts, sack, ecn, ecnseen, fastopen: what both sides agreed on"),
    Column("snd_wscale", "u1", "label", help="window scale of the peer"),
    Column("rcv_wscale", "u1", "label", help="window scale of this side"),
    Column("app_limited", "bool", "label", help="delivery_rate was limited by the application; 4.9"),
    Column("fastopen_client_fail", "u1", "label", help="why an active fast open failed, 0: it did not; 5.5"),
    *(
        Column(field.name, field.dtype.lstrip("<"), field.kind, field.unit, field.help)
        for field in FIELDS
        if field.name
    ),
)


def put_tcp_info(draft: Draft, shape: Shape, listening: bool) -> None:
    """Fill the columns from INET_DIAG_INFO of sockets that all listen, or of which none does."""
    info = shape.struct(TCP_INFO, INET_DIAG_INFO)
    for member in OF_LISTENERS if listening else MEASURED:
        if member in info:
            meant = known(member, info["rtt" if member == "rttvar" else member])
            if meant is None or meant.any():
                draft.numbers(MEASURED[member], info[member], shape.at, meant)
    if not listening and "wscale" in info:
        put_flags(draft, shape.at, info)


def put_flags(draft: Draft, at: Index, info: dict[str, NDArray[Any]]) -> None:
    options = np.ascontiguousarray(info["options"])
    draft.named("ca_state", np.ascontiguousarray(info["ca_state"]), ca_state, at)
    draft.named("options", options & ~np.uint8(TCPI_OPT_WSCALE), OPTIONS, at)
    scaled: NDArray[np.bool_] | None = options & TCPI_OPT_WSCALE != 0
    if scaled is not None and scaled.all():
        scaled = None
    draft.numbers("snd_wscale", info["wscale"] & 15, at, scaled)
    draft.numbers("rcv_wscale", info["wscale"] >> 4, at, scaled)
    if "limited" in info:
        draft.numbers("app_limited", info["limited"] & 1, at)
        draft.numbers("fastopen_client_fail", info["limited"] >> 1 & 3, at)


def known(member: str, numbers: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Which numbers mean something; None when all do."""
    if member in NONE_FROM:
        found = numbers < NONE_FROM[member]
    elif member in NONE_AT_ZERO:
        found = numbers != 0
    else:
        return None
    return None if found.all() else found


def ca_state(number: int) -> str:
    return CA_STATES[number] if number < len(CA_STATES) else str(number)


def divided(shape: Shape, mask: NDArray[np.bool_]) -> Iterator[tuple[Shape, bool]]:
    """The rows of a shape where ``mask`` holds, with True, and those where it does not, with False; no empty ones."""
    for wanted in (True, False):
        rows = mask if wanted else ~mask
        if rows.all() and len(rows):
            yield shape, wanted
        elif rows.any():
            at = np.flatnonzero(rows) if isinstance(shape.at, slice) else shape.at[rows]
            yield Shape(at, shape.octets[rows], shape.fields), wanted
