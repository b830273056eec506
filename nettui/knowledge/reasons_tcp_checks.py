"""Drop reasons of TCP's checks: timestamps (PAWS), signatures (MD5, TCP-AO), TTL."""

from nettui.knowledge.entry import Reason, Severity

SEEN = "tcpdump -nnvi any 'host PEER and port PORT'  # timestamps and options of the connection"
SIGNED = "net/ipv4/tcp.c, tcp_inbound_hash, tcp_inbound_md5_hash; net/ipv4/tcp_ao.c, tcp_inbound_ao_hash"


def signature(name: str, meaning: str, cause: str, counters: tuple[str, ...], since: str) -> Reason:
    """A segment whose signature is not as it should be: BGP and LDP sessions, mostly."""
    causes = (
        "the two ends do not have the same keys, or only one has: often after a change of keys",
        "segments of somebody else who has no key",
    )
    remedies = (
        "dmesg | grep -i 'tcp: md5\\|tcp: ao\\|tcp hash'  # which peer",
        SEEN,
        "# compare password or keychain of the neighbour in both routers' configurations",
    )
    return Reason(name, "tcp", "loss", meaning, cause, causes, remedies, counters, since, SIGNED)


def timestamp(
    name: str, severity: Severity, meaning: str, cause: str, counters: tuple[str, ...], since: str, source: str
) -> Reason:
    causes = (
        "hosts behind one NAT address whose clocks differ",
        "segments that were late, and overtaken by others",
        "a middlebox that changes timestamps",
    )
    return Reason(name, "tcp", severity, meaning, cause, causes, (SEEN,), counters, since, source)


REASONS_TCP_CHECKS = (
    timestamp(
        "TCP_RFC7323_PAWS",
        "loss",
        "The segment's timestamp is older than one seen before (PAWS).",
        "timestamps that go backwards (NAT, duplicates)",
        ("TcpExt.PAWSEstab", "TcpExt.PAWSActive"),
        "5.19",
        "net/ipv4/tcp_input.c, tcp_validate_incoming",
    ),
    timestamp(
        "TCP_RFC7323_PAWS_ACK",
        "noise",
        "An acknowledgement without data with an old timestamp, which later ones had overtaken.",
        "late ACKs that others overtook",
        ("TcpExt.PAWSOldAck",),
        "6.14",
        "net/ipv4/tcp_input.c, tcp_disordered_ack_check",
    ),
    timestamp(
        "TCP_RFC7323_TW_PAWS",
        "loss",
        "A segment with an old timestamp for a connection in TIME_WAIT.",
        "port reused behind a NAT while in TIME_WAIT",
        ("TcpExt.PAWSTimewait",),
        "6.16",
        "net/ipv4/tcp_minisocks.c, tcp_timewait_state_process",
    ),
    timestamp(
        "TCP_RFC7323_TSECR",
        "loss",
        "The last ACK of a handshake returns a timestamp that was not sent.",
        "a middlebox changes timestamps, or forged ACK",
        ("TcpExt.TSEcrRejected",),
        "6.15",
        "net/ipv4/tcp_minisocks.c, tcp_check_req",
    ),
    Reason(
        name="TCP_MINTTL",
        layer="tcp",
        severity="refused",
        meaning="The segment's TTL or hop limit is below what the socket asks for (IP_MINTTL): it comes from too far.",
        cause="sender farther away than allowed (GTSM)",
        causes=("a BGP session with ttl-security whose peer is more hops away than configured", "forged from afar"),
        remedies=("tcpdump -nvi any 'host PEER and tcp port 179'  # TTL as it arrives", SEEN),
        counters=("TcpExt.TCPMinTTLDrop",),
        since="6.3",
        source="net/ipv4/tcp_ipv4.c, tcp_v4_rcv; net/ipv6/tcp_ipv6.c, tcp_v6_rcv",
    ),
    signature(
        "TCP_AUTH_HDR",
        "A segment carries both an MD5 signature and TCP-AO, or one of them twice or malformed.",
        "malformed signature options",
        (),
        "6.7",
    ),
    signature(
        "TCP_MD5NOTFOUND",
        "A segment without MD5 signature from a peer that must sign.",
        "peer sends without MD5 signature",
        ("TcpExt.TCPMD5NotFound",),
        "5.18",
    ),
    signature(
        "TCP_MD5UNEXPECTED",
        "A segment with MD5 signature from a peer for which there is no key here.",
        "peer signs with MD5; no key here",
        ("TcpExt.TCPMD5Unexpected",),
        "5.18",
    ),
    signature("TCP_MD5FAILURE", "The MD5 signature is wrong.", "MD5 keys differ", ("TcpExt.TCPMD5Failure",), "5.18"),
    signature(
        "TCP_AONOTFOUND",
        "A segment without TCP-AO from a peer that must sign.",
        "peer sends without TCP-AO",
        ("TcpExt.TCPAORequired",),
        "6.7",
    ),
    signature(
        "TCP_AOUNEXPECTED",
        "A segment with TCP-AO for a connection that does not use it.",
        "peer signs with TCP-AO; not asked for here",
        ("TcpExt.TCPAOKeyNotFound",),
        "6.7",
    ),
    signature(
        "TCP_AOKEYNOTFOUND",
        "A segment's TCP-AO key number is not known here.",
        "TCP-AO key id not known here",
        ("TcpExt.TCPAOKeyNotFound",),
        "6.7",
    ),
    signature("TCP_AOFAILURE", "The TCP-AO signature is wrong.", "TCP-AO keys differ", ("TcpExt.TCPAOBad",), "6.7"),
)
