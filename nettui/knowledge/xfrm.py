"""IPsec (XFRM), from /proc/net/xfrm_stat: packets that a state or a policy did not let pass."""

from __future__ import annotations

from nettui.knowledge.entry import Counter, Direction, Severity

INPUT = "net/xfrm/xfrm_input.c, xfrm_input"
OUTPUT = "net/xfrm/xfrm_output.c, xfrm_output_one"
CHECK = "net/xfrm/xfrm_policy.c, __xfrm_policy_check"
LOOKUP = "net/xfrm/xfrm_policy.c, xfrm_lookup_with_ifid"
STATES = "ip -s xfrm state  # SAs: SPI, addresses, state, errors (replay, failed), lifetimes; keys hidden by 'nokeys'"
POLICIES = "ip -s xfrm policy  # what must be encrypted, by which template"
EVENTS = "ip xfrm monitor  # SAs that expire or are asked for, as it happens"
PACKETS = "tcpdump -nvi any 'esp or ah or udp port 4500'  # SPIs on the wire, against those of ip xfrm state"
DAEMON = "journalctl -u strongswan -u ipsec -u libreswan --since -10min  # the key daemon's view"

POLICY = ("XFRM_POLICY",)
SOCKETS = ("Udp.InErrors", "Udp6.InErrors", "socket.drops")  # a policy is asked about again for the socket: it counts


def entry(
    name: str,
    direction: Direction,
    counts: str,
    cause: str,
    causes: tuple[str, ...],
    source: str,
    severity: Severity = "loss",
    reasons: tuple[str, ...] = (),
    since: str = "",
    remedies: tuple[str, ...] = (STATES, PACKETS, DAEMON),
) -> Counter:
    return Counter(
        name=f"xfrm.{name}",
        layer="xfrm",
        direction=direction,
        severity=severity,
        counts=counts,
        cause=cause,
        causes=causes,
        remedies=remedies,
        along=SOCKETS if reasons == POLICY and direction == "rx" else (),
        reasons=reasons,
        since=since,
        source=source,
    )


REKEY = ("after a new key was agreed on: the two ends do not use the same SAs", "one end restarted and lost its SAs")
BOTH = (STATES, POLICIES, DAEMON)

RECEIVED = (
    entry(
        "InNoStates",
        "rx",
        "IPsec packets for which there is no SA of that SPI, address and protocol.",
        "no SA for the SPI: ends disagree",
        (*REKEY, "an SA that expired here while the peer still uses it", "forged packets"),
        INPUT,
        remedies=(STATES, PACKETS, EVENTS, DAEMON),
    ),
    entry(
        "InStateProtoError",
        "rx",
        "IPsec packets that could not be decrypted or whose integrity check failed.",
        "keys or algorithms differ, or damaged packets",
        ("keys or algorithms set differently at the two ends", "packets damaged on the way", "forged packets"),
        INPUT,
    ),
    entry(
        "InStateSeqError",
        "rx",
        "IPsec packets outside the replay window: too old, or seen before.",
        "reordered beyond the replay window, or replayed",
        (
            "packets that overtake each other on the way (QoS, ECMP, several CPUs) beyond the replay window",
            "packets doubled on the way, or a replay attack",
        ),
        INPUT,
        remedies=(
            STATES,
            PACKETS,
            "# in the key daemon: a larger replay window (strongSwan: replay_window = 1024); a little memory",
        ),
    ),
    entry(
        "InStateExpired",
        "rx",
        "IPsec packets for an SA whose lifetime is over.",
        "SA expired and no new one was agreed on",
        ("the key daemon is down, blocked or slow", "lifetimes in bytes or packets too short for the rate"),
        INPUT,
        remedies=(STATES, EVENTS, DAEMON),
    ),
    entry(
        "InStateMismatch",
        "rx",
        "IPsec packets whose SA expects another encapsulation (UDP or not), or other addresses inside.",
        "NAT traversal or selector differs",
        ("ESP in UDP at one end only: a NAT came or went", "traffic that the SA's selector does not cover"),
        INPUT + "; " + CHECK,
    ),
    entry(
        "InStateInvalid",
        "rx",
        "IPsec packets for an SA that is dead or being removed.",
        "SA is being removed",
        REKEY,
        INPUT,
    ),
    entry(
        "InStateModeError",
        "rx",
        "IPsec packets whose inside does not fit the SA's mode (tunnel, transport, BEET).",
        "modes differ, or a wrong inner packet",
        ("tunnel mode at one end, transport at the other", "an inner packet that is malformed"),
        INPUT,
    ),
    entry(
        "InStateDirError",
        "rx",
        "IPsec packets for an SA that is set up for sending only.",
        "SA is set up for the other direction",
        ("a key daemon that set dir out on an SA that receives",),
        INPUT,
        since="6.10",
    ),
    entry(
        "InTmplMismatch",
        "rx",
        "Packets that did not come encrypted in the way that the policy asks for.",
        "not encrypted as the policy asks",
        (
            "plain packets where the policy asks for IPsec: the peer's policy or SA is missing",
            "encrypted by another SA than the policy's template says",
            "decrypted packets that meet a policy in another namespace",
        ),
        CHECK,
        reasons=POLICY,
        remedies=BOTH,
    ),
    entry(
        "InNoPols",
        "rx",
        "Packets that came through a tunnel SA and for which there is no policy, or the default is to block.",
        "no policy for what came through the tunnel",
        ("a policy in or fwd is missing for these addresses", "ip xfrm policy getdefault says block"),
        CHECK,
        reasons=POLICY,
        remedies=(POLICIES, "ip xfrm policy getdefault", DAEMON),
    ),
    entry(
        "InPolBlock",
        "rx",
        "Packets that a policy with action block refused.",
        "a policy blocks it",
        ("a policy with action block, as wanted",),
        CHECK,
        "refused",
        reasons=POLICY,
        remedies=(POLICIES,),
    ),
    entry(
        "InPolError",
        "rx",
        "Packets dropped because looking up the policy failed.",
        "policy lookup failed",
        ("no memory", "an SELinux or other security label that does not fit"),
        CHECK,
        reasons=POLICY,
        remedies=(POLICIES, DAEMON),
    ),
    entry(
        "InHdrError",
        "rx",
        "IPsec packets that are too short or malformed.",
        "malformed ESP or AH",
        ("packets cut or damaged on the way", "something else that uses the protocol number or UDP port 4500"),
        INPUT + "; " + CHECK,
    ),
    entry(
        "InBufferError",
        "rx",
        "IPsec packets nested more than 6 deep, or that the device's offload could not handle.",
        "nested too deep, or offload failed",
        ("tunnels in tunnels", "an ESP offload of the device that failed"),
        INPUT,
        remedies=(STATES, "ethtool -k DEV | grep esp  # offloads"),
    ),
    entry(
        "InError",
        "rx",
        "IPsec packets dropped for other reasons: no memory, no route kept.",
        "no memory",
        ("memory is short",),
        INPUT,
        remedies=(STATES, "free -m"),
    ),
    entry(
        "InIptfsError",
        "rx",
        "IP-TFS packets (aggregated, RFC 9347) that could not be taken apart.",
        "malformed IP-TFS packet",
        ("the two ends differ in mode, or packets are damaged",),
        "net/xfrm/xfrm_iptfs.c, iptfs_input",
        since="6.14",
    ),
    entry(
        "AcquireError",
        "rx",
        "Packets for an SA that is still being agreed on.",
        "SA not ready yet",
        ("the first packets of a connection, while keys are exchanged", "the key daemon does not come to an end"),
        INPUT,
        remedies=(STATES, EVENTS, DAEMON),
    ),
    entry(
        "FwdHdrError",
        "fwd",
        "Packets to be forwarded whose addresses could not be read for the policy lookup.",
        "malformed packet",
        ("packets cut or damaged",),
        "net/xfrm/xfrm_policy.c, __xfrm_route_forward",
        reasons=POLICY,
        remedies=(POLICIES,),
    ),
)

SENT = (
    entry(
        "OutNoStates",
        "tx",
        "Packets that a policy wants encrypted and for which there is no SA yet, nor soon.",
        "no SA with the peer",
        (
            "the key daemon is down or does not agree with the peer",
            "xfrm_larval_drop: dropped while keys are agreed on",
        ),
        LOOKUP,
        remedies=(STATES, POLICIES, EVENTS, DAEMON),
    ),
    entry(
        "OutBundleGenError",
        "tx",
        "Packets for which the chain of SAs and routes could not be built.",
        "no route, or no memory, for the tunnel",
        ("no route to the tunnel's other end", "no memory"),
        LOOKUP + ", xfrm_bundle_create",
        remedies=(STATES, POLICIES, "ip route get TUNNEL_PEER"),
    ),
    entry(
        "OutBundleCheckError",
        "tx",
        "Once packets whose chain of SAs and routes was no longer valid. The name is left over: no kernel from 4.18 on "
        "counts it, such a chain is built anew.",
        "not counted by these kernels",
        ("none: it stays 0",),
        "net/xfrm/xfrm_proc.c, xfrm_mib_list; net/xfrm/xfrm_policy.c, xfrm_bundle_ok",
        remedies=(STATES, POLICIES),
    ),
    entry(
        "OutStateProtoError",
        "tx",
        "Packets that could not be encrypted.",
        "encryption failed",
        ("a crypto driver or device that failed", "no memory"),
        OUTPUT,
        remedies=(STATES, "dmesg | grep -i crypt"),
    ),
    entry(
        "OutStateModeError",
        "tx",
        "Packets that could not be put into the SA's mode: too big for the tunnel, or wrong family.",
        "too big for the tunnel, or wrong family",
        ("larger than the tunnel's MTU and not to be cut: the sender is told", "IPv6 in a tunnel for IPv4 only"),
        OUTPUT,
        remedies=(STATES, "ip route get DST  # its MTU"),
    ),
    entry(
        "OutStateSeqError",
        "tx",
        "Packets not sent because the SA's sequence numbers are used up.",
        "sequence numbers used up: rekey overdue",
        ("the key daemon did not agree on a new SA in time", "no extended sequence numbers (ESN) at a high rate"),
        OUTPUT,
        remedies=(STATES, DAEMON),
    ),
    entry(
        "OutStateExpired",
        "tx",
        "Packets not sent because the SA's lifetime is over.",
        "SA expired and no new one was agreed on",
        ("the key daemon is down, blocked or slow",),
        OUTPUT,
        remedies=(STATES, EVENTS, DAEMON),
    ),
    entry(
        "OutStateInvalid",
        "tx",
        "Packets not sent because the SA is dead or being removed.",
        "SA is being removed",
        REKEY,
        OUTPUT,
    ),
    entry(
        "OutStateDirError",
        "tx",
        "Packets not sent because the SA is set up for receiving only.",
        "SA is set up for the other direction",
        ("a key daemon that set dir in on an SA that sends",),
        "net/xfrm/xfrm_policy.c, xfrm_tmpl_resolve_one",
        since="6.10",
    ),
    entry(
        "OutPolBlock",
        "tx",
        "Packets that a policy with action block refused; the process sees EPERM.",
        "a policy blocks it",
        ("a policy with action block, as wanted", "ip xfrm policy getdefault says block"),
        LOOKUP,
        "refused",
        remedies=(POLICIES, "ip xfrm policy getdefault"),
    ),
    entry(
        "OutPolDead",
        "tx",
        "Once packets whose policy had just been removed. The name is left over: no kernel from 4.18 on counts it.",
        "not counted by these kernels",
        ("none: it stays 0",),
        "net/xfrm/xfrm_proc.c, xfrm_mib_list; net/xfrm/xfrm_policy.c",
        remedies=(POLICIES,),
    ),
    entry(
        "OutPolError",
        "tx",
        "Packets dropped because looking up the policy failed.",
        "policy lookup failed",
        ("no memory", "a security label that does not fit"),
        LOOKUP,
        remedies=(POLICIES,),
    ),
    entry(
        "OutNoQueueSpace",
        "tx",
        "Packets dropped because the queue of an IP-TFS SA was full.",
        "more than the IP-TFS SA sends",
        ("more traffic than the rate or the queue of the IP-TFS SA allows",),
        "net/xfrm/xfrm_iptfs.c, iptfs_output_collect",
        since="6.14",
        remedies=(STATES,),
    ),
    entry(
        "OutError",
        "tx",
        "Packets dropped for other reasons: no memory, no route kept, offload refused.",
        "no memory, or offload refused",
        ("memory is short", "an offload of the device that does not take the packet"),
        OUTPUT + ", xfrm_output",
        remedies=(STATES, "ethtool -k DEV | grep esp  # offloads"),
    ),
)

XFRM = (*RECEIVED, *SENT)
